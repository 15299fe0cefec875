import { sql } from 'kysely'
import { upsert } from '../db/database.ts'
import type { Db } from '../db/database.ts'

/** What a key has used on the days from `firstDay` on; days are counted from 1970, in UTC. */
export async function listTokensOfDays(db: Db, keyId: string, firstDay: number): Promise<{ day: number; tokens: number }[]> {
  return db.selectFrom('key_tokens').select(['day', 'tokens']).where('key_id', '=', keyId).where('day', '>=', firstDay).execute()
}

/** Many may add at once: nothing is lost. */
export async function addTokens(db: Db, { keyId, day, tokens }: { keyId: string; day: number; tokens: number }): Promise<void> {
  const changes = { tokens: sql<number>`key_tokens.tokens + ${tokens}` }
  await upsert(db, 'key_tokens', { row: { key_id: keyId, day, tokens }, keys: ['key_id', 'day'], changes })
}
