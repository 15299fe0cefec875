import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { success } from '../success-reply.ts'
import { readStatus } from './server-status.ts'
import type { StatusServices } from './server-status.ts'

export const statusRoutes =
  (services: StatusServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.get('/api/console/status', { config: { auth: 'admin' } }, async (request) => success(request, await readStatus(services)))
  }
