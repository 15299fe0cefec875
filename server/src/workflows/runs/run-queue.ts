import { openJobQueue } from '../../cluster/open-job-queue.ts'
import type { JobQueue } from '../../cluster/job-queue.ts'
import { retryWhileAway } from '../../db/retry-while-away.ts'
import { claimRun } from './claim-run.ts'
import { continueWorkflowRun } from './continue-workflow-run.ts'
import type { WorkflowRunDeps } from './execute-workflow-run.ts'
import { findWorkflowRun, listQueuedRunIds } from './workflow-run-store.ts'
import type { WorkflowRun } from './workflow-run.ts'

/** Runs that nobody waits for. The rows are the queue; its jobs only say that somebody should look at one. */
export const openRunQueue = (redisUrl: string | undefined, onError: (cause: unknown) => void): Promise<JobQueue> =>
  openJobQueue(redisUrl, { name: 'workflow-runs', atOnce: 20, onError })

/** The turn of a queued run has come. One that is canceled, or executed by another process, is left as it is. */
export async function executeQueuedRun(deps: WorkflowRunDeps, runId: string): Promise<void> {
  const claimed = await claimQueuedRun(deps, runId)
  if (claimed) await continueWorkflowRun(deps, claimed)
}

function claimQueuedRun(deps: WorkflowRunDeps, runId: string): Promise<WorkflowRun | undefined> {
  let hasTried = false

  return retryWhileAway(async () => {
    const run = await findWorkflowRun(deps.db, runId)
    // the connection was lost between the claim and its answer
    if (hasTried && run?.status === 'running' && run.workerToken === deps.workerToken) return run
    if (run?.status !== 'queued') return undefined

    hasTried = true
    return claimRun(deps, run, { status: 'running' })
  }, deps.giveUp)
}

const FORGOTTEN_MS = 60_000
const PER_ROUND = 1_000

/**
 * Adds the runs again that have been queued for long: their jobs may be lost, as those of a Redis that was emptied. A job that is still
 * there is not added twice; of very many runs those that follow have their turn when these have begun.
 */
export async function queueForgottenRuns({ db, clock, queue }: WorkflowRunDeps & { queue: JobQueue }): Promise<void> {
  for (const runId of await listQueuedRunIds(db, { before: clock() - FORGOTTEN_MS, limit: PER_ROUND })) queue.add(runId)
}
