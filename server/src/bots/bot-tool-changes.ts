import { AppError } from '../lib/app-error.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import { botToolSchema, sealServerTool } from './bot-tools.ts'
import type { BotTool, FunctionBotTool, McpBotTool, OpenapiBotTool, ServerBotTool } from './bot-tools.ts'

/** A header as its builder sends it again: without a value it keeps the one that is stored, which nobody is ever shown. */
export type HeaderChange = { name: string; value: string | undefined }
type Changed<Tool> = Omit<Tool, 'sealedHeaders'> & { headers: HeaderChange[] }
export type ToolChange = FunctionBotTool | Changed<McpBotTool> | Changed<OpenapiBotTool>

/** Ready to be stored. Throws `invalid_request` for a header whose value is to stay and is not there, or is for another server. */
export function changeBotTools(secrets: SecretBox, wanted: ToolChange[], stored: BotTool[]): BotTool[] {
  return wanted.map((tool) => (tool.type === 'function' ? botToolSchema.parse(tool) : changeServerTool(secrets, tool, stored)))
}

type ServerToolChange = Exclude<ToolChange, FunctionBotTool>

function changeServerTool(secrets: SecretBox, { headers, ...tool }: ServerToolChange, stored: BotTool[]): ServerBotTool {
  const before = findBefore(tool, stored)
  const given = headers.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value] as const]))
  const changed = sealServerTool(secrets, { ...tool, headers: Object.fromEntries(given) }, before)

  const kept = headers.filter(({ value }) => value === undefined).map(({ name }) => [name, keptValue(tool, name, before)] as const)
  return { ...changed, sealedHeaders: { ...changed.sealedHeaders, ...Object.fromEntries(kept) } }
}

type Named = Pick<ServerBotTool, 'type' | 'name'> & Destination

/** By its name, or under another one by where it leads. */
function findBefore(tool: Named, stored: BotTool[]): ServerBotTool | undefined {
  const ofType = stored.filter((each) => each.type !== 'function').filter((each) => each.type === tool.type)
  return ofType.find(({ name }) => name === tool.name) ?? ofType.find((each) => destinationOf(each) === destinationOf(tool))
}

/** @NOTE a secret is for the server that it was entered for: whoever could lead it elsewhere could read it */
function keptValue(tool: Named, header: string, before: ServerBotTool | undefined): string {
  const sealed = before?.sealedHeaders[header]
  if (sealed !== undefined && before && destinationOf(before) === destinationOf(tool)) return sealed
  throw new AppError(
    'invalid_request',
    `tools: enter the value of the header ${header} of the tool ${tool.name} again: it is not stored for this server`,
  )
}

type Destination = { url?: string; baseUrl?: string; document?: Record<string, unknown> }

function destinationOf({ url, baseUrl, document }: Destination): string {
  const text = url ?? baseUrl
  return text === undefined ? JSON.stringify(document?.servers ?? null) : (URL.parse(text)?.origin ?? text)
}
