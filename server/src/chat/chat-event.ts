import type { ContentType, MessageType } from '../conversations/message-store.ts'
import type { ModelToolCall } from '../models/model-adapter.ts'

/** What happens in a chat run, as the journal keeps it. Ids and times that the run itself has are not repeated. */
export type ChatEvent =
  | { type: 'run_created' }
  | { type: 'run_started' }
  /** A piece of an answer, or of the reasoning before it. Without an id it is of the run's first answer. */
  | { type: 'answer_delta'; text: string; messageId?: string }
  | { type: 'reasoning_delta'; text: string; messageId?: string }
  | { type: 'message_completed'; message: CompletedMessage }
  /** The run waits for the caller to execute these; it goes on with their outputs. */
  | { type: 'run_requires_action'; usage: Usage; calls: ModelToolCall[] }
  /** `calls` is what a caller who keeps the conversation itself is to execute: it comes back with the outputs in a chat of its own. */
  | { type: 'run_completed'; finishedAt: number; usage: Usage; cut?: CutReason; calls?: ModelToolCall[] }
  | { type: 'run_failed'; finishedAt: number; usage: Usage; error: RunError }
  | { type: 'run_canceled'; finishedAt: number; usage: Usage }

export type CompletedMessage = {
  id: string
  type: MessageType
  content: string
  contentType: ContentType
  reasoning: string
  createdAt: number
}

/** Why the model stopped before its answer was whole. */
export type CutReason = 'length' | 'content_filter'

export type Usage = { inputTokens: number; outputTokens: number }

/** `message` is for the caller; `code` is a ModelFailure or one of ours. */
export type RunError = { code: string; message: string }
