import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'
import { CallToolRequestSchema, ErrorCode, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../../lib/app-error.ts'
import { callBot, listBotTools } from './bot-tool.ts'
import type { McpServices } from './mcp-routes.ts'

export type McpExchangeDeps = McpServices & { version: string }

/** Answers one request. A client that leaves ends the exchange, not the chat that it started. */
export async function answerMcp(deps: McpExchangeDeps, request: FastifyRequest, reply: FastifyReply): Promise<Response> {
  const mcp = createServer(deps, request)
  const transport = new WebStandardStreamableHTTPServerTransport()
  await mcp.connect(transport)
  reply.raw.once('close', () => void mcp.close())

  const { method, headers } = request
  const asked = new Request('http://localhost/mcp', { method, headers: toHeaders(headers) })
  return transport.handleRequest(asked, { parsedBody: request.body ?? null })
}

/** Made once: it costs ten times what a server costs, and no server here uses it. */
const jsonSchemaValidator = new AjvJsonSchemaValidator()

const INSTRUCTIONS =
  'Each tool is an agent. Send it a message; to go on with a conversation, send the conversation_id of its last answer along.'

function createServer({ version, ...services }: McpExchangeDeps, request: FastifyRequest): McpServer {
  const mcp = new McpServer(
    { name: 'coze-plus', version },
    { capabilities: { tools: {} }, instructions: INSTRUCTIONS, jsonSchemaValidator },
  )
  mcp.server.setRequestHandler(ListToolsRequestSchema, () =>
    answering(request, async () => ({ tools: await listBotTools(services, request.principal) })),
  )
  mcp.server.setRequestHandler(CallToolRequestSchema, ({ params }, { signal, sendNotification }) =>
    answering(request, () => {
      const progressToken = params._meta?.progressToken
      return callBot(services, request.principal, {
        ...{ name: params.name, input: params.arguments ?? {}, signal },
        onProgress:
          progressToken === undefined
            ? undefined
            : (progress, message) => sendNotification({ method: 'notifications/progress', params: { progressToken, progress, message } }),
      })
    }),
  )
  return mcp
}

/** The library tells a client whatever is thrown: it gets what is meant for callers. */
async function answering<T>(request: FastifyRequest, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof AppError)
      throw new RpcFailure(cause.code === 'not_found' ? ErrorCode.InvalidParams : ErrorCode.InternalError, cause.message)
    request.log.error({ err: cause, requestId: request.id }, 'unexpected error')
    throw new RpcFailure(ErrorCode.InternalError, 'internal server error')
  }
}

/** The library's own error writes its code into the message, where clients write it again. */
class RpcFailure extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

function toHeaders(headers: FastifyRequest['headers']): Headers {
  const pairs = Object.entries(headers).flatMap(([name, value]) => [value ?? []].flat().map((each): [string, string] => [name, each]))
  return new Headers(pairs)
}
