import type { Selectable } from 'kysely'
import type { Db } from '../db/database.ts'
import type { AuditEntryTable } from '../db/audit-tables.ts'
import type { ActorKind, AuditDetails, AuditEntry, ChainHead, ChainLink } from './audit-entry.ts'

export type StoredLink = ChainLink & { hash: string }
export type StoredHead = ChainHead & { seal: string }

export type AuditFilter = {
  actorUserId?: string
  actorKind?: ActorKind
  /** An action, or with a dot at its end all that begin so: `agent.`. */
  action?: string
  from?: number
  to?: number
}

/** Counts one more; until the transaction ends nobody else can. */
export async function lockAuditHead(tx: Db): Promise<StoredHead | undefined> {
  await tx
    .updateTable('audit_head')
    .set((eb) => ({ entries: eb('entries', '+', 1) }))
    .where('id', '=', HEAD)
    .execute()
  const head = await findAuditHead(tx)
  return head && { ...head, entries: head.entries - 1 }
}

export async function findAuditHead(db: Db): Promise<StoredHead | undefined> {
  const row = await db.selectFrom('audit_head').selectAll().where('id', '=', HEAD).executeTakeFirst()
  return row && { entries: row.entries, hash: row.hash, seal: row.seal }
}

export async function updateAuditHead(tx: Db, { hash, seal }: StoredHead): Promise<void> {
  await tx.updateTable('audit_head').set({ hash, seal }).where('id', '=', HEAD).execute()
}

const HEAD = 1

export async function insertAuditLink(tx: Db, link: StoredLink): Promise<void> {
  const { id, at, address, action, details, hash } = link
  const row = {
    ...{ id, at, address, action, details, hash, actor_kind: link.actorKind },
    actor_user_id: link.actorUserId === '' ? null : link.actorUserId,
    key_id: link.keyId === '' ? null : link.keyId,
    ...{ target_kind: link.targetKind, target_id: link.targetId, prev_hash: link.prevHash },
  }
  await tx.insertInto('audit_entry').values(row).execute()
}

/** In the order of the chain. */
export async function listAuditLinks(db: Db, { after, limit }: { after: string; limit: number }): Promise<StoredLink[]> {
  const rows = await db.selectFrom('audit_entry').selectAll().where('id', '>', after).orderBy('id').limit(limit).execute()
  return rows.map((row) => ({
    ...{ id: String(row.id), at: row.at, actorKind: row.actor_kind, address: row.address, action: row.action },
    ...{ actorUserId: row.actor_user_id === null ? '' : String(row.actor_user_id), keyId: row.key_id === null ? '' : String(row.key_id) },
    ...{ targetKind: row.target_kind, targetId: row.target_id, details: row.details, prevHash: row.prev_hash, hash: row.hash },
  }))
}

/** Newest first. */
export async function listAuditEntries(
  db: Db,
  filter: AuditFilter,
  { offset, limit }: { offset: number; limit: number },
): Promise<AuditEntry[]> {
  const rows = await filtered(db, filter).selectAll().orderBy('id', 'desc').limit(limit).offset(offset).execute()
  return rows.map(toEntry)
}

/** Counting ends there: the log only grows. */
const COUNTED = 10_000

/** At most COUNTED. */
export async function countAuditEntries(db: Db, filter: AuditFilter): Promise<number> {
  const { count } = await db
    .selectFrom(filtered(db, filter).select('id').limit(COUNTED).as('found'))
    .select((eb) => eb.fn.countAll().as('count'))
    .executeTakeFirstOrThrow()
  return Number(count)
}

function filtered(db: Db, { actorUserId, actorKind, action, from, to }: AuditFilter) {
  let query = db.selectFrom('audit_entry')
  if (actorUserId !== undefined) query = query.where('actor_user_id', '=', actorUserId)
  if (actorKind !== undefined) query = query.where('actor_kind', '=', actorKind)
  // the last sign before `/` in ASCII is the dot: all that begins with `agent.` stands between the two
  if (action?.endsWith('.')) query = query.where('action', '>=', action).where('action', '<', `${action.slice(0, -1)}/`)
  else if (action !== undefined) query = query.where('action', '=', action)
  if (from !== undefined) query = query.where('at', '>=', from)
  return to === undefined ? query : query.where('at', '<', to)
}

function toEntry(row: Selectable<AuditEntryTable>): AuditEntry {
  const actor = {
    ...{ kind: row.actor_kind, address: row.address },
    userId: row.actor_user_id === null ? undefined : String(row.actor_user_id),
    keyId: row.key_id === null ? undefined : String(row.key_id),
  }
  const target = { kind: row.target_kind, id: row.target_id }
  return { id: String(row.id), at: row.at, actor, action: row.action, target, details: parseDetails(row.details) }
}

/** What somebody has changed in the table may be no JSON any more: the list shows it all the same. */
function parseDetails(text: string): AuditDetails {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as AuditDetails) : {}
  } catch {
    return {}
  }
}
