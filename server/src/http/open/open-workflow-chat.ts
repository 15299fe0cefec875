import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Principal } from '../../accounts/principal.ts'
import type { Conversation } from '../../conversations/conversation-store.ts'
import type { ConversationName } from '../../workflows/conversations/app-conversation-store.ts'
import type { ChatflowRequest, StartedChatflow } from '../../workflows/runs/start-chatflow-run.ts'
import { toIdempotencyKey } from '../idempotency-key.ts'
import { success, successSchema } from '../success-reply.ts'
import { styleOf } from './chat-body.ts'
import { answerInTime, parsePrefer } from './chat-reply.ts'
import { replyWithRunning, sendChatflow, toChatflowAnswer } from './chatflow-reply.ts'
import { chatflowMessageSchema, chatflowSchema } from './chatflow-wire.ts'
import { conversationSchema, toConversation } from './open-conversations.ts'
import { booleanField, idField, optionalIdField, userIdField } from './open-fields.ts'
import { toChatflowRequest, workflowChatBodySchema } from './workflow-body.ts'
import type { StreamingServices } from './workflow-reply.ts'

export type WorkflowChatServices = StreamingServices & {
  startChat(who: Principal, request: ChatflowRequest): Promise<StartedChatflow>
  openConversation(who: Principal, request: ConversationName & { getOrCreate: boolean }): Promise<Conversation>
}

const tags = ['Workflows']

const answerFields = {
  conversation_id: z.string().optional(),
  execute_id: z.string().optional(),
  message: chatflowMessageSchema.optional().describe('The last of what this turn has said.'),
  messages: z.array(chatflowMessageSchema).optional(),
}

const NAME_RULE = 'must be a string of 1 to 255 characters'
const conversationBodySchema = z
  .object({
    app_id: idField,
    conversation_name: z.string(NAME_RULE).min(1, NAME_RULE).max(255, NAME_RULE),
    get_or_create: z
      .boolean('must be true or false')
      .nullish()
      .describe('true: the conversation as it is. Otherwise a new one gets the name.'),
    user_id: userIdField,
    workflow_id: optionalIdField,
    bot_id: optionalIdField,
    connector_id: optionalIdField,
  })
  .meta({ examples: [{ app_id: '700001', conversation_name: 'Default', get_or_create: true, user_id: 'user_001' }] })

export const workflowChatRoutes =
  (services: WorkflowChatServices): FastifyPluginAsyncZod =>
  async (http) => {
    await http.register(chattingRoute(services))
    await http.register(conversationRoute(services))
  }

const chattingRoute =
  (services: WorkflowChatServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.post(
      '/v1/workflows/chat',
      {
        config: { auth: 'key', action: 'workflows' },
        schema: {
          tags,
          summary: 'Chat with a published chatflow',
          description:
            'Server-Sent Events like those of /v3/chat, or with `stream: false` the whole answer. While the workflow waits for an answer in the conversation, the next message is that answer. `Idempotency-Key` makes a retry safe; `Prefer: wait=10, respond-async` asks for a whole answer in time or a way to follow.',
          querystring: z.object({
            event_ids: booleanField
              .optional()
              .describe(
                'true: events have `id:` lines, which GET /v1/workflow/stream takes; the Python SDK reads streams without them only.',
              ),
          }),
          body: workflowChatBodySchema,
          response: { 200: successSchema(chatflowSchema, answerFields) },
        },
      },
      async (request, reply) => {
        const { body, principal } = request
        const prefer = parsePrefer(request.headers.prefer)
        const idempotency = toIdempotencyKey(request, body)
        const started = await services.startChat(principal, { ...toChatflowRequest(body, request.id), idempotency })
        const { run, cursor } = started
        if (body.stream !== false)
          return sendChatflow(services, reply, {
            ...{ run, style: styleOf(body), withIds: request.query.event_ids === true },
            from: { turnAfter: cursor },
          })

        const finished = await answerInTime(started, prefer)
        return finished ? toChatflowAnswer(request, services, { run: finished, cursor }) : replyWithRunning(request, reply, run)
      },
    )
  }

const conversationRoute =
  (services: WorkflowChatServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.post(
      '/v1/workflow/conversation/create',
      {
        config: { auth: 'key', action: 'workflows' },
        schema: {
          tags,
          summary: 'Open the conversation of a name in an app, or begin a new one under the name',
          description:
            'The app knows the names that it declares, and those that its workflows have given; any other is refused with code 777777762.',
          body: conversationBodySchema,
          response: { 200: successSchema(conversationSchema) },
        },
      },
      async (request) => {
        const { app_id: appId, conversation_name: name, get_or_create: getOrCreate, user_id: endUser = '' } = request.body
        const wanted = { appId, name, endUser, getOrCreate: getOrCreate === true }
        return success(request, toConversation(await services.openConversation(request.principal, wanted)))
      },
    )
  }
