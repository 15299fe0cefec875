import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { isDatabaseUnavailable } from '../db/database.ts'
import { AppError } from '../lib/app-error.ts'
import type { ErrorCode } from '../lib/app-error.ts'

/** HTTP status and body code of each error: the guide's where it names one, Coze's own otherwise. */
export const wireErrors: Record<ErrorCode, { status: number; code: number }> = {
  invalid_request: { status: 422, code: 422 },
  bad_parameters: { status: 400, code: 4000 },
  unauthenticated: { status: 401, code: 401 },
  forbidden: { status: 403, code: 403 },
  not_found: { status: 404, code: 404 },
  not_published: { status: 404, code: 6031 },
  conversation_unknown: { status: 404, code: 777777762 },
  conflict: { status: 409, code: 409 },
  conversation_busy: { status: 409, code: 4016 },
  cannot_cancel: { status: 400, code: 4104 },
  too_large: { status: 413, code: 413 },
  rate_limited: { status: 429, code: 4013 },
  run_failed: { status: 500, code: 500 },
  unavailable: { status: 503, code: 503 },
}

export type ErrorBody = { code: number; msg: string; message: string; request_id: string; detail: { logid: string } }

/** One line without a newline at its end: the official JavaScript SDK loses a stream's error otherwise. */
export function errorBody(code: number, message: string, requestId: string): ErrorBody {
  return { code, msg: message, message, request_id: requestId, detail: { logid: requestId } }
}

export function replyWithError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = toKnownError(error, request, reply)
  const { status, code } = known ? wireErrors[known.code] : { status: 500, code: 500 }
  return reply.code(status).send({ ...errorBody(code, known?.message ?? 'internal server error', request.id), ...known?.details })
}

/** What the caller may be told, in whatever shape; undefined for a bug, which is logged. Says in a header when to come again. */
export function toKnownError(error: unknown, request: FastifyRequest, reply: FastifyReply): AppError | undefined {
  const known = toAppError(error)
  if (!known) request.log.error({ err: error, requestId: request.id }, 'unexpected error')
  if (known?.code === 'unavailable' || known?.code === 'rate_limited')
    reply.header('retry-after', Math.max(1, Math.ceil((known.retryAfterMs ?? 1_000) / 1000)))
  return known
}

function toAppError(error: unknown): AppError | undefined {
  if (error instanceof AppError) return error
  if (isDatabaseUnavailable(error))
    return new AppError('unavailable', 'the database cannot be reached or is busy: try again shortly', { cause: error })
  return isFastifyError(error) ? fromFastify(error) : undefined
}

const isFastifyError = (error: unknown): error is FastifyError =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('FST_')

function fromFastify(error: FastifyError): AppError | undefined {
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new AppError('too_large', 'the body is larger than this server takes')
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return new AppError('invalid_request', 'send the body as JSON with the header Content-Type: application/json')
  if (error.code === 'FST_ERR_CTP_INVALID_CONTENT_LENGTH')
    return new AppError('invalid_request', 'the body does not have the length that Content-Length names')
  if (error.code === 'FST_ERR_BAD_URL' || error.code === 'FST_ERR_MAX_PARAM_LENGTH')
    return new AppError('invalid_request', 'the path cannot be read: percent-encode it, and give no name of more than 100 characters')
  return error.statusCode !== undefined && error.statusCode < 500 ? new AppError('invalid_request', 'the request is not valid') : undefined
}
