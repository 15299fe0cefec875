import { join } from 'node:path'
import { createKeyAuthentication } from './accounts/api-key-authentication.ts'
import { createConsoleSessions } from './accounts/console-sessions.ts'
import type { Principal } from './accounts/principal.ts'
import { getUser } from './accounts/users.ts'
import { getOwnApp, listOwnApps } from './bots/apps.ts'
import { changeDraft, createDraft } from './bots/bot-drafts.ts'
import { countBots, listBotFaces } from './bots/bot-list-store.ts'
import { getOwnBot, publishBot, unpublishBot } from './bots/bots.ts'
import { findEndUserVariables } from './bots/end-user-variable-store.ts'
import { readVariables, writeVariables } from './bots/end-user-variables.ts'
import { createPublishedBots } from './bots/published-bots.ts'
import type { ChatEvent } from './chat/chat-event.ts'
import { createLiveRuns } from './chat/live-runs.ts'
import { recoverRuns } from './chat/recover-runs.ts'
import { followRun } from './chat/follow-run.ts'
import { startRunOnce } from './chat/repeat-run.ts'
import { submitToolOutputs } from './chat/submit-tool-outputs.ts'
import { cancelRun, getRun, getRunMessages } from './chat/runs.ts'
import * as conversations from './conversations/conversations.ts'
import * as messages from './conversations/messages.ts'
import type { Core } from './core.ts'
import { pingDatabase } from './db/database.ts'
import { createGroupCommit } from './db/group-commit.ts'
import { deleteIdempotencyBefore } from './db/idempotency-store.ts'
import { createDiskObjectStore } from './files/disk-object-store.ts'
import { resolveFileForModel } from './files/file-for-model.ts'
import { DEFAULT_MAX_UPLOAD_BYTES } from './files/files.ts'
import { createFileLinks } from './files/signed-file-url.ts'
import { createHttpServer } from './http/http-server.ts'
import type { HttpServer, HttpServices } from './http/http-server.ts'
import { createSseStreams } from './http/sse.ts'
import { createJournal } from './journal/journal.ts'
import { deleteJournalsBelow } from './journal/journal-store.ts'
import { repeat } from './lib/background.ts'
import { firstIdAt } from './lib/snowflake.ts'
import { createModelRegistry } from './models/model-registry.ts'
import { createMetrics } from './usage/metrics.ts'
import { toModelPart } from './chat/file-part.ts'
import { VERSION } from './version.ts'

/** The running product: the one place where everything is built and connected. */
export type App = {
  http: HttpServer
  /** Lets live runs and streams come to their end (for at most the configured time), stores everything, stops. */
  close(): Promise<void>
}

const LIMITS = { maxRuns: 5_000, maxRunMs: 600_000 }
const JOURNAL_KEPT_MS = 24 * 60 * 60 * 1000
const IDEMPOTENCY_KEPT_MS = 24 * 60 * 60 * 1000
const RECOVER_EVERY_MS = 5_000
/** How long a stopping server tries to store the ends of its runs while the database is away. */
const LAST_STORE_MS = 3_000
/** How long clients of a stopping server may take to read the ends of their streams. */
const LAST_READ_MS = 1_000
const PRUNE_EVERY_MS = 60_000
const PRUNE_RUNS = 2_000

export async function createApp(core: Core): Promise<App> {
  const { config, logger } = core
  const house = await build(core)
  const http = await createHttpServer(toServices(core, house), {
    logger,
    trustProxy: config.trustProxy,
    corsOrigins: config.corsOrigins,
    publicUrl: config.publicUrl,
    version: VERSION,
  })
  const chores = await startChores(core, house)

  // @NOTE in this order: nothing new comes in, what runs ends, what ended is stored, then the ground goes away
  http.addHook('preClose', async () => {
    http.server.close()
    // what still cannot be stored then is left to the next start, or to another server
    const impatience = setTimeout(() => house.giveUp.abort(), config.drainMs + LAST_STORE_MS)
    await house.liveRuns.drain(config.drainMs)
    clearTimeout(impatience)
    await house.streams.closeAll(LAST_READ_MS)
  })
  return {
    http,
    async close() {
      await http.close()
      house.giveUp.abort()
      await Promise.all(chores.map((chore) => chore.stop()))
      await house.journal.flush()
      await house.commits.idle()
      await house.keys.close()
      await house.models.close()
    },
  }
}

type House = Awaited<ReturnType<typeof build>>

/** Everything with a lifetime. */
async function build(core: Core) {
  const { config, db, clock, nextId, secrets } = core
  const onError = (cause: unknown) => core.logger.error({ err: cause }, 'background error')

  const commits = createGroupCommit(db)
  const liveRuns = createLiveRuns(LIMITS, onError)
  const streams = createSseStreams(onError)
  return {
    onError,
    giveUp: new AbortController(),
    commits,
    liveRuns,
    streams,
    journal: createJournal<ChatEvent>({ db, commits, clock, onError }),
    metrics: createMetrics({ liveRuns: () => liveRuns.count, openStreams: () => streams.count }),
    models: createModelRegistry({ db, secrets, clock, proxy: config.proxy }),
    publishedBots: createPublishedBots({ db, clock }),
    keys: createKeyAuthentication({ db, secrets, clock, onError }),
    sessions: createConsoleSessions({ db, secrets, clock, publicUrl: config.publicUrl, allowSignup: config.allowSignup }),
    files: {
      ...{ db, nextId, clock },
      objects: await createDiskObjectStore(join(config.dataDir, 'files')),
      limits: { maxUploadBytes: DEFAULT_MAX_UPLOAD_BYTES },
      links: createFileLinks({ secrets, publicUrl: config.publicUrl, clock }),
    },
  }
}

/** The use cases as the routes call them. */
function toServices(core: Core, house: House): HttpServices {
  const { db, clock, nextId, secrets } = core
  const { files, keys, metrics, sessions, streams } = house
  const conversing = { db, nextId, clock }

  return {
    nextId,
    metrics,
    files,
    authentication: { authenticateKey: keys.authenticate, authenticateSession: sessions.authenticateSession },
    chat: { streams, ...chatServices(core, house) },
    conversations: {
      createConversation: (who, request) => conversations.createConversation(conversing, who, request),
      getConversation: (who, id) => conversations.getConversation(conversing, who, id),
      listConversations: (who, request) => conversations.listOwnConversations(conversing, who, request),
      renameConversation: (who, request) => conversations.renameConversation(conversing, who, request),
      clearConversation: (who, id) => conversations.clearConversation(conversing, who, id),
      deleteConversation: (who, id) => conversations.deleteConversation(conversing, who, id),
    },
    ...resourceServices(core, house),
    console: { sessions, keys: { db, secrets, clock, forgetKey: keys.forget } },
    ops: { metrics, metricsToken: core.config.metricsToken, findProblem: () => findProblem(core) },
  }
}

function resourceServices(core: Core, house: House): Pick<HttpServices, 'messages' | 'bots' | 'apps' | 'variables' | 'users'> {
  const { db, clock, nextId } = core
  const { publicUrl } = core.config
  const deps = { db, nextId, clock, links: house.files.links }

  return {
    messages: {
      listMessages: (who, request) => conversations.listOwnMessages(deps, who, request),
      createMessage: (who, request) => messages.createMessage(deps, who, request),
      getMessage: (who, address) => messages.getMessage(deps, who, address),
      changeMessage: (who, change) => messages.changeMessage(deps, who, change),
      deleteMessage: (who, address) => messages.deleteMessage(deps, who, address),
      giveFeedback: (who, request) => messages.giveFeedback(deps, who, request),
      getFeedback: (who, address) => messages.getFeedback(deps, who, address),
      withdrawFeedback: (who, address) => messages.withdrawFeedback(deps, who, address),
    },
    bots: { publicUrl, ...botServices(core, house) },
    apps: {
      publicUrl,
      getApp: (who, appId) => getOwnApp(deps, who, appId),
      listApps: (who, page) => listOwnApps(deps, who, page),
    },
    variables: {
      readVariables: (who, request) => readVariables(deps, who, request),
      writeVariables: (who, request) => writeVariables(deps, who, request),
    },
    users: { getUser: (who) => getUser(deps, who.userId) },
  }
}

function botServices({ db, clock, nextId }: Core, { files, publishedBots }: House): Omit<HttpServices['bots'], 'publicUrl'> {
  const deps = { db, nextId, clock, links: files.links }
  // what this process publishes or takes offline counts at once
  const forgetting = async <T>(botId: string, change: Promise<T>): Promise<T> => change.finally(() => publishedBots.forget(botId))

  return {
    getPublishedBot: (who, botId) => publishedBots.get(who, botId),
    getDraft: (who, botId) => getOwnBot(deps, who, botId),
    createDraft: (who, change) => createDraft(deps, who, change),
    changeDraft: (who, change) => changeDraft(deps, who, change),
    publishBot: (who, botId) => forgetting(botId, publishBot(deps, who, { botId })),
    unpublishBot: (who, botId) => forgetting(botId, unpublishBot(deps, who, botId)),
    async listBots({ userId }, { status, page, size }) {
      const filter = { ownerId: userId, status }
      const [bots, total] = await Promise.all([listBotFaces(db, filter, { offset: (page - 1) * size, limit: size }), countBots(db, filter)])
      return { bots, total }
    },
  }
}

function chatServices(core: Core, house: House): Omit<HttpServices['chat'], 'streams'> {
  const { db, clock, nextId, workerToken } = core
  const { commits, files, journal, liveRuns, metrics, models, onError, publishedBots } = house
  const runs = { db, liveRuns }
  const starting = {
    ...{ db, clock, nextId, workerToken, journal, commits, liveRuns, publishedBots, onError },
    giveUp: house.giveUp.signal,
    getModel: models.getAdapter,
    getTools: async () => [],
    findVariables: (who: Principal, scope: { botId: string; endUser: string }) =>
      findEndUserVariables(db, { ownerId: who.userId, ...scope }),
    onEnded: metrics.runEnded,
    readFile: (who: Principal) => async (fileId: string) => toModelPart(await resolveFileForModel(files, who, fileId)),
  }

  return {
    startRun: (who, request) => startRunOnce(starting, who, request),
    submitToolOutputs: (who, request) => submitToolOutputs(starting, who, request),
    followRun: (position) => followRun({ db, journal }, position),
    getRun: (who, address) => getRun(runs, who, address),
    getRunMessages: (who, address) => getRunMessages(runs, who, address),
    cancelRun: (who, address) => cancelRun(runs, who, address),
  }
}

/** What goes on by itself: runs of dead processes are ended, old journals deleted. */
async function startChores({ db, clock, nextId }: Core, { commits, liveRuns, onError }: House) {
  const recovering = { db, commits, clock, nextId, maxRunMs: LIMITS.maxRunMs, isRunningHere: liveRuns.has, onError }
  const recover = async () => void (await recoverRuns(recovering))
  const prune = async () => void (await deleteJournalsBelow(db, firstIdAt(clock() - JOURNAL_KEPT_MS), PRUNE_RUNS))
  const forget = async () => void (await deleteIdempotencyBefore(db, clock() - IDEMPOTENCY_KEPT_MS))
  await recover()
  return [repeat(RECOVER_EVERY_MS, recover, onError), repeat(PRUNE_EVERY_MS, prune, onError), repeat(PRUNE_EVERY_MS, forget, onError)]
}

async function findProblem({ db, logger }: Core): Promise<string | undefined> {
  try {
    await pingDatabase(db)
    return undefined
  } catch (cause) {
    logger.warn({ err: cause }, 'not ready')
    return 'the database cannot be reached'
  }
}
