import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Principal } from '../accounts/principal.ts'
import type { Metrics } from '../usage/metrics.ts'

/** One line and one count for each request, when its answer is over. Neither has a secret, a query string or a body. */
export function recordRequests(http: FastifyInstance, metrics: Metrics): void {
  http.addHook('onRequest', (request, reply, done) => {
    const startedAt = performance.now()
    // @NOTE `close` comes also when the client leaves before the end; Fastify's onResponse does not
    reply.raw.once('close', () => {
      const ms = performance.now() - startedAt
      const { method, id: requestId } = request
      const caller = callerOf(request)
      // the route's pattern, not the path: paths have ids, and there is no end of them
      const endpoint = request.routeOptions.url ?? 'unmatched'
      const status = reply.raw.headersSent ? reply.raw.statusCode : CLIENT_LEFT
      metrics.httpRequest({ endpoint, method, status, keyId: caller?.keyId, seconds: ms / 1000 })
      if (QUIET.has(endpoint)) return

      const left = reply.raw.writableFinished ? undefined : true
      const who = { keyId: caller?.keyId, userId: caller?.userId, ip: request.ip }
      http.log.info({ requestId, method, endpoint, status, ms: Math.round(ms * 10) / 10, ...who, clientLeft: left }, 'request')
    })
    done()
  })
}

/** Nobody on public routes, and where the caller was refused. */
const callerOf = (request: FastifyRequest): Principal | undefined => ('principal' in request ? request.principal : undefined)

// as nginx counts a request whose client did not wait for the answer
const CLIENT_LEFT = 499
const QUIET = new Set(['/healthz', '/readyz', '/metrics'])
