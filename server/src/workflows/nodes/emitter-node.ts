import { parseBindings } from '../canvas/canvas-values.ts'
import type { NodeType } from '../engine/node-type.ts'
import { parseAnswer, writeAnswer } from './answer-text.ts'
import type { AnswerConfig } from './answer-text.ts'

/** Says something to the caller on the way. */
export const emitterNode: NodeType<AnswerConfig> = {
  code: '13',
  name: 'Message',
  fillsInputs: true,
  fillsOutputs: false,
  readsStreams: true,
  parse: (node) => ({
    config: parseAnswer(node),
    inputs: parseBindings(node.inputs.inputParameters, 'inputs.inputParameters'),
    outputs: [{ name: 'output', type: { kind: 'string' }, required: false, description: '' }],
  }),
  async run(run) {
    const result = await writeAnswer(run, run.config)
    // whoever comes next waits for the end of the message
    return result.kind === 'streaming' ? { kind: 'done', outputs: await result.finished } : result
  },
}
