import type { Clock } from '../lib/clock.ts'
import { GuardedFetchError } from '../lib/guarded-fetch.ts'
import type { GuardedFetchInit } from '../lib/guarded-fetch.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import { signedHeaders, webhookSecretOf } from './webhook-signature.ts'
import type { ClaimedDelivery } from './webhook-store.ts'

export type AttemptDeps = {
  /** A GuardedFetch: receivers are addresses that users give. */
  fetch: (url: string, init: GuardedFetchInit) => Promise<Response>
  clock: Clock
  secrets: Pick<SecretBox, 'deriveKey'>
  onError: (cause: unknown) => void
}

export type AttemptOutcome =
  | { kind: 'delivered'; status: number }
  /** The receiver wants no more. */
  | { kind: 'refused'; status: number; error: string }
  /** `status` is 0 when there was no answer. */
  | { kind: 'failed'; status: number; error: string }
  /** This server stops: nothing is known. */
  | { kind: 'interrupted' }

export type AttemptLimits = { timeoutMs: number; stopping: AbortSignal }

/** Sends the event once. Never rejects, and ends in time. */
export async function attemptDelivery(deps: AttemptDeps, delivery: ClaimedDelivery, limits: AttemptLimits): Promise<AttemptOutcome> {
  try {
    return toOutcome(await post(deps, delivery, limits))
  } catch (cause) {
    if (limits.stopping.aborted) return { kind: 'interrupted' }
    if (cause instanceof GuardedFetchError) return { kind: 'failed', status: 0, error: cause.message }

    deps.onError(cause)
    return { kind: 'failed', status: 0, error: 'this server could not send it' }
  }
}

async function post(
  { fetch, clock, secrets }: AttemptDeps,
  delivery: ClaimedDelivery,
  { timeoutMs, stopping }: AttemptLimits,
): Promise<number> {
  const { ownerId, eventId, payload, url } = delivery
  const signature = signedHeaders(webhookSecretOf(secrets, ownerId), { id: eventId, sentAt: clock(), payload })
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': 'Coze-Plus-Webhooks', ...signature },
    body: payload,
    redirect: 'manual',
    ...{ timeoutMs, signal: stopping, maxBytes: Number.POSITIVE_INFINITY },
  })
  // the status says it all, and a body may never end
  await response.body?.cancel().catch(() => undefined)
  return response.status
}

function toOutcome(status: number): AttemptOutcome {
  if (status >= 200 && status < 300) return { kind: 'delivered', status }
  if (status === 410) return { kind: 'refused', status, error: 'the receiver answered 410: it wants no more events' }
  if (status >= 300 && status < 400) return { kind: 'failed', status, error: `the receiver answered ${status}: redirects are not followed` }
  return { kind: 'failed', status, error: `the receiver answered ${status}` }
}
