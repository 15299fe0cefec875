import { describe, expect, test } from 'vitest'
import { testDatabases } from '../../test/support/test-databases.ts'
import { createWebhookHouse, PUBLIC_CIDR } from '../../test/support/webhook-house.ts'
import { startWebhookReceiver, verifyWebhook } from '../../test/support/webhook-receiver.ts'
import { createGuardedFetch } from '../lib/guarded-fetch.ts'
import { RETRY_DELAYS_MS, RETRY_JITTER } from './webhook-sender.ts'
import { insertReplay } from './webhook-store.ts'

const HOUR_MS = 3_600_000

describe.each(testDatabases())('webhooks on $name', ({ open }) => {
  test('an event goes out at once, as a Standard Webhook that its receiver can verify', async () => {
    await using db = await open()
    await using house = createWebhookHouse(db)
    await using receiver = await startWebhookReceiver()
    const data = { id: '738216762624724992', status: 'completed', messages: [{ type: 'answer', content: '你好 😀' }] }

    const id = await house.add({ url: receiver.url, ownerId: '7', type: 'chat.completed', data })
    house.sender.wake()
    const { eventId } = await house.delivered(id)

    const [webhook] = receiver.received
    expect(webhook).toMatchObject({ method: 'POST', headers: { 'webhook-id': eventId, 'content-type': 'application/json' } })
    expect(webhook && verifyWebhook(webhook, house.secretOf('7'), house.time.now)).toEqual({
      type: 'chat.completed',
      timestamp: new Date(house.time.now).toISOString(),
      data,
    })
    expect(() => webhook && verifyWebhook(webhook, house.secretOf('8'), house.time.now)).toThrow('No matching signature')
    expect(receiver.received).toHaveLength(1)
    expect(house.errors).toEqual([])
  })

  test('a receiver that fails five times gets the event at the sixth attempt, and not before its time', async () => {
    await using db = await open()
    await using house = createWebhookHouse(db)
    await using receiver = await startWebhookReceiver(() => (receiver.received.length > 5 ? 200 : 500))
    const id = await house.add({ url: receiver.url })
    house.sender.wake()

    for (let attempt = 1; attempt <= 5; attempt++) {
      const failed = await house.attempted(id, attempt)
      expect(failed).toMatchObject({ status: 'pending', lastStatus: 500, lastError: 'the receiver answered 500' })
      expectDelay(failed.nextAttemptAt - house.time.now, attempt)

      house.time.now = failed.nextAttemptAt - 1
      await house.sendNothing()
      house.time.now = failed.nextAttemptAt
      house.sender.wake()
    }

    expect(await house.delivered(id)).toMatchObject({ attempts: 6, lastStatus: 200, lastError: '', deliveredAt: house.time.now })
    const { headers: first } = receiver.received[0] ?? {}
    const { headers: last } = receiver.received[5] ?? {}
    expect(last?.['webhook-id']).toBe(first?.['webhook-id'])
    expect(last?.['webhook-timestamp']).toBe(String(Math.floor(house.time.now / 1000)))
    for (const webhook of receiver.received) {
      verifyWebhook(webhook, house.secretOf('7'), Number(webhook.headers['webhook-timestamp']) * 1000)
    }
  })

  test('a receiver that answers 500 for an hour has the event soon after', async () => {
    await using db = await open()
    await using house = createWebhookHouse(db)
    const start = house.time.now
    await using receiver = await startWebhookReceiver(() => (house.time.now < start + HOUR_MS ? 500 : 200))
    const id = await house.add({ url: receiver.url })
    house.sender.wake()

    for (let attempt = 1; (await house.attempted(id, attempt)).status === 'pending'; attempt++) {
      house.time.now = (await house.delivery(id)).nextAttemptAt
      house.sender.wake()
    }

    expect(await house.delivery(id)).toMatchObject({ status: 'delivered', attempts: 7 })
    expect(house.time.now - start).toBeLessThan(2.2 * HOUR_MS)
  })

  test('is given up after ten attempts in about a day, and can be replayed with the same event id', async () => {
    await using db = await open()
    await using house = createWebhookHouse(db)
    const start = house.time.now
    await using receiver = await startWebhookReceiver(() => 404)
    const id = await house.add({ url: receiver.url })
    house.sender.wake()
    for (let attempt = 1; (await house.attempted(id, attempt)).status === 'pending'; attempt++) {
      house.time.now = (await house.delivery(id)).nextAttemptAt
      house.sender.wake()
    }
    const failed = await house.delivery(id)
    expect(failed).toMatchObject({ status: 'failed', attempts: 10, lastStatus: 404 })
    expect((house.time.now - start) / HOUR_MS).toBeGreaterThan(22)
    house.time.now += 100 * HOUR_MS
    await house.sendNothing()

    receiver.answer = () => 200
    const newId = String(Number(id) + 1_000_000)
    expect(await insertReplay(db, { id, newId, now: house.time.now })).toBe(true)
    expect(await insertReplay(db, { id: '1', newId: '2', now: house.time.now })).toBe(false)
    house.sender.wake()

    expect(await house.delivered(newId)).toMatchObject({ attempts: 1, eventId: failed.eventId, runId: failed.runId, ownerId: '7' })
    const bodies = new Set(receiver.received.map(({ body }) => body))
    const ids = new Set(receiver.received.map(({ headers }) => headers['webhook-id']))
    expect([receiver.received.length, bodies.size, [...ids]]).toEqual([11, 1, [failed.eventId]])
    expect(await house.delivery(id)).toEqual(failed)
  })

  test('a receiver that answers 410 is not asked again', async () => {
    await using db = await open()
    await using house = createWebhookHouse(db)
    await using receiver = await startWebhookReceiver(() => 410)
    const id = await house.add({ url: receiver.url })
    house.sender.wake()

    expect(await house.attempted(id, 1)).toMatchObject({ status: 'failed', lastStatus: 410 })
    house.time.now += 100 * HOUR_MS
    await house.sendNothing()
    expect(receiver.received).toHaveLength(1)
  })

  test('a receiver that dies in the middle, is away and comes back gets the event', async () => {
    await using db = await open()
    await using house = createWebhookHouse(db)
    const dying = await startWebhookReceiver(() => 'cut')
    const id = await house.add({ url: dying.url })
    house.sender.wake()
    expect(await house.attempted(id, 1)).toMatchObject({
      lastStatus: 0,
      lastError: expect.stringMatching(/cannot be reached \(UND_ERR_SOCKET\)/),
    })

    await dying.close()
    house.time.now = (await house.delivery(id)).nextAttemptAt
    house.sender.wake()
    expect(await house.attempted(id, 2)).toMatchObject({ lastError: expect.stringContaining('(ECONNREFUSED)') })

    await using back = await startWebhookReceiver(() => 200, dying.port)
    house.time.now = (await house.delivery(id)).nextAttemptAt
    house.sender.wake()
    await house.delivered(id)
    expect(back.received).toHaveLength(1)
    expect(house.errors).toEqual([])
  })

  test('a redirect is a failure: where it leads is never asked', async () => {
    await using db = await open()
    await using house = createWebhookHouse(db)
    await using inside = await startWebhookReceiver()
    for (const location of ['http://169.254.169.254/latest/meta-data/', inside.url]) {
      await using receiver = await startWebhookReceiver(() => ({ status: 307, headers: { location } }))
      const id = await house.add({ url: receiver.url })
      house.sender.wake()

      const lastError = 'the receiver answered 307: redirects are not followed'
      expect(await house.attempted(id, 1)).toMatchObject({ status: 'pending', lastStatus: 307, lastError })
    }
    expect(inside.received).toEqual([])
  })

  test('a name that was public and then leads to a private address is not followed there', async () => {
    await using db = await open()
    let address = '127.0.0.1'
    const resolveHost = async () => [{ address, family: 4 }]
    await using house = createWebhookHouse(db, { fetch: createGuardedFetch({ allowedCidrs: [PUBLIC_CIDR], resolveHost }) })
    await using receiver = await startWebhookReceiver(() => ({ status: 503, headers: { connection: 'close' } }))
    const id = await house.add({ url: `http://receiver.example:${receiver.port}/` })
    house.sender.wake()
    expect(await house.attempted(id, 1)).toMatchObject({ lastStatus: 503 })

    address = '169.254.169.254'
    house.time.now = (await house.delivery(id)).nextAttemptAt
    house.sender.wake()
    expect(await house.attempted(id, 2)).toMatchObject({
      status: 'pending',
      lastStatus: 0,
      lastError: expect.stringContaining('receiver.example leads to'),
    })
    expect(receiver.received).toHaveLength(1)
    expect(house.errors).toEqual([])
  })
})

function expectDelay(ms: number, attempt: number): void {
  const delay = RETRY_DELAYS_MS[attempt - 1] ?? 0
  expect(ms).toBeGreaterThanOrEqual(delay)
  expect(ms).toBeLessThanOrEqual(delay * (1 + RETRY_JITTER))
}
