import type { WireField, WireType } from '../../../server/src/http/console/builder-workflow-wire.ts'
import type { WaitingEvent } from '../../../server/src/http/console/workflow-run-wire.ts'

export type AskedQuestion = { kind: 'text'; text: string; options: string[] } | { kind: 'form'; text: string; fields: WireField[] }

/** What an event of a waiting run asks. What cannot be read is shown as it is, and answered with a text. */
export function parseQuestion({ data, type }: Pick<WaitingEvent, 'data' | 'type'>): AskedQuestion {
  const parsed = parseJson(data)
  if (type === 'input') {
    const schema = isRecord(parsed) ? parsed.content : parsed
    return { kind: 'form', text: '', fields: parseFields(typeof schema === 'string' ? parseJson(schema) : schema) }
  }

  const messages: unknown[] = isRecord(parsed) && Array.isArray(parsed.messages) ? parsed.messages : []
  const last = messages.filter(isRecord).findLast((message) => message.type === 'question')
  if (!last) return { kind: 'text', text: data, options: [] }
  const { content } = last
  if (!isRecord(content)) return { kind: 'text', text: String(content), options: [] }
  const options = Array.isArray(content.options) ? content.options.filter(isRecord).map(({ name }) => String(name)) : []
  return { kind: 'text', text: typeof content.question === 'string' ? content.question : '', options }
}

const FILES = ['file', 'image', 'doc', 'code', 'ppt', 'txt', 'excel', 'audio', 'zip', 'video', 'svg', 'voice']
const TIME = 10_000

/** Variables as a canvas declares them. */
function parseFields(raw: unknown): WireField[] {
  if (!Array.isArray(raw)) return []
  return raw.filter(isRecord).map((field) => ({
    name: String(field.name),
    type: parseType(field),
    required: field.required === true,
    description: typeof field.description === 'string' ? field.description : '',
    default: typeof field.defaultValue === 'string' ? field.defaultValue : null,
  }))
}

function parseType({ type, assistType, schema }: Record<string, unknown>): WireType {
  switch (type) {
    case 'integer':
    case 'boolean':
    case 'object':
      return { kind: type }
    case 'float':
      return { kind: 'number' }
    case 'list':
      return { kind: 'list', ...(isRecord(schema) && { element: parseType(schema) }) }
    default: {
      const file = FILES[Number(assistType) - 1]
      if (file !== undefined) return { kind: 'file', file }
      return { kind: Number(assistType) === TIME ? 'time' : 'string' }
    }
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
