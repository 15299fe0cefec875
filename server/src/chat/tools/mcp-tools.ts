import { findSchemaProblem, isRecord } from '../../lib/json-schema.ts'
import type { McpConnection, McpListing } from './mcp-connection.ts'
import { toToolResult } from './mcp-result.ts'
import type { McpTool } from './mcp-result.ts'
import type { ServerTool } from './server-tool.ts'
import { createServerTool } from './tool-call.ts'
import { takeName, toToolName } from './tool-names.ts'

export type McpSource = {
  connection: McpConnection
  listing: McpListing
  /** Names of the only tools to use, as the server or the model names them. */
  allow: string[] | undefined
  timeoutMs: number
  onError: (cause: unknown) => void
}

/** What a model can call of what a server lists; the rest is a problem each. */
export function createMcpTools({ connection, listing, allow, timeoutMs, onError }: McpSource): { tools: ServerTool[]; problems: string[] } {
  const isAllowed = ({ name }: McpTool) => !allow || allow.includes(name) || allow.includes(toToolName(name))
  const missing = (allow ?? []).filter((name) => !listing.tools.some((tool) => tool.name === name || toToolName(tool.name) === name))
  const problems = [...listing.problems, ...missing.map((name) => `it has no tool ${name}`)]
  const taken = new Set<string>()

  const tools = listing.tools.filter(isAllowed).flatMap((tool) => {
    const problem = findProblem(tool)
    if (problem !== undefined || !isRecord(tool.schema)) {
      problems.push(`its tool ${toToolName(tool.name)} is left out: ${problem ?? 'it has no schema'}`)
      return []
    }
    const parameters = { ...tool.schema, type: 'object', properties: tool.schema.properties ?? {} }
    const plan = { name: takeName(taken, tool.name), description: tool.description, parameters, timeoutMs, onError }
    return [createServerTool(plan, async (args, signal) => toToolResult(await connection.callTool(tool.name, args, signal)))]
  })
  return { tools, problems }
}

const MAX_SCHEMA_CHARACTERS = 64_000

/** One schema that a model's provider refuses would fail every chat. */
function findProblem({ schema }: McpTool): string | undefined {
  const problem = findSchemaProblem(schema)
  if (problem !== undefined) return problem
  return JSON.stringify(schema).length > MAX_SCHEMA_CHARACTERS ? 'its schema has more than 64 kB' : undefined
}
