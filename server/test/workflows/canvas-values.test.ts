import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Value, ValueObject } from '../../src/workflows/values/value.ts'
import { drawCanvas, fields, literal, ref } from '../support/canvas-builder.ts'
import type { Input, Params, TypeFields, TypeSketch } from '../support/canvas-builder.ts'
import { openCanvasHouse } from '../support/canvas-house.ts'
import type { CanvasHouse } from '../support/canvas-house.ts'

let house: CanvasHouse
beforeAll(async () => void (house = await openCanvasHouse()))
afterAll(() => house[Symbol.asyncDispose]())

/** What a declared input makes of what the entry gives as the type `from`. */
async function passed(from: TypeSketch, to: TypeSketch, given?: Value): Promise<Value> {
  const canvas = drawCanvas()
    .entry({ given: from })
    .exit({ got: ref('entry.given', to) })
    .edges('entry > exit')
    .build()
  return house.results(canvas, given === undefined ? {} : { given }).then((output) => (output as ValueObject).got ?? null)
}

/** What the exit gives for its parameters. */
const returned = (inputs: Params, { entry = {}, args = {} }: { entry?: TypeFields; args?: ValueObject } = {}): Promise<Value> =>
  house.results(drawCanvas().entry(entry).exit(inputs).edges('entry > exit').build(), args)

describe('conversion to declared types', () => {
  test.for<[from: TypeSketch, to: TypeSketch, given: Value, got: Value]>([
    ['string', 'string', 'as it is', 'as it is'],
    ['integer', 'string', 42, '42'],
    ['float', 'string', 100, '100'],
    ['float', 'string', 0.000_000_1, '0.0000001'],
    ['float', 'string', 1e21, '1000000000000000000000'],
    ['boolean', 'string', true, 'true'],
    ['object', 'string', { b: 1, a: '<ü>' }, '{"a":"<ü>","b":1}'],
    ['list', 'string', [1, 'two', null], '[1,"two",null]'],
    ['string', 'integer', '42', 42],
    ['string', 'integer', '-7', -7],
    ['string', 'integer', '4.2', 0],
    ['string', 'integer', '12 apples', 0],
    ['float', 'integer', -3.9, -3],
    ['boolean', 'integer', true, 0],
    ['object', 'integer', { a: 1 }, 0],
    ['list', 'integer', [1], 0],
    ['string', 'float', '1.5e2', 150],
    ['string', 'float', 'much', 0],
    ['integer', 'float', 3, 3],
    ['boolean', 'float', true, 0],
    ['string', 'boolean', 'T', true],
    ['string', 'boolean', '1', true],
    ['string', 'boolean', 'False', false],
    ['string', 'boolean', 'yes', false],
    ['integer', 'boolean', 1, false],
    ['string', 'object', '{"a":[1]}', { a: [1] }],
    ['string', 'object', 'a: 1', null],
    ['string', 'object', '[1]', null],
    ['integer', 'object', 1, null],
    ['list', 'object', [1], null],
    ['string', ['integer'], '[1,"2"]', [1, 2]],
    ['string', ['integer'], 'null', null],
    ['string', 'object', 'null', null],
    ['integer', ['integer'], 1, []],
    ['boolean', ['string'], true, []],
    ['object', ['string'], { a: 1 }, []],
    ['integer', 'time', 1_700_000_000, '1700000000'],
    ['float', 'image', 1.5, '1.5'],
  ])('a value of the type %j becomes %j', async ([from, to, given, got]) => {
    expect(await passed(from, to, given)).toEqual(got)
  })

  test('what cannot be converted is zero at the top and null inside of an object', async () => {
    const type: TypeFields = { count: 'integer', ok: 'boolean', list: ['integer'], at: 'time' }
    const bad = { count: 'x', ok: 2, list: 'x' }
    expect(await passed('object', type, bad)).toEqual({ count: null, ok: null, list: [], at: null })
    expect(await passed('string', 'integer', 'x')).toBe(0)
  })

  test('a list that is missing is null, one that is no list is empty', async () => {
    expect(await passed(['string'], ['string'])).toBeNull()
    expect(await passed('string', ['string'], 'not a list')).toEqual([])
    expect(await passed('string', ['string'], '')).toEqual([])
  })

  test('elements that do not fit are left out, inner lists as a whole; objects stay with null in them', async () => {
    expect(await passed('list', ['integer'], ['1', 'two', 3, true])).toEqual([1, 3])
    expect(await passed('list', [['integer']], [[1, '2'], ['x', 1], [3]])).toEqual([[1, 2], [3]])
    expect(await passed('list', [{ score: 'integer', name: 'string' }], [{ score: 'x', name: 1 }, {}])).toEqual([
      { score: null, name: '1' },
      { score: null, name: null },
    ])
  })

  test('null in a list becomes the zero of its elements, null in an object stays', async () => {
    expect(await passed('list', ['integer'], [1, null])).toEqual([1, 0])
    expect(await passed('list', ['string'], [null])).toEqual([''])
    expect(await passed('object', { a: 'integer' }, { a: null })).toEqual({ a: null })
  })

  test('an object that is missing has its properties, one that is null is null', async () => {
    const type = { a: 'string', b: { c: 'integer' } } as const
    const skipped = drawCanvas()
      .entry({ go: 'boolean' })
      .selector('101', [{ if: [[11, ref('entry.go', 'boolean')]] }])
      .node('102', 59, { params: { input: '{"a":"x"}' }, outputs: { output: type } })
      .exit({ got: ref('102.output', type) })
      .edges('entry > 101:true > 102 > exit', '101:false > exit')
      .build()
    expect(await house.results(skipped, { go: false })).toEqual({ got: { a: null, b: { c: null } } })
    expect(await house.results(skipped, { go: true })).toEqual({ got: { a: 'x', b: { c: null } } })
    expect(await passed('string', type, 'null')).toBeNull()
  })

  test('fields that are not declared pass', async () => {
    expect(await passed('object', { a: 'integer' }, { a: '1', more: ['x'] })).toEqual({ a: 1, more: ['x'] })
  })

  test('integers of 64 bits are exact, wherever they go', async () => {
    const canvas = drawCanvas()
      .entry({ id: 'integer', text: 'string', raw: 'object' })
      .node('101', 58, { params: { input: ref('entry.raw', 'object') }, outputs: { output: 'string' } })
      .node('102', 59, { params: { input: ref('101.output') }, outputs: { output: { id: 'integer' } } })
      .exit({ id: ref('entry.id', 'integer'), read: ref('entry.text', 'integer'), back: ref('102.output.id', 'integer') })
      .edges('entry > 101 > 102 > exit')
      .build()
    const big = 9_223_372_036_854_775_807n
    const ran = await house.play(canvas, { id: big, text: '-9223372036854775808', raw: { id: 7_300_000_000_000_000_001n } })
    expect(ran.data).toBe('{"back":7300000000000000001,"id":9223372036854775807,"read":-9223372036854775808}')
  })

  test('a file loses the name in its URL, and the keys of its query are sorted', async () => {
    const url = 'https://files.example/a.pdf?z=1&x-wf-file_name=report%20one.pdf&b=two%20words'
    expect(await returned({ got: ref('entry.file', 'doc') }, { entry: { file: 'doc' }, args: { file: url } })).toEqual({
      got: 'https://files.example/a.pdf?b=two+words&z=1',
    })
    expect(await passed(['image'], ['image'], [url])).toEqual(['https://files.example/a.pdf?b=two+words&z=1'])
  })
})

describe('literals', () => {
  test('lists and objects may be JSON or its text', async () => {
    const real = (type: TypeSketch, content: unknown): Input => ({
      ...(literal('', type) as object as { type: string }),
      value: { type: 'literal', content },
    })
    const type: TypeFields = { name: 'string', tags: ['integer'] }
    expect(
      await returned({
        textList: literal([1, '2'], ['integer']),
        realList: real(['integer'], [1, '2']),
        textObject: literal({ name: 'Ada', tags: [1] }, type),
        realObject: real(type, { name: 'Ada', tags: [1] }),
      }),
    ).toEqual({
      ...{ textList: [1, 2], realList: [1, 2] },
      textObject: { name: 'Ada', tags: [1] },
      realObject: { name: 'Ada', tags: [1] },
    })
  })

  test('numbers and booleans may be texts', async () => {
    expect(
      await returned({
        ...{ i: literal('42', 'integer'), cut: literal(4.9, 'integer'), f: literal('1.50', 'float'), whole: literal(2, 'float') },
        ...{
          yes: literal('true', 'boolean'),
          no: literal(false, 'boolean'),
          text: literal(7, 'string'),
          at: literal('2026-01-01', 'time'),
        },
      }),
    ).toEqual({ i: 42, cut: 4, f: 1.5, whole: 2, yes: true, no: false, text: '7', at: '2026-01-01' })
  })

  test('what the editor notes beside a value means nothing', async () => {
    const input = {
      type: 'string',
      value: { type: 'literal', content: 'x', rawMeta: { type: 3, fileName: ['a'] } },
      assistType: 0,
      extra: [1],
    }
    expect(await returned({ got: input })).toEqual({ got: 'x' })
  })

  test('an object put together from references and literals, objects in objects', async () => {
    const inner = fields({ city: ref('entry.user.city'), zip: literal('10115', 'integer') })
    expect(
      await returned(
        { got: fields({ name: ref('entry.user.name'), address: inner, all: ref('entry.user', 'object') }) },
        { entry: { user: { name: 'string', city: 'string' } }, args: { user: { name: 'Ada', city: 'Berlin' } } },
      ),
    ).toEqual({ got: { name: 'Ada', address: { city: 'Berlin', zip: 10115 }, all: { name: 'Ada', city: 'Berlin' } } })
  })

  test.for<[string, unknown]>([
    ['string', null],
    ['integer', 'many'],
    ['float', 'x'],
    ['boolean', 'maybe'],
    ['object', '[1]'],
    ['list', '{"a":1}'],
  ])('one of the type %s with the content %j keeps the workflow from running, and is named', async ([type, content]) => {
    await expect(returned({ got: { type, value: { type: 'literal', content } } })).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringMatching(/node 900001, inputs\.inputParameters\[0\]\.input\.value\.content: a literal/),
    })
  })
})

describe('the entry', () => {
  const types: TypeFields = {
    s: 'string',
    i: 'integer',
    f: 'float',
    b: 'boolean',
    t: 'time',
    file: 'image',
    o: { a: 'integer' },
    l: ['integer'],
  }
  const defaults = { s: 'd', i: '5', f: '1.5', b: 'true', t: '2026-01-01', file: 'https://x.example/a.png', o: '{"a":"7"}', l: '["1",2]' }
  const all = Object.fromEntries(Object.entries(types).map(([name, type]) => [name, ref(`entry.${name}`, type)]))
  const run = (args: ValueObject) => house.results(drawCanvas().entry(types, defaults).exit(all).edges('entry > exit').build(), args)
  const filled = { s: 'd', i: 5, f: 1.5, b: true, t: '2026-01-01', file: 'https://x.example/a.png', o: { a: 7 }, l: [1, 2] }

  test('gives its defaults for what is not there', async () => {
    expect(await run({})).toEqual(filled)
  })

  test('gives them for empty texts, lists and objects, never for numbers, booleans, times and files', async () => {
    expect(await run({ s: '', l: [], o: {} })).toEqual(filled)
    const given = { s: 'g', i: 0, f: 0, b: false, t: '', file: '', o: { a: 0 }, l: [0] }
    expect(await run(given)).toEqual(given)
  })

  test('takes defaults that are JSON instead of its text', async () => {
    const canvas = drawCanvas()
      .entry({ o: 'object', l: ['string'], i: 'integer', b: 'boolean' })
      .exit({ o: ref('entry.o', 'object'), l: ref('entry.l', ['string']), i: ref('entry.i', 'integer'), b: ref('entry.b', 'boolean') })
      .edges('entry > exit')
      .build()
    const values: unknown[] = [{ Name: 'Ada', Type: 1 }, ['x'], 7, true]
    const outputs = canvas.nodes[0]?.data.outputs as Record<string, unknown>[]
    outputs.forEach((output, index) => Object.assign(output, { defaultValue: values[index] }))
    expect(await house.results(canvas)).toEqual({ o: { Name: 'Ada', Type: 1 }, l: ['x'], i: 7, b: true })
  })

  test('takes an empty default for none', async () => {
    const canvas = drawCanvas()
      .entry({ i: 'integer', o: 'object' }, { i: '', o: '' })
      .exit({ i: ref('entry.i', 'integer'), o: ref('entry.o', 'object') })
      .edges('entry > exit')
      .build()
    expect(await house.results(canvas)).toEqual({ i: 0, o: null })
  })

  test('passes on what it does not declare', async () => {
    expect(await returned({ got: ref('entry.extra', 'object') }, { entry: { a: 'string' }, args: { extra: { x: 1 } } })).toEqual({
      got: { x: 1 },
    })
  })

  test('wants what is required, and takes null for it', async () => {
    const canvas = drawCanvas()
      .entry({ 'a!': 'string', 'b!': { 'c!': 'string' } })
      .exit({ a: ref('entry.a') })
      .edges('entry > exit')
      .build()
    await expect(house.play(canvas, { b: { c: 'x' } })).rejects.toThrow('parameters.a is required')
    await expect(house.play(canvas, { a: 'x', b: {} })).rejects.toThrow('parameters.b.c is required')
    expect(await house.results(canvas, { a: null, b: { c: null } })).toEqual({ a: '' })
  })
})
