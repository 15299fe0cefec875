import { AppError } from './app-error.ts'
import { pause } from './background.ts'

/** Why a run was stopped from outside. */
export type StopReason = 'canceled' | 'timeout' | 'shutdown'

/** The abort reason of a stopped run's signal. */
export class RunStopped extends Error {
  readonly reason: StopReason

  constructor(reason: StopReason) {
    super(`run stopped: ${reason}`)
    this.reason = reason
  }
}

/** The runs that this process executes now. */
export interface LiveRuns {
  /** Throws `rate_limited` when as many run as this process takes; ask before anything of the run is stored. */
  assertRoom(): void
  /** Starts the work at once; the result is the work's own, and nobody needs to wait for it. */
  start<T>(runId: string, work: (signal: AbortSignal) => Promise<T>): Promise<T>
  /** Stops the run and resolves when it has ended; undefined when it does not run here. */
  stop(runId: string, reason: StopReason): Promise<void> | undefined
  has(runId: string): boolean
  readonly count: number
  /** No run is executed for longer. */
  readonly maxRunMs: number
  /** Waits until no run is left, also of those that begin meanwhile; those that have not ended after `ms` are stopped. */
  drain(ms: number): Promise<void>
}

export type LiveRunLimits = { maxRuns: number; maxRunMs: number }

export function createLiveRuns({ maxRuns, maxRunMs }: LiveRunLimits, onError: (cause: unknown) => void): LiveRuns {
  const runs = new Map<string, { controller: AbortController; ended: Promise<void> }>()

  return {
    maxRunMs,
    has: (runId) => runs.has(runId),
    get count() {
      return runs.size
    },
    assertRoom() {
      if (runs.size >= maxRuns)
        throw new AppError('rate_limited', `${maxRuns} runs are going on already, which is as many as this server takes: try again shortly`)
    },
    start(runId, work) {
      const controller = new AbortController()
      const timer = setTimeout(() => controller.abort(new RunStopped('timeout')), maxRunMs)
      const result = work(controller.signal)
      const ended = result
        .then(() => undefined, onError)
        .finally(() => {
          clearTimeout(timer)
          runs.delete(runId)
        })
      runs.set(runId, { controller, ended })
      return result
    },
    stop(runId, reason) {
      const run = runs.get(runId)
      run?.controller.abort(new RunStopped(reason))
      return run?.ended
    },
    async drain(ms) {
      const drained = new AbortController()
      const late = pause(ms, drained.signal).then(() => drained.abort())
      // those that begin meanwhile may end as well
      while (runs.size > 0 && !drained.signal.aborted) await Promise.race([Promise.all(ends(runs)), late])
      // a timer left behind would keep a process without runs alive for all of `ms`
      drained.abort()
      for (const { controller } of runs.values()) controller.abort(new RunStopped('shutdown'))
      await Promise.all(ends(runs))
    },
  }
}

const ends = (runs: Map<string, { ended: Promise<void> }>) => [...runs.values()].map((run) => run.ended)
