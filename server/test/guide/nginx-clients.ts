import { readFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import type { Agent } from 'node:https'
import { text } from 'node:stream/consumers'
import { outputOf } from '../support/child-program.ts'
import { requireProgram } from '../support/find-program.ts'
import type { NginxFront } from './nginx-front.ts'

/** Calls to the API as clients elsewhere make them: by name, over TLS, through the front. */
export type Call = { path: string; secret: string; body?: object | FormData; headers?: Record<string, string> }
export type Reply = { status: number; headers: IncomingMessage['headers']; text: string; onKeptConnection: boolean }

export async function ask(front: NginxFront, call: Call, agent?: Agent): Promise<Reply> {
  const { response, onKeptConnection } = await open(front, call, agent)
  return { status: response.statusCode ?? 0, headers: response.headers, text: await text(response), onKeptConnection }
}

/** The reply as soon as its headers are there; destroying `response` is leaving. */
export async function open(
  front: NginxFront,
  call: Call,
  agent?: Agent,
): Promise<{ response: IncomingMessage; onKeptConnection: boolean }> {
  const { type, bytes } = await encode(call.body)
  const ca = await readFile(front.certificatePath)
  const where = { host: '127.0.0.1', port: front.port, servername: front.name, ca, agent: agent ?? (false as const) }
  const headers = { host: front.name, ...headersOf(call), ...(type && { 'content-type': type }) }

  return new Promise((resolve, reject) => {
    const sent = request({ ...where, method: bytes ? 'POST' : 'GET', path: call.path, headers }, (response) =>
      resolve({ response, onKeptConnection: sent.reusedSocket }),
    )
    sent.on('error', reject)
    sent.end(bytes)
  })
}

/** What curl prints, and when it prints it. */
export async function readWithCurl(front: NginxFront, call: Call, version: string): Promise<{ text: string; prints: Print[] }> {
  const prints: Print[] = []
  const where = ['--cacert', front.certificatePath, '--resolve', `${front.name}:${front.port}:127.0.0.1`]
  const headers = Object.entries({ ...headersOf(call), 'content-type': 'application/json' }).flatMap(([name, value]) => [
    '-H',
    `${name}: ${value}`,
  ])
  const args = [version, '--no-buffer', '--silent', '--show-error', '--fail', ...where, ...headers, '--data', JSON.stringify(call.body)]
  const url = `https://${front.name}:${front.port}${call.path}`
  const printed = await outputOf(requireProgram('curl'), [...args, url], {
    onStdout: (piece) => prints.push({ text: piece, atMs: performance.now() }),
  })
  return { text: printed, prints }
}

export type Print = { text: string; atMs: number }

const headersOf = ({ secret, headers }: Call): Record<string, string> => ({ authorization: `Bearer ${secret}`, ...headers })

async function encode(body: Call['body']): Promise<{ type?: string; bytes?: Buffer }> {
  if (body === undefined) return {}
  if (!(body instanceof FormData)) return { type: 'application/json', bytes: Buffer.from(JSON.stringify(body)) }

  const form = new Response(body)
  return { type: form.headers.get('content-type') ?? '', bytes: Buffer.from(await form.arrayBuffer()) }
}
