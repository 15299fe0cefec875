import type { CompletedMessage } from '../../chat/chat-event.ts'
import type { Run } from '../../chat/run-store.ts'
import { completedMessage, toChat } from './chat-wire.ts'

/** What a webhook says of a run's end: the chat and what it has produced, as the API shows them. */
export function toWebhookData(run: Run, messages: CompletedMessage[]) {
  return { ...toChat(run), messages: messages.map((message) => completedMessage(run, message)) }
}
