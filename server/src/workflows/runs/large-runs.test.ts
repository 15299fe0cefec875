import { describe, expect, test } from 'vitest'
import { drawCanvas, input, ref } from '../../../test/support/canvas-builder.ts'
import type { CanvasJson } from '../../../test/support/canvas-builder.ts'
import { withProbe } from '../../../test/support/engine-house.ts'
import { testDatabases } from '../../../test/support/test-databases.ts'
import { ADA, openWorkflowRunHouse } from '../../../test/support/workflow-run-house.ts'
import type { NodeResult, NodeRun } from '../engine/node-type.ts'
import type { Value } from '../values/value.ts'
import { listNodeRuns } from './node-run-store.ts'
import { recoverWorkflowRuns } from './recover-workflow-runs.ts'
import { getWorkflowRun } from './workflow-runs.ts'

const text = { outputs: { output: 'string' } } as const
const done = (output: Value) => ({ kind: 'done', outputs: { output } }) as const

const one = (returns: boolean): CanvasJson =>
  drawCanvas()
    .entry({})
    .node('101', 901, { title: 'hoarder', ...text })
    .exit(returns ? { result: ref('101.output') } : {})
    .edges('entry > 101 > exit')
    .build()

describe.each(testDatabases())('large runs on $name', ({ open }) => {
  test('what no database takes is the failure of its node, and hinders nobody else', async () => {
    await using db = await open()
    const house = openWorkflowRunHouse(db, { types: withProbe({ 101: () => done('x'.repeat(20_000_000)) }) })
    const { finished } = await house.start(await house.store(one(false)))
    const small = drawCanvas().entry({}).exit({ n: 1 }).edges('entry > exit').build()

    expect(await house.run(await house.store(small))).toMatchObject({ status: 'succeeded' })
    expect(await finished).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('hoarder') as string } })
    expect(house.errors).toEqual([])
  })

  test('what is just small enough is stored in any script, and read again after a crash', async () => {
    await using db = await open()
    // three bytes each, and two with their escapes: as much as a row can become
    const large = '漢'.repeat(4_900_000)
    const dead = openWorkflowRunHouse(db, { types: withProbe({ 101: () => done(large) }), workerToken: 'dead' })
    const { run, finished } = await dead.start(await dead.store(one(true)))
    expect((await finished).status).toBe('succeeded')
    await db.updateTable('workflow_run').set({ status: 'running' }).where('id', '=', run.id).execute()
    await db.deleteFrom('workflow_node_run').where('path', '=', '900001').execute()

    const next = openWorkflowRunHouse(db, { types: withProbe({}), workerToken: 'next', workerId: 2 })
    await recoverWorkflowRuns(next.deps)
    await expect.poll(async () => (await getWorkflowRun(next.deps, ADA, { runId: run.id })).status, { timeout: 15_000 }).toBe('succeeded')
    expect((await getWorkflowRun(next.deps, ADA, { runId: run.id })).output).toBe(JSON.stringify({ result: large }))
    expect([...dead.errors, ...next.errors]).toEqual([])
  }, 120_000)

  test('a result, or questions, that are too large as they are stored fail the run, and say so', async () => {
    await using db = await open()
    const quotes = '"'.repeat(2_400_000)
    const asking = (run: NodeRun): NodeResult => ({ kind: 'waiting', events: [run.createEvent(2, 'x'.repeat(3_000_000))] })
    const two = drawCanvas().entry({}).node('101', 900).node('102', 900).exit({}).edges('entry > 101 > exit', 'entry > 102 > exit').build()
    const house = openWorkflowRunHouse(db, { types: withProbe({ 101: () => done(quotes) }) })
    const asker = openWorkflowRunHouse(db, { types: withProbe({ 101: asking, 102: asking }), workerId: 2 })

    expect(await house.run(await house.store(one(true)))).toMatchObject({
      status: 'failed',
      error: { message: expect.stringContaining('larger than') as string },
    })
    expect(await asker.run(await asker.store(two))).toMatchObject({
      status: 'failed',
      error: { message: expect.stringContaining('larger than') as string },
    })
    expect([...house.errors, ...asker.errors]).toEqual([])
  })

  test('many long messages at once are stored in pieces, and each reader has all of them', async () => {
    await using db = await open()
    const house = openWorkflowRunHouse(db)
    const drawing = drawCanvas().entry({ a: 'string' }).exit({})
    const ids = Array.from({ length: 30 }, (_each, at) => String(201 + at))
    for (const id of ids)
      drawing.node(id, 13, { params: { a: ref('entry.a') }, inputs: { content: input('{{a}}') }, outputs: { output: 'string' } })
    const canvas = drawing.edges(...ids.map((id) => `entry > ${id} > exit`)).build()
    const run = await house.run(await house.store(canvas), { parameters: { a: '漢'.repeat(400_000) } })

    expect(run.status).toBe('succeeded')
    expect((await house.events(run.id)).map(({ type }) => type)).toEqual([...new Array<string>(31).fill('message'), 'succeeded'])
    expect((await listNodeRuns(db, run.id)).filter(({ state }) => state === 'done')).toHaveLength(32)
    expect(house.errors).toEqual([])
  }, 120_000)
})
