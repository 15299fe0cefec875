import { isDatabaseUnavailable, isDuplicate } from '../db/database.ts'
import type { Db } from '../db/database.ts'
import type { GroupCommit, WriteUnit } from '../db/group-commit.ts'
import { pause } from '../lib/background.ts'
import type { Clock } from '../lib/clock.ts'
import { findLastEntry, findSegment, listEntries, segmentInsert } from './journal-store.ts'
import type { JournalEntry } from './journal-store.ts'
import { createLiveLog } from './live-log.ts'
import type { Batch, LiveLog } from './live-log.ts'

/**
 * The append-only list of numbered events of each run. Readers in this process get an event from
 * memory the moment it is appended; the database has it at most FLUSH_MS later. The end of a run is
 * stored before any reader sees it: nobody is told of something that a crash could undo.
 */
export interface Journal<E> {
  /** Starts the log of a run that has no events yet, or goes on with one whose last stored event is `firstSeq - 1`. */
  open(runId: string, firstSeq?: number): RunLog<E>
  /**
   * Yields every entry after the cursor in order, old ones first, then new ones as they come, and
   * returns at the end of the run, when the signal aborts, or when the journal does not have the run (any more).
   */
  follow(position: JournalPosition): AsyncGenerator<JournalEntry<E>[]>
  /** Stores what is in memory; for a clean stop. */
  flush(): Promise<void>
}

export interface RunLog<E> {
  append(event: E): void
  /**
   * Ends the log, or pauses it until it is opened again. Stores all events so far, the closing ones and `also` in one transaction, then shows the closing
   * ones to the readers. While the database is away it keeps trying, until `giveUp` aborts.
   */
  close(events: E[], also: WriteUnit, giveUp: AbortSignal): Promise<void>
  /** For a log that cannot be closed: its readers go on with what is stored, where somebody else may write the end. */
  abandon(): void
}

/** `cursor` is the number of the last entry the reader has; 0 for none. */
export type JournalPosition = { runId: string; cursor: number; signal: AbortSignal }
export type JournalDeps = { db: Db; commits: GroupCommit; clock: Clock; onError: (cause: unknown) => void }

const FLUSH_MS = 80
/** How often a reader looks for entries of a run that another process executes. */
const REMOTE_POLL_MS = 250

export function createJournal<E>(deps: JournalDeps): Journal<E> {
  const logs = new Map<string, LiveLog<E>>()
  const flusher = createFlusher<E>(deps)

  return {
    open(runId, firstSeq) {
      const log = createLiveLog<E>(runId, firstSeq)
      logs.set(runId, log)
      return {
        append(event) {
          log.append(event)
          flusher.schedule(log)
        },
        async close(events, also, giveUp) {
          await flusher.settle(log)
          await storeEnd(deps, { log, events, also, giveUp })
          log.end(events)
          logs.delete(runId)
        },
        abandon() {
          logs.delete(runId)
          log.abandon()
        },
      }
    },
    flush: () => flusher.flushAll(),
    async *follow(position) {
      const live = logs.get(position.runId)
      const cursor = live ? yield* followLive(deps.db, live, position) : position.cursor
      if (!live?.ended) yield* followStored(deps.db, { ...position, cursor })
    },
  }
}

/** Reads from memory, and from the database what memory no longer has. */
async function* followLive<E>(
  db: Db,
  live: LiveLog<E>,
  { runId, cursor, signal }: JournalPosition,
): AsyncGenerator<JournalEntry<E>[], number> {
  const reader = live.join(signal)
  try {
    while (!signal.aborted) {
      const page = live.after(cursor) ?? (await listEntries<E>(db, runId, cursor))
      const last = page.at(-1)
      if (last) {
        yield page
        cursor = last.seq
      } else if (live.ended || live.abandoned) break
      else await reader.next()
    }
    return cursor
  } finally {
    reader.leave()
  }
}

/** Reads from the database; a run without its end is executed elsewhere, so it looks again. */
async function* followStored<E>(db: Db, { runId, cursor, signal }: JournalPosition): AsyncGenerator<JournalEntry<E>[]> {
  let known = cursor
  while (!signal.aborted) {
    const page = await listEntries<E>(db, runId, known)
    const last = page.at(-1)
    if (last) {
      yield page
      known = last.seq
      // the end of a page may be a pause after which the run has gone on
      if (last.last && (await findLastEntry(db, runId)).seq === known) return
    } else {
      const stored = await findLastEntry(db, runId)
      // what was stored since the page was read comes with the next one, the end above all
      if (stored.seq > known) continue
      if (stored.seq === 0 || stored.ended) return
      await pause(REMOTE_POLL_MS, signal)
    }
  }
}

/** Writes behind: all logs that have something new, as one group, every FLUSH_MS. */
function createFlusher<E>({ db, commits, clock, onError }: JournalDeps) {
  const dirty = new Set<LiveLog<E>>()
  const writing = new Map<LiveLog<E>, Promise<void>>()
  let timer: NodeJS.Timeout | undefined

  async function flush(log: LiveLog<E>): Promise<void> {
    const batch = log.unstored()
    if (batch.events.length === 0 || log.abandoned) return
    try {
      await commits.write({ insert: { journal_segment: [segmentInsert(batch, { now: clock(), endsRun: false })] } })
      log.stored(batch.firstSeq + batch.events.length - 1)
    } catch (cause) {
      await keep(log, batch, cause).catch(onError)
    }
  }

  /** Nothing is lost: the events stay in memory and go out with the next flush, at the latest with the end. */
  async function keep(log: LiveLog<E>, batch: Batch<E>, cause: unknown): Promise<void> {
    if (isDatabaseUnavailable(cause)) return schedule(log)

    const stored = isDuplicate(cause) ? await findOwnSegment(db, batch) : undefined
    if (!stored || stored.endsRun) throw cause
    log.stored(stored.lastSeq)
    schedule(log)
  }

  function start(log: LiveLog<E>): void {
    dirty.delete(log)
    // @NOTE one write at a time for each log, or a later segment could be stored before an earlier one
    if (writing.has(log)) return schedule(log)
    writing.set(
      log,
      flush(log).finally(() => writing.delete(log)),
    )
  }

  function schedule(log: LiveLog<E>): void {
    dirty.add(log)
    timer ??= setTimeout(() => {
      timer = undefined
      for (const each of [...dirty]) start(each)
    }, FLUSH_MS)
  }

  return {
    schedule,
    async settle(log: LiveLog<E>) {
      dirty.delete(log)
      await writing.get(log)
      dirty.delete(log)
    },
    async flushAll() {
      clearTimeout(timer)
      timer = undefined
      for (const log of [...dirty]) start(log)
      await Promise.all(writing.values())
    },
  }
}

type End<E> = { log: LiveLog<E>; events: E[]; also: WriteUnit; giveUp: AbortSignal }

async function storeEnd<E>({ db, commits, clock }: JournalDeps, { log, events, also, giveUp }: End<E>): Promise<void> {
  for (let wait = 100; ; wait = Math.min(wait * 2, 2_000)) {
    const unstored = log.unstored()
    const batch = { ...unstored, events: [...unstored.events, ...events] }
    try {
      return await commits.write({ ...also, insert: { ...also.insert, journal_segment: endSegments(unstored, events, clock()) } })
    } catch (cause) {
      const stored = isDuplicate(cause) ? await findOwnSegment(db, batch) : undefined
      if (stored?.endsRun) return
      if (stored) log.stored(stored.lastSeq)
      else if (!isDatabaseUnavailable(cause) || giveUp.aborted) throw cause
      else await pause(wait, giveUp)
    }
  }
}

const CHARS_PER_SEGMENT = 1_000_000

/** One segment, or two where it would be large: the whole answer is in the closing events, and may be in the others once more. */
function endSegments<E>(unstored: Batch<E>, closing: E[], now: number): ReturnType<typeof segmentInsert>[] {
  const { runId, firstSeq } = unstored
  const one = segmentInsert({ runId, firstSeq, events: [...unstored.events, ...closing] }, { now, endsRun: true })
  if (unstored.events.length === 0 || one.events.length < CHARS_PER_SEGMENT) return [one]

  const end = { runId, firstSeq: firstSeq + unstored.events.length, events: closing }
  return [segmentInsert(unstored, { now, endsRun: false }), segmentInsert(end, { now, endsRun: true })]
}

/**
 * A connection may be lost between a commit and its answer: the write has failed, and its segment is
 * stored. Undefined when there is none, or it is not of this log: another process has ended the run.
 */
async function findOwnSegment<E>(
  db: Db,
  { runId, firstSeq, events }: Batch<E>,
): Promise<{ lastSeq: number; endsRun: boolean } | undefined> {
  const found = await findSegment(db, runId, firstSeq)
  const own = found && JSON.stringify(events.slice(0, found.lastSeq - firstSeq + 1))
  return found?.events === own ? found : undefined
}
