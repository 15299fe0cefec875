import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Principal } from '../accounts/principal.ts'
import type { Metrics } from '../usage/metrics.ts'

/** One line and one count for each request, when its answer is complete. Neither has a secret, a query string or a body. */
export function recordRequests(http: FastifyInstance, metrics: Metrics): void {
  http.addHook('onResponse', (request, reply, done) => {
    const { method, id: requestId } = request
    const caller = callerOf(request)
    // the route's pattern, not the path: paths have ids, and there is no end of them
    const endpoint = request.routeOptions.url ?? 'unmatched'
    const status = reply.raw.statusCode
    const ms = reply.elapsedTime
    metrics.httpRequest({ endpoint, method, status, keyId: caller?.keyId, seconds: ms / 1000 })
    if (QUIET.has(endpoint)) return done()

    const facts = {
      requestId,
      method,
      endpoint,
      status,
      ms: Math.round(ms * 10) / 10,
      keyId: caller?.keyId,
      userId: caller?.userId,
      ip: request.ip,
    }
    http.log.info(facts, 'request')
    done()
  })
}

/** Nobody on public routes, and where the caller was refused. */
const callerOf = (request: FastifyRequest): Principal | undefined => ('principal' in request ? request.principal : undefined)

const QUIET = new Set(['/healthz', '/readyz', '/metrics'])
