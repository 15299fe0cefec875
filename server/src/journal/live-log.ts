import { createWakeable } from '../lib/wakeable.ts'
import type { Wakeable } from '../lib/wakeable.ts'
import type { JournalEntry } from './journal-store.ts'

/** The events of one run that this process executes: all that is not stored yet, and the newest of what is. */
export interface LiveLog<E> {
  readonly runId: string
  readonly ended: boolean
  readonly abandoned: boolean
  append(event: E): void
  /** Entries after the cursor; undefined when they are no longer in memory (they are stored then). */
  after(cursor: number): JournalEntry<E>[] | undefined
  unstored(): Batch<E>
  stored(lastSeq: number): void
  end(events: E[]): void
  abandon(): void
  join(signal: AbortSignal): LiveReader
}

export type Batch<E> = { runId: string; firstSeq: number; events: E[] }

export interface LiveReader extends Disposable {
  /** Resolves when there may be something new, or the signal has aborted. */
  next(): Promise<void>
}

/** Stored entries kept in memory for readers that are a little behind. */
const KEPT = 32

/** @param firstSeq the number of its first event: more than 1 when earlier ones are stored already */
export function createLiveLog<E>(runId: string, firstSeq = 1): LiveLog<E> {
  const readers = new Set<Wakeable>()
  // events[0] has the number `first`
  let events: E[] = []
  let first = firstSeq
  let storedUpTo = firstSeq - 1
  let ended = false
  let abandoned = false

  const wake = () => {
    for (const reader of readers) reader.wake()
  }

  return {
    runId,
    get ended() {
      return ended
    },
    get abandoned() {
      return abandoned
    },
    append(event) {
      events.push(event)
      wake()
    },
    after(cursor) {
      if (cursor + 1 < first) return undefined
      const entries: JournalEntry<E>[] = []
      for (let at = cursor + 1 - first; at < events.length; at++) {
        const event = events[at]
        if (event !== undefined) entries.push({ seq: first + at, event, last: ended && at === events.length - 1 })
      }
      return entries
    },
    unstored: () => ({ runId, firstSeq: storedUpTo + 1, events: events.slice(storedUpTo + 1 - first) }),
    stored(lastSeq) {
      storedUpTo = lastSeq
      const spare = storedUpTo - KEPT + 1 - first
      if (spare < KEPT) return
      events = events.slice(spare)
      first += spare
    },
    end(closing) {
      events.push(...closing)
      ended = true
      wake()
    },
    abandon() {
      abandoned = true
      wake()
    },
    join: (signal) => joinReaders(readers, signal),
  }
}

function joinReaders(readers: Set<Wakeable>, signal: AbortSignal): LiveReader {
  const reader = createWakeable()
  const onAbort = () => reader.wake()
  readers.add(reader)
  signal.addEventListener('abort', onAbort)
  return {
    next: () => reader.next(),
    [Symbol.dispose]() {
      readers.delete(reader)
      signal.removeEventListener('abort', onAbort)
    },
  }
}
