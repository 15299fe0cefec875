import type { Readable } from 'node:stream'
import type { Db } from '../db/database.ts'
import { AppError } from '../lib/app-error.ts'
import type { Clock } from '../lib/clock.ts'
import type { NextId } from '../lib/snowflake.ts'
import { SAMPLE_BYTES, detectMime } from './file-mime.ts'
import { cleanFileName } from './file-name.ts'
import { findFile, insertFile } from './file-store.ts'
import type { StoredFile } from './file-store.ts'
import type { ByteRange, ObjectStore } from './object-store.ts'
import type { FileLinks } from './signed-file-url.ts'

export type FileDeps = { db: Db; objects: ObjectStore; nextId: NextId; clock: Clock; limits: FileLimits }
export type FileLimits = { maxUploadBytes: number }

/** The Principal of accounts/ is one. */
export type FileOwner = { userId: string }

export const DEFAULT_MAX_UPLOAD_BYTES = 512 * 1024 * 1024

/** The stream must throw when the upload is cut off: then no file and no row is left. */
export type Upload = { name: string | undefined; stream: AsyncIterable<Uint8Array> }

/** Streams the bytes to the object store and records the file. Its name and type are ours, not the caller's. */
export async function uploadFile(deps: FileDeps, owner: FileOwner, upload: Upload): Promise<StoredFile> {
  const name = cleanFileName(upload.name)
  const sample: Uint8Array[] = []
  const object = await deps.objects.put(watch(upload.stream, { maxBytes: deps.limits.maxUploadBytes, sample }))

  try {
    if (object.sizeBytes === 0) throw new AppError('invalid_request', 'file is empty')

    const mime = await detectMime(Buffer.concat(sample), name)
    const { key: objectKey, sizeBytes } = object
    const file = { id: deps.nextId(), ownerId: owner.userId, name, sizeBytes, mime, objectKey, createdAt: deps.clock() }
    await insertFile(deps.db, file)
    return file
  } catch (cause) {
    // why it failed is what counts; an object that cannot be deleted now is only lost space
    await deps.objects.delete(object.key).catch(() => undefined)
    throw cause
  }
}

/** Another owner's file does not exist. */
export async function getFile(deps: Pick<FileDeps, 'db'>, owner: FileOwner, fileId: string): Promise<StoredFile> {
  const file = await findFile(deps.db, fileId)
  if (file?.ownerId !== owner.userId) throw fileNotFound()
  return file
}

/** Whoever has a link may read the file until the link expires; a wrong link and a missing file look the same. */
export async function getLinkedFile(
  deps: Pick<FileDeps, 'db'> & { links: FileLinks },
  link: { fileId: string; signature: string },
): Promise<StoredFile> {
  if (!deps.links.isValid(link)) throw fileNotFound()

  const file = await findFile(deps.db, link.fileId)
  if (!file) throw fileNotFound()
  return file
}

export async function openFile(deps: Pick<FileDeps, 'objects'>, file: StoredFile, range?: ByteRange): Promise<Readable> {
  const bytes = await deps.objects.open(file.objectKey, range)
  if (!bytes) throw fileNotFound()
  return bytes
}

export function fileTooLarge(maxBytes: number): AppError {
  return new AppError('too_large', `the file is larger than ${toSizeText(maxBytes)}`)
}

/** For messages: whole megabytes where it is so, else bytes. */
export function toSizeText(bytes: number): string {
  const megabytes = bytes / 1024 / 1024
  return Number.isInteger(megabytes) ? `${megabytes} MB` : `${bytes} bytes`
}

function fileNotFound(): AppError {
  return new AppError('not_found', 'file not found')
}

/** Passes the bytes on, up to the limit, and keeps a copy of the first ones in `sample`. */
async function* watch(
  stream: AsyncIterable<Uint8Array>,
  { maxBytes, sample }: { maxBytes: number; sample: Uint8Array[] },
): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0
  for await (const chunk of stream) {
    if (sizeBytes < SAMPLE_BYTES) sample.push(chunk.slice(0, SAMPLE_BYTES - sizeBytes))
    sizeBytes += chunk.length
    if (sizeBytes > maxBytes) throw fileTooLarge(maxBytes)
    yield chunk
  }
}
