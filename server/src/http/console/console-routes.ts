import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { guardFromPages } from './page-guard.ts'
import { patRoutes } from './pat-routes.ts'
import type { PatServices } from './pat-routes.ts'
import { sessionRoutes } from './session-routes.ts'
import type { SessionServices } from './session-routes.ts'

export type ConsoleServices = { sessions: SessionServices; keys: PatServices }

/** Everything that is for people with a session; every route added here is guarded against other sites' pages. */
export const consoleRoutes =
  (services: ConsoleServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.addHook('onRequest', guardFromPages)

    await http.register(sessionRoutes(services.sessions))
    await http.register(patRoutes(services.keys))
  }
