import type { ModelContentPart } from './model-adapter.ts'

/**
 * What a user sent, in the two forms that models take: text, and media. A file that is an image is an image; a text file that came
 * as a data: URL is read out as text, which every model understands; any other file stays a file, which few models take; a file
 * behind an http(s) URL, which no chat protocol carries, is named with its URL.
 */
export type PlainPart =
  | { type: 'text'; text: string }
  | { type: 'image'; url: string; mime: string }
  | { type: 'file'; dataUrl: string; name: string; mime: string }

export function toPlainPart(part: ModelContentPart): PlainPart {
  if (part.type === 'text') return part
  if (part.type === 'image') return { type: 'image', url: part.url, mime: parseDataUrl(part.url)?.mime ?? 'image/*' }
  if (part.mime.startsWith('image/')) return { type: 'image', url: part.url, mime: part.mime }

  const data = parseDataUrl(part.url)
  if (!data) return { type: 'text', text: `[${part.name}](${part.url})` }
  if (isText(part.mime)) return { type: 'text', text: `${part.name}:\n${data.bytes().toString('utf8')}` }
  return { type: 'file', dataUrl: part.url, name: part.name, mime: part.mime }
}

/** `bytes` decodes when it is called; undefined for anything but a data: URL. */
export function parseDataUrl(url: string): { mime: string; base64: () => string; bytes: () => Buffer } | undefined {
  const head = /^data:([^,]*?)(;base64)?,/i.exec(url)
  if (!head) return undefined

  const payload = () => url.slice(head[0].length)
  const bytes = () => (head[2] ? Buffer.from(payload(), 'base64') : Buffer.from(unescaped(payload())))
  return {
    mime: head[1]?.split(';')[0] || 'text/plain',
    bytes,
    base64: () => (head[2] ? payload() : bytes().toString('base64')),
  }
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const isText = (mime: string) => /^text\/|^application\/(json|xml|yaml|x-yaml|javascript|x-ndjson|sql|toml)\b|\+(json|xml)\b/.test(mime)
