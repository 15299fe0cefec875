import { describe, expect, test } from 'vitest'
import { testDatabases } from '../../../test/support/test-databases.ts'
import { appVariablesSchema } from '../../bots/app-store.ts'
import { saveApp } from '../../bots/apps.ts'
import { botConfigSchema } from '../../bots/bot-config.ts'
import { createBot } from '../../bots/bots.ts'
import { readVariables, writeVariables } from '../../bots/end-user-variables.ts'
import type { Db } from '../../db/database.ts'
import { createSnowflake } from '../../lib/snowflake.ts'
import { createGlobalVariables } from './run-variables.ts'
import type { VariablesContext } from './run-variables.ts'

const OWNER = { userId: '1' }
const APP = '700001'
const BOT = '800001'
const NOBODY = { who: OWNER, appId: APP, endUser: '' }
const ADA = { ...NOBODY, endUser: 'ada' }
const refused = (words: string) => expect.objectContaining({ name: 'NodeError', code: 777777764, message: expect.stringContaining(words) })

const variables = appVariablesSchema.parse([
  { name: 'city', default: '巴黎 🚀' },
  { name: 'count', type: 'integer', default: '9007199254740993' },
  { name: 'rate', type: 'float', default: '0.5' },
  { name: 'on', type: 'boolean', default: 'true' },
  { name: 'tags', type: 'list', default: '["a","b"]' },
  { name: 'user', type: 'object', default: '{"name":"Ada"}' },
  { name: 'empty', type: 'integer' },
  { name: '__proto__', default: 'safe' },
])

async function settle(db: Db) {
  const clock = () => Date.UTC(2026, 0, 1)
  const deps = { db, clock, nextId: createSnowflake(1, clock) }
  const faces = { name: 'shop', description: '', iconUrl: '', version: '1.0.0' }
  await saveApp(deps, OWNER, { id: APP, ...faces, variables, conversations: [] })
  const config = botConfigSchema.parse({ variables: [{ name: 'tone', default: 'kind' }] })
  await createBot(deps, OWNER, { id: BOT, name: 'bot', description: '', iconUrl: '', config })
  return deps
}

describe.each(testDatabases())('global variables on $name', ({ open }) => {
  test('an app variable begins with its default, in its declared type', async () => {
    await using db = await open()
    const run = createGlobalVariables(await settle(db), NOBODY)
    const read = async (name: string) => [name, await run.read('app', name)]

    expect(await Promise.all(variables.map(({ name }) => read(name)))).toEqual([
      ['city', '巴黎 🚀'],
      ['count', 9007199254740993n],
      ['rate', 0.5],
      ['on', true],
      ['tags', ['a', 'b']],
      ['user', { name: 'Ada' }],
      ['empty', null],
      ['__proto__', 'safe'],
    ])
  })

  test('what a run writes to the app is seen by this run alone', async () => {
    await using db = await open()
    const deps = await settle(db)
    const [run, other] = [createGlobalVariables(deps, ADA), createGlobalVariables(deps, ADA)]
    await run.write('app', 'city', 'Rome')
    await run.write('app', 'tags', [1, { deep: 2 }])
    await run.write('app', 'undeclared', 7)
    await run.write('app', 'count', null)

    expect(await run.read('app', 'city')).toBe('Rome')
    expect(await run.read('app', 'tags')).toEqual([1, { deep: 2 }])
    expect(await run.read('app', 'undeclared')).toBe(7)
    expect(await run.read('app', 'count')).toBeNull()
    expect(await run.read('user', 'city')).toBe('巴黎 🚀')
    expect(await other.read('app', 'city')).toBe('巴黎 🚀')
    await expect(other.read('app', 'undeclared')).rejects.toEqual(refused('the app has no variable named "undeclared"'))
  })

  test('another life of the run goes on with its snapshot', async () => {
    await using db = await open()
    const deps = await settle(db)
    const run = createGlobalVariables(deps, NOBODY)
    expect(run.snapshot()).toEqual({ app: {}, user: {} })
    await run.write('app', 'city', 'Rome')
    await run.write('user', 'city', 'Oslo')
    await run.write('app', '__proto__', 'own')

    const stored: unknown = JSON.parse(JSON.stringify(run.snapshot()))
    const later = createGlobalVariables(deps, NOBODY, Object(stored))
    expect(await later.read('app', 'city')).toBe('Rome')
    expect(await later.read('user', 'city')).toBe('Oslo')
    expect(await later.read('app', '__proto__')).toBe('own')
    expect(later.snapshot()).toEqual(run.snapshot())
  })

  test('what a run writes to the user is kept for that user, as text', async () => {
    await using db = await open()
    const deps = await settle(db)
    const run = createGlobalVariables(deps, ADA)
    await run.write('user', 'city', 'Rome 🚀')
    await run.write('user', 'count', 12)
    await run.write('user', 'tags', ['x'])

    expect(run.snapshot()).toEqual({ app: {}, user: {} })
    const later = createGlobalVariables(deps, ADA)
    expect(await later.read('user', 'city')).toBe('Rome 🚀')
    expect(await later.read('user', 'count')).toBe(12)
    expect(await later.read('user', 'tags')).toEqual(['x'])
    expect(await later.read('app', 'city')).toBe('巴黎 🚀')
    expect(await createGlobalVariables(deps, { ...ADA, endUser: 'bob' }).read('user', 'city')).toBe('巴黎 🚀')
    expect(await createGlobalVariables(deps, NOBODY).read('user', 'city')).toBe('巴黎 🚀')
    const [shown] = await readVariables(deps, OWNER, { holder: 'app', holderId: APP, endUser: 'ada', names: ['count'] })
    expect(shown).toMatchObject({ value: '12' })
  })

  test('the run reads what the API has set for its user, also meanwhile', async () => {
    await using db = await open()
    const deps = await settle(db)
    const run = createGlobalVariables(deps, ADA)
    const set = (value: string) =>
      writeVariables(deps, OWNER, { holder: 'app', holderId: APP, endUser: 'ada', values: new Map([['city', value]]) })

    await set('Lima')
    expect(await run.read('user', 'city')).toBe('Lima')
    await set('Quito')
    expect(await run.read('user', 'city')).toBe('Quito')
  })

  test('parallel writes of one user all arrive', async () => {
    await using db = await open()
    const deps = await settle(db)
    const run = createGlobalVariables(deps, ADA)
    await Promise.all(['city', 'count', 'rate', 'on', 'tags', 'user'].map((name) => run.write('user', name, `of ${name}`)))
    await Promise.all(Array.from({ length: 10 }, (_each, at) => run.write('user', 'city', `${at}`)))

    expect(await run.read('user', 'city')).toMatch(/^\d$/)
    const kept = await readVariables(deps, OWNER, { holder: 'app', holderId: APP, endUser: 'ada', names: [] })
    expect(kept.filter(({ updatedAt }) => updatedAt > 0)).toHaveLength(6)
  })

  test('of a bot are its declared variables', async () => {
    await using db = await open()
    const deps = await settle(db)
    const run = createGlobalVariables(deps, { who: OWNER, botId: BOT, endUser: 'ada' })
    await run.write('user', 'tone', 'stern')

    expect(await run.read('user', 'tone')).toBe('stern')
    expect(await run.read('app', 'tone')).toBe('kind')
    await expect(run.read('user', 'city')).rejects.toEqual(refused('the bot has no variable named "city"'))
  })

  test('without an app and an agent there are none', async () => {
    await using db = await open()
    const run = createGlobalVariables(await settle(db), { who: OWNER, endUser: 'ada' })
    const none = refused('run the workflow with an app_id or a bot_id')

    for (const scope of ['app', 'user'] as const) {
      await expect(run.read(scope, 'city')).rejects.toEqual(none)
      await expect(run.write(scope, 'city', 'x')).rejects.toEqual(none)
    }
  })

  test("what is not declared, too large or not the owner's is refused", async () => {
    await using db = await open()
    const deps = await settle(db)
    const run = createGlobalVariables(deps, ADA)

    for (const name of ['nothing', '', 'constructor', 'x'.repeat(10_000), '城市']) {
      await expect(run.read('user', name)).rejects.toEqual(refused('has no variable named'))
      await expect(run.write('user', name, 'x')).rejects.toEqual(refused('has no variable named'))
    }
    await expect(run.write('user', 'city', 'x'.repeat(10_001))).rejects.toEqual(refused('at most 10000 characters'))
    const strangers: VariablesContext[] = [
      { ...ADA, who: { userId: '2' } },
      { who: { userId: '2' }, botId: BOT, endUser: 'ada' },
      { ...ADA, appId: '999' },
    ]
    for (const context of strangers)
      await expect(createGlobalVariables(deps, context).read('user', 'city')).rejects.toEqual(refused('not found'))
  })
})

test('system variables tell who the run is for', async () => {
  const deps = { db: Object.create(null), clock: () => 0 }
  const run = createGlobalVariables(deps, { ...ADA, conversationId: '42' })

  expect(await run.read('system', 'sys_uuid')).toBe('ada')
  expect(await run.read('system', 'sys_conversation_id')).toBe('42')
  expect(await run.read('system', 'sys_app_id')).toBe(APP)
  expect(await run.read('system', 'sys_bot_id')).toBe('')
  for (const name of ['sys_time', '', 'constructor', '__proto__'])
    await expect(run.read('system', name)).rejects.toEqual(refused('there is no system variable named'))
})
