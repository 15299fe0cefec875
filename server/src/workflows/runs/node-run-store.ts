import { setImmediate } from 'node:timers/promises'
import type { Insertable, Selectable } from 'kysely'
import type { Db } from '../../db/database.ts'
import { statementsOf } from '../../db/group-commit.ts'
import type { WorkflowNodeRunTable } from '../../db/workflow-run-tables.ts'
import type { NodeRecord } from '../engine/progress.ts'
import type { WaitingEvent } from '../engine/waiting-event.ts'
import { parseValue, storeValue } from '../values/value.ts'
import type { Value, ValueObject } from '../values/value.ts'

/** Of inputs that are only looked at by people. */
const INPUT_CHARS = 64_000
const ROWS_PER_QUERY = 500

/** Writes the records over what was there of them. */
export async function replaceNodeRuns(db: Db, runId: string, records: NodeRecord[]): Promise<void> {
  for (const rows of statementsOf(records.map((record) => toRow(runId, record))))
    await db.replaceInto('workflow_node_run').values(rows).execute()
}

/** All of them, in the order in which they began. There may be very many: others have their turn between. */
export async function listNodeRuns(db: Db, runId: string): Promise<NodeRecord[]> {
  const records: NodeRecord[] = []
  for (let afterPath = ''; ; await setImmediate()) {
    const page = db.selectFrom('workflow_node_run').selectAll().where('run_id', '=', runId).where('path', '>', afterPath)
    const rows = await page.orderBy('path').limit(ROWS_PER_QUERY).execute()
    const last = rows.at(-1)
    if (!last) return records.sort((a, b) => a.ordinal - b.ordinal)

    records.push(...rows.map(toRecord))
    afterPath = last.path
  }
}

export type NodeRunPage = { runId: string; limit: number; offset: number }

/** In the order in which they began, without the run's own records, whose paths begin with `$`. */
export async function listNodeRunPage(db: Db, { runId, limit, offset }: NodeRunPage): Promise<NodeRecord[]> {
  const page = db
    .selectFrom('workflow_node_run')
    .select('path')
    .where('run_id', '=', runId)
    .where('ordinal', '>', 0)
    .orderBy('ordinal')
    .limit(limit)
    .offset(offset)
  // @NOTE by their paths: a database that skips whole rows reads them first
  const paths = (await page.execute()).map(({ path }) => path)
  if (paths.length === 0) return []

  const rows = await db.selectFrom('workflow_node_run').selectAll().where('run_id', '=', runId).where('path', 'in', paths).execute()
  return rows.map(toRecord).sort((a, b) => a.ordinal - b.ordinal)
}

export async function listNodeRunPaths(db: Db, runId: string): Promise<string[]> {
  const rows = await db.selectFrom('workflow_node_run').select('path').where('run_id', '=', runId).where('path', 'not like', '$%').execute()
  return rows.map(({ path }) => path)
}

export async function findNodeRun(db: Db, runId: string, path: string): Promise<NodeRecord | undefined> {
  const row = await db.selectFrom('workflow_node_run').selectAll().where('run_id', '=', runId).where('path', '=', path).executeTakeFirst()
  return row && toRecord(row)
}

/** Deletes what was recorded of up to `limit` runs that are over, with ids below this one; answers how many went. Who waits goes on from it. */
export async function deleteNodeRunsBelow(db: Db, runId: string, limit: number): Promise<number> {
  const old = await db
    .selectFrom('workflow_node_run')
    .innerJoin('workflow_run', 'workflow_run.id', 'workflow_node_run.run_id')
    .select('run_id')
    .distinct()
    .where('run_id', '<', runId)
    .where('workflow_run.status', 'in', ['succeeded', 'failed', 'canceled'])
    .orderBy('run_id')
    .limit(limit)
    .execute()
  for (const row of old) await deleteNodeRuns(db, String(row.run_id))
  return old.length
}

/** There may be very many: others have their turn between. */
async function deleteNodeRuns(db: Db, runId: string): Promise<void> {
  for (;;) {
    const page = db.selectFrom('workflow_node_run').select('path').where('run_id', '=', runId).orderBy('path').limit(ROWS_PER_QUERY)
    const last = (await page.execute()).at(-1)
    if (!last) return
    await db.deleteFrom('workflow_node_run').where('run_id', '=', runId).where('path', '<=', last.path).execute()
    await setImmediate()
  }
}

function toRow(runId: string, record: NodeRecord): Insertable<WorkflowNodeRunTable> {
  const inputs = storeValue(record.inputs)
  // a node that waits, or has kept something, goes on with the inputs it had; all others collect them again
  const goesOn = record.state !== 'done' && (record.state === 'waiting' || record.saved !== undefined)
  const isLong = inputs.length > INPUT_CHARS && !goesOn
  return {
    run_id: runId,
    path: record.path,
    ordinal: record.ordinal,
    node_id: record.nodeId,
    node_type: record.nodeType,
    title: record.title,
    state: record.state,
    inputs: isLong ? JSON.stringify({ $truncated: inputs.slice(0, INPUT_CHARS) }) : inputs,
    outputs: storeValue(record.outputs),
    port: record.port,
    waiting_events: record.events.length > 0 ? JSON.stringify(record.events) : '',
    saved: record.saved === undefined ? '' : storeValue(record.saved),
    warnings: record.warnings.length > 0 ? JSON.stringify(record.warnings) : '',
    input_tokens: record.usage.inputTokens,
    output_tokens: record.usage.outputTokens,
    attempts: record.attempts,
    error_code: record.error?.code ?? 0,
    error_message: record.error?.message ?? '',
    started_at: record.startedAt,
    finished_at: record.finishedAt,
  }
}

function toRecord(row: Selectable<WorkflowNodeRunTable>): NodeRecord {
  return {
    path: row.path,
    ordinal: row.ordinal,
    nodeId: row.node_id,
    nodeType: row.node_type,
    title: row.title,
    state: row.state,
    inputs: parseObject(row.inputs),
    outputs: parseObject(row.outputs),
    port: row.port,
    events: row.waiting_events === '' ? [] : parseEvents(row.waiting_events),
    saved: row.saved === '' ? undefined : parseSaved(row.saved),
    usage: { inputTokens: row.input_tokens, outputTokens: row.output_tokens },
    attempts: row.attempts,
    error: row.error_code === 0 ? undefined : { code: row.error_code, message: row.error_message },
    warnings: row.warnings === '' ? [] : parseWarnings(row.warnings),
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  }
}

// written by this product: the casts are the parsers
const parseSaved = (json: string): Value => parseValue(json)
const parseObject = (json: string): ValueObject => parseValue(json) as ValueObject
const parseEvents = (json: string): WaitingEvent[] => JSON.parse(json) as WaitingEvent[]
const parseWarnings = (json: string): string[] => JSON.parse(json) as string[]
