import { findSchemaProblem, isRecord } from '../lib/json-schema.ts'
import type { JsonSchema } from '../lib/json-schema.ts'
import type { McpConnection, McpListing } from './mcp-connection.ts'
import { toOperationAnswer, toToolResult } from './mcp-result.ts'
import type { McpTool } from './mcp-result.ts'
import type { ServerOperation } from './server-operation.ts'
import type { ServerTool } from './server-tool.ts'
import { createServerTool, keepToTime } from './tool-call.ts'
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
export function createMcpTools(source: McpSource): { tools: ServerTool[]; problems: string[] } {
  const { connection, timeoutMs, onError } = source
  const { usable, problems } = findUsable(source)
  const tools = usable.map(({ name, tool, parameters }) =>
    createServerTool({ name, description: tool.description, parameters, timeoutMs, onError }, async (args, signal) =>
      toToolResult(await connection.callTool(tool.name, args, signal)),
    ),
  )
  return { tools, problems }
}

/** The same for workflows. */
export function createMcpOperations(source: McpSource): { operations: ServerOperation[]; problems: string[] } {
  const { connection, timeoutMs } = source
  const { usable, problems } = findUsable(source)
  const operations = usable.map(({ name, tool, parameters }): ServerOperation => ({
    ...{ name, aliases: [tool.name], description: tool.description, parameters, hasBody: false },
    call: (args, { signal }) =>
      keepToTime({ signal, timeoutMs }, async (inTime) => toOperationAnswer(await connection.callTool(tool.name, args, inTime))),
  }))
  return { operations, problems }
}

type Usable = { name: string; tool: McpTool; parameters: JsonSchema }

function findUsable({ listing, allow }: McpSource): { usable: Usable[]; problems: string[] } {
  const isAllowed = ({ name }: McpTool) => !allow || allow.includes(name) || allow.includes(toToolName(name))
  const missing = (allow ?? []).filter((name) => !listing.tools.some((tool) => tool.name === name || toToolName(tool.name) === name))
  const problems = [...listing.problems, ...missing.map((name) => `it has no tool ${name}`)]
  const taken = new Set<string>()

  const usable = listing.tools.filter(isAllowed).flatMap((tool) => {
    const problem = findProblem(tool)
    if (problem !== undefined || !isRecord(tool.schema)) {
      problems.push(`its tool ${toToolName(tool.name)} is left out: ${problem ?? 'it has no schema'}`)
      return []
    }
    const parameters = { ...tool.schema, type: 'object', properties: tool.schema.properties ?? {} }
    return [{ name: takeName(taken, tool.name), tool, parameters }]
  })
  return { usable, problems }
}

const MAX_SCHEMA_CHARACTERS = 64_000

/** One schema that a model's provider refuses would fail every chat. */
function findProblem({ schema }: McpTool): string | undefined {
  const problem = findSchemaProblem(schema)
  if (problem !== undefined) return problem
  return JSON.stringify(schema).length > MAX_SCHEMA_CHARACTERS ? 'its schema has more than 64 kB' : undefined
}
