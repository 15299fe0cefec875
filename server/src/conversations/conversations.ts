import { endUserFor, mayUseBot } from '../accounts/principal.ts'
import type { Principal } from '../accounts/principal.ts'
import type { Db } from '../db/database.ts'
import { insertIdempotency, once } from '../db/idempotency-store.ts'
import type { IdempotencyKey } from '../db/idempotency-store.ts'
import { AppError } from '../lib/app-error.ts'
import type { Clock } from '../lib/clock.ts'
import type { NextId } from '../lib/snowflake.ts'
import {
  conversationInsert,
  deleteConversationRow,
  findConversation,
  findConversationByExternalId,
  listConversations,
  updateConversation,
} from './conversation-store.ts'
import type { Conversation } from './conversation-store.ts'
import { isInReach } from './conversation-reach.ts'
import { listMessages, messageInsert } from './message-store.ts'
import type { ContentType, Message, MessagePage, MessageRole } from './message-store.ts'

export type ConversationDeps = { db: Db; nextId: NextId; clock: Clock }

/** The API's own connector, as Coze numbers it. */
export const API_CONNECTOR_ID = '1024'

export type NewConversation = {
  botId?: string
  externalId?: string
  endUser?: string
  connectorId?: string
  name?: string
  metaData?: Record<string, string>
}

export type InputMessage = {
  role: MessageRole
  type?: 'question' | 'answer'
  content: string
  contentType: ContentType
  metaData?: Record<string, string>
}

/** A conversation that is not stored yet. */
export function draftConversation({ nextId, clock }: ConversationDeps, who: Principal, request: NewConversation): Conversation {
  const now = clock()
  return {
    id: nextId(),
    ownerId: who.userId,
    botId: request.botId,
    externalId: request.externalId,
    endUser: request.endUser ?? '',
    connectorId: request.connectorId ?? API_CONNECTOR_ID,
    name: request.name ?? '',
    metaData: request.metaData ?? {},
    sectionId: nextId(),
    createdAt: now,
    updatedAt: now,
  }
}

export type MessageOrigin = Pick<Conversation, 'sectionId'> & {
  conversationId: string
  runId: string | undefined
  botId: string | undefined
}

export function draftMessage(
  { nextId, clock }: Pick<ConversationDeps, 'nextId' | 'clock'>,
  origin: MessageOrigin,
  input: InputMessage,
): Message {
  const now = clock()
  return {
    id: nextId(),
    ...origin,
    role: input.role,
    type: input.type ?? (input.role === 'user' ? 'question' : 'answer'),
    content: input.content,
    contentType: input.contentType,
    reasoning: '',
    metaData: input.metaData ?? {},
    createdAt: now,
    updatedAt: now,
  }
}

export type ConversationRequest = NewConversation & { messages: InputMessage[]; idempotency?: IdempotencyKey }

/** A request with the Idempotency-Key of an earlier one gets that one's conversation, as it is now. */
export async function createConversation(deps: ConversationDeps, who: Principal, request: ConversationRequest): Promise<Conversation> {
  return once(deps.db, request.idempotency, {
    perform: () => storeConversation(deps, who, request),
    replay: (conversationId) => getConversation(deps, who, conversationId),
  })
}

async function storeConversation(deps: ConversationDeps, who: Principal, request: ConversationRequest): Promise<Conversation> {
  const conversation = draftConversation(deps, who, request)
  const origin = { conversationId: conversation.id, sectionId: conversation.sectionId, runId: undefined, botId: conversation.botId }
  const messages = request.messages.map((input) => draftMessage(deps, origin, input))

  await deps.db.transaction().execute(async (tx) => {
    // first: of two requests with one key the second one waits here and does no work
    await insertIdempotency(tx, request.idempotency, { id: conversation.id, now: conversation.createdAt })
    await tx.insertInto('conversation').values(conversationInsert(conversation)).execute()
    if (messages.length > 0) await tx.insertInto('message').values(messages.map(messageInsert)).execute()
  })
  return conversation
}

/** The caller's own conversation, by our id or by the one the caller chose. */
export async function findOwnConversation(
  { db }: Pick<ConversationDeps, 'db'>,
  who: Principal,
  conversationId: string,
): Promise<Conversation | undefined> {
  const conversation = isOwnChoice(conversationId)
    ? await findConversationByExternalId(db, who.userId, conversationId)
    : await findConversation(db, conversationId)
  if (conversation?.ownerId !== who.userId) return undefined
  return !who.access || (await isInReach(db, who, conversation)) ? conversation : undefined
}

/** Throws `not_found` unless a new conversation may have this id of the caller's choice: one that the key does not reach has it. */
export async function assertFreeChoice({ db }: Pick<ConversationDeps, 'db'>, who: Principal, externalId: string): Promise<void> {
  if (who.access && (await findConversationByExternalId(db, who.userId, externalId))) throw conversationNotFound()
}

const conversationNotFound = () => new AppError('not_found', 'conversation not found')

/** Anything that is not the caller's does not exist for it. */
export async function getConversation(deps: Pick<ConversationDeps, 'db'>, who: Principal, conversationId: string): Promise<Conversation> {
  const conversation = await findOwnConversation(deps, who, conversationId)
  if (!conversation) throw conversationNotFound()
  return conversation
}

/** Our ids are digits; whatever else a caller names a conversation is its own choice. */
export const isOwnChoice = (conversationId: string): boolean => !/^\d+$/.test(conversationId)

export type ConversationListRequest = {
  botId: string
  endUser?: string
  connectorId?: string
  page: number
  size: number
  order: 'asc' | 'desc'
}

export async function listOwnConversations(
  { db }: ConversationDeps,
  who: Principal,
  request: ConversationListRequest,
): Promise<{ conversations: Conversation[]; hasMore: boolean }> {
  const { botId, connectorId, page, size, order } = request
  if (!mayUseBot(who, botId)) return { conversations: [], hasMore: false }

  const endUser = endUserFor(who, request.endUser)
  const filter = { ownerId: who.userId, botId, endUser, connectorId }
  const found = await listConversations(db, filter, { offset: (page - 1) * size, limit: size + 1, order })
  return { conversations: found.slice(0, size), hasMore: found.length > size }
}

/** An empty name changes nothing. */
export async function renameConversation(
  deps: ConversationDeps,
  who: Principal,
  request: { conversationId: string; name: string },
): Promise<Conversation> {
  const { name } = request
  const conversation = await getConversation(deps, who, request.conversationId)
  if (name === '') return conversation

  const updatedAt = deps.clock()
  await updateConversation(deps.db, conversation.id, { name, updatedAt })
  return { ...conversation, name, updatedAt }
}

/** Starts a new section: the messages stay readable and are no context any more. */
export async function clearConversation(deps: ConversationDeps, who: Principal, conversationId: string): Promise<Conversation> {
  const conversation = await getConversation(deps, who, conversationId)
  const changes = { sectionId: deps.nextId(), updatedAt: deps.clock() }
  await updateConversation(deps.db, conversation.id, changes)
  return { ...conversation, ...changes }
}

export async function deleteConversation(deps: ConversationDeps, who: Principal, conversationId: string): Promise<void> {
  const conversation = await getConversation(deps, who, conversationId)
  await deleteConversationRow(deps.db, conversation.id, deps.clock())
}

export async function listOwnMessages(
  deps: ConversationDeps,
  who: Principal,
  { conversationId, ...page }: { conversationId: string } & MessagePage,
): Promise<{ messages: Message[]; hasMore: boolean }> {
  const conversation = await getConversation(deps, who, conversationId)
  return listMessages(deps.db, conversation.id, page)
}
