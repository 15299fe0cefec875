/**
 * The one error that reaches a caller. Everything else that is thrown is a bug and is answered
 * with a generic text. Codes are names; HTTP statuses and wire numbers are given at the edge.
 */
export type ErrorCode =
  | 'invalid_request'
  /** The parameters of a workflow's run do not fit what it declares. */
  | 'bad_parameters'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  /** It is the caller's own, and has no live version. */
  | 'not_published'
  /** The app has no conversation of that name. */
  | 'conversation_unknown'
  | 'conflict'
  | 'conversation_busy'
  | 'cannot_cancel'
  | 'too_large'
  | 'rate_limited'
  | 'run_failed'
  | 'unavailable'

export type AppErrorOptions = ErrorOptions & {
  /** When a later try may succeed. */
  retryAfterMs?: number
  /** More fields for the caller's error body. */
  details?: Record<string, unknown>
}

export class AppError extends Error {
  readonly code: ErrorCode
  readonly retryAfterMs: number | undefined
  readonly details: Record<string, unknown> | undefined

  /** `message` is shown to the caller: it says what is wrong and, where it can, what to do. */
  constructor(code: ErrorCode, message: string, options?: AppErrorOptions) {
    super(message, options)
    this.name = 'AppError'
    this.code = code
    this.retryAfterMs = options?.retryAfterMs
    this.details = options?.details
  }
}
