/** One part of a message of several kinds. `url` only for what a browser may open. */
export type MessagePart =
  { type: 'text'; text: string } | { type: 'image' | 'file' | 'audio'; url: string | undefined; fileId: string | undefined }

/** Of an `object_string`; undefined when it is none. */
export function parseMessageParts(content: string): MessagePart[] | undefined {
  const value = parseJsonText(content)
  if (!Array.isArray(value)) return undefined
  const parts = value.map(parsePart)
  return parts.every((part) => part !== undefined) ? parts : undefined
}

/** The name in a tool call, and its arguments made readable. What is no JSON stays as it is. */
export function parseToolCall(content: string): { name: string | undefined; text: string } {
  const call = parseJsonText(content)
  const fields = typeof call === 'object' && call !== null ? call : {}
  const name = 'name' in fields && typeof fields.name === 'string' ? fields.name : undefined
  const shown = name !== undefined && 'arguments' in fields ? fields.arguments : call
  return { name, text: shown === undefined ? content : typeof shown === 'string' ? shown : JSON.stringify(shown, null, 2) }
}

/** JSON with line breaks; anything else as it is. */
export function prettyJson(content: string): string {
  const value = parseJsonText(content)
  return typeof value === 'object' && value !== null ? JSON.stringify(value, null, 2) : content
}

function parsePart(part: unknown): MessagePart | undefined {
  const fields = typeof part === 'object' && part !== null ? part : {}
  const read = (name: string) => textOf(new Map(Object.entries(fields)).get(name))
  const type = read('type')
  if (type === 'text') return { type, text: read('text') ?? '' }
  if (type !== 'image' && type !== 'file' && type !== 'audio') return undefined

  const url = read('file_url')
  return { type, url: url !== undefined && /^https?:\/\//i.test(url) ? url : undefined, fileId: read('file_id') }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined
}

function parseJsonText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
