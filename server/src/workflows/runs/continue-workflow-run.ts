import { retryWhileAway } from '../../db/retry-while-away.ts'
import { findLastEntry } from '../../journal/journal-store.ts'
import { executeWorkflowRun } from './execute-workflow-run.ts'
import type { WorkflowRunDeps } from './execute-workflow-run.ts'
import { failAfter } from './fail-workflow-run.ts'
import { listNodeRuns } from './node-run-store.ts'
import { listSaidMessages } from './said-messages.ts'
import { isPartOfChat } from './workflow-run.ts'
import type { WorkflowRun } from './workflow-run.ts'

/**
 * Goes on with a run that this process has claimed: after a wait, from the queue, or after a crash. One that cannot go on fails. `gap` is
 * left in the numbers of its events.
 */
export function continueWorkflowRun(deps: WorkflowRunDeps, run: WorkflowRun, gap = 0): Promise<WorkflowRun> {
  const load = () =>
    Promise.all([
      deps.catalog.get({ userId: run.ownerId, keyId: run.keyId }, run.workflowId, run.version),
      listNodeRuns(deps.db, run.id),
      findLastEntry(deps.db, run.id),
      listSaidMessages(deps.db, run),
      // what is a part of a chat has its place there
      isPartOfChat(run) ? undefined : deps.admission.adopt(run),
    ])
  return deps.liveRuns.start(run.id, async (signal) => {
    try {
      const [workflow, earlier, last, said] = await retryWhileAway(load, deps.giveUp)
      return await executeWorkflowRun(deps, { run, workflow, earlier, said, firstSeq: last.seq + 1 + gap }, signal)
    } catch (cause) {
      return await failAfter(deps, run, { cause, message: 'internal server error' })
    }
  })
}
