import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import type { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { GuardedFetchError } from '../lib/guarded-fetch.ts'
import type { GuardedFetch } from '../lib/guarded-fetch.ts'
import { isRecord } from '../lib/json-schema.ts'
import { linkAbort, untilAborted } from '../lib/linked-abort.ts'
import { CONNECTION_LOST, createMcpFetch } from './mcp-fetch.ts'
import { pageSchema, resultSchema } from './mcp-result.ts'
import type { McpTool, McpToolPage } from './mcp-result.ts'
import { ToolFailure } from './tool-call.ts'

/**
 * The connection of one bot's tool to its MCP server: made when it is needed, made again when the server has forgotten it, closed
 * when nobody has used it for a while. Calls reject with a ToolFailure, a GuardedFetchError or the signal's reason.
 */
export interface McpConnection {
  listTools(): Promise<McpListing>
  /** The result as the server sent it. */
  callTool(name: string, args: Record<string, unknown>, signal: AbortSignal): Promise<unknown>
  close(): Promise<void>
}

export type McpListing = { tools: McpTool[]; problems: string[] }

export type McpServer = { url: string; headers: Record<string, string>; timeoutMs: number }

export type McpConnectionDeps = { guardedFetch: GuardedFetch; idleMs: number; onError: (cause: unknown) => void; onIdle: () => void }

/** Until a connection stands, and for each page of tools. */
const CONNECT_MS = 10_000
const LEAVE_MS = 2_000
const MAX_ANSWER_BYTES = 4_000_000
const MAX_PAGES = 20
const MAX_TOOLS = 500

type Session = { client: Client; transport: StreamableHTTPClientTransport; users: number; isLost: boolean }

export function createMcpConnection(deps: McpConnectionDeps, server: McpServer): McpConnection {
  let opening: Promise<Session> | undefined
  let idle: NodeJS.Timeout | undefined
  let users = 0

  async function withSession<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const mine = (opening ??= openSession(deps, server))
    const lose = () => {
      if (opening === mine) opening = undefined
    }
    const session = await mine.catch((cause: unknown) => {
      lose()
      throw cause
    })
    session.users++
    try {
      return await work(session)
    } catch (cause) {
      session.isLost ||= isConnectionLoss(cause)
      if (session.isLost) lose()
      throw cause
    } finally {
      session.users--
      if (session.isLost && session.users === 0) void session.client.close().catch(deps.onError)
    }
  }

  /** Once more when the server does not know the session: then it has not done anything yet. */
  async function use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    users++
    clearTimeout(idle)
    try {
      return await withSession(work).catch((cause: unknown) => {
        if (!isForgottenSession(cause)) throw cause
        return withSession(work)
      })
    } catch (cause) {
      throw toFailure(cause)
    } finally {
      users--
      if (users === 0) idle = setTimeout(deps.onIdle, deps.idleMs).unref()
    }
  }

  return {
    listTools: () => use(({ client }) => listTools(client, Math.min(CONNECT_MS, server.timeoutMs))),
    callTool: (name, args, signal) => use((session) => callTool(session, { name, args, timeoutMs: server.timeoutMs }, signal)),
    async close() {
      clearTimeout(idle)
      const soon = AbortSignal.timeout(LEAVE_MS)
      const session = opening && (await untilAborted(opening, soon).catch(() => undefined))
      opening = undefined
      if (session) await leave(session, soon)
    },
  }
}

async function openSession({ guardedFetch }: McpConnectionDeps, server: McpServer): Promise<Session> {
  // loaded by the first bot that needs it: it takes as long as all the rest of the server
  const [sdk, http] = await Promise.all([
    import('@modelcontextprotocol/sdk/client/index.js'),
    import('@modelcontextprotocol/sdk/client/streamableHttp.js'),
  ])
  const url = URL.parse(server.url)
  if (!url) throw new ToolFailure('its url is no URL')
  const client = new sdk.Client({ name: 'coze-plus', version: '1' })
  const transport = new http.StreamableHTTPClientTransport(url, {
    requestInit: { headers: server.headers },
    fetch: createMcpFetch(guardedFetch, { timeoutMs: server.timeoutMs + 1_000, maxBytes: MAX_ANSWER_BYTES }),
  })
  try {
    await client.connect(transport, { timeout: Math.min(CONNECT_MS, server.timeoutMs) })
  } catch (cause) {
    await transport.close()
    const isKnown = cause instanceof GuardedFetchError || codeOf(cause) !== undefined
    throw isKnown ? cause : new ToolFailure(NO_MCP, { cause })
  }
  return { client, transport, users: 0, isLost: false }
}

async function listTools(client: Client, timeout: number): Promise<McpListing> {
  const tools: McpTool[] = []
  let [cursor, unreadable]: [string | undefined, number] = [undefined, 0]
  for (let page = 0; page < MAX_PAGES && tools.length < MAX_TOOLS; page++) {
    const params = cursor === undefined ? {} : { cursor }
    const found: McpToolPage = await client.request({ method: 'tools/list', params }, pageSchema, { timeout })
    tools.push(...found.tools)
    unreadable += found.unreadable
    cursor = found.nextCursor
    if (cursor === undefined) break
  }

  const problems = [
    ...(unreadable > 0 ? [`${unreadable} of its tools are no tools as the protocol has them`] : []),
    ...(cursor !== undefined || tools.length > MAX_TOOLS ? [`it has more than ${MAX_TOOLS} tools or ${MAX_PAGES} pages of them`] : []),
  ]
  return { tools: tools.slice(0, MAX_TOOLS), problems }
}

type Call = { name: string; args: Record<string, unknown>; timeoutMs: number }

async function callTool({ client }: Session, { name, args, timeoutMs }: Call, signal: AbortSignal): Promise<unknown> {
  signal.throwIfAborted()
  // @NOTE the SDK never lets go of a signal, and would cancel a call that is long over: it gets one of this call's own
  const { control, release } = linkAbort(signal)
  try {
    const request = client.request({ method: 'tools/call', params: { name, arguments: args } }, resultSchema, {
      signal: control.signal,
      timeout: timeoutMs + 5_000,
    })
    return await untilAborted(request, signal)
  } finally {
    release()
  }
}

/** Says goodbye where the server knows the session, but does not wait for long. */
async function leave({ client, transport }: Session, soon: AbortSignal): Promise<void> {
  await untilAborted(transport.terminateSession(), soon).catch(() => undefined)
  await client.close()
}

/** Numbers of the protocol and statuses of HTTP. */
const codeOf = (cause: unknown) => (cause instanceof Error && 'code' in cause && typeof cause.code === 'number' ? cause.code : undefined)

/** By its name: the class itself is loaded late. */
const isProtocolError = (cause: unknown): cause is Error => cause instanceof Error && cause.name === 'McpError'

const isForgottenSession = (cause: unknown) => !isProtocolError(cause) && [400, 404].includes(codeOf(cause) ?? 0)

/** After anything but an answer of the server the next call begins with a new connection. */
function isConnectionLoss(cause: unknown): boolean {
  if (isProtocolError(cause)) return codeOf(cause) === CONNECTION_LOST
  return cause instanceof GuardedFetchError ? cause.reason !== 'too_large' : codeOf(cause) !== undefined
}

/** The SDK's errors hold the server's own text, or lists of what it expected: none of that is for a model or a log. */
function toFailure(cause: unknown): unknown {
  if (cause instanceof GuardedFetchError || cause instanceof ToolFailure) return cause
  const code = codeOf(cause)
  if (isProtocolError(cause)) return new ToolFailure(describeProtocolError(cause, code), { cause })
  if (code !== undefined && code >= 300 && code < 400) return new ToolFailure('the tool server redirects to another origin', { cause })
  if (code !== undefined && code >= 400)
    return new ToolFailure(`the tool server answered with HTTP status ${code}`, { cause, status: code })
  return code !== undefined || hasIssues(cause) || cause instanceof SyntaxError ? new ToolFailure(NO_MCP, { cause }) : cause
}

const NO_MCP = 'the tool server does not speak MCP over streamable HTTP'

const hasIssues = (cause: unknown) => isRecord(cause) && Array.isArray(cause.issues)

const REQUEST_TIMEOUT = -32_001

function describeProtocolError(cause: Error, code: number | undefined): string {
  const text = cause.message.replace(/^(MCP error -?\d+: )+/, '').slice(0, 2_000)
  if (code === REQUEST_TIMEOUT) return 'the tool server did not answer in time'
  return code === CONNECTION_LOST ? `the connection to the tool server was lost: ${text}` : `the tool server refused the call: ${text}`
}
