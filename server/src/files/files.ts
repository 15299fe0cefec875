import { createHash, hash } from 'node:crypto'
import type { Hash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { inTransaction } from '../db/database.ts'
import type { Db } from '../db/database.ts'
import { insertIdempotency, once } from '../db/idempotency-store.ts'
import type { IdempotencyKey } from '../db/idempotency-store.ts'
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

/**
 * Streams the bytes to the object store and records the file. Its name and type are ours, not the
 * caller's. An upload with the Idempotency-Key of an earlier one, of the same name and bytes, gets
 * that one's file.
 */
export async function uploadFile(deps: FileDeps, owner: FileOwner, upload: Upload & { idempotency?: IdempotencyKey }): Promise<StoredFile> {
  const name = cleanFileName(upload.name)
  const seen: Seen = { sample: [], digest: upload.idempotency && createHash('sha256') }
  const object = await deps.objects.put(watch(upload.stream, { maxBytes: deps.limits.maxUploadBytes, seen }))

  try {
    if (object.sizeBytes === 0) throw new AppError('invalid_request', 'file is empty')

    const mime = await detectMime(Buffer.concat(seen.sample), name)
    const { key: objectKey, sizeBytes } = object
    const file = { id: deps.nextId(), ownerId: owner.userId, name, sizeBytes, mime, objectKey, createdAt: deps.clock() }
    const stored = await recordFile(deps, owner, { file, idempotency: withContent(upload.idempotency, name, seen.digest) })
    if (stored.objectKey !== objectKey) await deleteQuietly(deps.objects, objectKey)
    return stored
  } catch (cause) {
    await deleteQuietly(deps.objects, object.key)
    throw cause
  }
}

type Recording = { file: StoredFile; idempotency: IdempotencyKey | undefined }

function recordFile(deps: FileDeps, owner: FileOwner, { file, idempotency }: Recording): Promise<StoredFile> {
  return once(deps.db, idempotency, {
    async perform() {
      await inTransaction(deps.db, async (tx) => {
        await insertIdempotency(tx, idempotency, { id: file.id, now: file.createdAt })
        await insertFile(tx, file)
      })
      return file
    },
    replay: (fileId) => getFile(deps, owner, fileId),
  })
}

/** What is asked for is the name and the bytes; they are known only now that all of them have come. */
function withContent(key: IdempotencyKey | undefined, name: string, digest: Hash | undefined): IdempotencyKey | undefined {
  return key && digest && { ...key, requestHash: hash('sha256', JSON.stringify([key.requestHash, name, digest.digest('hex')])) }
}

/** What counts is how the upload ends; an object that cannot be deleted now is only lost space. */
async function deleteQuietly(objects: ObjectStore, objectKey: string): Promise<void> {
  await objects.delete(objectKey).catch(() => undefined)
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

type Seen = { sample: Uint8Array[]; digest: Hash | undefined }

/** Passes the bytes on, up to the limit, and notes in `seen` the first ones and what all of them hash to. */
async function* watch(
  stream: AsyncIterable<Uint8Array>,
  { maxBytes, seen: { sample, digest } }: { maxBytes: number; seen: Seen },
): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0
  for await (const chunk of stream) {
    if (sizeBytes < SAMPLE_BYTES) sample.push(chunk.slice(0, SAMPLE_BYTES - sizeBytes))
    sizeBytes += chunk.length
    if (sizeBytes > maxBytes) throw fileTooLarge(maxBytes)
    digest?.update(chunk)
    yield chunk
  }
}
