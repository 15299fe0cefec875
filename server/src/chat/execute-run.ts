import type { RunAdmission } from '../accounts/run-admission.ts'
import type { BotVersion } from '../bots/bot-config.ts'
import { listHistory } from '../conversations/message-store.ts'
import type { Db } from '../db/database.ts'
import { alsoUpdating } from '../db/group-commit.ts'
import type { Journal, RunLog } from '../journal/journal.ts'
import { AppError } from '../lib/app-error.ts'
import type { Clock } from '../lib/clock.ts'
import type { NextId } from '../lib/snowflake.ts'
import { ModelError } from '../models/model-adapter.ts'
import type { ModelAdapter, ModelMessage, ModelParameters, ModelTool } from '../models/model-adapter.ts'
import { runAgent } from './agent-loop.ts'
import type { AgentJob } from './agent-loop.ts'
import { createAnswerWriter } from './answer-writer.ts'
import type { AnswerWriter } from './answer-writer.ts'
import type { ChatEvent, CompletedMessage, Usage } from './chat-event.ts'
import type { ChatflowQuestion } from './chatflow-question.ts'
import { suggestReplies } from './follow-ups.ts'
import { RunStopped } from '../lib/live-runs.ts'
import { renderPrompt, toModelMessages } from './prompt.ts'
import type { ReadFile } from './prompt.ts'
import { runChatflow } from './run-chatflow.ts'
import { closingEvents, endRun, endUnit } from './run-ending.ts'
import type { EndListeners, Ending, Outcome } from './run-ending.ts'
import type { Run } from './run-store.ts'
import type { ServerTool } from '../tools/server-tool.ts'
import { toWaiting } from './waiting-run.ts'
import type { ChatPlace, ChatWorkflows } from './workflow-part.ts'

export type ExecuteRunDeps = {
  db: Db
  clock: Clock
  nextId: NextId
  journal: Journal<ChatEvent>
  getModel: (name: string) => Promise<ModelAdapter>
  getTools: (bot: BotVersion, request: ToolRequest) => Promise<ServerTool[]>
  workflows: ChatWorkflows
  onError: (cause: unknown) => void
  listeners: EndListeners
  admission: RunAdmission
  /** Told of every run that has ended, for the metrics. */
  onEnded: (run: { status: string; inputTokens: number; outputTokens: number; seconds: number }) => void
  /** Aborts when a stopping server can no longer wait for its database. */
  giveUp: AbortSignal
}

/** `reservedNames` are of functions that the caller executes. */
export type ToolRequest = ChatPlace & { signal: AbortSignal; reservedNames: string[] }

export type RunPlan = {
  run: Run
  bot: BotVersion
  /** This turn's messages; earlier ones of the section come before them. */
  input: ModelMessage[]
  hasHistory: boolean
  /** Ids of the messages of this turn are not smaller: history ends before it. */
  firstMessageId: string
  variables: Record<string, string>
  /** In place of the bot's own. */
  parameters: ModelParameters
  /** Functions that the caller of this run executes, the bot's among them. */
  functions: ModelTool[]
  /** Its caller keeps the conversation: a call of the caller's functions ends it. */
  isStateless: boolean
  stream: boolean
  /** Set where a chatflow answers in the model's place. */
  question?: ChatflowQuestion
  readFile: ReadFile
  /** Resolves when the conversation is this run's; absent when it is already. */
  untilTurn?: (signal: AbortSignal) => Promise<void>
  /** Set in a run that goes on after a pause. */
  resumed?: { firstSeq: number; turn: ModelMessage[]; rounds: number }
}

/** `answer` is the last one. */
export type FinishedRun = { run: Run; answer: CompletedMessage | undefined }

/** Carries a run from its first event to its stored end, or to a pause, whatever happens on the way. */
export async function executeRun(deps: ExecuteRunDeps, plan: RunPlan, signal: AbortSignal): Promise<FinishedRun> {
  const { run, resumed } = plan
  const log = deps.journal.open(run.id, resumed?.firstSeq)
  const answer = createAnswerWriter({ log, nextId: deps.nextId, clock: deps.clock }, resumed ? undefined : run.answerId)
  if (!resumed) log.append({ type: 'run_created' })

  const outcome = await work(deps, plan, { log, answer, signal }).catch((cause: unknown) => toOutcome(deps, cause, signal))
  const finished = await finish(deps, { run, log, outcome, answer })
    .catch((cause: unknown) => {
      log.abandon()
      throw cause
    })
    .finally(() => deps.admission.leave(run.id))
  const { status, usage, createdAt, finishedAt } = finished.run
  if (status !== 'requires_action') deps.onEnded({ status, ...usage, seconds: (finishedAt - createdAt) / 1000 })
  return finished
}

type Working = { log: RunLog<ChatEvent>; answer: AnswerWriter; signal: AbortSignal }

async function work(deps: ExecuteRunDeps, plan: RunPlan, { log, answer, signal }: Working): Promise<Outcome> {
  await plan.untilTurn?.(signal)
  log.append({ type: 'run_started' })

  const { question, bot } = plan
  if (question) return runChatflow(deps.workflows, { ...plan, question, chatflowId: bot.config.chatflowId }, { answer, signal })

  const job = await prepare(deps, plan, signal)
  const outcome = await runAgent(job, answer, signal)
  if (outcome.status === 'requires_action')
    return plan.isStateless ? { status: 'completed', calls: outcome.calls } : { ...outcome, waiting: toWaiting(plan, outcome) }

  if (bot.config.suggestReplies && !plan.isStateless) await suggestReplies(deps, job, { answer, signal })
  return outcome
}

async function prepare(deps: ExecuteRunDeps, plan: RunPlan, signal: AbortSignal): Promise<AgentJob> {
  const { bot, run, firstMessageId, functions, stream, resumed } = plan
  const { historyRounds, ...parameters } = bot.config.parameters
  const [model, serverTools, history] = await Promise.all([
    deps.getModel(bot.config.model),
    deps.getTools(bot, { run, firstMessageId, signal, reservedNames: functions.map((each) => each.name) }),
    readHistory(deps.db, plan, historyRounds),
  ])
  return {
    model,
    parameters: { ...parameters, ...plan.parameters },
    serverTools,
    clientTools: functions,
    stream,
    endUser: run.endUser || undefined,
    opening: [...systemMessage(plan), ...history, ...plan.input],
    turn: resumed?.turn ?? [],
    rounds: resumed?.rounds ?? 0,
  }
}

function systemMessage({ bot, variables }: RunPlan): ModelMessage[] {
  const content = renderPrompt(bot.config, variables)
  return content === '' ? [] : [{ role: 'system', content }]
}

async function readHistory(db: Db, { run, hasHistory, readFile, firstMessageId }: RunPlan, rounds: number): Promise<ModelMessage[]> {
  if (!hasHistory) return []
  const messages = await listHistory(db, {
    conversationId: run.conversationId,
    sectionId: run.sectionId,
    beforeId: firstMessageId,
    beforeRunId: run.id,
    rounds,
  })
  return toModelMessages(messages, readFile, { lenient: true })
}

function toOutcome({ onError }: ExecuteRunDeps, cause: unknown, signal: AbortSignal): Outcome {
  const reason: unknown = signal.aborted ? signal.reason : cause
  if (reason instanceof RunStopped) {
    if (reason.reason === 'canceled') return { status: 'canceled' }
    if (reason.reason === 'timeout') return failed('timeout', 'the chat took longer than this server allows and was stopped')
    return failed('interrupted', 'the server was stopped while the chat was running: send the message again')
  }
  if (reason instanceof ModelError) return failed(reason.kind, reason.message)
  if (reason instanceof AppError) return failed(reason.code, reason.message)

  onError(reason)
  return failed('internal', 'internal server error')
}

const failed = (code: string, message: string): Outcome => ({ status: 'failed', error: { code, message } })

type Finishing = { run: Run; log: RunLog<ChatEvent>; outcome: Outcome; answer: AnswerWriter }

async function finish(deps: ExecuteRunDeps, { run, log, outcome, answer }: Finishing): Promise<FinishedRun> {
  const ended = endRun(run, outcome, { now: deps.clock(), usage: answer.usage, firstTokenAt: answer.firstTokenAt })
  const ending = { run: ended, outcome, completed: answer.completed, answer: answer.takeAnswer() }
  try {
    await close(deps, log, { ...ending, used: answer.usage })
    return { run: ended, answer: ending.answer ?? lastAnswer(answer.completed) }
  } catch (cause) {
    if (deps.giveUp.aborted || cause instanceof AppError) throw cause
    deps.onError(cause)
    return closeWithout(deps, run, log)
  }
}

/** The answer cannot be stored: the run still gets its end, and says so. */
async function closeWithout(deps: ExecuteRunDeps, run: Run, log: RunLog<ChatEvent>): Promise<FinishedRun> {
  const outcome = failed('internal', 'the answer could not be stored')
  const ended = endRun(run, outcome, { now: deps.clock(), usage: { inputTokens: 0, outputTokens: 0 } })
  await close(deps, log, { run: ended, outcome, completed: [], answer: undefined, used: { inputTokens: 0, outputTokens: 0 } })
  return { run: ended, answer: undefined }
}

/** `used`: in this life of the run. */
async function close(deps: ExecuteRunDeps, log: RunLog<ChatEvent>, { used, ...ending }: Ending & { used: Usage }): Promise<void> {
  const { nextId, giveUp, listeners, admission } = deps
  const { id, keyId } = ending.run
  const unit = alsoUpdating(endUnit(ending, listeners), admission.tokenWrite(keyId, used))
  // whoever reads the end may start the next run at once
  await log.close(closingEvents(ending, nextId), { ...unit, stored: () => admission.leave(id) }, giveUp)
  if (ending.run.callbackUrl !== undefined) listeners.wakeWebhooks()
}

const lastAnswer = (messages: CompletedMessage[]) => messages.findLast((message) => message.type === 'answer')
