import { hash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { IdempotencyKey } from '../db/idempotency-store.ts'
import { AppError } from '../lib/app-error.ts'

const MAX_LENGTH = 255

/**
 * The request's `Idempotency-Key`, bound to the API key that sent it, to the route and to what is
 * asked for. Undefined without the header. Throws `invalid_request` for one that cannot be kept.
 */
export function toIdempotencyKey(request: FastifyRequest, content: unknown): IdempotencyKey | undefined {
  const header = request.headers['idempotency-key']
  if (header === undefined) return undefined
  if (typeof header !== 'string' || !/^[\x21-\x7e]+$/.test(header) || header.length > MAX_LENGTH)
    throw new AppError('invalid_request', `Idempotency-Key must be 1 to ${MAX_LENGTH} visible ASCII characters`)

  const { keyId, userId, access } = request.principal
  const asked = JSON.stringify([request.method, request.routeOptions.url, content])
  // pages of several end users have one key
  const page = access?.token ? `:${hash('sha256', JSON.stringify(access.token.endUser), 'base64url').slice(0, 22)}` : ''
  return { scope: keyId === undefined ? `user:${userId}` : `key:${keyId}${page}`, key: header, requestHash: hash('sha256', asked) }
}
