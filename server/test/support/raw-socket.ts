import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'

/** A TCP connection to the server, for what an HTTP client would never send. */
export type RawSocket = AsyncDisposable & {
  socket: Socket
  /** Bytes as they are. */
  send(bytes: string | Uint8Array): void
  /** All that has come. */
  readonly received: string
  /** Resolves when what has come fits. */
  until(condition: (received: string) => boolean): Promise<string>
  /** Resolves with all that has come when the server closes. */
  closed(): Promise<string>
}

export async function openSocket(port: number): Promise<RawSocket> {
  const socket = connect({ host: '127.0.0.1', port })
  let received = ''
  socket.setEncoding('utf8').on('data', (text: unknown) => (received += String(text)))
  // a reset is an end like any other
  socket.on('error', () => undefined)
  await once(socket, 'connect')

  return {
    socket,
    send: (bytes) => void socket.write(bytes),
    get received() {
      return received
    },
    async until(condition) {
      while (!condition(received) && !socket.destroyed) await Promise.race([once(socket, 'data'), once(socket, 'close')])
      if (!condition(received)) throw new Error(`the server closed the connection after ${received}`)
      return received
    },
    async closed() {
      if (!socket.destroyed) await once(socket, 'close')
      return received
    },
    async [Symbol.asyncDispose]() {
      if (socket.destroyed) return
      socket.destroy()
      await once(socket, 'close')
    },
  }
}

/** The bytes of a request. */
export function rawRequest(line: string, { headers = {}, body = '' }: { headers?: Record<string, string>; body?: string } = {}): string {
  const all = {
    host: '127.0.0.1',
    ...(body && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    ...headers,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${line} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}
