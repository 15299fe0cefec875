import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { sql } from 'kysely'
import { createKeyAuthentication } from './accounts/api-key-authentication.ts'
import { createConsoleSessions } from './accounts/console-sessions.ts'
import { createPublishedBots } from './bots/published-bots.ts'
import type { ChatEvent } from './chat/chat-event.ts'
import { createLiveRuns } from './chat/live-runs.ts'
import { recoverRuns } from './chat/recover-runs.ts'
import { cancelRun, followRun, getRun, getRunMessages } from './chat/runs.ts'
import { startRun } from './chat/start-run.ts'
import * as conversations from './conversations/conversations.ts'
import type { Core } from './core.ts'
import { createGroupCommit } from './db/group-commit.ts'
import { createDiskObjectStore } from './files/disk-object-store.ts'
import { resolveFileForModel } from './files/file-for-model.ts'
import { DEFAULT_MAX_UPLOAD_BYTES } from './files/files.ts'
import { createFileLinks } from './files/signed-file-url.ts'
import { createHttpServer } from './http/http-server.ts'
import type { HttpServices } from './http/http-server.ts'
import { createSseStreams } from './http/sse.ts'
import { createJournal } from './journal/journal.ts'
import { deleteSegmentsBefore } from './journal/journal-store.ts'
import { repeat } from './lib/background.ts'
import { createModelRegistry } from './models/model-registry.ts'
import { createMetrics } from './usage/metrics.ts'
import { toModelPart } from './chat/file-part.ts'
import { VERSION } from './version.ts'

/** The running product: the one place where everything is built and connected. */
export type App = {
  http: FastifyInstance
  /** Lets live runs and streams come to their end (for at most the configured time), stores everything, stops. */
  close(): Promise<void>
}

const LIMITS = { maxRuns: 5_000, maxRunMs: 600_000 }
const JOURNAL_KEPT_MS = 24 * 60 * 60 * 1000
const RECOVER_EVERY_MS = 5_000
const PRUNE_EVERY_MS = 60_000
const PRUNE_ROWS = 2_000

export async function createApp(core: Core): Promise<App> {
  const { config, db, clock, nextId, secrets, logger, workerToken } = core
  const onError = (cause: unknown) => logger.error({ err: cause }, 'background error')
  const giveUp = new AbortController()

  const commits = createGroupCommit(db)
  const journal = createJournal<ChatEvent>({ db, commits, clock, onError })
  const liveRuns = createLiveRuns(LIMITS, onError)
  const streams = createSseStreams(onError)
  const metrics = createMetrics({ liveRuns: () => liveRuns.count, openStreams: () => streams.count })
  const models = createModelRegistry({ db, secrets, clock, proxy: config.proxy })
  const publishedBots = createPublishedBots({ db, clock })
  const keys = createKeyAuthentication({ db, secrets, clock, onError })
  const sessions = createConsoleSessions({ db, secrets, clock, publicUrl: config.publicUrl, allowSignup: config.allowSignup })
  const objects = await createDiskObjectStore(join(config.dataDir, 'files'))
  const files = { db, objects, nextId, clock, limits: { maxUploadBytes: DEFAULT_MAX_UPLOAD_BYTES }, links: createFileLinks({ secrets, publicUrl: config.publicUrl, clock }) }

  const runs = { db, liveRuns, journal }
  const starting = {
    db, clock, nextId, journal, commits, liveRuns, publishedBots, workerToken, onError,
    giveUp: giveUp.signal,
    getModel: models.getAdapter,
    onEnded: metrics.runEnded,
    readFile: (who: { userId: string }) => async (fileId: string) => toModelPart(await resolveFileForModel(files, who, fileId)),
  }
  const conversing = { db, nextId, clock }

  const services: HttpServices = {
    nextId,
    metrics,
    authentication: { authenticateKey: keys.authenticate, authenticateSession: sessions.authenticateSession },
    chat: {
      streams,
      startRun: (who, request) => startRun(starting, who, request),
      followRun: (position) => followRun(runs, position),
      getRun: (who, address) => getRun(runs, who, address),
      getRunMessages: (who, address) => getRunMessages(runs, who, address),
      cancelRun: (who, address) => cancelRun(runs, who, address),
    },
    conversations: {
      createConversation: (who, request) => conversations.createConversation(conversing, who, request),
      getConversation: (who, id) => conversations.getConversation(conversing, who, id),
      listConversations: (who, request) => conversations.listOwnConversations(conversing, who, request),
      renameConversation: (who, request) => conversations.renameConversation(conversing, who, request),
      clearConversation: (who, id) => conversations.clearConversation(conversing, who, id),
      deleteConversation: (who, id) => conversations.deleteConversation(conversing, who, id),
      listMessages: (who, request) => conversations.listOwnMessages(conversing, who, request),
    },
    bots: { getPublishedBot: (who, botId) => publishedBots.get(who, botId) },
    files,
    console: { sessions, keys: { db, secrets, clock, forgetKey: keys.forget } },
    ops: { metrics, metricsToken: config.metricsToken, findProblem: () => findProblem(core) },
  }
  const http = await createHttpServer(services, { logger, trustProxy: config.trustProxy, corsOrigins: config.corsOrigins, publicUrl: config.publicUrl, version: VERSION })

  const recover = () => recoverRuns({ db, commits, clock, nextId, maxRunMs: LIMITS.maxRunMs }).then(() => undefined)
  await recover()
  const chores = [
    repeat(RECOVER_EVERY_MS, recover, onError),
    repeat(PRUNE_EVERY_MS, async () => void (await deleteSegmentsBefore(db, clock() - JOURNAL_KEPT_MS, PRUNE_ROWS)), onError),
  ]

  // @NOTE in this order: nothing new comes in, what runs ends, what ended is stored, then the ground goes away
  http.addHook('preClose', async () => {
    http.server.close()
    await liveRuns.drain(config.drainMs)
    streams.closeAll()
  })
  return {
    http,
    async close() {
      await http.close()
      giveUp.abort()
      await Promise.all(chores.map((chore) => chore.stop()))
      await journal.flush()
      await commits.idle()
      await keys.close()
      await models.close()
    },
  }
}

async function findProblem({ db, logger }: Core): Promise<string | undefined> {
  try {
    await sql`select 1`.execute(db)
    return undefined
  } catch (cause) {
    logger.warn({ err: cause }, 'not ready')
    return 'the database cannot be reached'
  }
}
