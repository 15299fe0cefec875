import type { Insertable, Selectable } from 'kysely'
import { parseMetaData } from '../conversations/conversation-store.ts'
import type { Db } from '../db/database.ts'
import type { RunStatus, RunTable } from '../db/tables.ts'
import type { ModelToolCall } from '../models/model-adapter.ts'
import type { RunError, Usage } from './chat-event.ts'
import { parseWaitingCalls } from './waiting-run.ts'

export type { RunStatus }

/** One chat: the work a bot does for one request. */
export type Run = {
  id: string
  ownerId: string
  keyId: string | undefined
  botId: string
  botVersionId: string
  conversationId: string
  sectionId: string
  endUser: string
  status: RunStatus
  metaData: Record<string, string>
  /** The id its answer has, from the first delta on. */
  answerId: string
  usage: Usage
  error: RunError | undefined
  /** The dialect its caller writes in; only http/open knows what it means. */
  clientStyle: string
  /** Goes into the meta data of every message of the run. */
  messageMeta: Record<string, string>
  savesHistory: boolean
  /** Told of the run's end. */
  callbackUrl: string | undefined
  /** What the caller is to execute while the run waits. */
  requiredCalls: ModelToolCall[]
  workerToken: string
  createdAt: number
  /** 0 while it runs. */
  finishedAt: number
  /** From its creation to the first piece of an answer; undefined before it has ended or paused, and where there was none. */
  firstTokenMs: number | undefined
}

export async function findRun(db: Db, runId: string): Promise<Run | undefined> {
  const row = await db.selectFrom('run').selectAll().where('id', '=', runId).executeTakeFirst()
  return row && toRun(row)
}

/** Those that there are, of an owner. */
export async function listRunsById(db: Db, ownerId: string, runIds: string[]): Promise<Run[]> {
  if (runIds.length === 0) return []
  const rows = await db.selectFrom('run').selectAll().where('id', 'in', runIds).where('owner_id', '=', ownerId).execute()
  return rows.map(toRun)
}

export type OrphanFilter = { liveWorkers: string[]; startedBefore: number; afterId: string; limit: number }

/** Runs that nobody executes any more: their process is gone, or they are older than a run can be. In the order of their ids. */
export async function listOrphanRuns(db: Db, { liveWorkers, startedBefore, afterId, limit }: OrphanFilter): Promise<Run[]> {
  const rows = await db
    .selectFrom('run')
    .selectAll()
    .where('status', 'in', ['created', 'in_progress'])
    .where((where) => where.or([where('worker_token', 'not in', ['', ...liveWorkers]), where('started_at', '<', startedBefore)]))
    .where('id', '>', afterId)
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map(toRun)
}

export function runInsert(run: Run): Insertable<RunTable> {
  return {
    id: run.id,
    owner_id: run.ownerId,
    key_id: run.keyId ?? null,
    bot_id: run.botId,
    bot_version_id: run.botVersionId,
    conversation_id: run.conversationId,
    section_id: run.sectionId,
    end_user: run.endUser,
    status: run.status,
    meta_data: JSON.stringify(run.metaData),
    answer_id: run.answerId,
    client_style: run.clientStyle,
    message_meta: JSON.stringify(run.messageMeta),
    saves_history: run.savesHistory ? 1 : 0,
    callback_url: run.callbackUrl ?? '',
    waiting: '',
    worker_token: run.workerToken,
    created_at: run.createdAt,
    started_at: run.createdAt,
  }
}

/** Records that a run has ended, or waits with what `waiting` says; false when it was not running any more. */
export async function updateRunEnd(db: Db, run: Run, waiting = ''): Promise<boolean> {
  const result = await db
    .updateTable('run')
    .set({
      status: run.status,
      input_tokens: run.usage.inputTokens,
      output_tokens: run.usage.outputTokens,
      error_code: run.error?.code ?? '',
      error_message: run.error?.message.slice(0, 1000) ?? '',
      finished_at: run.finishedAt,
      first_token_ms: run.firstTokenMs ?? null,
      waiting,
    })
    .where('id', '=', run.id)
    .where('status', 'in', ['created', 'in_progress'])
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

export type RunStart = { from: RunStatus; workerToken: string; now: number }

/** Takes the run from one status to `in_progress` under this process; false when it is not in that status any more. */
export async function updateRunStart(db: Db, runId: string, { from, workerToken, now }: RunStart): Promise<boolean> {
  const result = await db
    .updateTable('run')
    .set({ status: 'in_progress', waiting: '', worker_token: workerToken, started_at: now, finished_at: 0 })
    .where('id', '=', runId)
    .where('status', '=', from)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** What a waiting run needs to go on; empty when it does not wait. */
export async function findWaiting(db: Db, runId: string): Promise<string> {
  const row = await db.selectFrom('run').select('waiting').where('id', '=', runId).executeTakeFirst()
  return row?.waiting ?? ''
}

/** True when an earlier run of the conversation is still waiting for its turn. */
export async function hasEarlierQueuedRun(db: Db, conversationId: string, runId: string): Promise<boolean> {
  const row = await db
    .selectFrom('run')
    .select('id')
    .where('conversation_id', '=', conversationId)
    .where('status', '=', 'created')
    .where('id', '<', runId)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

export async function countQueuedRuns(db: Db, conversationId: string): Promise<number> {
  const row = await db
    .selectFrom('run')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('conversation_id', '=', conversationId)
    .where('status', '=', 'created')
    .executeTakeFirstOrThrow()
  return row.count
}

function toRun(row: Selectable<RunTable>): Run {
  return {
    id: String(row.id),
    ownerId: String(row.owner_id),
    keyId: row.key_id === null ? undefined : String(row.key_id),
    botId: String(row.bot_id),
    botVersionId: String(row.bot_version_id),
    conversationId: String(row.conversation_id),
    sectionId: String(row.section_id),
    endUser: row.end_user,
    status: row.status,
    metaData: parseMetaData(row.meta_data),
    answerId: String(row.answer_id),
    usage: { inputTokens: row.input_tokens, outputTokens: row.output_tokens },
    error: row.error_code === '' ? undefined : { code: row.error_code, message: row.error_message },
    clientStyle: row.client_style,
    messageMeta: parseMetaData(row.message_meta),
    savesHistory: row.saves_history === 1,
    callbackUrl: row.callback_url || undefined,
    requiredCalls: parseWaitingCalls(row.waiting),
    workerToken: row.worker_token,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
    firstTokenMs: row.first_token_ms ?? undefined,
  }
}
