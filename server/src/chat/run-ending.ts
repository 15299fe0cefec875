import { releaseConversation } from '../conversations/conversation-store.ts'
import { messageInsert } from '../conversations/message-store.ts'
import type { Message } from '../conversations/message-store.ts'
import type { WriteUnit } from '../db/group-commit.ts'
import type { NextId } from '../lib/snowflake.ts'
import type { ChatEvent, CompletedMessage, RunError, Usage } from './chat-event.ts'
import { updateRunEnd } from './run-store.ts'
import type { Run } from './run-store.ts'

/** How a run ends: what is told to its readers and what is stored, the same for a run that ends by itself and for one found dead. */
export type Outcome = { status: 'completed'; usage: Usage } | { status: 'canceled' } | { status: 'failed'; error: RunError }

/** The run with its end recorded; what was used is what the model said, also when the end came early. */
export function endRun(run: Run, outcome: Outcome, now: number): Run {
  return {
    ...run,
    status: outcome.status,
    usage: outcome.status === 'completed' ? outcome.usage : run.usage,
    error: outcome.status === 'failed' ? outcome.error : undefined,
    finishedAt: now,
  }
}

/** The answer, whole or as far as it came; undefined when there is nothing of it. */
export function answerOf(run: Run, { text, reasoning }: { text: string; reasoning: string }): CompletedMessage | undefined {
  if (text === '' && reasoning === '') return undefined
  return { id: run.answerId, type: 'answer', content: text, contentType: 'text', reasoning, createdAt: run.finishedAt }
}

export function closingEvents(run: Run, { answer, nextId }: { answer: CompletedMessage | undefined; nextId: NextId }): ChatEvent[] {
  const { finishedAt, usage, error } = run
  const events: ChatEvent[] = answer ? [{ type: 'message_completed', message: answer }] : []
  if (error) return [...events, { type: 'run_failed', finishedAt, usage, error }]
  if (run.status === 'canceled') return [...events, { type: 'run_canceled', finishedAt, usage }]
  return [
    ...events,
    { type: 'message_completed', message: finishMarker(nextId(), finishedAt) },
    { type: 'run_completed', finishedAt, usage },
  ]
}

/** What is written beside the closing events: all of it or nothing. */
export function endUnit(run: Run, answer: CompletedMessage | undefined): WriteUnit {
  return {
    insert: { message: answer ? [messageInsert(toMessage(run, answer))] : [] },
    async update(tx) {
      await updateRunEnd(tx, run)
      await releaseConversation(tx, run.conversationId, run.id)
    },
  }
}

function toMessage(run: Run, answer: CompletedMessage): Message {
  return {
    id: answer.id,
    conversationId: run.conversationId,
    sectionId: run.sectionId,
    runId: run.id,
    botId: run.botId,
    role: 'assistant',
    type: 'answer',
    content: answer.content,
    contentType: answer.contentType,
    reasoning: answer.reasoning,
    // an answer that was cut short says so
    metaData: run.status === 'completed' ? {} : { incomplete: run.status },
    createdAt: answer.createdAt,
    updatedAt: answer.createdAt,
  }
}

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
