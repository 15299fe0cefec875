import { lookup as dnsLookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { LookupFunction } from 'node:net'
import { Agent, buildConnector, fetch as undiciFetch } from 'undici'
import type { Dispatcher, Response as UndiciResponse } from 'undici'
import { createAddressRules } from './address-rules.ts'
import type { AddressRule, AddressRules } from './address-rules.ts'
import { AppError } from './app-error.ts'
import { linkAbort } from './linked-abort.ts'

/**
 * `fetch` for URLs that users give: tools, webhooks, files. It never connects to an address that the rules keep closed:
 * the address is judged when the connection is made, so that a name cannot lead elsewhere in between, and each redirect
 * is a new request with the same checks. Rejects with a GuardedFetchError, or with the reason of the caller's signal.
 */
export interface GuardedFetch {
  (url: string | URL, init?: GuardedFetchInit): Promise<Response>
  /** Breaks what is still running. */
  close(): Promise<void>
}

export type GuardedFetchInit = {
  method?: string
  headers?: Record<string, string> | Headers
  /** Of any method, GET and HEAD too. */
  body?: string | Uint8Array
  signal?: AbortSignal
  /** `manual` answers the redirect itself. Default: up to five are followed. */
  redirect?: 'follow' | 'manual'
  /** For all of it, to the end of the answer's body. Default: 30 s. */
  timeoutMs?: number
  /** Of the answer's body, unpacked; more than that breaks it off. Default: 10 MB. */
  maxBytes?: number
  /** Of a header that the answer has several times. Default: `all`, joined as `Headers` does. */
  repeatedHeaders?: 'all' | 'last'
}

export type GuardedFetchReason =
  AddressRule | 'invalid_url' | 'scheme' | 'port' | 'credentials' | 'too_many_redirects' | 'too_large' | 'timeout' | 'unreachable' | 'cut'

/** Says what happened in words for the one who gave the URL; of the URL it names the host and nothing else, which may be secret. */
export class GuardedFetchError extends AppError {
  readonly reason: GuardedFetchReason

  constructor(reason: GuardedFetchReason, message: string, options?: ErrorOptions) {
    super(failures.has(reason) ? 'unavailable' : 'invalid_request', message, options)
    this.name = 'GuardedFetchError'
    this.reason = reason
  }
}

const failures = new Set<GuardedFetchReason>(['timeout', 'unreachable', 'cut'])

/** All addresses of a name. */
export type ResolveHost = (hostname: string) => Promise<{ address: string; family: number }[]>

export type GuardedFetchOptions = {
  /** Ranges that the operator opens although they are private. */
  allowedCidrs: string[]
  resolveHost?: ResolveHost
}

const MAX_REDIRECTS = 5
const TIMEOUT_MS = 30_000
const CONNECT_MS = 10_000
const MAX_BYTES = 10_000_000

export function createGuardedFetch({ allowedCidrs, resolveHost = askSystem }: GuardedFetchOptions): GuardedFetch {
  const agent = new Agent({
    connect: createGuardedConnector(createAddressRules(allowedCidrs), resolveHost),
    ...{ allowH2: false, connections: null, headersTimeout: 0, bodyTimeout: 0 },
  })

  async function call(url: string | URL, init: GuardedFetchInit = {}): Promise<Response> {
    const watch = startWatch(init)
    let at = ''
    try {
      let request = firstRequest(url, init)
      for (let redirects = 0; ; redirects++) {
        at = request.url.host
        const wire = openWire(agent, request)
        const response = await undiciFetch(request.url, {
          ...{ method: request.method, headers: [...request.headers], body: wire.body },
          ...{ redirect: 'manual', signal: watch.signal, dispatcher: wire.dispatcher },
        })
        const target = init.redirect === 'manual' ? undefined : redirectTarget(response)
        if (target === undefined) {
          const last = init.repeatedHeaders === 'last' ? wire.lastHeaders : undefined
          return toCappedResponse(response, { host: at, watch, maxBytes: init.maxBytes ?? MAX_BYTES, last })
        }

        await response.body?.cancel()
        if (redirects === MAX_REDIRECTS)
          throw new GuardedFetchError('too_many_redirects', `${at} redirects more than ${MAX_REDIRECTS} times`)
        request = nextRequest(request, response.status, target)
      }
    } catch (cause) {
      watch.end()
      throw toFailure(cause, at, watch.signal)
    }
  }

  return Object.assign(call, { close: () => agent.destroy() })
}

const askSystem: ResolveHost = (hostname) => dnsLookup(hostname, { all: true })

/** The one place where connections begin: nothing gets past it, whoever asked for it. */
function createGuardedConnector(rules: AddressRules, resolveHost: ResolveHost): buildConnector.connector {
  const connect = buildConnector({ allowH2: false, timeout: CONNECT_MS, lookup: createGuardedLookup(rules, resolveHost) })

  return (options, callback) => {
    // @NOTE a literal address is never looked up
    const rule = isIP(options.hostname) === 0 ? undefined : rules.findRule(options.hostname)
    if (rule) queueMicrotask(() => callback(refuseAddress(options.hostname, rule), null))
    else connect(options, callback)
  }
}

/** Hands on the open addresses of a name only; what is connected to is one of them, there is no second lookup. */
function createGuardedLookup(rules: AddressRules, resolveHost: ResolveHost): LookupFunction {
  async function findOpen(hostname: string): Promise<{ address: string; family: number }[]> {
    const found = isLocalhost(hostname) ? LOOPBACK : await resolveHost(hostname)
    const open = found.filter(({ address }) => rules.findRule(address) === undefined)
    const [closed] = found
    if (open.length === 0 && closed) throw refuseAddress(hostname, rules.findRule(closed.address) ?? 'reserved')
    if (open.length === 0) throw new GuardedFetchError('unreachable', `${hostname} has no address`)
    return open
  }

  return (hostname, { all }, callback) => {
    findOpen(hostname).then(
      (open) => (all ? callback(null, open) : callback(null, open[0]?.address ?? '', open[0]?.family)),
      (cause: unknown) => callback(cause instanceof Error ? cause : new Error('the lookup failed', { cause }), ''),
    )
  }
}

const LOOPBACK = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
]

const isLocalhost = (hostname: string) => /^(.+\.)?localhost\.?$/i.test(hostname)

const names: Record<AddressRule, string> = {
  unspecified: 'an unspecified address',
  loopback: 'this server itself',
  private: 'a private address',
  link_local: 'a link-local address',
  metadata: 'a cloud’s metadata',
  shared: 'a shared (carrier-grade NAT) address',
  multicast: 'a multicast address',
  reserved: 'a reserved address',
}

function refuseAddress(hostname: string, rule: AddressRule): GuardedFetchError {
  return new GuardedFetchError(
    rule,
    `${hostname} leads to ${names[rule]}, which URLs of users must not reach; the operator can open a range with ALLOWED_PRIVATE_CIDRS`,
  )
}

type GuardedRequest = { url: URL; method: string; headers: Headers; body: string | Uint8Array | undefined }

function firstRequest(url: string | URL, { method = 'GET', headers, body }: GuardedFetchInit): GuardedRequest {
  return { url: parseUrl(url), method: method.toUpperCase(), headers: new Headers(headers), body }
}

function parseUrl(text: string | URL, from?: URL): URL {
  const url = URL.parse(String(text), from?.href)
  if (!url) throw new GuardedFetchError('invalid_url', 'this is no URL')
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new GuardedFetchError('scheme', `a URL must begin with http:// or https://, not ${url.protocol}`)
  if (url.username !== '' || url.password !== '')
    throw new GuardedFetchError('credentials', `the URL of ${url.host} must not hold a user name or password: use a header`)
  return url
}

type Wire = { dispatcher: Dispatcher; body: string | Uint8Array | undefined; lastHeaders: Map<string, string> }

/** What `fetch` does not do by itself: it takes no body for a GET, and of repeated headers it shows only the sum. */
function openWire(agent: Agent, { method, body }: GuardedRequest): Wire {
  const lastHeaders = new Map<string, string>()
  const isBodyless = method === 'GET' || method === 'HEAD'
  const dispatcher = agent.compose((dispatch) => (options, handler) => {
    const start = handler.onResponseStart?.bind(handler)
    handler.onResponseStart = (...args) => {
      for (const [name, value] of Object.entries(args[2])) if (Array.isArray(value)) lastHeaders.set(name, value.at(-1) ?? '')
      start?.(...args)
    }
    return dispatch(isBodyless && body !== undefined ? { ...options, body } : options, handler)
  })
  return { dispatcher, body: isBodyless ? undefined : body, lastHeaders }
}

function redirectTarget(response: UndiciResponse): string | undefined {
  return [301, 302, 303, 307, 308].includes(response.status) ? (response.headers.get('location') ?? undefined) : undefined
}

/** Another origin gets none of the caller's own headers: any of them may be a key. */
function nextRequest(from: GuardedRequest, status: number, target: string): GuardedRequest {
  const url = parseUrl(target, from.url)
  const headers = url.origin === from.url.origin ? new Headers(from.headers) : onlyHarmless(from.headers)
  const becomesGet = (status === 303 && from.method !== 'HEAD') || (status < 303 && from.method === 'POST')
  if (!becomesGet) return { ...from, url, headers }

  for (const name of ['content-type', 'content-encoding', 'content-language', 'content-length']) headers.delete(name)
  return { url, headers, method: 'GET', body: undefined }
}

function onlyHarmless(headers: Headers): Headers {
  const harmless = ['accept', 'accept-language', 'content-type', 'user-agent']
  return new Headers([...headers].filter(([name]) => harmless.includes(name)))
}

type Watch = { signal: AbortSignal; end(): void }

/** Aborts when the time is over or the caller aborts; to be ended when the answer is over. */
function startWatch({ signal, timeoutMs = TIMEOUT_MS }: GuardedFetchInit): Watch {
  const { control, release } = linkAbort(signal)
  const timer = setTimeout(() => control.abort(new GuardedFetchError('timeout', `no answer within ${timeoutMs / 1000} s`)), timeoutMs)

  return {
    signal: control.signal,
    end() {
      clearTimeout(timer)
      release()
    },
  }
}

type Capped = { host: string; watch: Watch; maxBytes: number; last?: Map<string, string> }

function toCappedResponse(response: UndiciResponse, capped: Capped): Response {
  const { status, statusText, headers, body } = response
  const announced = headers.has('content-encoding') ? 0 : Number(headers.get('content-length') ?? 0)
  if (body && announced > capped.maxBytes) {
    void body.cancel().catch(() => undefined)
    throw tooLarge(capped)
  }

  if (!body) capped.watch.end()
  const shown = new Headers([...headers])
  for (const [name, value] of capped.last ?? []) shown.set(name, value)
  return new Response(body && capBody(body.getReader(), capped), { status, statusText, headers: shown })
}

function capBody(reader: ReadableStreamDefaultReader<Uint8Array>, capped: Capped): ReadableStream<Uint8Array> {
  const { host, watch, maxBytes } = capped
  let left = maxBytes

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          if (done) {
            watch.end()
            return controller.close()
          }
          left -= value.byteLength
          if (left < 0) throw tooLarge(capped)
          controller.enqueue(value)
        } catch (cause) {
          watch.end()
          controller.error(toFailure(cause, host, watch.signal))
          await reader.cancel().catch(() => undefined)
        }
      },
      cancel(reason) {
        watch.end()
        return reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
}

const tooLarge = ({ host, maxBytes }: Capped) => new GuardedFetchError('too_large', `the answer of ${host} has more than ${maxBytes} bytes`)

/** What a library threw, in our words: its own may hold the URL. */
function toFailure(cause: unknown, host: string, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason
  const causes = causesOf(cause)
  const own = causes.find((each) => each instanceof GuardedFetchError)
  if (own) return own

  if (causes.some(({ message }) => message === 'bad port')) return new GuardedFetchError('port', `${host}: this port is not for HTTP`)
  const code = causes.map((each) => ('code' in each ? each.code : undefined)).find((each) => typeof each === 'string')
  if (cause instanceof Error && cause.message === 'terminated')
    return new GuardedFetchError('cut', `${host} broke off its answer`, { cause })
  return new GuardedFetchError('unreachable', `${host} cannot be reached${code ? ` (${code})` : ''}`, { cause })
}

/** The error, what caused it, and so on. */
function causesOf(cause: unknown): Error[] {
  const causes: Error[] = []
  for (let at = cause; at instanceof Error && causes.length < 10; at = at.cause) causes.push(at)
  return causes
}
