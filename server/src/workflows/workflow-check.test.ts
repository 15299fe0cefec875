import { describe, expect, test } from 'vitest'
import { drawCanvas, ref, variable } from '../../test/support/canvas-builder.ts'
import { testDatabases } from '../../test/support/test-databases.ts'
import { OWNER, answers, calls, offers, openWorkflowHouse, passOn } from '../../test/support/workflow-house.ts'
import { saveApp } from '../bots/apps.ts'
import type { Db } from '../db/database.ts'
import { createSnowflake } from '../lib/snowflake.ts'
import { llmNode } from './nodes/llm-node.ts'
import { nodeTypes } from './nodes/node-registry.ts'
import { assertRunnable, checkWorkflow, describeIssues } from './workflow-check.ts'
import type { CheckedCanvas } from './workflow-check.ts'
import { createWorkflow } from './workflows.ts'

async function linesFor(db: Db, workflow: CheckedCanvas & { name?: string }): Promise<string[]> {
  const types = new Map([...nodeTypes, [llmNode.code, llmNode] as const])
  return describeIssues({ id: workflow.id, name: workflow.name ?? '' }, await checkWorkflow({ db, nodeTypes: types }, workflow))
}

const textOf = (canvas: unknown) => ({ name: 'greet', canvas: JSON.stringify(canvas) })

describe.each(testDatabases())('what keeps a canvas from running, on $name', ({ open }) => {
  test('nothing, where it can run', async () => {
    await using db = await open()
    expect(await linesFor(db, textOf(passOn()))).toEqual([])
  })

  test('is told by workflow, node, place and reason', async () => {
    await using db = await open()
    const { make } = openWorkflowHouse(db)
    const unconnected = drawCanvas().entry({}).exit({}).build()
    const workflow = await make({ id: '123456', name: '问候', canvas: unconnected })
    const misnamed = drawCanvas()
      .entry({ city: 'string' })
      .exit({ '1a': ref('entry.city') })
      .edges('entry > exit')
      .build()

    expect(await linesFor(db, workflow)).toEqual(['  workflow 问候 (123456), node 100001 "start": node "start" not connected'])
    expect(await linesFor(db, textOf(misnamed))).toEqual([
      expect.stringMatching(/^ {2}workflow greet, node 900001 "end", inputs\.inputParameters\[0\].*: parameter name only allows number or/),
    ])
  })

  test.each([
    ['{}', '  workflow greet, nodes: this is no canvas: it has no list of nodes. Export it from Coze Studio'],
    [
      '{"nodes":[{"id":5}]}',
      '  workflow greet, nodes[0].id: must be a text of at most 64 letters, digits, - and _ that begins with a letter or digit',
    ],
  ])('a file that holds no canvas: %s', async (canvas, line) => {
    await using db = await open()
    expect(await linesFor(db, { name: 'greet', canvas })).toEqual([line])
  })

  test('a canvas with 10,000 nodes is one issue, told soon', async () => {
    await using db = await open()
    const nodes = Array.from({ length: 10_000 }, (_, at) => ({ id: `${at}`, type: '15', data: {} }))
    const startedAt = Date.now()

    expect(await linesFor(db, textOf({ nodes, edges: [] }))).toEqual([expect.stringContaining('10000 nodes: at most 2000')])
    expect(Date.now() - startedAt).toBeLessThan(5_000)
  })

  test('a workflow that it calls and that is not there, to the last of 19 digits', async () => {
    await using db = await open()
    const { make, publish } = openWorkflowHouse(db)
    const { id } = await make({ id: '7498668117704163337' })
    await publish(id, 'v0.0.1')

    for (const there of [calls(id), calls(id, { version: 'v0.0.1' }), offers(id), offers(id, 'v0.0.1')])
      expect(await linesFor(db, textOf(there))).toEqual([])
    const missing = ['7498668117704163338', '1', '99999999999999999999']
    for (const each of missing) {
      expect(await linesFor(db, textOf(calls(each)))).toEqual([
        `  workflow greet, node 101 "call", inputs.workflowId: the workflow ${each} does not exist`,
      ])
      expect(await linesFor(db, textOf(offers(each)))).toEqual([
        `  workflow greet, node 102 "ask", inputs.fcParam.workflowFCParam.workflowList[0].workflow_id: the workflow ${each} does not exist`,
      ])
    }
    for (const old of [calls(id, { version: 'v9' }), offers(id, 'v9')])
      expect(await linesFor(db, textOf(old))).toEqual([expect.stringContaining(`the workflow ${id} of version v9 does not exist`)])
  })

  test('ids that a canvas holds as numbers are exact too', async () => {
    await using db = await open()
    const { make } = openWorkflowHouse(db)
    const { id } = await make({ id: '7498668117704163337' })

    for (const drawn of [calls('THE ID'), offers('THE ID')]) {
      const canvas = JSON.stringify(drawn).replace('"THE ID"', id)
      expect(await linesFor(db, { name: 'greet', canvas })).toEqual([])
    }
  })

  test('a workflow of somebody else is not there; without an owner, as of a file, it is', async () => {
    await using db = await open()
    const { deps, make } = openWorkflowHouse(db)
    const theirs = await make({ id: '5' })
    const mine = { ...theirs, id: '6', canvas: JSON.stringify(calls('5')) }
    await createWorkflow(deps, { userId: '2' }, mine)

    expect(await linesFor(db, { ...mine, ownerId: '2' })).toEqual([expect.stringContaining('the workflow 5 does not exist')])
    expect(await linesFor(db, { ...mine, ownerId: '1' })).toEqual([])
    expect(await linesFor(db, textOf(calls('5')))).toEqual([])
  })

  test('what a called draft ends with, which the caller does not expect, and what keeps that draft from running', async () => {
    await using db = await open()
    const { make, save } = openWorkflowHouse(db)
    const called = await make({ id: '5', name: 'inner', canvas: answers() })

    expect(await linesFor(db, textOf(calls('5', { type: 1 })))).toEqual([])
    expect(await linesFor(db, textOf(calls('5')))).toEqual([expect.stringContaining('please refresh the page')])
    await save(called.id, { name: 'inner', canvas: { nodes: [], edges: [] } })
    expect(await linesFor(db, textOf(calls('5')))).toContain(
      '  workflow inner (5): the canvas has no Entry node: it must have one, of the type 1 and with the id 100001',
    )
    await save(called.id, { name: 'inner', canvas: '{"nodes":1}' })
    expect(await linesFor(db, textOf(calls('5')))).toEqual([expect.stringContaining('the canvas of the workflow 5 cannot be read')])
  })

  test('a call of itself', async () => {
    await using db = await open()
    const { make } = openWorkflowHouse(db)
    const workflow = await make({ id: '5', canvas: calls('5') })

    expect(await linesFor(db, workflow)).toEqual([expect.stringContaining('a workflow must not call itself')])
  })

  test('a value of another type for a variable of its app', async () => {
    await using db = await open()
    const { make } = openWorkflowHouse(db)
    const clock = () => 1
    const app = { name: 'shop', description: '', iconUrl: '', version: '1', conversations: [] }
    const variables = [{ name: 'count', type: 'integer' as const, default: '', description: '' }]
    await saveApp({ db, clock, nextId: createSnowflake(1, clock) }, OWNER, { id: '700001', ...app, variables })
    const assigns = (type: 'string' | 'integer') =>
      drawCanvas()
        .entry({ value: type })
        .node('101', 40, {
          inputs: { inputParameters: [{ name: 'count', left: variable('app', 'count', type), input: ref('entry.value', type) }] },
          outputs: { isSuccess: 'boolean' },
        })
        .exit({})
        .edges('entry > 101 > exit')
        .build()

    const issuesOf = async (type: 'string' | 'integer', appId?: string) => linesFor(db, await make({ appId, canvas: assigns(type) }))
    expect(await issuesOf('integer', '700001')).toEqual([])
    expect(await issuesOf('string', '700001')).toEqual([expect.stringContaining('param [count], type mismatch')])
    expect(await issuesOf('string')).toEqual([])
  })

  test('refuses to publish, with all of it', async () => {
    await using db = await open()
    const { make } = openWorkflowHouse(db)
    const broken = await make({ name: 'greet', canvas: { nodes: [], edges: [] } })

    const refusal = expect.objectContaining({
      code: 'invalid_request',
      message: expect.stringMatching(/greet.*\n.*no Entry node.*\n.*no Exit node/),
    })
    await expect(assertRunnable({ db, nodeTypes }, broken)).rejects.toEqual(refusal)
    await assertRunnable({ db, nodeTypes }, await make())
  })
})
