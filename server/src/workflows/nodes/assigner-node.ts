import { isRecord } from '../../lib/json-schema.ts'
import { CanvasProblem } from '../canvas/canvas-problem.ts'
import { parseBlockInput } from '../canvas/canvas-values.ts'
import type { Binding } from '../engine/graph.ts'
import { NodeError, nodeErrors } from '../engine/node-error.ts'
import type { NodeType } from '../engine/node-type.ts'
import { fieldOf } from '../values/value.ts'

type Assignment = { input: string; scope: 'app' | 'user'; variable: string }

/** Gives variables of the app and of the end user new values. */
export const assignerNode: NodeType<Assignment[]> = {
  code: '40',
  name: 'AssignVariable',
  fillsInputs: false,
  fillsOutputs: false,
  parse({ inputs }) {
    const pairs: unknown[] = Array.isArray(inputs.inputParameters) ? inputs.inputParameters : []
    const parsed = pairs.map(parsePair)
    return { config: parsed.map(({ assignment }) => assignment), inputs: parsed.map(({ binding }) => binding) }
  },
  async run({ config, inputs, services }) {
    const changes = config.map(({ input, ...target }) => {
      const value = fieldOf(inputs, input)
      if (value === undefined)
        throw new NodeError(
          nodeErrors.executionFailed,
          `there is no value for the variable ${target.variable}: what it refers to did not run`,
        )
      return { ...target, value }
    })

    // in their order, as the last one wins
    for (const { scope, variable, value } of changes) await services.variables.write(scope, variable, value)
    return { kind: 'done', outputs: { isSuccess: true } }
  },
}

function parsePair(raw: unknown, index: number): { assignment: Assignment; binding: Binding } {
  const at = `inputs.inputParameters[${index}]`
  if (!isRecord(raw)) throw new CanvasProblem(at, 'must have a left side and an input')
  const { source } = parseBlockInput(raw.left, `${at}.left`)
  if (source.from !== 'variable') throw new CanvasProblem(`${at}.left`, 'must refer to a variable of the app or of the user')
  if (source.scope === 'system') throw new CanvasProblem(`${at}.left`, 'refers to a variable of the system, which can only be read')
  const [variable, ...deeper] = source.path
  if (variable === undefined || deeper.length > 0)
    throw new CanvasProblem(`${at}.left.path`, 'must name a whole variable, not a part of one')

  // two variables may have one name: that of the app and that of the user
  const input = `${source.scope}.${variable}.${index}`
  return { assignment: { input, scope: source.scope, variable }, binding: { name: input, ...parseBlockInput(raw.input, `${at}.input`) } }
}
