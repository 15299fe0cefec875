import { openToolHeaders } from '../bots/bot-tools.ts'
import type { BotTool, McpBotTool, OpenapiBotTool, ServerBotTool } from '../bots/bot-tools.ts'
import type { Clock } from '../lib/clock.ts'
import { GuardedFetchError } from '../lib/guarded-fetch.ts'
import type { GuardedFetch } from '../lib/guarded-fetch.ts'
import { untilAborted } from '../lib/linked-abort.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import { createSecretFilter, hideInOperation, hideInTool } from './header-secrets.ts'
import { createMcpConnection } from './mcp-connection.ts'
import type { McpConnection, McpListing } from './mcp-connection.ts'
import { createMcpOperations, createMcpTools } from './mcp-tools.ts'
import type { McpSource } from './mcp-tools.ts'
import { parseOpenapi } from './openapi-document.ts'
import type { OpenapiDocument } from './openapi-document.ts'
import { createOpenapiOperations, createOpenapiTools } from './openapi-tools.ts'
import type { OpenapiSource } from './openapi-tools.ts'
import type { ServerOperation } from './server-operation.ts'
import type { ServerTool } from './server-tool.ts'
import { ToolFailure } from './tool-call.ts'
import { takeName } from './tool-names.ts'

/** The tools of bots, from all of their sources. Connections to MCP servers are kept from one chat to the next. */
export interface ToolSets {
  /**
   * A source that cannot be used is a problem, in words for the operator's log, and the rest are there all the same.
   * No tool has a name that the bot's own functions or `reservedNames` have. Rejects only with the signal's reason.
   */
  forBot(bot: ToolBot, signal: AbortSignal, reservedNames?: string[]): Promise<ToolSet>
  /**
   * What one source offers to workflows; connections are kept for each holder. Rejects with a ToolFailure or a GuardedFetchError
   * when the source cannot be used.
   */
  listOperations(source: { holderId: string; tool: ServerBotTool }): Promise<{ operations: ServerOperation[]; problems: string[] }>
  close(): Promise<void>
}

export type ToolBot = { botId: string; config: { tools: BotTool[] } }
export type ToolSet = { tools: ServerTool[]; problems: string[] }

export type ToolSetDeps = {
  secrets: SecretBox
  guardedFetch: GuardedFetch
  clock: Clock
  onError: (cause: unknown) => void
  /** After so long without a call a connection is closed. */
  idleMs?: number
}

const IDLE_MS = 60_000
/** When a server is asked again for its tools: after it has answered, and after it has not. */
const LISTED_MS = 60_000
const FAILED_MS = 10_000
/** Providers take no more. */
export const MAX_TOOLS = 128

export function createToolSets(deps: ToolSetDeps): ToolSets {
  const mcpSources = createMcpSources(deps)
  const documents = new WeakMap<OpenapiBotTool, OpenapiDocument>()

  function openOpenapi(tool: OpenapiBotTool): OpenapiSource & { problems: string[] } {
    const { operations, problems } = documents.get(tool) ?? parseOpenapi(tool.document, tool)
    documents.set(tool, { operations, problems, skipped: [] })
    return { operations, problems, headers: openHeaders(deps.secrets, tool), timeoutMs: tool.timeoutMs }
  }

  function useOpenapi(tool: OpenapiBotTool): ToolSet {
    const source = openOpenapi(tool)
    return { tools: createOpenapiTools(deps, source), problems: source.problems }
  }

  const listOpenapi = (source: ReturnType<typeof openOpenapi>) => ({
    operations: createOpenapiOperations(deps, source),
    problems: source.problems,
  })

  async function useTool(botId: string, tool: BotTool): Promise<ToolSet & { source: string }> {
    if (tool.type === 'function') return { source: tool.name, tools: [], problems: [] }
    try {
      const hide = createSecretFilter(openHeaders(deps.secrets, tool))
      const { tools, problems } = tool.type === 'mcp' ? createMcpTools(await mcpSources.open(botId, tool)) : useOpenapi(tool)
      return {
        source: tool.name,
        tools: tools.map((each) => hideInTool(each, hide)),
        problems: problems.map((problem) => `tool ${tool.name}: ${hide(problem)}`),
      }
    } catch (cause) {
      return { source: tool.name, tools: [], problems: [`tool ${tool.name} cannot be used: ${describe(cause, deps.onError)}`] }
    }
  }

  return {
    async forBot({ botId, config }, signal, reservedNames = []) {
      signal.throwIfAborted()
      const found = await untilAborted(Promise.all(config.tools.map((tool) => useTool(botId, tool))), signal)
      const functions = config.tools.filter(({ type }) => type === 'function').map(({ name }) => name)
      return merge(found, new Set([...functions, ...reservedNames]))
    },
    async listOperations({ holderId, tool }) {
      const hide = createSecretFilter(openHeaders(deps.secrets, tool))
      const { operations, problems } =
        tool.type === 'mcp' ? createMcpOperations(await mcpSources.open(holderId, tool)) : listOpenapi(openOpenapi(tool))
      return { operations: operations.map((each) => hideInOperation(each, hide)), problems: problems.map(hide) }
    },
    close: mcpSources.close,
  }
}

/** A name that is taken gets its source's name in front. */
function merge(found: (ToolSet & { source: string })[], taken: Set<string>): ToolSet {
  const tools = found.flatMap(({ source, tools }) =>
    tools.map((tool) => ({ ...tool, name: takeName(taken, taken.has(tool.name) ? `${source}_${tool.name}` : tool.name) })),
  )
  const problems = found.flatMap(({ problems }) => problems)
  if (tools.length > MAX_TOOLS) problems.push(`the bot has ${tools.length} tools, of which models get the first ${MAX_TOOLS}`)
  return { tools: tools.slice(0, MAX_TOOLS), problems }
}

type McpEntry = { connection: McpConnection; listing: Promise<McpListing> | undefined; staleAt: number }

/** One connection for each tool of each holder (a bot, a plugin): servers keep state by session, and that is nobody else's. */
function createMcpSources({ secrets, guardedFetch, clock, onError, idleMs = IDLE_MS }: ToolSetDeps) {
  const entries = new Map<string, McpEntry>()

  function find(holderId: string, tool: McpBotTool): McpEntry {
    const { url, timeoutMs, sealedHeaders } = tool
    const key = JSON.stringify([holderId, tool.name, url, timeoutMs, sealedHeaders])
    const known = entries.get(key)
    if (known) return known

    const onIdle = () => {
      // a chat that began before may have used the connection of an entry that is gone
      if (entries.get(key) === entry) entries.delete(key)
      connection.close().catch(onError)
    }
    const connection = createMcpConnection(
      { guardedFetch, idleMs, onError, onIdle },
      { url, timeoutMs, headers: openHeaders(secrets, tool) },
    )
    const entry: McpEntry = { connection, listing: undefined, staleAt: 0 }
    entries.set(key, entry)
    return entry
  }

  /** Only the first chat waits for a server: later ones take what is known, good or bad, while it is asked again. */
  function list(entry: McpEntry): Promise<McpListing> {
    if (entry.listing && clock() < entry.staleAt) return entry.listing

    const asked = entry.connection.listTools()
    const settle = (keptMs: number) => {
      entry.listing = asked
      entry.staleAt = clock() + keptMs
    }
    entry.staleAt = Number.POSITIVE_INFINITY
    asked.then(
      () => settle(LISTED_MS),
      () => settle(FAILED_MS),
    )
    return (entry.listing ??= asked)
  }

  return {
    async open(holderId: string, tool: McpBotTool): Promise<McpSource> {
      const entry = find(holderId, tool)
      return { connection: entry.connection, listing: await list(entry), allow: tool.allow, timeoutMs: tool.timeoutMs, onError }
    },
    async close() {
      await Promise.all([...entries.values()].map(({ connection }) => connection.close().catch(onError)))
      entries.clear()
    },
  }
}

function openHeaders(secrets: SecretBox, { sealedHeaders }: { sealedHeaders: Record<string, string> }): Record<string, string> {
  try {
    return openToolHeaders(secrets, sealedHeaders)
  } catch (cause) {
    throw new ToolFailure('its headers were sealed with another MASTER_KEY: apply the manifest again', { cause })
  }
}

function describe(cause: unknown, onError: (cause: unknown) => void): string {
  if (cause instanceof ToolFailure || cause instanceof GuardedFetchError) return cause.message
  onError(cause)
  return 'it failed'
}
