import { AppError } from '../lib/app-error.ts'
import type { Clock } from '../lib/clock.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import { signedHeaders, webhookSecretOf } from './webhook-signature.ts'
import type { ClaimedDelivery } from './webhook-store.ts'

/** The part of `fetch` that is used; it must refuse private addresses. */
export type WebhookFetch = (
  url: string,
  init: { method: 'POST'; headers: Record<string, string>; body: string; redirect: 'manual'; signal: AbortSignal },
) => Promise<{ status: number; body: { cancel(): Promise<void> } | null }>

export type AttemptDeps = { fetch: WebhookFetch; clock: Clock; secrets: SecretBox }

export type AttemptOutcome =
  | { kind: 'delivered'; status: number }
  /** The receiver wants no more. */
  | { kind: 'refused'; status: number; error: string }
  | { kind: 'failed'; status: number; error: string }
  /** This server stops: nothing is known. */
  | { kind: 'interrupted' }

/** Sends the event once. Never rejects, and ends in time. */
export async function attemptDelivery(
  deps: AttemptDeps,
  delivery: ClaimedDelivery,
  { timeoutMs, stopping }: { timeoutMs: number; stopping: AbortSignal },
): Promise<AttemptOutcome> {
  const tooLate = AbortSignal.timeout(timeoutMs)
  try {
    return toOutcome(await post(deps, delivery, AbortSignal.any([tooLate, stopping])))
  } catch (cause) {
    if (stopping.aborted) return { kind: 'interrupted' }
    if (tooLate.aborted) return { kind: 'failed', status: 0, error: `no answer within ${timeoutMs / 1000} s` }
    return { kind: 'failed', status: 0, error: toReason(cause) }
  }
}

async function post({ fetch, clock, secrets }: AttemptDeps, delivery: ClaimedDelivery, signal: AbortSignal): Promise<number> {
  const { ownerId, eventId, payload, url } = delivery
  const signature = signedHeaders(webhookSecretOf(secrets, ownerId), { id: eventId, sentAt: clock(), payload })
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': 'Coze-Plus-Webhooks', ...signature },
    body: payload,
    redirect: 'manual',
    signal,
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

/** Shown to operators: our own words, and the code that says which layer failed. */
function toReason(cause: unknown): string {
  for (let at = cause, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (at instanceof AppError) return at.message
    if ('code' in at && typeof at.code === 'string') return `the receiver could not be reached (${at.code})`
  }
  return 'the receiver could not be reached'
}
