import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import { pause } from '../lib/background.ts'

/** Frames that are ready at the same time; each is one whole event. */
export type FrameSource = (signal: AbortSignal) => AsyncIterable<string[]>

/** The open streams of this server: they end when it closes, or `close()` would wait for them for ever. */
export interface SseStreams {
  /** Sends frames until the source ends or the client leaves, which aborts the source's signal and nothing else. */
  send(reply: FastifyReply, source: FrameSource): Promise<void>
  readonly count: number
  /** Streams whose source has ended may be read to their end, for at most `ms`; then all are cut. */
  closeAll(ms: number): Promise<void>
}

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
  // asks nginx not to collect events
  'x-accel-buffering': 'no',
}

export function createSseStreams(onError: (cause: unknown) => void): SseStreams {
  const open = new Map<AbortController, Promise<void>>()

  return {
    get count() {
      return open.size
    },
    async send(reply, source) {
      const controller = new AbortController()
      const ended = Promise.withResolvers<undefined>()
      const { raw } = reply
      open.set(controller, ended.promise)
      // @NOTE the response hears nothing of a client that left before, or whose earlier request is still being answered: its socket does
      const { socket } = reply.request.raw
      const leave = () => controller.abort()
      socket.once('close', leave)
      if (socket.destroyed) leave()
      reply.hijack()
      setHeadersOf(reply)
      raw.writeHead(200, { ...HEADERS, 'x-tt-logid': reply.request.id })
      raw.flushHeaders()
      try {
        for await (const frames of source(controller.signal)) await writeFrames(raw, frames, controller.signal)
        raw.end()
      } catch (cause) {
        if (!controller.signal.aborted) onError(cause)
        // the reader sees a cut, not an end: it may resume
        raw.destroy()
      } finally {
        socket.off('close', leave)
        open.delete(controller)
        ended.resolve(undefined)
      }
    },
    async closeAll(ms) {
      const inTime = new AbortController()
      await Promise.race([Promise.all(open.values()), pause(ms, inTime.signal)])
      inTime.abort()
      for (const controller of open.keys()) controller.abort()
    },
  }
}

/** What hooks have set, such as the headers for pages of other origins: a hijacked reply does not send them by itself. */
function setHeadersOf(reply: FastifyReply): void {
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) reply.raw.setHeader(name, value)
  }
}

/** Waits while the client does not read: what it has not taken stays in the journal, not in the socket. */
async function writeFrames(raw: ServerResponse, frames: string[], signal: AbortSignal): Promise<void> {
  for (const together of portionsOf(frames)) {
    if (signal.aborted) return
    if (!writePortion(raw, together)) await drained(raw, signal)
  }
}

const CHARS_PER_WRITE = 16_384

/** Events that are ready together go out together: the write, not the event, is what costs. */
function* portionsOf(frames: string[]): Generator<string[]> {
  let portion: string[] = []
  let chars = 0
  for (const frame of frames) {
    if (chars > 0 && chars + frame.length > CHARS_PER_WRITE) {
      yield portion
      portion = []
      chars = 0
    }
    portion.push(frame)
    chars += frame.length
  }
  if (chars > 0) yield portion
}

/**
 * @NOTE Node writes a chunk as three pieces (size, data, line end), which costs half as much again as one. So the chunks, one for each
 * event, are put together here, as soon as the response has its socket to itself and its head is out.
 */
function writePortion(raw: ServerResponse, frames: string[]): boolean {
  const { socket } = raw
  if (!socket || !raw.headersSent || !raw.chunkedEncoding) return raw.write(frames.join(''))
  return socket.write(frames.map((frame) => `${Buffer.byteLength(frame).toString(16)}\r\n${frame}\r\n`).join(''))
}

function drained(raw: ServerResponse, signal: AbortSignal): Promise<unknown> {
  return once(raw.socket ?? raw, 'drain', { signal }).catch(() => undefined)
}
