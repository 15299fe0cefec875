import { createParser } from 'eventsource-parser'

/** A call of the public API from this page, as a program would make it. */
export type TryRequest = { agentId: string; apiKey: string; question: string; isStream: boolean }

/** What came of it so far. */
export type TryOutcome = {
  state: 'running' | 'done' | 'failed'
  /** 0 while there is no answer. */
  status: number
  /** The answer's body as it came. */
  raw: string
  /** What the agent has said. */
  answer: string
  durationMs: number
}

export const NOTHING_YET: TryOutcome = { state: 'running', status: 0, raw: '', answer: '', durationMs: 0 }

export const toRequestBody = ({ agentId, question, isStream }: Omit<TryRequest, 'apiKey'>) => ({
  ...{ bot_id: agentId, user_id: 'console', query: question, stream: isStream },
})

/** Tells of every piece. Ends when the answer has; an answer that never came is the outcome `failed` with status 0. */
export async function runTryCall(request: TryRequest, signal: AbortSignal, onChange: (outcome: TryOutcome) => void): Promise<void> {
  const start = performance.now()
  let outcome = NOTHING_YET
  const change = (part: Partial<TryOutcome>) => {
    outcome = { ...outcome, ...part, durationMs: performance.now() - start }
    if (!signal.aborted) onChange(outcome)
  }

  try {
    const response = await fetch('/v3/chat', {
      method: 'POST',
      headers: { Authorization: `Bearer ${request.apiKey}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(toRequestBody(request)),
      // as from anywhere else: the key alone counts
      credentials: 'omit',
      signal,
    })
    change({ status: response.status })
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false
    await (isStream ? readStream(response, change) : readWhole(response, change))
  } catch {
    change({ state: 'failed' })
  }
}

async function readWhole(response: Response, change: (part: Partial<TryOutcome>) => void): Promise<void> {
  const raw = await response.text()
  const body = parseBody(raw)
  change({
    raw: body === undefined ? raw : JSON.stringify(body, null, 2),
    answer: contentOf(fieldOf(body, 'message')),
    state: response.ok ? 'done' : 'failed',
  })
}

async function readStream(response: Response, change: (part: Partial<TryOutcome>) => void): Promise<void> {
  let [raw, answer, hasFailed] = ['', '', false]
  const parser = createParser({
    onEvent({ event, data }) {
      if (event === 'conversation.message.delta') answer += contentOf(parseBody(data))
      if (event === 'conversation.chat.failed' || event === 'error') hasFailed = true
    },
  })
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  for (;;) {
    const piece = await reader?.read()
    if (!piece || piece.done) break
    raw += piece.value
    parser.feed(piece.value)
    change({ raw, answer })
  }
  change({ state: hasFailed ? 'failed' : 'done' })
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? new Map<string, unknown>(Object.entries(value)).get(name) : undefined

function contentOf(message: unknown): string {
  const content = fieldOf(message, 'content')
  return typeof content === 'string' ? content : ''
}
