import { parseFrames } from './sse-frames.ts'
import type { Frame } from './sse-frames.ts'
import type { TestApp } from './test-app.ts'

/** A client that reads an event stream while it comes. */
export type LiveStream = AsyncDisposable & {
  response: Response
  /** Whole frames that have come so far. */
  readonly frames: Frame[]
  /** The bytes that have come so far. */
  readonly text: string
  /** Resolves when the frames that are there fit. */
  until(condition: (frames: Frame[]) => boolean): Promise<Frame[]>
  /** Resolves when the server has ended the stream; rejects when it was cut. */
  ended: Promise<Frame[]>
  /** Closes the connection. */
  leave(): void
}

/** Without a body it is a GET. */
export type StreamOptions = { path?: string; apiKey?: string; headers?: Record<string, string> }

/** Posts the body; the first user's key unless another is given. */
export async function openStream(
  app: Pick<TestApp, 'url' | 'apiKey'>,
  body: object | undefined,
  options: StreamOptions = {},
): Promise<LiveStream> {
  const { path = '/v3/chat', apiKey = app.apiKey, headers } = options
  const leaving = new AbortController()
  const response = await fetch(`${app.url}${path}`, {
    method: body ? 'POST' : 'GET',
    signal: leaving.signal,
    headers: { authorization: `Bearer ${apiKey}`, ...(body && { 'content-type': 'application/json' }), ...headers },
    body: body && JSON.stringify(body),
  })
  const state = { text: '', frames: [] as Frame[], over: false, watchers: new Set<() => void>() }
  const ended = read(response, state)
  // whoever cares for the end awaits it; a client that leaves does not
  ended.catch(() => undefined)

  return {
    response,
    ended,
    get frames() {
      return state.frames
    },
    get text() {
      return state.text
    },
    until: (condition) => until(state, condition),
    leave: () => leaving.abort(),
    async [Symbol.asyncDispose]() {
      leaving.abort()
      await ended.catch(() => undefined)
    },
  }
}

/** The guide's stream with this question, from its first byte to its last. */
export async function readStream(
  app: Pick<TestApp, 'url' | 'apiKey'>,
  body: object | undefined,
  options?: StreamOptions,
): Promise<Frame[]> {
  const stream = await openStream(app, body, options)
  return stream.ended
}

type State = { text: string; frames: Frame[]; over: boolean; watchers: Set<() => void> }

async function read(response: Response, state: State): Promise<Frame[]> {
  const decoder = new TextDecoder()
  try {
    for await (const chunk of response.body ?? []) {
      state.text += decoder.decode(chunk, { stream: true })
      state.frames = parseFrames(state.text.slice(0, state.text.lastIndexOf('\n\n') + 2))
      state.watchers.forEach((check) => check())
    }
    return state.frames
  } finally {
    state.over = true
    state.watchers.forEach((check) => check())
  }
}

function until(state: State, condition: (frames: Frame[]) => boolean): Promise<Frame[]> {
  return new Promise((resolve, reject) => {
    const check = () => {
      const fits = condition(state.frames)
      if (!fits && !state.over) return
      state.watchers.delete(check)
      if (fits) resolve(state.frames)
      else reject(new Error(`the stream ended before that; it had ${state.text}`))
    }
    state.watchers.add(check)
    check()
  })
}
