import { timingSafeEqual } from 'node:crypto'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { AppError } from '../lib/app-error.ts'
import type { Metrics } from '../usage/metrics.ts'

export type OpsServices = {
  metrics: Metrics
  metricsToken: string | undefined
  /** Names what is not ready; nothing when the server can take requests. */
  findProblem(): Promise<string | undefined>
  /** What does not work although the server does, so that it need not be left out. */
  listWeaknesses(): Promise<string[]>
}

/** What operators and their machines ask: is it alive, can it work, how is it doing. */
export const opsRoutes =
  ({ metrics, metricsToken, findProblem, listWeaknesses }: OpsServices): FastifyPluginAsyncZod =>
  async (http) => {
    const schema = { hide: true }

    http.get('/healthz', { config: { auth: 'public' }, schema }, async () => ({ status: 'ok' }))

    http.get('/readyz', { config: { auth: 'public' }, schema }, async (_request, reply) => {
      const problem = await findProblem()
      if (problem === undefined) {
        const weaknesses = await listWeaknesses()
        return { status: 'ready', ...(weaknesses.length > 0 && { weaknesses }) }
      }
      return reply.code(503).send({ status: 'not ready', problem })
    })

    http.get('/metrics', { config: { auth: 'public' }, schema }, async (request, reply) => {
      const isAllowed =
        metricsToken === undefined ? isLoopback(request.ip) : isSame(request.headers.authorization, `Bearer ${metricsToken}`)
      if (!isAllowed)
        throw new AppError('unauthenticated', 'metrics need METRICS_TOKEN as a bearer token; without one they are for this machine only')
      return reply.type(metrics.contentType).send(await metrics.render())
    })
  }

const isLoopback = (ip: string) => ip === '::1' || ip.startsWith('127.') || ip.startsWith('::ffff:127.')

function isSame(given: string | undefined, expected: string): boolean {
  const [one, two] = [Buffer.from(given ?? ''), Buffer.from(expected)]
  return one.length === two.length && timingSafeEqual(one, two)
}
