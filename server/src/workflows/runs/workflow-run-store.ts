import type { Insertable, Selectable, Updateable } from 'kysely'
import type { Db } from '../../db/database.ts'
import type { WorkflowRunStatus, WorkflowRunTable } from '../../db/workflow-run-tables.ts'
import type { WaitingEvent } from '../engine/waiting-event.ts'
import { parseValue, storeValue } from '../values/value.ts'
import type { ValueObject } from '../values/value.ts'
import type { ChatflowTurn, EventAnswer, WorkflowRun } from './workflow-run.ts'

export function workflowRunInsert(run: WorkflowRun): Insertable<WorkflowRunTable> {
  return {
    id: run.id,
    owner_id: run.ownerId,
    key_id: run.keyId ?? null,
    workflow_id: run.workflowId,
    version: run.version,
    only_node: run.onlyNode ?? '',
    app_id: run.appId ?? null,
    bot_id: run.botId ?? null,
    end_user: run.endUser,
    connector_id: run.connectorId,
    mode: run.mode,
    status: run.status,
    input: storeValue(run.parameters),
    output: run.output,
    is_answer: run.isAnswer ? 1 : 0,
    waiting_events: JSON.stringify(run.waiting),
    answer: run.answer ? JSON.stringify(run.answer) : '',
    chat: run.chat ? JSON.stringify(run.chat) : '',
    conversation_id: run.chat?.conversationId ?? null,
    chat_run_id: run.chat?.chatId ?? null,
    on_crash: run.onCrash,
    log_id: run.logId,
    worker_token: run.workerToken,
    created_at: run.createdAt,
    updated_at: run.updatedAt,
  }
}

export async function findWorkflowRun(db: Db, runId: string): Promise<WorkflowRun | undefined> {
  const row = await db.selectFrom('workflow_run').selectAll().where('id', '=', runId).executeTakeFirst()
  return row && toWorkflowRun(row)
}

/** Runs that wait in this conversation, newest first. */
export async function listWaitingRuns(db: Db, conversationId: string): Promise<WorkflowRun[]> {
  const rows = await db
    .selectFrom('workflow_run')
    .selectAll()
    .where('conversation_id', '=', conversationId)
    .where('status', '=', 'waiting')
    .orderBy('id', 'desc')
    .limit(MAX_WAITING)
    .execute()
  return rows.map(toWorkflowRun)
}

const MAX_WAITING = 100

export type RunPage = { workflowId: string; ownerId: string; limit: number; offset: number }

/** Newest first. */
export async function listWorkflowRuns(db: Db, { workflowId, ownerId, limit, offset }: RunPage): Promise<WorkflowRun[]> {
  const rows = await db
    .selectFrom('workflow_run')
    .selectAll()
    .where('workflow_id', '=', workflowId)
    .where('owner_id', '=', ownerId)
    .where('only_node', '=', '')
    .orderBy('id', 'desc')
    .limit(limit)
    .offset(offset)
    .execute()
  return rows.map(toWorkflowRun)
}

export type RunChange = Partial<
  Pick<WorkflowRun, 'status' | 'output' | 'isAnswer' | 'usage' | 'error' | 'waiting' | 'chat' | 'workerToken' | 'recoveries' | 'finishedAt'>
> & { answer?: EventAnswer | 'none'; updatedAt: number }

/** Only while the run is as expected; answers whether it was. Several processes may want to change it at once: one can. */
export async function updateWorkflowRun(
  db: Db,
  expected: { id: string; status: WorkflowRunStatus; workerToken?: string },
  change: RunChange,
): Promise<boolean> {
  const result = await db
    .updateTable('workflow_run')
    .set(toColumns(change))
    .where('id', '=', expected.id)
    .where('status', '=', expected.status)
    .$if(expected.workerToken !== undefined, (query) => query.where('worker_token', '=', expected.workerToken ?? ''))
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

function toColumns({ usage, error, answer, isAnswer, waiting, chat, ...change }: RunChange): Updateable<WorkflowRunTable> {
  return {
    updated_at: change.updatedAt,
    // Kysely leaves out what is undefined
    ...{ status: change.status, output: change.output, worker_token: change.workerToken },
    ...{ recoveries: change.recoveries, finished_at: change.finishedAt },
    ...(isAnswer !== undefined && { is_answer: isAnswer ? 1 : 0 }),
    ...(waiting && { waiting_events: JSON.stringify(waiting) }),
    ...(chat && { chat: JSON.stringify(chat) }),
    ...(answer && { answer: answer === 'none' ? '' : JSON.stringify(answer) }),
    ...(usage && { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens }),
    ...(error && { error_code: error.code, error_message: error.message.slice(0, 1000) }),
  }
}

export type OrphanQuery = { liveWorkers: string[]; silentSince: number; afterId: string; limit: number }

/** Runs that nobody executes: their process is gone, or they run and have not come on since then. */
export async function listOrphanWorkflowRuns(db: Db, { liveWorkers, silentSince, afterId, limit }: OrphanQuery): Promise<WorkflowRun[]> {
  const rows = await db
    .selectFrom('workflow_run')
    .selectAll()
    .where('status', 'in', ['queued', 'running'])
    .where((where) =>
      where.or([
        where('worker_token', 'not in', ['', ...liveWorkers]),
        where.and([where('status', '=', 'running'), where('updated_at', '<', silentSince)]),
      ]),
    )
    .where('id', '>', afterId)
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map(toWorkflowRun)
}

/** Of runs that a worker executes, or should, and that have not come on since then. */
export async function listRunningRunIds(db: Db, { workerToken, before }: { workerToken: string; before: number }): Promise<string[]> {
  const rows = await db
    .selectFrom('workflow_run')
    .select('id')
    .where('status', '=', 'running')
    .where('worker_token', '=', workerToken)
    .where('updated_at', '<', before)
    .execute()
  return rows.map(({ id }) => String(id))
}

/** The oldest first. */
export async function listQueuedRunIds(db: Db, { before, limit }: { before: number; limit: number }): Promise<string[]> {
  const rows = await db
    .selectFrom('workflow_run')
    .select('id')
    .where('status', '=', 'queued')
    .where('updated_at', '<', before)
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map(({ id }) => String(id))
}

function toWorkflowRun(row: Selectable<WorkflowRunTable>): WorkflowRun {
  const optional = (id: number | string | null) => (id === null ? undefined : String(id))
  return {
    id: String(row.id),
    ownerId: String(row.owner_id),
    keyId: optional(row.key_id),
    workflowId: String(row.workflow_id),
    version: row.version,
    onlyNode: row.only_node || undefined,
    appId: optional(row.app_id),
    botId: optional(row.bot_id),
    endUser: row.end_user,
    connectorId: row.connector_id,
    mode: row.mode,
    status: row.status,
    parameters: parseObject(row.input),
    output: row.output,
    isAnswer: row.is_answer === 1,
    usage: { inputTokens: row.input_tokens, outputTokens: row.output_tokens },
    error: row.error_code === 0 ? undefined : { code: row.error_code, message: row.error_message },
    waiting: parseEvents(row.waiting_events),
    answer: row.answer === '' ? undefined : parseAnswer(row.answer),
    chat: row.chat === '' ? undefined : parseChat(row.chat),
    onCrash: row.on_crash,
    recoveries: row.recoveries,
    logId: row.log_id,
    workerToken: row.worker_token,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    finishedAt: row.finished_at,
  }
}

// written by this product: the casts are the parsers
const parseObject = (json: string): ValueObject => parseValue(json) as ValueObject
const parseEvents = (json: string): WaitingEvent[] => JSON.parse(json) as WaitingEvent[]
const parseAnswer = (json: string): EventAnswer => JSON.parse(json) as EventAnswer
const parseChat = (json: string): ChatflowTurn => JSON.parse(json) as ChatflowTurn
