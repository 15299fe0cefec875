import type { ClusterBus } from '../cluster/cluster-bus.ts'
import type { Db } from '../db/database.ts'
import { deleteStopRequest, deleteStopRequestsBefore, insertStopRequest, listStopRequests } from '../db/stop-request-store.ts'
import { AppError } from '../lib/app-error.ts'
import { repeat } from '../lib/background.ts'
import type { Clock } from '../lib/clock.ts'
import type { LiveRuns } from '../lib/live-runs.ts'
import type { JournalNews } from './journal-news.ts'

/**
 * Stops runs, in whatever process they are executed. A run of another process has a row that says that it is to be stopped; the bus says
 * it at once, and who executes runs looks for such rows, should it not have heard.
 */
export interface RunStops {
  /**
   * Cancels the run. Resolves as soon as `isOver` says so, which may be because it ended by itself. Throws `unavailable` when nobody has
   * stopped it in time; it is stopped then as soon as its process is heard of.
   */
  stop(runId: string, isOver: () => Promise<boolean>): Promise<void>
  /** From now on what others want stopped is stopped here. */
  start(): void
  close(): Promise<void>
}

export type RunStopDeps = {
  db: Db
  clock: Clock
  bus: ClusterBus
  news: JournalNews
  /** All that this process executes. */
  liveRuns: LiveRuns[]
  onError: (cause: unknown) => void
}

const CHANNEL = 'stops'
/** How late a run is stopped whose process has not heard of it. */
const LOOK_EVERY_MS = 700
const PATIENCE_MS = 4_000
const FIRST_LOOK_MS = 20
/** Nobody has the run any more, or it ended while nobody was there to see it. */
const KEPT_MS = 600_000

export function createRunStops(deps: RunStopDeps): RunStops {
  const { db, clock, bus, liveRuns, onError } = deps
  let started: { stop(): void | Promise<void> }[] = []

  async function stopHere(runId: string): Promise<void> {
    for (const runs of liveRuns) await runs.stop(runId, 'canceled')
  }

  async function look(): Promise<void> {
    if (liveRuns.every(({ count }) => count === 0)) return
    // @NOTE not awaited: one run that is slow to end must not keep the next look waiting
    for (const runId of await listStopRequests(db)) stopHere(runId).catch(onError)
  }

  return {
    stop: (runId, isOver) => stopAnywhere(deps, { runId, isOver, stopHere }),
    start() {
      started = [
        bus.subscribe(CHANNEL, (runId) => void stopHere(runId).catch(onError)),
        repeat(LOOK_EVERY_MS, look, onError),
        repeat(KEPT_MS, () => deleteStopRequestsBefore(db, clock() - KEPT_MS), onError),
      ]
    },
    async close() {
      for (const each of started) await each.stop()
    },
  }
}

type Stopping = { runId: string; isOver: () => Promise<boolean>; stopHere: (runId: string) => Promise<void> }

async function stopAnywhere({ db, clock, bus, news }: RunStopDeps, { runId, isOver, stopHere }: Stopping): Promise<void> {
  await stopHere(runId)
  if (await isOver()) return

  const impatience = new AbortController()
  const timer = setTimeout(() => impatience.abort(), PATIENCE_MS)
  using reader = news.join(runId, impatience.signal)
  try {
    await insertStopRequest(db, { runId, now: clock() })
    bus.publish(CHANNEL, runId)
    for (let wait = FIRST_LOOK_MS; !impatience.signal.aborted; wait *= 2) {
      await reader.next(wait)
      // it may be about to begin, or to go on, here
      await stopHere(runId)
      if (await isOver()) return await deleteStopRequest(db, runId)
    }
  } finally {
    clearTimeout(timer)
  }
  throw new AppError(
    'unavailable',
    'the server that executes this run does not answer: it is canceled as soon as it does, look again shortly',
  )
}
