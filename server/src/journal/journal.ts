import { isDatabaseUnavailable, isDuplicate } from '../db/database.ts'
import type { Db } from '../db/database.ts'
import type { WriteUnit } from '../db/group-commit.ts'
import { retryWhileAway } from '../db/retry-while-away.ts'
import { pause } from '../lib/background.ts'
import { AppError } from '../lib/app-error.ts'
import { createFlusher } from './journal-flusher.ts'
import type { Beside, FlusherDeps, OpenLog } from './journal-flusher.ts'
import type { JournalNews } from './journal-news.ts'
import { findLastEntry, findOwnSegment, listEntries, toSegments } from './journal-store.ts'
import type { JournalEntry } from './journal-store.ts'
import { createLiveLog } from './live-log.ts'
import type { Batch } from './live-log.ts'

/**
 * The append-only list of numbered events of each run. Readers in this process get an event from
 * memory the moment it is appended; the database has it a moment later. The end of a run is
 * stored before any reader sees it: nobody is told of something that a crash could undo.
 */
export interface Journal<E> {
  /** Starts the log of a run that has no events yet, or goes on with one whose last stored event is `firstSeq - 1`. */
  open(runId: string, firstSeq?: number, beside?: Beside): RunLog<E>
  /**
   * Yields every entry after the cursor in order, old ones first, then new ones as they come, and
   * returns at the end of the run, when the signal aborts, or when the journal does not have the run (any more).
   */
  follow(position: JournalPosition): AsyncGenerator<JournalEntry<E>[]>
  /** For who waits until something of a run is stored, by whatever process. */
  listen: JournalNews['join']
  /** Stores what is in memory; for a clean stop. */
  flush(): Promise<void>
}

/** `stored` runs when the end is stored, before any reader sees it; it must not reject. */
export type EndWrite = WriteUnit & { stored?: () => Promise<void> | undefined }

export interface RunLog<E> {
  /** Nothing any more once it is being closed. */
  append(event: E): void
  /** What stands beside the events has changed: it is stored with the next of them, and soon in any case. */
  touch(): void
  /** Resolves when all events so far are stored, and what stands beside them; however long the database is away, unless the signal aborts. */
  store(signal: AbortSignal): Promise<void>
  /**
   * Ends the log, or pauses it until it is opened again. Stores all events so far, the closing ones and `also` in one transaction, then shows the closing
   * ones to the readers. While the database is away it keeps trying, until `giveUp` aborts.
   */
  close(events: E[], also: EndWrite, giveUp: AbortSignal): Promise<void>
  /** For a log that cannot be closed: its readers go on with what is stored, where somebody else may write the end. */
  abandon(): void
}

/** `cursor` is the number of the last entry the reader has; 0 for none. */
export type JournalPosition = { runId: string; cursor: number; signal: AbortSignal }
export type JournalDeps = FlusherDeps

export function createJournal<E>(deps: JournalDeps): Journal<E> {
  const logs = new Map<string, OpenLog<E>>()
  const flusher = createFlusher<E>(deps)

  return {
    open(runId, firstSeq, beside) {
      const log: OpenLog<E> = Object.assign(createLiveLog<E>(runId, firstSeq), { beside })
      // what comes while its end is stored would have a number that the end has in the database
      let isClosing = false
      logs.set(runId, log)
      return {
        touch() {
          if (!isClosing) flusher.schedule(log)
        },
        store: (signal) => flusher.store(log, signal),
        append(event) {
          if (isClosing) return
          log.append(event)
          flusher.schedule(log)
        },
        async close(events, also, giveUp) {
          isClosing = true
          await flusher.settle(log)
          await storeEnd(deps, { log, events, also, giveUp })
          deps.news.tell(runId)
          await also.stored?.()
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
    listen: deps.news.join,
    async *follow(position) {
      const { runId, signal } = position
      const live = logs.get(runId)
      let { cursor } = position
      using reader = live?.join(signal)
      while (live && !signal.aborted) {
        // what memory no longer has is in the database
        const page = live.after(cursor) ?? (await listEntries<E>(deps.db, runId, cursor))
        const last = page.at(-1)
        if (last) {
          // @NOTE no `yield*`: each event of each stream comes by here, and a generator more is what costs most on its way
          yield page
          cursor = last.seq
        } else if (live.ended || live.abandoned) break
        else await reader?.next()
      }
      if (!live?.ended) yield* followStored(deps, { ...position, cursor })
    },
  }
}

/** Reads from the database; a run without its end is executed elsewhere, so it waits for news of it. */
async function* followStored<E>({ db, news }: JournalDeps, { runId, cursor, signal }: JournalPosition): AsyncGenerator<JournalEntry<E>[]> {
  using reader = news.join(runId, signal)
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
      await reader.next()
    }
  }
}

type End<E> = { log: OpenLog<E>; events: E[]; also: WriteUnit; giveUp: AbortSignal }

async function storeEnd<E>({ db, commits, clock }: JournalDeps, { log, events, also, giveUp }: End<E>): Promise<void> {
  for (let wait = 100; ; wait = Math.min(wait * 2, 2_000)) {
    const unstored = log.unstored()
    const batch = { ...unstored, events: [...unstored.events, ...events] }
    const update = besideThen(log.beside, also.update)
    try {
      const segments = toSegments(batch, { now: clock(), endsRun: true })
      return await commits.write({ ...also, update, insert: { ...also.insert, journal_segment: segments } })
    } catch (cause) {
      const written = await findWritten(db, { batch, cause, giveUp })
      if (written?.endsRun) return
      if (written) log.stored(written.lastSeq)
      else await pause(wait, giveUp)
    }
  }
}

type FailedEnd<E> = { batch: Batch<E>; cause: unknown; giveUp: AbortSignal }

/** What there is of a write that has failed; undefined while the database is away. Rejects with the cause when it was refused. */
async function findWritten<E>(db: Db, { batch, cause, giveUp }: FailedEnd<E>) {
  if (isDatabaseUnavailable(cause) && !giveUp.aborted) return undefined

  // @NOTE it may be refused because it is done
  const mayBeStored = isDuplicate(cause) || cause instanceof AppError
  const own = mayBeStored ? await retryWhileAway(() => findOwnSegment(db, batch), giveUp) : undefined
  if (!own) throw cause
  return own
}

function besideThen(beside: Beside | undefined, update: WriteUnit['update']): WriteUnit['update'] {
  const taken = beside?.take()
  if (!taken) return update
  return async (tx) => {
    await taken.update(tx)
    await update?.(tx)
  }
}
