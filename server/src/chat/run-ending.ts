import { releaseConversation } from '../conversations/conversation-store.ts'
import { messageInsert } from '../conversations/message-store.ts'
import type { Message } from '../conversations/message-store.ts'
import type { WriteUnit } from '../db/group-commit.ts'
import { AppError } from '../lib/app-error.ts'
import type { NextId } from '../lib/snowflake.ts'
import type { ModelToolCall } from '../models/model-adapter.ts'
import type { ChatEvent, CompletedMessage, CutReason, RunError, Usage } from './chat-event.ts'
import { updateRunEnd } from './run-store.ts'
import type { Run } from './run-store.ts'

/**
 * How a run ends or pauses: what is told to its readers and what is stored, the same for a run that
 * ends by itself and for one found dead.
 */
export type Outcome =
  | { status: 'completed'; cut?: CutReason; calls?: ModelToolCall[] }
  | { status: 'canceled' }
  | { status: 'failed'; error: RunError }
  /** `waiting` is what it needs to go on. */
  | { status: 'requires_action'; calls: ModelToolCall[]; waiting: string }

export type Ending = {
  run: Run
  outcome: Outcome
  /** Completed messages that are not stored yet. */
  completed: CompletedMessage[]
  /** The last answer, whole or as far as it came. */
  answer: CompletedMessage | undefined
}

/** Of this life of the run. */
export type RunTotals = { now: number; usage: Usage; firstTokenAt?: number }

/** The run with its end recorded. */
export function endRun(run: Run, outcome: Outcome, { now, usage, firstTokenAt }: RunTotals): Run {
  return {
    ...run,
    status: outcome.status,
    // a run that went on after a pause has used tokens before it
    usage: { inputTokens: run.usage.inputTokens + usage.inputTokens, outputTokens: run.usage.outputTokens + usage.outputTokens },
    error: outcome.status === 'failed' ? outcome.error : undefined,
    requiredCalls: outcome.status === 'requires_action' ? outcome.calls : [],
    finishedAt: outcome.status === 'requires_action' ? 0 : now,
    firstTokenMs: run.firstTokenMs ?? (firstTokenAt === undefined ? undefined : Math.max(0, firstTokenAt - run.createdAt)),
  }
}

export function closingEvents({ run, outcome, answer }: Ending, nextId: NextId): ChatEvent[] {
  const { finishedAt, usage } = run
  const events: ChatEvent[] = answer ? [{ type: 'message_completed', message: answer }] : []
  switch (outcome.status) {
    case 'failed':
      return [...events, { type: 'run_failed', finishedAt, usage, error: outcome.error }]
    case 'canceled':
      return [...events, { type: 'run_canceled', finishedAt, usage }]
    case 'requires_action':
      return [...events, { type: 'run_requires_action', usage, calls: outcome.calls }]
    case 'completed':
      return [
        ...events,
        { type: 'message_completed', message: finishMarker(nextId(), finishedAt) },
        { type: 'run_completed', finishedAt, usage, cut: outcome.cut, calls: outcome.calls },
      ]
  }
}

/** Who else is to know of a run's end. */
export type EndListeners = {
  /** What is to be sent to whoever asked to be told; stored with the end itself, so that it goes out at least once. */
  webhooksOf: (run: Run, messages: CompletedMessage[]) => NonNullable<NonNullable<WriteUnit['insert']>['webhook_delivery']>
  /** There is something to send. */
  wakeWebhooks: () => void
}

/** What is written beside the closing events: all of it or nothing. */
export function endUnit({ run, outcome, completed, answer }: Ending, { webhooksOf }: EndListeners): WriteUnit {
  const messages = [...completed, ...(answer ? [answer] : [])]
  const kept = run.savesHistory ? messages : []
  return {
    insert: {
      message: kept.map((message) => messageInsert(toMessage(run, message, message === answer))),
      webhook_delivery: webhooksOf(run, messages),
    },
    async update(tx) {
      // another server took this process for dead and ended the run: that end counts, all of this one is undone
      if (!(await updateRunEnd(tx, run, outcome.status === 'requires_action' ? outcome.waiting : ''))) throw runEnded()
      await releaseConversation(tx, run.conversationId, run.id)
    },
  }
}

function toMessage(run: Run, message: CompletedMessage, isLast: boolean): Message {
  const wasCutShort = isLast && (run.status === 'failed' || run.status === 'canceled')
  return {
    id: message.id,
    conversationId: run.conversationId,
    sectionId: run.sectionId,
    runId: run.id,
    botId: run.botId,
    role: 'assistant',
    type: message.type,
    content: message.content,
    contentType: message.contentType,
    reasoning: message.reasoning,
    metaData: wasCutShort ? { ...run.messageMeta, incomplete: run.status } : run.messageMeta,
    createdAt: message.createdAt,
    updatedAt: message.createdAt,
  }
}

const runEnded = () => new AppError('conflict', 'the run has ended already')

/** The message by which Coze's clients learn that no more answers follow. */
function finishMarker(id: string, createdAt: number): CompletedMessage {
  const content = JSON.stringify({
    msg_type: 'generate_answer_finish',
    data: JSON.stringify({ finish_reason: 0, FinData: '' }),
    from_module: null,
    from_unit: null,
  })
  return { id, type: 'verbose', content, contentType: 'text', reasoning: '', createdAt }
}
