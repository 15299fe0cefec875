import { isDatabaseUnavailable, isDuplicate } from '../db/database.ts'
import type { Db } from '../db/database.ts'
import type { GroupCommit } from '../db/group-commit.ts'
import { doClocksAgree, listLiveWorkers, withoutDoubtful } from '../db/worker-lease.ts'
import { listEntries, segmentInsert } from '../journal/journal-store.ts'
import { AppError } from '../lib/app-error.ts'
import type { Clock } from '../lib/clock.ts'
import type { NextId } from '../lib/snowflake.ts'
import type { ChatEvent, CompletedMessage } from './chat-event.ts'
import { closingEvents, endRun, endUnit } from './run-ending.ts'
import type { EndListeners, Outcome } from './run-ending.ts'
import { listOrphanRuns } from './run-store.ts'
import type { Run } from './run-store.ts'

export type RecoverDeps = {
  db: Db
  commits: GroupCommit
  clock: Clock
  nextId: NextId
  maxRunMs: number
  listeners: EndListeners
  onError: (cause: unknown) => void
  /** A clock that was put forward makes every run and every lease look old: what this process executes it does not take for dead. */
  isRunningHere: (runId: string) => boolean
}

const PER_ROUND = 100
const GRACE_MS = 60_000
/**
 * Readers have events some time before the journal does, and those that only the dead process had are
 * gone. The end is numbered beyond all that a reader may have, or the one who comes back would be past it.
 */
const UNSTORED_EVENTS = 1_000_000
const INTERRUPTED = { code: 'interrupted', message: 'the server was stopped while the chat was running: send the message again' }

/** Ends the runs of processes that died: as failed, with the answer as far as it was stored. Answers how many were found. */
export async function recoverRuns(deps: RecoverDeps): Promise<number> {
  const liveWorkers = await listLiveWorkers(deps.db)
  const startedBefore = (await doClocksAgree(deps.db, deps.clock)) ? deps.clock() - deps.maxRunMs - GRACE_MS : 0
  let found = 0
  for (let afterId = '0'; ;) {
    const orphans = await listOrphanRuns(deps.db, { liveWorkers, startedBefore, afterId, limit: PER_ROUND })
    const last = orphans.at(-1)
    if (!last) return found

    const away = orphans.filter((run) => !deps.isRunningHere(run.id))
    const dead = await withoutDoubtful(deps, away, liveWorkers)
    await Promise.all(dead.map((run) => endOrphan(deps, run).catch((cause: unknown) => report(deps, cause))))
    found += dead.length
    afterId = last.id
  }
}

/** One run that cannot be ended does not keep the others waiting. */
function report({ onError }: RecoverDeps, cause: unknown): void {
  if (isDatabaseUnavailable(cause)) throw cause
  onError(cause)
}

async function endOrphan({ db, commits, clock, nextId, listeners }: RecoverDeps, run: Run): Promise<void> {
  const found = await storedProgress(db, run)
  const outcome: Outcome = { status: 'failed', error: INTERRUPTED }
  const now = clock()
  const ended = endRun(run, outcome, { now, usage: { inputTokens: 0, outputTokens: 0 } })
  const ending = { run: ended, outcome, completed: found.completed, answer: partialAnswer(found, now) }
  const opening: ChatEvent[] = found.seq === 0 ? [{ type: 'run_created' }, { type: 'run_started' }] : []
  const closing = { runId: run.id, firstSeq: found.seq + UNSTORED_EVENTS, events: closingEvents(ending, nextId) }
  const segments = [segmentInsert(closing, { now, endsRun: true })]
  if (opening.length > 0) segments.unshift(segmentInsert({ runId: run.id, firstSeq: 1, events: opening }, { now, endsRun: false }))
  const unit = endUnit(ending, listeners)

  try {
    await commits.write({ ...unit, insert: { ...unit.insert, journal_segment: segments } })
    if (run.callbackUrl !== undefined) listeners.wakeWebhooks()
  } catch (cause) {
    // two servers may find the same run: the one that is first records the end, the other's is undone
    if (!(cause instanceof AppError) && !isDuplicate(cause)) throw cause
  }
}

/** What the journal has of a run since it began or last went on. */
type Progress = { seq: number; completed: CompletedMessage[]; answerId: string; text: string; reasoning: string }

async function storedProgress(db: Db, run: Run): Promise<Progress> {
  const progress: Progress = { seq: 0, completed: [], answerId: run.answerId, text: '', reasoning: '' }
  for (;;) {
    const page = await listEntries<ChatEvent>(db, run.id, progress.seq)
    const last = page.at(-1)
    if (!last) return progress
    for (const { event } of page) note(progress, event)
    progress.seq = last.seq
  }
}

function note(progress: Progress, event: ChatEvent): void {
  switch (event.type) {
    case 'answer_delta':
    case 'reasoning_delta':
      if (event.messageId !== undefined) progress.answerId = event.messageId
      if (event.type === 'answer_delta') progress.text += event.text
      else progress.reasoning += event.text
      break
    case 'message_completed':
      progress.completed.push(event.message)
      if (event.message.type === 'answer') Object.assign(progress, { text: '', reasoning: '' })
      break
    case 'run_requires_action':
      // what came before a pause was stored with it
      Object.assign(progress, { completed: [], text: '', reasoning: '' })
      break
    default:
      break
  }
}

function partialAnswer({ answerId, text, reasoning }: Progress, now: number): CompletedMessage | undefined {
  if (text === '' && reasoning === '') return undefined
  return { id: answerId, type: 'answer', content: text, contentType: 'text', reasoning, createdAt: now }
}
