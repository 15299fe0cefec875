import type { Readable } from 'node:stream'

/** Where the bytes of files are kept, each under a random key that the store makes up. */
export interface ObjectStore {
  /**
   * Stores the bytes as they come, never whole in memory. When the source fails, nothing of it stays
   * and its error is thrown.
   */
  put(bytes: AsyncIterable<Uint8Array>): Promise<StoredObject>
  /** The bytes, or those of the range; undefined when there is no such object. Who opens it must read or destroy it. */
  open(key: string, range?: ByteRange): Promise<Readable | undefined>
  /** Deleting what is not there is no error. */
  delete(key: string): Promise<void>
  /** For the operator. Rejects when nothing could be stored now. */
  check(): Promise<{ kind: 'disk' | 's3'; freeBytes: number | undefined }>
  close(): void
}

export type StoredObject = { key: string; sizeBytes: number }

/** Both ends belong to it. */
export type ByteRange = { start: number; end: number }
