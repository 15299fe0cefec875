import type { Db } from '../db/database.ts'
import { updateOldLastUsed } from './api-key-secret-store.ts'
import { updateLastUsed } from './api-key-store.ts'

export type KeyUses = {
  /** `oldSecret` is the MD5 of the one that was used, where it was not the newest. */
  note(keyId: string, usedAt: number, oldSecret?: string): void
  /** Resolves when everything noted before is written, or reported as an error and kept for the next time. */
  flush(): Promise<void>
  /** Flushes; nothing is written after it. */
  close(): Promise<void>
}

/**
 * Collects when keys were last used and writes that down: at once when nothing was written for a
 * second, else once that second is over, all keys in one statement.
 */
export function createKeyUses({ db, onError }: { db: Db; onError: (cause: unknown) => void }): KeyUses {
  let noted = new Map<string, number>()
  // few keys are between two secrets at a time
  let notedOld = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()
  let writtenAt = -WRITE_EVERY_MS
  let closed = false

  const writeNoted = async () => {
    if (noted.size === 0) return

    const [batch, oldBatch] = [noted, notedOld]
    noted = new Map()
    notedOld = new Map()
    writtenAt = performance.now()
    try {
      await writeChunks(db, batch)
      await updateOldLastUsed(
        db,
        [...oldBatch].map(([md5, usedAt]) => ({ md5, usedAt })),
      )
    } catch (cause) {
      noted = new Map([...batch, ...noted])
      notedOld = new Map([...oldBatch, ...notedOld])
      onError(cause)
    }
  }

  const flush = async () => {
    clearTimeout(timer)
    writing = writing.then(writeNoted)
    await writing
    timer = undefined
    if (noted.size > 0) arm()
  }

  const arm = () => {
    if (timer || closed) return
    timer = setTimeout(() => void flush(), Math.max(0, writtenAt + WRITE_EVERY_MS - performance.now()))
    timer.unref()
  }

  return {
    note(keyId, usedAt, oldSecret) {
      noted.set(keyId, usedAt)
      if (oldSecret !== undefined) notedOld.set(oldSecret, usedAt)
      if (!timer) arm()
    },
    flush,
    async close() {
      closed = true
      await flush()
    },
  }
}

const WRITE_EVERY_MS = 1_000
const KEYS_PER_STATEMENT = 200

async function writeChunks(db: Db, batch: Map<string, number>): Promise<void> {
  const uses = [...batch].map(([keyId, usedAt]) => ({ keyId, usedAt }))
  for (let start = 0; start < uses.length; start += KEYS_PER_STATEMENT) {
    await updateLastUsed(db, uses.slice(start, start + KEYS_PER_STATEMENT))
  }
}
