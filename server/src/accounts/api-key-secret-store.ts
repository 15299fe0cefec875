import { sql } from 'kysely'
import type { Db } from '../db/database.ts'
import { keysWithOwners, toStoredKey } from './api-key-store.ts'
import type { StoredKey } from './api-key-store.ts'

/** A secret that a key had before it was rotated. Times are ms; 0 means never. */
export type OldSecret = { lastFour: string; validUntil: number; lastUsedAt: number }

export type StoredOldSecret = { key: StoredKey; md5: string; validUntil: number }

/** With the key as it is now; the hash is the old secret's. */
export async function findOldSecret(db: Db, md5: string): Promise<StoredOldSecret | undefined> {
  const row = await keysWithOwners(db)
    .innerJoin('api_key_old_secret as old', 'old.key_id', 'api_key.id')
    .select(['old.md5', 'old.secret_hash as old_hash', 'old.valid_until'])
    .where('old.md5', '=', md5)
    .executeTakeFirst()
  return row && { key: { ...toStoredKey(row), secretHash: row.old_hash }, md5: row.md5, validUntil: row.valid_until }
}

/** By the ids of their keys, newest first; of those that are still valid. */
export async function listOldSecrets(db: Db, keyIds: string[], now: number): Promise<Map<string, OldSecret[]>> {
  if (keyIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('api_key_old_secret')
    .select(['key_id', 'last_four', 'valid_until', 'last_used_at'])
    .where('key_id', 'in', keyIds)
    .where('valid_until', '>', now)
    .orderBy('valid_until', 'desc')
    .execute()
  const found = rows.map((row) => ({
    keyId: String(row.key_id),
    secret: { lastFour: row.last_four, validUntil: row.valid_until, lastUsedAt: row.last_used_at },
  }))
  return new Map(keyIds.map((keyId) => [keyId, found.filter((each) => each.keyId === keyId).map(({ secret }) => secret)]))
}

export type NewSecret = { md5: string; secretHash: string; lastFour: string }

/** Gives the key another secret, in the place of the one with `md5Before`; false when it has another one already. */
export async function replaceSecret(
  db: Db,
  keyId: string,
  { md5Before, next, now }: { md5Before: string; next: NewSecret; now: number },
): Promise<boolean> {
  const result = await db
    .updateTable('api_key')
    .set({ api_key: next.md5, secret_hash: next.secretHash, last_four: next.lastFour, updated_at: now })
    .where('id', '=', keyId)
    .where('api_key', '=', md5Before)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** What a rotation has to keep of the secret that a key has. */
export async function findSecretOf(db: Db, keyId: string): Promise<(NewSecret & { lastUsedAt: number }) | undefined> {
  const row = await db
    .selectFrom('api_key')
    .select(['api_key', 'secret_hash', 'last_four', 'last_used_at'])
    .where('id', '=', keyId)
    .executeTakeFirst()
  return row && { md5: row.api_key, secretHash: row.secret_hash, lastFour: row.last_four, lastUsedAt: row.last_used_at }
}

export async function insertOldSecret(
  db: Db,
  keyId: string,
  { md5, secretHash, lastFour, validUntil, lastUsedAt }: NewSecret & Pick<OldSecret, 'validUntil' | 'lastUsedAt'>,
): Promise<void> {
  const row = { md5, key_id: keyId, secret_hash: secretHash, last_four: lastFour, valid_until: validUntil, last_used_at: lastUsedAt }
  await db.insertInto('api_key_old_secret').values(row).execute()
}

/** Of a key: those that ended before then. */
export async function deleteOldSecrets(db: Db, keyId: string, endedBefore: number): Promise<void> {
  await db.deleteFrom('api_key_old_secret').where('key_id', '=', keyId).where('valid_until', '<', endedBefore).execute()
}

/** From now on the key has no secret but its newest. */
export async function endOldSecrets(db: Db, keyId: string, now: number): Promise<void> {
  await db.updateTable('api_key_old_secret').set({ valid_until: now }).where('key_id', '=', keyId).where('valid_until', '>', now).execute()
}

/** One statement, however many. */
export async function updateOldLastUsed(db: Db, uses: { md5: string; usedAt: number }[]): Promise<void> {
  if (uses.length === 0) return

  const times = sql.join(
    uses.map(({ md5, usedAt }) => sql`when ${md5} then ${usedAt}`),
    sql` `,
  )
  await db
    .updateTable('api_key_old_secret')
    .set({ last_used_at: sql<number>`case md5 ${times} end` })
    .where(
      'md5',
      'in',
      uses.map(({ md5 }) => md5),
    )
    .execute()
}
