import { Agent, request as openRequest } from 'node:http'
import { connect } from 'node:net'

/** A request as it is on the wire: what an HTTP client would mend is sent as it is. */
export type RawCall = {
  method: string
  /** Path and query. */
  target: string
  headers: Record<string, string>
  body?: Buffer
  /** Says that the body is longer than it is, and hangs up. */
  isCut?: boolean
}

export type RawReply = { status: number; headers: string; text: string; tookMs: number } | { failed: string }

/** Sends calls to a port of this machine; each has its end before `deadlineMs`, or is reported as failed. */
export function createExchange({ port, deadlineMs }: { port: number; deadlineMs: number }) {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  return {
    send: (call: RawCall): Promise<RawReply> =>
      call.isCut ? sendCut(port, call, deadlineMs) : sendWhole({ port, agent, deadlineMs }, call),
    close: () => agent.destroy(),
  }
}

type Line = { port: number; agent: Agent; deadlineMs: number }

function sendWhole({ port, agent, deadlineMs }: Line, { method, target, headers, body }: RawCall): Promise<RawReply> {
  const startedAt = performance.now()
  return new Promise((resolve) => {
    const length = body ? { 'content-length': String(body.length) } : {}
    const sent = openRequest({ port, host: '127.0.0.1', agent, method, path: target, headers: { ...length, ...headers } }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('error', (cause) => settle({ failed: `while reading: ${cause.message}` }))
      response.on('end', () => {
        const { statusCode: status = 0, rawHeaders } = response
        settle({ status, headers: rawHeaders.join('\n'), text, tookMs: performance.now() - startedAt })
      })
    })
    const late = setTimeout(() => {
      sent.destroy()
      settle({ failed: `no end within ${deadlineMs} ms` })
    }, deadlineMs)
    const settle = (reply: RawReply) => {
      clearTimeout(late)
      resolve(reply)
    }
    sent.on('error', (cause) => settle({ failed: cause.message }))
    sent.end(body)
  })
}

/** Status 0: the server hung up without a word. */
function sendCut(port: number, { method, target, headers, body = Buffer.alloc(0) }: RawCall, deadlineMs: number): Promise<RawReply> {
  const startedAt = performance.now()
  return new Promise((resolve) => {
    let text = ''
    const socket = connect({ host: '127.0.0.1', port })
    const late = setTimeout(() => {
      socket.destroy()
      resolve({ failed: `not closed within ${deadlineMs} ms` })
    }, deadlineMs)
    socket.setEncoding('utf8').on('data', (chunk: unknown) => (text += String(chunk)))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearTimeout(late)
      const status = Number(/^(?:HTTP\/1\.1 100 Continue\r\n\r\n)?HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0)
      resolve({ status, headers: '', text, tookMs: performance.now() - startedAt })
    })
    const all = { host: '127.0.0.1', ...headers, 'content-length': String(body.length + 10) }
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.end(Buffer.concat([Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`), body]))
  })
}
