import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { z } from 'zod'
import type { Json } from './test-app.ts'

/** A route as the server registers it; schemas are JSON Schema of what may be sent. */
export type CollectedRoute = {
  method: string
  /** With `:name` and `*` for what varies. */
  url: string
  auth: 'key' | 'session' | 'admin' | 'public'
  body?: Json
  query?: Json
}

type RouteHook = { method: string | string[]; url: string; schema?: Record<string, unknown>; config?: { auth: CollectedRoute['auth'] } }

/** Every route of all servers that are made from now on, also of those that the reference does not show. */
export function collectRoutes(): { routes: CollectedRoute[]; stop(): void } {
  const routes: CollectedRoute[] = []
  const listen = (message: unknown) => {
    const { fastify } = message as { fastify: { addHook(name: 'onRoute', hook: (route: RouteHook) => void): void } }
    fastify.addHook('onRoute', ({ method, url, schema, config }) => {
      for (const each of [method].flat()) {
        if (each === 'OPTIONS' || config === undefined) continue
        const known = { method: each, url, auth: config.auth }
        routes.push({ ...known, body: toJsonSchema(schema?.['body']), query: toJsonSchema(schema?.['querystring']) })
      }
    })
  }
  subscribe('fastify.initialization', listen)
  return { routes, stop: () => void unsubscribe('fastify.initialization', listen) }
}

const toJsonSchema = (schema: unknown): Json =>
  schema === undefined ? undefined : z.toJSONSchema(schema as z.ZodType, { io: 'input', unrepresentable: 'any', reused: 'inline' })
