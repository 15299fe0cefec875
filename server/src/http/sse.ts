import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'

/** Frames that are ready at the same time; each is one whole event. */
export type FrameSource = (signal: AbortSignal) => AsyncIterable<string[]>

/** The open streams of this server: they end when it closes, or `close()` would wait for them for ever. */
export interface SseStreams {
  /** Sends frames until the source ends or the client leaves, which aborts the source's signal and nothing else. */
  send(reply: FastifyReply, source: FrameSource): Promise<void>
  readonly count: number
  closeAll(): void
}

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
  connection: 'keep-alive',
  // asks nginx not to collect events
  'x-accel-buffering': 'no',
}

export function createSseStreams(onError: (cause: unknown) => void): SseStreams {
  const open = new Set<AbortController>()

  return {
    get count() {
      return open.size
    },
    async send(reply, source) {
      const controller = new AbortController()
      const { raw } = reply
      open.add(controller)
      raw.on('close', () => controller.abort())
      reply.hijack()
      raw.writeHead(200, { ...HEADERS, 'x-tt-logid': reply.request.id })
      try {
        for await (const frames of source(controller.signal)) await writeFrames(raw, frames, controller.signal)
        raw.end()
      } catch (cause) {
        if (!controller.signal.aborted) onError(cause)
        // the reader sees a cut, not an end: it may resume
        raw.destroy()
      } finally {
        open.delete(controller)
      }
    },
    closeAll() {
      for (const controller of open) controller.abort()
    },
  }
}

/** One write for each event. Waits while the client does not read: what it has not taken stays in the journal, not in the socket. */
async function writeFrames(raw: ServerResponse, frames: string[], signal: AbortSignal): Promise<void> {
  for (const frame of frames) {
    if (signal.aborted) return
    if (!raw.write(frame)) await drained(raw, signal)
  }
}

const drained = (raw: ServerResponse, signal: AbortSignal) => once(raw, 'drain', { signal }).catch(() => undefined)
