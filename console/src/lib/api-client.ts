import { ApiError } from './api-error.ts'
import { untilSignedIn } from './session-gate.ts'

export type ApiOptions = { query?: ApiQuery; signal?: AbortSignal }

/** What is undefined or empty is left out. */
export type ApiQuery = Record<string, string | number | boolean | undefined>

/**
 * Requests to `/api/console/*`. An answer is the `data` of its envelope; its type is the one that the route's wire file exports. What goes
 * wrong is an `ApiError` (or the signal's AbortError). A request whose session has ended waits for the person to sign in again, and is
 * then sent once more: nothing is lost.
 */
export const api = {
  get: <T>(path: string, options?: ApiOptions) => request<T>('GET', path, options),
  post: <T>(path: string, body?: object, options?: ApiOptions) => request<T>('POST', path, { ...options, body }),
  put: <T>(path: string, body?: object, options?: ApiOptions) => request<T>('PUT', path, { ...options, body }),
  patch: <T>(path: string, body?: object, options?: ApiOptions) => request<T>('PATCH', path, { ...options, body }),
  delete: <T>(path: string, body?: object, options?: ApiOptions) => request<T>('DELETE', path, { ...options, body }),
}

/** For what needs more than `data`: events, downloads. Throws an `ApiError` unless the answer is good. */
export async function send(
  method: string,
  path: string,
  options: ApiOptions & { body?: object; headers?: HeadersInit } = {},
): Promise<Response> {
  const response = await fetchOnce(method, path, options)
  if (response.ok) return response

  const error = await toApiError(response)
  // signing in has its own way to say no
  if (error.failure !== 'signed_out' || path === SIGN_IN || !(await untilSignedIn())) throw error
  const second = await fetchOnce(method, path, options)
  if (second.ok) return second
  throw await toApiError(second)
}

export const SIGN_IN = '/api/console/sign-in'

async function request<T>(method: string, path: string, options: ApiOptions & { body?: object } = {}): Promise<T> {
  const response = await send(method, path, options)
  return parseEnvelope<T>(await response.text(), path)
}

async function fetchOnce(method: string, path: string, options: ApiOptions & { body?: object; headers?: HeadersInit }): Promise<Response> {
  const headers = new Headers(options.headers)
  // what tells the server that no page of another site is asking, where browsers do not say so themselves
  if (method !== 'GET') headers.set('x-console', '1')
  // a file goes as it is, and says itself what it is
  const raw = options.body instanceof Blob || options.body instanceof FormData ? options.body : undefined
  if (options.body && !raw) headers.set('content-type', 'application/json')
  const body = raw ?? (options.body && JSON.stringify(options.body))

  try {
    return await fetch(path + toQueryString(options.query), { method, headers, body, signal: options.signal, credentials: 'same-origin' })
  } catch (cause) {
    if (options.signal?.aborted) throw cause
    throw new ApiError({ status: 0, message: 'the server cannot be reached', cause })
  }
}

function toQueryString(query: ApiQuery = {}): string {
  const pairs = Object.entries(query).flatMap(([name, value]) => (value === undefined || value === '' ? [] : [[name, String(value)]]))
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`
}

/** @NOTE the type is the server's promise: both sides of it are this repository, and are served by one process */
function parseEnvelope<T>(text: string, path: string): T {
  const envelope = parseJson(text)
  if (typeof envelope === 'object' && envelope !== null && 'data' in envelope) return envelope.data as T
  throw new ApiError({ status: 502, message: `the answer to ${path} cannot be read`, body: text })
}

/** Public so that readers of other answers report refusals in the same way. */
export async function toApiError(response: Response): Promise<ApiError> {
  const body = parseJson(await response.text().catch(() => ''))
  const fields = typeof body === 'object' && body !== null ? body : {}
  const retryAfter = Number(response.headers.get('retry-after'))
  return new ApiError({
    status: response.status,
    code: 'code' in fields && typeof fields.code === 'number' ? fields.code : undefined,
    message: 'msg' in fields && typeof fields.msg === 'string' && fields.msg !== '' ? fields.msg : `the server answered ${response.status}`,
    requestId: response.headers.get('x-tt-logid') ?? undefined,
    retryAfterMs: retryAfter > 0 ? retryAfter * 1000 : undefined,
    body,
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
