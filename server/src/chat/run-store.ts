import type { Insertable, Selectable } from 'kysely'
import { parseMetaData } from '../conversations/conversation-store.ts'
import type { Db } from '../db/database.ts'
import type { RunStatus, RunTable } from '../db/tables.ts'
import type { RunError, Usage } from './chat-event.ts'

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
  workerToken: string
  createdAt: number
  /** 0 while it runs. */
  finishedAt: number
}

export async function findRun(db: Db, runId: string): Promise<Run | undefined> {
  const row = await db.selectFrom('run').selectAll().where('id', '=', runId).executeTakeFirst()
  return row && toRun(row)
}

/** Runs that nobody executes any more: their process is gone, or they are older than a run can be. */
export async function listOrphanRuns(
  db: Db,
  { liveWorkers, startedBefore, limit }: { liveWorkers: string[]; startedBefore: number; limit: number },
): Promise<Run[]> {
  const rows = await db
    .selectFrom('run')
    .selectAll()
    .where('status', '=', 'in_progress')
    .where((where) => where.or([where('worker_token', 'not in', ['', ...liveWorkers]), where('created_at', '<', startedBefore)]))
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
    worker_token: run.workerToken,
    created_at: run.createdAt,
  }
}

/** Records the end of a run; false when it had ended already. */
export async function updateRunEnd(db: Db, run: Run): Promise<boolean> {
  const result = await db
    .updateTable('run')
    .set({
      status: run.status,
      input_tokens: run.usage.inputTokens,
      output_tokens: run.usage.outputTokens,
      error_code: run.error?.code ?? '',
      error_message: run.error?.message.slice(0, 1000) ?? '',
      finished_at: run.finishedAt,
    })
    .where('id', '=', run.id)
    .where('status', '=', 'in_progress')
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
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
    workerToken: row.worker_token,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  }
}
