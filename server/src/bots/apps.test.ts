import { describe, expect, test } from 'vitest'
import { testDatabases } from '../../test/support/test-databases.ts'
import { createSnowflake } from '../lib/snowflake.ts'
import { getOwnApp, saveApp } from './apps.ts'

const OWNER = { userId: '1' }
const app = { id: '700001', name: 'shop', description: '', iconUrl: '', version: '1.0.0', variables: [] }

describe.each(testDatabases())('apps on $name', ({ open }) => {
  test('keep the names of their conversations, and a change of them is a change of the app', async () => {
    await using db = await open()
    const clock = () => Date.UTC(2026, 0, 1)
    const deps = { db, clock, nextId: createSnowflake(1, clock) }
    const save = async (conversations: string[]) => (await saveApp(deps, OWNER, { ...app, conversations })).change

    expect(await save(['订单 🚀'])).toBe('created')
    expect(await getOwnApp(deps, OWNER, app.id)).toMatchObject({ conversations: ['订单 🚀'] })
    expect(await save(['订单 🚀'])).toBe('unchanged')
    expect(await save(['b', 'a'])).toBe('updated')
    expect(await getOwnApp(deps, OWNER, app.id)).toMatchObject({ conversations: ['b', 'a'] })
  })

  test('that are older than conversations of apps declare none', async () => {
    await using db = await open()
    const clock = () => Date.UTC(2026, 0, 1)
    const deps = { db, clock, nextId: createSnowflake(1, clock) }
    await saveApp(deps, OWNER, { ...app, conversations: ['a'] })
    await db.updateTable('app').set({ conversations: null }).where('id', '=', app.id).execute()

    expect(await getOwnApp(deps, OWNER, app.id)).toMatchObject({ conversations: [] })
    expect(await saveApp(deps, OWNER, { ...app, conversations: [] })).toMatchObject({ change: 'unchanged' })
  })
})
