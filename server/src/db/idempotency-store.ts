import type { Insertable } from 'kysely'
import { AppError } from '../lib/app-error.ts'
import type { Db } from './database.ts'
import type { IdempotencyTable } from './tables.ts'

/**
 * A request that may be sent again: the same key with the same content gives the same result,
 * executed once. The record is written in the transaction of what it stands for, so it exists
 * exactly when that does, on every node and after every restart.
 */
export type IdempotencyKey = {
  /** Whose key it is: two callers' equal keys have nothing to do with each other. */
  scope: string
  key: string
  /** SHA-256 of what is asked for. */
  requestHash: string
}

/** The id of what an earlier request with this key made. Throws `invalid_request` when that request asked for something else. */
export async function findIdempotentResult(db: Db, { scope, key, requestHash }: IdempotencyKey): Promise<string | undefined> {
  const row = await db
    .selectFrom('idempotency')
    .selectAll()
    .where('scope', '=', scope)
    .where('idempotency_key', '=', key)
    .executeTakeFirst()
  if (!row) return undefined
  if (row.request_hash !== requestHash)
    throw new AppError('invalid_request', 'this Idempotency-Key was used for another request: send a new one')
  return String(row.result_id)
}

export function idempotencyInsert(
  { scope, key, requestHash }: IdempotencyKey,
  result: { id: string; now: number },
): Insertable<IdempotencyTable> {
  return { scope, idempotency_key: key, request_hash: requestHash, result_id: result.id, created_at: result.now }
}

/** Within the transaction of what it stands for; a request without a key leaves no record. */
export async function insertIdempotency(tx: Db, key: IdempotencyKey | undefined, result: { id: string; now: number }): Promise<void> {
  if (key) await tx.insertInto('idempotency').values(idempotencyInsert(key, result)).execute()
}

export type Once<T> = {
  /** Does it, and writes the key's record in the same transaction. */
  perform: () => Promise<T>
  /** Answers what was made before. */
  replay: (resultId: string) => Promise<T>
}

/** Does it once for each key: the first request performs, all others, parallel ones too, get its result. Without a key it is done. */
export async function once<T>(db: Db, key: IdempotencyKey | undefined, { perform, replay }: Once<T>): Promise<T> {
  if (!key) return perform()

  const known = await findIdempotentResult(db, key)
  if (known !== undefined) return replay(known)
  try {
    return await perform()
  } catch (cause) {
    // whatever stopped this one: when another one was quicker, its result counts
    const winner = await findIdempotentResult(db, key)
    if (winner === undefined) throw cause
    return replay(winner)
  }
}

/** Deletes records older than `before`; answers how many went. */
export async function deleteIdempotencyBefore(db: Db, before: number): Promise<number> {
  const result = await db.deleteFrom('idempotency').where('created_at', '<', before).executeTakeFirst()
  return Number(result.numDeletedRows)
}
