import { once } from 'node:events'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { setImmediate, setTimeout } from 'node:timers/promises'

/** What the fake provider can be told to answer; import it from fake-provider.ts. */

/** What to do with one request. */
export type Answer = { play(exchange: Exchange): Promise<void> }

export type ReceivedRequest = {
  path: string
  headers: IncomingHttpHeaders
  body: ChatBody
  /** Text of the last user message. */
  lastUserText: string
  /** The client went away before the end. */
  aborted: boolean
  tokensWritten: number
}

export type ChatBody = {
  model: string
  /** Empty when the body has none. */
  messages: { role: string; content: string | { type: string; text?: string }[]; [key: string]: unknown }[]
  stream?: boolean
  stream_options?: { include_usage?: boolean }
  tools?: unknown[]
  [key: string]: unknown
}

export type Exchange = {
  request: ReceivedRequest
  response: ServerResponse
  /** Aborts when the client is gone. */
  signal: AbortSignal
}

/** One step of an answer; a string is a chunk of text. */
export type Piece =
  | string
  | { do: 'reason'; text: string; field: 'reasoning_content' | 'reasoning' }
  | { do: 'call'; name: string; arguments: string; id?: string }
  | { do: 'wait'; ms: number }
  | { do: 'hang' | 'cut' | 'stop' }
  | { do: 'raw'; bytes: string | Uint8Array }

export type AnswerStyle = {
  /** Between any two pieces. */
  delayMs?: number
  /** Default: counted from the pieces; null: never told. */
  usage?: { input: number; output: number } | null
  /** Where a stream tells the usage: `own` chunk after the last (when asked for), or the `final` choice chunk. */
  usageIn?: 'own' | 'final'
  finishReason?: string
  /** Whether a stream ends with `data: [DONE]`; default true. */
  done?: boolean
}

/** Streams the texts as chunks, or gives them joined when the whole answer was asked for. */
export const says = (...texts: string[]): Answer => answers(texts)

export function answers(pieces: Piece[], style: AnswerStyle = {}): Answer {
  return {
    play: (exchange) => (exchange.request.body.stream ? playStream(exchange, pieces, style) : playWhole(exchange, pieces, style)),
  }
}

/** The same chunk again and again, until the client goes. */
export function saysForever(text: string, { delayMs = 0 }: { delayMs?: number } = {}): Answer {
  return {
    async play(exchange) {
      startStream(exchange)
      while (!exchange.signal.aborted) {
        await writeToken(exchange, choice({ content: text }))
        if (delayMs) await setTimeout(delayMs)
      }
    },
  }
}

/** An HTTP error with an OpenAI-style body, or with `body` as it is. */
export function fails(
  status: number,
  { retryAfter, message = `the fake provider fails with ${status}`, headers = {}, body }: FailureStyle = {},
): Answer {
  return {
    async play({ response }) {
      if (retryAfter !== undefined) response.setHeader('retry-after', String(retryAfter))
      const text = body ?? JSON.stringify({ error: { message, type: 'fake_error', code: null } })
      response.writeHead(status, { 'content-type': body === undefined ? 'application/json' : 'text/plain', ...headers })
      response.end(text)
    },
  }
}

export type FailureStyle = { retryAfter?: number | string; message?: string; headers?: Record<string, string>; body?: string }

/** Closes the connection before a byte of the answer. */
export const refuses = (): Answer => ({ play: async ({ response }) => breakConnection(response) })

/** Takes the request and never answers, not even with headers. */
export const hangs = (): Answer => ({ play: ({ signal }) => untilGone(signal) })

/** A web page instead of an answer, as captive proxies and wrong base URLs give. */
export const sendsHtml = (html = '<!doctype html><title>Welcome</title>'): Answer => sendsRaw([html], { contentType: 'text/html' })

/** Exactly these bytes, each part a write of its own. */
export function sendsRaw(parts: (string | Uint8Array)[], { status = 200, contentType = 'text/event-stream', delayMs = 0 } = {}): Answer {
  return {
    async play({ response, signal }) {
      response.writeHead(status, { 'content-type': contentType })
      for (const part of parts) {
        if (signal.aborted) return
        await writeBytes(response, part)
        if (delayMs) await setTimeout(delayMs)
      }
      response.end()
    },
  }
}

/** Server-sent events with these JSON bodies; for protocols other than OpenAI's, `event` names come from their `type`. */
export const sendsEvents = (events: Record<string, unknown>[], { named = false } = {}): Answer =>
  sendsRaw(events.map((event) => `${named ? `event: ${String(event['type'])}\n` : ''}data: ${JSON.stringify(event)}\n\n`))

export const sendsJson = (value: unknown, status = 200): Answer =>
  sendsRaw([JSON.stringify(value)], { status, contentType: 'application/json' })

export const reasons = (text: string, field: 'reasoning_content' | 'reasoning' = 'reasoning_content'): Piece => ({
  do: 'reason',
  text,
  field,
})
export const calls = (name: string, args: Record<string, unknown> | string, id?: string): Piece => ({
  do: 'call',
  name,
  arguments: typeof args === 'string' ? args : JSON.stringify(args),
  id,
})
export const wait = (ms: number): Piece => ({ do: 'wait', ms })
/** Nothing more comes, the connection stays. */
export const hang = (): Piece => ({ do: 'hang' })
/** The connection breaks here. */
export const cut = (): Piece => ({ do: 'cut' })
/** The body ends here in good order, without finish_reason and [DONE]. */
export const stop = (): Piece => ({ do: 'stop' })
export const raw = (bytes: string | Uint8Array): Piece => ({ do: 'raw', bytes })

async function playStream(exchange: Exchange, pieces: Piece[], style: AnswerStyle): Promise<void> {
  const { response, signal, request } = exchange
  startStream(exchange)
  await writeBytes(response, event(choice({ role: 'assistant', content: '' })))
  const ended = await playPieces(exchange, pieces, style)
  if (ended || signal.aborted) return

  const usage = style.usage === undefined ? countedUsage(request, pieces) : wireUsage(style.usage)
  const final = { ...choice({}, style.finishReason ?? defaultFinish(pieces)), ...(style.usageIn === 'final' && usage ? { usage } : {}) }
  let end = event(final)
  const askedForUsage = request.body.stream_options?.include_usage === true
  if (usage && askedForUsage && style.usageIn !== 'final') end += event({ ...choice({}), choices: [], usage })
  if (style.done !== false) end += 'data: [DONE]\n\n'
  response.end(end)
}

/** True when a piece ended the answer. */
async function playPieces(exchange: Exchange, pieces: Piece[], style: AnswerStyle): Promise<boolean> {
  let callIndex = 0
  for (const piece of pieces) {
    if (exchange.signal.aborted) return true
    if (typeof piece === 'string') await writeToken(exchange, choice({ content: piece }))
    else if (piece.do === 'reason') await writeToken(exchange, choice({ [piece.field]: piece.text }))
    else if (piece.do === 'call') await writeCall(exchange, piece, callIndex++)
    else if (await playOther(exchange, piece)) return true
    if (style.delayMs) await setTimeout(style.delayMs)
  }
  return false
}

type OtherPiece = Exclude<Piece, string | { do: 'reason' } | { do: 'call' }>

/** True when the piece ended the answer. */
async function playOther({ response, signal }: Exchange, piece: OtherPiece): Promise<boolean> {
  switch (piece.do) {
    case 'wait':
      await setTimeout(piece.ms)
      return false
    case 'raw':
      await writeBytes(response, piece.bytes)
      return false
    case 'hang':
      await untilGone(signal)
      return true
    case 'cut':
      breakConnection(response)
      return true
    case 'stop':
      response.end()
      return true
  }
}

/** As providers do it: the name first, then the arguments in parts. */
async function writeCall(exchange: Exchange, call: Extract<Piece, { do: 'call' }>, index: number): Promise<void> {
  const id = call.id ?? `call_${index + 1}`
  const middle = Math.ceil(call.arguments.length / 2)
  await writeToken(exchange, choice({ tool_calls: [{ index, id, type: 'function', function: { name: call.name, arguments: '' } }] }))
  for (const part of [call.arguments.slice(0, middle), call.arguments.slice(middle)]) {
    await writeToken(exchange, choice({ tool_calls: [{ index, function: { arguments: part } }] }))
  }
}

async function playWhole(exchange: Exchange, pieces: Piece[], style: AnswerStyle): Promise<void> {
  const { response, request, signal } = exchange
  for (const piece of pieces) {
    if (typeof piece === 'string' || piece.do === 'reason' || piece.do === 'call') continue
    if (await playOther(exchange, piece)) return
  }
  if (signal.aborted) return

  const usage = style.usage === undefined ? countedUsage(request, pieces) : wireUsage(style.usage)
  const toolCalls = pieces.flatMap((piece) => (typeof piece !== 'string' && piece.do === 'call' ? [piece] : []))
  const reasoning = pieces.flatMap((piece) => (typeof piece !== 'string' && piece.do === 'reason' ? [piece] : []))
  const message = {
    role: 'assistant',
    content: pieces.filter((piece) => typeof piece === 'string').join(''),
    ...(reasoning[0] && { [reasoning[0].field]: reasoning.map((piece) => piece.text).join('') }),
    ...(toolCalls.length > 0 && {
      tool_calls: toolCalls.map((call, i) => ({
        id: call.id ?? `call_${i + 1}`,
        type: 'function',
        function: { name: call.name, arguments: call.arguments },
      })),
    }),
  }
  request.tokensWritten += pieces.filter(isToken).length
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(
    JSON.stringify({
      ...ENVELOPE,
      object: 'chat.completion',
      choices: [{ index: 0, message, finish_reason: style.finishReason ?? defaultFinish(pieces) }],
      ...(usage && { usage }),
    }),
  )
}

const ENVELOPE = { id: 'chatcmpl-1', created: 1_700_000_000, model: 'fake' }

const choice = (delta: Record<string, unknown>, finish_reason: string | null = null) => ({
  ...ENVELOPE,
  object: 'chat.completion.chunk',
  choices: [{ index: 0, delta, finish_reason }],
})

const event = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`
const isToken = (piece: Piece) => typeof piece === 'string' || piece.do === 'reason' || piece.do === 'call'
const defaultFinish = (pieces: Piece[]) =>
  pieces.some((piece) => typeof piece !== 'string' && piece.do === 'call') ? 'tool_calls' : 'stop'

function wireUsage(usage: { input: number; output: number } | null) {
  return usage && { prompt_tokens: usage.input, completion_tokens: usage.output, total_tokens: usage.input + usage.output }
}

const countedUsage = (request: ReceivedRequest, pieces: Piece[]) =>
  wireUsage({ input: request.body.messages.length, output: pieces.filter(isToken).length })

function startStream({ response }: Exchange): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
}

async function writeToken({ request, response, signal }: Exchange, value: unknown): Promise<void> {
  if (signal.aborted) return
  request.tokensWritten++
  await writeBytes(response, event(value))
}

/** One write, then a turn of the event loop, so that writes reach the client one by one. */
async function writeBytes(response: ServerResponse, bytes: string | Uint8Array): Promise<void> {
  if (response.destroyed) return
  if (!response.write(bytes)) await untilWritable(response)
  await setImmediate()
}

async function untilWritable(response: ServerResponse): Promise<void> {
  const settled = new AbortController()
  const { signal } = settled
  await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })])
  settled.abort()
}

const brokenByScript = new WeakSet<ServerResponse>()

/** True when the script itself broke the connection, and not the client. */
export const wasBrokenByScript = (response: ServerResponse) => brokenByScript.has(response)

function breakConnection(response: ServerResponse): void {
  brokenByScript.add(response)
  response.destroy()
}

function untilGone(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
