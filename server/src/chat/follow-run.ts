import { listRunMessages } from '../conversations/message-store.ts'
import type { Db } from '../db/database.ts'
import type { Journal } from '../journal/journal.ts'
import { findLastEntry } from '../journal/journal-store.ts'
import type { JournalEntry } from '../journal/journal-store.ts'
import type { ChatEvent } from './chat-event.ts'
import type { Run } from './run-store.ts'
import { findRun } from './run-store.ts'

export type FollowDeps = { db: Db; journal: Journal<ChatEvent> }
export type FollowPosition = { runId: string; cursor: number; signal: AbortSignal }

/**
 * The events of a run after the cursor, live ones as they come, until the run ends or pauses. A run
 * whose journal is no longer kept is told again from its messages, from the start.
 */
export async function* followRun(deps: FollowDeps, position: FollowPosition): AsyncGenerator<JournalEntry<ChatEvent>[], void> {
  using news = deps.journal.listen(position.runId, position.signal)
  while (!position.signal.aborted) {
    let isKept = false
    for await (const page of deps.journal.follow(position)) {
      isKept = true
      yield page
    }
    if (isKept) return

    const rest = await findRest(deps.db, position)
    if (rest) {
      if (rest.length > 0) yield rest
      return
    }
    await news.next()
  }
}

/** For a reader who got nothing from the journal; undefined when there is something, or will be. */
async function findRest(db: Db, { runId, cursor }: FollowPosition): Promise<JournalEntry<ChatEvent>[] | undefined> {
  // @NOTE in this order: the end of a run and of its journal are stored together
  const run = await findRun(db, runId)
  const stored = await findLastEntry(db, runId)
  if (!run) return []
  // it has just begun or gone on, here or on another server: its next event is about to be stored
  if (isRunning(run)) return undefined
  if (stored.seq === 0) return retell(db, run)
  return stored.seq <= cursor ? [] : undefined
}

const isRunning = ({ status }: Run) => status === 'created' || status === 'in_progress'

async function retell(db: Db, run: Run): Promise<JournalEntry<ChatEvent>[]> {
  const messages = await listRunMessages(db, run.id)
  const events: ChatEvent[] = [
    { type: 'run_created' },
    { type: 'run_started' },
    ...messages.map((message): ChatEvent => ({ type: 'message_completed', message })),
    ...endOf(run),
  ]
  return events.map((event, index) => ({ seq: index + 1, event, last: index === events.length - 1 }))
}

function endOf({ status, finishedAt, usage, error, requiredCalls }: Run): ChatEvent[] {
  switch (status) {
    case 'completed':
      return [{ type: 'run_completed', finishedAt, usage }]
    case 'canceled':
      return [{ type: 'run_canceled', finishedAt, usage }]
    case 'failed':
      return [{ type: 'run_failed', finishedAt, usage, error: error ?? { code: 'internal', message: 'the chat failed' } }]
    case 'requires_action':
      return [{ type: 'run_requires_action', usage, calls: requiredCalls }]
    case 'created':
    case 'in_progress':
      return []
  }
}
