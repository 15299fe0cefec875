import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { drawCanvas, input, literal, ref, variable } from '../support/canvas-builder.ts'
import type { Input, NodeSketch } from '../support/canvas-builder.ts'
import { APP, openCanvasHouse } from '../support/canvas-house.ts'
import type { CanvasHouse } from '../support/canvas-house.ts'
import { concat, runs, text } from '../support/node-sketches.ts'

let house: CanvasHouse
beforeAll(async () => void (house = await openCanvasHouse()))
afterAll(() => house[Symbol.asyncDispose]())

/** Fails in a node that reads JSON (59). */
const fail = (): NodeSketch => ({ params: { input: 'no JSON' }, outputs: { output: 'object' } })

describe('other workflows', () => {
  const outer = (sketch: NodeSketch, exit: Record<string, Input> = { got: ref('101', 'object') }) =>
    drawCanvas().entry({ a: 'string' }).node('101', 9, sketch).exit(exit).edges('entry > 101 > exit').build()
  const inner = (suffix: string) =>
    drawCanvas()
      .entry({ a: 'string', n: 'integer' }, { a: 'default', n: '3' })
      .node('101', 15, concat(`{{a}}${suffix}`, { a: ref('entry.a') }))
      .exit({ a: ref('101.output'), n: ref('entry.n', 'integer') })
      .edges('entry > 101 > exit')
      .build()

  test('without a version are drafts as they are now, with one as they were published', async () => {
    const id = await house.store(inner(' v1'))
    await house.publish(id, 'v0.0.1')
    const draft = await house.store(inner(' draft'))
    expect(await house.results(outer(runs(id, { version: 'v0.0.1', params: { a: ref('entry.a') } })), { a: 'x' })).toEqual({
      got: { a: 'x v1', n: 3 },
    })
    expect(await house.results(outer(runs(draft, { params: { a: ref('entry.a') } })), { a: 'x' })).toEqual({ got: { a: 'x draft', n: 3 } })
    expect(await house.play(outer(runs(id, { version: 'v9' })))).toMatchObject({ status: 'failed', error: expect.stringContaining('v9') })
  })

  test('convert what they are given, take their defaults for what is empty, and give what the caller does not declare', async () => {
    const id = await house.store(inner('!'))
    const sketch = runs(id, { params: { a: '', n: literal('7', 'string') }, outputs: { a: 'string' } })
    expect(await house.results(outer(sketch, { a: ref('101.a'), n: ref('101.n', 'integer') }))).toEqual({ a: 'default!', n: 7 })
  })

  test('that answer give their text', async () => {
    const id = await house.store(
      drawCanvas()
        .entry({ a: 'string' })
        .answer('<{{a}}>', { a: ref('entry.a') })
        .edges('entry > exit')
        .build(),
    )
    const sketch = runs(id, { type: 1, params: { a: ref('entry.a') }, ...text })
    const ran = await house.play(outer(sketch), { a: 'x' })
    expect(ran.output).toEqual({ got: { output: '<x>' } })
    expect(ran.messages).toHaveLength(1)
  })

  test('fail their node, which may go on with default data', async () => {
    const id = await house.store(drawCanvas().entry({}).node('101', 59, fail()).exit({}).edges('entry > 101 > exit').build())
    expect(await house.play(outer(runs(id)))).toMatchObject({ status: 'failed', error: expect.stringContaining('not valid JSON') })
    const sketch = runs(id, { onError: { processType: 2, dataOnErr: '{"a":"instead"}' }, outputs: { a: 'string' } })
    expect(await house.results(outer(sketch, { a: ref('101.a'), ok: ref('101.isSuccess', 'boolean') }))).toEqual({
      a: 'instead',
      ok: false,
    })
  })

  test('want what they require', async () => {
    const id = await house.store(drawCanvas().entry({ 'must!': 'string' }).exit({}).edges('entry > exit').build())
    expect(await house.play(outer(runs(id)))).toMatchObject({ status: 'failed', error: expect.stringContaining('must') })
    expect(await house.play(outer(runs(id, { params: { must: ref('entry.a') } })))).toMatchObject({ status: 'succeeded' })
  })

  test('may be named by a number', async () => {
    const id = await house.store(inner('!'), { id: '123456' })
    const canvas = outer(runs(id))
    Object.assign(canvas.nodes.find((node) => node.id === '101')?.data.inputs ?? {}, { workflowId: 123456 })
    expect(await house.results(canvas)).toEqual({ got: { a: 'default!', n: 3 } })
  })
})

describe('variables', () => {
  const assign = (...assignments: [left: Input, value: Input][]): NodeSketch => ({
    inputs: {
      inputParameters: assignments.map(([left, value], index) => ({ name: `v${index}`, left, input: input(value) })),
      variableTypeMap: { Name: 'string' },
    },
    outputs: { isSuccess: 'boolean' },
  })

  test('of an app begin as they are declared, and keep what a run writes for that run only, loops and other workflows included', async () => {
    await house.makeApp({
      variables: [
        { name: 'count', type: 'integer', default: '10' },
        { name: 'tags', type: 'list', default: '["a"]' },
      ],
    })
    const count = variable('app', 'count', 'integer')
    const reader = await house.store(
      drawCanvas()
        .entry({})
        .node('101', 40, assign([variable('app', 'tags', ['string']), literal(['inner'], ['string'])]))
        .exit({ count })
        .edges('entry > 101 > exit')
        .build(),
    )
    const canvas = drawCanvas()
      .entry({ words: ['string'] })
      .node('100', 15, concat('{{c}}', { c: count }))
      .node('101', 40, assign([count, literal(20, 'integer')]))
      .loop('200', { params: { word: ref('entry.words', ['string']) }, outputs: { seen: ref('201.output', ['string']) } }, (body) =>
        body
          .node('201', 15, concat('{{word}}{{c}}', { word: ref('200.word'), c: count }))
          .node('202', 40, assign([count, ref('200.index', 'integer')]))
          .edges('start > 201 > 202 > end'),
      )
      .node('102', 9, { inputs: { workflowId: reader, workflowVersion: '', type: 0 }, outputs: { count: 'integer' } })
      .exit({
        before: ref('100.output'),
        seen: ref('200.seen', ['string']),
        inner: ref('102.count', 'integer'),
        after: count,
        tags: variable('app', 'tags', ['string']),
        ok: ref('101.isSuccess', 'boolean'),
      })
      .edges('entry > 100 > 101 > 200:loop-output > 102 > exit')
      .build()
    for (let time = 0; time < 2; time++)
      expect(await house.results(canvas, { words: ['a', 'b'] }, { appId: APP })).toEqual({
        ...{ before: '10', seen: ['a20', 'b0'], inner: 1, after: 1, tags: ['inner'], ok: true },
      })
  })

  test('of a user are kept for the next run', async () => {
    await house.makeApp({ variables: [{ name: 'city', default: 'nowhere' }] })
    const canvas = drawCanvas()
      .entry({ city: 'string' })
      .node('101', 15, concat('{{c}}', { c: variable('user', 'city') }))
      .node('102', 40, assign([variable('user', 'city'), ref('entry.city')]))
      .exit({ before: ref('101.output'), after: variable('user', 'city') })
      .edges('entry > 101 > 102 > exit')
      .build()
    const as = (endUser: string, city: string) => house.results(canvas, { city }, { appId: APP, endUser })
    expect(await as('ada', 'Berlin')).toEqual({ before: 'nowhere', after: 'Berlin' })
    expect(await as('ada', 'Rome')).toEqual({ before: 'Berlin', after: 'Rome' })
    expect(await as('bob', 'Paris')).toEqual({ before: 'nowhere', after: 'Paris' })
  })

  test('of the system are read only', async () => {
    await house.makeApp()
    const reads = drawCanvas()
      .entry({})
      .exit({ who: variable('system', 'sys_uuid') })
      .edges('entry > exit')
      .build()
    expect(await house.results(reads, {}, { appId: APP, endUser: 'ada' })).toEqual({ who: 'ada' })
    const writes = drawCanvas()
      .entry({})
      .node('101', 40, assign([variable('system', 'sys_uuid'), 'x']))
      .exit({})
      .edges('entry > 101 > exit')
      .build()
    await expect(house.play(writes, {}, { appId: APP })).rejects.toMatchObject({ code: 'invalid_request' })
  })

  test('belong to an app or an agent', async () => {
    const canvas = drawCanvas()
      .entry({})
      .exit({ a: variable('app', 'count', 'integer') })
      .edges('entry > exit')
      .build()
    expect(await house.play(canvas)).toMatchObject({ status: 'failed', error: expect.stringContaining('app_id or a bot_id') })
  })
})
