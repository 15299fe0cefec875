import { createHmac } from 'node:crypto'
import type { Db } from '../db/database.ts'
import { AppError } from '../lib/app-error.ts'
import type { Clock } from '../lib/clock.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import { isExpiryGiven, toExpiredAt } from './api-key-expiry.ts'
import type { KeyExpiry } from './api-key-expiry.ts'
import { createKeySecret, lastFourOf, md5Of } from './api-key-secret.ts'
import { listOldSecrets } from './api-key-secret-store.ts'
import type { OldSecret } from './api-key-secret-store.ts'
import { countKeys, findKey, insertKey, listKeyRows, markKeyDeleted, updateKeyRow } from './api-key-store.ts'
import type { ApiKey, KeyFilter } from './api-key-store.ts'
import type { KeyPolicy } from './key-policy.ts'
import type { Principal } from './principal.ts'

export type ApiKeyDeps = {
  db: Db
  secrets: SecretBox
  clock: Clock
  /** Told of every change to a key, so that one remembered in this process does not outlive it; see createKeyAuthentication. */
  forgetKey: (keyId: string) => void
}

/** `oldSecrets`: those that are valid beside the newest; absent where there are none. */
export type ShownKey = ApiKey & { oldSecrets?: OldSecret[] }
export type KeyPage = { keys: ShownKey[]; hasMore: boolean; total: number }
type ReadDeps = Pick<ApiKeyDeps, 'db' | 'clock'>

/** The only time the secret is seen: what is stored cannot be turned back into it. */
export async function createKey(
  deps: ApiKeyDeps,
  who: Principal,
  request: { name: string; expiry: KeyExpiry; policy?: KeyPolicy; makerKeyId?: string },
): Promise<{ key: ApiKey; secret: string }> {
  const now = deps.clock()
  const secret = createKeySecret()
  const draft = {
    userId: who.userId,
    name: parseKeyName(request.name),
    lastFour: lastFourOf(secret),
    expiredAt: toExpiredAt(request.expiry, now),
    createdAt: now,
    policy: request.policy,
    makerKeyId: request.makerKeyId,
  }

  const id = await insertKey(deps.db, { ...draft, md5: md5Of(secret), secretHash: createSecretHash(deps.secrets)(secret) })
  return { key: { ...draft, id, updatedAt: now, lastUsedAt: 0, disabledAt: undefined }, secret }
}

/** Newest first; pages count from 1. */
export async function listKeys(
  deps: ReadDeps,
  who: Principal,
  { makerKeyId, ...page }: { page: number; size: number; makerKeyId?: string },
): Promise<KeyPage> {
  return listPage(deps, { userId: who.userId, makerKeyId }, page)
}

/** For the operator at the command line: everybody's keys. */
export async function listKeysOfAllUsers(deps: ReadDeps, page: { page: number; size: number }): Promise<KeyPage> {
  return listPage(deps, { userId: undefined }, page)
}

export async function getKey(deps: ReadDeps, who: Principal, keyId: string): Promise<ShownKey> {
  const key = await findKey(deps.db, keyId)
  if (key?.userId !== who.userId) throw notFound()
  return showKey(deps, key)
}

/** For the operator at the command line: whoever owns it. */
export async function getKeyOfAnyUser(deps: ReadDeps, keyId: string): Promise<ShownKey> {
  const key = await findKey(deps.db, keyId)
  if (!key) throw notFound()
  return showKey(deps, key)
}

export type KeyChange = {
  keyId: string
  name?: string
  expiry: KeyExpiry
  /** Null: nothing is limited any more. A policy replaces the one before as a whole. */
  policy?: KeyPolicy | null
  disabled?: boolean
}

/** What is not given stays as it is. */
export async function updateKey(deps: ApiKeyDeps, who: Principal, request: KeyChange): Promise<ApiKey> {
  const key = await getKey(deps, who, request.keyId)
  return changeKey(deps, key, request)
}

/** For the operator at the command line: whoever owns it. */
export async function updateKeyOfAnyUser(deps: ApiKeyDeps, request: KeyChange): Promise<ApiKey> {
  return changeKey(deps, await getKeyOfAnyUser(deps, request.keyId), request)
}

async function changeKey(deps: ApiKeyDeps, key: ApiKey, { name, expiry, policy, disabled }: KeyChange): Promise<ApiKey> {
  const now = deps.clock()
  const changed = {
    ...key,
    name: name === undefined ? key.name : parseKeyName(name),
    expiredAt: isExpiryGiven(expiry) ? toExpiredAt(expiry, now) : key.expiredAt,
    policy: policy === undefined ? key.policy : (policy ?? undefined),
    disabledAt: disabled === undefined ? key.disabledAt : disabled ? (key.disabledAt ?? now) : undefined,
    updatedAt: now,
  }

  await updateKeyRow(deps.db, changed)
  deps.forgetKey(key.id)
  return changed
}

/** From now on the key opens nothing, and there is no way back. */
export async function deleteKey(deps: ApiKeyDeps, who: Principal, keyId: string): Promise<void> {
  const key = await getKey(deps, who, keyId)
  await revoke(deps, key.id)
}

/** For the operator at the command line: whoever owns it. */
export async function revokeKeyOfAnyUser(deps: ApiKeyDeps, keyId: string): Promise<void> {
  const key = await getKeyOfAnyUser(deps, keyId)
  await revoke(deps, key.id)
}

/** The second, keyed hash of a secret: a stolen table alone tells nobody whether a guess is right. */
export function createSecretHash(secrets: SecretBox): (secret: string) => string {
  const pepper = secrets.deriveKey('api-key-pepper')
  return (secret) => createHmac('sha256', pepper).update(secret).digest('hex')
}

const NAME_LENGTH = 255

function parseKeyName(text: string): string {
  const name = text.trim()
  if (name === '' || name.length > NAME_LENGTH) throw new AppError('invalid_request', `name: must have 1 to ${NAME_LENGTH} characters`)
  return name
}

async function listPage(deps: ReadDeps, filter: KeyFilter, { page, size }: { page: number; size: number }): Promise<KeyPage> {
  const offset = (page - 1) * size
  const [keys, total] = await Promise.all([listKeyRows(deps.db, filter, { offset, limit: size }), countKeys(deps.db, filter)])
  return { keys: await showKeys(deps, keys), hasMore: offset + keys.length < total, total }
}

async function showKeys({ db, clock }: ReadDeps, keys: ApiKey[]): Promise<ShownKey[]> {
  const ids = keys.map(({ id }) => id)
  const oldSecrets = await listOldSecrets(db, ids, clock())
  return keys.map((key) => {
    const old = oldSecrets.get(key.id) ?? []
    return old.length > 0 ? { ...key, oldSecrets: old } : key
  })
}

async function showKey(deps: ReadDeps, key: ApiKey): Promise<ShownKey> {
  const [shown] = await showKeys(deps, [key])
  return shown ?? key
}

async function revoke({ db, clock, forgetKey }: ApiKeyDeps, keyId: string): Promise<void> {
  await markKeyDeleted(db, keyId, clock())
  forgetKey(keyId)
}

const notFound = () => new AppError('not_found', 'api key not found')
