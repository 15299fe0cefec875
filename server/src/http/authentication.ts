import type { FastifyContextConfig, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { CallOrigin } from '../accounts/api-key-authentication.ts'
import type { ConsolePrincipal } from '../accounts/console-sessions.ts'
import { assertAction } from '../accounts/principal.ts'
import type { Principal } from '../accounts/principal.ts'
import { WINDOW_MS } from '../cluster/limits.ts'
import type { Limits, Taken } from '../cluster/limits.ts'
import { AppError } from '../lib/app-error.ts'

export type AuthenticationServices = {
  /** The hot path: a key seen a moment ago is answered without a promise. */
  authenticateKey(secret: string, from: CallOrigin): Principal | Promise<Principal>
  /** One more of the calls that a key may make in a minute. */
  takeRequest: Limits['take']
  authenticateSession(cookie: string | undefined): Promise<ConsolePrincipal>
}

/** Deny by default: a route that does not say how it is protected, or what a key needs for it, does not register. */
export function protectRoutes(http: FastifyInstance, services: AuthenticationServices): void {
  http.addHook('onRoute', (route) => {
    if (route.config?.auth === undefined && route.method !== 'OPTIONS')
      throw new Error(`${String(route.method)} ${route.url} does not declare its authentication`)
    if (route.config?.auth === 'key' && route.config.action === undefined)
      throw new Error(`${String(route.method)} ${route.url} does not declare the action that a key needs`)
  })

  http.addHook('onRequest', (request, reply, done) => {
    reply.header('x-tt-logid', request.id)
    const { auth } = request.routeOptions.config
    // what is not a route is answered by the not-found handler
    if (auth === undefined || auth === 'public') return done()

    const principal = identify(services, request, auth)
    if (!(principal instanceof Promise)) {
      request.principal = principal
      if (!principal.access) return done()
    }
    const admitted = Promise.resolve(principal).then((known) => {
      request.principal = known
      return known.access && admit(services, request, reply)
    })
    admitted.then(
      () => done(),
      (cause: unknown) => done(cause instanceof Error ? cause : new Error('authentication failed', { cause })),
    )
  })
}

/** Asks whether a key that is limited may do this, and do it now. */
async function admit({ takeRequest }: AuthenticationServices, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { principal: who } = request
  assertMay(who, request.routeOptions.config.action)
  const limit = who.access?.policy.requestsPerMinute
  if (limit === undefined || who.keyId === undefined) return

  const taken = await takeRequest(who.keyId, limit)
  reply.headers(rateHeaders(limit, taken))
  if (taken.isTaken) return
  const { resetMs: retryAfterMs } = taken
  throw new AppError('rate_limited', `requests_per_minute: this api key may make ${limit} requests a minute`, { retryAfterMs })
}

const rateHeaders = (limit: number, { remaining, resetMs }: Taken) => ({
  'ratelimit-policy': `${limit};w=${WINDOW_MS / 1000}`,
  'ratelimit-limit': limit,
  'ratelimit-remaining': remaining,
  'ratelimit-reset': Math.ceil(resetMs / 1000),
})

function assertMay(who: Principal, action: FastifyContextConfig['action']): void {
  if (action !== undefined && action !== 'any') assertAction(who, action)
  // what any key may see is its owner's: not for the pages of end users
  else if (who.access?.token) throw new AppError('forbidden', 'this is for api keys, not for tokens')
}

type Protection = 'key' | 'session' | 'admin'

function identify(services: AuthenticationServices, request: FastifyRequest, auth: Protection): Principal | Promise<Principal> {
  if (auth === 'key') return services.authenticateKey(bearerToken(request.headers.authorization), request)
  const session = services.authenticateSession(request.headers.cookie)
  return auth === 'admin' ? session.then(assertAdmin) : session
}

function assertAdmin(who: ConsolePrincipal): ConsolePrincipal {
  if (who.role !== 'admin') throw new AppError('forbidden', 'this is for administrators: ask one of them')
  return who
}

const BEARER = /^bearer +(\S+) *$/i

/** The reasons are the guide's. */
function bearerToken(header: string | undefined): string {
  if (header === undefined || header.trim() === '') throw new AppError('unauthenticated', 'missing authorization in header')
  const token = BEARER.exec(header)?.[1]
  if (token === undefined)
    throw new AppError('unauthenticated', 'missing api_key in request: the header must be "Authorization: Bearer <api_key>"')
  return token
}
