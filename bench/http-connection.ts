import { connect, type Socket } from 'node:net'

/**
 * A keep-alive HTTP/1.1 connection on a raw socket, one request at a time. It exists because fetch and node:http cost several times
 * more per chunk than the servers under test. It knows what they send: `content-length` or chunked bodies.
 */
export type Connection = {
  /** Sends one ready-made request; resolves to the status once the body has ended. Rejects when the connection is lost before. */
  send: (request: Buffer, onBody: (bytes: Buffer) => void) => Promise<number>
  close: (reason?: string) => void
}

export function formatRequest({ method = 'GET', path, headers = {}, body }: RequestText): Buffer {
  const text = body === undefined ? '' : JSON.stringify(body)
  const all = {
    host: 'localhost',
    ...headers,
    ...(body !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
  }
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${head.join('')}\r\n${text}`)
}

export type RequestText = { method?: string; path: string; headers?: Record<string, string>; body?: unknown }

export function createConnection(port: number): Connection {
  let socket: Socket | undefined
  let current: { reader: AnswerReader; resolve: (status: number) => void; reject: (error: Error) => void } | undefined

  const lose = (reason: string) => {
    socket?.destroy()
    socket = undefined
    current?.reject(new Error(reason))
    current = undefined
  }

  const open = () => {
    const opened = connect({ host: '127.0.0.1', port, noDelay: true })
    opened.on('data', receive)
    opened.on('error', (error: NodeJS.ErrnoException) => socket === opened && lose(error.code ?? error.message))
    opened.on('close', () => socket === opened && lose('connection closed early'))
    return opened
  }

  const receive = (bytes: Buffer) => {
    if (!current) return lose('bytes that nobody asked for')
    try {
      if (!current.reader.read(bytes)) return
    } catch (error) {
      return lose(error instanceof Error ? error.message : 'unreadable answer')
    }
    const { reader, resolve } = current
    current = undefined
    resolve(reader.status)
  }

  return {
    send: (request, onBody) =>
      new Promise((resolve, reject) => {
        current = { reader: new AnswerReader(onBody), resolve, reject }
        socket ??= open()
        socket.write(request)
      }),
    close: (reason = 'closed') => lose(reason),
  }
}

/** Reads one HTTP answer from bytes that arrive in pieces of any size. */
export class AnswerReader {
  status = 0
  readonly #onBody: (bytes: Buffer) => void
  #state: 'head' | 'size' | 'chunk' | 'chunk_end' | 'last_end' | 'body' | 'done' = 'head'
  #left = 0
  #pending: Buffer | undefined

  constructor(onBody: (bytes: Buffer) => void) {
    this.#onBody = onBody
  }

  /** True once the answer is complete. */
  read(piece: Buffer): boolean {
    const bytes = this.#pending ? Buffer.concat([this.#pending, piece]) : piece
    let at = 0
    while (at < bytes.length && this.#state !== 'done') {
      const next = this.#state === 'chunk' || this.#state === 'body' ? this.#readBody(bytes, at) : this.#readText(bytes, at)
      if (next === at) break
      at = next
    }
    this.#pending = at < bytes.length ? bytes.subarray(at) : undefined
    return this.#state === 'done'
  }

  #readBody(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#left)
    this.#onBody(bytes.subarray(at, end))
    this.#left -= end - at
    if (this.#left === 0) this.#state = this.#state === 'chunk' ? 'chunk_end' : 'done'
    return end
  }

  /** The position after the text, or `at` when its end has not arrived. */
  #readText(bytes: Buffer, at: number): number {
    const mark = this.#state === 'head' ? '\r\n\r\n' : '\r\n'
    const end = bytes.indexOf(mark, at, 'latin1')
    if (end === -1) return at
    this.#takeText(bytes.toString('latin1', at, end))
    return end + mark.length
  }

  #takeText(text: string) {
    if (this.#state === 'head') this.#takeHead(text)
    else if (this.#state === 'size') {
      this.#left = Number.parseInt(text, 16)
      this.#state = this.#left === 0 ? 'last_end' : 'chunk'
    } else this.#state = this.#state === 'chunk_end' ? 'size' : 'done'
  }

  #takeHead(head: string) {
    this.status = Number(head.slice(9, 12))
    const length = /\ncontent-length: *(\d+)/i.exec(head)?.[1]
    if (/\ntransfer-encoding: *chunked/i.test(head)) this.#state = 'size'
    else if (length === undefined) throw new Error('neither a length nor chunks')
    else {
      this.#left = Number(length)
      this.#state = this.#left === 0 ? 'done' : 'body'
    }
  }
}
