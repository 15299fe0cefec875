import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Principal } from '../../accounts/principal.ts'
import type { Feedback } from '../../conversations/feedback-store.ts'
import type { FeedbackRequest, MessageAddress } from '../../conversations/messages.ts'
import { success, successSchema } from '../success-reply.ts'
import { conversationIdField, idField, toSeconds } from './open-fields.ts'

export type FeedbackServices = {
  giveFeedback(who: Principal, request: FeedbackRequest): Promise<void>
  getFeedback(who: Principal, address: MessageAddress): Promise<Feedback>
  withdrawFeedback(who: Principal, address: MessageAddress): Promise<void>
}

const tags = ['Messages']
const URL = '/v1/conversations/:conversation_id/messages/:message_id/feedback'

const addressSchema = z.object({ conversation_id: conversationIdField, message_id: idField })
const toAddress = (address: z.infer<typeof addressSchema>): MessageAddress => ({
  conversationId: address.conversation_id,
  messageId: address.message_id,
})

const REASONS_RULE = 'must be at most 20 texts of at most 100 characters'
const COMMENT_RULE = 'must be a string of at most 10000 characters'

const feedbackBodySchema = z
  .object({
    feedback_type: z.enum(['like', 'unlike'], 'must be like or unlike'),
    reason_types: z.array(z.string(REASONS_RULE).max(100, REASONS_RULE), REASONS_RULE).max(20, REASONS_RULE).nullish(),
    comment: z.string(COMMENT_RULE).max(10_000, COMMENT_RULE).nullish(),
  })
  .meta({ examples: [{ feedback_type: 'unlike', reason_types: ['inaccurate'], comment: 'The price is an old one.' }] })

const feedbackSchema = z.object({
  feedback_type: z.enum(['like', 'unlike']),
  reason_types: z.array(z.string()),
  comment: z.string(),
  created_at: z.number(),
  updated_at: z.number(),
})

const emptyReply = { 200: successSchema(z.object({})) }

/** What an end user thinks of an answer: one feedback for each, the last one counts. */
export const feedbackRoutes =
  (services: FeedbackServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.post(
      URL,
      {
        config: { auth: 'key', action: 'chat' },
        schema: { tags, summary: 'Like or dislike an answer', params: addressSchema, body: feedbackBodySchema, response: emptyReply },
      },
      async (request) => {
        const { feedback_type: type, reason_types: reasonTypes, comment } = request.body
        const given = { type, reasonTypes: reasonTypes ?? [], comment: comment ?? '' }
        await services.giveFeedback(request.principal, { ...toAddress(request.params), ...given })
        return success(request, {})
      },
    )

    http.get(
      URL,
      {
        config: { auth: 'key', action: 'read' },
        schema: {
          tags,
          summary: 'Read the feedback for an answer',
          params: addressSchema,
          response: { 200: successSchema(feedbackSchema) },
        },
      },
      async (request) => success(request, toFeedback(await services.getFeedback(request.principal, toAddress(request.params)))),
    )

    http.delete(
      URL,
      {
        config: { auth: 'key', action: 'chat' },
        schema: { tags, summary: 'Take the feedback for an answer back', params: addressSchema, response: emptyReply },
      },
      async (request) => {
        await services.withdrawFeedback(request.principal, toAddress(request.params))
        return success(request, {})
      },
    )
  }

function toFeedback({ type, reasonTypes, comment, createdAt, updatedAt }: Feedback): z.infer<typeof feedbackSchema> {
  return {
    feedback_type: type,
    reason_types: reasonTypes,
    comment,
    created_at: toSeconds(createdAt),
    updated_at: toSeconds(updatedAt),
  }
}
