/** Why there is no answer, from the point of view of somebody who wants to go on. */
export type ApiFailure =
  /** The server cannot be reached. */
  | 'unreachable'
  /** The server says that it cannot at the moment. */
  | 'unavailable'
  /** The server has a bug. */
  | 'broken'
  /** Too many requests. */
  | 'throttled'
  /** The session has ended. */
  | 'signed_out'
  /** What was asked for does not exist, or not for this person. */
  | 'missing'
  /** Somebody else has changed it meanwhile. */
  | 'conflict'
  /** The request is not what the server takes; the message says why. */
  | 'refused'

/** A request that was not answered well. `message` is the server's own sentence, in English. */
export class ApiError extends Error {
  readonly failure: ApiFailure
  /** 0 without an answer. */
  readonly status: number
  /** The number in the body of the answer. */
  readonly code: number
  /** What the server's log knows the request by. */
  readonly requestId: string | undefined
  readonly retryAfterMs: number | undefined
  /** The whole body of the answer, for errors that say more. */
  readonly body: unknown

  constructor(fields: {
    status: number
    code?: number
    message: string
    requestId?: string
    retryAfterMs?: number
    body?: unknown
    cause?: unknown
  }) {
    super(fields.message, { cause: fields.cause })
    this.name = 'ApiError'
    this.status = fields.status
    this.code = fields.code ?? fields.status
    this.requestId = fields.requestId
    this.retryAfterMs = fields.retryAfterMs
    this.body = fields.body
    this.failure = failureOf(fields.status)
  }
}

function failureOf(status: number): ApiFailure {
  if (status === 0) return 'unreachable'
  if (status === 401) return 'signed_out'
  if (status === 404) return 'missing'
  if (status === 409) return 'conflict'
  if (status === 429) return 'throttled'
  if (status === 502 || status === 503 || status === 504) return 'unavailable'
  return status >= 500 ? 'broken' : 'refused'
}

/** Whether the same request may succeed a little later. */
export const isPassing = (error: unknown): boolean =>
  error instanceof ApiError && (error.failure === 'unreachable' || error.failure === 'unavailable')

export const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === 'AbortError'
