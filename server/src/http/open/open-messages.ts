import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Principal } from '../../accounts/principal.ts'
import type { InputMessage } from '../../conversations/conversations.ts'
import type { Message, MessagePage } from '../../conversations/message-store.ts'
import type { MessageAddress, MessageChange, NewMessage } from '../../conversations/messages.ts'
import { AppError } from '../../lib/app-error.ts'
import { toIdempotencyKey } from '../idempotency-key.ts'
import { success, successSchema } from '../success-reply.ts'
import { enterMessageSchema, toInputMessage } from './chat-body.ts'
import { messageSchema, toMessage } from './chat-wire.ts'
import { feedbackRoutes } from './open-feedback.ts'
import type { FeedbackServices } from './open-feedback.ts'
import { conversationIdField, idField, optionalIdField } from './open-fields.ts'

export type MessageServices = FeedbackServices & {
  listMessages(who: Principal, request: { conversationId: string } & MessagePage): Promise<{ messages: Message[]; hasMore: boolean }>
  createMessage(who: Principal, request: NewMessage): Promise<Message>
  getMessage(who: Principal, address: MessageAddress): Promise<Message>
  changeMessage(who: Principal, change: MessageChange): Promise<Message>
  deleteMessage(who: Principal, address: MessageAddress): Promise<Message>
}

const tags = ['Messages']
const MAX_PAGE = 50
const paramsSchema = z.object({ conversation_id: conversationIdField })

const messageListBodySchema = z.object({
  order: z
    .string()
    .toLowerCase()
    .pipe(z.enum(['asc', 'desc'], 'must be asc or desc'))
    .nullish(),
  chat_id: optionalIdField,
  before_id: optionalIdField,
  after_id: optionalIdField,
  limit: z
    .number('must be a number from 1 to 50')
    .int()
    .min(1, 'must be a number from 1 to 50')
    .max(MAX_PAGE, 'must be a number from 1 to 50')
    .nullish(),
})

const addressSchema = paramsSchema.extend({ message_id: idField })
const toAddress = ({ conversation_id: conversationId, message_id: messageId }: z.infer<typeof addressSchema>): MessageAddress => ({
  conversationId,
  messageId,
})

const ROLE_RULE = 'must be user or assistant'
const createBodySchema = enterMessageSchema
  .omit({ type: true })
  .extend({ role: z.enum(['user', 'assistant'], ROLE_RULE) })
  .meta({ examples: [{ role: 'user', content: 'Hello', content_type: 'text' }] })

const changeBodySchema = enterMessageSchema
  .omit({ type: true, role: true })
  .meta({ examples: [{ content: 'Hello again', content_type: 'text' }, { meta_data: { mood: 'good' } }] })

const messageReply = { 200: successSchema(messageSchema) }

export const messageRoutes =
  (services: MessageServices): FastifyPluginAsyncZod =>
  async (http) => {
    await http.register(listingRoute(services))
    await http.register(makingRoute(services))
    await http.register(singleMessageRoutes(services))
    await http.register(feedbackRoutes(services))
  }

const makingRoute =
  (services: MessageServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.post(
      '/v1/conversation/message/create',
      {
        config: { auth: 'key', action: 'chat' },
        schema: {
          tags,
          summary: 'Put a message into a conversation without asking the bot',
          description: '`Idempotency-Key` makes a retry safe: the same request with the same key answers the message that is there.',
          querystring: paramsSchema,
          body: createBodySchema,
          response: messageReply,
        },
      },
      async (request) => {
        const input = toOnlyMessage(request.body)
        const { conversation_id: conversationId } = request.query
        const idempotency = toIdempotencyKey(request, { ...request.body, conversation_id: conversationId })
        const message = await services.createMessage(request.principal, { conversationId, input, idempotency })
        return success(request, toMessage(message))
      },
    )
  }

const singleMessageRoutes =
  (services: MessageServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.get(
      '/v1/conversation/message/retrieve',
      {
        config: { auth: 'key', action: 'read' },
        schema: { tags, summary: 'Read a message', querystring: addressSchema, response: messageReply },
      },
      async (request) => success(request, toMessage(await services.getMessage(request.principal, toAddress(request.query)))),
    )

    http.post(
      '/v1/conversation/message/modify',
      {
        config: { auth: 'key', action: 'chat' },
        schema: {
          tags,
          summary: 'Change a question or an answer',
          description: 'What is not given stays. Content without `content_type` is text; meta data are replaced as a whole.',
          querystring: addressSchema,
          body: changeBodySchema,
          response: { 200: successSchema(messageSchema, { message: messageSchema.describe('The same as `data`.') }) },
        },
      },
      async (request) => {
        const change = { ...toAddress(request.query), ...toChange(request.body) }
        const message = toMessage(await services.changeMessage(request.principal, change))
        return success(request, message, { message })
      },
    )

    http.post(
      '/v1/conversation/message/delete',
      {
        config: { auth: 'key', action: 'chat' },
        schema: {
          tags,
          summary: 'Delete a question or an answer',
          description: 'With an answer goes what its chat has written on the way to it.',
          querystring: addressSchema,
          response: messageReply,
        },
      },
      async (request) => success(request, toMessage(await services.deleteMessage(request.principal, toAddress(request.query)))),
    )
  }

/** Every role of this route makes a question or an answer. */
function toOnlyMessage(body: z.infer<typeof createBodySchema>): InputMessage {
  const [input] = toInputMessage(body)
  if (!input) throw new AppError('invalid_request', `role: ${ROLE_RULE}`)
  return input
}

function toChange(body: z.infer<typeof changeBodySchema>): Pick<MessageChange, 'text' | 'metaData'> {
  const hasContent = body.content !== undefined && body.content !== null && body.content !== ''
  const metaData = Object.keys(body.meta_data).length > 0 ? body.meta_data : undefined
  if (!hasContent && !metaData) throw new AppError('invalid_request', 'content or meta_data is required')
  if (!hasContent) return { text: undefined, metaData }

  const { content, contentType } = toOnlyMessage({ ...body, role: 'user' })
  return { text: { content, contentType }, metaData }
}

const listingRoute =
  (services: MessageServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.post(
      '/v1/conversation/message/list',
      {
        config: { auth: 'key', action: 'read' },
        schema: {
          tags,
          summary: 'List the questions and answers of a conversation',
          querystring: paramsSchema,
          body: messageListBodySchema,
          response: { 200: successSchema(z.array(messageSchema), { first_id: z.string(), last_id: z.string(), has_more: z.boolean() }) },
        },
      },
      async (request) => {
        const { order, chat_id: runId, before_id: beforeId, after_id: afterId, limit } = request.body
        const wanted = {
          conversationId: request.query.conversation_id,
          order: order ?? 'desc',
          runId,
          beforeId,
          afterId,
          limit: limit ?? MAX_PAGE,
        } as const
        const { messages, hasMore } = await services.listMessages(request.principal, wanted)
        return success(request, messages.map(toMessage), {
          first_id: messages[0]?.id ?? '0',
          last_id: messages.at(-1)?.id ?? '0',
          has_more: hasMore,
        })
      },
    )
  }
