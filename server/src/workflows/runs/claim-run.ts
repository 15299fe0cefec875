import type { Db } from '../../db/database.ts'
import type { WorkflowRunDeps } from './execute-workflow-run.ts'
import { updateWorkflowRun } from './workflow-run-store.ts'
import type { WorkflowRun } from './workflow-run.ts'

type Change = Partial<Pick<WorkflowRun, 'answer' | 'chat' | 'recoveries'>> & { status: 'queued' | 'running' }

/** Whether a run that is executed is still this process's own: one that slept for long may have been taken for dead. */
export function isOwnRun(db: Db, { id, workerToken }: WorkflowRun, now: number): Promise<boolean> {
  return updateWorkflowRun(db, { id, status: 'running', workerToken }, { updatedAt: now })
}

/** Makes the run this process's own; undefined when it is no longer as it was: somebody else has it, or it is over. */
export async function claimRun(
  { db, clock, workerToken }: Pick<WorkflowRunDeps, 'db' | 'clock' | 'workerToken'>,
  run: WorkflowRun,
  change: Change,
): Promise<WorkflowRun | undefined> {
  // who queued a run does not own it: the first that wants to execute it has it
  const workerTokenBefore = run.status === 'queued' ? undefined : run.workerToken
  const expected = { id: run.id, status: run.status, workerToken: workerTokenBefore }
  const claimed = { ...change, workerToken, updatedAt: clock() }
  return (await updateWorkflowRun(db, expected, claimed)) ? { ...run, ...claimed } : undefined
}
