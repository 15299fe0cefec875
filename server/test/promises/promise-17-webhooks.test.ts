import { describe, expect, test } from 'vitest'
import { RETRY_DELAYS_MS, RETRY_JITTER } from '../../src/webhooks/webhook-sender.ts'
import { webhookSecretOf } from '../../src/webhooks/webhook-signature.ts'
import { says } from '../support/fake-provider.ts'
import { useTestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'
import { startWebhookReceiver, verifyWebhook } from '../support/webhook-receiver.ts'

/**
 * Promise 17, from the call to the receiver: a chat's webhook is signed as Standard Webhooks say, is tried again while the receiver
 * fails, later each time, and is the same event each time. What else can happen to it is in `webhook-sender.test.ts`, a sender that dies in `webhook-crash.test.ts`.
 */

const FAILURES = 5

describe.each(testDatabases())('on $name', ({ name }) => {
  const time = { ahead: 0 }
  const clock = () => Date.now() + time.ahead
  const app = useTestApp({ database: name, clock, env: { ALLOWED_PRIVATE_CIDRS: '127.0.0.1/32' } })

  test('a receiver that fails five times has the chat at the sixth, once and verified', async () => {
    await using receiver = await startWebhookReceiver(() => (receiver.received.length > FAILURES ? 200 : 500))
    app.provider.script = says('It is ten')
    const { body } = await app.call('POST', '/v3/chat', { bot_id: 123456, query: 'What time is it?', callback_url: receiver.url })
    const read = () => app.core.db.selectFrom('webhook_delivery').selectAll().where('run_id', '=', body.data.id).executeTakeFirstOrThrow()

    for (const [at, delay] of RETRY_DELAYS_MS.slice(0, FAILURES).entries()) {
      await expect.poll(() => receiver.received.length, { timeout: 10_000 }).toBe(at + 1)
      // while an attempt runs, the row says when it would be taken for dead
      const leftMs = async () => (await read()).next_attempt_at - clock()
      await expect.poll(async () => Math.abs((await leftMs()) / delay - 1), { timeout: 10_000 }).toBeLessThanOrEqual(RETRY_JITTER + 0.1)
      time.ahead += await leftMs()
    }
    await expect.poll(async () => (await read()).status, { timeout: 10_000 }).toBe('delivered')

    expect(receiver.received).toHaveLength(FAILURES + 1)
    const secret = webhookSecretOf(app.core.secrets, app.userId)
    const events = receiver.received.map((each) => verifyWebhook(each, secret, Number(each.headers['webhook-timestamp']) * 1000))
    expect(new Set(events.map((event) => JSON.stringify(event))).size).toBe(1)
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    expect(events[0]).toMatchObject({ type: 'chat.completed', data: { id: String(body.data.id), status: 'completed' } })
    expect(JSON.stringify(events[0])).toContain('It is ten')
  })
})
