import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ValueObject } from '../../src/workflows/values/value.ts'
import { drawCanvas, input, literal, ref } from '../support/canvas-builder.ts'
import type { CanvasJson, Drawing, Input, LoopSketch, NodeSketch, TypeFields } from '../support/canvas-builder.ts'
import { openCanvasHouse, saidIn } from '../support/canvas-house.ts'
import type { CanvasHouse } from '../support/canvas-house.ts'
import { concat, emits } from '../support/node-sketches.ts'

let house: CanvasHouse
beforeAll(async () => void (house = await openCanvasHouse()))
afterAll(() => house[Symbol.asyncDispose]())

const sets = (...pairs: [variable: Input, value: Input][]): NodeSketch => ({
  inputs: { inputParameters: pairs.map(([left, right]) => ({ left, right: input(right) })) },
})

type Body = (body: Drawing) => unknown
/** A loop `200` between entry and exit; the exit gives all its outputs as `got`. */
const loop = (entry: TypeFields, sketch: LoopSketch, body: Body): CanvasJson =>
  drawCanvas()
    .entry(entry)
    .loop('200', sketch, body)
    .exit({ got: ref('200', 'object') })
    .edges('entry > 200:loop-output > exit')
    .build()
const got = async (canvas: CanvasJson, args: ValueObject = {}) => ((await house.results(canvas, args)) as ValueObject).got

describe('a loop over lists', () => {
  const people = [{ name: 'string', tags: ['string'], home: { city: 'string' } }] as [TypeFields]

  test('goes as far as the shortest list, whatever its count says', async () => {
    const canvas = loop(
      { a: ['string'], b: ['integer'] },
      {
        count: 1,
        params: { a: ref('entry.a', ['string']), b: ref('entry.b', ['integer']) },
        outputs: { out: ref('201.output', ['string']) },
      },
      (body) =>
        body
          .node('201', 15, concat('{{i}}{{a}}{{b}}', { i: ref('200.index', 'integer'), a: ref('200.a'), b: ref('200.b', 'integer') }))
          .edges('start > 201 > end'),
    )
    expect(await got(canvas, { a: ['x', 'y', 'z'], b: [7, 8] })).toEqual({ out: ['0x7', '1y8'] })
    expect(await got(canvas, { a: ['x'], b: [] })).toEqual({ out: [] })
    expect(await got(canvas, { a: ['x'] })).toEqual({ out: [] })
  })

  test('reads elements, their fields, lists within them, and all of them', async () => {
    const canvas = loop(
      { people },
      {
        params: { Person: ref('entry.people', people) },
        outputs: { out: ref('201.output', ['string']), cities: ref('202.output.city', ['string']) },
      },
      (body) =>
        body
          .node(
            '201',
            15,
            concat('{{n}} {{t}} {{t[0]}} {{p.home.city}} {{all.index}}', {
              n: ref('200.Person.name'),
              t: ref('200.Person.tags', ['string']),
              p: ref('200.Person', people[0]),
              all: ref('200', 'object'),
            }),
          )
          .node('202', 59, { params: { input: ref('200.Person.home', 'object') }, outputs: { output: { city: 'string' } } })
          .edges('start > 201 > 202 > end'),
    )
    const given = [
      { name: 'Ada', tags: ['x', 'y'], home: { city: 'Rome' } },
      { name: 'Bob', tags: ['z'], home: { city: 'Oslo' } },
    ]
    expect(await got(canvas, { people: given })).toEqual({ out: ['Ada xy x Rome 0', 'Bob z z Oslo 1'], cities: ['Rome', 'Oslo'] })
  })

  test('takes JSON text for a list, a list in the canvas, a list of lists', async () => {
    const body: Body = (drawing) => drawing.node('201', 15, concat('{{a}}', { a: ref('200.a', ['integer']) })).edges('start > 201 > end')
    const over = (a: Input) =>
      loop({ s: 'string', grid: [['integer']] }, { params: { a }, outputs: { out: ref('201.output', ['string']) } }, body)
    expect(await got(over(ref('entry.s', [['integer']])), { s: '[[1,"2"],[3]]' })).toEqual({ out: ['12', '3'] })
    expect(await got(over(literal([[1], [2]], [['integer']])))).toEqual({ out: ['1', '2'] })
    expect(await got(over(ref('entry.grid', [['integer']])), { grid: [[1, 'x'], [4]] })).toEqual({ out: ['4'] })
  })

  test('its outputs leave out what a pass did not give', async () => {
    const canvas = loop(
      { words: ['string'] },
      {
        params: { w: ref('entry.words', ['string']) },
        outputs: { long: ref('202.output', ['string']), all: ref('203.output', ['string']) },
      },
      (body) =>
        body
          .selector('201', [{ if: [[3, ref('200.w'), 2]] }])
          .node('202', 15, concat('{{w}}', { w: ref('200.w') }))
          .node('203', 15, concat('{{w}}{{l}}', { w: ref('200.w'), l: ref('202.output') }))
          .edges('start > 201:true > 202 > 203 > end', '201:false > 203'),
    )
    expect(await got(canvas, { words: ['a', 'abc', 'b', 'abcd'] })).toEqual({
      long: ['abc', 'abcd'],
      all: ['a', 'abcabc', 'b', 'abcdabcd'],
    })
  })

  test('a branch may lead straight to the end of the pass, continue ends its path', async () => {
    const canvas = loop(
      { ns: ['integer'] },
      { params: { n: ref('entry.ns', ['integer']) }, outputs: { out: ref('203.output', ['string']) } },
      (body) =>
        body
          .selector('201', [{ if: [[1, ref('200.n', 'integer'), 1]] }, { if: [[1, ref('200.n', 'integer'), 2]] }])
          .node('202', 29)
          .node('203', 15, concat('{{n}}', { n: ref('200.n', 'integer') }))
          .edges('start > 201:true > end', '201:true_1 > 202', '201:false > 203 > end'),
    )
    expect(await got(canvas, { ns: [1, 2, 3, 1, 4] })).toEqual({ out: ['3', '4'] })
  })

  test('break lets the pass end, parallel paths included', async () => {
    const canvas = loop(
      { ns: ['integer'] },
      {
        params: { n: ref('entry.ns', ['integer']) },
        outputs: { out: ref('203.output', ['string']), after: ref('205.output', ['string']) },
      },
      (body) =>
        body
          .selector('201', [{ if: [[1, ref('200.n', 'integer'), 2]] }])
          .node('202', 19)
          .node('203', 15, concat('{{n}}', { n: ref('200.n', 'integer') }))
          .node('205', 15, concat('after {{n}}', { n: ref('203.output') }))
          .edges('start > 201:true > 202', '201:false > end', 'start > 203 > 205 > end'),
    )
    expect(await got(canvas, { ns: [1, 2, 3] })).toEqual({ out: ['1', '2'], after: ['after 1', 'after 2'] })
  })

  test('a body reads what is outside of it, and the loop waits for that', async () => {
    const canvas = drawCanvas()
      .entry({ words: ['string'] })
      .node('101', 15, concat('outside'))
      .loop('200', { params: { w: ref('entry.words', ['string']) }, outputs: { out: ref('07062.output', ['string']) } }, (body) =>
        body
          .node(
            '07062',
            15,
            concat('{{w}} {{o}} {{first}}', { w: ref('200.w'), o: ref('101.output'), first: ref('entry.words', ['string']) }),
          )
          .node('09999', 59, { params: { input: 'broken' } })
          .edges('start > 07062 > end', '09999 > end'),
      )
      .exit({ got: ref('200.out', ['string']) })
      .edges('entry > 200:loop-output > exit', 'entry > 101 > exit')
      .build()
    expect(await got(canvas, { words: ['a', 'b'] })).toEqual(['a outside ab', 'b outside ab'])
  })

  test('each pass says its own message', async () => {
    const canvas = loop({ words: ['string'] }, { params: { w: ref('entry.words', ['string']) } }, (body) =>
      body.node('201', 13, emits('{{i}}: {{w}}', { i: ref('200.index', 'integer'), w: ref('200.w') })).edges('start > 201 > end'),
    )
    const ran = await house.play(canvas, { words: ['a', 'b'] })
    expect(saidIn(ran)).toEqual(['0: a', '1: b', '{"got":{}}'])
    expect(ran.messages.map(({ seq }) => seq)).toEqual([0, 1, 0])
  })

  test('an error in a pass is the loop’s, unless the node handles it', async () => {
    const draw = (onError?: NodeSketch['onError']) =>
      loop(
        { ss: ['string'] },
        {
          params: { s: ref('entry.ss', ['string']) },
          outputs: { out: ref('201.output', ['integer']), ok: ref('201.isSuccess', ['boolean']) },
        },
        (body) =>
          body.node('201', 59, { params: { input: ref('200.s') }, outputs: { output: 'integer' }, onError }).edges('start > 201 > end'),
      )
    expect(await house.play(draw(), { ss: ['1', 'x', '3'] })).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('not valid JSON'),
    })
    expect(await got(draw({ processType: 2, dataOnErr: '{"output":"-1"}' }), { ss: ['1', 'x', '3'] })).toEqual({
      out: [1, -1, 3],
      ok: [true, false, true],
    })
  })

  test('a whole output, and an undeclared one, may be gathered', async () => {
    const canvas = loop(
      { words: ['string'] },
      { params: { w: ref('entry.words', ['string']) }, outputs: { whole: ref('201', ['object']) } },
      (body) => body.node('201', 15, concat('{{w}}', { w: ref('200.w') })).edges('start > 201 > end'),
    )
    expect(await got(canvas, { words: ['a', 'b'] })).toEqual({ whole: [{ output: 'a' }, { output: 'b' }] })
  })
})

describe('loop variables', () => {
  test('are seen by later nodes and passes, and the last values are outputs', async () => {
    const canvas = loop(
      { words: ['string'], start: 'string' },
      {
        params: { w: ref('entry.words', ['string']) },
        variables: { Joined: ref('entry.start'), count: literal('0', 'integer') },
        outputs: { joined: ref('200.Joined'), count: ref('200.count', 'integer'), seen: ref('201.output', ['string']) },
      },
      (body) =>
        body
          .node('201', 15, concat('{{j}}{{w}}', { j: ref('200.Joined'), w: ref('200.w') }))
          .node('202', 20, sets([ref('200.Joined'), ref('201.output')], [ref('200.count', 'integer'), ref('200.index', 'integer')]))
          .edges('start > 201 > 202 > end'),
    )
    expect(await got(canvas, { words: ['a', 'b', 'c'], start: '>' })).toEqual({ joined: '>abc', count: 2, seen: ['>a', '>ab', '>abc'] })
    expect(await got(canvas, { words: [], start: '>' })).toEqual({ joined: '>', count: 0, seen: [] })
  })

  test('take values as they are, whatever they were declared as', async () => {
    const canvas = loop(
      { os: [{ a: 'integer' }] },
      {
        params: { o: ref('entry.os', [{ a: 'integer' }]) },
        variables: { last: literal(0, 'integer') },
        outputs: { last: ref('200.last', 'integer') },
      },
      (body) => body.node('201', 20, sets([ref('200.last', 'integer'), ref('200.o', 'object')])).edges('start > 201 > end'),
    )
    expect(await got(canvas, { os: [{ a: 1 }, { a: 2 }] })).toEqual({ last: { a: 2 } })
  })

  test('that are null read as the zero of their type', async () => {
    const canvas = loop(
      { n: 'integer', l: ['string'] },
      {
        type: 'count',
        count: 1,
        variables: { n: ref('entry.n', 'integer'), l: ref('entry.l', ['string']) },
        outputs: { out: ref('201.output', ['string']) },
      },
      (body) =>
        body.node('201', 15, concat('{{n}}|{{l}}', { n: ref('200.n', 'integer'), l: ref('200.l', ['string']) })).edges('start > 201 > end'),
    )
    expect(await got(canvas)).toEqual({ out: ['0|'] })
  })

  test('one of a variable’s name is taken for the variable, whatever node it refers to', async () => {
    const canvas = loop(
      {},
      { type: 'count', count: 2, variables: { output: 'variable' }, outputs: { out: ref('201.output', ['string']) } },
      (body) => body.node('201', 15, concat('node')).edges('start > 201 > end'),
    )
    expect(await got(canvas)).toEqual({ out: 'variable' })
  })
})

describe('a loop that counts', () => {
  const counting = (count: Input, type: LoopSketch['type'] = 'count') =>
    loop({ n: 'string' }, { type, count, outputs: { out: ref('201.output', ['integer']) } }, (body) =>
      body
        .node('201', 59, { params: { input: ref('200.index') }, outputs: { output: 'integer' } })
        .selector('202', [{ if: [[1, ref('200.index', 'integer'), 3]] }])
        .node('203', 19)
        .edges('start > 201 > 202:true > 203', '202:false > end'),
    )

  test('runs as often as it says, in a number, a text or a value', async () => {
    expect(await got(counting(3))).toEqual({ out: [0, 1, 2] })
    expect(await got(counting(literal('2', 'integer')))).toEqual({ out: [0, 1] })
    expect(await got(counting(ref('entry.n', 'integer')), { n: '1' })).toEqual({ out: [0] })
    expect(await got(counting(0))).toEqual({ out: [] })
  })

  test('without an end runs until a break', async () => {
    expect(await got(counting(10, 'infinite'))).toEqual({ out: [0, 1, 2, 3] })
    const first = loop({}, { type: 'infinite', outputs: { out: ref('201.output', ['integer']) } }, (body) =>
      body
        .node('201', 59, { params: { input: ref('200.index') }, outputs: { output: 'integer' } })
        .node('202', 19)
        .edges('start > 201 > 202'),
    )
    expect(await got(first)).toEqual({ out: [0] })
  })
})
