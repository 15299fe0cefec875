import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { AppError } from '../../lib/app-error.ts'
import { toKnownError, wireErrors } from '../error-reply.ts'
import type { BotServices } from '../open/open-bots.ts'
import type { ChatServices } from '../open/open-chat.ts'

/** The bots as tools of an MCP server, over streamable HTTP without sessions: each request stands for itself, on any node. */
export type McpServices = Pick<ChatServices, 'startRun' | 'followRun'> & Pick<BotServices, 'getPublishedBot' | 'listBots'>
export type McpOptions = { publicUrl: string; corsOrigins: string[]; version: string }

const MAX_BODY_BYTES = 4 * 1024 * 1024

const config = { auth: 'key', action: 'chat' } as const
const tags = ['MCP']

export const mcpRoutes =
  (services: McpServices, options: McpOptions): FastifyPluginAsyncZod =>
  async (http) => {
    http.setErrorHandler(replyWithRpcError)
    http.addHook('onRequest', (request, _reply, done) => done(refusedOrigin(request, options)))

    http.post(
      '/mcp',
      {
        bodyLimit: MAX_BODY_BYTES,
        config,
        schema: {
          tags,
          summary: 'Talk to the bots as tools of an MCP server',
          description: 'Streamable HTTP of the Model Context Protocol, without sessions. Each published bot is a tool.',
        },
      },
      async (request, reply) => {
        // the protocol's library is loaded for the first who speaks it
        const { answerMcp } = await import('./mcp-exchange.ts')
        return reply.send(await answerMcp({ ...services, version: options.version }, request, reply))
      },
    )

    // there is no session that could be listened to or ended
    http.route({
      method: ['GET', 'DELETE'],
      url: '/mcp',
      config,
      schema: { hide: true },
      handler: async (_request, reply) =>
        reply.code(405).header('allow', 'POST').send(rpcError(-32_000, 'method not allowed: this server has no sessions, send POST')),
    })
  }

/** A page that has itself resolved to this server's address must not speak to it: only pages of known origins do. */
function refusedOrigin({ headers: { origin }, principal }: FastifyRequest, { publicUrl, corsOrigins }: McpOptions): AppError | undefined {
  // a token names its origins itself
  if (origin === undefined || corsOrigins.includes('*') || principal.access?.token) return undefined
  if (origin === new URL(publicUrl).origin || corsOrigins.includes(origin)) return undefined
  return new AppError('forbidden', 'requests from pages of this origin are not accepted: CORS_ORIGINS names those that are')
}

function replyWithRpcError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = toKnownError(error, request, reply)
  // what is refused at the door is a body that cannot be read
  if (known?.code === 'invalid_request') return reply.code(400).send(rpcError(-32_700, known.message))
  if (known?.code === 'unauthenticated') reply.header('www-authenticate', 'Bearer realm="coze-plus", error="invalid_token"')
  return reply.code(known ? wireErrors[known.code].status : 500).send(rpcError(-32_000, known?.message ?? 'internal server error'))
}

const rpcError = (code: number, message: string) => ({ jsonrpc: '2.0', error: { code, message }, id: null })
