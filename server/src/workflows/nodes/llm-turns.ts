import type { ModelAdapter, ModelMessage, ModelParameters } from '../../models/model-adapter.ts'
import { NodeError, nodeErrors } from '../engine/node-error.ts'
import type { NodeRun } from '../engine/node-type.ts'
import type { TextStream } from '../engine/text-stream.ts'
import type { WaitingEvent } from '../engine/waiting-event.ts'
import type { Value } from '../values/value.ts'
import { failed } from './llm-tools.ts'
import type { LlmTool, ToolOutcome } from './llm-tools.ts'
import { askModel } from './model-call.ts'
import type { ModelPiece, ModelReply } from './model-call.ts'

export type LlmJob = {
  model: ModelAdapter
  parameters: ModelParameters
  messages: ModelMessage[]
  tools: LlmTool[]
  /** Set where somebody reads along: gets what belongs to the node's answer as it is said. */
  onPiece?: (piece: ModelPiece) => void
}

export type LlmEnd =
  | { kind: 'answered'; text: string; reasoning: string }
  /** A tool answers in the model's place. Never after a piece of an answer. */
  | { kind: 'streaming'; stream: TextStream; finished: Promise<string> }
  | { kind: 'waiting'; events: WaitingEvent[] }

/** What a model said, and what it called with it. */
type Turn = { said: string; calls: Call[] }
type Call = { id: string; name: string; arguments: string; result: string | null }

/** A question to the model is a step, the calls it makes are another. */
const MAX_STEPS = 12
const MAX_CALLS_PER_ROUND = 16

/**
 * Model, tools, and again, until the model answers without calling a tool. Each answer of the model
 * and each result is saved: neither a wait nor a crash makes it ask or call again.
 */
export async function runTurns(run: NodeRun, job: LlmJob): Promise<LlmEnd> {
  const turns = parseTurns(run.saved)
  const teller = createTeller(job, turns)
  for (;;) {
    const end = await finishCalls(run, job.tools, turns)
    if (end) return end

    const reply = await askForTurn(run, { ...job, onPiece: teller?.onPiece }, turns)
    if (reply.calls.length === 0) {
      teller?.finish()
      return { kind: 'answered', text: reply.text, reasoning: reply.reasoning }
    }
    teller?.turnToTools()
    turns.push({ said: reply.text, calls: reply.calls.map((call) => ({ ...call, result: null })) })
    saveTurns(run, turns)
  }
}

function parseTurns(saved: Value | undefined): Turn[] {
  return structuredClone((saved ?? []) as Turn[])
}

const saveTurns = (run: NodeRun, turns: Turn[]): void => run.save(structuredClone(turns))

/**
 * Hands on what is said. Next to a tool that may take over, a round is held back until it turns out
 * to be the answer; otherwise it is told at once, even if a call follows.
 */
function createTeller({ onPiece, tools }: LlmJob, turns: Turn[]) {
  if (!onPiece) return undefined
  const holdsBack = tools.some((tool) => tool.mayTakeOver)
  let held: ModelPiece[] = []
  let last: 'nothing' | 'text' | 'call' = 'nothing'

  const tell = (piece: ModelPiece): void => {
    if (piece.type === 'text' && last === 'call') onPiece({ type: 'text', text: '\n\n' })
    if (piece.type === 'text') last = 'text'
    onPiece(piece)
  }
  const turnToTools = (): void => {
    held = []
    if (last === 'text') last = 'call'
  }
  for (const { said } of holdsBack ? [] : turns) {
    if (said !== '') tell({ type: 'text', text: said })
    turnToTools()
  }
  return { onPiece: holdsBack ? (piece: ModelPiece) => void held.push(piece) : tell, turnToTools, finish: () => held.forEach(tell) }
}

async function askForTurn(run: NodeRun, job: LlmJob, turns: Turn[]): Promise<ModelReply> {
  const { model, parameters, tools, onPiece } = job
  const reply = await askModel(run, {
    ...{ model, parameters, onPiece },
    messages: [...job.messages, ...turns.flatMap(toMessages)],
    tools: tools.length > 0 ? tools.map(({ name, description, parameters }) => ({ name, description, parameters })) : undefined,
  })
  // a call of what was not offered cannot be executed
  if (tools.length === 0) return { ...reply, calls: [] }

  if (reply.calls.length > MAX_CALLS_PER_ROUND)
    throw failure(`the model called ${reply.calls.length} tools at once: at most ${MAX_CALLS_PER_ROUND} are executed`)
  const steps = turns.length * 2 + 1
  if (reply.calls.length > 0 && steps + 2 > MAX_STEPS)
    throw failure(
      `the model went on calling tools: it has to answer within ${MAX_STEPS} steps, questions to it and rounds of tools together`,
    )
  return reply
}

const failure = (message: string) => new NodeError(nodeErrors.executionFailed, message)

function toMessages({ said, calls }: Turn): ModelMessage[] {
  return [
    { role: 'assistant', content: said, toolCalls: calls.map(({ id, name, arguments: args }) => ({ id, name, arguments: args })) },
    ...calls.map(({ id, result }) => ({ role: 'tool', toolCallId: id, content: result ?? '' }) as const),
  ]
}

/** Makes the calls of the last turn that have no result yet. Undefined when it is the model's turn again. */
async function finishCalls(run: NodeRun, tools: LlmTool[], turns: Turn[]): Promise<LlmEnd | undefined> {
  const round = turns.length - 1
  const calls = turns[round]?.calls ?? []
  const work = calls.map(async (call, index): Promise<ToolOutcome> => {
    if (call.result !== null) return { kind: 'result', text: call.result }
    const outcome = await execute(run, { tools, call, place: { round, index } })
    if (outcome.kind === 'result') {
      call.result = outcome.text
      saveTurns(run, turns)
    }
    return outcome
  })
  // @NOTE all of them first: a call that outlived its node would save into a run that has gone on
  await Promise.allSettled(work)
  return toEnd(await Promise.all(work))
}

type Execution = { tools: LlmTool[]; call: Call; place: { round: number; index: number } }

async function execute(run: NodeRun, { tools, call, place }: Execution): Promise<ToolOutcome> {
  const tool = tools.find(({ name }) => name === call.name)
  if (!tool) return failed(`there is no tool named ${call.name}`)
  try {
    return await tool.call(call, place)
  } catch (cause) {
    run.signal.throwIfAborted()
    if (!(cause instanceof NodeError) || cause.code === nodeErrors.pluginAuthorization) throw cause
    run.warn(`the tool ${call.name} failed: ${cause.message}`)
    return failed(cause.message)
  }
}

/** Waiting comes first: the others are found again, as they are, when somebody has answered. */
async function toEnd(outcomes: ToolOutcome[]): Promise<LlmEnd | undefined> {
  const events = outcomes.flatMap((outcome) => (outcome.kind === 'waiting' ? outcome.events : []))
  if (events.length === 0) {
    const answer = outcomes.find((outcome) => outcome.kind === 'answer' || outcome.kind === 'streaming')
    return answer?.kind === 'answer' ? { kind: 'answered', text: answer.text, reasoning: '' } : answer
  }
  await Promise.all(outcomes.flatMap((outcome) => (outcome.kind === 'streaming' ? [outcome.finished] : [])))
  return { kind: 'waiting', events }
}
