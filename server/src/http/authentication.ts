import type { FastifyContextConfig, FastifyInstance, FastifyRequest } from 'fastify'
import type { CallOrigin } from '../accounts/api-key-authentication.ts'
import type { ConsolePrincipal } from '../accounts/console-sessions.ts'
import { assertAction } from '../accounts/principal.ts'
import type { Principal } from '../accounts/principal.ts'
import { AppError } from '../lib/app-error.ts'

export type AuthenticationServices = {
  /** The hot path: a key seen a moment ago is answered without a promise. */
  authenticateKey(secret: string, from: CallOrigin): Principal | Promise<Principal>
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
    const { config } = request.routeOptions
    const { auth } = config
    // what is not a route is answered by the not-found handler
    if (auth === undefined || auth === 'public') return done()

    const principal = identify(services, request, auth)
    if (!(principal instanceof Promise)) return done(admit(request, principal, config))
    principal.then(
      (known) => done(admit(request, known, config)),
      (cause: unknown) => done(toError(cause)),
    )
  })
}

/** The reason why not. Who has no limits is not asked. */
function admit(request: FastifyRequest, who: Principal, { action }: FastifyContextConfig): Error | undefined {
  request.principal = who
  if (!who.access) return undefined
  try {
    assertMay(who, action)
    return undefined
  } catch (cause) {
    return toError(cause)
  }
}

function assertMay(who: Principal, action: FastifyContextConfig['action']): void {
  if (action !== undefined && action !== 'any') assertAction(who, action)
  // what any key may see is its owner's: not for the pages of end users
  else if (who.access?.token) throw new AppError('forbidden', 'this is for api keys, not for tokens')
}

const toError = (cause: unknown): Error => (cause instanceof Error ? cause : new Error('authentication failed', { cause }))

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
