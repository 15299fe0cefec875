import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Principal } from '../../accounts/principal.ts'
import type { Message, MessagePage } from '../../conversations/message-store.ts'
import { success, successSchema } from '../success-reply.ts'
import { messageSchema, toMessage } from './chat-wire.ts'
import { conversationIdField, optionalIdField } from './open-fields.ts'

export type MessageServices = {
  listMessages(who: Principal, request: { conversationId: string } & MessagePage): Promise<{ messages: Message[]; hasMore: boolean }>
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

export const messageRoutes =
  (services: MessageServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.post(
      '/v1/conversation/message/list',
      {
        config: { auth: 'key' },
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
