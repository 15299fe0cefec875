import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A plain HTTP server for tests, on a free port of this machine. */
export type PlainServer = AsyncDisposable & {
  url: string
  port: number
  requests: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[]
  /** TCP connections taken so far. */
  readonly connections: number
  /** Connections that are open now. */
  readonly open: number
  close(): Promise<void>
}

export type Handler = (request: IncomingMessage & { text: string }, response: ServerResponse) => unknown

export async function startPlainServer(handler: Handler, at: { host?: string; port?: number } = {}): Promise<PlainServer> {
  const { host = '127.0.0.1', port: wanted = 0 } = at
  const requests: PlainServer['requests'] = []
  const server = createServer((request, response) => {
    readText(request)
      .then(async (text) => {
        requests.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body: text })
        await handler(Object.assign(request, { text }), response)
      })
      .catch(() => response.destroy())
  })
  const counts = { all: 0, open: 0 }
  server.on('connection', (socket) => {
    counts.all++
    counts.open++
    socket.on('close', () => counts.open--)
  })
  server.listen({ host, port: wanted })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  const close = async () => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
  return {
    ...{ url: `http://${host}:${port}`, port, requests, close },
    get connections() {
      return counts.all
    },
    get open() {
      return counts.open
    },
    [Symbol.asyncDispose]: close,
  }
}

/** Writes so many bytes, as fast as they are read; stops when the reader leaves. Answers how many were written. */
export async function writeBytes(response: ServerResponse, count: number): Promise<number> {
  const chunk = Buffer.alloc(64 * 1024, 'x')
  let written = 0
  while (written < count && !response.destroyed) {
    written += chunk.length
    if (!response.write(chunk)) await untilWritable(response)
  }
  response.end()
  return written
}

async function untilWritable(response: ServerResponse): Promise<void> {
  const settled = new AbortController()
  const { signal } = settled
  await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })])
  settled.abort()
}

async function readText(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += String(chunk)
  return text
}
