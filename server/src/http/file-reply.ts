import type { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { StoredFile } from '../files/file-store.ts'
import type { ByteRange } from '../files/object-store.ts'
import { parseByteRange } from './byte-range.ts'

export type OpenBytes = (range: ByteRange | undefined) => Promise<Readable>

/**
 * Answers with a file that anyone may have uploaded: a browser shows only what it cannot run, and
 * offers the rest for saving. Understands ranges, conditions and HEAD.
 */
export async function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  { file, open }: { file: StoredFile; open: OpenBytes },
): Promise<FastifyReply> {
  // a file never changes: its id names its content
  const etag = `"${file.id}"`
  reply.headers({ ...safetyHeaders(file), etag, 'accept-ranges': 'bytes', 'cache-control': 'private, max-age=3600' })
  if (names(request.headers['if-none-match'], etag)) return reply.code(304).send()

  const range = wantedRange(request, { etag, sizeBytes: file.sizeBytes })
  if (range === 'unsatisfiable') return reply.code(416).header('content-range', `bytes */${file.sizeBytes}`).send()

  const lengthBytes = range ? range.end - range.start + 1 : file.sizeBytes
  reply.headers({ 'content-type': contentType(file.mime), 'content-length': lengthBytes })
  if (request.method === 'HEAD') return reply.send()

  const bytes = await open(range)
  if (range) reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${file.sizeBytes}`)
  return reply.send(bytes)
}

/** For a header: an ASCII name for old clients, the real one for the others. */
export function contentDisposition(kind: 'inline' | 'attachment', name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]/gu, '_').replace(/["\\%]/g, '_')
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
  return `${kind}; filename="${ascii}"; filename*=UTF-8''${encoded}`
}

const SHOWN = new Set(['application/pdf', 'text/plain'])

function safetyHeaders({ mime, name }: StoredFile): Record<string, string> {
  const shown = SHOWN.has(mime) || (/^(image|audio|video)\//.test(mime) && mime !== 'image/svg+xml')
  // @NOTE browsers refuse to show a PDF in a sandbox; its scripts cannot leave the viewer
  const sandbox = mime === 'application/pdf' ? '' : '; sandbox'
  return {
    'content-disposition': contentDisposition(shown ? 'inline' : 'attachment', name),
    'content-security-policy': `default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'${sandbox}`,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  }
}

function contentType(mime: string): string {
  return mime.startsWith('text/') ? `${mime}; charset=utf-8` : mime
}

/** Ranges are for GET, and only of the content that the client has already a part of. */
function wantedRange(
  request: FastifyRequest,
  { etag, sizeBytes }: { etag: string; sizeBytes: number },
): ByteRange | 'unsatisfiable' | undefined {
  const condition = request.headers['if-range']
  if (request.method !== 'GET' || (condition !== undefined && condition !== etag)) return undefined
  return parseByteRange(request.headers.range, sizeBytes)
}

function names(header: string | undefined, etag: string): boolean {
  return (header ?? '').split(',').some((item) => ['*', etag, `W/${etag}`].includes(item.trim()))
}
