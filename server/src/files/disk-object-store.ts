import { randomBytes } from 'node:crypto'
import { access, constants, mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AppError } from '../lib/app-error.ts'
import type { ObjectStore } from './object-store.ts'

/**
 * Objects as files `aa/bb/<key>` below `directory`. They are written under another name first, so
 * that a key never leads to half an object; what a crash left behind there is removed a day later.
 */
export async function createDiskObjectStore(directory: string): Promise<ObjectStore> {
  const incoming = join(directory, 'incoming')
  await mkdir(incoming, { recursive: true, mode: 0o700 })
  await removeAbandoned(incoming)

  return {
    async put(bytes) {
      const key = randomBytes(20).toString('hex')
      const draft = join(incoming, key)
      try {
        const sizeBytes = await writeNew(draft, bytes)
        await mkdir(dirname(pathOf(directory, key)), { recursive: true, mode: 0o700 })
        await rename(draft, pathOf(directory, key))
        return { key, sizeBytes }
      } catch (cause) {
        await rm(draft, { force: true })
        throw hasCode(cause, 'ENOSPC') ? new AppError('unavailable', 'there is no space left to store the file', { cause }) : cause
      }
    },

    async open(key, range) {
      try {
        const file = await open(pathOf(directory, key), 'r')
        return file.createReadStream(range)
      } catch (cause) {
        if (hasCode(cause, 'ENOENT')) return undefined
        throw cause
      }
    },

    async delete(key) {
      await rm(pathOf(directory, key), { force: true })
    },

    async check() {
      await access(incoming, constants.W_OK)
      const { bavail, bsize } = await statfs(directory)
      return { kind: 'disk', freeBytes: bavail * bsize }
    },

    close: () => undefined,
  }
}

const ABANDONED_MS = 24 * 60 * 60 * 1000

async function writeNew(path: string, bytes: AsyncIterable<Uint8Array>): Promise<number> {
  await using file = await open(path, 'wx', 0o600)
  await file.writeFile(bytes)
  return (await file.stat()).size
}

function pathOf(directory: string, key: string): string {
  // keys come from our own table; a changed row must still not reach another path
  if (!/^[0-9a-f]{40}$/.test(key)) throw new RangeError('not an object key')
  return join(directory, key.slice(0, 2), key.slice(2, 4), key)
}

/** Younger ones may belong to an upload that another process is receiving. */
async function removeAbandoned(incoming: string): Promise<void> {
  for (const name of await readdir(incoming)) {
    const path = join(incoming, name)
    const changedAt = await stat(path).then(
      (found) => found.mtimeMs,
      () => Date.now(),
    )
    if (Date.now() - changedAt > ABANDONED_MS) await rm(path, { force: true })
  }
}

function hasCode(cause: unknown, code: string): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === code
}
