import { isRecord } from '../../lib/json-schema.ts'
import { CanvasProblem } from '../canvas/canvas-problem.ts'
import { parseBindings } from '../canvas/canvas-values.ts'
import type { NodeType } from '../engine/node-type.ts'
import type { PluginOperation } from '../plugins/workflow-plugins.ts'
import { convertFields } from '../values/convert-value.ts'
import type { Field } from '../values/value-type.ts'
import { isValueObject } from '../values/value.ts'
import type { Value, ValueObject } from '../values/value.ts'

/** One call of a plugin: the inputs are its arguments, its answer the outputs, also where they are not declared. */
export const pluginNode: NodeType<PluginOperation> = {
  code: '4',
  name: 'Api',
  fillsInputs: true,
  fillsOutputs: true,
  hasEffects: true,
  parse: ({ inputs }) => ({
    config: parseOperation(inputs.apiParam),
    inputs: parseBindings(inputs.inputParameters, 'inputs.inputParameters'),
  }),
  async run({ node, config, inputs, services, signal, warn }) {
    const answer = await services.plugins.call(config, inputs, { signal })
    const { values, warnings } = convertFields(toObject(answer, node.outputs), node.outputs)
    for (const warning of warnings) warn(warning)
    return { kind: 'done', outputs: values }
  },
}

function parseOperation(raw: unknown): PluginOperation {
  if (!Array.isArray(raw)) throw new CanvasProblem('inputs.apiParam', 'must be a list of parameters')
  const texts = new Map(raw.filter(isRecord).map((param) => [param.name, parseText(param.input)]))
  const pluginId = texts.get('pluginID') ?? ''
  if (pluginId === '') throw new CanvasProblem('inputs.apiParam', 'must name a plugin in pluginID')
  return { pluginId, apiId: texts.get('apiID') ?? '', apiName: texts.get('apiName') ?? '' }
}

function parseText(input: unknown): string {
  const value = isRecord(input) ? input.value : undefined
  const content = isRecord(value) ? value.content : undefined
  const isPlain = typeof content === 'string' || typeof content === 'number' || typeof content === 'bigint'
  return isPlain ? String(content).trim() : ''
}

/** What is no object is the one output that is declared, or else called `output`. */
function toObject(answer: Value, outputs: Field[]): ValueObject {
  if (isValueObject(answer)) return answer
  const [only, ...others] = outputs
  return { [only && others.length === 0 ? only.name : 'output']: answer }
}
