import type { Db } from '../../db/database.ts'
import type { Journal } from '../../journal/journal.ts'
import { findLastEntry } from '../../journal/journal-store.ts'
import type { JournalEntry } from '../../journal/journal-store.ts'
import type { WorkflowEvent } from './workflow-event.ts'
import { closingEvents } from './workflow-run-ending.ts'
import { findWorkflowRun } from './workflow-run-store.ts'
import { resultText } from './workflow-run.ts'
import type { WorkflowRun } from './workflow-run.ts'

export type FollowWorkflowDeps = { db: Db; journal: Journal<WorkflowEvent> }
export type FollowWorkflowPosition = { runId: string; cursor: number; signal: AbortSignal }

/**
 * The events of a run after the cursor, live ones as they come, until it ends or waits. A run whose
 * journal is no longer kept is told again from its result.
 */
export async function* followWorkflowRun(
  deps: FollowWorkflowDeps,
  position: FollowWorkflowPosition,
): AsyncGenerator<JournalEntry<WorkflowEvent>[], void> {
  using news = deps.journal.listen(position.runId, position.signal)
  let known: JournalEntry<WorkflowEvent> | undefined
  while (!position.signal.aborted) {
    const cursor = known?.seq ?? position.cursor
    for await (const page of deps.journal.follow({ ...position, cursor })) {
      known = page.at(-1)
      yield page
    }
    if (known?.last) return

    const rest = await findRest(deps, position, known)
    if (rest) {
      if (rest.length > 0) yield rest
      return
    }
    await news.next()
  }
}

/** For a reader who has what there was in the journal; undefined when there is more, or will be. */
async function findRest(
  { db }: FollowWorkflowDeps,
  { runId, cursor }: FollowWorkflowPosition,
  known: JournalEntry<WorkflowEvent> | undefined,
): Promise<JournalEntry<WorkflowEvent>[] | undefined> {
  // @NOTE in this order: the end of a run and of its journal are stored together
  const run = await findWorkflowRun(db, runId)
  const stored = await findLastEntry(db, runId)
  if (!run) return []
  // it has just begun or gone on, here or on another server, or it is queued
  if (isGoingOn(run) || stored.seq > (known?.seq ?? cursor)) return undefined
  return stored.seq === 0 && !known ? retell(run) : []
}

const isGoingOn = ({ status }: WorkflowRun) => status === 'queued' || status === 'running'

const END = { nodeId: '900001', nodeType: '2', nodeTitle: 'End' }

function retell(run: WorkflowRun): JournalEntry<WorkflowEvent>[] {
  const result: WorkflowEvent[] =
    run.status === 'succeeded' ? [{ type: 'message', ...END, seq: 0, content: resultText(run), isLast: true }] : []
  const events = [...result, ...closingEvents(run)]
  return events.map((event, index) => ({ seq: index + 1, event, last: index === events.length - 1 }))
}
