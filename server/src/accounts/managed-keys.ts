import { AppError } from '../lib/app-error.ts'
import type { KeyExpiry } from './api-key-expiry.ts'
import { isExpiryGiven, toExpiredAt } from './api-key-expiry.ts'
import { createKey, deleteKey, getKey, listKeys, updateKey } from './api-keys.ts'
import type { ApiKeyDeps, KeyChange, KeyPage, ShownKey } from './api-keys.ts'
import type { KeyPolicy } from './key-policy.ts'
import { boundPolicy, isPolicyWithin } from './policy-bounds.ts'
import type { Principal } from './principal.ts'
import { rotateKey } from './rotate-key.ts'
import type { RotateRequest, RotatedKey } from './rotate-key.ts'

/**
 * Keys that a key makes and keeps. A key without limits keeps all keys of its owner. One that is limited, or ends at some time, keeps
 * itself and those that it has made; none of them can do more than it can, or for longer.
 */

export type MadeKey = { key: ShownKey; secret: string }

export async function makeKey(
  deps: ApiKeyDeps,
  who: Principal,
  request: { name: string; expiry: KeyExpiry; policy?: KeyPolicy },
): Promise<MadeKey> {
  const maker = await getMaker(deps, who)
  const policy = maker.policy ? boundPolicy(request.policy ?? {}, maker.policy) : request.policy
  const expiry = boundExpiry(deps, maker, isExpiryGiven(request.expiry) ? request.expiry : { expire: maker.expiredAt })
  return createKey(deps, who, { name: request.name, expiry, policy, makerKeyId: maker.id })
}

export async function listManagedKeys(deps: ApiKeyDeps, who: Principal, page: { page: number; size: number }): Promise<KeyPage> {
  const maker = await getMaker(deps, who)
  return listKeys(deps, who, { ...page, makerKeyId: isLimited(maker) ? maker.id : undefined })
}

export async function getManagedKey(deps: ApiKeyDeps, who: Principal, keyId: string): Promise<ShownKey> {
  return getManaged(deps, who, { maker: await getMaker(deps, who), keyId })
}

/** What is not given stays as it is. */
export async function changeManagedKey(deps: ApiKeyDeps, who: Principal, change: KeyChange): Promise<ShownKey> {
  const maker = await getMaker(deps, who)
  await getManaged(deps, who, { maker, keyId: change.keyId })
  const policy = change.policy !== undefined && maker.policy ? boundPolicy(change.policy ?? {}, maker.policy) : change.policy
  const expiry = isExpiryGiven(change.expiry) ? boundExpiry(deps, maker, change.expiry) : change.expiry
  await updateKey(deps, who, { ...change, policy, expiry })
  return getKey(deps, who, change.keyId)
}

export async function rotateManagedKey(deps: ApiKeyDeps, who: Principal, request: RotateRequest): Promise<RotatedKey> {
  await getManagedKey(deps, who, request.keyId)
  return rotateKey(deps, who, request)
}

export async function deleteManagedKey(deps: ApiKeyDeps, who: Principal, keyId: string): Promise<void> {
  await getManagedKey(deps, who, keyId)
  await deleteKey(deps, who, keyId)
}

function getMaker(deps: ApiKeyDeps, who: Principal): Promise<ShownKey> {
  if (who.keyId === undefined) throw new AppError('forbidden', 'this is for api keys')
  return getKey(deps, who, who.keyId)
}

const isLimited = ({ policy, expiredAt }: ShownKey): boolean => policy !== undefined || expiredAt !== 0

/** A key that has become narrower since then no longer reaches what it has made before. */
async function getManaged(deps: ApiKeyDeps, who: Principal, { maker, keyId }: { maker: ShownKey; keyId: string }): Promise<ShownKey> {
  const key = await getKey(deps, who, keyId)
  if (!isLimited(maker)) return key

  const isOwn = key.id === maker.id || key.makerKeyId === maker.id
  if (isOwn && isPolicyWithin(key.policy ?? {}, maker.policy ?? {}) && isInTime(maker, key.expiredAt)) return key
  throw new AppError('not_found', 'api key not found')
}

/** A key that ends makes none that stays. */
function boundExpiry({ clock }: ApiKeyDeps, maker: ShownKey, expiry: KeyExpiry): KeyExpiry {
  const expiredAt = toExpiredAt(expiry, clock())
  if (!isInTime(maker, expiredAt)) throw new AppError('forbidden', 'expires_at: a key makes none that lasts longer than it does itself')
  return { expire: expiredAt }
}

const isInTime = (maker: ShownKey, expiredAt: number): boolean => maker.expiredAt === 0 || (expiredAt !== 0 && expiredAt <= maker.expiredAt)
