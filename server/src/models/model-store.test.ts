import { describe, expect, test } from 'vitest'
import { testDatabases } from '../../test/support/test-databases.ts'
import type { Db } from '../db/database.ts'
import { createSecretBox } from '../lib/secret-box.ts'
import { createSnowflake } from '../lib/snowflake.ts'
import { deleteModel, findModelById, findModelByName, listModels, openModelKey, saveModel } from './model-store.ts'
import type { ModelSettings } from './model-store.ts'

const secrets = createSecretBox('master')
const NOW = Date.UTC(2026, 0, 1)
const fast: ModelSettings = {
  name: 'fast',
  protocol: 'openai',
  baseUrl: 'http://127.0.0.1:1/v1',
  apiKey: 'sk-secret',
  providerModel: 'm-1',
}

describe.each(testDatabases())('models on $name', ({ open }) => {
  const depsOf = (db: Db, clock = () => NOW) => ({ db, secrets, clock, nextId: createSnowflake(1, clock) })

  test('a saved model is found by name and by id, and its key only by whom it is for', async () => {
    await using db = await open()
    const saved = await saveModel(depsOf(db), { ...fast, id: '1737521813' })

    const model = {
      id: '1737521813',
      name: 'fast',
      protocol: 'openai',
      baseUrl: 'http://127.0.0.1:1/v1',
      providerModel: 'm-1',
      hasApiKey: true,
      createdAt: NOW,
      updatedAt: NOW,
    }
    expect(saved).toEqual({ ...model, change: 'created' })
    expect(await findModelByName(db, 'fast')).toEqual(model)
    expect(await findModelById(db, '1737521813')).toEqual(model)
    expect(await listModels(db)).toEqual([model])
    expect(await openModelKey({ db, secrets }, model.id)).toBe('sk-secret')
  })

  test('the key is nowhere in the table in clear', async () => {
    await using db = await open()
    await saveModel(depsOf(db), fast)

    const rows = await db.selectFrom('model').selectAll().execute()
    expect(JSON.stringify(rows)).not.toContain('sk-secret')
  })

  test('saving the same twice changes nothing', async () => {
    await using db = await open()
    const first = await saveModel(depsOf(db), fast)

    expect(
      await saveModel(
        depsOf(db, () => NOW + 1_000),
        fast,
      ),
    ).toEqual({ ...first, change: 'unchanged' })
    expect(await saveModel(depsOf(db), { ...fast, apiKey: undefined })).toMatchObject({ change: 'unchanged' })
  })

  test('every change is seen in updatedAt, also within one millisecond', async () => {
    await using db = await open()
    const deps = depsOf(db)
    const { id } = await saveModel(deps, fast)

    const changes: Partial<ModelSettings>[] = [
      { apiKey: 'sk-other' },
      { apiKey: '' },
      { baseUrl: '' },
      { providerModel: 'm-2' },
      { protocol: 'anthropic' },
    ]
    const settings = { ...fast }
    for (const [i, change] of changes.entries()) {
      Object.assign(settings, change)
      expect(await saveModel(deps, settings)).toMatchObject({ id, change: 'updated', updatedAt: NOW + i + 1 })
    }
    expect(await findModelByName(db, 'fast')).toMatchObject({ ...change(settings), hasApiKey: false })
  })

  test('a key that is not given stays, and a new master key is healed by giving the key again', async () => {
    await using db = await open()
    const { id } = await saveModel(depsOf(db), fast)
    await saveModel(depsOf(db), { ...fast, apiKey: undefined, providerModel: 'm-2' })
    expect(await openModelKey({ db, secrets }, id)).toBe('sk-secret')

    const renewed = { ...depsOf(db), secrets: createSecretBox('another master') }
    expect(await saveModel(renewed, fast)).toMatchObject({ change: 'updated' })
    expect(await openModelKey(renewed, id)).toBe('sk-secret')
  })

  test('names differ by case, ids are exact, and an id belongs to one model', async () => {
    await using db = await open()
    await saveModel(depsOf(db), { ...fast, id: '7426719482910283847' })
    await saveModel(depsOf(db), { ...fast, name: 'Fast' })

    expect((await listModels(db)).map((model) => model.name).sort()).toEqual(['Fast', 'fast'])
    expect(await findModelById(db, '7426719482910283847')).toMatchObject({ name: 'fast', id: '7426719482910283847' })
    await expect(saveModel(depsOf(db), { ...fast, name: 'other', id: '7426719482910283847' })).rejects.toMatchObject({ code: 'conflict' })
  })

  test('processes that start together save one model', async () => {
    await using db = await open()

    const saved = await Promise.all([
      saveModel(depsOf(db), fast),
      saveModel({ ...depsOf(db), nextId: createSnowflake(2, () => NOW) }, fast),
    ])

    expect(await listModels(db)).toHaveLength(1)
    expect(new Set(saved.map((model) => model.id)).size).toBe(1)
  })

  test('a deleted model is gone', async () => {
    await using db = await open()
    await saveModel(depsOf(db), fast)

    expect(await deleteModel(db, 'fast')).toBe(true)
    expect(await deleteModel(db, 'fast')).toBe(false)
    expect(await findModelByName(db, 'fast')).toBeUndefined()
  })
})

const change = ({ protocol, baseUrl, providerModel }: ModelSettings) => ({ protocol, baseUrl, providerModel })
