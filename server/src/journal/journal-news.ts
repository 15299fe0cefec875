import type { ClusterBus } from '../cluster/cluster-bus.ts'
import { createWakeable } from '../lib/wakeable.ts'
import type { Wakeable } from '../lib/wakeable.ts'

/** Tells readers in other processes that there is more of a run in the database: they need not look again and again. */
export interface JournalNews {
  tell(runId: string): void
  /** @NOTE to be called before the look at the database: what is stored after that wakes the reader. */
  join(runId: string, signal: AbortSignal): NewsReader
}

export interface NewsReader extends Disposable {
  /** Resolves when there may be something new, at the latest when it is time to look all the same, or when the signal has aborted. */
  next(atMostMs?: number): Promise<void>
}

const CHANNEL = 'journal'
const RUNS_PER_MESSAGE = 1_000
/** How often a reader looks that nobody may wake. */
const LOOK_EVERY_MS = 250
/** And one that is woken: news may be lost. */
const NET_MS = 1_000

export function createJournalNews(bus: ClusterBus): JournalNews {
  const readers = new Map<string, Set<Wakeable>>()
  const untold = new Set<string>()
  bus.subscribe(CHANNEL, (message) => {
    if (readers.size === 0) return
    for (const runId of message.split(' ')) for (const reader of readers.get(runId) ?? []) reader.wake()
  })

  /** Runs that are stored in one transaction are one message. */
  function tellAll(): void {
    const runIds = [...untold]
    untold.clear()
    for (let at = 0; at < runIds.length; at += RUNS_PER_MESSAGE) bus.publish(CHANNEL, runIds.slice(at, at + RUNS_PER_MESSAGE).join(' '))
  }

  return {
    tell(runId) {
      if (untold.size === 0) setImmediate(tellAll)
      untold.add(runId)
    },
    join(runId, signal) {
      const reader = createWakeable()
      const ofRun = readers.get(runId) ?? new Set()
      readers.set(runId, ofRun.add(reader))
      signal.addEventListener('abort', reader.wake)
      if (signal.aborted) reader.wake()
      return {
        next: (atMostMs = Infinity) => reader.next(Math.min(atMostMs, bus.isShared ? NET_MS : LOOK_EVERY_MS)),
        [Symbol.dispose]() {
          signal.removeEventListener('abort', reader.wake)
          ofRun.delete(reader)
          if (ofRun.size === 0 && readers.get(runId) === ofRun) readers.delete(runId)
        },
      }
    },
  }
}
