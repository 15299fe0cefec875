import cors from '@fastify/cors'
import type { FastifyCorsOptions } from '@fastify/cors'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { claimedOrigins } from '../accounts/token-signature.ts'

/**
 * Pages of which origins may read what the API answers: those that the operator names, and those that a token is for. Whether a page
 * may ask is told to all of them: the key or token that comes with the question is what counts, and no cookie ever does. The console
 * has its pages on its own origin and answers no other.
 */
export async function allowPages(http: FastifyInstance, corsOrigins: string[]): Promise<void> {
  await http.register(cors, () => (request: FastifyRequest, callback: (error: Error | null, options: FastifyCorsOptions) => void) => {
    callback(null, isOpen(request) ? { ...OPTIONS, origin: allowedOrigin(request, corsOrigins) } : { origin: false })
  })
}

const OPTIONS = {
  methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
  // headers are allowed as they are asked for: every client library has its own
  exposedHeaders: [
    ...['x-tt-logid', 'x-request-id', 'retry-after'],
    ...['ratelimit-policy', 'ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'],
  ],
  maxAge: 86_400,
  // answers differ by the origin: caches must know
  dynamic: true,
}

const isOpen = ({ url }: FastifyRequest): boolean => /^\/(v1|v3|mcp)\b/.test(url)

function allowedOrigin({ method, headers }: FastifyRequest, corsOrigins: string[]): string | false {
  const { origin, authorization = '' } = headers
  if (method === 'OPTIONS') return '*'
  if (origin === undefined) return false

  const [, token = ''] = /^bearer +(pub_\S+) *$/i.exec(authorization) ?? []
  return corsOrigins.includes('*') || corsOrigins.includes(origin) || claimedOrigins(token).includes(origin) ? origin : false
}
