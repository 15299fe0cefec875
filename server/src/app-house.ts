import { join } from 'node:path'
import { createKeyAuthentication } from './accounts/api-key-authentication.ts'
import { createConsoleSessions } from './accounts/console-sessions.ts'
import { createPublishedBots } from './bots/published-bots.ts'
import type { ChatEvent } from './chat/chat-event.ts'
import { createLiveRuns } from './chat/live-runs.ts'
import type { EndListeners } from './chat/run-ending.ts'
import { createToolSets } from './chat/tools/tool-set.ts'
import type { Core } from './core.ts'
import { createGroupCommit } from './db/group-commit.ts'
import { createDiskObjectStore } from './files/disk-object-store.ts'
import { DEFAULT_MAX_UPLOAD_BYTES } from './files/files.ts'
import { createFileLinks } from './files/signed-file-url.ts'
import { toWebhookData } from './http/open/webhook-data.ts'
import { createSseStreams } from './http/sse.ts'
import { createJournal } from './journal/journal.ts'
import { createAddressRules } from './lib/address-rules.ts'
import type { Clock } from './lib/clock.ts'
import { createGuardedFetch } from './lib/guarded-fetch.ts'
import type { NextId } from './lib/snowflake.ts'
import { createModelRegistry } from './models/model-registry.ts'
import { createMetrics } from './usage/metrics.ts'
import { createWebhookSender } from './webhooks/webhook-sender.ts'
import type { WebhookSender } from './webhooks/webhook-sender.ts'
import { webhookInsert } from './webhooks/webhook-store.ts'

export const LIMITS = { maxRuns: 5_000, maxRunMs: 600_000 }

export type House = Awaited<ReturnType<typeof buildHouse>>

/** Everything with a lifetime. */
export async function buildHouse(core: Core) {
  const { config, db, clock, nextId, secrets } = core
  const onError = (cause: unknown) => core.logger.error({ err: cause }, 'background error')

  const commits = createGroupCommit(db)
  const liveRuns = createLiveRuns(LIMITS, onError)
  const streams = createSseStreams(onError)
  const guardedFetch = createGuardedFetch({ allowedCidrs: config.allowedPrivateCidrs })
  const webhooks = createWebhookSender({ db, clock, secrets, fetch: guardedFetch, onError })
  return {
    onError,
    giveUp: new AbortController(),
    commits,
    liveRuns,
    streams,
    guardedFetch,
    webhooks,
    listeners: createEndListeners({ nextId, clock }, webhooks),
    addressRules: createAddressRules(config.allowedPrivateCidrs),
    tools: createToolSets({ secrets, guardedFetch, clock, onError }),
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
