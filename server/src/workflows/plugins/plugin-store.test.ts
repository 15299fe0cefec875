import { describe, expect, test } from 'vitest'
import { openapiTool, mcpTool, ADA, BOB } from '../../../test/support/plugin-house.ts'
import { testDatabases } from '../../../test/support/test-databases.ts'
import { openToolHeaders } from '../../bots/bot-tools.ts'
import { createSecretBox } from '../../lib/secret-box.ts'
import { findPlugin, insertPlugin } from './plugin-store.ts'
import { savePlugin } from './plugins.ts'
import type { WantedPlugin } from './plugins.ts'

const ID = '7348853341922983946'
const secrets = createSecretBox('master')

const wanted = (more: Partial<WantedPlugin> = {}): WantedPlugin => ({
  ...{ id: ID, name: '猎聘 🚀', description: 'x'.repeat(5_000), iconUrl: '' },
  tool: openapiTool(
    'https://a.example',
    { '/x': { get: { operationId: 'find', description: '找 🚀' } } },
    { headers: { 'X-Key': 'sesame' } },
  ),
  ...more,
})

describe.each(testDatabases())('plugins on $name', ({ open }) => {
  test('are what was saved, with their headers sealed', async () => {
    await using db = await open()
    const { change, ...saved } = await savePlugin({ db, secrets, clock: () => 1_000 }, ADA, wanted())

    expect(change).toBe('created')
    expect(await findPlugin(db, ID)).toEqual(saved)
    expect(saved).toMatchObject({ id: ID, ownerId: '1', name: '猎聘 🚀', createdAt: 1_000, updatedAt: 1_000 })
    expect(JSON.stringify(saved)).not.toContain('sesame')
    expect(openToolHeaders(secrets, saved.tool.sealedHeaders)).toEqual({ 'X-Key': 'sesame' })
    expect(await findPlugin(db, '7348853341922983947')).toBeUndefined()
  })

  test('saved again change only when something is different', async () => {
    await using db = await open()
    const save = (more: Partial<WantedPlugin>, now: number) => savePlugin({ db, secrets, clock: () => now }, ADA, wanted(more))
    await save({}, 1_000)
    const other = mcpTool('https://mcp.example/mcp')

    expect(await save({}, 2_000)).toMatchObject({ change: 'unchanged', updatedAt: 1_000 })
    expect(await save({ description: '' }, 3_000)).toMatchObject({ change: 'updated', createdAt: 1_000, updatedAt: 3_000 })
    expect(await save({ description: '', tool: other }, 4_000)).toMatchObject({ change: 'updated', tool: { type: 'mcp' } })
    expect(await save({ description: '', tool: other }, 5_000)).toMatchObject({ change: 'unchanged' })
    expect(await save({ description: '', tool: { ...other, headers: { a: 'b' } } }, 6_000)).toMatchObject({ change: 'updated' })
    expect(await findPlugin(db, ID)).toMatchObject({ updatedAt: 6_000, tool: { type: 'mcp', url: 'https://mcp.example/mcp' } })
  })

  test('of somebody else are not taken over', async () => {
    await using db = await open()
    const deps = { db, secrets, clock: () => 1 }
    const { change: _change, ...saved } = await savePlugin(deps, ADA, wanted())

    await expect(savePlugin(deps, BOB, wanted({ name: 'mine' }))).rejects.toMatchObject({
      code: 'conflict',
      message: `plugin ${ID} belongs to another user`,
    })
    await expect(insertPlugin(db, { ...saved, ownerId: '2' })).rejects.toMatchObject({ code: 'conflict' })
    expect(await findPlugin(db, ID)).toEqual(saved)
  })
})
