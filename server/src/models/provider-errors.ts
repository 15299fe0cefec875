import type { IncomingHttpHeaders } from 'node:http'
import { ModelError } from './model-adapter.ts'
import type { ModelFailure } from './model-adapter.ts'

/** What a provider's refusal means. */
export type Refusal = {
  status: number
  headers: IncomingHttpHeaders
  /** The provider's own words, if its body has any. */
  message: string
  /** Must not appear in the error. */
  apiKey: string
}

const MESSAGE_CHARS = 300

/**
 * The error of an answer that is not 200. The provider's own words are shown only where it is the request that it refuses; elsewhere
 * they tell about the operator's account and are kept as the cause, for the log.
 */
export function refusalError(refusal: Refusal): ModelError {
  const { status } = refusal
  const said = presentable(refusal.message, refusal.apiKey)
  const options = said ? { cause: new Error(said) } : {}

  if (status === 401 || status === 403) return new ModelError('auth', `the model provider refuses the API key (${status})`, options)
  if (status === 429) {
    return new ModelError('rate_limit', 'the model provider limits the rate of calls (429)', {
      ...options,
      retryAfterMs: retryAfterMs(refusal.headers),
    })
  }
  if (status >= 500 || status === 408 || status === 425) {
    return new ModelError('unavailable', `the model provider failed (${status})`, {
      ...options,
      retryAfterMs: retryAfterMs(refusal.headers),
    })
  }
  if (status < 400) return new ModelError('rejected', `the model provider answers with ${status} instead of 200: check the base URL`)
  return new ModelError('rejected', `the model provider refuses the request (${status})${said && `: ${said}`}`)
}

/** The error that a provider put into an answer that began with 200. */
export function answerError(error: unknown, apiKey: string): ModelError {
  const said = presentable(providerMessage({ error }), apiKey)
  return new ModelError(failureOf(error), said ? `the model provider reports an error: ${said}` : 'the model provider reports an error')
}

/** The sentence in a provider's error body; empty when there is none. Understands what OpenAI and its many relatives send. */
export function providerMessage(body: unknown): string {
  if (typeof body === 'string') return body
  if (Array.isArray(body)) return body.map(providerMessage).filter(Boolean).join('; ')
  if (typeof body !== 'object' || body === null) return ''

  for (const value of [field(body, 'error'), field(body, 'message'), field(body, 'msg'), field(body, 'detail')]) {
    const message = providerMessage(value)
    if (message) return message
  }
  return ''
}

/** From `retry-after-ms`, or from `retry-after` in seconds or as a date. */
export function retryAfterMs(headers: IncomingHttpHeaders, now = Date.now()): number | undefined {
  const ms = Number(headers['retry-after-ms'] ?? NaN)
  if (Number.isFinite(ms) && ms >= 0) return ms

  const text = headers['retry-after']?.trim()
  if (!text) return undefined
  const seconds = Number(text)
  if (Number.isFinite(seconds)) return seconds >= 0 ? seconds * 1000 : undefined
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

/** One line, not too long, without the key. */
export function presentable(message: string, apiKey: string): string {
  const text = scrub(message, apiKey).replace(/\s+/g, ' ').trim()
  return text.length > MESSAGE_CHARS ? `${text.slice(0, MESSAGE_CHARS - 1)}…` : text
}

function scrub(text: string, apiKey: string): string {
  const withoutKey = apiKey.length >= 4 ? text.replaceAll(apiKey, '***') : text
  return withoutKey.replace(/\b(sk|pk|ak)-[\w*-]{8,}/gi, '$1-***')
}

function failureOf(error: unknown): ModelFailure {
  const code =
    typeof error === 'object' && error !== null ? [field(error, 'code'), field(error, 'type'), field(error, 'status')].join(' ') : ''
  if (/\b429\b|rate_?limit|too_many/i.test(code)) return 'rate_limit'
  if (/\b40[13]\b|auth|api_key|permission/i.test(code)) return 'auth'
  if (/\b4\d\d\b|invalid|not_found|content_filter|context_length/i.test(code)) return 'rejected'
  return 'unavailable'
}

function field(value: object, name: string): unknown {
  return name in value ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined
}
