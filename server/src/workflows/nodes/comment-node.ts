import type { NodeType } from '../engine/node-type.ts'

/** A note in the drawing. It is never connected, so it never runs. */
export const commentNode: NodeType<undefined> = {
  code: '31',
  name: 'Comment',
  fillsInputs: false,
  fillsOutputs: false,
  parse: () => ({ config: undefined, inputs: [], outputs: [] }),
  run: async () => ({ kind: 'done', outputs: {} }),
}
