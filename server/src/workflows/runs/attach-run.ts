import type { Db } from '../../db/database.ts'
import { listEntries } from '../../journal/journal-store.ts'
import { AppError } from '../../lib/app-error.ts'
import { lazily } from '../../lib/lazily.ts'
import type { WorkflowRunDeps } from './execute-workflow-run.ts'
import { followWorkflowRun } from './follow-workflow-run.ts'
import type { WorkflowEvent } from './workflow-event.ts'
import { findWorkflowRun } from './workflow-run-store.ts'
import type { WorkflowRun } from './workflow-run.ts'

export type AttachedRun = {
  run: WorkflowRun
  /** Where its last turn begins: after the last event that was answered. */
  cursor: number
  finished: PromiseLike<WorkflowRun>
}

/** For a request that was sent before: the run that it has started or answered, live or over. */
export async function attachToRun(deps: WorkflowRunDeps, runId: string): Promise<AttachedRun> {
  // @NOTE in this order: what the run waits for now may be younger than the pauses, never older
  const pauses = await listPauses(deps.db, runId)
  const run = await findWorkflowRun(deps.db, runId)
  if (!run) throw new AppError('not_found', 'the run of this Idempotency-Key is gone')

  const asked = run.status === 'waiting' ? run.waiting[0]?.id : undefined
  const answered = pauses.filter(({ eventId }) => eventId !== asked)
  const cursor = answered.at(-1)?.seq ?? 0
  return { run, cursor, finished: lazily(() => untilFinished(deps, run, cursor)) }
}

async function listPauses(db: Db, runId: string): Promise<{ seq: number; eventId: string }[]> {
  const pauses: { seq: number; eventId: string }[] = []
  for (let cursor = 0; ;) {
    const page = await listEntries<WorkflowEvent>(db, runId, cursor)
    const last = page.at(-1)
    if (!last) return pauses
    for (const { seq, event } of page) if (event.type === 'waiting') pauses.push({ seq, eventId: event.event.id })
    cursor = last.seq
  }
}

/** The run as it is when it ends or waits, whichever server executes it. Its events are read from the cursor on. */
export async function untilFinished(deps: WorkflowRunDeps, run: WorkflowRun, cursor: number): Promise<WorkflowRun> {
  const position = { runId: run.id, cursor, signal: deps.giveUp }
  for await (const page of followWorkflowRun(deps, position)) void page
  return (await findWorkflowRun(deps.db, run.id)) ?? run
}
