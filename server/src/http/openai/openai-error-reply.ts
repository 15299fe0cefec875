import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { RunError } from '../../chat/chat-event.ts'
import { AppError } from '../../lib/app-error.ts'
import type { ErrorCode } from '../../lib/app-error.ts'
import { toKnownError } from '../error-reply.ts'
import { firstIssue } from '../validation.ts'

type OpenAiError = { message: string; type: string; param: string | null; code: string | null }

/** As OpenAI answers: its clients choose their exception by the status, and people read `code`. */
const openAiErrors: Record<ErrorCode, { status: number; type: string; code: string | null }> = {
  invalid_request: { status: 400, type: 'invalid_request_error', code: null },
  bad_parameters: { status: 400, type: 'invalid_request_error', code: null },
  unauthenticated: { status: 401, type: 'invalid_request_error', code: 'invalid_api_key' },
  forbidden: { status: 403, type: 'invalid_request_error', code: 'forbidden' },
  not_found: { status: 404, type: 'invalid_request_error', code: 'not_found' },
  not_published: { status: 404, type: 'invalid_request_error', code: 'not_found' },
  conversation_unknown: { status: 404, type: 'invalid_request_error', code: 'not_found' },
  conflict: { status: 409, type: 'invalid_request_error', code: 'conflict' },
  conversation_busy: { status: 409, type: 'invalid_request_error', code: 'conflict' },
  cannot_cancel: { status: 400, type: 'invalid_request_error', code: null },
  too_large: { status: 413, type: 'invalid_request_error', code: 'request_too_large' },
  rate_limited: { status: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded' },
  run_failed: { status: 500, type: 'server_error', code: 'run_failed' },
  unavailable: { status: 503, type: 'server_error', code: 'unavailable' },
}

const UNEXPECTED = { status: 500, type: 'server_error', code: null }

export const modelNotFound = (model: string): AppError =>
  new AppError(
    'not_found',
    `the model ${JSON.stringify(model.slice(0, 100))} does not exist: model is the id of one of your published bots`,
    {
      details: { code: 'model_not_found', param: 'model' },
    },
  )

/** The error handler of the routes that speak as OpenAI does. */
export function replyWithOpenAiError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = toKnownError(error, request, reply)
  const { status } = known ? openAiErrors[known.code] : UNEXPECTED
  return reply
    .code(status)
    .header('x-request-id', request.id)
    .send({ error: toOpenAiError(known) })
}

/** Undefined is a bug: of it nothing is told. */
export function toOpenAiError(known: AppError | undefined): OpenAiError {
  const { type, code } = known ? openAiErrors[known.code] : UNEXPECTED
  const { param = paramOf(known), ...named } = detailsSchema.parse(known?.details ?? {})
  return { message: known?.message ?? 'internal server error', type, param, code: named.code ?? code }
}

const detailsSchema = z.object({ code: z.string().optional(), param: z.string().optional() })

/** The field that was refused, as OpenAI writes it: `messages[0].content`. */
function paramOf(known: AppError | undefined): string | null {
  if (!(known?.cause instanceof z.ZodError)) return null
  const path = firstIssue(known.cause)?.path ?? []
  return path.reduce<string>((text, key) => text + (typeof key === 'number' ? `[${key}]` : `${text && '.'}${String(key)}`), '') || null
}

/** How a chat failed, in a way that tells clients whether a retry makes sense: they repeat 429 and 5xx by themselves. */
export function toRunFailure({ code, message }: RunError): AppError {
  if (code === 'rate_limit') return new AppError('rate_limited', message)
  if (code === 'rejected') return new AppError('invalid_request', message)
  return new AppError(code === 'interrupted' ? 'unavailable' : 'run_failed', message)
}
