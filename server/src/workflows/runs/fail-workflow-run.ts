import { isDatabaseUnavailable } from '../../db/database.ts'
import { findLastEntry, segmentInsert } from '../../journal/journal-store.ts'
import { AppError } from '../../lib/app-error.ts'
import { nodeErrors } from '../engine/node-error.ts'
import type { WorkflowRunDeps } from './execute-workflow-run.ts'
import { listSaidMessages } from './said-messages.ts'
import { closingEvents, endUnit, endedRun } from './workflow-run-ending.ts'
import { findWorkflowRun } from './workflow-run-store.ts'
import type { WorkflowRun } from './workflow-run.ts'

/** Readers have events some time before the journal does: what follows is numbered beyond all that they may have. */
export const UNSTORED_EVENTS = 1_000_000

/**
 * Its workflow is gone, or it has done what no database takes: the run cannot go on. The result is the run as it is then, which may be
 * another process's by now. Rejects with the cause when it is the database that is away.
 */
export async function failAfter(
  deps: WorkflowRunDeps,
  run: WorkflowRun,
  { cause, message }: { cause: unknown; message: string },
): Promise<WorkflowRun> {
  if (isDatabaseUnavailable(cause) || deps.giveUp.aborted) throw cause
  if (!(cause instanceof AppError)) deps.onError(cause)
  await failWorkflowRun(deps, run, cause instanceof AppError ? cause.message : message)
  return (await findWorkflowRun(deps.db, run.id)) ?? run
}

/** Ends a run whose process is gone. Readers may be past what is stored of its events. */
export async function failWorkflowRun({ db, commits, nextId, clock }: WorkflowRunDeps, run: WorkflowRun, message: string): Promise<void> {
  const { seq } = await findLastEntry(db, run.id)
  const now = clock()
  const outcome = {
    kind: 'failed',
    error: { code: nodeErrors.executionFailed, message: `Workflow execution failure: ${message}` },
  } as const
  const ending = { before: run, outcome, usage: run.usage, said: await listSaidMessages(db, run), now }
  const events = closingEvents(endedRun(ending))
  const segment = segmentInsert({ runId: run.id, firstSeq: seq + UNSTORED_EVENTS, events }, { now, endsRun: true })
  const unit = endUnit({ nextId, clock }, ending)
  try {
    await commits.write({ ...unit, insert: { ...unit.insert, journal_segment: [segment] } })
  } catch (cause) {
    // two servers may find the same run: the one that is first records the end
    if (!(cause instanceof AppError)) throw cause
  }
}
