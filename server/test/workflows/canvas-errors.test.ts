import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ValueObject } from '../../src/workflows/values/value.ts'
import { drawCanvas, ref } from '../support/canvas-builder.ts'
import type { CanvasJson, NodeSketch, Params } from '../support/canvas-builder.ts'
import { openCanvasHouse } from '../support/canvas-house.ts'
import type { CanvasHouse, Ran } from '../support/canvas-house.ts'
import { answers, fails, says, wait } from '../support/fake-provider.ts'
import { asks, concat, model, single } from '../support/node-sketches.ts'

let house: CanvasHouse
beforeAll(async () => void (house = await openCanvasHouse()))
afterAll(() => house[Symbol.asyncDispose]())
beforeEach(() => {
  house.provider.requests.length = 0
  house.provider.script = says('fine')
})

/** Fails for what is no JSON. */
const parses = (sketch: NodeSketch = {}): NodeSketch => ({
  params: { input: ref('entry.json') },
  outputs: { output: 'integer', more: 'string' },
  ...sketch,
})

const draw = (node: NodeSketch, exit?: Params, type = 59): CanvasJson => single(type, node, { entry: { json: 'string' }, exit })
const got = async (canvas: CanvasJson, args: ValueObject = { json: 'bad' }) => ((await house.results(canvas, args)) as ValueObject).got

const NOT_JSON = { errorMessage: expect.stringContaining('not valid JSON'), errorCode: 720701013 }

describe('default data', () => {
  test('is converted to the declared outputs, and stands beside what went wrong', async () => {
    const canvas = draw(parses({ onError: { processType: 2, dataOnErr: '{"output":"42","extra":[1]}' } }))
    expect(await got(canvas)).toEqual({ output: 42, more: null, extra: [1], errorBody: NOT_JSON, isSuccess: false })
    expect(await got(canvas, { json: '7' })).toEqual({ output: 7, more: null, isSuccess: true })
  })

  test('that is no JSON goes into the texts, all else is zero', async () => {
    expect(await got(draw(parses({ onError: { processType: 2, dataOnErr: 'sorry' } })))).toMatchObject({
      output: 0,
      more: 'sorry',
      isSuccess: false,
    })
  })

  test('is what is meant when it is there and nothing else is said', async () => {
    expect(await got(draw(parses({ onError: { dataOnErr: '{"output":1}' } })))).toMatchObject({ output: 1, isSuccess: false })
    expect(await got(draw(parses({ onError: { processType: null, dataOnErr: '{"output":1}' } })))).toMatchObject({ output: 1 })
  })

  test('that is missing keeps the workflow from running', async () => {
    for (const dataOnErr of [undefined, '', null])
      await expect(house.play(draw(parses({ onError: { processType: 2, dataOnErr } })))).rejects.toMatchObject({ code: 'invalid_request' })
  })

  test('error fields that the canvas declares stay what they are: the code is a number', async () => {
    const canvas = draw(parses({ onError: { processType: 2, dataOnErr: '{"output":1}' } }), {
      code: ref('101.errorBody.errorCode', 'integer'),
      text: ref('101.errorBody.errorCode'),
      all: ref('101.errorBody', 'object'),
    })
    const outputs = canvas.nodes.find(({ id }) => id === '101')?.data.outputs as object[]
    outputs.push(
      { name: 'isSuccess', type: 'boolean', readonly: true },
      {
        name: 'errorBody',
        type: 'object',
        readonly: true,
        schema: [
          { name: 'errorMessage', type: 'string', readonly: true },
          { name: 'errorCode', type: 'string', readonly: true },
        ],
      },
    )
    expect(await house.results(canvas, { json: 'bad' })).toEqual({ code: 720701013, text: '720701013', all: NOT_JSON })
    expect(await house.results(canvas, { json: '1' })).toEqual({ code: 0, text: '', all: null })
  })
})

describe('the error branch', () => {
  const branched = (exit: Params) =>
    drawCanvas()
      .entry({ json: 'string' })
      .node('101', 59, parses({ onError: { processType: 3 } }))
      .node('102', 15, concat('well {{n}}', { n: ref('101.output', 'integer') }))
      .node(
        '103',
        15,
        concat('{{m}} {{n}}{{ok}}', {
          m: ref('101.errorBody.errorCode'),
          n: ref('101.output', 'integer'),
          ok: ref('101.isSuccess', 'boolean'),
        }),
      )
      .exit(exit)
      .edges('entry > 101:default > 102 > exit', '101:branch_error > 103 > exit')
      .build()

  test('is taken on an error; the other one is skipped, and reads as zero', async () => {
    const canvas = branched({ well: ref('102.output'), bad: ref('103.output') })
    expect(await house.results(canvas, { json: 'bad' })).toEqual({ well: '', bad: '720701013 0false' })
    expect(await house.results(canvas, { json: '5' })).toEqual({ well: 'well 5', bad: '' })
  })

  test('leaves only what went wrong', async () => {
    expect(await house.results(branched({ got: ref('101', 'object') }), { json: 'bad' })).toEqual({
      got: { errorBody: NOT_JSON, isSuccess: false },
    })
    expect(await house.results(branched({ got: ref('101', 'object') }), { json: '5' })).toEqual({
      got: { output: 5, more: null, isSuccess: true },
    })
  })
})

describe('what is switched off', () => {
  test.for<[string, Record<string, unknown>]>([
    ['without a switch', { switch: undefined, processType: 2, dataOnErr: '{"output":1}' }],
    ['switched off', { switch: false, processType: 2, dataOnErr: '{"output":1}' }],
    ['off, with an error branch', { switch: false, processType: 3 }],
    ['on, but to throw', { processType: 1, dataOnErr: '{"output":1}' }],
    ['on, with nothing said', {}],
    ['off, and empty', { switch: false, processType: 2, dataOnErr: '' }],
  ])('%s an error is the run’s', async ([, onError]) => {
    const ran = await house.play(draw(parses({ onError })), { json: 'bad' })
    expect(ran).toMatchObject({ status: 'failed', run: { error: { code: 720701013 } } })
    expect(await got(draw(parses({ onError })), { json: '1' })).toEqual({ output: 1, more: null })
  })

  test('attempts count all the same', async () => {
    house.provider.script = [fails(400), says('second')]
    expect(await got(draw(model({ onError: { switch: false, retryTimes: 1 } }), undefined, 3))).toEqual({ output: 'second' })
  })
})

describe('attempts', () => {
  test('are as many as it says and one more', async () => {
    house.provider.script = fails(400, { message: 'no luck' })
    const ran = await house.play(draw(model({ onError: { processType: 1, retryTimes: '2' } }), undefined, 3))
    expect(ran).toMatchObject({ status: 'failed', error: expect.stringContaining('no luck') })
    expect(house.provider.requests).toHaveLength(3)
  })

  test('after the first go to the backup model', async () => {
    house.provider.script = (request) => (request.body.model === 'model-7' ? fails(400) : says(`I am ${request.body.model}`))
    const backup = JSON.stringify({ modelType: 9, modelName: 'other', temperature: 0.1, maxTokens: 50 })
    const onError = { processType: 1, retryTimes: 1, ext: { backupLLmParam: backup } }
    expect(await got(draw(model({ onError }), undefined, 3))).toEqual({ output: 'I am model-9' })
    expect(house.provider.requests.map(({ body }) => [body.model, body.temperature, body.max_tokens])).toEqual([
      ['model-7', undefined, undefined],
      ['model-9', 0.1, 50],
    ])

    house.provider.requests.length = 0
    await house.play(draw(model({ onError: { ...onError, retryTimes: 0 } }), undefined, 3))
    expect(house.provider.requests.map(({ body }) => body.model)).toEqual(['model-7'])
  })

  test('a waiting question is none', async () => {
    const canvas = drawCanvas()
      .entry({})
      .node('101', 18, asks('Who?', {}, { onError: { processType: 2, retryTimes: 3, dataOnErr: '{"USER_RESPONSE":"nobody"}' } }))
      .exit({ who: ref('101.USER_RESPONSE') })
      .edges('entry > 101 > exit')
      .build()
    const ran = await house.play(canvas)
    expect(ran.status).toBe('waiting')
    expect((await house.reply(ran, 'Ada')).output).toEqual({ who: 'Ada' })
  })
})

describe('a time limit', () => {
  const slow = (onError: Record<string, unknown>) => draw(model({ onError }), undefined, 3)
  const timed = async (canvas: CanvasJson): Promise<[Ran, number]> => {
    const began = performance.now()
    return [await house.play(canvas), performance.now() - began]
  }

  test('counts without a switch, and says so', async () => {
    house.provider.script = answers([wait(3_000), 'late'])
    const [ran, took] = await timed(slow({ switch: false, timeoutMs: 50 }))
    expect(ran).toMatchObject({ status: 'failed', run: { error: { code: 777777776, message: 'node timeout' } } })
    expect(took).toBeLessThan(2_500)
  })

  test('counts for all attempts together', async () => {
    house.provider.script = (_request) => ({ play: async ({ response }) => void (await sleep(60), response.writeHead(400).end('{}')) })
    const [ran, took] = await timed(slow({ processType: 1, timeoutMs: 150, retryTimes: 10 }))
    expect(ran.error).toBe('node timeout')
    expect(took).toBeLessThan(2_500)
    expect(house.provider.requests.length).toBeLessThan(5)
  })

  test('is an error like others: default data stand in', async () => {
    house.provider.script = answers([wait(3_000), 'late'])
    expect(await got(slow({ processType: 2, timeoutMs: 50, dataOnErr: '{"output":"no time"}' }))).toEqual({
      output: 'no time',
      isSuccess: false,
      errorBody: { errorMessage: 'node timeout', errorCode: 777777776 },
    })
  })

  test('of 0 is none', async () => {
    expect(await got(slow({ processType: 1, timeoutMs: 0 }))).toEqual({ output: 'fine' })
  })
})

describe('errors of a run', () => {
  test('stop what runs beside them, and are recorded at their node', async () => {
    house.provider.script = answers([wait(5_000), 'late'])
    const canvas = drawCanvas()
      .entry({ json: 'string' })
      .node('101', 3, model())
      .node('102', 15, concat('x'))
      .node('103', 59, { params: { input: ref('102.output') }, outputs: { output: 'integer' } })
      .exit({ a: ref('101.output') })
      .edges('entry > 101 > exit', 'entry > 102 > 103 > exit')
      .build()
    const began = performance.now()
    const ran = await house.play(canvas)
    expect(ran.status).toBe('failed')
    expect(performance.now() - began).toBeLessThan(3_000)
    expect((await house.records(ran)).find(({ nodeId }) => nodeId === '103')).toMatchObject({ state: 'failed', error: { code: 720701013 } })
    await house.provider.untilAborted()
  })

  test('are cut at 1000 characters', async () => {
    house.provider.script = fails(400, { message: 'x'.repeat(5_000) })
    expect((await house.play(draw(model(), undefined, 3))).error?.length).toBeLessThanOrEqual(1_000)
  })

  test('of a missing required output are handled as well', async () => {
    const canvas = draw({
      params: { input: ref('entry.json') },
      outputs: { 'must!': 'string' },
      onError: { processType: 2, dataOnErr: '{"must":"instead"}' },
    })
    expect(await got(canvas, { json: '{"a":1}' })).toMatchObject({ must: 'instead', isSuccess: false })
  })
})
