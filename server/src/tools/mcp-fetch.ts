import { GuardedFetchError } from '../lib/guarded-fetch.ts'
import type { GuardedFetch } from '../lib/guarded-fetch.ts'
import { isRecord } from '../lib/json-schema.ts'
import { linkAbort } from '../lib/linked-abort.ts'

export type McpFetch = (url: string | URL, init?: RequestInit) => Promise<Response>

export type McpFetchLimits = { timeoutMs: number; maxBytes: number }

/** For what has no answer. */
const NOTICE_MS = 5_000

/** JSON-RPC's error of a connection that is gone. */
export const CONNECTION_LOST = -32_000

/**
 * The guarded fetch as the MCP client uses it. Three things differ:
 * the standing stream for the server's own messages is not opened, because nobody listens;
 * a stream of answers that breaks off ends with an error in place of the answer, which the client would wait for;
 * a request that the client cancels is broken off, not only announced as canceled.
 */
export function createMcpFetch(guardedFetch: GuardedFetch, limits: McpFetchLimits): McpFetch {
  const running = new Map<unknown, AbortController>()

  return async (url, init = {}) => {
    const headers = new Headers(init.headers)
    if (init.method === 'GET' && !headers.has('last-event-id')) return new Response(null, { status: 405 })

    const body = typeof init.body === 'string' ? init.body : undefined
    const message = parseMessage(body)
    if (message.canceledId !== undefined) running.get(message.canceledId)?.abort()

    const { control, release } = linkAbort(init.signal)
    const end = () => {
      release()
      running.delete(message.id)
    }
    if (message.id !== undefined) running.set(message.id, control)
    try {
      const response = await guardedFetch(url, {
        ...{ method: init.method, headers, body, redirect: 'manual', signal: control.signal },
        maxBytes: limits.maxBytes,
        timeoutMs: message.id === undefined ? Math.min(NOTICE_MS, limits.timeoutMs) : limits.timeoutMs,
      })
      return watchBody(response, message, end)
    } catch (cause) {
      end()
      throw cause
    }
  }
}

type Message = { id?: string | number; canceledId?: unknown }

function parseMessage(body: string | undefined): Message {
  const message: unknown = body === undefined ? undefined : JSON.parse(body)
  if (!isRecord(message)) return {}
  if (message.method === 'notifications/cancelled') return { canceledId: isRecord(message.params) ? message.params.requestId : undefined }
  const isRequest = typeof message.method === 'string' && (typeof message.id === 'number' || typeof message.id === 'string')
  return isRequest ? { id: message.id as string | number } : {}
}

function watchBody(response: Response, { id }: Message, end: () => void): Response {
  const body: ReadableStream<Uint8Array> | null = response.body
  if (!body) {
    end()
    return response
  }

  const reader = body.getReader()
  const isStream = id !== undefined && response.headers.get('content-type')?.startsWith('text/event-stream') === true
  const watched = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read()
        if (!done) return controller.enqueue(value)
        end()
        controller.close()
      } catch (cause) {
        end()
        if (!isStream) return controller.error(cause)
        controller.enqueue(errorEvent(id, cause))
        controller.close()
      }
    },
    cancel(reason) {
      end()
      return reader.cancel(reason)
    },
  })
  const { status, statusText, headers } = response
  return new Response(watched, { status, statusText, headers })
}

/** The blank line in front ends what was begun. */
function errorEvent(id: string | number, cause: unknown): Uint8Array {
  const message = cause instanceof GuardedFetchError ? cause.message : 'the answer was broken off'
  return Buffer.from(`\n\nevent: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', id, error: { code: CONNECTION_LOST, message } })}\n\n`)
}
