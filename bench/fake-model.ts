import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { formatStamp } from './stamps.ts'

/**
 * A model provider that costs next to nothing, speaking the OpenAI chat-completions protocol.
 *
 *   PORT=4010 node bench/fake-model.ts
 *
 * POST /pace with `{chunks, intervalMs}` sets how long the next streams are and how fast; 0 is as fast as possible.
 */
export function createFakeModel() {
  let pace: Pace = { chunks: 100, intervalMs: 0 }
  let streams = 0

  return createServer((request, response) => {
    if (request.method === 'GET') return sendJson(response, { object: 'list', data: [{ id: 'bench', object: 'model' }] })
    readBody(request, (body) => {
      const stream = streams++
      if (request.url === '/pace') sendJson(response, (pace = parsePace(body)))
      else if (/"stream":\s*true/.test(body)) sendStream(response, { ...pace, stream, withUsage: body.includes('"include_usage"') })
      else sendWhole(response, stream)
    })
  })
}

export type Pace = { chunks: number; intervalMs: number }

type StreamPlan = Pace & { stream: number; withUsage: boolean }

/** One write per chunk and per turn of the event loop, as a real provider sends them: never one big block. */
function sendStream(response: ServerResponse, { chunks, intervalMs, stream, withUsage }: StreamPlan) {
  const head = `data: {"id":"chatcmpl-${stream}","object":"chat.completion.chunk","created":1,"model":"bench","choices":`
  const delta = (content: string) => `${head}[{"index":0,"delta":{"content":"${content}"},"finish_reason":null}]}\n\n`
  const startedAt = performance.now()
  let sent = 0

  const next = () => {
    if (response.destroyed) return
    if (sent === chunks) return finish()
    const roomy = response.write(delta(formatStamp(stream, sent++)))
    if (intervalMs > 0) setTimeout(next, startedAt + sent * intervalMs - performance.now())
    else if (roomy) setImmediate(next)
    else response.once('drain', next)
  }

  const finish = () => {
    const stop = `${head}[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n`
    const usage = withUsage ? `${head}[],"usage":${JSON.stringify(usageOf(chunks))}}\n\n` : ''
    response.end(`${stop}${usage}data: [DONE]\n\n`)
  }

  response.socket?.setNoDelay(true)
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
  next()
}

function sendWhole(response: ServerResponse, stream: number) {
  const message = { role: 'assistant', content: `${formatStamp(stream, 0)}${'x'.repeat(200)}` }
  const choices = [{ index: 0, message, finish_reason: 'stop' }]
  sendJson(response, {
    id: `chatcmpl-${stream}`,
    object: 'chat.completion',
    created: 1,
    model: 'bench',
    choices,
    usage: usageOf(1),
  })
}

function usageOf(chunks: number) {
  return { prompt_tokens: 10, completion_tokens: chunks, total_tokens: 10 + chunks }
}

function sendJson(response: ServerResponse, value: unknown) {
  const body = JSON.stringify(value)
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
  response.end(body)
}

function readBody(request: IncomingMessage, done: (body: string) => void) {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => done(Buffer.concat(parts).toString('utf8')))
}

function parsePace(body: string): Pace {
  return JSON.parse(body) as Pace
}

if (import.meta.main) {
  const server = createFakeModel()
  server.keepAliveTimeout = 120_000
  server.listen({ port: Number(process.env.PORT), host: '127.0.0.1', backlog: 4096 })
}
