import type { Id, OptionalId } from './tables.ts'

export type AuditEntryTable = {
  /** Its place in the chain, from 1 on without gaps. */
  id: Id
  at: number
  actor_kind: 'key' | 'session' | 'command' | 'system'
  actor_user_id: OptionalId
  key_id: OptionalId
  address: string
  action: string
  target_kind: string
  target_id: string
  /** JSON. */
  details: string
  /** `hash` of the entry before it; empty in the first. */
  prev_hash: string
  /** HMAC-SHA-256 hex of everything in the row. */
  hash: string
}

/** One row. */
export type AuditHeadTable = {
  id: number
  entries: number
  hash: string
  /** HMAC-SHA-256 hex of the two. */
  seal: string
}
