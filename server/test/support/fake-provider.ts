import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { says, wasBrokenByScript } from './fake-answers.ts'
import type { Answer, ChatBody, ReceivedRequest } from './fake-answers.ts'

export * from './fake-answers.ts'

/**
 * A model provider for tests: a real HTTP server on a free port of 127.0.0.1 that speaks OpenAI's
 * chat completions, streamed or whole as it is asked, and does what its script says.
 *
 *     await using provider = await startFakeProvider(says('Hel', 'lo'))
 *     provider.script = [fails(429, { retryAfter: 1 }), says('after all')]   // one for each request; the last one stays
 *     provider.script = (request) => says(`you sent ${request.lastUserText}`)
 *     provider.script = answers([reasons('hm'), 'It is ', wait(20), 'late', calls('clock', { zone: 'UTC' })])
 */
export type FakeProvider = AsyncDisposable & {
  /** `http://127.0.0.1:<port>/v1`; refuses connections after close(). */
  readonly baseUrl: string
  /** May be set at any time; counts for requests that come after. */
  script: Script
  /** In the order they came. */
  readonly requests: ReceivedRequest[]
  readonly lastRequest: ReceivedRequest
  /** TCP connections taken so far: tells whether clients keep them alive. */
  readonly connections: number
  /** Answers being given right now. */
  readonly open: number
  /** Answers whose client went away before their end. */
  readonly aborted: number
  /** Pieces of text, reasoning and tool calls written by all answers; it stands still once nobody reads any more. */
  readonly tokensWritten: number
  untilRequests(count: number): Promise<void>
  untilAborted(count?: number): Promise<void>
  close(): Promise<void>
}

export type Script = Answer | Answer[] | ((request: ReceivedRequest) => Answer)

export async function startFakeProvider(script: Script = says('Hello', ' there')): Promise<FakeProvider> {
  const state: State = { script, served: 0, connections: 0, open: 0, aborted: 0, requests: [], watchers: new Set() }
  const server = createServer((incoming, response) => {
    incoming.socket.setNoDelay(true)
    // what fails here is a write to a client that is gone
    serve(state, incoming, response).catch(() => response.destroy())
  })
  server.keepAliveTimeout = 60_000
  server.on('connection', () => state.connections++)
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 })
  await once(server, 'listening')
  return present(state, server)
}

type State = {
  script: Script
  /** Requests answered by this script. */
  served: number
  connections: number
  open: number
  aborted: number
  requests: ReceivedRequest[]
  watchers: Set<() => void>
}

function present(state: State, server: Server): FakeProvider {
  const { port } = server.address() as AddressInfo
  const close = async () => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }

  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    get script() {
      return state.script
    },
    set script(next) {
      state.script = next
      state.served = 0
    },
    requests: state.requests,
    get lastRequest() {
      const request = state.requests.at(-1)
      if (!request) throw new Error('the fake provider got no request')
      return request
    },
    get connections() {
      return state.connections
    },
    get open() {
      return state.open
    },
    get aborted() {
      return state.aborted
    },
    get tokensWritten() {
      return state.requests.reduce((sum, request) => sum + request.tokensWritten, 0)
    },
    untilRequests: (count) => until(state, () => state.requests.length >= count),
    untilAborted: (count = 1) => until(state, () => state.aborted >= count),
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function serve(state: State, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const request = await receive(incoming)
  const gone = new AbortController()
  state.requests.push(request)
  state.open++
  response.on('close', () => {
    state.open--
    gone.abort()
    if (!response.writableFinished && !wasBrokenByScript(response)) {
      request.aborted = true
      state.aborted++
    }
    notify(state)
  })
  const answer = choose(state.script, request, state.served++)
  notify(state)
  await answer.play({ request, response, signal: gone.signal })
}

const notify = (state: State) => state.watchers.forEach((check) => check())

function until(state: State, condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const check = () => {
      if (!condition()) return
      state.watchers.delete(check)
      resolve()
    }
    state.watchers.add(check)
    check()
  })
}

function choose(script: Script, request: ReceivedRequest, served: number): Answer {
  if (typeof script === 'function') return script(request)
  if (!Array.isArray(script)) return script

  const answer = script[Math.min(served, script.length - 1)]
  if (!answer) throw new Error('an empty script')
  return answer
}

async function receive(incoming: IncomingMessage): Promise<ReceivedRequest> {
  const parts: Buffer[] = []
  for await (const part of incoming) parts.push(part)
  const text = Buffer.concat(parts).toString('utf8')
  const body = { messages: [], ...JSON.parse(text) } as ChatBody
  return { path: incoming.url ?? '', headers: incoming.headers, body, lastUserText: lastUserText(body), aborted: false, tokensWritten: 0 }
}

function lastUserText(body: ChatBody): string {
  const content = body.messages.findLast((message) => message.role === 'user')?.content ?? ''
  return typeof content === 'string' ? content : content.map((part) => part.text ?? '').join('')
}
