import { parseBindings } from '../canvas/canvas-values.ts'
import type { NodeResult, NodeRun, NodeType } from '../engine/node-type.ts'
import { createTextStream } from '../engine/text-stream.ts'
import type { TextStream } from '../engine/text-stream.ts'
import type { ValueObject } from '../values/value.ts'
import { REASONING, parseLlmOutputs, toInstruction, toOutputs } from './llm-outputs.ts'
import type { LlmOutputs } from './llm-outputs.ts'
import { parsePrompt, toMessages } from './llm-prompt.ts'
import type { LlmPrompt } from './llm-prompt.ts'
import { parseBackupSettings, parseHistoryRounds, parseRawSettings, readNumber, readText, toModelSettings } from './llm-settings.ts'
import type { ModelSettings } from './llm-settings.ts'
import { createTools, parseSkills } from './llm-tools.ts'
import type { LlmSkills } from './llm-tools.ts'
import { runTurns } from './llm-turns.ts'
import type { LlmEnd, LlmJob } from './llm-turns.ts'
import { getModel } from './model-call.ts'
import type { ModelPiece } from './model-call.ts'

export type LlmConfig = {
  main: ModelSettings
  /** For the attempts after the first. */
  backup: ModelSettings | undefined
  prompt: LlmPrompt
  outputs: LlmOutputs
  skills: LlmSkills
}

/** Asks a model, which may call workflows and plugins on its way to the answer. */
export const llmNode: NodeType<LlmConfig> = {
  code: '3',
  name: 'LLM',
  fillsInputs: true,
  fillsOutputs: true,
  hasEffects: true,
  parse({ inputs, outputs: declared }) {
    const raw = parseRawSettings(inputs.llmParam, 'inputs.llmParam')
    const bindings = parseBindings(inputs.inputParameters, 'inputs.inputParameters')
    const outputs = parseLlmOutputs(declared)
    const config = {
      main: toModelSettings(raw),
      backup: parseBackupSettings(inputs.settingOnError),
      prompt: parsePrompt({
        system: readText(raw, 'systemPrompt'),
        user: readText(raw, 'prompt'),
        instruction: toInstruction(outputs, readNumber(raw, 'responseFormat') ?? 0),
        historyRounds: parseHistoryRounds(raw.settings.get('enableChatHistory'), readNumber(raw, 'chatHistoryRound')),
        inputs: bindings,
      }),
      outputs,
      skills: parseSkills(inputs.fcParam),
    }
    return { config, inputs: bindings, ...(outputs.shape.kind === 'text' && { writesText: 'model' }) }
  },
  async run(run) {
    const { config } = run
    const { modelType, parameters } = (run.attempt > 0 ? config.backup : undefined) ?? config.main
    const [model, tools] = await Promise.all([getModel(run, modelType), createTools(run, config.skills)])
    const job = { model, parameters, tools, messages: await toMessages(run, config.prompt) }

    const { shape } = config.outputs
    if (run.streaming && shape.kind === 'text') return streamAnswer(run, job, shape.output)
    return conclude(run, await runTurns(run, job))
  },
}

async function conclude(run: NodeRun<LlmConfig>, end: LlmEnd): Promise<NodeResult> {
  if (end.kind === 'waiting') return end
  const reply = end.kind === 'answered' ? end : { text: await end.finished, reasoning: '' }
  return { kind: 'done', outputs: toOutputs(run, run.config.outputs, reply) }
}

/** What goes wrong before the first piece is the node's failure, what goes wrong later that of its streams. */
async function streamAnswer(run: NodeRun<LlmConfig>, job: LlmJob, output: string): Promise<NodeResult> {
  const { outputs } = run.config
  const streams = { text: createTextStream(), reasoning: createTextStream() }
  const begun = Promise.withResolvers<undefined>()
  const onPiece = ({ type, text }: ModelPiece): void => {
    streams[type].push(text)
    if (text !== '' && (type === 'text' || outputs.hasReasoning)) begun.resolve(undefined)
  }

  const ended = runTurns(run, { ...job, onPiece })
  const end = await Promise.race([begun.promise, ended])
  if (end?.kind === 'streaming') {
    const finished = end.finished.then((text) => toOutputs(run, outputs, { text, reasoning: '' }))
    return toStreaming({ [output]: end.stream }, finished)
  }
  if (end) return conclude(run, end)

  const finished = finishStreams(ended, streams).then((reply) => toOutputs(run, outputs, reply))
  const written: Record<string, TextStream> = { [output]: streams.text }
  if (outputs.hasReasoning) written[REASONING] = streams.reasoning
  return toStreaming(written, finished)
}

async function finishStreams(ended: Promise<unknown>, { text, reasoning }: Record<ModelPiece['type'], TextStream>): Promise<Reply> {
  try {
    await ended
  } catch (cause) {
    text.fail(cause)
    reasoning.fail(cause)
    throw cause
  }
  text.end()
  reasoning.end()
  return { text: await text.text(), reasoning: await reasoning.text() }
}

type Reply = { text: string; reasoning: string }

function toStreaming(streams: Record<string, TextStream>, finished: Promise<ValueObject>): NodeResult {
  // until somebody waits for it, its failure must not end the process
  finished.catch(() => undefined)
  return { kind: 'streaming', streams, finished }
}
