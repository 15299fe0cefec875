import type { Db } from '../db/database.ts'
import type { GroupCommit } from '../db/group-commit.ts'
import { listLiveWorkers } from '../db/worker-lease.ts'
import { findLastEntry, listEntries, segmentInsert } from '../journal/journal-store.ts'
import { AppError } from '../lib/app-error.ts'
import type { Clock } from '../lib/clock.ts'
import type { NextId } from '../lib/snowflake.ts'
import type { ChatEvent } from './chat-event.ts'
import { answerOf, closingEvents, endRun, endUnit } from './run-ending.ts'
import { listOrphanRuns, updateRunEnd } from './run-store.ts'
import type { Run } from './run-store.ts'

export type RecoverDeps = {
  db: Db
  commits: GroupCommit
  clock: Clock
  nextId: NextId
  maxRunMs: number
  /** A clock that was put forward makes every run and every lease look old: what this process executes it does not take for dead. */
  isRunningHere: (runId: string) => boolean
}

const PER_ROUND = 100
const GRACE_MS = 60_000
const INTERRUPTED = { code: 'interrupted', message: 'the server was stopped while the chat was running: send the message again' }

/** Ends the runs of processes that died: as failed, with the answer as far as it was stored. Answers how many. */
export async function recoverRuns(deps: RecoverDeps): Promise<number> {
  const liveWorkers = await listLiveWorkers(deps.db, deps.clock)
  const orphans = await listOrphanRuns(deps.db, { liveWorkers, startedBefore: deps.clock() - deps.maxRunMs - GRACE_MS, limit: PER_ROUND })
  const dead = orphans.filter((run) => !deps.isRunningHere(run.id))
  for (const run of dead) await endOrphan(deps, run)
  return dead.length
}

async function endOrphan({ db, commits, clock, nextId }: RecoverDeps, run: Run): Promise<void> {
  const partial = await storedAnswer(db, run.id)
  const { seq } = await findLastEntry(db, run.id)
  const ended = endRun(run, { status: 'failed', error: INTERRUPTED }, clock())
  const answer = answerOf(ended, partial)
  const opening: ChatEvent[] = seq === 0 ? [{ type: 'run_created' }, { type: 'run_started' }] : []
  const events = [...opening, ...closingEvents(ended, { answer, nextId })]
  const segment = segmentInsert({ runId: run.id, firstSeq: seq + 1, events }, { now: ended.finishedAt, endsRun: true })
  const unit = endUnit(ended, answer)

  try {
    await commits.write({
      // two servers may find the same run: the one that records the end first writes the rest
      async guard(tx) {
        if (!(await updateRunEnd(tx, ended))) throw new AppError('conflict', 'the run has ended already')
      },
      insert: { ...unit.insert, journal_segment: [segment] },
      update: unit.update,
    })
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause
  }
}

async function storedAnswer(db: Db, runId: string): Promise<{ text: string; reasoning: string }> {
  const answer = { text: '', reasoning: '' }
  for (let cursor = 0; ;) {
    const page = await listEntries<ChatEvent>(db, runId, cursor)
    const last = page.at(-1)
    if (!last) return answer
    for (const { event } of page) {
      if (event.type === 'answer_delta') answer.text += event.text
      if (event.type === 'reasoning_delta') answer.reasoning += event.text
    }
    cursor = last.seq
  }
}
