import type { UserRole } from './user-store.ts'

/** Who calls. Every use case takes one; it reaches only what its user owns. */
export type Principal = {
  userId: string
  /** Set when the call came with an API key. */
  keyId?: string
  /** Set when the call came with a session of the console. */
  role?: UserRole
}
