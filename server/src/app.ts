import { recoverRuns } from './chat/recover-runs.ts'
import type { Core } from './core.ts'
import { deleteIdempotencyBefore } from './db/idempotency-store.ts'
import { createHttpServer } from './http/http-server.ts'
import type { HttpServer } from './http/http-server.ts'
import { deleteJournalsBelow } from './journal/journal-store.ts'
import { repeat } from './lib/background.ts'
import { firstIdAt } from './lib/snowflake.ts'
import { VERSION } from './version.ts'
import { LIMITS, buildHouse } from './app-house.ts'
import type { House } from './app-house.ts'
import { toServices } from './app-services.ts'
import { deleteDeliveriesBelow } from './webhooks/webhook-store.ts'

/** The running product: the one place where everything is built and connected. */
export type App = {
  http: HttpServer
  /** Lets live runs and streams come to their end (for at most the configured time), stores everything, stops. */
  close(): Promise<void>
}

const JOURNAL_KEPT_MS = 24 * 60 * 60 * 1000
const IDEMPOTENCY_KEPT_MS = 24 * 60 * 60 * 1000
const RECOVER_EVERY_MS = 5_000
/** How long a stopping server tries to store the ends of its runs while the database is away. */
const LAST_STORE_MS = 3_000
/** How long clients of a stopping server may take to read the ends of their streams. */
const LAST_READ_MS = 1_000
/** How long, after all that, requests that are still on their way may take. */
const LAST_REQUEST_MS = 3_000
const WEBHOOKS_KEPT_MS = 30 * 24 * 60 * 60 * 1000
const PRUNE_EVERY_MS = 60_000
const PRUNE_RUNS = 2_000

export async function createApp(core: Core): Promise<App> {
  const { config, logger } = core
  const house = await buildHouse(core)
  const http = await createHttpServer(toServices(core, house), {
    logger,
    trustProxy: config.trustProxy,
    corsOrigins: config.corsOrigins,
    publicUrl: config.publicUrl,
    version: VERSION,
  })
  const chores = await startChores(core, house)
  house.webhooks.start()

  // @NOTE in this order: nothing new comes in, what runs ends, what ended is stored, then the ground goes away
  http.addHook('preClose', async () => {
    http.server.close()
    // what still cannot be stored then is left to the next start, or to another server
    const impatience = setTimeout(() => house.giveUp.abort(), config.drainMs + LAST_STORE_MS)
    await house.liveRuns.drain(config.drainMs)
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
      await house.journal.flush()
      await house.commits.idle()
      await house.webhooks.close()
      await house.tools.close()
      await house.guardedFetch.close()
      await house.keys.close()
      await house.models.close()
    },
  }
}

/** What goes on by itself: runs of dead processes are ended, old journals deleted. */
async function startChores({ db, clock, nextId }: Core, { commits, liveRuns, listeners, onError }: House) {
  const recovering = { db, commits, clock, nextId, maxRunMs: LIMITS.maxRunMs, isRunningHere: liveRuns.has, listeners, onError }
  const recover = async () => void (await recoverRuns(recovering))
  const prune = async () => void (await deleteJournalsBelow(db, firstIdAt(clock() - JOURNAL_KEPT_MS), PRUNE_RUNS))
  const forget = async () => void (await deleteIdempotencyBefore(db, clock() - IDEMPOTENCY_KEPT_MS))
  const forgetWebhooks = async () => void (await deleteDeliveriesBelow(db, firstIdAt(clock() - WEBHOOKS_KEPT_MS), PRUNE_RUNS))
  await recover()
  return [
    repeat(RECOVER_EVERY_MS, recover, onError),
    repeat(PRUNE_EVERY_MS, prune, onError),
    repeat(PRUNE_EVERY_MS, forget, onError),
    repeat(PRUNE_EVERY_MS, forgetWebhooks, onError),
  ]
}
