import { describe, expect, test } from 'vitest'
import { drawCanvas, ref } from '../../../test/support/canvas-builder.ts'
import { BOB, asking, chain, hanging, openProbeHouse, text } from '../../../test/support/probe-runs.ts'
import { testDatabases } from '../../../test/support/test-databases.ts'
import { ADA } from '../../../test/support/workflow-run-house.ts'
import { NodeError } from '../engine/node-error.ts'
import { listNodeRuns } from './node-run-store.ts'
import { queueOf } from './workflow-run-ending.ts'
import { cancelWorkflowRun, getWorkflowRun, listOwnNodeRuns, listOwnWorkflowRuns, resumeWorkflowRun } from './workflow-runs.ts'

type HouseSettings = Parameters<typeof openProbeHouse> extends [unknown, ...infer Rest] ? Rest : never

describe.each(testDatabases())('runs of workflows on $name', (database) => {
  const openHouse = (...settings: HouseSettings) => openProbeHouse(database, ...settings)

  test('a run is recorded with its result, its nodes and what was said', async () => {
    const house = await openHouse({
      101: (run) => {
        run.addUsage({ inputTokens: 3, outputTokens: 4 })
        return { kind: 'done', outputs: { output: '<b>' } }
      },
    })
    const id = await house.store(chain(900, 901))
    const run = await house.run(id, { parameters: { word: 'hi' } })

    expect(run).toMatchObject({
      status: 'succeeded',
      output: '{"result":"\\u003cb\\u003e","word":"hi"}',
      usage: { inputTokens: 3, outputTokens: 4 },
    })
    expect(await getWorkflowRun(house.deps, ADA, { runId: run.id, workflowId: id })).toEqual(run)
    const { nodes } = await listOwnNodeRuns(house.deps, ADA, { runId: run.id, page: 1, size: 10 })
    expect(nodes.map(({ nodeId, state }) => [nodeId, state])).toEqual([
      ['100001', 'done'],
      ['101', 'done'],
      ['102', 'done'],
      ['900001', 'done'],
    ])
    expect(nodes[1]).toMatchObject({
      inputs: { output: 'hi' },
      outputs: { output: '<b>' },
      usage: { inputTokens: 3, outputTokens: 4 },
      attempts: 1,
    })
    expect((await house.events(run.id)).map(({ type }) => type)).toEqual(['message', 'succeeded'])
    expect(house.errors).toEqual([])
  })

  test('a failed run says what failed, in which node', async () => {
    const house = await openHouse({ 101: () => Promise.reject(new NodeError(305000002, 'no such thing')) })
    const run = await house.run(await house.store(chain(900)))

    expect(run).toMatchObject({ status: 'failed', error: { code: 305000002, message: 'no such thing' } })
    const nodes = await listNodeRuns(house.db, run.id)
    expect(nodes.find(({ nodeId }) => nodeId === '101')).toMatchObject({ state: 'failed', error: { message: 'no such thing' } })
    expect((await house.events(run.id)).at(-1)).toMatchObject({ type: 'failed', error: run.error })
  })

  test('a bug is told as an internal error and reported', async () => {
    const house = await openHouse({ 101: () => Promise.reject(new TypeError('secret detail')) })
    const run = await house.run(await house.store(chain(900)))

    expect(run.error?.message).toBe('Workflow execution failure: internal server error')
    expect(String(house.errors[0])).toContain('secret detail')
  })

  test('parameters of wrong types are refused before anything is stored, when the caller is strict', async () => {
    const house = await openHouse()
    const canvas = drawCanvas()
      .entry({ 'count!': 'integer' })
      .exit({ count: ref('entry.count', 'integer') })
      .edges('entry > exit')
      .build()
    const id = await house.store(canvas)

    await expect(house.run(id, { isStrict: true, parameters: {} })).rejects.toThrow('count')
    await expect(house.run(id, { isStrict: true, parameters: { count: 'many' } })).rejects.toThrow('count')
    expect((await house.run(id, { isStrict: false, parameters: { count: 'many' } })).output).toBe('{"count":0}')
    expect((await house.run(id, { isStrict: true, parameters: { count: '9223372036854775807' } })).output).toBe(
      '{"count":9223372036854775807}',
    )
    const { runs } = await listOwnWorkflowRuns(house.deps, ADA, { workflowId: id, page: 1, size: 10 })
    expect(runs).toHaveLength(2)
  })

  describe('a run that waits', () => {
    test('is a row and nothing else, and goes on with the answer', async () => {
      const counts = { 101: 0 }
      const house = await openHouse({
        101: () => {
          counts[101]++
          return { kind: 'done', outputs: { output: 'once' } }
        },
        102: asking,
      })
      const id = await house.store(chain(901, 900))
      const waiting = await house.run(id)
      expect(waiting).toMatchObject({ status: 'waiting', waiting: [{ nodeId: '102', type: 2, path: '102' }] })
      expect(house.deps.liveRuns.count).toBe(0)

      expect(await house.answer(waiting, 'yes')).toMatchObject({ status: 'succeeded', output: '{"result":"yes","word":""}', waiting: [] })
      expect(counts[101]).toBe(1)
      expect((await house.events(waiting.id)).map(({ type }) => type)).toEqual(['message', 'waiting', 'message', 'succeeded'])
    })

    test('refuses events of others, used ones, made-up ones', async () => {
      const house = await openHouse({ 101: asking })
      const id = await house.store(chain(900))
      const run = await house.run(id)
      const eventId = `${run.id}/${run.waiting[0]?.id ?? ''}`
      const resume = (who: typeof ADA, request: object = {}) =>
        resumeWorkflowRun(house.deps, who, { workflowId: id, eventId, data: 'x', ...request })

      await expect(resume(BOB)).rejects.toMatchObject({ code: 'not_found' })
      await expect(resume(ADA, { workflowId: '55' })).rejects.toMatchObject({ code: 'not_found' })
      await expect(resume(ADA, { eventId: `${run.id}/999` })).rejects.toMatchObject({ code: 'conflict' })
      for (const broken of ['', 'x', '1/2/3', `${run.id}/`, 'a/b', '99999999999999999999/1'])
        await expect(resume(ADA, { eventId: broken })).rejects.toMatchObject({ code: 'invalid_request' })
      await (
        await resume(ADA)
      ).finished
      await expect(resume(ADA)).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('succeeded') as string })
    })

    test('of two answers at once takes one', async () => {
      const house = await openHouse({ 101: asking })
      const id = await house.store(chain(900))
      const run = await house.run(id)
      const eventId = `${run.id}/${run.waiting[0]?.id ?? ''}`
      const both = await Promise.allSettled(
        ['one', 'two'].map((data) => resumeWorkflowRun(house.deps, ADA, { workflowId: id, eventId, data })),
      )

      expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
      const taken = both.find((each) => each.status === 'fulfilled')
      expect((await taken?.value.finished)?.status).toBe('succeeded')
    })

    test('is canceled for good', async () => {
      const house = await openHouse({ 101: asking })
      const id = await house.store(chain(900))
      const run = await house.run(id)

      expect(await cancelWorkflowRun(house.deps, ADA, { runId: run.id })).toMatchObject({ status: 'canceled', waiting: [] })
      await expect(cancelWorkflowRun(house.deps, ADA, { runId: run.id })).rejects.toMatchObject({ code: 'cannot_cancel' })
      await expect(house.answer(run, 'late')).rejects.toMatchObject({ code: 'conflict' })
      expect((await house.events(run.id)).at(-1)).toMatchObject({ type: 'canceled' })
    })

    test('for two nodes is answered in order', async () => {
      const canvas = drawCanvas()
        .entry({})
        .node('101', 900, text)
        .node('102', 900, text)
        .exit({ a: ref('101.output'), b: ref('102.output') })
        .edges('entry > 101 > exit', 'entry > 102 > exit')
        .build()
      const house = await openHouse({ 101: asking, 102: asking })
      const run = await house.run(await house.store(canvas))
      const second = { workflowId: run.workflowId, eventId: `${run.id}/${run.waiting[1]?.id ?? ''}`, data: 'b' }

      await expect(resumeWorkflowRun(house.deps, ADA, second)).rejects.toThrow('another event of this run has to be answered first')
      const half = await house.answer(run, 'a')
      expect(half.waiting.map(({ id }) => id)).toEqual([run.waiting[1]?.id])
      expect((await house.answer(half, 'b')).output).toBe('{"a":"a","b":"b"}')
    })
  })

  test('a running run is canceled: its nodes are stopped', async () => {
    const house = await openHouse({ 101: hanging })
    const { run, finished } = await house.start(await house.store(chain(900)))

    expect(await cancelWorkflowRun(house.deps, ADA, { runId: run.id })).toMatchObject({ status: 'canceled' })
    expect((await finished).status).toBe('canceled')
    expect(house.deps.liveRuns.count).toBe(0)
  })

  test('one node is tried out alone, with inputs that are given', async () => {
    const house = await openHouse()
    const id = await house.store(chain(900, 900))
    const run = await house.run(id, { onlyNode: '102', parameters: { output: 'given' } })

    expect(run).toMatchObject({ status: 'succeeded', output: '{"output":"given"}' })
    await expect(house.run(id, { onlyNode: '999' })).rejects.toMatchObject({ code: 'not_found' })
    expect((await listOwnWorkflowRuns(house.deps, ADA, { workflowId: id, page: 1, size: 10 })).runs).toEqual([])
  })
})

describe('who is answered next', () => {
  const event = (id: string, path = id) => ({ id, path, nodeId: path, nodeType: '18', nodeTitle: '', type: 2, data: '' })

  test('a node that asks again comes first, what is new last', () => {
    const waiting = [event('1', 'a'), event('2', 'b'), event('3', 'c')]
    const next = queueOf({ waiting, answer: { eventId: '1', data: '' } }, [
      event('3', 'c'),
      event('9', 'd'),
      event('2', 'b'),
      event('8', 'a'),
    ])

    expect(next.map(({ id }) => id)).toEqual(['8', '2', '3', '9'])
  })
})
