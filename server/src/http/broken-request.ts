import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { NextId } from '../lib/snowflake.ts'
import { errorBody } from './error-reply.ts'

/** Answers what is no HTTP request with a body like that of every other refusal, and hangs up. */
export function answerBrokenRequests(nextId: NextId): (error: NodeJS.ErrnoException, socket: Socket) => void {
  return (error, socket) => {
    // the client has hung up: there is nobody to answer
    if (error.code === 'ECONNRESET' || socket.destroyed) return

    const { status, message } = REASONS[error.code ?? ''] ?? { status: 400, message: 'this is not a valid HTTP request' }
    const requestId = `req_${nextId()}`
    const body = JSON.stringify(errorBody(status, message, requestId))
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'content-type: application/json; charset=utf-8',
      `content-length: ${Buffer.byteLength(body)}`,
      `x-tt-logid: ${requestId}`,
      'connection: close',
    ]
    if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
    socket.destroy()
  }
}

const REASONS: Record<string, { status: number; message: string } | undefined> = {
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, message: 'the request did not arrive in time' },
  HPE_HEADER_OVERFLOW: { status: 431, message: 'the headers are larger than this server takes' },
}
