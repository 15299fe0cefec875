import { isRecord } from '../../lib/json-schema.ts'
import { CanvasProblem } from '../canvas/canvas-problem.ts'
import { parseBlockInput } from '../canvas/canvas-values.ts'
import type { NodeType } from '../engine/node-type.ts'

/** Set around a pass that is the last one; no loop variable may be called so. */
export const BREAK = '$break'

const plain = { fillsInputs: false, fillsOutputs: false }
const nothing = { config: undefined, inputs: [], outputs: [] }

/** The loop ends after this pass. */
export const breakNode: NodeType<undefined> = {
  ...{ code: '19', name: 'Break', ...plain, setsAround: true },
  parse: () => nothing,
  run: async () => ({ kind: 'done', outputs: { [BREAK]: true } }),
}

/** Ends its path. */
export const continueNode: NodeType<undefined> = {
  ...{ code: '29', name: 'Continue', ...plain },
  parse: () => nothing,
  run: async () => ({ kind: 'done', outputs: {} }),
}

/** Gives loop variables new values, as they come. */
export const loopSetVariableNode: NodeType<undefined> = {
  ...{ code: '20', name: 'LoopSetVariable', ...plain, setsAround: true },
  parse({ inputs }) {
    const pairs: unknown[] = Array.isArray(inputs.inputParameters) ? inputs.inputParameters : []
    return { config: undefined, outputs: [], inputs: pairs.map((pair, index) => parsePair(pair, `inputs.inputParameters[${index}]`)) }
  },
  run: async ({ inputs }) => ({ kind: 'done', outputs: inputs }),
}

function parsePair(raw: unknown, at: string) {
  if (!isRecord(raw)) throw new CanvasProblem(at, 'must have a left and a right side')
  const { source } = parseBlockInput(raw.left, `${at}.left`)
  const [name, ...deeper] = source.from === 'node' ? source.path : []
  if (name === undefined || deeper.length > 0) throw new CanvasProblem(`${at}.left`, 'must refer to a variable of the loop around it')
  // the value is stored without conversion
  return { name, source: parseBlockInput(raw.right, `${at}.right`).source }
}
