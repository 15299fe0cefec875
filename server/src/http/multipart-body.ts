import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { Busboy } from '@fastify/busboy'
import type { BusboyInstance } from '@fastify/busboy'
import { fileTooLarge } from '../files/files.ts'
import type { Upload } from '../files/files.ts'
import { AppError } from '../lib/app-error.ts'

/**
 * Reads a multipart body that holds exactly one file, in a part named `file`, and hands it to `store`
 * while it arrives. The stream ends only when the whole form has arrived and is right; in every other
 * case it throws the AppError that says why, so a store that drops what it has on an error keeps
 * nothing of a bad upload. The boundary is taken from the body when the header does not name it:
 * clients that set `Content-Type: application/json` on everything do so on uploads too.
 */
export async function receiveFile<T>(request: IncomingMessage, limits: FormLimits, store: (upload: Upload) => Promise<T>): Promise<T> {
  const form = openForm(request, limits)
  try {
    const { name, bytes } = await form.file
    return await store({ name, stream: untilFormEnds(bytes, form.ended) })
  } finally {
    form.close()
  }
}

export type FormLimits = {
  maxFileBytes: number
  /** A client that sends nothing for so long is given up. */
  idleMs?: number
}

type FilePart = { name: string | undefined; bytes: Readable }

type Form = {
  file: Promise<FilePart>
  ended: Promise<void>
  /** Whatever still comes is thrown away, so that the client can finish sending and read the answer. */
  close(): void
}

/** How long a client that uploads may be silent. */
export const UPLOAD_IDLE_MS = 60_000
const FORM_OVERHEAD_BYTES = 1024 * 1024
const MAX_DISCARDED_BYTES = 64 * 1024 * 1024
const FIRST_LINE_BYTES = 200

/** Text fields are ignored; they and the headers may only be few and short. */
const PART_LIMITS = { files: 1, fields: 20, parts: 25, fieldSize: 64 * 1024, headerPairs: 20, headerSize: 8 * 1024 }

const notMultipart = () => invalid('send the file as multipart/form-data in a part named file')
const cutOff = () => invalid('upload was cut off')

async function* untilFormEnds(bytes: Readable, ended: Promise<void>): AsyncGenerator<Uint8Array> {
  yield* bytes
  await ended
}

function openForm(request: IncomingMessage, { maxFileBytes, idleMs = UPLOAD_IDLE_MS }: FormLimits): Form {
  const file = Promise.withResolvers<FilePart>()
  const ended = Promise.withResolvers<undefined>()
  // whoever reads the file awaits it; when nobody got that far, `file` has told them
  ended.promise.catch(() => undefined)
  const maxBodyBytes = maxFileBytes + FORM_OVERHEAD_BYTES
  let bytes: Readable | undefined
  let open = true

  const fail = (error: AppError) => {
    if (!open) return
    open = false
    file.reject(error)
    ended.reject(error)
    bytes?.destroy(error)
    request.resume()
  }
  const feed = createFeed(request.headers['content-type'], {
    onFile(part) {
      bytes = part.bytes
      file.resolve(part)
    },
    onEnd: () => (bytes ? ended.resolve(undefined) : fail(invalid('file is required'))),
    onBad: fail,
  })

  if (request.destroyed) fail(cutOff())
  if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) fail(fileTooLarge(maxFileBytes))

  let received = 0
  let discarded = 0
  request.setTimeout(idleMs, () => request.destroy())
  request.on('data', (chunk: Buffer) => {
    received += chunk.length
    if (received > maxBodyBytes) fail(fileTooLarge(maxFileBytes))
    if (open) {
      feed.write(chunk, request)
      return
    }
    discarded += chunk.length
    if (discarded > MAX_DISCARDED_BYTES) request.destroy()
  })
  request.on('end', () => {
    request.setTimeout(0)
    if (open) feed.end()
  })
  request.on('error', () => fail(cutOff()))
  request.on('close', () => {
    if (!request.complete) fail(cutOff())
  })

  return {
    file: file.promise,
    ended: ended.promise,
    close() {
      open = false
      request.resume()
    },
  }
}

type FormEvents = { onFile: (part: FilePart) => void; onEnd: () => void; onBad: (error: AppError) => void }

/** Holds the first line back until the boundary is known, then parses. */
function createFeed(contentType: string | undefined, events: FormEvents) {
  let head: Buffer = Buffer.alloc(0)
  let parser: BusboyInstance | undefined
  const start = () => {
    const boundary = boundaryIn(contentType) ?? boundaryOf(head)
    if (boundary === undefined) return undefined
    return createParser(boundary, { ...events, onTorn: () => events.onBad(looksMultipart(head) ? cutOff() : notMultipart()) })
  }

  return {
    /** Stops the source while the parser has enough. */
    write(chunk: Buffer, source: Readable) {
      let ready = chunk
      if (!parser) {
        head = Buffer.concat([head, chunk])
        if (!head.includes('\r\n') && head.length < FIRST_LINE_BYTES) return

        parser = start()
        if (!parser) return events.onBad(notMultipart())
        ready = head
      }
      if (parser.write(ready)) return
      source.pause()
      parser.once('drain', () => source.resume())
    },
    end() {
      if (parser) parser.end()
      else events.onBad(looksMultipart(head) ? cutOff() : notMultipart())
    },
  }
}

function createParser(boundary: string, { onFile, onEnd, onBad, onTorn }: FormEvents & { onTorn: () => void }): BusboyInstance {
  const parser = new Busboy({
    headers: { 'content-type': `multipart/form-data; boundary="${boundary}"` },
    limits: PART_LIMITS,
    preservePath: true,
    isPartAFile: (field, type, fileName) => field === 'file' || fileName !== undefined || type === 'application/octet-stream',
  })
  parser.on('file', (field, bytes, name) => {
    // the parser reports a torn part here too, after it has told onTorn
    bytes.on('error', () => undefined)
    if (field === 'file') onFile({ name, bytes })
    else onBad(invalid('the part that holds the file must be named file'))
  })
  parser.on('field', (...[, , , valueCut]) => {
    if (valueCut) onBad(invalid('a field beside the file is too long'))
  })
  parser.on('filesLimit', () => onBad(invalid('send exactly one file')))
  parser.on('fieldsLimit', () => onBad(invalid('too many fields beside the file')))
  parser.on('partsLimit', () => onBad(invalid('too many parts')))
  parser.on('error', onTorn)
  parser.on('finish', onEnd)
  return parser
}

function boundaryIn(contentType: string | undefined): string | undefined {
  const [, quoted, plain] = /^multipart\/.*;\s*boundary=(?:"([^"\\]{1,200})"|([^\s;"\\]{1,200}))/i.exec(contentType ?? '') ?? []
  return quoted ?? plain
}

/** The characters and the length that RFC 2046 allows. */
function boundaryOf(head: Buffer): string | undefined {
  return /^--([\w'()+,\-./:=? ]{1,70})\r\n/.exec(head.toString('latin1', 0, FIRST_LINE_BYTES))?.[1]
}

function looksMultipart(head: Buffer): boolean {
  return head.subarray(0, 2).toString('latin1') === '--'
}

function invalid(message: string): AppError {
  return new AppError('invalid_request', message)
}
