import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ValueObject } from '../../src/workflows/values/value.ts'
import { drawCanvas, literal, params, ref } from '../support/canvas-builder.ts'
import type { BatchSketch, CanvasJson, Drawing, Input, NodeSketch, TypeFields } from '../support/canvas-builder.ts'
import { openCanvasHouse } from '../support/canvas-house.ts'
import type { CanvasHouse } from '../support/canvas-house.ts'
import { concat } from '../support/node-sketches.ts'
import { startPlainServer } from '../support/plain-server.ts'

let house: CanvasHouse
beforeAll(async () => void (house = await openCanvasHouse()))
afterAll(() => house[Symbol.asyncDispose]())

type Body = (body: Drawing) => unknown
/** A batch `300` between entry and exit; the exit gives all its outputs as `got`. */
const batch = (entry: TypeFields, sketch: BatchSketch, body: Body): CanvasJson =>
  drawCanvas()
    .entry(entry)
    .batch('300', sketch, body)
    .exit({ got: ref('300', 'object') })
    .edges('entry > 300:batch-output > exit')
    .build()

const got = async (canvas: CanvasJson, args: ValueObject = {}) => ((await house.results(canvas, args)) as ValueObject).got

describe('a batch', () => {
  const doubled: Body = (body) =>
    body.node('301', 15, concat('{{w}}{{w}}{{i}}', { w: ref('300.w'), i: ref('300.index', 'integer') })).edges('start > 301 > end')
  const words = (size: Input, concurrency: Input) =>
    batch(
      { words: ['string'], size: 'string' },
      { size, concurrency, params: { w: ref('entry.words', ['string']) }, outputs: { out: ref('301.output', ['string']) } },
      doubled,
    )

  test('keeps the order and takes as many as its size says; 0 means 100', async () => {
    const given = { words: ['a', 'b', 'c'], size: '2' }
    expect(await got(words(100, 10), given)).toEqual({ out: ['aa0', 'bb1', 'cc2'] })
    expect(await got(words(literal('2', 'integer'), literal('1', 'integer')), given)).toEqual({ out: ['aa0', 'bb1'] })
    expect(await got(words(ref('entry.size', 'integer'), 3), given)).toEqual({ out: ['aa0', 'bb1'] })
    expect(await got(words(100, 10), { words: [] })).toEqual({ out: [] })
    const many = (await got(words(0, 0), { words: Array.from({ length: 150 }, () => 'x') })) as { out: string[] }
    expect(many.out).toHaveLength(100)
  })

  test('keeps null where a pass gave nothing, and fields of elements', async () => {
    const people = [{ name: 'string', ok: 'boolean' }] as [TypeFields]
    const canvas = batch(
      { people },
      { params: { p: ref('entry.people', people) }, outputs: { out: ref('302.output', ['string']) } },
      (body) =>
        body
          .selector('301', [{ if: [[11, ref('300.p.ok', 'boolean')]] }])
          .node('302', 15, concat('{{n}}', { n: ref('300.p.name') }))
          .edges('start > 301:true > 302 > end', '301:false > end'),
    )
    const given = [
      { name: 'Ada', ok: true },
      { name: 'Bob', ok: false },
      { name: 'Cid', ok: true },
    ]
    const ran = await house.play(canvas, { people: given })
    expect(ran.output).toEqual({ got: { out: ['Ada', null, 'Cid'] } })
  })

  test('runs no more at once than it may, and the first failure ends it', async () => {
    const state = { now: 0, most: 0 }
    await using server = await startPlainServer(async (request, response) => {
      state.most = Math.max(state.most, ++state.now)
      await new Promise((resolve) => setTimeout(resolve, 20))
      state.now--
      response.statusCode = request.url === '/bad' ? 500 : 200
      response.end(request.url)
    })
    const canvas = batch(
      { paths: ['string'] },
      { concurrency: 2, params: { p: ref('entry.paths', ['string']) }, outputs: { out: ref('301.body', ['string']) } },
      (body) =>
        body
          .node('301', 45, {
            inputs: { apiInfo: { method: 'GET', url: `${server.url}/{{block_output_300.p}}` }, setting: { retryTimes: 0 } },
            outputs: { body: 'string', statusCode: 'integer', headers: 'string' },
          })
          .edges('start > 301 > end'),
    )
    expect(await got(canvas, { paths: ['a', 'b', 'c', 'd', 'e'] })).toEqual({ out: ['/a', '/b', '/c', '/d', '/e'] })
    expect(state.most).toBe(2)

    server.requests.length = 0
    expect(await house.play(canvas, { paths: ['bad', 'b', 'c', 'd', 'e', 'f'] })).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('500'),
    })
    expect(server.requests.length).toBeLessThan(6)
  })
})

describe('a node in batch mode', () => {
  const batched = (inputs: Record<string, unknown>, outputs: TypeFields, more: object = {}): NodeSketch => ({
    params: { a: ref('400.item1.a'), whole: ref('400.item1', 'object'), outer: ref('entry.outer') },
    inputs: {
      ...inputs,
      batch: { batchEnable: true, batchSize: 100, concurrentSize: 3, inputLists: params({ item1: ref('entry.items', [{ a: 'string' }]) }) },
      ...more,
    },
    outputs,
  })
  const around = (node: NodeSketch, exit: Record<string, Input> = { got: ref('400.outputList', ['object']) }) =>
    drawCanvas()
      .entry({ items: [{ a: 'string' }], outer: 'string' })
      .node('400', 9, node)
      .exit(exit)
      .edges('entry > 400 > exit')
      .build()
  const args = { items: [{ a: '1' }, { a: '2' }], outer: 'o' }
  const inner = () =>
    house.store(
      drawCanvas()
        .entry({ a: 'string', whole: 'object', outer: 'string' })
        .exit({ out: ref('entry.a'), o: ref('entry.outer'), w: ref('entry.whole', 'object') })
        .edges('entry > exit')
        .build(),
    )

  test('runs once for each element, and gives a list of its outputs', async () => {
    const sketch = batched({ workflowId: await inner(), type: 0 }, { outputList: [{ out: 'string', o: 'string' }] })
    expect(await got(around(sketch), args)).toEqual([
      { out: '1', o: 'o', w: { a: '1' } },
      { out: '2', o: 'o', w: { a: '2' } },
    ])
    expect(await got(around(sketch), { items: [] })).toEqual([])
  })

  test('may have sizes as texts or none, and outputs of error handling beside its own', async () => {
    const node = around(batched({ workflowId: await inner(), type: 0 }, { outputList: [{ out: 'string' }] }))
    const data = node.nodes.find(({ id }) => id === '400')?.data
    const outputs = data?.outputs as object[]
    outputs.push({ name: 'errorBody', type: 'object', readonly: true }, { name: 'isSuccess', type: 'boolean', readonly: true })
    for (const sizes of [
      { batchSize: '1', concurrentSize: '1' },
      { batchSize: null, concurrentSize: undefined },
    ]) {
      Object.assign(data?.inputs.batch as object, sizes)
      expect(await got(node, args)).toHaveLength(sizes.batchSize === '1' ? 1 : 2)
    }
  })

  test('that is switched off is a plain node', async () => {
    const sketch: NodeSketch = {
      params: { a: ref('entry.outer') },
      inputs: { workflowId: await inner(), type: 0, batch: { batchEnable: false, batchSize: 100, concurrentSize: 3, inputLists: [] } },
      outputs: { out: 'string' },
    }
    expect(await got(around(sketch, { got: ref('400.out') }), args)).toBe('o')
  })

  test('handles the errors of each element by itself', async () => {
    const failing = await house.store(
      drawCanvas()
        .entry({ a: 'string' })
        .node('101', 59, { params: { input: ref('entry.a') }, outputs: { output: 'integer' } })
        .exit({ out: ref('101.output', 'integer') })
        .edges('entry > 101 > exit')
        .build(),
    )
    const sketch = batched(
      { workflowId: failing, type: 0 },
      { outputList: [{ out: 'integer' }] },
      { settingOnError: { switch: true, processType: 2, dataOnErr: '{"out":-1}' } },
    )
    const list = (await got(around(sketch), { items: [{ a: '1' }, { a: 'x' }], outer: '' })) as ValueObject[]
    expect(list.map(({ out, isSuccess }) => [out, isSuccess])).toEqual([
      [1, true],
      [-1, false],
    ])
  })
})
