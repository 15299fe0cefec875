import { sql } from 'kysely'
import type { Expression } from 'kysely'
import type { Db } from '../db/database.ts'
import type { RunStatus } from '../db/tables.ts'
import type { WorkflowRunStatus } from '../db/workflow-run-tables.ts'

/** One call as reports of usage need it. */
export type CallFact = {
  /** Ordered in time. */
  id: string
  /** The bot or the workflow. */
  subjectId: string
  /** '0' for a call without a key. */
  keyId: string
  outcome: 'done' | 'failed' | 'canceled' | 'open'
  inputTokens: number
  outputTokens: number
  createdAt: number
  /** Undefined until it is done. */
  latencyMs: number | undefined
  firstTokenMs: number | undefined
}

/** Ids of `fromId` ≤ id < `toId`, which is a range of time: see `firstIdAt`. With `ids` none but these. */
export type CallFilter = { ownerId: string; fromId: string; toId: string; subjectId?: string; ids?: string[]; limit: number }

/** Of runs that try out a draft: they are their builders' own. Bots, which know it as theirs, stand above. */
const PREVIEW_VERSION_ID = '0'

/** Chats with what is published, oldest first. */
export async function listChatFacts(db: Db, filter: CallFilter): Promise<CallFact[]> {
  const rows = await selectChats(db, filter).execute()
  return rows.map((row) => ({
    ...toFact(row),
    subjectId: String(row.bot_id),
    outcome: CHAT_OUTCOMES[row.status],
    latencyMs: row.status === 'completed' ? row.finished_at - row.created_at : undefined,
    firstTokenMs: row.first_token_ms ?? undefined,
  }))
}

export function selectChats(db: Db, { ownerId, fromId, toId, subjectId, ids, limit }: CallFilter) {
  return db
    .selectFrom('run')
    .select(['id', 'bot_id', 'key_id', 'status', 'input_tokens', 'output_tokens', 'created_at', 'finished_at', 'first_token_ms'])
    .where((where) => (subjectId === undefined ? where('owner_id', '=', ownerId) : isOwn(where.ref('owner_id'), ownerId)))
    .$if(subjectId !== undefined, (query) => query.where('bot_id', '=', subjectId ?? ''))
    .where('id', '>=', fromId)
    .where('id', '<', toId)
    .$if(ids !== undefined, (query) => query.where('id', 'in', ids ?? []))
    .where('bot_version_id', '<>', PREVIEW_VERSION_ID)
    .orderBy('id')
    .limit(limit)
}

/** Runs of published workflows that are no part of a chat, oldest first. */
export async function listWorkflowFacts(db: Db, filter: CallFilter): Promise<CallFact[]> {
  const rows = await selectWorkflowRuns(db, filter).execute()
  return rows.map((row) => ({
    ...toFact(row),
    subjectId: String(row.workflow_id),
    outcome: WORKFLOW_OUTCOMES[row.status],
    latencyMs: row.status === 'succeeded' ? row.finished_at - row.created_at : undefined,
    firstTokenMs: undefined,
  }))
}

export function selectWorkflowRuns(db: Db, { ownerId, fromId, toId, subjectId, ids, limit }: CallFilter) {
  return db
    .selectFrom('workflow_run')
    .select(['id', 'workflow_id', 'key_id', 'status', 'input_tokens', 'output_tokens', 'created_at', 'finished_at'])
    .where((where) => (subjectId === undefined ? where('owner_id', '=', ownerId) : isOwn(where.ref('owner_id'), ownerId)))
    .$if(subjectId !== undefined, (query) => query.where('workflow_id', '=', subjectId ?? ''))
    .where('id', '>=', fromId)
    .where('id', '<', toId)
    .$if(ids !== undefined, (query) => query.where('id', 'in', ids ?? []))
    .where('version', '<>', '')
    .where('chat_run_id', 'is', null)
    .orderBy('id')
    .limit(limit)
}

/** @NOTE written so that no index is used for it: of two that fit, SQLite would take the one with all calls of the owner */
const isOwn = (column: Expression<unknown>, ownerId: string) => sql<boolean>`${column} + 0 = ${BigInt(ownerId)}`

/** Of those that are there. */
export async function findNames(db: Db, table: 'bot' | 'workflow', ids: string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map()
  const rows = await db.selectFrom(table).select(['id', 'name']).where('id', 'in', ids).execute()
  return new Map(rows.map((row) => [String(row.id), row.name]))
}

export type KeyName = { name: string; lastFour: string; isDeleted: boolean }

/** Deleted ones too. */
export async function findKeyNames(db: Db, ids: string[]): Promise<Map<string, KeyName>> {
  if (ids.length === 0) return new Map()
  const rows = await db.selectFrom('api_key').select(['id', 'name', 'last_four', 'status']).where('id', 'in', ids).execute()
  return new Map(rows.map((row) => [String(row.id), { name: row.name, lastFour: row.last_four, isDeleted: row.status !== 0 }]))
}

export const NO_KEY = '0'

const CHAT_OUTCOMES: Record<RunStatus, CallFact['outcome']> = {
  ...{ created: 'open', in_progress: 'open', requires_action: 'open' },
  ...{ completed: 'done', failed: 'failed', canceled: 'canceled' },
}
const WORKFLOW_OUTCOMES: Record<WorkflowRunStatus, CallFact['outcome']> = {
  ...{ queued: 'open', running: 'open', waiting: 'open' },
  ...{ succeeded: 'done', failed: 'failed', canceled: 'canceled' },
}

type Row = { id: number | string; key_id: number | string | null; input_tokens: number; output_tokens: number; created_at: number }

function toFact({ id, key_id: keyId, input_tokens: inputTokens, output_tokens: outputTokens, created_at: createdAt }: Row) {
  return { id: String(id), keyId: keyId === null ? NO_KEY : String(keyId), inputTokens, outputTokens, createdAt }
}
