import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startProgram } from '../../test/support/child-program.ts'
import { createEmptyMariadb } from '../../test/support/empty-mariadb.ts'
import { testDatabases } from '../../test/support/test-databases.ts'
import { createWebhookHouse } from '../../test/support/webhook-house.ts'
import { startWebhookReceiver, verifyWebhook } from '../../test/support/webhook-receiver.ts'
import { openDatabase } from '../db/database.ts'
import type { DatabaseLocation } from '../db/database.ts'
import { migrate } from '../db/migrate.ts'

const SENDER = join(import.meta.dirname, '..', '..', 'test', 'support', 'webhook-sender-process.ts')

describe.each(testDatabases())('a server that is killed while it sends a webhook, on $name', ({ name }) => {
  test('is followed by one that sends it again, with the same event id, when it is sure that the first is dead', async () => {
    await using database = await createLocation(name)
    const db = await openDatabase(database.location)
    await migrate(db)
    await using house = createWebhookHouse(db)
    await using receiver = await startWebhookReceiver(() => 'hang')
    const id = await house.add({ url: receiver.url })

    await using killed = startProgram(process.execPath, [SENDER, JSON.stringify(database.location), String(house.time.now)])
    await expect.poll(() => receiver.received.length, { timeout: 30_000 }).toBe(1)
    await killed.stop('SIGKILL')
    receiver.answer = () => 200
    house.time.now += 59_000
    await house.sendNothing()
    expect(await house.delivery(id)).toMatchObject({ status: 'pending', attempts: 1 })
    house.time.now += 1_000
    house.sender.wake()

    const { eventId } = await house.delivered(id)
    expect(receiver.received.map(({ headers }) => headers['webhook-id'])).toEqual([eventId, eventId])
    expect(receiver.received.map(({ body }) => body)).toEqual(Array(2).fill(receiver.received[0]?.body))
    for (const webhook of receiver.received) verifyWebhook(webhook, house.secretOf('7'), house.time.now)
    await db.destroy()
  }, 60_000)
})

async function createLocation(name: 'SQLite' | 'MariaDB'): Promise<{ location: DatabaseLocation } & AsyncDisposable> {
  if (name === 'MariaDB') {
    const database = await createEmptyMariadb()
    return { location: { kind: 'mysql', url: database.url }, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() }
  }
  const dir = await mkdtemp(join(tmpdir(), 'coze-plus-webhooks-'))
  return { location: { kind: 'sqlite', path: join(dir, 'test.db') }, [Symbol.asyncDispose]: () => rm(dir, { recursive: true }) }
}
