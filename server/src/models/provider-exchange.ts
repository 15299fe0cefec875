import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import { ModelError } from './model-adapter.ts'
import type { ProviderConnection } from './provider-connection.ts'
import { fellSilent, notBegun } from './silence-watch.ts'

/** One POST to a provider and the bytes of its answer, as they come. */
export type ProviderCall = {
  connection: ProviderConnection
  url: URL
  headers: Record<string, string>
  body: string
  signal: AbortSignal
  /** From the call to the first byte of the answer's body. */
  firstByteMs: number
  betweenChunksMs: number
}

/** What it throws ends the call and is what `exchange` rejects with. */
export type ByteSink = {
  /** Once, before any bytes. */
  onHead(status: number, headers: IncomingHttpHeaders): void
  /** `done`: nothing that follows matters any more. */
  onBytes(bytes: Buffer): 'more' | 'done'
  /** The body came to its end in good order; after `done` too, then it must not throw. */
  onEnd(): void
}

/**
 * Resolves when the body ended or the sink is done. Rejects with a ModelError, or with the signal's reason: after that the sink
 * is not called again and the connection is closed.
 *
 * undici's `dispatch` with a handler, because per chunk it is the cheapest of the clean ways: a stream in between, or node:http,
 * costs about 2 µs more.
 */
export function exchange(call: ProviderCall, sink: ByteSink): Promise<void> {
  return new Promise((resolve, reject) => {
    call.signal.throwIfAborted()
    const handler = new ExchangeHandler(call, sink, { resolve, reject })
    const { pathname, search, origin } = call.url
    const options = {
      origin,
      path: pathname + search,
      method: 'POST',
      headers: call.headers,
      body: call.body,
      headersTimeout: 0,
      bodyTimeout: 0,
    }
    try {
      call.connection.dispatcherFor(call.url).dispatch(options, handler)
    } catch (cause) {
      handler.onResponseError(undefined, cause)
    }
  })
}

/** After the sink is done, how long to wait for the end of the answer, which leaves the connection free for the next call. */
const LINGER_MS = 250

type Outcome = { resolve: () => void; reject: (cause: unknown) => void }

class ExchangeHandler implements Dispatcher.DispatchHandler {
  readonly #call: ProviderCall
  readonly #sink: ByteSink
  readonly #outcome: Outcome
  #controller: Dispatcher.DispatchController | undefined
  #timer: NodeJS.Timeout
  #settled = false
  #flowing = false
  #done = false

  constructor(call: ProviderCall, sink: ByteSink, outcome: Outcome) {
    this.#call = call
    this.#sink = sink
    this.#outcome = outcome
    this.#timer = setTimeout(this.#onFirstByteTimeout, call.firstByteMs)
    call.signal.addEventListener('abort', this.#onAbort)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#settled) this.#hangUp()
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    // 1xx is not the answer yet
    if (this.#settled || status < 200) return
    try {
      this.#sink.onHead(status, headers)
    } catch (cause) {
      this.#fail(cause)
    }
  }

  onResponseData(_controller: Dispatcher.DispatchController, bytes: Buffer): void {
    if (this.#settled || this.#done) return
    if (this.#flowing) this.#timer.refresh()
    else this.#startFlowing()
    try {
      if (this.#sink.onBytes(bytes) === 'done') this.#awaitEnd()
    } catch (cause) {
      this.#fail(cause)
    }
  }

  onResponseEnd(): void {
    if (this.#settled) return
    try {
      this.#sink.onEnd()
      this.#succeed()
    } catch (cause) {
      this.#fail(cause)
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, cause: unknown): void {
    if (this.#settled) return
    if (this.#done) this.#succeed()
    else this.#fail(connectionError(cause, this.#controller !== undefined))
  }

  #startFlowing(): void {
    this.#flowing = true
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#onSilence, this.#call.betweenChunksMs)
  }

  readonly #onFirstByteTimeout = () => this.#fail(notBegun(this.#call.firstByteMs))
  readonly #onSilence = () => this.#fail(fellSilent(this.#call.betweenChunksMs))
  readonly #onAbort = () => this.#fail(this.#call.signal.reason)

  /** The end follows at once, as a rule; where it does not, the connection is given up. */
  #awaitEnd(): void {
    this.#done = true
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#succeed()
      this.#hangUp()
    }, LINGER_MS)
  }

  #succeed(): void {
    this.#settle()
    this.#outcome.resolve()
  }

  #fail(cause: unknown): void {
    if (this.#settled) return
    this.#settle()
    this.#hangUp()
    this.#outcome.reject(cause)
  }

  #settle(): void {
    this.#settled = true
    clearTimeout(this.#timer)
    this.#call.signal.removeEventListener('abort', this.#onAbort)
  }

  #hangUp(): void {
    this.#controller?.abort(new Error('the call is over'))
  }
}

/** Codes only: texts of libraries tell addresses. `connected`: the request was on its way to the provider. */
export function connectionError(cause: unknown, connected = BROKEN_CONNECTION.test(errorCode(cause))): ModelError {
  const code = errorCode(cause)
  const hint = code && ` (${code})`
  if (code === 'UND_ERR_CONNECT_TIMEOUT')
    return new ModelError('timeout', 'the model provider did not take the connection in time', { cause })
  if (code === 'UND_ERR_INVALID_ARG') {
    return new ModelError('rejected', 'the request to the model provider cannot be sent: check base URL and API key', { cause })
  }
  if (code.startsWith('HPE_')) return new ModelError('garbage', `the model provider does not answer with HTTP${hint}`, { cause })
  if (connected) return new ModelError('cut', `the model provider broke the connection before the end of its answer${hint}`, { cause })
  return new ModelError('unreachable', `the model provider cannot be reached${hint}`, { cause })
}

const BROKEN_CONNECTION = /^(UND_ERR_SOCKET|UND_ERR_RES_\w+|UND_ERR_BODY_TIMEOUT|ECONNRESET|EPIPE)$/

/** Of the error or of what caused it; empty when there is none. */
export function errorCode(cause: unknown): string {
  if (!(cause instanceof Error)) return ''
  if ('code' in cause && typeof cause.code === 'string') return cause.code
  return errorCode(cause.cause)
}
