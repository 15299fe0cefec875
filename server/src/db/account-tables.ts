import type { Generated } from 'kysely'
import type { AutoId, Id } from './tables.ts'

/** What the tables that better-auth writes keep times in: text on SQLite, DATETIME on MySQL. See db/auth-time.ts. */
export type AuthTime = string | Date

export type UserTable = {
  id: AutoId
  name: string
  /** In lower case. */
  email: string
  email_verified: number
  image: string | null
  role: string
  created_at: AuthTime
  updated_at: AuthTime
  /** 0 while the user may sign in and their keys open anything. */
  disabled_at: Generated<number>
}

export type UserSessionTable = {
  id: AutoId
  user_id: Id
  /** Half of the cookie: without the signature that goes with it, it opens nothing. */
  token: string
  ip_address: string | null
  user_agent: string | null
  expires_at: AuthTime
  created_at: AuthTime
  updated_at: AuthTime
}

/** How a user signs in; one row per way, `provider_id` is 'credential' for a password. */
export type UserAccountTable = {
  id: AutoId
  user_id: Id
  account_id: string
  provider_id: string
  /** argon2id. */
  password: string | null
  access_token: string | null
  refresh_token: string | null
  id_token: string | null
  access_token_expires_at: AuthTime | null
  refresh_token_expires_at: AuthTime | null
  scope: string | null
  created_at: AuthTime
  updated_at: AuthTime
}

export type UserVerificationTable = {
  id: AutoId
  identifier: string
  value: string
  expires_at: AuthTime
  created_at: AuthTime
  updated_at: AuthTime
}
