import type { Db } from '../../src/db/database.ts'
import { createGroupCommit } from '../../src/db/group-commit.ts'
import type { GroupCommit, WriteUnit } from '../../src/db/group-commit.ts'
import { createMemoryBus } from '../../src/cluster/memory-bus.ts'
import { createJournalNews } from '../../src/journal/journal-news.ts'
import type { JournalNews } from '../../src/journal/journal-news.ts'
import { createJournal } from '../../src/journal/journal.ts'
import type { RunLog } from '../../src/journal/journal.ts'
import { listEntries } from '../../src/journal/journal-store.ts'
import { pause } from '../../src/lib/background.ts'

export type TestJournal = ReturnType<typeof openTestJournal>

/** A journal of numbers: event n of a run is the number n, so what a reader has shows every gap and every repetition. */
export function openTestJournal(db: Db, commits: GroupCommit = createGroupCommit(db), news: JournalNews = silentNews()) {
  const errors: unknown[] = []
  const ends: number[] = []
  const journal = createJournal<number>({ db, commits, news, clock: () => 1, onError: (cause) => errors.push(cause) })

  return {
    commits,
    /** What the journal reported as unexpected. */
    errors,
    /** The event that was marked as the last, of each reader that saw it. */
    ends,
    flush: journal.flush,
    open(runId: string, firstSeq?: number) {
      const log = journal.open(runId, firstSeq)
      return {
        append: log.append,
        abandon: log.abandon,
        close: (events: number[], options: CloseOptions = {}) => closeLog(log, events, options),
      }
    },
    async read(runId: string, cursor = 0, { leaveAfter = Infinity, restMs = 0, signal, onEvent }: ReadOptions = {}): Promise<number[]> {
      const leaving = new AbortController()
      const seen: number[] = []
      const position = { runId, cursor, signal: AbortSignal.any([leaving.signal, ...(signal ? [signal] : [])]) }
      for await (const entries of journal.follow(position)) {
        for (const { seq, event, last } of entries.slice(0, leaveAfter - seen.length)) {
          // its number is its place, whoever counts
          if (event !== seq) throw new Error(`entry ${seq} has event ${event}`)
          seen.push(event)
          if (last) ends.push(event)
          onEvent?.(event)
        }
        if (seen.length >= leaveAfter) leaving.abort()
        await pause(restMs, leaving.signal)
      }
      return seen
    },
    async stored(runId: string): Promise<number[]> {
      return (await listEntries<number>(db, runId, 0)).map((entry) => entry.event)
    },
  }
}

type ReadOptions = { leaveAfter?: number; restMs?: number; signal?: AbortSignal; onEvent?: (event: number) => void }
type CloseOptions = { also?: WriteUnit; giveUp?: AbortSignal }

/** Heard by nobody else: readers of other journals look for themselves. */
const silentNews = () => createJournalNews(createMemoryBus(console.error))

const closeLog = (log: RunLog<number>, events: number[], { also = {}, giveUp = new AbortController().signal }: CloseOptions) =>
  log.close(events, also, giveUp)

export const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at)
