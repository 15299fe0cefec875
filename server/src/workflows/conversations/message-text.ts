import type { Message } from '../../conversations/message-store.ts'
import { isRecord } from '../../lib/json-schema.ts'

/** What a message says in one text: of a multimodal one its texts and then the URLs of its files, with commas between. */
export function messageText({ content, contentType }: Pick<Message, 'content' | 'contentType'>): string {
  const parts = contentType === 'object_string' ? parseParts(content) : undefined
  if (!parts) return content

  const texts = parts.map((part) => part.text).filter(isFilled)
  const urls = parts.map((part) => part.file_url).filter(isFilled)
  return [...texts, ...urls].join(',')
}

const isFilled = (value: unknown): value is string => typeof value === 'string' && value !== ''

function parseParts(content: string): Record<string, unknown>[] | undefined {
  try {
    const parts: unknown = JSON.parse(content)
    return Array.isArray(parts) ? parts.filter(isRecord) : undefined
  } catch {
    return undefined
  }
}
