import { describe, expect, onTestFinished, test } from 'vitest'
import { askModel } from '../../test/support/ask-model.ts'
import { fails, hangs, says, startFakeProvider } from '../../test/support/fake-provider.ts'
import { modelFailure } from '../../test/support/openai-model.ts'
import { testDatabases } from '../../test/support/test-databases.ts'
import type { TestDatabase } from '../../test/support/test-databases.ts'
import { createSecretBox } from '../lib/secret-box.ts'
import { createSnowflake } from '../lib/snowflake.ts'
import { createModelRegistry } from './model-registry.ts'
import type { ModelRegistryOptions } from './model-registry.ts'
import { deleteModel, saveModel } from './model-store.ts'
import type { ModelSettings } from './model-store.ts'

describe.each(testDatabases())('the registry on $name', ({ open }) => {
  test('a name leads to the provider with its key and its own name of the model', async () => {
    const { provider, save, ask } = await start(open)
    await save({ name: 'fast', apiKey: 'sk-fast', providerModel: 'm-fast' })

    expect((await ask('fast')).text).toBe('Hello there')
    expect(provider.lastRequest).toMatchObject({ headers: { authorization: 'Bearer sk-fast' }, body: { model: 'm-fast' } })
  })

  test('demo is always there, and stands in for default until that is set up', async () => {
    const { save, ask, time } = await start(open)

    for (const name of ['demo', 'default', '']) expect((await ask(name)).text).toContain('demo')
    await save({ name: 'default' })
    time.now += 1_000
    expect((await ask('default')).text).toBe('Hello there')
    expect((await ask('')).text).toBe('Hello there')
    expect((await ask('demo')).text).toContain('demo')
  })

  test('an unknown name means default, and nothing where there is no default', async () => {
    const { provider, save, ask } = await start(open)
    expect(await modelFailure(ask('gone'))).toMatchObject({
      kind: 'rejected',
      message: expect.stringContaining('no model named gone is configured'),
    })

    await save({ name: 'default', providerModel: 'm-default' })
    await ask('gone')
    expect(provider.lastRequest.body.model).toBe('m-default')
  })

  test('a number that a canvas calls modelType leads to the model with that id, to the last of its 19 digits', async () => {
    const { provider, save, askById } = await start(open)
    await save({ name: 'default', providerModel: 'm-default' })
    await save({ name: 'one', id: '7373737373737373737', providerModel: 'm-one' })
    await save({ name: 'other', id: '7373737373737373738', providerModel: 'm-other' })

    const modelFor = async (modelType: string) => {
      await askById(modelType)
      return provider.lastRequest.body.model
    }
    expect(await modelFor('7373737373737373737')).toBe('m-one')
    expect(await modelFor('7373737373737373738')).toBe('m-other')
    for (const unknown of ['61010', '', 'one', '-1', '1e3', '99999999999999999999', '0 or 1=1'])
      expect(await modelFor(unknown), unknown).toBe('m-default')
  })

  test('a modelType means the demo model where nothing is set up, and a change counts within a second', async () => {
    const { provider, save, remove, askById, models, time } = await start(open)
    for (const modelType of ['5', '']) expect((await askById(modelType)).text).toContain('demo')

    await save({ name: 'five', id: '5', providerModel: 'm-five' })
    time.now += 999
    expect((await askById('5')).text).toContain('demo')
    time.now += 1
    await askById('5')
    expect(provider.lastRequest.body.model).toBe('m-five')
    const adapters = await Promise.all(Array.from({ length: 20 }, () => models.getAdapterById('5')))
    expect(new Set(adapters).size).toBe(1)

    await remove('five')
    time.now += 1_000
    expect((await askById('5')).text).toContain('demo')
  })

  test('a name of digits is not taken for an id, nor an id for a name', async () => {
    const { provider, save, ask, askById } = await start(open)
    await save({ name: '77', id: '88', providerModel: 'named-77' })
    await save({ name: 'default', providerModel: 'm-default' })

    await askById('77')
    expect(provider.lastRequest.body.model).toBe('m-default')
    await ask('77')
    expect(provider.lastRequest.body.model).toBe('named-77')
    await ask('88')
    expect(provider.lastRequest.body.model).toBe('m-default')
  })

  test('a change counts within a second, without a query for each call', async () => {
    const { provider, save, remove, ask, time, models } = await start(open)
    await save({ name: 'fast', providerModel: 'one' })
    const first = await models.getAdapter('fast')
    await save({ name: 'fast', providerModel: 'two' })

    time.now += 999
    expect(await models.getAdapter('fast')).toBe(first)
    time.now += 1
    await ask('fast')
    expect(provider.lastRequest.body.model).toBe('two')

    await remove('fast')
    time.now += 1_000
    expect((await modelFailure(ask('fast'))).kind).toBe('rejected')
  })

  test('a model that has not changed keeps its adapter, and chats that start together ask once', async () => {
    const { save, time, models } = await start(open)
    await save({ name: 'fast' })
    const adapters = await Promise.all(Array.from({ length: 20 }, () => models.getAdapter('fast')))
    time.now += 5_000

    expect(new Set([...adapters, await models.getAdapter('fast')]).size).toBe(1)
  })

  test('its models try again, and keep their connections when they change', async () => {
    const { provider, save, ask, time } = await start(open)
    await save({ name: 'fast' })
    provider.script = [fails(503), says('after all')]
    expect((await ask('fast')).text).toBe('after all')

    await save({ name: 'fast', providerModel: 'two' })
    time.now += 1_000
    for (let i = 0; i < 5; i++) await ask('fast')
    expect(provider.connections).toBeLessThanOrEqual(2)
  })

  test('a key of an earlier master key is said to be one', async () => {
    const { save, models, renewed } = await start(open)
    await save({ name: 'fast' })
    await models.getAdapter('fast')

    expect(await modelFailure(renewed.getAdapter('fast'))).toMatchObject({ kind: 'auth', message: expect.stringContaining('MASTER_KEY') })
  })

  test('speaks every protocol', async () => {
    const { provider, save, ask } = await start(open)
    await save({ name: 'a', protocol: 'anthropic' })
    await save({ name: 'g', protocol: 'google' })
    await save({ name: 'd', protocol: 'demo' })
    provider.script = fails(400)

    await modelFailure(ask('a'))
    expect(provider.lastRequest.path).toBe('/v1/messages')
    await modelFailure(ask('g'))
    expect(provider.lastRequest.path).toContain('/v1/models/m:')
    expect((await ask('d')).text).toContain('demo')
  })

  test('closing breaks what still runs', async () => {
    const { provider, save, ask, models } = await start(open)
    await save({ name: 'fast' })
    provider.script = hangs()
    const asked = modelFailure(ask('fast'))
    await provider.untilRequests(1)

    await models.close()

    await asked
    await provider.untilAborted()
  })
})

async function start(open: TestDatabase['open'], options: Partial<ModelRegistryOptions> = {}) {
  const db = await open()
  const provider = await startFakeProvider()
  const time = { now: Date.UTC(2026, 0, 1) }
  const deps = { db, secrets: createSecretBox('master'), clock: () => time.now, nextId: createSnowflake(1, () => time.now) }
  const models = createModelRegistry({ ...deps, retry: { firstPauseMs: 1, retries: 1 }, ...options })
  const renewed = createModelRegistry({ ...deps, secrets: createSecretBox('another master') })
  onTestFinished(async () => {
    await models.close()
    await renewed.close()
    await provider.close()
    await db[Symbol.asyncDispose]()
  })

  return {
    provider,
    models,
    renewed,
    time,
    save: (settings: Partial<ModelSettings> & { name: string }) =>
      saveModel(deps, { protocol: 'openai', baseUrl: provider.baseUrl, apiKey: 'sk-test', providerModel: 'm', ...settings }),
    remove: (name: string) => deleteModel(db, name),
    ask: async (name: string) => askModel(await models.getAdapter(name)),
    askById: async (modelType: string) => askModel(await models.getAdapterById(modelType)),
  }
}
