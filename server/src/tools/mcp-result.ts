import { z } from 'zod'
import { isRecord } from '../lib/json-schema.ts'
import { MAX_ANSWER_BYTES } from './server-operation.ts'
import type { OperationAnswer } from './server-operation.ts'
import type { ToolResult } from './server-tool.ts'
import { ToolFailure } from './tool-call.ts'
import { capText } from './tool-output.ts'

/** A tool as a server lists it; `schema` is not checked yet. */
export type McpTool = { name: string; description: string; schema: unknown }

export type McpToolPage = { tools: McpTool[]; unreadable: number; nextCursor: string | undefined }

/** Loose where the protocol is strict: one tool that makes no sense must not hide the others. */
export const pageSchema = z
  .object({ tools: z.array(z.unknown()), nextCursor: z.string().optional() })
  .transform(({ tools, nextCursor }): McpToolPage => {
    const parsed = tools.map((tool) => toolSchema.safeParse(tool))
    return {
      tools: parsed.flatMap(({ data }) => (data ? [{ name: data.name, description: data.description, schema: data.inputSchema }] : [])),
      unreadable: parsed.filter(({ success }) => !success).length,
      nextCursor,
    }
  })

const toolSchema = z.object({ name: z.string().min(1).max(200), description: z.string().default(''), inputSchema: z.unknown() })

export const resultSchema = z.unknown()

/** What a model gets to see of a result: texts as they are, everything else described. */
export function toToolResult(result: unknown): ToolResult {
  const { parts, data, isError } = readResult(result)
  if (parts.length === 0 && data !== undefined) parts.push(typeof data === 'string' ? data : JSON.stringify(data))
  return { content: capText(parts.join('\n')), isError }
}

/** What a workflow gets: the data that the tool gives beside its texts, and where there is none, the texts. */
export function toOperationAnswer(result: unknown): OperationAnswer {
  const { parts, data, isError } = readResult(result)
  if (isError) throw new ToolFailure(toToolResult(result).content)

  const isJson = data !== undefined && typeof data !== 'string'
  const text = isJson ? JSON.stringify(data) : (data ?? parts.join('\n'))
  if (Buffer.byteLength(text) > MAX_ANSWER_BYTES) throw new ToolFailure(`the answer has more than ${MAX_ANSWER_BYTES} bytes`)
  return { text, isJson }
}

function readResult(result: unknown): { parts: string[]; data: unknown; isError: boolean } {
  if (!isRecord(result)) throw new ToolFailure(WRONG_SHAPE)
  const { content, structuredContent, toolResult, isError } = result
  if (content !== undefined && !Array.isArray(content)) throw new ToolFailure(WRONG_SHAPE)

  const data = structuredContent ?? toolResult
  if (content === undefined && data === undefined) throw new ToolFailure(WRONG_SHAPE)
  return { parts: (content ?? []).map(describePart), data, isError: isError === true }
}

const WRONG_SHAPE = 'the tool server answered with something that is no tool result'

function describePart(part: unknown): string {
  const { data, success } = partSchema.safeParse(part)
  if (!success) return '[something that cannot be shown]'
  switch (data.type) {
    case 'text':
      return data.text
    case 'image':
    case 'audio':
      return `[${data.type}: ${data.mimeType}, ${sizeOf(data.data)}]`
    case 'resource_link':
      return `[resource: ${data.name}, ${data.uri}]`
    case 'resource':
      return describeResource(data.resource)
  }
}

type Resource = z.infer<typeof resourceSchema>

function describeResource({ uri, text, blob, mimeType }: Resource): string {
  if (text !== undefined) return text
  return `[resource: ${[uri, mimeType, blob === undefined ? undefined : sizeOf(blob)].filter(Boolean).join(', ')}]`
}

const sizeOf = (base64: string) => `${Math.floor((base64.length * 3) / 4)} bytes`

const short = z.string().transform((text) => text.slice(0, 2_000))
const media = { data: z.string(), mimeType: short }
const resourceSchema = z.object({ uri: short, text: z.string().optional(), blob: z.string().optional(), mimeType: short.optional() })
const partSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.literal('image'), ...media }),
  z.object({ type: z.literal('audio'), ...media }),
  z.object({ type: z.literal('resource_link'), uri: short, name: short }),
  z.object({ type: z.literal('resource'), resource: resourceSchema }),
])
