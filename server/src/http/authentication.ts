import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ConsolePrincipal } from '../accounts/console-sessions.ts'
import type { Principal } from '../accounts/principal.ts'
import { AppError } from '../lib/app-error.ts'

export type AuthenticationServices = {
  /** The hot path: a key seen a moment ago is answered without a promise. */
  authenticateKey(secret: string): Principal | Promise<Principal>
  authenticateSession(cookie: string | undefined): Promise<ConsolePrincipal>
}

/** Deny by default: a route that does not say how it is protected does not register. */
export function protectRoutes(http: FastifyInstance, services: AuthenticationServices): void {
  http.addHook('onRoute', (route) => {
    if (route.config?.auth === undefined && route.method !== 'OPTIONS')
      throw new Error(`${String(route.method)} ${route.url} does not declare its authentication`)
  })

  http.addHook('onRequest', (request, reply, done) => {
    reply.header('x-tt-logid', request.id)
    const { auth } = request.routeOptions.config
    // what is not a route is answered by the not-found handler
    if (auth === undefined || auth === 'public') return done()

    const principal = identify(services, request, auth)
    if (!(principal instanceof Promise)) {
      request.principal = principal
      return done()
    }
    principal.then(
      (known) => {
        request.principal = known
        done()
      },
      (cause: unknown) => done(cause instanceof Error ? cause : new Error('authentication failed', { cause })),
    )
  })
}

type Protection = 'key' | 'session' | 'admin'

function identify(services: AuthenticationServices, request: FastifyRequest, auth: Protection): Principal | Promise<Principal> {
  if (auth === 'key') return services.authenticateKey(bearerToken(request.headers.authorization))
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
