import { setTimeout } from 'node:timers/promises'
import { inTransaction, isDatabaseUnavailable } from '../db/database.ts'
import type { Db } from '../db/database.ts'
import type { Clock } from '../lib/clock.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import { createAuditSeals, shorten, toDetailsText } from './audit-entry.ts'
import type { AuditEntry, ChainLink, NewAuditEntry } from './audit-entry.ts'
import { countAuditEntries, insertAuditLink, listAuditEntries, lockAuditHead, updateAuditHead } from './audit-store.ts'
import type { AuditFilter } from './audit-store.ts'

export type AuditDeps = { db: Db; clock: Clock; secrets: SecretBox }

/**
 * Adds an entry at the end of the chain. Each has the hash of the one before it in its own, so that an entry that is changed, taken
 * out, put in or moved is seen by `verifyAuditLog`. Appends of all nodes come one after the other: each locks the head's row.
 */
export async function appendAuditEntry(deps: AuditDeps, entry: NewAuditEntry): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await inTransaction(deps.db, (tx) => append({ ...deps, db: tx }, entry))
      return
    } catch (cause) {
      if (deps.db.isTransaction || attempt === ATTEMPTS || !isDatabaseUnavailable(cause)) throw cause
      await setTimeout(attempt * RETRY_MS * (1 + Math.random()))
    }
  }
}

// somebody else may hold the lock for a moment
const ATTEMPTS = 5
const RETRY_MS = 20

async function append({ db, clock, secrets }: AuditDeps, { actor, action, target, details = {} }: NewAuditEntry): Promise<void> {
  const head = await lockAuditHead(db)
  if (!head) throw new Error('the audit log has lost its head row: run `coze-plus audit verify`')

  const seals = createAuditSeals(secrets)
  const link: ChainLink = {
    ...{ id: String(head.entries + 1), at: clock(), prevHash: head.hash },
    ...{ actorKind: actor.kind, actorUserId: actor.userId ?? '', keyId: actor.keyId ?? '', address: shorten(actor.address, 200) },
    ...{ action: shorten(action, 50), targetKind: shorten(target.kind, 50), targetId: shorten(target.id, 100) },
    details: toDetailsText(details),
  }
  const hash = seals.hashOf(link)
  await insertAuditLink(db, { ...link, hash })
  const longer = { entries: head.entries + 1, hash }
  await updateAuditHead(db, { ...longer, seal: seals.sealOf(longer) })
}

/** Newest first; pages count from 1. A `total` of 10,000 says that there are at least so many. */
export async function listAuditLog(
  { db }: Pick<AuditDeps, 'db'>,
  { page, size, ...filter }: AuditFilter & { page: number; size: number },
): Promise<{ entries: AuditEntry[]; total: number }> {
  const [entries, total] = await Promise.all([
    listAuditEntries(db, filter, { offset: (page - 1) * size, limit: size }),
    countAuditEntries(db, filter),
  ])
  return { entries, total }
}
