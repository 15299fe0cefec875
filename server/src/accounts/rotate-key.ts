import { inTransaction } from '../db/database.ts'
import type { Db } from '../db/database.ts'
import { AppError } from '../lib/app-error.ts'
import { createKeySecret, lastFourOf, md5Of } from './api-key-secret.ts'
import { deleteOldSecrets, endOldSecrets, findSecretOf, insertOldSecret, replaceSecret } from './api-key-secret-store.ts'
import type { ApiKey } from './api-key-store.ts'
import { createSecretHash, getKey, getKeyOfAnyUser } from './api-keys.ts'
import type { ApiKeyDeps } from './api-keys.ts'
import type { Principal } from './principal.ts'

export const MAX_OVERLAP_SECONDS = 30 * 24 * 60 * 60
/** Whoever still sends such a secret is told that it was replaced. */
const REMEMBERED_MS = 30 * 24 * 60 * 60 * 1000

export type RotateRequest = {
  keyId: string
  /** How long the secret of now stays valid beside the new one; 0: it and all before it end at once. */
  overlapSeconds: number
}
export type RotatedKey = { key: ApiKey; secret: string }

/** A new secret for the same key, shown only here. What limits the key, and what it has used, stays. */
export async function rotateKey(deps: ApiKeyDeps, who: Principal, request: RotateRequest): Promise<RotatedKey> {
  return rotate(deps, await getKey(deps, who, request.keyId), request)
}

/** For the operator at the command line: whoever owns it. */
export async function rotateKeyOfAnyUser(deps: ApiKeyDeps, request: RotateRequest): Promise<RotatedKey> {
  return rotate(deps, await getKeyOfAnyUser(deps, request.keyId), request)
}

async function rotate(deps: ApiKeyDeps, { id: keyId }: ApiKey, { overlapSeconds }: RotateRequest): Promise<RotatedKey> {
  assertOverlap(overlapSeconds)
  const now = deps.clock()
  const secret = createKeySecret()
  const next = { md5: md5Of(secret), secretHash: createSecretHash(deps.secrets)(secret), lastFour: lastFourOf(secret) }

  const change = { next, validUntil: now + overlapSeconds * 1000, now }
  const key = await inTransaction(deps.db, async (tx) => {
    await changeSecret(tx, keyId, change)
    return getKeyOfAnyUser({ db: tx, clock: deps.clock }, keyId)
  })
  deps.forgetKey(keyId)
  return { key, secret }
}

type SecretChange = { next: { md5: string; secretHash: string; lastFour: string }; validUntil: number; now: number }

async function changeSecret(tx: Db, keyId: string, { next, validUntil, now }: SecretChange): Promise<void> {
  const before = await findSecretOf(tx, keyId)
  // of two at once the second one would end a secret that its caller has never seen
  if (!before || !(await replaceSecret(tx, keyId, { md5Before: before.md5, next, now })))
    throw new AppError('conflict', 'the key has just been rotated by somebody else: read it again')

  await deleteOldSecrets(tx, keyId, now - REMEMBERED_MS)
  if (validUntil === now) await endOldSecrets(tx, keyId, now)
  await insertOldSecret(tx, keyId, { ...before, validUntil })
}

function assertOverlap(seconds: number): void {
  if (Number.isSafeInteger(seconds) && seconds >= 0 && seconds <= MAX_OVERLAP_SECONDS) return
  throw new AppError('invalid_request', `overlap_seconds: must be a whole number from 0 to ${MAX_OVERLAP_SECONDS}`)
}
