import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { DeleteObjectCommand, GetObjectCommand, HeadBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { AppError } from '../lib/app-error.ts'
import type { ObjectStore } from './object-store.ts'

export type S3Settings = {
  bucket: string
  region: string
  /** Absent: Amazon's own, of the region. */
  endpoint: string | undefined
  /** Absent: what the machine gives, such as the role of its instance. */
  credentials: { accessKeyId: string; secretAccessKey: string } | undefined
  forcePathStyle: boolean
}

const PART_BYTES = 8 * 1024 * 1024
const PREFIX = 'files/'

/** Objects of a bucket, below `files/`, shared by all nodes. Of an upload no more than two parts are in memory. */
export function createS3ObjectStore({ bucket, region, endpoint, credentials, forcePathStyle }: S3Settings): ObjectStore {
  const client = new S3Client({
    ...{ region, endpoint, credentials, forcePathStyle },
    // @NOTE the checksums that are new are unknown to many servers that speak S3
    ...{ requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' },
    requestHandler: { connectionTimeout: 3_000, socketTimeout: 30_000 },
  })

  return {
    async put(bytes) {
      const key = randomBytes(20).toString('hex')
      const source = watchSource(bytes)
      const upload = new Upload({
        ...{ client, partSize: PART_BYTES, queueSize: 1 },
        params: { Bucket: bucket, Key: PREFIX + key, Body: Readable.from(source.bytes, { objectMode: false }) },
      })
      try {
        await upload.done()
        return { key, sizeBytes: source.sizeBytes }
      } catch (cause) {
        throw source.failure ?? unavailable(cause)
      }
    },

    async open(key, range) {
      const wanted = { Bucket: bucket, Key: nameOf(key), Range: range && `bytes=${range.start}-${range.end}` }
      try {
        const { Body } = await client.send(new GetObjectCommand(wanted))
        return Body instanceof Readable ? Body : undefined
      } catch (cause) {
        if (isMissing(cause)) return undefined
        throw unavailable(cause)
      }
    },

    async delete(key) {
      const wanted = { Bucket: bucket, Key: nameOf(key) }
      try {
        await client.send(new DeleteObjectCommand(wanted))
      } catch (cause) {
        if (!isMissing(cause)) throw unavailable(cause)
      }
    },

    async check() {
      await client.send(new HeadBucketCommand({ Bucket: bucket }))
      return { kind: 's3', freeBytes: undefined }
    },
    close: () => client.destroy(),
  }
}

type Source = { bytes: AsyncGenerator<Uint8Array>; readonly sizeBytes: number; readonly failure: Error | undefined }

/** Tells how much came, and whether an upload failed because there was no more to come. */
function watchSource(given: AsyncIterable<Uint8Array>): Source {
  const seen: { sizeBytes: number; failure: Error | undefined } = { sizeBytes: 0, failure: undefined }

  async function* pass(): AsyncGenerator<Uint8Array> {
    // what is thrown while the reader has a chunk is the reader's
    let isHere = true
    try {
      for await (const chunk of given) {
        seen.sizeBytes += chunk.length
        isHere = false
        yield chunk
        isHere = true
      }
    } catch (cause) {
      if (isHere) seen.failure = cause instanceof Error ? cause : new Error('the source failed', { cause })
      throw cause
    }
  }

  return {
    bytes: pass(),
    get sizeBytes() {
      return seen.sizeBytes
    },
    get failure() {
      return seen.failure
    },
  }
}

function nameOf(key: string): string {
  // keys come from our own table; a changed row must still not reach another object
  if (!/^[0-9a-f]{40}$/.test(key)) throw new RangeError('not an object key')
  return PREFIX + key
}

/** Whatever it is, the caller can only come again; its operator finds the cause in the log. */
const unavailable = (cause: unknown) => new AppError('unavailable', 'files cannot be reached now: try again shortly', { cause })

/** The object; a bucket that is missing is another matter. */
const isMissing = (cause: unknown): boolean => cause instanceof Error && (cause.name === 'NoSuchKey' || cause.name === 'NotFound')
