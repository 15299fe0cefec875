import { expect, test } from 'vitest'
import { openDatabase } from '../db/database.ts'
import type { Db } from '../db/database.ts'
import { migrate } from '../db/migrate.ts'
import { createSnowflake } from '../lib/snowflake.ts'
import { botConfigSchema } from './bot-config.ts'
import { createBot, publishBot, rollBackBot, saveDraft, unpublishBot } from './bots.ts'
import { createPublishedBots } from './published-bots.ts'

const ADA = { userId: '1' }
const NOT_FOUND = expect.objectContaining({ code: 'not_found', message: 'bot not found or not published' })
const profile = { name: 'n', description: '', iconUrl: '' }

test('unknown, unpublished and foreign bots have one and the same answer', async () => {
  await using house = await openHouse()
  const draft = await createBot(house.deps, ADA, { ...profile, config: house.config })
  const { bots, botId } = house

  await expect(bots.get(ADA, '404')).rejects.toEqual(NOT_FOUND)
  await expect(bots.get(ADA, draft.id)).rejects.toEqual(NOT_FOUND)
  await expect(bots.get({ userId: '2' }, botId)).rejects.toEqual(NOT_FOUND)
  expect(await bots.get(ADA, botId)).toMatchObject({ botId, version: '1.0.0' })
  // known by now: still not for others
  await expect(bots.get({ userId: '2' }, botId)).rejects.toEqual(NOT_FOUND)
})

test('calls that follow each other read the database once', async () => {
  await using house = await openHouse()
  for (let call = 0; call < 100; call++) await house.bots.get(ADA, house.botId)
  expect(house.reads()).toBe(1)

  house.time.now += 1_000
  await house.bots.get(ADA, house.botId)
  expect(house.reads()).toBe(2)
})

test('what another process published counts after a second at the latest', async () => {
  await using house = await openHouse()
  const { bots, botId, deps, time } = house
  await bots.get(ADA, botId)
  await publishBot(deps, ADA, { botId })
  time.now += 999
  expect((await bots.get(ADA, botId)).version).toBe('1.0.0')

  time.now += 1
  expect((await bots.get(ADA, botId)).version).toBe('1.0.1')
  await unpublishBot(deps, ADA, botId)
  time.now += 1_000
  await expect(bots.get(ADA, botId)).rejects.toEqual(NOT_FOUND)
})

test('a clock that is set back keeps nothing alive', async () => {
  await using house = await openHouse()
  const { bots, botId, deps, time } = house
  await bots.get(ADA, botId)
  await publishBot(deps, ADA, { botId })
  time.now -= 3_600_000

  expect((await bots.get(ADA, botId)).version).toBe('1.0.1')
})

test('what this process changes counts at once', async () => {
  await using house = await openHouse()
  const { bots, botId, deps } = house
  await bots.get(ADA, botId)
  await saveDraft(deps, ADA, { botId, ...profile, name: 'new', config: house.config })
  await publishBot(deps, ADA, { botId })
  bots.forget(botId)
  expect(await bots.get(ADA, botId)).toMatchObject({ name: 'new', version: '1.0.1' })

  await rollBackBot(deps, ADA, { botId, version: '1.0.0' })
  bots.forget(botId)
  expect(await bots.get(ADA, botId)).toMatchObject({ name: 'n', version: '1.0.0' })
})

test('also when it is being read while it changes', async () => {
  await using house = await openHouse()
  const { bots, botId, deps } = house
  house.meanwhile.act = async () => {
    await publishBot(deps, ADA, { botId })
    bots.forget(botId)
  }
  await bots.get(ADA, botId)

  expect((await bots.get(ADA, botId)).version).toBe('1.0.1')
})

async function openHouse() {
  const db = await openDatabase({ kind: 'sqlite', path: ':memory:' })
  await migrate(db)
  const time = { now: Date.UTC(2026, 0, 1) }
  const clock = () => time.now
  const deps = { db, clock, nextId: createSnowflake(1, clock) }
  const config = botConfigSchema.parse({})
  const { id: botId } = await createBot(deps, ADA, { ...profile, config })
  await publishBot(deps, ADA, { botId })
  const counting = countingReads(db)

  return {
    ...{ time, deps, config, botId, reads: counting.reads, meanwhile: counting.meanwhile },
    bots: createPublishedBots({ db: counting.db, clock }),
    [Symbol.asyncDispose]: () => db.destroy(),
  }
}

/** The same database; `meanwhile.act` happens once, between a read and its answer. */
function countingReads(db: Db) {
  const meanwhile: { act?: () => Promise<void> } = {}
  let reads = 0
  const counted = db.withPlugin({
    transformQuery: ({ node }) => node,
    async transformResult({ result }) {
      reads++
      const { act } = meanwhile
      meanwhile.act = undefined
      await act?.()
      return result
    },
  })
  return { db: counted, meanwhile, reads: () => reads }
}
