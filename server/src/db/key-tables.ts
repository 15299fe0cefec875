import type { Generated } from 'kysely'
import type { Id } from './tables.ts'

/** A secret that a key had before it was rotated. */
export type ApiKeyOldSecretTable = {
  md5: string
  key_id: Id
  secret_hash: string
  last_four: string
  valid_until: number
  last_used_at: Generated<number>
}

/** What a key with a budget has used on a day, counted from 1970 in UTC. */
export type KeyTokensTable = { key_id: Id; day: number; tokens: number }
