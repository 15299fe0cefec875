import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FinishedRun } from '../../chat/execute-run.ts'
import type { Run } from '../../chat/run-store.ts'
import { AppError } from '../../lib/app-error.ts'
import { pause } from '../../lib/background.ts'
import { success } from '../success-reply.ts'
import { DONE_FRAME, createChatFrames } from './chat-frames.ts'
import type { FrameOptions } from './chat-frames.ts'
import { completedMessage, toChat } from './chat-wire.ts'
import type { ChatServices } from './open-chat.ts'

/** The ways a chat is answered: as a stream, whole, or with the promise of one. */
export type StreamOptions = FrameOptions & { run: Run; cursor: number }

export async function sendChat(
  { streams, followRun }: Pick<ChatServices, 'streams' | 'followRun'>,
  reply: FastifyReply,
  options: StreamOptions,
): Promise<void> {
  const { run, cursor } = options
  const toFrame = createChatFrames(run, options)
  await streams.send(reply, async function* (signal) {
    let isDone = false
    for await (const entries of followRun({ runId: run.id, cursor, signal })) {
      const frames = entries.map(toFrame)
      // a pause that was followed by more events is no end
      isDone = entries.at(-1)?.last === true
      yield frames
    }
    if (!signal.aborted || isDone) yield [DONE_FRAME]
  })
}

/** The guide's whole answer: envelope and flat keys in one body. */
export function toAnswer(request: FastifyRequest, { run, answer }: FinishedRun) {
  const chat = toChat(run)
  if (run.error) throw new AppError('run_failed', run.error.message, { details: { data: chat, conversation_id: run.conversationId } })

  // it waits for tool outputs: there is no answer yet
  if (run.status === 'requires_action') return success(request, chat, { conversation_id: run.conversationId })

  const empty = { id: run.answerId, type: 'answer', content: '', contentType: 'text', reasoning: '', createdAt: run.finishedAt } as const
  return success(request, chat, { conversation_id: run.conversationId, message: completedMessage(run, answer ?? empty) })
}

/** How long the caller waits for a whole answer; undefined is: as long as it takes. */
export type Prefer = { waitMs: number } | undefined

const MAX_WAIT_SECONDS = 600

/** `Prefer: wait=10, respond-async` (RFC 7240); `respond-async` alone does not wait at all. Throws `invalid_request`. */
export function parsePrefer(header: string | string[] | undefined): Prefer {
  const preferences = [header ?? ''].flat().join(',').toLowerCase()
  if (!/(^|[\s,;])respond-async($|[\s,;])/.test(preferences)) return undefined

  const wait = /(?:^|[\s,;])wait\s*=\s*"?([^\s,;"]*)/.exec(preferences)?.[1]
  if (wait === undefined) return { waitMs: 0 }
  const seconds = Number(wait)
  if (wait === '' || !Number.isInteger(seconds) || seconds < 0)
    throw new AppError('invalid_request', 'Prefer: wait must be a number of seconds')
  return { waitMs: Math.min(seconds, MAX_WAIT_SECONDS) * 1000 }
}

/** The finished run, or undefined when the caller does not want to wait longer. */
export async function answerInTime<T>({ finished }: { finished: PromiseLike<T> }, prefer: Prefer): Promise<T | undefined> {
  if (!prefer) return finished

  const inTime = new AbortController()
  const outcome = await Promise.race([finished, pause(prefer.waitMs, inTime.signal)])
  inTime.abort()
  return outcome ?? undefined
}

/** 202: the chat goes on; here is where its state and its stream are. */
export function replyLater(request: FastifyRequest, reply: FastifyReply, run: Run) {
  const query = `conversation_id=${run.conversationId}&chat_id=${run.id}`
  const location = `/v3/chat/retrieve?${query}`
  reply.code(202).header('location', location).header('preference-applied', 'respond-async')
  return success(request, toChat(run), {
    conversation_id: run.conversationId,
    chat_id: run.id,
    location,
    stream_url: `/v3/chat/stream?${query}`,
  })
}
