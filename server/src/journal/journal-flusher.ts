import { isDatabaseUnavailable, isDuplicate } from '../db/database.ts'
import type { Db } from '../db/database.ts'
import type { GroupCommit, WriteUnit } from '../db/group-commit.ts'
import { pause } from '../lib/background.ts'
import type { Clock } from '../lib/clock.ts'
import type { JournalNews } from './journal-news.ts'
import { findOwnSegment, toSegments } from './journal-store.ts'
import type { Batch, LiveLog } from './live-log.ts'

/**
 * State of the run that is stored in one transaction with the events so far: after a crash they
 * agree. It may be taken more than once, and written more than once.
 */
export interface Beside {
  /** What has changed since it was last settled; undefined for nothing. What the guard refuses is not stored, nor are the events. */
  take(): (Pick<WriteUnit, 'guard'> & { update: (tx: Db) => Promise<unknown>; settle: () => void }) | undefined
}

export type OpenLog<E> = LiveLog<E> & { beside: Beside | undefined }

export type FlusherDeps = { db: Db; commits: GroupCommit; clock: Clock; news: JournalNews; onError: (cause: unknown) => void }

const FLUSH_MS = 80
/** Every row costs the same, however little it holds: the more runs speak, the longer they collect. */
const MAX_FLUSH_MS = 250
const LOGS_PER_MS = 4
/** How soon a write is tried again that somebody waits for. */
const RETRY_MS = 100

/** `away` is the database's: it goes out again. */
type Written = 'stored' | 'away' | 'failed'
type Results<E> = (log: OpenLog<E>) => Written

/** Writes behind: all logs that have something new, every FLUSH_MS, and up to MAX_FLUSH_MS while they are many. */
export function createFlusher<E>(deps: FlusherDeps) {
  const dirty = new Set<OpenLog<E>>()
  const writing = new Map<OpenLog<E>, Promise<Results<E>>>()
  let timer: NodeJS.Timeout | undefined
  let flushMs = FLUSH_MS

  function schedule(log: OpenLog<E>): void {
    dirty.add(log)
    timer ??= setTimeout(flush, flushMs)
  }

  function flush(): void {
    timer = undefined
    // @NOTE one write at a time for each log, or a later segment could be stored before an earlier one
    const free = [...dirty].filter((log) => !writing.has(log))
    flushMs = Math.min(MAX_FLUSH_MS, Math.max(FLUSH_MS, free.length / LOGS_PER_MS))
    const together = free.filter((log) => !log.beside)
    if (together.length > 0) void start(together)
    for (const log of free) if (log.beside) void start([log])
    for (const log of dirty) schedule(log)
  }

  function start(logs: OpenLog<E>[]): Promise<Results<E>> {
    const written = writeLogs(deps, logs).then((results) => {
      for (const log of logs) {
        writing.delete(log)
        // nothing is lost: the events stay in memory and go out with the next flush, at the latest with the end
        if (results(log) === 'away') schedule(log)
      }
      return results
    })
    for (const log of logs) {
      dirty.delete(log)
      writing.set(log, written)
    }
    return written
  }

  return {
    schedule,
    /** Now: with the next write that begins. What comes after that is not waited for. */
    async store(log: OpenLog<E>, signal: AbortSignal) {
      await writing.get(log)
      while (hasUnstored(log) && !log.abandoned) {
        signal.throwIfAborted()
        const results = await (writing.get(log) ?? start([log]))
        const result = results(log)
        if (result === 'failed') throw new Error(`what run ${log.runId} has done cannot be stored`)
        if (result === 'stored') return
        await pause(RETRY_MS, signal)
      }
    },
    async settle(log: OpenLog<E>) {
      dirty.delete(log)
      await writing.get(log)
      dirty.delete(log)
    },
    async flushAll() {
      clearTimeout(timer)
      flush()
      await Promise.all(writing.values())
    },
  }
}

/** As one unit: a thousand runs that say a word each would be a thousand units ten times a second. Never rejects. */
async function writeLogs<E>(deps: FlusherDeps, logs: OpenLog<E>[]): Promise<Results<E>> {
  const results = new Map<OpenLog<E>, Written>()
  if (logs.length > 1) {
    const written = await writeTogether(deps, logs)
    if (written !== 'failed') return () => written
  }
  await Promise.all(logs.map(async (log) => results.set(log, await writeLog(deps, log))))
  return (log) => results.get(log) ?? 'failed'
}

/** `failed` when one of them is refused: which one is seen when each is written alone. */
async function writeTogether<E>({ commits, clock, news }: FlusherDeps, logs: OpenLog<E>[]): Promise<Written> {
  const batches = logs.filter((log) => !log.abandoned).map((log) => ({ log, batch: log.unstored() }))
  const filled = batches.filter(({ batch }) => batch.events.length > 0)
  const now = clock()
  try {
    await commits.write({ insert: { journal_segment: filled.flatMap(({ batch }) => toSegments(batch, { now, endsRun: false })) } })
  } catch (cause) {
    return isDatabaseUnavailable(cause) ? 'away' : 'failed'
  }
  for (const { log, batch } of filled) {
    log.stored(lastSeqOf(batch))
    news.tell(log.runId)
  }
  return 'stored'
}

/** Never rejects. */
async function writeLog<E>(deps: FlusherDeps, log: OpenLog<E>): Promise<Written> {
  const batch = log.unstored()
  const beside = log.beside?.take()
  if ((batch.events.length === 0 && !beside) || log.abandoned) return 'stored'
  const segments = batch.events.length === 0 ? [] : toSegments(batch, { now: deps.clock(), endsRun: false })
  try {
    await deps.commits.write({ guard: beside?.guard, insert: { journal_segment: segments }, update: beside?.update })
    log.stored(lastSeqOf(batch))
    if (batch.events.length > 0) deps.news.tell(log.runId)
    beside?.settle()
    return 'stored'
  } catch (cause) {
    return judge(deps, { log, batch, cause })
  }
}

const lastSeqOf = <E>({ firstSeq, events }: Batch<E>): number => firstSeq + events.length - 1

type FailedWrite<E> = { log: OpenLog<E>; batch: Batch<E>; cause: unknown }

async function judge<E>({ db, onError }: FlusherDeps, { log, batch, cause }: FailedWrite<E>): Promise<Written> {
  if (isDatabaseUnavailable(cause)) return 'away'
  try {
    const stored = isDuplicate(cause) ? await findOwnSegment(db, batch) : undefined
    if (!stored || stored.endsRun) throw cause
    log.stored(stored.lastSeq)
    return 'away'
  } catch (failure) {
    onError(failure)
    return isDatabaseUnavailable(failure) ? 'away' : 'failed'
  }
}

const hasUnstored = <E>(log: OpenLog<E>): boolean => log.unstored().events.length > 0 || log.beside?.take() !== undefined
