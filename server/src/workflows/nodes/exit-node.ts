import { CanvasProblem } from '../canvas/canvas-problem.ts'
import { parseBindings } from '../canvas/canvas-values.ts'
import type { NodeType } from '../engine/node-type.ts'
import { printEscapedValue } from '../values/value.ts'
import { parseAnswer, wholeInputs, writeAnswer } from './answer-text.ts'
import type { AnswerConfig } from './answer-text.ts'

/** Where a workflow ends: with values, or with an answer for people. */
export const exitNode: NodeType<ExitConfig> = {
  code: '2',
  name: 'End',
  fillsInputs: true,
  fillsOutputs: false,
  readsStreams: true,
  parse(node) {
    const plan = node.inputs.terminatePlan
    if (plan !== 'returnVariables' && plan !== 'useAnswerContent')
      throw new CanvasProblem('inputs.terminatePlan', 'must be returnVariables or useAnswerContent')
    return {
      config: plan === 'returnVariables' ? { plan, streamsAnswer: false } : { plan, ...parseAnswer(node) },
      inputs: parseBindings(node.inputs.inputParameters, 'inputs.inputParameters'),
      outputs: [],
    }
  },
  async run(run) {
    const { config } = run
    if (config.plan === 'useAnswerContent') return writeAnswer(run, config)

    const outputs = await wholeInputs(run)
    run.say(printEscapedValue(outputs), { isLast: true })
    return { kind: 'done', outputs }
  },
}

export type ExitConfig = { plan: 'returnVariables'; streamsAnswer: false } | ({ plan: 'useAnswerContent' } & AnswerConfig)
