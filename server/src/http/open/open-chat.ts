import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Principal } from '../../accounts/principal.ts'
import type { FollowPosition } from '../../chat/follow-run.ts'
import type { ChatEvent } from '../../chat/chat-event.ts'
import type { RunAddress } from '../../chat/runs.ts'
import type { Run } from '../../chat/run-store.ts'
import type { ChatRequest, StartedRun } from '../../chat/start-run.ts'
import type { ResumedRun, ToolOutputsRequest } from '../../chat/submit-tool-outputs.ts'
import type { Message } from '../../conversations/message-store.ts'
import type { JournalEntry } from '../../journal/journal-store.ts'
import type { AddressRules } from '../../lib/address-rules.ts'
import { parseCallbackUrl } from '../../webhooks/callback-url.ts'
import { toIdempotencyKey } from '../idempotency-key.ts'
import type { SseStreams } from '../sse.ts'
import { success, successSchema } from '../success-reply.ts'
import { chatBodySchema, styleOf, toChatRequest, toolOutputsBodySchema } from './chat-body.ts'
import { answerInTime, parsePrefer, replyLater, sendChat, toAnswer } from './chat-reply.ts'
import { chatSchema, messageSchema, toChat, toMessage } from './chat-wire.ts'
import { conversationIdField, idField, optionalConversationIdField } from './open-fields.ts'

export type ChatServices = {
  startRun(who: Principal, request: ChatRequest): Promise<StartedRun>
  submitToolOutputs(who: Principal, request: ToolOutputsRequest): Promise<ResumedRun>
  followRun(position: FollowPosition): AsyncIterable<JournalEntry<ChatEvent>[]>
  getRun(who: Principal, address: RunAddress): Promise<Run>
  getRunMessages(who: Principal, address: RunAddress): Promise<Message[]>
  cancelRun(who: Principal, address: RunAddress): Promise<Run>
  streams: SseStreams
  /** Where callback URLs may not point to. */
  addressRules: Pick<AddressRules, 'isForbiddenAddress'>
}

const tags = ['Chat']
const addressSchema = z.object({ conversation_id: conversationIdField, chat_id: idField })
const toAddress = (address: z.infer<typeof addressSchema>): RunAddress => ({
  runId: address.chat_id,
  conversationId: address.conversation_id,
})

const eventIdsField = z
  .enum(['true', 'false'], 'must be true or false')
  .optional()
  .describe('Whether the events have `id:` lines; the Python SDK reads streams without them only.')
const chatQuerySchema = z.object({ conversation_id: optionalConversationIdField, event_ids: eventIdsField })

const CURSOR_RULE = 'must be the number of the last event you have, 0 for none'
const cursorField = z.coerce.number(CURSOR_RULE).int(CURSOR_RULE).min(0, CURSOR_RULE).max(Number.MAX_SAFE_INTEGER, CURSOR_RULE)
const resumeQuerySchema = addressSchema.extend({ starting_after: cursorField.optional(), event_ids: eventIdsField })

export const chatRoutes =
  (services: ChatServices): FastifyPluginAsyncZod =>
  async (http) => {
    await http.register(startingRoutes(services))
    await http.register(goingOnRoutes(services))
    await http.register(readingRoutes(services))
  }

const startingRoutes =
  (services: ChatServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.post(
      '/v3/chat',
      {
        config: { auth: 'key', action: 'chat' },
        schema: {
          tags,
          summary: 'Chat with a published bot',
          description:
            'With `query` the answer comes back in the reply, as the guide prints it. With `additional_messages` the reply is the chat in progress, as the Coze SDKs expect. With `stream` both get Server-Sent Events. `Idempotency-Key` makes a retry safe; `Prefer: wait=10, respond-async` asks for an answer in time or a way to follow.',
          querystring: chatQuerySchema,
          body: chatBodySchema,
          response: { 200: successSchema(chatSchema, { conversation_id: z.string().optional(), message: messageSchema.optional() }) },
        },
      },
      async (request, reply) => {
        const conversationId = request.query.conversation_id ?? request.body.conversation_id
        const idempotency = toIdempotencyKey(request, { ...request.body, conversation_id: conversationId })
        const prefer = parsePrefer(request.headers.prefer)
        const started = await services.startRun(request.principal, {
          ...toChatRequest(request.body),
          conversationId,
          idempotency,
          callbackUrl: request.body.callback_url ? parseCallbackUrl(request.body.callback_url, services.addressRules) : undefined,
        })
        const style = styleOf(request.body)
        const withIds = request.query.event_ids === undefined ? style === 'guide' : request.query.event_ids === 'true'
        if (request.body.stream) return sendChat(services, reply, { run: started.run, cursor: 0, style, withIds })
        if (style === 'sdk') return success(request, toChat(started.run))

        const finished = await answerInTime(started, prefer)
        return finished ? toAnswer(request, finished) : replyLater(request, reply, started.run)
      },
    )
  }

const goingOnRoutes =
  (services: ChatServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.post(
      '/v3/chat/submit_tool_outputs',
      {
        config: { auth: 'key', action: 'chat' },
        schema: {
          tags,
          summary: "Give a waiting chat the outputs of its caller's functions",
          querystring: addressSchema.extend({ event_ids: eventIdsField }),
          body: toolOutputsBodySchema,
          response: { 200: successSchema(chatSchema) },
        },
      },
      async (request, reply) => {
        const outputs = request.body.tool_outputs.map((each) => ({ toolCallId: each.tool_call_id, output: each.output }))
        const wanted = { address: toAddress(request.query), outputs, stream: request.body.stream === true }
        const { run, cursor } = await services.submitToolOutputs(request.principal, wanted)
        if (!wanted.stream) return success(request, toChat(run))
        return sendChat(services, reply, { run, cursor, style: 'sdk', withIds: request.query.event_ids === 'true' })
      },
    )

    http.post(
      '/v3/chat/cancel',
      {
        config: { auth: 'key', action: 'chat' },
        schema: { tags, summary: 'Cancel a running chat', body: addressSchema, response: { 200: successSchema(chatSchema) } },
      },
      async (request) => success(request, toChat(await services.cancelRun(request.principal, toAddress(request.body)))),
    )
  }

const readingRoutes =
  (services: ChatServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.route({
      // the SDKs send POST, the documentation says GET
      method: ['GET', 'POST'],
      url: '/v3/chat/retrieve',
      config: { auth: 'key', action: ['chat', 'read'] },
      schema: { tags, summary: 'Read the state of a chat', querystring: addressSchema, response: { 200: successSchema(chatSchema) } },
      handler: async (request) => success(request, toChat(await services.getRun(request.principal, toAddress(request.query)))),
    })

    http.get(
      '/v3/chat/stream',
      {
        config: { auth: 'key', action: ['chat', 'read'] },
        schema: {
          tags,
          summary: 'Follow a chat, from any of its events on',
          description:
            'Every event after `starting_after` (or the header `Last-Event-ID`) once and in order, then live ones until the chat ends or waits. For 24 hours after its end; later a chat is told again from its messages.',
          querystring: resumeQuerySchema,
        },
      },
      async (request, reply) => {
        const run = await services.getRun(request.principal, toAddress(request.query))
        const cursor = request.query.starting_after ?? cursorField.catch(0).parse(request.headers['last-event-id'] ?? 0)
        const style = run.clientStyle === 'guide' ? 'guide' : 'sdk'
        return sendChat(services, reply, { run, cursor, style, withIds: request.query.event_ids !== 'false' })
      },
    )

    http.get(
      '/v3/chat/message/list',
      {
        config: { auth: 'key', action: ['chat', 'read'] },
        schema: {
          tags,
          summary: 'List what a chat has produced',
          querystring: addressSchema,
          response: { 200: successSchema(z.array(messageSchema)) },
        },
      },
      async (request) => success(request, (await services.getRunMessages(request.principal, toAddress(request.query))).map(toMessage)),
    )
  }
