import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Principal } from '../../accounts/principal.ts'
import type { ChatEvent } from '../../chat/chat-event.ts'
import type { RunAddress } from '../../chat/runs.ts'
import type { Run } from '../../chat/run-store.ts'
import type { ChatRequest, StartedRun } from '../../chat/start-run.ts'
import type { Message } from '../../conversations/message-store.ts'
import type { JournalEntry } from '../../journal/journal-store.ts'
import { AppError } from '../../lib/app-error.ts'
import type { SseStreams } from '../sse.ts'
import { success, successSchema } from '../success-reply.ts'
import { chatBodySchema, styleOf, toChatRequest } from './chat-body.ts'
import { DONE_FRAME, createChatFrames } from './chat-frames.ts'
import type { FrameOptions } from './chat-frames.ts'
import { chatSchema, completedMessage, messageSchema, toChat, toMessage } from './chat-wire.ts'
import { conversationIdField, idField, optionalConversationIdField } from './open-fields.ts'

export type ChatServices = {
  startRun(who: Principal, request: ChatRequest): Promise<StartedRun>
  followRun(position: { runId: string; cursor: number; signal: AbortSignal }): AsyncIterable<JournalEntry<ChatEvent>[]>
  getRun(who: Principal, address: RunAddress): Promise<Run>
  getRunMessages(who: Principal, address: RunAddress): Promise<Message[]>
  cancelRun(who: Principal, address: RunAddress): Promise<Run>
  streams: SseStreams
}

const tags = ['Chat']
const addressSchema = z.object({ conversation_id: conversationIdField, chat_id: idField })
const toAddress = (address: z.infer<typeof addressSchema>): RunAddress => ({
  runId: address.chat_id,
  conversationId: address.conversation_id,
})

const chatQuerySchema = z.object({
  conversation_id: optionalConversationIdField,
  event_ids: z
    .enum(['true', 'false'], 'must be true or false')
    .optional()
    .describe('Adds `id:` lines to the events of an SDK-style stream.'),
})

export const chatRoutes =
  (services: ChatServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.post(
      '/v3/chat',
      {
        config: { auth: 'key' },
        schema: {
          tags,
          summary: 'Chat with a published bot',
          description:
            'With `query` the answer comes back in the reply, as the guide prints it. With `additional_messages` the reply is the chat in progress, as the Coze SDKs expect. With `stream` both get Server-Sent Events.',
          querystring: chatQuerySchema,
          body: chatBodySchema,
          response: { 200: successSchema(chatSchema, { conversation_id: z.string().optional(), message: messageSchema.optional() }) },
        },
      },
      async (request, reply) => {
        const started = await services.startRun(request.principal, toChatRequest(request.body, request.query.conversation_id))
        const style = styleOf(request.body)
        if (request.body.stream)
          return sendChat(services, reply, { run: started.run, style, withIds: style === 'guide' || request.query.event_ids === 'true' })
        if (style === 'sdk') return success(request, toChat(started.run))
        return answerOf(request, started)
      },
    )

    http.post(
      '/v3/chat/cancel',
      {
        config: { auth: 'key' },
        schema: { tags, summary: 'Cancel a running chat', body: addressSchema, response: { 200: successSchema(chatSchema) } },
      },
      async (request) => success(request, toChat(await services.cancelRun(request.principal, toAddress(request.body)))),
    )

    http.route({
      // the SDKs send POST, the documentation says GET
      method: ['GET', 'POST'],
      url: '/v3/chat/retrieve',
      config: { auth: 'key' },
      schema: { tags, summary: 'Read the state of a chat', querystring: addressSchema, response: { 200: successSchema(chatSchema) } },
      handler: async (request) => success(request, toChat(await services.getRun(request.principal, toAddress(request.query)))),
    })

    http.get(
      '/v3/chat/message/list',
      {
        config: { auth: 'key' },
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

async function sendChat(
  { streams, followRun }: ChatServices,
  reply: FastifyReply,
  { run, ...options }: FrameOptions & { run: Run },
): Promise<void> {
  const toFrame = createChatFrames(run, options)
  await streams.send(reply, async function* (signal) {
    for await (const entries of followRun({ runId: run.id, cursor: 0, signal })) {
      const frames = entries.map(toFrame)
      if (entries.at(-1)?.last) frames.push(DONE_FRAME)
      yield frames
    }
  })
}

/** The guide's whole answer: envelope and flat keys in one body. */
async function answerOf(request: FastifyRequest, { finished }: StartedRun) {
  const { run, answer } = await finished
  const chat = toChat(run)
  if (run.error) throw new AppError('run_failed', run.error.message, { details: { data: chat, conversation_id: run.conversationId } })

  const empty = { id: run.answerId, type: 'answer', content: '', contentType: 'text', reasoning: '', createdAt: run.finishedAt } as const
  return success(request, chat, { conversation_id: run.conversationId, message: completedMessage(run, answer ?? empty) })
}
