import { describe, expect, test } from 'vitest'
import { testDatabases } from '../../test/support/test-databases.ts'
import { createWebhookHouse } from '../../test/support/webhook-house.ts'
import { startWebhookReceiver } from '../../test/support/webhook-receiver.ts'

describe.each(testDatabases())('many webhooks on $name', ({ open }) => {
  test('a receiver that hangs holds up two deliveries of its own, and nobody else', async () => {
    await using db = await open()
    await using house = createWebhookHouse(db)
    await using slow = await startWebhookReceiver(() => 'hang')
    await using quick = await startWebhookReceiver()
    for (let n = 0; n < 50; n++) await house.add({ url: slow.url, ownerId: '7' })
    house.time.now++
    const others: string[] = []
    for (let n = 0; n < 20; n++) others.push(await house.add({ url: quick.url, ownerId: '8' }))

    house.sender.wake()
    for (const id of others) await house.delivered(id)

    expect([slow.received.length, slow.mostAtOnce]).toEqual([2, 2])
    expect(quick.mostAtOnce).toBeLessThanOrEqual(2)
  })

  test('a receiver that does not answer in time has failed, and the next event has its turn', async () => {
    await using db = await open()
    await using house = createWebhookHouse(db, { limits: { attemptMs: 300 } })
    await using receiver = await startWebhookReceiver(() => (receiver.received.length > 2 ? 200 : 'hang'))
    const ids = [await house.add({ url: receiver.url }), await house.add({ url: receiver.url }), await house.add({ url: receiver.url })]
    house.sender.wake()

    await house.delivered(String(ids[2]))
    for (const id of ids.slice(0, 2)) {
      expect(await house.attempted(id, 1)).toMatchObject({ status: 'pending', lastStatus: 0, lastError: 'no answer within 0.3 s' })
    }
  })

  test('one user with many receivers that hang leaves room for the others, and no more than the limit is under way', async () => {
    await using db = await open()
    await using house = createWebhookHouse(db, { limits: { inFlight: 6, perOwner: 4 } })
    await using receivers = new AsyncDisposableStack()
    const hanging = await Promise.all(Array.from({ length: 8 }, async () => receivers.use(await startWebhookReceiver(() => 'hang'))))
    for (const { url } of hanging) await house.add({ url, ownerId: '7' })
    const quick = receivers.use(await startWebhookReceiver())
    house.time.now++
    const id = await house.add({ url: quick.url, ownerId: '8' })
    house.sender.wake()
    await house.delivered(id)

    for (const { url } of hanging) await house.add({ url, ownerId: '9' })
    house.sender.wake()
    await expect.poll(() => hanging.flatMap(({ received }) => received).length).toBe(6)
    await house.sendNothing()
    expect(hanging.flatMap(({ received }) => received)).toHaveLength(6)
  })

  test('two servers on one database send each event once', async () => {
    await using db = await open()
    await using house = createWebhookHouse(db)
    await using receivers = new AsyncDisposableStack()
    const all = await Promise.all(Array.from({ length: 6 }, async () => receivers.use(await startWebhookReceiver())))
    const ids: string[] = []
    for (let n = 0; n < 120; n++) ids.push(await house.add({ url: String(all[n % all.length]?.url), ownerId: String(n % 5) }))

    const second = house.secondSender()
    house.sender.wake()
    second.wake()
    for (const id of ids) await house.delivered(id)

    const received = all.flatMap((receiver) => receiver.received.map(({ headers }) => headers['webhook-id']))
    expect(received).toHaveLength(120)
    expect(new Set(received).size).toBe(120)
  })

  test('what another process left is found without being told', async () => {
    await using db = await open()
    await using house = createWebhookHouse(db)
    await using receiver = await startWebhookReceiver()
    house.sender.start()

    await house.delivered(await house.add({ url: receiver.url }))
  })

  test('a server that stops does not wait for a receiver that hangs, and leaves the event to the next one', async () => {
    await using db = await open()
    await using house = createWebhookHouse(db)
    await using receiver = await startWebhookReceiver(() => 'hang')
    const id = await house.add({ url: receiver.url })
    house.sender.wake()
    await expect.poll(() => receiver.received.length).toBe(1)

    const begun = performance.now()
    await house.sender.close()
    expect(performance.now() - begun).toBeLessThan(10_000)
    expect(await house.delivery(id)).toMatchObject({ status: 'pending', nextAttemptAt: house.time.now })

    receiver.answer = () => 200
    house.sender.wake()
    await house.sendNothing()
    house.secondSender().wake()
    await house.delivered(id)
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  })
})
