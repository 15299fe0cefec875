import type { PublishedBot } from '../bots/bot-config.ts'
import { listHistory } from '../conversations/message-store.ts'
import type { Db } from '../db/database.ts'
import type { Journal, RunLog } from '../journal/journal.ts'
import { AppError } from '../lib/app-error.ts'
import type { Clock } from '../lib/clock.ts'
import type { NextId } from '../lib/snowflake.ts'
import { ModelError } from '../models/model-adapter.ts'
import type { ModelAdapter, ModelMessage } from '../models/model-adapter.ts'
import type { ChatEvent, CompletedMessage } from './chat-event.ts'
import { RunStopped } from './live-runs.ts'
import { renderPrompt, toModelMessages } from './prompt.ts'
import type { ReadFile } from './prompt.ts'
import { answerOf, closingEvents, endRun, endUnit } from './run-ending.ts'
import type { Outcome } from './run-ending.ts'
import type { Run } from './run-store.ts'

export type ExecuteRunDeps = {
  db: Db
  clock: Clock
  nextId: NextId
  journal: Journal<ChatEvent>
  getModel: (name: string) => Promise<ModelAdapter>
  onError: (cause: unknown) => void
  /** Told of every run that has ended, for the metrics. */
  onEnded: (run: { status: string; inputTokens: number; outputTokens: number; seconds: number }) => void
  /** Aborts when a stopping server can no longer wait for its database. */
  giveUp: AbortSignal
}

export type RunPlan = {
  run: Run
  bot: PublishedBot
  /** This turn's messages; earlier ones of the section come before them. */
  input: ModelMessage[]
  hasHistory: boolean
  /** Ids of the messages of this turn are not smaller: history ends before it. */
  firstMessageId: string
  variables: Record<string, string>
  stream: boolean
  readFile: ReadFile
}

export type FinishedRun = { run: Run; answer: CompletedMessage | undefined }

/** Carries a run from its first event to its stored end, whatever happens on the way. */
export async function executeRun(deps: ExecuteRunDeps, plan: RunPlan, signal: AbortSignal): Promise<FinishedRun> {
  const log = deps.journal.open(plan.run.id)
  log.append({ type: 'run_created' })
  log.append({ type: 'run_started' })

  const answer = { text: '', reasoning: '' }
  const outcome = await askModel(deps, plan, { log, answer, signal }).catch((cause: unknown) => toOutcome(deps, cause, signal))
  const finished = await finish(deps, { run: plan.run, log, outcome, ...answer }).catch((cause: unknown) => {
    log.abandon()
    throw cause
  })
  const { status, usage, createdAt, finishedAt } = finished.run
  deps.onEnded({ status, ...usage, seconds: (finishedAt - createdAt) / 1000 })
  return finished
}

type Answering = { log: RunLog<ChatEvent>; answer: { text: string; reasoning: string }; signal: AbortSignal }

async function askModel(deps: ExecuteRunDeps, plan: RunPlan, { log, answer, signal }: Answering): Promise<Outcome> {
  const { historyRounds, ...parameters } = plan.bot.config.parameters
  const model = await deps.getModel(plan.bot.config.model)
  const messages = [...systemMessage(plan), ...(await history(deps.db, plan, historyRounds)), ...plan.input]

  const { usage } = await model.answer(
    { messages, parameters, endUser: plan.run.endUser || undefined },
    {
      signal,
      stream: plan.stream,
      onChunk(chunk) {
        if (chunk.type === 'text') {
          answer.text += chunk.text
          log.append({ type: 'answer_delta', text: chunk.text })
        } else if (chunk.type === 'reasoning') {
          answer.reasoning += chunk.text
          log.append({ type: 'reasoning_delta', text: chunk.text })
        }
      },
    },
  )
  return { status: 'completed', usage }
}

function systemMessage({ bot, variables }: RunPlan): ModelMessage[] {
  const content = renderPrompt(bot, variables)
  return content === '' ? [] : [{ role: 'system', content }]
}

async function history(db: Db, { run, hasHistory, readFile, firstMessageId }: RunPlan, rounds: number): Promise<ModelMessage[]> {
  if (!hasHistory) return []
  const messages = await listHistory(db, { conversationId: run.conversationId, sectionId: run.sectionId, beforeId: firstMessageId, rounds })
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

type Ending = { run: Run; log: RunLog<ChatEvent>; outcome: Outcome; text: string; reasoning: string }

async function finish(deps: ExecuteRunDeps, { run, log, outcome, text, reasoning }: Ending): Promise<FinishedRun> {
  const ended = endRun(run, outcome, deps.clock())
  const answer = answerOf(ended, { text, reasoning })
  try {
    await log.close(closingEvents(ended, { answer, nextId: deps.nextId }), endUnit(ended, answer), deps.giveUp)
    return { run: ended, answer }
  } catch (cause) {
    if (deps.giveUp.aborted) throw cause
    deps.onError(cause)
    return closeWithout(deps, run, log)
  }
}

/** The answer cannot be stored: the run still gets its end, and says so. */
async function closeWithout(deps: ExecuteRunDeps, run: Run, log: RunLog<ChatEvent>): Promise<FinishedRun> {
  const ended = endRun(run, { status: 'failed', error: { code: 'internal', message: 'the answer could not be stored' } }, deps.clock())
  await log.close(closingEvents(ended, { answer: undefined, nextId: deps.nextId }), endUnit(ended, undefined), deps.giveUp)
  return { run: ended, answer: undefined }
}
