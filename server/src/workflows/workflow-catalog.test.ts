import { describe, expect, test } from 'vitest'
import { testDatabases } from '../../test/support/test-databases.ts'
import { OWNER, answers, openWorkflowHouse, passOn } from '../../test/support/workflow-house.ts'
import { saveApp } from '../bots/apps.ts'
import { chatflowRoleSchema } from './chatflow-role.ts'
import { nodeTypes } from './nodes/node-registry.ts'
import { DRAFT, PUBLISHED, createWorkflowCatalog } from './workflow-catalog.ts'
import { rollBackWorkflow, unpublishWorkflow } from './workflows.ts'
import type { Db } from '../db/database.ts'

const NOT_FOUND = expect.objectContaining({ code: 'not_found' })

function openHouse(db: Db) {
  return { ...openWorkflowHouse(db), catalog: createWorkflowCatalog({ db, nodeTypes }) }
}

describe.each(testDatabases())('workflows ready to run, on $name', ({ open }) => {
  test('are what was published, with what a caller needs to know', async () => {
    await using db = await open()
    const { deps, make, publish, catalog } = openHouse(db)
    await saveApp(deps, OWNER, { id: '700001', name: 'shop', description: '', iconUrl: '', version: '1', variables: [], conversations: [] })
    const role = chatflowRoleSchema.parse({ name: 'helper' })
    const { id } = await make({ name: 'greet', mode: 'chatflow', onCrash: 'fail', role, appId: '700001', canvas: answers() })
    const version = await publish(id, 'v1.0.0')

    const workflow = await catalog.get(OWNER, id, PUBLISHED)
    expect(workflow).toMatchObject({
      ...{
        workflowId: id,
        versionId: version.id,
        version: 'v1.0.0',
        name: 'greet',
        mode: 'chatflow',
        onCrash: 'fail',
        role,
        appId: '700001',
      },
      ...{ isAnswer: true, inputs: [{ name: 'city', type: { kind: 'string' } }], outputs: [{ name: 'output' }] },
    })
    expect([...workflow.graph.nodes.keys()]).toEqual(['100001', '900001'])
  })

  test('are the live version, a version by its name, or the draft', async () => {
    await using db = await open()
    const { deps, make, save, publish, catalog } = openHouse(db)
    const { id } = await make({ canvas: passOn('one') })
    const outputOf = async (version: string) => (await catalog.get(OWNER, id, version)).outputs[0]?.name
    await publish(id)
    await save(id, { canvas: passOn('two') })
    expect([await outputOf(PUBLISHED), await outputOf('v0.0.1'), await outputOf(DRAFT)]).toEqual(['one', 'one', 'two'])

    await publish(id)
    await save(id, { canvas: passOn('three') })
    expect([await outputOf(PUBLISHED), await outputOf('v0.0.1'), await outputOf('v0.0.2')]).toEqual(['two', 'one', 'two'])
    expect([await outputOf(DRAFT), (await catalog.get(OWNER, id, DRAFT)).version]).toEqual(['three', ''])

    await rollBackWorkflow(deps, OWNER, { workflowId: id, version: 'v0.0.1' })
    expect([await outputOf(PUBLISHED), (await catalog.get(OWNER, id, PUBLISHED)).version]).toEqual(['one', 'v0.0.1'])
  })

  test('are compiled once, a draft again with every change, also within one millisecond', async () => {
    await using db = await open()
    const { make, save, publish, catalog } = openHouse(db)
    const { id } = await make()
    await publish(id)
    const graphOf = async (version: string) => (await catalog.get(OWNER, id, version)).graph

    const together = await Promise.all(Array.from({ length: 20 }, () => graphOf(PUBLISHED)))
    expect(new Set([...together, await graphOf('v0.0.1')]).size).toBe(1)
    const draft = await graphOf(DRAFT)
    expect(await graphOf(DRAFT)).toBe(draft)
    await save(id, { canvas: passOn('two') })
    expect(await graphOf(DRAFT)).not.toBe(draft)
    expect(await graphOf(PUBLISHED)).toBe(together[0])
  })

  test('do not exist for others, in no version, nor under ids and versions that are none', async () => {
    await using db = await open()
    const { make, publish, catalog } = openHouse(db)
    const { id } = await make({ id: '7498668117704163337' })
    const other = await make()
    await publish(id)
    await publish(other.id, 'v9')
    await catalog.get(OWNER, id, PUBLISHED)

    for (const version of [PUBLISHED, DRAFT, 'v0.0.1']) await expect(catalog.get({ userId: '2' }, id, version)).rejects.toEqual(NOT_FOUND)
    for (const unknown of ['7498668117704163338', '', 'abc', '1 or 1=1', '9'.repeat(30), '-1'])
      await expect(catalog.get(OWNER, unknown, PUBLISHED), unknown).rejects.toEqual(NOT_FOUND)
    for (const version of ['v9', 'V0.0.1', 'v0.0.1 ', 'draft'])
      await expect(catalog.get(OWNER, id, version)).rejects.toEqual(
        expect.objectContaining({ message: `workflow ${id} has no version ${version}` }),
      )
  })

  test('that are not published say so, to their owner', async () => {
    await using db = await open()
    const { deps, make, publish, catalog } = openHouse(db)
    const { id } = await make()
    const unpublished = expect.objectContaining({ code: 'not_published', message: expect.stringContaining('is not published') })
    await expect(catalog.get(OWNER, id, PUBLISHED)).rejects.toEqual(unpublished)

    await publish(id)
    await catalog.get(OWNER, id, PUBLISHED)
    await unpublishWorkflow(deps, OWNER, id)
    await expect(catalog.get(OWNER, id, PUBLISHED)).rejects.toEqual(unpublished)
    expect(await catalog.get(OWNER, id, 'v0.0.1')).toMatchObject({ version: 'v0.0.1' })
    await expect(catalog.get({ userId: '2' }, id, PUBLISHED)).rejects.toEqual(NOT_FOUND)
  })

  test('a draft that cannot run says where and why, until it can', async () => {
    await using db = await open()
    const { make, save, catalog } = openHouse(db)
    const { id } = await make({ name: 'greet', canvas: passOn() })
    const unknown = passOn()
    unknown.nodes.push({ id: '101', type: '999', meta: {}, data: { nodeMeta: { title: '', description: '' }, inputs: {}, outputs: [] } })
    unknown.edges.push({ sourceNodeID: '100001', targetNodeID: '101' })
    await save(id, { name: 'greet', canvas: unknown })

    await expect(catalog.get(OWNER, id, DRAFT)).rejects.toEqual(
      expect.objectContaining({
        code: 'invalid_request',
        message: expect.stringMatching(/^the workflow greet cannot run: node 101, type: .*999/),
      }),
    )
    await save(id, { canvas: '{"nodes":5}' })
    await expect(catalog.get(OWNER, id, DRAFT)).rejects.toEqual(expect.objectContaining({ code: 'invalid_request' }))
    await save(id, { canvas: passOn() })
    expect(await catalog.get(OWNER, id, DRAFT)).toMatchObject({ version: '' })
  })

  test('the app is the one that the workflow belongs to now', async () => {
    await using db = await open()
    const { deps, make, save, publish, catalog } = openHouse(db)
    await saveApp(deps, OWNER, { id: '700001', name: 'shop', description: '', iconUrl: '', version: '1', variables: [], conversations: [] })
    const { id } = await make()
    await publish(id)
    expect((await catalog.get(OWNER, id, PUBLISHED)).appId).toBeUndefined()

    await save(id, { appId: '700001' })
    expect((await catalog.get(OWNER, id, PUBLISHED)).appId).toBe('700001')
  })

  test('integers of 19 digits in a canvas are exact', async () => {
    await using db = await open()
    const { make, catalog } = openHouse(db)
    const canvas = JSON.stringify(passOn()).replace(
      '"inputParameters":[',
      '"inputParameters":[{"name":"n","input":{"type":"integer","value":{"type":"literal","content":7498668117704163337}}},',
    )
    const { id } = await make({ canvas })

    const exit = (await catalog.get(OWNER, id, DRAFT)).graph.nodes.get('900001')
    expect(exit?.inputs[0]?.source).toEqual({ from: 'literal', value: 7498668117704163337n })
  })
})
