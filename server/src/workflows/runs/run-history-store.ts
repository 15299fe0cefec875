import type { Db } from '../../db/database.ts'
import type { WorkflowRunMode, WorkflowRunStatus } from '../../db/workflow-run-tables.ts'
import type { TokenUsage } from '../engine/node-type.ts'
import type { NodeRecord } from '../engine/progress.ts'
import type { WorkflowRunError } from './workflow-run.ts'

/** A run as lists show it: without what went in and came out, which may be large. */
export type WorkflowRunSummary = {
  id: string
  workflowId: string
  /** Empty for a run of the draft. */
  version: string
  status: WorkflowRunStatus
  mode: WorkflowRunMode
  endUser: string
  keyId: string | undefined
  error: WorkflowRunError | undefined
  usage: TokenUsage
  createdAt: number
  /** 0 while it is not over. */
  finishedAt: number
}

export type RunHistoryFilter = { workflowId: string; ownerId: string; status?: WorkflowRunStatus; kind: 'all' | 'live' | 'test' }

/** A status or kind that is rare is looked for among as many of the newest: looking further would be work without end. */
const SEARCHED = 20_000
/** Counting ends there. */
const COUNTED = 10_000

/** Newest first; runs of single nodes are not among them. */
export async function listRunSummaries(
  db: Db,
  filter: RunHistoryFilter,
  range: { offset: number; limit: number },
): Promise<WorkflowRunSummary[]> {
  const found = matching(db, filter, range.offset + range.limit)
  const page = found.select('recent.id').orderBy('recent.id', 'desc').limit(range.limit).offset(range.offset)
  const ids = (await page.execute()).map(({ id }) => String(id))
  return listWorkflowRunsById(db, filter.ownerId, ids)
}

/** At most COUNTED. */
export async function countRunSummaries(db: Db, filter: RunHistoryFilter): Promise<number> {
  const { total } = await db
    .selectFrom(matching(db, filter, COUNTED).select('recent.id').limit(COUNTED).as('found'))
    .select((eb) => eb.fn.countAll().as('total'))
    .executeTakeFirstOrThrow()
  return Number(total)
}

/** `needed`: so many are wanted where nothing has to be looked for. */
function matching(db: Db, { workflowId, ownerId, status, kind }: RunHistoryFilter, needed: number) {
  const recent = db
    .selectFrom('workflow_run')
    .select(['id', 'status', 'version'])
    .where('workflow_id', '=', workflowId)
    .where('owner_id', '=', ownerId)
    .where('only_node', '=', '')
    .orderBy('id', 'desc')
    .limit(status === undefined && kind === 'all' ? needed : SEARCHED)
    .as('recent')
  return db
    .selectFrom(recent)
    .$if(status !== undefined, (query) => query.where('recent.status', '=', status ?? 'running'))
    .$if(kind !== 'all', (query) => query.where('recent.version', kind === 'test' ? '=' : '<>', ''))
}

/** Those that there are, of an owner; newest first. */
export async function listWorkflowRunsById(db: Db, ownerId: string, runIds: string[]): Promise<WorkflowRunSummary[]> {
  if (runIds.length === 0) return []
  const rows = await db
    .selectFrom('workflow_run')
    .select(['id', 'workflow_id', 'version', 'status', 'mode', 'end_user', 'key_id', 'error_code', 'error_message'])
    .select(['input_tokens', 'output_tokens', 'created_at', 'finished_at'])
    .where('id', 'in', runIds)
    .where('owner_id', '=', ownerId)
    .orderBy('id', 'desc')
    .execute()

  return rows.map((row) => ({
    ...{ id: String(row.id), workflowId: String(row.workflow_id), version: row.version, status: row.status, mode: row.mode },
    ...{ endUser: row.end_user, keyId: row.key_id === null ? undefined : String(row.key_id) },
    error: row.error_code === 0 ? undefined : { code: row.error_code, message: row.error_message },
    usage: { inputTokens: row.input_tokens, outputTokens: row.output_tokens },
    ...{ createdAt: row.created_at, finishedAt: row.finished_at },
  }))
}

/** How far a node of a run is; what went in and came out is in its record. */
export type NodeState = Pick<
  NodeRecord,
  'path' | 'nodeId' | 'nodeType' | 'title' | 'state' | 'usage' | 'attempts' | 'error' | 'startedAt' | 'finishedAt'
>

/** At most `limit`, by their paths. */
export async function listNodeStates(db: Db, runId: string, limit: number): Promise<NodeState[]> {
  const rows = await db
    .selectFrom('workflow_node_run')
    .select(['path', 'node_id', 'node_type', 'title', 'state', 'input_tokens', 'output_tokens', 'attempts'])
    .select(['error_code', 'error_message', 'started_at', 'finished_at'])
    .where('run_id', '=', runId)
    .where('path', 'not like', '$%')
    .orderBy('path')
    .limit(limit)
    .execute()

  return rows.map((row) => ({
    ...{ path: row.path, nodeId: row.node_id, nodeType: row.node_type, title: row.title, state: row.state },
    usage: { inputTokens: row.input_tokens, outputTokens: row.output_tokens },
    attempts: row.attempts,
    error: row.error_code === 0 ? undefined : { code: row.error_code, message: row.error_message },
    ...{ startedAt: row.started_at, finishedAt: row.finished_at },
  }))
}

export async function countNodeRuns(db: Db, runId: string): Promise<number> {
  const { total } = await db
    .selectFrom('workflow_node_run')
    .select((eb) => eb.fn.countAll().as('total'))
    .where('run_id', '=', runId)
    .where('path', 'not like', '$%')
    .executeTakeFirstOrThrow()
  return Number(total)
}
