import { z } from 'zod'
import type { SecretBox } from '../lib/secret-box.ts'

const nameSchema = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, 'must have 1 to 64 letters, digits, _ and -')
/** Of headers that go with each call; their values are secrets, sealed one by one. */
const sealedHeadersSchema = z.record(z.string(), z.string()).default({})
const timeoutSchema = z.number().int().min(100).max(120_000).default(30_000)

/** A function that the caller executes: the chat stops and waits for its output. */
const functionToolSchema = z.object({
  type: z.literal('function'),
  name: nameSchema,
  description: z.string().max(2_000).default(''),
  parameters: z.record(z.string(), z.unknown()).default({ type: 'object', properties: {} }),
})

/** All tools of an MCP server, or those that are allowed. */
const mcpToolSchema = z.object({
  type: z.literal('mcp'),
  name: nameSchema,
  url: z.string().max(2_000),
  sealedHeaders: sealedHeadersSchema,
  timeoutMs: timeoutSchema,
  allow: z.array(z.string().max(200)).max(200).optional(),
})

/** All operations of an OpenAPI document, or those that are named. */
const openapiToolSchema = z.object({
  type: z.literal('openapi'),
  name: nameSchema,
  document: z.record(z.string(), z.unknown()),
  /** Instead of the document's servers. */
  baseUrl: z.string().max(2_000).optional(),
  sealedHeaders: sealedHeadersSchema,
  timeoutMs: timeoutSchema,
  operations: z.array(z.string().max(500)).max(200).optional(),
})

/** What a bot can call, as it is stored. */
export const botToolSchema = z.discriminatedUnion('type', [functionToolSchema, mcpToolSchema, openapiToolSchema])

/** Those that this server calls. */
export const serverToolSchema = z.discriminatedUnion('type', [mcpToolSchema, openapiToolSchema])

export type BotTool = z.infer<typeof botToolSchema>
export type ServerBotTool = z.infer<typeof serverToolSchema>
export type McpBotTool = Extract<BotTool, { type: 'mcp' }>
export type OpenapiBotTool = Extract<BotTool, { type: 'openapi' }>
export type FunctionBotTool = Extract<BotTool, { type: 'function' }>

type WithHeaders<Tool> = Omit<Tool, 'sealedHeaders'> & { headers: Record<string, string> }

/** The same with its headers in clear, as a builder writes it. */
export type BotToolSettings = FunctionBotTool | ServerToolSettings
export type ServerToolSettings = WithHeaders<McpBotTool> | WithHeaders<OpenapiBotTool>

/** Ready to be stored. Headers that are what they were keep their sealed text, so that a tool that did not change is the same to the letter. */
export function sealBotTools(secrets: SecretBox, wanted: BotToolSettings[], stored: BotTool[]): BotTool[] {
  return wanted.map((tool) => {
    if (tool.type === 'function') return botToolSchema.parse(tool)
    const before = stored.find((each) => each.name === tool.name && each.type === tool.type)
    return sealServerTool(secrets, tool, before?.type === 'function' ? undefined : before)
  })
}

/** The same for one tool. */
export function sealServerTool(
  secrets: SecretBox,
  { headers, ...tool }: ServerToolSettings,
  stored: ServerBotTool | undefined,
): ServerBotTool {
  return serverToolSchema.parse({ ...tool, sealedHeaders: sealHeaders(secrets, headers, stored?.sealedHeaders ?? {}) })
}

/** In clear, for the one who makes the call. Throws for headers of another master key. */
export function openToolHeaders(secrets: SecretBox, sealedHeaders: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(sealedHeaders).map(([name, sealed]) => [name, secrets.open(sealed)]))
}

function sealHeaders(secrets: SecretBox, headers: Record<string, string>, known: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      const sealed = known[name]
      return [name, sealed !== undefined && opensTo(secrets, sealed, value) ? sealed : secrets.seal(value)]
    }),
  )
}

function opensTo(secrets: SecretBox, sealed: string, value: string): boolean {
  try {
    return secrets.open(sealed) === value
  } catch {
    // of an earlier master key: it is lost, and sealed anew
    return false
  }
}
