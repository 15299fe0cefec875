import type { Principal } from '../accounts/principal.ts'
import { inTransaction } from '../db/database.ts'
import type { Db } from '../db/database.ts'
import { insertIdempotency, once } from '../db/idempotency-store.ts'
import type { IdempotencyKey } from '../db/idempotency-store.ts'
import { AppError } from '../lib/app-error.ts'
import { findActiveRun } from './conversation-store.ts'
import { draftMessage, getConversation } from './conversations.ts'
import type { ConversationDeps, InputMessage } from './conversations.ts'
import { deleteFeedback, findFeedback, saveFeedback } from './feedback-store.ts'
import type { Feedback } from './feedback-store.ts'
import { deleteMessageRow, deleteStepsOfRun, findMessage, insertMessage, updateMessage } from './message-store.ts'
import type { Message } from './message-store.ts'

export type MessageAddress = { conversationId: string; messageId: string }
export type MessageChange = MessageAddress & {
  text: Pick<Message, 'content' | 'contentType'> | undefined
  metaData: Record<string, string> | undefined
}
export type FeedbackRequest = MessageAddress & Pick<Feedback, 'type' | 'reasonTypes' | 'comment'>

export type NewMessage = { conversationId: string; input: InputMessage; idempotency?: IdempotencyKey }

/**
 * Puts a message into the conversation's section of now, without a chat: the next chat sees it. A
 * request with the Idempotency-Key of an earlier one gets that one's message, as it is now.
 */
export async function createMessage(deps: ConversationDeps, who: Principal, request: NewMessage): Promise<Message> {
  return once(deps.db, request.idempotency, {
    perform: () => storeMessage(deps, who, request),
    replay: (messageId) => getMessage(deps, who, { conversationId: request.conversationId, messageId }),
  })
}

async function storeMessage(deps: ConversationDeps, who: Principal, { conversationId, input, idempotency }: NewMessage): Promise<Message> {
  const { id, sectionId, botId } = await getConversation(deps, who, conversationId)
  const message = draftMessage(deps, { conversationId: id, sectionId, runId: undefined, botId }, input)
  if (!idempotency) {
    await insertMessage(deps.db, message)
    return message
  }
  await inTransaction(deps.db, async (tx) => {
    await insertIdempotency(tx, idempotency, { id: message.id, now: message.createdAt })
    await insertMessage(tx, message)
  })
  return message
}

/** A message of another conversation does not exist. */
export async function getMessage(deps: { db: Db }, who: Principal, { conversationId, messageId }: MessageAddress): Promise<Message> {
  const conversation = await getConversation(deps, who, conversationId)
  const message = await findMessage(deps.db, messageId)
  if (message?.conversationId !== conversation.id) throw new AppError('not_found', 'message not found')
  return message
}

/** What is not given stays; meta data are replaced as a whole. */
export async function changeMessage(
  deps: ConversationDeps,
  who: Principal,
  { text, metaData, ...address }: MessageChange,
): Promise<Message> {
  const message = await getMessage(deps, who, address)
  await assertChangeable(deps.db, message)

  const changed = { ...message, ...text, metaData: metaData ?? message.metaData, updatedAt: deps.clock() }
  await updateMessage(deps.db, changed)
  return changed
}

/** An answer goes together with what its chat has written on the way to it. */
export async function deleteMessage(deps: { db: Db }, who: Principal, address: MessageAddress): Promise<Message> {
  const message = await getMessage(deps, who, address)
  await assertChangeable(deps.db, message)

  await inTransaction(deps.db, async (tx) => {
    await deleteMessageRow(tx, message.id)
    await deleteFeedback(tx, message.id)
    if (message.type === 'answer' && message.runId !== undefined) await deleteStepsOfRun(tx, message.runId)
  })
  return message
}

/** Replaces what was said of the answer before. */
export async function giveFeedback(deps: ConversationDeps, who: Principal, request: FeedbackRequest): Promise<void> {
  const { type, reasonTypes, comment, ...address } = request
  const message = await getMessage(deps, who, address)
  if (message.type !== 'answer') throw new AppError('invalid_request', `feedback is for answers: this message is a ${message.type}`)

  const now = deps.clock()
  await saveFeedback(deps.db, { messageId: message.id, type, reasonTypes, comment, createdAt: now, updatedAt: now })
}

export async function getFeedback(deps: { db: Db }, who: Principal, address: MessageAddress): Promise<Feedback> {
  const message = await getMessage(deps, who, address)
  const feedback = await findFeedback(deps.db, message.id)
  if (!feedback) throw new AppError('not_found', 'there is no feedback for this message')
  return feedback
}

/** Without feedback there is nothing to do. */
export async function withdrawFeedback(deps: { db: Db }, who: Principal, address: MessageAddress): Promise<void> {
  const message = await getMessage(deps, who, address)
  await deleteFeedback(deps.db, message.id)
}

/** The steps of a chat belong to its answer; a chat that still runs writes its own messages. */
async function assertChangeable(db: Db, { type, runId, conversationId }: Message): Promise<void> {
  if (type !== 'question' && type !== 'answer')
    throw new AppError('invalid_request', `only questions and answers can be changed or deleted: this message is a ${type}`)
  if (runId !== undefined && runId === (await findActiveRun(db, conversationId)))
    throw new AppError('conversation_busy', 'the chat of this message is still running: wait for its end or cancel it')
}
