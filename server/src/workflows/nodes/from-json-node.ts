import { parseFields } from '../canvas/canvas-values.ts'
import { NodeError, nodeErrors } from '../engine/node-error.ts'
import type { NodeType } from '../engine/node-type.ts'
import { convertValue } from '../values/convert-value.ts'
import type { ValueType } from '../values/value-type.ts'
import { parseValue } from '../values/value.ts'
import type { Value } from '../values/value.ts'
import { planInputs, readText } from './plain-inputs.ts'

type FromJsonConfig = { type?: ValueType }

/** JSON text as a value of the type that `output` is declared with. What does not fit becomes null, or is left out of its list. */
export const fromJsonNode: NodeType<FromJsonConfig> = {
  code: '59',
  name: 'FromJSON',
  fillsInputs: true,
  fillsOutputs: true,
  parse: (node) => ({
    ...planInputs(node),
    config: { type: parseFields(node.outputs, 'outputs').find(({ name }) => name === 'output')?.type },
  }),
  async run({ config: { type }, inputs, warn }) {
    const parsed = parseJson(readText(inputs, 'input'))
    if (!type) return { kind: 'done', outputs: { output: parsed } }

    const { value, warnings, missing } = convertValue(parsed, type)
    if (missing.length > 0) throw new NodeError(nodeErrors.missingParameter, `the JSON lacks the required field ${missing.join(', ')}`)
    for (const warning of warnings) warn(`output: ${warning}`)
    return { kind: 'done', outputs: { output: value } }
  },
}

function parseJson(text: string): Value {
  try {
    return parseValue(text)
  } catch (cause) {
    throw new NodeError(nodeErrors.executionFailed, `the input is not valid JSON: ${cause instanceof Error ? cause.message : ''}`, {
      cause,
    })
  }
}
