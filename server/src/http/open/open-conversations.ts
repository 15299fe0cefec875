import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Principal } from '../../accounts/principal.ts'
import type { Conversation } from '../../conversations/conversation-store.ts'
import type { ConversationListRequest, ConversationRequest } from '../../conversations/conversations.ts'
import { toIdempotencyKey } from '../idempotency-key.ts'
import { success, successSchema } from '../success-reply.ts'
import { enterMessageSchema, toInputMessage } from './chat-body.ts'
import {
  conversationIdField,
  idField,
  metaDataField,
  optionalIdField,
  pageNumberField,
  pageSizeField,
  toSeconds,
  userIdField,
} from './open-fields.ts'

export type ConversationServices = {
  createConversation(who: Principal, request: ConversationRequest): Promise<Conversation>
  getConversation(who: Principal, conversationId: string): Promise<Conversation>
  listConversations(who: Principal, request: ConversationListRequest): Promise<{ conversations: Conversation[]; hasMore: boolean }>
  renameConversation(who: Principal, request: { conversationId: string; name: string }): Promise<Conversation>
  clearConversation(who: Principal, conversationId: string): Promise<Conversation>
  deleteConversation(who: Principal, conversationId: string): Promise<void>
}

const tags = ['Conversations']
const MAX_PAGE = 50

export const conversationSchema = z.object({
  id: z.string(),
  name: z.string(),
  bot_id: z.string(),
  user_id: z.string(),
  creator_id: z.string(),
  connector_id: z.string(),
  last_section_id: z.string(),
  meta_data: z.record(z.string(), z.string()),
  created_at: z.number(),
  updated_at: z.number(),
})

const nameField = z.string('must be a string').max(100, 'must have at most 100 characters')
const paramsSchema = z.object({ conversation_id: conversationIdField })
const conversationReply = successSchema(conversationSchema)

const createBodySchema = z
  .object({
    bot_id: optionalIdField,
    user_id: userIdField,
    connector_id: optionalIdField,
    name: nameField.nullish(),
    meta_data: metaDataField,
    messages: z.array(enterMessageSchema).max(100, 'must have at most 100 messages').nullish(),
  })
  .meta({ examples: [{ bot_id: 123456, user_id: 'user_001' }] })

const listQuerySchema = z.object({
  bot_id: idField,
  user_id: userIdField,
  connector_id: optionalIdField,
  page_num: pageNumberField,
  page_size: pageSizeField(MAX_PAGE),
  sort_order: z
    .string()
    .toLowerCase()
    .pipe(z.enum(['asc', 'desc'], 'must be ASC or DESC'))
    .default('desc'),
})

export const conversationRoutes =
  (services: ConversationServices): FastifyPluginAsyncZod =>
  async (http) => {
    await http.register(readingRoutes(services))
    await http.register(creatingRoute(services))
    await http.register(changingRoutes(services))
    await http.register(emptyingRoutes(services))
  }

const readingRoutes =
  (services: ConversationServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.get(
      '/v1/conversations',
      {
        config: { auth: 'key', action: 'read' },
        schema: {
          tags,
          summary: "List a bot's conversations, newest first",
          querystring: listQuerySchema,
          response: { 200: successSchema(z.object({ conversations: z.array(conversationSchema), has_more: z.boolean() })) },
        },
      },
      async (request) => {
        const {
          bot_id: botId,
          user_id: endUser,
          connector_id: connectorId,
          page_num: page,
          page_size: size,
          sort_order: order,
        } = request.query
        const { conversations, hasMore } = await services.listConversations(request.principal, {
          botId,
          endUser,
          connectorId,
          page,
          size,
          order,
        })
        const list = { conversations: conversations.map(toConversation), has_more: hasMore }
        return success(request, list, list)
      },
    )

    http.get(
      '/v1/conversation/retrieve',
      {
        config: { auth: 'key', action: 'read' },
        schema: { tags, summary: 'Read a conversation', querystring: paramsSchema, response: { 200: conversationReply } },
      },
      async (request) => conversationSuccess(request, await services.getConversation(request.principal, request.query.conversation_id)),
    )

    http.get(
      '/v1/conversations/:conversation_id',
      {
        config: { auth: 'key', action: 'read' },
        schema: { tags, summary: 'Read a conversation', params: paramsSchema, response: { 200: conversationReply } },
      },
      async (request) => conversationSuccess(request, await services.getConversation(request.principal, request.params.conversation_id)),
    )
  }

const creatingRoute =
  (services: ConversationServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.post(
      '/v1/conversation/create',
      {
        config: { auth: 'key', action: 'chat' },
        schema: {
          tags,
          summary: 'Create a conversation',
          description: '`Idempotency-Key` makes a retry safe: the same request with the same key answers the conversation that is there.',
          body: createBodySchema,
          response: { 200: conversationReply },
        },
      },
      async (request) => {
        const { bot_id: botId, user_id: endUser, connector_id: connectorId, name, meta_data: metaData, messages } = request.body
        const wanted = {
          ...{ botId, endUser, connectorId, name: name ?? '', metaData },
          messages: (messages ?? []).flatMap(toInputMessage),
          idempotency: toIdempotencyKey(request, request.body),
        }
        return conversationSuccess(request, await services.createConversation(request.principal, wanted))
      },
    )
  }

const changingRoutes =
  (services: ConversationServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.put(
      '/v1/conversations/:conversation_id',
      {
        config: { auth: 'key', action: 'chat' },
        schema: {
          tags,
          summary: 'Rename a conversation',
          params: paramsSchema,
          body: z.object({ name: nameField.nullish() }),
          response: { 200: conversationReply },
        },
      },
      async (request) => {
        const wanted = { conversationId: request.params.conversation_id, name: request.body.name ?? '' }
        return conversationSuccess(request, await services.renameConversation(request.principal, wanted))
      },
    )
  }

const emptyingRoutes =
  (services: ConversationServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.post(
      '/v1/conversations/:conversation_id/clear',
      {
        config: { auth: 'key', action: 'chat' },
        schema: {
          tags,
          summary: 'Start a new section',
          description: 'Messages so far stay readable; the bot no longer sees them.',
          params: paramsSchema,
          response: { 200: successSchema(z.object({ id: z.string(), conversation_id: z.string() })) },
        },
      },
      async (request) => {
        const cleared = await services.clearConversation(request.principal, request.params.conversation_id)
        return success(request, { id: cleared.sectionId, conversation_id: cleared.id })
      },
    )

    http.delete(
      '/v1/conversations/:conversation_id',
      {
        config: { auth: 'key', action: 'chat' },
        schema: { tags, summary: 'Delete a conversation', params: paramsSchema, response: { 200: successSchema(z.object({})) } },
      },
      async (request) => {
        await services.deleteConversation(request.principal, request.params.conversation_id)
        return success(request, {})
      },
    )
  }

function conversationSuccess(request: Parameters<typeof success>[0], conversation: Conversation) {
  const wire = toConversation(conversation)
  return success(request, wire, { id: wire.id, conversation_id: wire.id })
}

export function toConversation(conversation: Conversation): z.infer<typeof conversationSchema> {
  return {
    id: conversation.id,
    name: conversation.name,
    bot_id: conversation.botId ?? '0',
    user_id: conversation.endUser,
    creator_id: conversation.ownerId,
    connector_id: conversation.connectorId,
    last_section_id: conversation.sectionId,
    meta_data: conversation.metaData,
    created_at: toSeconds(conversation.createdAt),
    updated_at: toSeconds(conversation.updatedAt),
  }
}
