import type { Principal } from '../../accounts/principal.ts'
import type { MessageRole } from '../../conversations/message-store.ts'

/** Conversations of the run's app by their names, or the one default conversation of a bot. Methods reject with a NodeError. */
export type WorkflowConversations = NamedConversations & ConversationMessages

/** Only with an app and without a bot. */
export interface NamedConversations {
  create(name: string): Promise<{ conversationId: string; isExisted: boolean }>
  /** `isTaken`: nothing was changed, the id is that of the conversation which has the new name, `0` for one that nobody has used yet. */
  rename(name: string, newName: string): Promise<{ conversationId: string; isTaken: boolean }>
  delete(name: string): Promise<void>
  /** Those that have been used. */
  list(): Promise<{ name: string; conversationId: string }[]>
  /** The newest rounds, oldest message first; a round begins with what a user says. Without a number: all that are kept as context. */
  history(name: string, rounds: number | undefined): Promise<{ role: MessageRole; content: string }[]>
  /** What was said so far is no context any more. False where there is no such conversation. */
  clear(name: string): Promise<boolean>
}

/** With an app by name, else only in the chat's own conversation, which is called `Default`. */
export interface ConversationMessages {
  /** The message's id; undefined where there is no such conversation. */
  createMessage(name: string, message: { role: MessageRole; content: string }): Promise<string | undefined>
  /** False where there is no such conversation. */
  editMessage(name: string, change: { messageId: string; content: string }): Promise<boolean>
  /** False where there is no such conversation. */
  deleteMessage(name: string, messageId: string): Promise<boolean>
  /** Newest first; `afterId` and `beforeId` are positions in that order. Empty where there is no such conversation. */
  listMessages(name: string, page: MessagePageRequest): Promise<{ messages: ListedMessage[]; hasMore: boolean }>
}

export type MessagePageRequest = { limit: number; afterId?: string; beforeId?: string }
export type ListedMessage = { messageId: string; role: MessageRole; contentType: string; content: string }

/** Whose conversations a run reaches. */
export type ConversationContext = {
  who: Principal
  appId?: string
  botId?: string
  /** The caller's own user id; empty when none was given. */
  endUser: string
  /** The conversation of the chat that this run is, or is a part of. */
  conversationId?: string
  /** The id of that chat: its own messages are no history. */
  chatId?: string
}
