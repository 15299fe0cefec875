import { createParser } from 'eventsource-parser'
import { send } from './api-client.ts'
import type { ApiOptions } from './api-client.ts'
import { ApiError, isAbort } from './api-error.ts'

export type ApiEvent = { event: string; id: string | undefined; data: string }

/**
 * The server-sent events of a console route, as they come. Ends with the stream; a connection that breaks before is an `ApiError` of the
 * kind `unreachable`. Whoever stops reading early ends the request.
 */
export async function* openEvents(
  path: string,
  { method = 'GET', ...options }: ApiOptions & { method?: 'GET' | 'POST'; body?: object; lastEventId?: string } = {},
): AsyncGenerator<ApiEvent> {
  const headers = { accept: 'text/event-stream', ...(options.lastEventId !== undefined && { 'last-event-id': options.lastEventId }) }
  const response = await send(method, path, { ...options, headers })
  yield* readEvents(response)
}

/** The events of any answer; see `openEvents`. */
export async function* readEvents(response: Response): AsyncGenerator<ApiEvent> {
  if (!response.body) return
  const parsed: ApiEvent[] = []
  const parser = createParser({ onEvent: ({ event = 'message', id, data }) => void parsed.push({ event, id, data }) })
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()

  try {
    for (;;) {
      const { done, value } = await readChunk(reader)
      if (value !== undefined) parser.feed(value)
      yield* parsed.splice(0)
      if (done) return
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

async function readChunk(reader: ReadableStreamDefaultReader<string>) {
  try {
    return await reader.read()
  } catch (cause) {
    if (isAbort(cause)) throw cause
    throw new ApiError({ status: 0, message: 'the connection broke before the end of the stream', cause })
  }
}
