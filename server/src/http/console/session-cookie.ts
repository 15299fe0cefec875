import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Browser } from '../../accounts/console-sessions.ts'

/** Where a request comes from. */
export function browserOf(request: FastifyRequest): Browser {
  return { address: request.ip, userAgent: request.headers['user-agent']?.slice(0, 500) }
}

/** Hands on what sets or clears the session's cookie. */
export function withCookie<T>(reply: FastifyReply, setCookie: string[], body: T): T {
  if (setCookie.length > 0) reply.header('set-cookie', setCookie)
  return body
}
