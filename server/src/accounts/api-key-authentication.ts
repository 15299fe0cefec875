import { hash, timingSafeEqual } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { isDatabaseUnavailable } from '../db/database.ts'
import type { Db } from '../db/database.ts'
import { AppError } from '../lib/app-error.ts'
import type { Clock } from '../lib/clock.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import { isWellFormed, md5Of } from './api-key-secret.ts'
import { findOldSecret } from './api-key-secret-store.ts'
import { findKeyByMd5 } from './api-key-store.ts'
import type { StoredKey } from './api-key-store.ts'
import { createKeyUses } from './api-key-uses.ts'
import { createSecretHash } from './api-keys.ts'
import { toKeyAccess } from './key-policy.ts'
import type { KeyAccess } from './key-policy.ts'
import type { Principal } from './principal.ts'
import { createTokenAuthentication } from './token-authentication.ts'
import { TOKEN_PREFIX } from './token-signature.ts'

export type KeyAuthentication = {
  /**
   * Who holds this secret. Answers at once for a key seen within the last second, else after one
   * query. Throws `unauthenticated` with the reason, `forbidden` for a key that may not be used from there, `unavailable` when the
   * database cannot tell.
   */
  authenticate(secret: string, from?: CallOrigin): Principal | Promise<Principal>
  /** After a change to a key: the next call with it reads it again. */
  forget(keyId: string): void
  /** The same for all keys of a user. */
  forgetUser(userId: string): void
  /** Writes the times of last use that are not written yet. */
  flush(): Promise<void>
  /** Flushes and stops. */
  close(): Promise<void>
}

/** Where a call comes from. A request of Fastify is one. */
export type CallOrigin = { readonly ip: string; headers: { origin?: string } }

export type KeyAuthenticationDeps = {
  db: Db
  secrets: SecretBox
  clock: Clock
  /** Told when times of last use could not be written; they are tried again. */
  onError: (cause: unknown) => void
}

/**
 * The gate of every API call. What was read is believed for one second, so that a key revoked on
 * another node or at the command line stops working within that second; in this process at once.
 */
export function createKeyAuthentication({ db, secrets, clock, onError }: KeyAuthenticationDeps): KeyAuthentication {
  const secretHash = createSecretHash(secrets)
  const uses = createKeyUses({ db, onError })
  const known = new LRUCache<string, KnownKey>({ max: KEYS_REMEMBERED })
  // apart from the known ones, so that a flood of guesses cannot push those out
  const unknown = new LRUCache<string, number>({ max: GUESSES_REMEMBERED })
  const reading = new Map<string, Promise<KnownKey | undefined>>()
  const tokens = createTokenAuthentication({ db, secrets, clock, assertUsable, isFresh, note: uses.note })
  let changes = 0

  const accept = (key: KnownKey, now: number, from: CallOrigin | undefined): Principal => {
    assertUsable(key, now)
    const { principal } = key
    if (principal.access) assertPlace(principal.access, from)
    uses.note(key.id, now, key.old?.md5)
    return principal
  }

  const read = async (digest: string, secret: string): Promise<KnownKey | undefined> => {
    const readAt = clock()
    const changesBefore = changes
    const row = await findSecret(db, md5Of(secret))
    if (!row || !(row.secretHash === '' || isSame(row.secretHash, secretHash(secret)))) {
      unknown.set(digest, readAt)
      return undefined
    }

    const key = { ...row, readAt, principal: toPrincipal(row) }
    if (changes === changesBefore) known.set(digest, key)
    return key
  }

  const readOnce = async (digest: string, secret: string, from: CallOrigin | undefined): Promise<Principal> => {
    const pending = reading.get(digest) ?? read(digest, secret)
    reading.set(digest, pending)
    const key = await pending.catch(rethrowUnavailable).finally(() => {
      if (reading.get(digest) === pending) reading.delete(digest)
    })
    if (!key) throw invalid()
    return accept(key, clock(), from)
  }

  const forgetWhere = (isChanged: (key: KnownKey) => boolean): void => {
    // what is being read at this moment may be the key as it was: neither kept nor given to calls that come after this one
    changes++
    reading.clear()
    tokens.forgetAll()
    for (const [digest, key] of known.entries()) if (isChanged(key)) known.delete(digest)
  }

  return {
    authenticate(secret, from) {
      if (secret.startsWith(TOKEN_PREFIX)) return tokens.authenticate(secret, from)

      // a secret is never kept, not even in memory
      const digest = hash('sha256', secret, 'base64')
      const now = clock()
      const key = known.get(digest)
      if (key && isFresh(key.readAt, now)) return accept(key, now, from)

      if (!isWellFormed(secret)) throw invalid()
      const guessedAt = unknown.get(digest)
      if (guessedAt !== undefined && isFresh(guessedAt, now)) throw invalid()
      return readOnce(digest, secret, from)
    },
    forget: (keyId) => forgetWhere((key) => key.id === keyId),
    forgetUser: (userId) => forgetWhere((key) => key.principal.userId === userId),
    flush: () => uses.flush(),
    close: () => uses.close(),
  }
}

type FoundKey = StoredKey & { old?: { md5: string; validUntil: number } }
type KnownKey = FoundKey & { readAt: number; principal: Principal }

/** Of the newest secret of a key, or of one before that. */
async function findSecret(db: Db, md5: string): Promise<FoundKey | undefined> {
  const newest = await findKeyByMd5(db, md5)
  if (newest) return newest
  const found = await findOldSecret(db, md5)
  return found && { ...found.key, old: { md5: found.md5, validUntil: found.validUntil } }
}

function toPrincipal({ id, userId, policy }: StoredKey): Principal {
  return Object.freeze(policy ? { userId, keyId: id, access: Object.freeze(toKeyAccess(policy)) } : { userId, keyId: id })
}

function assertUsable({ deleted, disabled, isOwnerDisabled, expiredAt, old }: FoundKey, now: number): void {
  if (deleted) throw new AppError('unauthenticated', 'api key deleted')
  if (disabled) throw new AppError('unauthenticated', 'api key disabled')
  if (isOwnerDisabled) throw new AppError('unauthenticated', 'the account of this api key is disabled: ask an administrator')
  if (expiredAt !== 0 && now >= expiredAt) throw new AppError('unauthenticated', 'api key expired')
  if (old && now >= old.validUntil) throw new AppError('unauthenticated', 'api key rotated: this secret was replaced by a new one')
}

function assertPlace({ isAllowedAddress }: KeyAccess, from: CallOrigin | undefined): void {
  if (!isAllowedAddress || (from && isAllowedAddress(from.ip))) return
  throw new AppError('forbidden', `this api key may not be used from ${from?.ip.slice(0, 100) ?? 'here'}`)
}

const BELIEVED_MS = 1_000
const KEYS_REMEMBERED = 10_000
const GUESSES_REMEMBERED = 10_000

/** @NOTE a clock that was put back makes everything old: nothing is believed for longer than it should be. */
const isFresh = (readAt: number, now: number) => now >= readAt && now - readAt < BELIEVED_MS

const invalid = () => new AppError('unauthenticated', 'api key invalid')

function isSame(stored: string, computed: string): boolean {
  const [a, b] = [Buffer.from(stored), Buffer.from(computed)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function rethrowUnavailable(cause: unknown): never {
  if (isDatabaseUnavailable(cause)) throw new AppError('unavailable', 'the database cannot be reached: try again', { cause })
  throw cause
}
