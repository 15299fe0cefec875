import { z } from 'zod'
import type { ContentType } from './message-store.ts'
import { AppError } from '../lib/app-error.ts'

/** One part of a multimodal message, as the API writes it inside `object_string`. */
export type ContentPart =
  { type: 'text'; text: string } | { type: 'image' | 'file' | 'audio'; fileId: string | undefined; fileUrl: string | undefined }

const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' })
const partsSchema = z
  .array(
    z.discriminatedUnion('type', [
      z.object({ type: z.literal('text'), text: z.string().nullish() }),
      z.object({
        type: z.enum(['image', 'file', 'audio']),
        file_id: z.union([z.string().regex(/^\d{0,19}$/, 'must be a file id'), z.number().int().transform(String)]).nullish(),
        file_url: z.union([z.literal(''), httpUrl]).nullish(),
      }),
    ]),
  )
  .max(100)

/** Throws `invalid_request` saying what is wrong with the content. */
export function parseContent(content: string, contentType: ContentType): ContentPart[] {
  if (contentType !== 'object_string') return [{ type: 'text', text: content }]

  const parsed = partsSchema.safeParse(parseJson(content), { error: () => 'is not valid' })
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0] ?? { path: [], message: '' }
    const where = path.length > 0 ? ` (${path.join('.')}: ${message})` : ''
    throw new AppError('invalid_request', `content: object_string must be a JSON array of text, image, file and audio parts${where}`)
  }
  const parts = parsed.data.flatMap((part): ContentPart[] => {
    if (part.type === 'text') return part.text ? [{ type: 'text', text: part.text }] : []
    if (!part.file_url && !part.file_id)
      throw new AppError('invalid_request', `content: a part of type ${part.type} needs file_id or file_url`)
    return [{ type: part.type, fileId: part.file_id || undefined, fileUrl: part.file_url || undefined }]
  })
  if (parts.every((part) => part.type === 'audio'))
    throw new AppError('invalid_request', 'content: there must be a text, an image or a file among the parts')
  return parts
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new AppError('invalid_request', 'content: object_string must be a JSON array')
  }
}
