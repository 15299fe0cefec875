import { randomUUID } from 'node:crypto'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { startPlainServer } from './plain-server.ts'
import type { Handler, PlainServer } from './plain-server.ts'

/**
 * An MCP server made with the official SDK, over streamable HTTP with sessions, on a free port of 127.0.0.1.
 */
export type McpTestServer = PlainServer & {
  mcpUrl: string
  /** Sessions that are open now. */
  readonly sessions: number
  /** Calls that the client has canceled. */
  readonly canceled: number
}

export type McpScript = {
  list?: (cursor: string | undefined) => unknown
  call?: (name: string, args: Record<string, unknown>, signal: AbortSignal) => unknown
  /** The result of every call, past the SDK, which does not let a server lie. */
  lie?: { result: unknown }
  /** Sees each request first; true when it has answered. */
  before?: (...args: Parameters<Handler>) => unknown
  port?: number
}

export const echoTool = {
  name: 'echo',
  description: 'Says it again',
  inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
}

export const text = (...texts: string[]) => ({ content: texts.map((each) => ({ type: 'text', text: each })) })

export async function startMcpServer(script: McpScript = {}): Promise<McpTestServer> {
  const state = { canceled: 0, transports: new Map<string, StreamableHTTPServerTransport>() }

  async function open(): Promise<StreamableHTTPServerTransport> {
    const transport: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void state.transports.set(id, transport),
      onsessionclosed: (id) => void state.transports.delete(id),
    })
    await createServer(script, state).connect(transport)
    return transport
  }

  const server = await startPlainServer(
    async (request, response) => {
      if ((await script.before?.(request, response)) === true) return
      if (script.lie && request.text.includes('"tools/call"')) {
        const { id } = JSON.parse(request.text)
        return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, ...script.lie }))
      }
      const id = request.headers['mcp-session-id']
      const known = typeof id === 'string' ? state.transports.get(id) : await open()
      if (!known) return response.writeHead(404).end('{"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"},"id":null}')
      await known.handleRequest(request, response, request.text === '' ? undefined : JSON.parse(request.text))
    },
    { port: script.port },
  )
  const descriptors = {
    mcpUrl: { value: `${server.url}/mcp` },
    sessions: { get: () => state.transports.size },
    canceled: { get: () => state.canceled },
  }
  return Object.defineProperties(server, descriptors) as McpTestServer
}

function createServer(
  { list = () => ({ tools: [echoTool] }), call = (_name, args) => text(String(args.text)) }: McpScript,
  state: { canceled: number },
) {
  // the low-level server takes any schema
  const { server } = new McpServer({ name: 'test', version: '1' }, { capabilities: { tools: {} } })
  server.setRequestHandler(ListToolsRequestSchema, async ({ params }) => (await list(params?.cursor)) as never)
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal }) => {
    signal.addEventListener('abort', () => state.canceled++)
    return (await call(params.name, params.arguments ?? {}, signal)) as never
  })
  return server
}
