import { createKeyAuthentication } from './accounts/api-key-authentication.ts'
import { assertAction } from './accounts/principal.ts'
import { createRunAdmission } from './accounts/run-admission.ts'
import type { RunAdmission } from './accounts/run-admission.ts'
import { createConsoleSessions } from './accounts/console-sessions.ts'
import { createPublishedBots } from './bots/published-bots.ts'
import type { ChatEvent } from './chat/chat-event.ts'
import type { EndListeners } from './chat/run-ending.ts'
import { openBus } from './cluster/open-bus.ts'
import { openLimits } from './cluster/open-limits.ts'
import type { Core } from './core.ts'
import { createGroupCommit } from './db/group-commit.ts'
import type { GroupCommit } from './db/group-commit.ts'
import { openObjectStore } from './files/open-object-store.ts'
import { DEFAULT_MAX_UPLOAD_BYTES, getFile } from './files/files.ts'
import type { FileDeps } from './files/files.ts'
import { createFileLinks } from './files/signed-file-url.ts'
import type { FileLinks } from './files/signed-file-url.ts'
import { toWebhookData } from './http/open/webhook-data.ts'
import { createSseStreams } from './http/sse.ts'
import { createJournalNews } from './journal/journal-news.ts'
import type { JournalNews } from './journal/journal-news.ts'
import { createJournal } from './journal/journal.ts'
import { createRunStops } from './journal/run-stops.ts'
import type { RunStops } from './journal/run-stops.ts'
import { createAddressRules } from './lib/address-rules.ts'
import type { Clock } from './lib/clock.ts'
import { createGuardedFetch } from './lib/guarded-fetch.ts'
import type { GuardedFetch } from './lib/guarded-fetch.ts'
import { createLiveRuns } from './lib/live-runs.ts'
import type { LiveRuns } from './lib/live-runs.ts'
import type { NextId } from './lib/snowflake.ts'
import { createModelRegistry } from './models/model-registry.ts'
import type { ModelRegistry } from './models/model-registry.ts'
import { createToolSets } from './tools/tool-set.ts'
import type { ToolSets } from './tools/tool-set.ts'
import { createMetrics } from './usage/metrics.ts'
import type { Metrics } from './usage/metrics.ts'
import { createUsageSums } from './usage/usage-sums.ts'
import { createWebhookSender } from './webhooks/webhook-sender.ts'
import type { WebhookSender } from './webhooks/webhook-sender.ts'
import { webhookInsert } from './webhooks/webhook-store.ts'
import { createCodeRunner } from './workflows/code/code-runner.ts'
import { nodeTypes } from './workflows/nodes/node-registry.ts'
import type { WorkflowRunDeps } from './workflows/runs/execute-workflow-run.ts'
import { openRunQueue } from './workflows/runs/run-queue.ts'
import { createServicesFor } from './workflows/runs/run-services.ts'
import type { ChatflowDeps } from './workflows/runs/start-chatflow-run.ts'
import type { WorkflowEvent } from './workflows/runs/workflow-event.ts'
import { createUserTableHouse } from './workflows/tables/owner-tables.ts'
import { createWorkflowCatalog } from './workflows/workflow-catalog.ts'

export const LIMITS = { maxRuns: 5_000, maxRunMs: 600_000 }
const WORKFLOW_LIMITS = { maxRuns: 2_000, maxRunMs: 3_600_000 }

export type House = Awaited<ReturnType<typeof buildHouse>>

/** Everything with a lifetime. */
export async function buildHouse(core: Core) {
  const { config, db, clock, nextId, secrets } = core
  const onError = (cause: unknown) => core.logger.error({ err: cause }, 'background error')

  const giveUp = new AbortController()
  const commits = createGroupCommit(db)
  const bus = await openBus(config.redisUrl, onError)
  const news = createJournalNews(bus)
  const limits = await openLimits({ redisUrl: config.redisUrl, clock, onError })
  const admission = createRunAdmission({ db, clock, limits })
  const liveRuns = createLiveRuns(LIMITS, onError)
  const liveWorkflowRuns = createLiveRuns(WORKFLOW_LIMITS, onError)
  const stops = createRunStops({ db, clock, bus, news, liveRuns: [liveRuns, liveWorkflowRuns], onError })
  const streams = createSseStreams(onError)
  const guardedFetch = createGuardedFetch({ allowedCidrs: config.allowedPrivateCidrs })
  const webhooks = createWebhookSender({ db, clock, secrets, fetch: guardedFetch, onError })
  const tools = createToolSets({ secrets, guardedFetch, clock, onError })
  const models = createModelRegistry({ db, secrets, clock, proxy: config.proxy })
  const gauges = {
    redisUp: () => (bus.isShared ? 1 : 0),
    liveRuns: () => liveRuns.count,
    liveWorkflowRuns: () => liveWorkflowRuns.count,
    openStreams: () => streams.count,
  }
  const metrics = createMetrics(gauges)
  const files = {
    ...{ db, nextId, clock },
    objects: await openObjectStore(config),
    limits: { maxUploadBytes: DEFAULT_MAX_UPLOAD_BYTES },
    links: createFileLinks({ secrets, publicUrl: config.publicUrl, clock }),
  }
  return {
    ...{ onError, giveUp, bus, commits, limits, admission, liveRuns, stops, streams },
    ...{ guardedFetch, webhooks, tools, models, metrics, files },
    listeners: createEndListeners({ nextId, clock }, webhooks),
    addressRules: createAddressRules(config.allowedPrivateCidrs),
    journal: createJournal<ChatEvent>({ db, commits, news, clock, onError }),
    publishedBots: createPublishedBots({ db, clock }),
    usageSums: createUsageSums({ db, clock }),
    keys: createKeyAuthentication({ db, secrets, clock, onError }),
    sessions: createConsoleSessions({ db, secrets, clock, publicUrl: config.publicUrl, allowSignup: config.allowSignup }),
    workflows: await buildWorkflows(core, {
      commits,
      news,
      stops,
      admission,
      liveRuns: liveWorkflowRuns,
      guardedFetch,
      tools,
      models,
      metrics,
      files,
      onError,
      giveUp,
    }),
  }
}

type SharedParts = {
  commits: GroupCommit
  news: JournalNews
  stops: RunStops
  admission: RunAdmission
  liveRuns: LiveRuns
  guardedFetch: GuardedFetch
  tools: ToolSets
  models: ModelRegistry
  metrics: Metrics
  files: FileDeps & { links: FileLinks }
  onError: (cause: unknown) => void
  giveUp: AbortController
}

/** What runs of workflows stand on; `running` is what the use cases take. */
async function buildWorkflows(core: Core, { guardedFetch, tools, models, metrics, files, giveUp, news, ...shared }: SharedParts) {
  const { db, clock, nextId, workerToken } = core
  const code = createCodeRunner()
  const catalog = createWorkflowCatalog({ db, nodeTypes })
  const tables = createUserTableHouse({ db, clock, nextId })
  const journal = createJournal<WorkflowEvent>({ db, commits: shared.commits, news, clock, onError: shared.onError })
  const executing: WorkflowRunDeps = {
    ...{ db, clock, nextId, workerToken, catalog, journal, ...shared },
    giveUp: giveUp.signal,
    servicesFor: createServicesFor({ db, clock, nextId, models, fetch: guardedFetch, code, toolSets: tools, tables, catalog }),
    onEnded: metrics.workflowRunEnded,
  }
  const running: ChatflowDeps = {
    ...executing,
    queue: await openRunQueue(core.config.redisUrl, shared.onError),
    async fileUrl(who, fileId) {
      assertAction(who, 'files')
      return files.links.urlOf(await getFile(files, who, fileId))
    },
  }
  return { running, code }
}

function createEndListeners(deps: { nextId: NextId; clock: Clock }, webhooks: WebhookSender): EndListeners {
  return {
    wakeWebhooks: () => webhooks.wake(),
    webhooksOf(run, messages) {
      const { status, callbackUrl, ownerId, id: runId } = run
      if (callbackUrl === undefined || status === 'created' || status === 'in_progress') return []
      return [webhookInsert(deps, { ownerId, runId, url: callbackUrl, type: `chat.${status}`, data: toWebhookData(run, messages) })]
    },
  }
}
