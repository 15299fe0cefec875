import { LRUCache } from 'lru-cache'
import type { Db } from '../db/database.ts'
import { AppError } from '../lib/app-error.ts'
import type { Clock } from '../lib/clock.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import type { CallOrigin } from './api-key-authentication.ts'
import { findStoredKey } from './api-key-store.ts'
import type { StoredKey } from './api-key-store.ts'
import type { Action, KeyAccess, KeyPolicy } from './key-policy.ts'
import type { Principal } from './principal.ts'
import { createTokenSignature } from './token-signature.ts'
import type { TokenClaims } from './token-signature.ts'

export type TokenAuthenticationDeps = {
  db: Db
  secrets: SecretBox
  clock: Clock
  /** Throws what is wrong with the key now. */
  assertUsable: (key: StoredKey, now: number) => void
  /** How long a key that was read is believed to be as it was. */
  isFresh: (readAt: number, now: number) => boolean
  note: (keyId: string, usedAt: number) => void
}

const KEYS_REMEMBERED = 10_000

/** A token is as good as the key that made it is now: when that ends, so does the token, within the second that a key is believed. */
export function createTokenAuthentication(deps: TokenAuthenticationDeps) {
  const { db, clock } = deps
  const signature = createTokenSignature(deps.secrets)
  const known = new LRUCache<string, { key: StoredKey; readAt: number }>({ max: KEYS_REMEMBERED })
  let changes = 0

  function accept(key: StoredKey, claims: TokenClaims, from: CallOrigin | undefined): Principal {
    const now = clock()
    deps.assertUsable(key, now)
    assertPage(claims, from?.headers.origin)
    deps.note(key.id, now)
    return Object.freeze({ userId: key.userId, keyId: key.id, access: toTokenAccess(key.policy ?? {}, claims) })
  }

  async function read(claims: TokenClaims, from: CallOrigin | undefined): Promise<Principal> {
    const [readAt, changesBefore] = [clock(), changes]
    const key = await findStoredKey(db, claims.keyId)
    if (!key) throw new AppError('unauthenticated', 'token invalid')
    if (changes === changesBefore) known.set(key.id, { key, readAt })
    return accept(key, claims, from)
  }

  return {
    authenticate(token: string, from: CallOrigin | undefined): Principal | Promise<Principal> {
      const claims = signature.read(token)
      const now = clock()
      if (now >= claims.expiresAt) throw new AppError('unauthenticated', 'token expired: ask for a new one')
      const hit = known.get(claims.keyId)
      return hit && deps.isFresh(hit.readAt, now) ? accept(hit.key, claims, from) : read(claims, from)
    },
    forgetAll() {
      changes++
      known.clear()
    },
  }
}

function assertPage({ origins }: TokenClaims, origin: string | undefined): void {
  if (origin === undefined) throw new AppError('forbidden', 'this token is for pages: the request has no Origin header')
  if (!origins.includes(origin)) throw new AppError('forbidden', 'this token may not be used by pages of this origin')
}

const TOKEN_ACTIONS: ReadonlySet<Action> = new Set(['chat', 'read'])

/** Of the key it has the limits, and of what the key may do its one bot. From where the key may be used is no matter: its holder is elsewhere. */
function toTokenAccess(policy: KeyPolicy, { botId, endUser, origins }: TokenClaims): KeyAccess {
  const mayChat = policy.actions?.includes('chat') ?? true
  const hasBot = policy.botIds?.includes(botId) ?? true
  return {
    policy,
    actions: mayChat ? TOKEN_ACTIONS : new Set(),
    botIds: new Set(hasBot ? [botId] : []),
    workflowIds: new Set(),
    isAllowedAddress: undefined,
    token: { botId, endUser, origins },
  }
}
