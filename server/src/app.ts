import type { Server } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import { recoverRuns } from './chat/recover-runs.ts'
import type { Core } from './core.ts'
import { deleteIdempotencyBefore } from './db/idempotency-store.ts'
import { doClocksAgree } from './db/worker-lease.ts'
import { SWEEP_EVERY_MS, createWorkerSweep } from './db/worker-sweep.ts'
import { builtConsoleDir } from './http/console-pages.ts'
import { createHttpServer } from './http/http-server.ts'
import type { HttpServer } from './http/http-server.ts'
import { deleteJournalsBelow } from './journal/journal-store.ts'
import { pause, repeat } from './lib/background.ts'
import { firstIdAt } from './lib/snowflake.ts'
import { VERSION } from './version.ts'
import { LIMITS, buildHouse } from './app-house.ts'
import type { House } from './app-house.ts'
import { toServices } from './app-services.ts'
import { deleteDeliveriesBelow } from './webhooks/webhook-store.ts'
import { deleteNodeRunsBelow } from './workflows/runs/node-run-store.ts'
import { recoverWorkflowRuns } from './workflows/runs/recover-workflow-runs.ts'
import { executeQueuedRun } from './workflows/runs/run-queue.ts'

/** The running product: the one place where everything is built and connected. */
export type App = {
  http: HttpServer
  /** Lets live runs and streams come to their end (for at most the configured time), stores everything, stops. */
  close(): Promise<void>
}

const JOURNAL_KEPT_MS = 24 * 60 * 60 * 1000
const IDEMPOTENCY_KEPT_MS = 24 * 60 * 60 * 1000
const RECOVER_EVERY_MS = 2_500
/** How long a stopping server tries to store the ends of its runs while the database is away. */
const LAST_STORE_MS = 3_000
/** How long clients of a stopping server may take to read the ends of their streams. */
const LAST_READ_MS = 1_000
/** How long, after all that, requests that are still on their way may take. */
const LAST_REQUEST_MS = 3_000
const WEBHOOKS_KEPT_MS = 30 * 24 * 60 * 60 * 1000
const NODE_RUNS_KEPT_MS = 30 * 24 * 60 * 60 * 1000
const LOOK_AGAIN_MS = 20
const PRUNE_EVERY_MS = 60_000
const PRUNE_RUNS = 2_000

export async function createApp(core: Core): Promise<App> {
  const { config, logger } = core
  const house = await buildHouse(core)
  const workflows = house.workflows.running
  const http = await createHttpServer(toServices(core, house), {
    logger,
    trustProxy: config.trustProxy,
    corsOrigins: config.corsOrigins,
    publicUrl: config.publicUrl,
    version: VERSION,
    consoleDir: builtConsoleDir,
  })
  const countRequests = watchRequests(http.server)
  const chores = await startChores(core, house)
  house.webhooks.start()
  house.stops.start()
  workflows.queue.start((runId) => executeQueuedRun(workflows, runId))

  // @NOTE in this order: nothing new comes in, what runs ends, what ended is stored, then the ground goes away
  http.addHook('preClose', async () => {
    http.server.close()
    // recovery begins no more runs
    for (const chore of chores) void chore.stop()
    // what still cannot be stored then is left to the next start, or to another server
    const impatience = setTimeout(() => house.giveUp.abort(), config.drainMs + LAST_STORE_MS)
    void workflows.queue.close()
    await drain(house, config.drainMs, countRequests)
    clearTimeout(impatience)
    await house.streams.closeAll(LAST_READ_MS)
    // a request that never comes whole would hold the server for as long as its client likes
    setTimeout(() => http.server.closeAllConnections(), LAST_REQUEST_MS).unref()
  })
  return {
    http,
    async close() {
      await http.close()
      house.giveUp.abort()
      await Promise.all(chores.map((chore) => chore.stop()))
      await Promise.all([house.journal.flush(), workflows.journal.flush()])
      await workflows.queue.close()
      await house.commits.idle()
      await house.stops.close()
      await house.bus.close()
      await house.webhooks.close()
      await house.workflows.code.close()
      await house.tools.close()
      await house.guardedFetch.close()
      await house.keys.close()
      await house.limits.close()
      await house.models.close()
      house.files.objects.close()
    },
  }
}

/** How many requests are being answered; streams are among them. */
function watchRequests(server: Server): () => number {
  let count = 0
  server.on('request', (_request, response) => {
    count++
    response.once('close', () => count--)
  })
  return () => count
}

/** Waits for what runs, and for what is about to: a request that came in time may be on its way to a run. */
async function drain({ liveRuns, streams, workflows }: House, ms: number, countRequests: () => number): Promise<void> {
  const until = performance.now() + ms
  for (;;) {
    const leftMs = Math.max(0, until - performance.now())
    await Promise.all([liveRuns.drain(leftMs), workflows.running.liveRuns.drain(leftMs)])
    if (leftMs === 0 || countRequests() <= streams.count) return
    await pause(LOOK_AGAIN_MS)
  }
}

/** What goes on by itself: runs of dead processes are ended or gone on with, what is old is deleted. */
async function startChores({ db, clock, nextId }: Core, { commits, liveRuns, listeners, onError, giveUp, workflows }: House) {
  const recovering = { db, commits, clock, nextId, maxRunMs: LIMITS.maxRunMs, isRunningHere: liveRuns.has, listeners, onError }
  const recover = async () => void (await recoverRuns(recovering))
  const recoverWorkflows = async () => void (await recoverWorkflowRuns(workflows.running))
  const portions = inPortions(giveUp.signal)
  const prune = async () => {
    // one whose clock is wrong would delete what is young
    if (!(await doClocksAgree(db, clock))) return
    await portions(() => deleteJournalsBelow(db, oldJournals(clock())))
    await deleteIdempotencyBefore(db, clock() - IDEMPOTENCY_KEPT_MS)
    await portions(() => deleteDeliveriesBelow(db, firstIdAt(clock() - WEBHOOKS_KEPT_MS), PRUNE_RUNS))
    await portions(() => deleteNodeRunsBelow(db, firstIdAt(clock() - NODE_RUNS_KEPT_MS), PRUNE_RUNS))
  }
  await recover()
  await recoverWorkflows()
  return [
    repeat(SWEEP_EVERY_MS, createWorkerSweep(db), onError),
    repeat(RECOVER_EVERY_MS, recover, onError),
    repeat(RECOVER_EVERY_MS, recoverWorkflows, onError),
    repeat(PRUNE_EVERY_MS, prune, onError),
  ]
}

/** What is old goes in portions until one is not full: however fast it came, it goes as fast. */
const inPortions =
  (signal: AbortSignal) =>
  async (deleteSome: () => Promise<number>): Promise<void> => {
    while ((await deleteSome()) === PRUNE_RUNS && !signal.aborted) await setImmediate()
  }

function oldJournals(now: number) {
  const before = now - JOURNAL_KEPT_MS
  return { runId: firstIdAt(before), before, limit: PRUNE_RUNS }
}
