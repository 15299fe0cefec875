import { describe, expect, test } from 'vitest'
import { testDatabases } from '../../test/support/test-databases.ts'
import { createWebhookHouse } from '../../test/support/webhook-house.ts'
import type { Db } from '../db/database.ts'
import {
  MAX_PAYLOAD_CHARS,
  claimDelivery,
  deleteDeliveriesBelow,
  listDeliveries,
  listDueDeliveries,
  updateDelivered,
  updateFailedAttempt,
  webhookInsert,
} from './webhook-store.ts'

const URL = 'https://receiver.example:8443/hook?token=1'
const HUGE_ID = '9223372036854775807'

describe.each(testDatabases())('webhook deliveries on $name', ({ open }) => {
  test('of two that claim the same one, one has it', async () => {
    await using db = await open()
    await using house = createWebhookHouse(db)
    const id = await house.add({ url: URL, ownerId: HUGE_ID })
    const due = await listDue(db, house.time.now)
    expect(due).toEqual([{ id, ownerId: HUGE_ID, host: 'receiver.example:8443', nextAttemptAt: house.time.now }])

    const claims = await Promise.all(due.concat(due).map((each) => claimDelivery(db, each, house.time.now + 60_000)))

    expect(claims.filter(Boolean)).toMatchObject([{ id, url: URL, attempts: 1 }])
    expect(await listDue(db, house.time.now + 59_999)).toEqual([])
    expect(await listDue(db, house.time.now + 60_000)).toMatchObject([{ id }])
  })

  test('a sender that was slower than its claim does not undo what came after it, but a success stands', async () => {
    await using db = await open()
    await using house = createWebhookHouse(db)
    const id = await house.add({ url: URL })
    const slow = { id, claimedUntil: house.time.now + 60_000 }
    await claimDelivery(db, { id, nextAttemptAt: house.time.now }, slow.claimedUntil)
    await claimDelivery(db, { id, nextAttemptAt: slow.claimedUntil }, slow.claimedUntil + 60_000)

    await updateFailedAttempt(db, slow, { lastStatus: 500, lastError: 'late', retryAt: undefined })
    expect(await house.delivery(id)).toMatchObject({
      status: 'pending',
      attempts: 2,
      lastError: '',
      nextAttemptAt: slow.claimedUntil + 60_000,
    })

    await updateDelivered(db, id, { lastStatus: 200, now: 5 })
    await updateFailedAttempt(db, { ...slow, claimedUntil: slow.claimedUntil + 60_000 }, { lastStatus: 500, lastError: 'late', retryAt: 9 })
    expect(await house.delivery(id)).toMatchObject({ status: 'delivered', deliveredAt: 5, lastStatus: 200 })
  })

  test('what is due leaves out receivers and users that have their share', async () => {
    await using db = await open()
    await using house = createWebhookHouse(db)
    const first = await house.add({ url: URL, ownerId: '7' })
    await house.add({ url: 'http://busy.example/', ownerId: '7' })
    await house.add({ url: URL, ownerId: HUGE_ID })

    const due = await listDueDeliveries(db, { now: house.time.now, limit: 9, busyHosts: ['busy.example'], busyOwners: [HUGE_ID] })
    expect(due.map(({ id }) => id)).toEqual([first])
  })

  test('lists the newest first, those of one user, those of one status', async () => {
    await using db = await open()
    await using house = createWebhookHouse(db)
    const ids = [await house.add({ url: URL }), await house.add({ url: URL, ownerId: '8' }), await house.add({ url: URL, ownerId: '8' })]
    await updateDelivered(db, String(ids[1]), { lastStatus: 200, now: 5 })
    const list = async (filter: Partial<Parameters<typeof listDeliveries>[1]>) =>
      (await listDeliveries(db, { limit: 9, ...filter })).map(({ id }) => ids.indexOf(id))

    expect(await list({})).toEqual([2, 1, 0])
    expect(await list({ limit: 1 })).toEqual([2])
    expect(await list({ ownerId: '8' })).toEqual([2, 1])
    expect(await list({ status: 'pending' })).toEqual([2, 0])
    expect(await list({ ownerId: '8', status: 'delivered' })).toEqual([1])
  })

  test('old ones are deleted, except those that are still to be sent', async () => {
    await using db = await open()
    await using house = createWebhookHouse(db)
    const ids = [await house.add({ url: URL }), await house.add({ url: URL }), await house.add({ url: URL }), await house.add({ url: URL })]
    for (const at of [0, 2, 3]) await updateDelivered(db, String(ids[at]), { lastStatus: 200, now: 5 })

    expect(await deleteDeliveriesBelow(db, String(ids[3]), 1)).toBe(1)
    expect(await deleteDeliveriesBelow(db, String(ids[3]), 9)).toBe(1)
    expect((await listDeliveries(db, { limit: 9 })).map(({ id }) => id)).toEqual([ids[3], ids[1]])
  })

  test('text comes back as it went in, and the largest body goes without messages', async () => {
    await using db = await open()
    await using house = createWebhookHouse(db)
    const messages = [{ content: '密'.repeat(MAX_PAYLOAD_CHARS - 500) + '😀\u2028' }]
    const whole = await payloadOf(db, await house.add({ url: URL, data: { id: HUGE_ID, messages } }), house.time.now)
    expect(whole.data).toEqual({ id: HUGE_ID, messages })

    const cut = await payloadOf(
      db,
      await house.add({ url: URL, data: { id: HUGE_ID, messages: [...messages, 'x'.repeat(500)] } }),
      house.time.now,
    )
    expect(cut.data).toEqual({ id: HUGE_ID, messages: [], messages_omitted: true })
  })
})

test('the end of a run does not fail because of its callback address', () => {
  const insert = (url: string) =>
    webhookInsert({ nextId: () => '1', clock: () => 0 }, { ownerId: '7', runId: '1', url, type: 'chat.failed', data: { messages: [] } })

  expect(insert('not an address').host).toBe('')
  expect(insert(`http://${'a.'.repeat(500)}b/`).host).toHaveLength(300)
})

const listDue = (db: Db, now: number) => listDueDeliveries(db, { now, limit: 9, busyHosts: [], busyOwners: [] })

async function payloadOf(db: Db, id: string, now: number) {
  const claimed = await claimDelivery(db, { id, nextAttemptAt: now }, now + 1)
  return JSON.parse(String(claimed?.payload)) as { data: unknown }
}
