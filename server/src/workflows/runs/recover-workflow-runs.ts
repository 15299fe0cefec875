import { isDatabaseUnavailable } from '../../db/database.ts'
import { doClocksAgree, listLiveWorkers, withoutDoubtful } from '../../db/worker-lease.ts'
import { claimRun } from './claim-run.ts'
import { continueWorkflowRun } from './continue-workflow-run.ts'
import { UNSTORED_EVENTS, failWorkflowRun } from './fail-workflow-run.ts'
import { queueForgottenRuns } from './run-queue.ts'
import type { StartWorkflowDeps } from './start-workflow-run.ts'
import { findWorkflowRun, listOrphanWorkflowRuns, listRunningRunIds } from './workflow-run-store.ts'
import type { WorkflowRun } from './workflow-run.ts'

const PER_ROUND = 100
const GRACE_MS = 60_000
/** A run that takes its process down each time is not tried for ever. */
const MAX_RECOVERIES = 10

/**
 * Goes on with the runs of processes that died, from their last finished nodes, and with those that their process does not know of any more;
 * answers how many were found. Queues again what the queue has lost.
 */
export async function recoverWorkflowRuns(deps: StartWorkflowDeps): Promise<number> {
  await queueForgottenRuns(deps)
  const liveWorkers = await listLiveWorkers(deps.db)
  // its worker lives and has long forgotten it
  const silentSince = (await doClocksAgree(deps.db, deps.clock)) ? deps.clock() - deps.liveRuns.maxRunMs - GRACE_MS : 0
  let found = await recoverOwnRuns(deps)
  for (let afterId = '0'; ;) {
    const orphans = await listOrphanWorkflowRuns(deps.db, { liveWorkers, silentSince, afterId, limit: PER_ROUND })
    const last = orphans.at(-1)
    if (!last) return found

    const away = orphans.filter((run) => !deps.liveRuns.has(run.id))
    const dead = await withoutDoubtful(deps, away, liveWorkers)
    await Promise.all(dead.map((run) => recover(deps, run).catch((cause: unknown) => report(deps, cause))))
    found += dead.length
    afterId = last.id
  }
}

const FORGOTTEN_MS = 60_000

/** The connection was lost after they were stored as this process's, and before the answer to that. */
async function recoverOwnRuns(deps: StartWorkflowDeps): Promise<number> {
  const { db, clock, workerToken, liveRuns } = deps
  const ids = await listRunningRunIds(db, { workerToken, before: clock() - FORGOTTEN_MS })
  const forgotten = ids.filter((id) => !liveRuns.has(id))
  for (const id of forgotten) {
    const run = await findWorkflowRun(db, id)
    if (run?.status === 'running') await recover(deps, run).catch((cause: unknown) => report(deps, cause))
  }
  return forgotten.length
}

/** One run that cannot go on does not keep the others waiting. */
function report({ onError }: StartWorkflowDeps, cause: unknown): void {
  if (isDatabaseUnavailable(cause)) throw cause
  onError(cause)
}

async function recover(deps: StartWorkflowDeps, run: WorkflowRun): Promise<void> {
  if (run.status === 'running' && run.onCrash === 'fail')
    return failWorkflowRun(deps, run, 'the server was stopped while the workflow was running')
  if (run.recoveries >= MAX_RECOVERIES)
    return failWorkflowRun(deps, run, `the server was stopped ${MAX_RECOVERIES} times while the workflow was running`)

  if (run.status === 'queued') {
    if (await claimRun(deps, run, { status: 'queued' })) deps.queue.add(run.id)
    return
  }
  const claimed = await claimRun(deps, run, { status: 'running', recoveries: run.recoveries + 1 })
  if (claimed) void continueWorkflowRun(deps, claimed, UNSTORED_EVENTS)
}
