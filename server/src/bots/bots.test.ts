import { describe, expect, test } from 'vitest'
import { testDatabases } from '../../test/support/test-databases.ts'
import type { Db } from '../db/database.ts'
import { createSnowflake } from '../lib/snowflake.ts'
import { botConfigSchema } from './bot-config.ts'
import type { Bot } from './bot-config.ts'
import { findBotByName, findPublishedBot, listAllBots, listBots } from './bot-store.ts'
import { createBot, getOwnBot, hasUnpublishedChanges, listVersions, publishBot, rollBackBot, saveDraft, unpublishBot } from './bots.ts'

const ADA = { userId: '1' }
const BOB = { userId: '2' }
const NOT_FOUND = expect.objectContaining({ code: 'not_found' })
const CONFLICT = expect.objectContaining({ code: 'conflict' })

const config = botConfigSchema.parse({
  prompt: '你是 {{city}} 的客服助手 🚀',
  parameters: { temperature: 0.7 },
  variables: [{ name: 'city', default: '北京' }],
})
const profile = { name: '客服', description: '描述', iconUrl: 'https://example.com/icon.png' }

function depsFor(db: Db) {
  const time = { now: Date.UTC(2026, 0, 1) }
  const clock = () => ++time.now
  return { db, clock, nextId: createSnowflake(1, clock) }
}

const make = (deps: ReturnType<typeof depsFor>, id?: string) => createBot(deps, ADA, { id, ...profile, config })

describe.each(testDatabases())('drafts on $name', ({ open }) => {
  test('one that is made is read back as it was, and is not published', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const bot = await make(deps, '1234567890123456789')

    expect(await getOwnBot(deps, ADA, bot.id)).toEqual(bot)
    expect(bot).toMatchObject({ ...profile, id: '1234567890123456789', draft: config, liveVersionId: undefined })
    expect(await findPublishedBot(db, bot.id)).toBeUndefined()
  })

  test('an id that is taken is refused, whoever has it', async () => {
    await using db = await open()
    const deps = depsFor(db)
    await make(deps, '123456')

    await expect(make(deps, '123456')).rejects.toEqual(CONFLICT)
    await expect(createBot(deps, BOB, { id: '123456', ...profile, config })).rejects.toEqual(CONFLICT)
    expect(await listAllBots(db)).toHaveLength(1)
  })

  test('saving changes the draft and nothing that is published', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const { id } = await make(deps)
    await publishBot(deps, ADA, { botId: id })
    const saved = await saveDraft(deps, ADA, { botId: id, ...profile, name: '新', config: { ...config, prompt: 'new' } })

    expect(await getOwnBot(deps, ADA, id)).toEqual(saved)
    expect(saved).toMatchObject({ name: '新', draft: { prompt: 'new' }, liveVersionId: expect.any(String) })
    expect(await findPublishedBot(db, id)).toMatchObject({ name: '客服', config })
  })

  test('somebody else’s does not exist', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const { id } = await make(deps)
    await publishBot(deps, ADA, { botId: id, version: '1.0.0' })

    await expect(getOwnBot(deps, BOB, id)).rejects.toEqual(NOT_FOUND)
    await expect(saveDraft(deps, BOB, { botId: id, ...profile, config })).rejects.toEqual(NOT_FOUND)
    await expect(publishBot(deps, BOB, { botId: id })).rejects.toEqual(NOT_FOUND)
    await expect(unpublishBot(deps, BOB, id)).rejects.toEqual(NOT_FOUND)
    await expect(rollBackBot(deps, BOB, { botId: id, version: '1.0.0' })).rejects.toEqual(NOT_FOUND)
    await expect(listVersions(deps, BOB, id)).rejects.toEqual(NOT_FOUND)
    expect(await listVersions(deps, ADA, id)).toHaveLength(1)
  })

  test('lists are the owner’s, newest first, in pages; by name the oldest is found', async () => {
    await using db = await open()
    const deps = depsFor(db)
    for (const id of ['10', '30', '20']) await make(deps, id)
    await createBot(deps, BOB, { id: '5', ...profile, config })
    const ids = (bots: Bot[]) => bots.map((bot) => bot.id)

    expect(ids(await listBots(db, '1', { offset: 0, limit: 2 }))).toEqual(['30', '20'])
    expect(ids(await listBots(db, '1', { offset: 2, limit: 2 }))).toEqual(['10'])
    expect(ids(await listAllBots(db))).toEqual(['5', '10', '20', '30'])
    expect((await findBotByName(db, '1', '客服'))?.id).toBe('10')
    expect(await findBotByName(db, '1', '?')).toBeUndefined()
  })
})

describe.each(testDatabases())('versions on $name', ({ open }) => {
  test('publishing freezes the draft and makes it live', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const { id, createdAt } = await make(deps)
    const published = await publishBot(deps, ADA, { botId: id, version: 'v1', note: '第一版' })

    expect(published).toMatchObject({ ...profile, botId: id, version: 'v1', note: '第一版', config })
    expect(await findPublishedBot(db, id)).toEqual({ ...published, ownerId: '1', botCreatedAt: createdAt })
    expect(await listVersions(deps, ADA, id)).toEqual([published])
    expect((await getOwnBot(deps, ADA, id)).liveVersionId).toBe(published.id)
  })

  test('a version never changes: its name cannot be used again, and what was live stays live', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const { id } = await make(deps)
    const first = await publishBot(deps, ADA, { botId: id, version: '1.0.0' })
    await saveDraft(deps, ADA, { botId: id, ...profile, config: { ...config, prompt: 'new' } })

    await expect(publishBot(deps, ADA, { botId: id, version: '1.0.0' })).rejects.toEqual(CONFLICT)
    expect(await findPublishedBot(db, id)).toMatchObject({ id: first.id, config })
    expect(await listVersions(deps, ADA, id)).toEqual([first])

    const other = await make(deps)
    expect(await publishBot(deps, ADA, { botId: other.id, version: '1.0.0' })).toMatchObject({ version: '1.0.0' })
  })

  test('without a name it is the next number', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const namesOf = async (...wanted: (string | undefined)[]) => {
      const { id } = await make(deps)
      for (const version of wanted) await publishBot(deps, ADA, { botId: id, version })
      return (await listVersions(deps, ADA, id)).map(({ version }) => version).reverse()
    }

    expect(await namesOf(undefined, undefined, undefined)).toEqual(['1.0.0', '1.0.1', '1.0.2'])
    expect(await namesOf('1.0.9', undefined)).toEqual(['1.0.9', '1.0.10'])
    expect(await namesOf('2026', undefined)).toEqual(['2026', '2027'])
    expect(await namesOf('beta', undefined, undefined)).toEqual(['beta', 'beta.1', 'beta.2'])
  })

  test('rolling back makes an earlier version live and leaves the draft', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const { id } = await make(deps)
    const first = await publishBot(deps, ADA, { botId: id })
    await saveDraft(deps, ADA, { botId: id, ...profile, config: { ...config, prompt: 'new' } })
    await publishBot(deps, ADA, { botId: id })

    expect(await rollBackBot(deps, ADA, { botId: id, version: '1.0.0' })).toEqual(first)
    expect(await findPublishedBot(db, id)).toMatchObject({ id: first.id, config })
    expect((await getOwnBot(deps, ADA, id)).draft.prompt).toBe('new')
    await expect(rollBackBot(deps, ADA, { botId: id, version: '9.9.9' })).rejects.toEqual(NOT_FOUND)
    // the next version is after the newest, not after the live one
    expect((await publishBot(deps, ADA, { botId: id })).version).toBe('1.0.2')
  })

  test('another bot’s version cannot be rolled back to', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const [one, other] = [await make(deps), await make(deps)]
    await publishBot(deps, ADA, { botId: other.id, version: 'only-there' })

    await expect(rollBackBot(deps, ADA, { botId: one.id, version: 'only-there' })).rejects.toEqual(NOT_FOUND)
  })

  test('unpublishing takes the bot out of the API and keeps its versions', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const { id } = await make(deps)
    await publishBot(deps, ADA, { botId: id })
    await unpublishBot(deps, ADA, id)

    expect(await findPublishedBot(db, id)).toBeUndefined()
    expect(await listVersions(deps, ADA, id)).toHaveLength(1)
    await rollBackBot(deps, ADA, { botId: id, version: '1.0.0' })
    expect(await findPublishedBot(db, id)).toMatchObject({ version: '1.0.0' })
  })

  test('a draft that differs from what is live shows', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const { id } = await make(deps)
    const differs = async () => hasUnpublishedChanges(deps, await getOwnBot(deps, ADA, id))
    expect(await differs()).toBe(true)

    await publishBot(deps, ADA, { botId: id })
    expect(await differs()).toBe(false)
    await saveDraft(deps, ADA, { botId: id, ...profile, config })
    expect(await differs()).toBe(false)

    for (const change of [{ name: 'other' }, { description: 'other' }, { iconUrl: '' }, { config: { ...config, model: 'other' } }]) {
      await saveDraft(deps, ADA, { botId: id, ...profile, config, ...change })
      expect(await differs()).toBe(true)
    }
    await saveDraft(deps, ADA, { botId: id, ...profile, config })
    expect(await differs()).toBe(false)
    await unpublishBot(deps, ADA, id)
    expect(await differs()).toBe(true)
  })
})
