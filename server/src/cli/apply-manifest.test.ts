import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { createUser } from '../accounts/users.ts'
import { findPublishedBot, listAllBots, listBotVersions } from '../bots/bot-store.ts'
import { rollBackBot } from '../bots/bots.ts'
import { loadConfig } from '../config.ts'
import { openCore } from '../core.ts'
import { findModelByName } from '../models/model-store.ts'
import { applyManifest } from './apply-manifest.ts'
import { readManifest } from './manifest.ts'

const MODEL = 'models: [{ name: fast, base_url: "http://127.0.0.1:9/v1", api_key: sk-test, model: m }]'
const bot = (more: string) => `bots: [{ name: 客服, model: fast, ${more} }]`

describe('applying a manifest', () => {
  test('makes it so, says what changed, and changes nothing the second time', async () => {
    await using house = await openHouse()
    const manifest = `${MODEL}\n${bot('id: 123456, prompt: 你好, publish: { version: 1.0.0 }')}`

    expect(await house.apply(manifest)).toEqual([
      { kind: 'model', id: expect.any(String), name: 'fast', change: 'created' },
      { kind: 'bot', id: '123456', name: '客服', change: 'created', published: '1.0.0' },
    ])
    expect((await house.apply(manifest)).map(({ change, published }) => [change, published])).toEqual([
      ['unchanged', undefined],
      ['unchanged', undefined],
    ])
    expect(await findPublishedBot(house.db, '123456')).toMatchObject({ version: '1.0.0', config: { prompt: '你好', model: 'fast' } })
    expect(await listBotVersions(house.db, '123456', { limit: 9 })).toHaveLength(1)
  })

  test('saves what differs, and publishes it when it is to be published', async () => {
    await using house = await openHouse()
    await house.apply(`${MODEL}\n${bot('id: 5, prompt: one, publish: {}')}`)
    const changed = await house.apply(bot('id: 5, prompt: two'))
    expect(changed).toEqual([{ kind: 'bot', id: '5', name: '客服', change: 'updated' }])
    expect(await findPublishedBot(house.db, '5')).toMatchObject({ version: '1.0.0', config: { prompt: 'one' } })

    const published = await house.apply(bot('id: 5, prompt: two, publish: {}'))
    expect(published).toEqual([{ kind: 'bot', id: '5', name: '客服', change: 'unchanged', published: '1.0.1' }])
    expect(await findPublishedBot(house.db, '5')).toMatchObject({ version: '1.0.1', config: { prompt: 'two' } })
  })

  test('knows a bot without an id by its name', async () => {
    await using house = await openHouse()
    const [, made] = await house.apply(`${MODEL}\n${bot('prompt: one')}`)
    const [again] = await house.apply(bot('prompt: two'))

    expect(again).toEqual({ ...made, change: 'updated' })
    expect(await listAllBots(house.db)).toHaveLength(1)
  })
})

describe('a manifest that is refused changes nothing', () => {
  test.each([
    ['a model nobody has', 'bots: [{ name: a }, { name: b, model: nobody }]', 'bot b: there is no model named nobody'],
    ['an owner nobody knows', `${MODEL}\n${bot('owner: nobody@example.com')}`, 'nobody@example.com'],
    [
      'a bot of somebody else',
      `${MODEL}\nbots: [{ name: a }, { name: x, id: 77, owner: bob@example.com }]`,
      'bot 77 belongs to another user',
    ],
    ['no owner where there are two users', `${MODEL}\n${bot('prompt: x')}`, 'needs an owner'],
  ])('%s', async (...[what, manifest, message]) => {
    await using house = await openHouse()
    await house.apply('bots: [{ name: of ada, id: 77, model: demo }]')
    if (what !== 'a model nobody has') await house.makeUser('bob@example.com')
    const withOwner = what === 'a bot of somebody else' ? manifest.replace('name: a }', 'name: a, owner: ada@example.com }') : manifest

    await expect(house.apply(withOwner)).rejects.toThrow(message)
    expect((await listAllBots(house.db)).map(({ name }) => name)).toEqual(['of ada'])
    expect(await findModelByName(house.db, 'fast')).toBeUndefined()
  })

  test('a version that is there already with other content', async () => {
    await using house = await openHouse()
    await house.apply(`${MODEL}\n${bot('id: 5, prompt: one, publish: { version: 1.0.0 }')}`)

    await expect(house.apply(bot('id: 5, prompt: two, publish: { version: 1.0.0 }'))).rejects.toMatchObject({ code: 'conflict' })
    expect((await listAllBots(house.db))[0]?.draft.prompt).toBe('one')
    await house.apply(bot('id: 5, prompt: two, publish: { version: 1.0.1 }'))
    await rollBackBot(house.core, { userId: house.adaId }, { botId: '5', version: '1.0.0' })
    expect(await findPublishedBot(house.db, '5')).toMatchObject({ config: { prompt: 'one' } })
  })
})

/** An installation with one user, ada@example.com. */
async function openHouse() {
  const dataDir = await mkdtemp(join(tmpdir(), 'coze-plus-apply-'))
  const core = await openCore(loadConfig({ DATA_DIR: dataDir }), { logger: pino({ level: 'silent' }) })
  const makeUser = (email: string) => createUser(core, { email, password: 'correct horse' })
  const ada = await makeUser('ada@example.com')
  let files = 0

  return {
    ...{ core, db: core.db, adaId: ada.id, makeUser },
    async apply(text: string) {
      const path = join(dataDir, `${++files}.yaml`)
      await writeFile(path, text)
      return applyManifest(core, await readManifest(path))
    },
    async [Symbol.asyncDispose]() {
      await core.close()
      await rm(dataDir, { recursive: true })
    },
  }
}
