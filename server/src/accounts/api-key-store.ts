import { sql } from 'kysely'
import type { Selectable, SelectQueryBuilder } from 'kysely'
import type { Db } from '../db/database.ts'
import type { ApiKeyTable, Tables } from '../db/tables.ts'
import { parseStoredPolicy, toStoredPolicy } from './key-policy.ts'
import type { KeyPolicy } from './key-policy.ts'

/** A key without its secret. Times are ms; 0 means never. */
export type ApiKey = {
  id: string
  userId: string
  name: string
  /** Empty for keys imported from Coze. */
  lastFour: string
  expiredAt: number
  createdAt: number
  updatedAt: number
  lastUsedAt: number
  /** Undefined where nothing is limited. */
  policy: KeyPolicy | undefined
  /** Undefined while it may be used. */
  disabledAt: number | undefined
  /** The key that made it over the API. */
  makerKeyId: string | undefined
}

/** A key as authentication needs it, deleted ones too. */
export type StoredKey = {
  id: string
  userId: string
  deleted: boolean
  disabled: boolean
  isOwnerDisabled: boolean
  expiredAt: number
  secretHash: string
  policy: KeyPolicy | undefined
}

export type NewApiKey = Omit<ApiKey, 'id' | 'updatedAt' | 'lastUsedAt' | 'disabledAt'> & { md5: string; secretHash: string }

export async function insertKey(db: Db, key: NewApiKey): Promise<string> {
  const { insertId } = await db
    .insertInto('api_key')
    .values({
      api_key: key.md5,
      secret_hash: key.secretHash,
      last_four: key.lastFour,
      name: key.name,
      user_id: key.userId,
      expired_at: key.expiredAt,
      created_at: key.createdAt,
      updated_at: key.createdAt,
      policy: toStoredPolicy(key.policy),
      maker_key_id: key.makerKeyId,
    })
    .executeTakeFirstOrThrow()
  return String(insertId)
}

export async function findKeyByMd5(db: Db, md5: string): Promise<StoredKey | undefined> {
  const row = await keysWithOwners(db).where('api_key.api_key', '=', md5).executeTakeFirst()
  return row && toStoredKey(row)
}

/** For what was made with the key: see `api-key-token.ts`. */
export async function findStoredKey(db: Db, keyId: string): Promise<StoredKey | undefined> {
  const row = await keysWithOwners(db).where('api_key.id', '=', keyId).executeTakeFirst()
  return row && toStoredKey(row)
}

/** Not a deleted one. */
export async function findKey(db: Db, keyId: string): Promise<ApiKey | undefined> {
  const row = await db.selectFrom('api_key').selectAll().where('id', '=', keyId).where('status', '=', LIVE).executeTakeFirst()
  return row && toApiKey(row)
}

/** Without a user everybody's; with a maker only those that this key has made. */
export type KeyFilter = { userId: string | undefined; makerKeyId?: string }

/** Newest first, without deleted ones. */
export async function listKeyRows(db: Db, filter: KeyFilter, page: { offset: number; limit: number }): Promise<ApiKey[]> {
  // @NOTE the ids first, of which an index has all that is asked: MySQL would fetch every row that it skips
  const found = matching(db.selectFrom('api_key'), filter).select('id').orderBy('id', 'desc').offset(page.offset).limit(page.limit)
  const rows = await db
    .selectFrom(found.as('found'))
    .innerJoin('api_key', 'api_key.id', 'found.id')
    .selectAll('api_key')
    .orderBy('api_key.id', 'desc')
    .execute()
  return rows.map(toApiKey)
}

export async function countKeys(db: Db, filter: KeyFilter): Promise<number> {
  const { total } = await matching(db.selectFrom('api_key'), filter)
    .select((eb) => eb.fn.countAll().as('total'))
    .executeTakeFirstOrThrow()
  return Number(total)
}

export type KeyRowChange = Pick<ApiKey, 'id' | 'name' | 'expiredAt' | 'updatedAt' | 'policy' | 'disabledAt'>

export async function updateKeyRow(db: Db, key: KeyRowChange): Promise<void> {
  await db
    .updateTable('api_key')
    .set({
      ...{ name: key.name, expired_at: key.expiredAt, updated_at: key.updatedAt },
      ...{ policy: toStoredPolicy(key.policy), disabled_at: key.disabledAt ?? 0 },
    })
    .where('id', '=', key.id)
    .where('status', '=', LIVE)
    .execute()
}

/** The row stays: what the key did can still be told. */
export async function markKeyDeleted(db: Db, keyId: string, now: number): Promise<void> {
  await db.updateTable('api_key').set({ status: DELETED, updated_at: now }).where('id', '=', keyId).execute()
}

/** One statement, however many keys. @NOTE ids go in as integers: how CASE compares a number with a text is each database's own affair. */
export async function updateLastUsed(db: Db, uses: { keyId: string; usedAt: number }[]): Promise<void> {
  if (uses.length === 0) return

  const times = sql.join(
    uses.map(({ keyId, usedAt }) => sql`when ${BigInt(keyId)} then ${usedAt}`),
    sql` `,
  )
  await db
    .updateTable('api_key')
    .set({ last_used_at: sql<number>`case id ${times} end` })
    .where(
      'id',
      'in',
      uses.map(({ keyId }) => keyId),
    )
    .execute()
}

const LIVE = 0
const DELETED = 1

function matching<O>(query: SelectQueryBuilder<Tables, 'api_key', O>, { userId, makerKeyId }: KeyFilter) {
  const live = query.where('status', '=', LIVE)
  const own = userId === undefined ? live : live.where('user_id', '=', userId)
  return makerKeyId === undefined ? own : own.where('maker_key_id', '=', makerKeyId)
}

/** What is asked of a key at every call. */
export function keysWithOwners(db: Db) {
  return (
    db
      .selectFrom('api_key')
      // keys imported from Coze may be of users who are not here
      .leftJoin('user', 'user.id', 'api_key.user_id')
      .select(['api_key.id', 'api_key.user_id', 'api_key.status', 'api_key.expired_at', 'api_key.secret_hash', 'api_key.policy'])
      .select(['api_key.disabled_at', 'user.disabled_at as owner_disabled_at'])
  )
}

type KeyWithOwner = Awaited<ReturnType<ReturnType<typeof keysWithOwners>['executeTakeFirstOrThrow']>>

export function toStoredKey(row: KeyWithOwner): StoredKey {
  return {
    ...{ id: String(row.id), userId: String(row.user_id), deleted: row.status !== LIVE },
    ...{ disabled: row.disabled_at > 0, isOwnerDisabled: (row.owner_disabled_at ?? 0) > 0 },
    ...{ expiredAt: toMs(row.expired_at), secretHash: row.secret_hash, policy: parseStoredPolicy(row.policy) },
  }
}

function toApiKey(row: Selectable<ApiKeyTable>): ApiKey {
  return {
    id: String(row.id),
    userId: String(row.user_id),
    name: row.name,
    lastFour: row.last_four,
    expiredAt: toMs(row.expired_at),
    createdAt: toMs(row.created_at),
    updatedAt: toMs(row.updated_at),
    lastUsedAt: toMs(row.last_used_at),
    policy: parseStoredPolicy(row.policy),
    disabledAt: row.disabled_at || undefined,
    makerKeyId: row.maker_key_id === null ? undefined : String(row.maker_key_id),
  }
}

/** @NOTE Coze writes Unix seconds into these columns, whatever its schema says: rows imported from it keep their meaning. */
function toMs(time: number): number {
  if (time <= 0) return 0
  return time < FIRST_MS ? time * 1000 : time
}

// 1973 in ms, the year 5138 in seconds
const FIRST_MS = 100_000_000_000
