import { isDatabaseUnavailable } from '../db/database.ts'
import type { Db } from '../db/database.ts'
import { pause, repeat } from '../lib/background.ts'
import { attemptDelivery } from './webhook-attempt.ts'
import type { AttemptDeps, AttemptOutcome } from './webhook-attempt.ts'
import { claimDelivery, listDueDeliveries, updateDelivered, updateFailedAttempt } from './webhook-store.ts'
import type { ClaimedDelivery, DueDelivery } from './webhook-store.ts'

/**
 * Sends the deliveries in the database, at least once each: whoever claims one is the only sender of it, and a claim
 * whose process died runs out. Any number of processes may do it on one database.
 */
export interface WebhookSender {
  /** Sends what is due now; for the moment after a commit that holds a delivery. */
  wake(): void
  /** From now on looks by itself, for retries and for what other processes left. */
  start(): void
  /** Lets what is being sent come to its end for a short time; the rest is due again at once, for the next process. */
  close(): Promise<void>
}

export type WebhookSenderDeps = AttemptDeps & {
  db: Db
  limits?: WebhookLimits
}

export type WebhookLimits = { attemptMs: number; inFlight: number; perHost: number; perOwner: number }

export const WEBHOOK_LIMITS: WebhookLimits = { attemptMs: 15_000, inFlight: 20, perHost: 2, perOwner: 10 }

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000]

/** After the first attempt, the second, …: ten attempts in all. */
export const RETRY_DELAYS_MS = [5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR]

/** A delay is longer by up to this part, so that what failed together does not come back together. */
export const RETRY_JITTER = 0.2

const POLL_MS = SECOND
const CLOSE_GRACE_MS = 3 * SECOND
const RECORD_TRIES = 6
/** Enough for the attempt and for writing down how it ended. */
const CLAIM_EXTRA_MS = 45 * SECOND

export function createWebhookSender(deps: WebhookSenderDeps): WebhookSender {
  const { db, clock, onError, limits = WEBHOOK_LIMITS } = deps
  const sending = new Map<ClaimedDelivery, Promise<void>>()
  const stopping = new AbortController()
  let isClosed = false
  let isAsked = false
  let choosing: Promise<void> | undefined
  let polling: { stop(): Promise<void> } | undefined

  function wake() {
    isAsked = true
    if (!isClosed) choosing ??= chooseWhileAsked()
  }

  async function chooseWhileAsked() {
    while (isAsked && !isClosed) {
      isAsked = false
      await choose().catch(onError)
    }
    choosing = undefined
  }

  /** Claims until there is nothing due or no room. Each round makes a receiver busy or takes a row out of what is due, so it ends. */
  async function choose() {
    while (!isClosed && sending.size < limits.inFlight) {
      const due = await listDueDeliveries(db, { now: clock(), limit: limits.inFlight, ...toBusy(sending.keys(), limits) })
      if (due.length === 0) return
      for (const delivery of due) await claim(delivery)
    }
  }

  async function claim(delivery: DueDelivery) {
    const { busyHosts, busyOwners } = toBusy(sending.keys(), limits)
    if (isClosed || sending.size >= limits.inFlight) return
    if (busyHosts.includes(delivery.host) || busyOwners.includes(delivery.ownerId)) return

    const claimed = await claimDelivery(db, delivery, clock() + limits.attemptMs + CLAIM_EXTRA_MS)
    if (claimed) sending.set(claimed, send(claimed))
  }

  async function send(delivery: ClaimedDelivery) {
    try {
      const outcome = await attemptDelivery(deps, delivery, { timeoutMs: limits.attemptMs, stopping: stopping.signal })
      await recordOutcome(deps, delivery, { outcome, stopping: stopping.signal })
    } catch (cause) {
      onError(cause)
    } finally {
      sending.delete(delivery)
      wake()
    }
  }

  return {
    wake,
    start() {
      polling ??= repeat(POLL_MS, async () => wake(), onError)
      wake()
    },
    async close() {
      isClosed = true
      await polling?.stop()
      await choosing
      const grace = setTimeout(() => stopping.abort(), CLOSE_GRACE_MS)
      await Promise.all(sending.values())
      clearTimeout(grace)
    },
  }
}

/** Who has all of the sender that is theirs. */
function toBusy(sending: Iterable<ClaimedDelivery>, { perHost, perOwner }: WebhookLimits): { busyHosts: string[]; busyOwners: string[] } {
  const deliveries = [...sending]
  const hosts = deliveries.map(({ host }) => host)
  const owners = deliveries.map(({ ownerId }) => ownerId)
  return { busyHosts: atLeast(perHost, hosts), busyOwners: atLeast(perOwner, owners) }
}

function atLeast(count: number, names: string[]): string[] {
  return [...new Set(names)].filter((name) => names.filter((each) => each === name).length >= count)
}

type Recording = { outcome: AttemptOutcome; stopping: AbortSignal }

/** Outlasts a short outage of the database: an end that is not written down is sent again. */
async function recordOutcome(deps: WebhookSenderDeps, delivery: ClaimedDelivery, { outcome, stopping }: Recording): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await writeOutcome(deps, delivery, outcome)
    } catch (cause) {
      if (tries === RECORD_TRIES || !isDatabaseUnavailable(cause)) throw cause
      await pause(tries * SECOND, stopping)
    }
  }
}

async function writeOutcome({ db, clock }: WebhookSenderDeps, delivery: ClaimedDelivery, outcome: AttemptOutcome): Promise<void> {
  const now = clock()
  switch (outcome.kind) {
    case 'delivered':
      return updateDelivered(db, delivery.id, { lastStatus: outcome.status, now })
    case 'refused':
      return updateFailedAttempt(db, delivery, { lastStatus: outcome.status, lastError: outcome.error, retryAt: undefined })
    case 'failed':
      return updateFailedAttempt(db, delivery, { lastStatus: outcome.status, lastError: outcome.error, retryAt: retryAt(delivery, now) })
    case 'interrupted':
      return updateFailedAttempt(db, delivery, { lastStatus: 0, lastError: 'the server was stopped while it was sending', retryAt: now })
  }
}

/** undefined when that was the last attempt. */
function retryAt({ attempts }: ClaimedDelivery, now: number): number | undefined {
  const delay = RETRY_DELAYS_MS[attempts - 1]
  return delay === undefined ? undefined : Math.round(now + delay * (1 + Math.random() * RETRY_JITTER))
}
