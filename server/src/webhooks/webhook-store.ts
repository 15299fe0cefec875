import type { Insertable, Selectable } from 'kysely'
import type { Db } from '../db/database.ts'
import type { WebhookDeliveryTable, WebhookEventType, WebhookStatus } from '../db/tables.ts'
import type { Clock } from '../lib/clock.ts'
import type { NextId } from '../lib/snowflake.ts'

export type { WebhookEventType, WebhookStatus }

/** One event on its way to one receiver. */
export type WebhookDelivery = {
  id: string
  ownerId: string
  runId: string
  eventId: string
  eventType: WebhookEventType
  url: string
  host: string
  status: WebhookStatus
  attempts: number
  nextAttemptAt: number
  lastError: string
  /** 0 when the last attempt got no answer. */
  lastStatus: number
  createdAt: number
  /** 0 until it is delivered. */
  deliveredAt: number
}

/** A delivery that its holder alone sends, until `claimedUntil`. */
export type ClaimedDelivery = Pick<WebhookDelivery, 'id' | 'ownerId' | 'eventId' | 'url' | 'host' | 'attempts'> & {
  payload: string
  claimedUntil: number
}

export type NewWebhook = {
  ownerId: string
  runId: string
  /** Of parseCallbackUrl. */
  url: string
  type: WebhookEventType
  data: WebhookData
}

/** The chat as the API shows it, and its messages. */
export type WebhookData = { [field: string]: unknown; messages: unknown[] }

export const MAX_PAYLOAD_CHARS = 1_000_000

/** The row of a new event, due at once. It belongs in the transaction that writes what the event tells of. */
export function webhookInsert(
  { nextId, clock }: { nextId: NextId; clock: Clock },
  { ownerId, runId, url, type, data }: NewWebhook,
): Insertable<WebhookDeliveryTable> {
  const now = clock()
  return {
    id: nextId(),
    owner_id: ownerId,
    run_id: runId,
    event_id: nextId(),
    event_type: type,
    url,
    host: hostOf(url),
    status: 'pending',
    next_attempt_at: now,
    created_at: now,
    payload: toPayload(type, now, data),
  }
}

/** The same event once more, as a delivery of its own; false when there is none with this id. */
export async function insertReplay(db: Db, { id, newId, now }: { id: string; newId: string; now: number }): Promise<boolean> {
  const row = await db
    .selectFrom('webhook_delivery')
    .select(['owner_id', 'run_id', 'event_id', 'event_type', 'url', 'host', 'payload'])
    .where('id', '=', id)
    .executeTakeFirst()
  if (!row) return false

  const ids = { id: newId, owner_id: String(row.owner_id), run_id: String(row.run_id), event_id: String(row.event_id) }
  await db
    .insertInto('webhook_delivery')
    .values({ ...row, ...ids, status: 'pending', next_attempt_at: now, created_at: now })
    .execute()
  return true
}

export type DueDelivery = Pick<WebhookDelivery, 'id' | 'ownerId' | 'host' | 'nextAttemptAt'>

/** The longest due first, without those of hosts and owners that have their share already. */
export async function listDueDeliveries(
  db: Db,
  { now, limit, busyHosts, busyOwners }: { now: number; limit: number; busyHosts: string[]; busyOwners: string[] },
): Promise<DueDelivery[]> {
  const rows = await db
    .selectFrom('webhook_delivery')
    .select(['id', 'owner_id', 'host', 'next_attempt_at'])
    .where('status', '=', 'pending')
    .where('next_attempt_at', '<=', now)
    .$if(busyHosts.length > 0, (query) => query.where('host', 'not in', busyHosts))
    .$if(busyOwners.length > 0, (query) => query.where('owner_id', 'not in', busyOwners))
    .orderBy('next_attempt_at')
    .limit(limit)
    .execute()
  return rows.map((row) => ({ id: String(row.id), ownerId: String(row.owner_id), host: row.host, nextAttemptAt: row.next_attempt_at }))
}

/** Begins an attempt; undefined when another process was quicker. */
export async function claimDelivery(
  db: Db,
  { id, nextAttemptAt }: Pick<DueDelivery, 'id' | 'nextAttemptAt'>,
  claimedUntil: number,
): Promise<ClaimedDelivery | undefined> {
  const { numUpdatedRows } = await db
    .updateTable('webhook_delivery')
    .set((column) => ({ next_attempt_at: claimedUntil, attempts: column('attempts', '+', 1) }))
    .where('id', '=', id)
    .where('status', '=', 'pending')
    .where('next_attempt_at', '=', nextAttemptAt)
    .executeTakeFirstOrThrow()
  if (numUpdatedRows === 0n) return undefined

  const row = await db
    .selectFrom('webhook_delivery')
    .select(['owner_id', 'event_id', 'url', 'host', 'attempts', 'payload'])
    .where('id', '=', id)
    .executeTakeFirst()
  return row && { ...row, id, ownerId: String(row.owner_id), eventId: String(row.event_id), claimedUntil }
}

/** Also when the claim has run out meanwhile: what was received is not sent again. */
export async function updateDelivered(db: Db, id: string, { lastStatus, now }: { lastStatus: number; now: number }): Promise<void> {
  await db
    .updateTable('webhook_delivery')
    .set({ status: 'delivered', last_status: lastStatus, last_error: '', delivered_at: now })
    .where('id', '=', id)
    .execute()
}

export type FailedAttempt = {
  lastStatus: number
  lastError: string
  /** undefined: it is given up. */
  retryAt: number | undefined
}

/** Changes nothing when the claim was lost: somebody else's attempt counts then. */
export async function updateFailedAttempt(
  db: Db,
  { id, claimedUntil }: Pick<ClaimedDelivery, 'id' | 'claimedUntil'>,
  { lastStatus, lastError, retryAt }: FailedAttempt,
): Promise<void> {
  const next = retryAt === undefined ? { status: 'failed' as const } : { next_attempt_at: retryAt }
  await db
    .updateTable('webhook_delivery')
    .set({ last_status: lastStatus, last_error: lastError.slice(0, 500), ...next })
    .where('id', '=', id)
    .where('status', '=', 'pending')
    .where('next_attempt_at', '=', claimedUntil)
    .execute()
}

/** The newest first. */
export async function listDeliveries(
  db: Db,
  { ownerId, status, limit }: { ownerId?: string | undefined; status?: WebhookStatus | undefined; limit: number },
): Promise<WebhookDelivery[]> {
  const rows = await db
    .selectFrom('webhook_delivery')
    .select(LISTED)
    .$if(ownerId !== undefined, (query) => query.where('owner_id', '=', ownerId ?? ''))
    .$if(status !== undefined, (query) => query.where('status', '=', status ?? 'pending'))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
  return rows.map(toDelivery)
}

/** Deletes deliveries older than this id whose sending is over; answers how many. */
export async function deleteDeliveriesBelow(db: Db, id: string, limit: number): Promise<number> {
  const old = await db
    .selectFrom('webhook_delivery')
    .select('id')
    .where('id', '<', id)
    .where('status', '!=', 'pending')
    .orderBy('id')
    .limit(limit)
    .execute()
  const ids = old.map((row) => String(row.id))
  if (ids.length > 0) await db.deleteFrom('webhook_delivery').where('id', 'in', ids).execute()
  return ids.length
}

const LISTED = [
  'id',
  'owner_id',
  'run_id',
  'event_id',
  'event_type',
  'url',
  'host',
  'status',
  'attempts',
  'next_attempt_at',
  'last_error',
  'last_status',
  'created_at',
  'delivered_at',
] as const

// @NOTE it is made inside of what ends a run: whatever the url is, it must not throw
const hostOf = (url: string) => (URL.parse(url)?.host ?? '').slice(0, 300)

/** The body in the form of Standard Webhooks. What is too large for a notice can be fetched: then it goes without messages, and says so. */
function toPayload(type: WebhookEventType, now: number, data: WebhookData): string {
  const event = { type, timestamp: new Date(now).toISOString(), data }
  const text = JSON.stringify(event)
  if (text.length <= MAX_PAYLOAD_CHARS) return text
  return JSON.stringify({ ...event, data: { ...data, messages: [], messages_omitted: true } })
}

function toDelivery(row: Pick<Selectable<WebhookDeliveryTable>, (typeof LISTED)[number]>): WebhookDelivery {
  return {
    id: String(row.id),
    ownerId: String(row.owner_id),
    runId: String(row.run_id),
    eventId: String(row.event_id),
    eventType: row.event_type,
    url: row.url,
    host: row.host,
    status: row.status,
    attempts: row.attempts,
    nextAttemptAt: row.next_attempt_at,
    lastError: row.last_error,
    lastStatus: row.last_status,
    createdAt: row.created_at,
    deliveredAt: row.delivered_at,
  }
}
