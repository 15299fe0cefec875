import { expect, vi } from 'vitest'
import type { Db } from '../../src/db/database.ts'
import { pause } from '../../src/lib/background.ts'
import { createGuardedFetch } from '../../src/lib/guarded-fetch.ts'
import { createSecretBox } from '../../src/lib/secret-box.ts'
import { createSnowflake } from '../../src/lib/snowflake.ts'
import { createWebhookSender, WEBHOOK_LIMITS } from '../../src/webhooks/webhook-sender.ts'
import type { WebhookLimits, WebhookSender, WebhookSenderDeps } from '../../src/webhooks/webhook-sender.ts'
import { webhookSecretOf } from '../../src/webhooks/webhook-signature.ts'
import { listDeliveries, webhookInsert } from '../../src/webhooks/webhook-store.ts'
import type { NewWebhook, WebhookDelivery } from '../../src/webhooks/webhook-store.ts'

export type WebhookHouse = AsyncDisposable & {
  time: { now: number }
  sender: WebhookSender
  /** What was reported as a bug or an outage. */
  errors: unknown[]
  secretOf(userId: string): string
  /** Another process's sender on the same database. */
  secondSender(): WebhookSender
  /** Records the event as a run's end does; answers the delivery's id. */
  add(webhook: Partial<NewWebhook> & { url: string }): Promise<string>
  delivery(id: string): Promise<WebhookDelivery>
  /** Resolves with the delivery when the sender has ended its attempt with that number. */
  attempted(id: string, attempts: number): Promise<WebhookDelivery>
  delivered(id: string): Promise<WebhookDelivery>
  /** Gives the sender every chance to send what it should not. */
  sendNothing(): Promise<void>
}

export type WebhookHouseOptions = { limits?: Partial<WebhookLimits>; fetch?: WebhookSenderDeps['fetch'] }

/** 127.0.0.1 stands for the public network. */
export const PUBLIC_CIDR = '127.0.0.1/32'
const publicFetch = createGuardedFetch({ allowedCidrs: [PUBLIC_CIDR] })

/** A sender on the database, with a clock that the test turns. */
export function createWebhookHouse(db: Db, { limits: changed, fetch = publicFetch }: WebhookHouseOptions = {}): WebhookHouse {
  const limits = { ...WEBHOOK_LIMITS, ...changed }
  const claimMs = limits.attemptMs + 45_000
  const time = { now: Date.UTC(2026, 5, 1, 12) }
  const clock = () => time.now
  const nextId = createSnowflake(1, clock)
  const secrets = createSecretBox('master')
  const errors: unknown[] = []
  const senders: WebhookSender[] = []
  const secondSender = () => {
    const onError = (cause: unknown) => void errors.push(cause)
    const sender = createWebhookSender({ db, clock, secrets, fetch, onError, limits })
    senders.push(sender)
    return sender
  }
  const delivery = async (id: string) => {
    const found = (await listDeliveries(db, { limit: 1_000 })).find((each) => each.id === id)
    if (!found) throw new Error(`there is no delivery ${id}`)
    return found
  }
  const until = (id: string, isSo: (found: WebhookDelivery) => boolean) =>
    vi.waitFor(
      async () => {
        const found = await delivery(id)
        expect(found).toSatisfy(isSo)
        return found
      },
      { timeout: 10_000, interval: 10 },
    )

  return {
    ...{ time, errors, delivery, secondSender },
    sender: secondSender(),
    secretOf: (userId) => webhookSecretOf(secrets, userId),
    async add(webhook) {
      const event = { ownerId: '7', runId: nextId(), type: 'chat.completed' as const, data: { id: '1', messages: [] }, ...webhook }
      const row = webhookInsert({ nextId, clock }, event)
      await db.insertInto('webhook_delivery').values(row).execute()
      return row.id
    },
    // a claim of now ends at a time that no retry has
    attempted: (id, attempts) =>
      until(id, (found) => found.attempts === attempts && !(found.status === 'pending' && found.nextAttemptAt === time.now + claimMs)),
    delivered: (id) => until(id, ({ status }) => status === 'delivered'),
    async sendNothing() {
      for (const sender of senders) sender.wake()
      await pause(80)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(senders.map((sender) => sender.close()))
    },
  }
}
