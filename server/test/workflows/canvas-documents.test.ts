import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Value, ValueObject } from '../../src/workflows/values/value.ts'
import { drawCanvas, literal, params, ref } from '../support/canvas-builder.ts'
import type { Params, TypeSketch } from '../support/canvas-builder.ts'
import { openCanvasHouse } from '../support/canvas-house.ts'
import type { CanvasHouse } from '../support/canvas-house.ts'
import { concat } from '../support/node-sketches.ts'

let house: CanvasHouse
beforeAll(async () => void (house = await openCanvasHouse()))
afterAll(() => house[Symbol.asyncDispose]())

describe('references', () => {
  const people = [
    { name: 'Ada', tags: ['x', 'y'] },
    { name: 'Bob', tags: [] },
  ]
  const type = [{ name: 'string', tags: ['string'] }] as const satisfies TypeSketch
  /** What is read at `path` of a node whose output holds people. */
  const read = (path: string, to: TypeSketch, text = JSON.stringify({ people })) => {
    const canvas = drawCanvas()
      .entry({})
      .node('101', 59, { params: { input: text }, outputs: { output: { people: type, nothing: { a: 'string' } } } })
      .exit({ got: ref(`101.${path}`, to) })
      .edges('entry > 101 > exit')
      .build()
    return house.results(canvas).then((output) => (output as ValueObject).got)
  }

  test('a path that meets a list goes on in its first element', async () => {
    expect(await read('output.people.name', 'string')).toBe('Ada')
    expect(await read('output.people.tags', ['string'])).toEqual(['x', 'y'])
    expect(await read('output.people', type)).toEqual(people)
  })

  test('not in what the entry gives', async () => {
    const canvas = drawCanvas()
      .entry({ people: type })
      .exit({ got: ref('entry.people.name') })
      .edges('entry > exit')
      .build()
    expect(await house.play(canvas, { people })).toMatchObject({ status: 'failed', error: expect.stringContaining('people.name') })
  })

  test('an empty list on the way is an error, and so is null', async () => {
    await expect(read('output.people.name', 'string', '{"people":[]}')).rejects.toThrow('empty')
    await expect(read('output.nothing.a', 'string', '{"nothing":null}')).rejects.toThrow(/intermediate source value .* is nil/)
  })

  test('a list whose elements are no objects cannot be gone through', async () => {
    await expect(read('output.people.tags.length', 'integer')).rejects.toThrow('has no output "output.people.tags.length"')
  })

  test('a key that is not there is an error', async () => {
    await expect(read('output.people.age', 'integer')).rejects.toThrow('has no output "output.people.age"')
    await expect(read('missing', 'integer')).rejects.toThrow('has no output "missing"')
  })

  test('without a name it is all outputs of a node', async () => {
    const canvas = drawCanvas()
      .entry({ a: 'string', b: 'integer' })
      .exit({ got: ref('entry', 'object') })
      .edges('entry > exit')
      .build()
    expect(await house.results(canvas, { a: 'x', b: 1 })).toEqual({ got: { a: 'x', b: 1 } })
  })
})

describe('templates', () => {
  /** An answer text; `v` and what is in it are what the caller gives. */
  const answer = async (template: string, v: Value, more: Params = {}) => {
    const canvas = drawCanvas()
      .entry({ v: 'object' })
      .answer(template, { v: ref('entry.v', 'object'), ...more })
      .edges('entry > exit')
      .build()
    const ran = await house.play(canvas, { v })
    if (ran.status !== 'succeeded') throw new Error(ran.error)
    return ran.output
  }

  test.for<[template: string, text: string]>([
    ['{{v.text}} {{v.int}} {{v.num}} {{v.yes}} [{{v.none}}]', 'a "b" 12 1.5 true []'],
    ['{{v.list}} {{v.obj}}', '[1,null,{"b":2}] {"a":{"y":"<&>","z":1},"c":"ü"}'],
    ['{{v.list[2].b}}{{v.grid[1][0]}}{{v.obj.a.z}}', '231'],
    ['{{ v.int}}', '12'],
    ['{{ v.int }}', '{{v.int }}'],
    ['{{v.gone}} {{w}} {{ w.x}} {{}}', '{{v.gone}} {{w}} {{w.x}} {{}}'],
    ['{{v.list[y]}}', 'v.list[y]{{v.list[y]}}'],
    ['{v.int} {{{v.int}}} }}{{', '{v.int} {{{v.int}}} }}{{'],
    ['{{v.yes}}_{{v.obj.a.z}}_{{v.grid[1][0]}}', 'true_1_3'],
    ['', ''],
  ])('%j prints %j', async ([template, text]) => {
    const v = {
      text: 'a "b"',
      int: 12,
      num: 1.5,
      yes: true,
      none: null,
      list: [1, null, { b: 2 }],
      grid: [[1], [3]],
      obj: { c: 'ü', a: { z: 1, y: '<&>' } },
    }
    expect(await answer(template, v)).toBe(text)
  })

  test('an index that is out of range is an error, and so is one of null', async () => {
    await expect(answer('{{v.list[1]}}', { list: [1] })).rejects.toThrow('out of range')
    await expect(answer('{{v.list[0]}}', { list: null })).rejects.toThrow('null')
  })

  test('results escape what HTML would read, answers do not', async () => {
    const text = '<b>&</b> ü'
    expect(
      (
        await house.play(
          drawCanvas()
            .entry({ t: 'string' })
            .exit({ t: ref('entry.t') })
            .edges('entry > exit')
            .build(),
          { t: text },
        )
      ).data,
    ).toBe('{"t":"\\u003cb\\u003e\\u0026\\u003c/b\\u003e ü"}')
    expect(await answer('{{v}}', { t: text })).toBe(`{"t":"${text}"}`)
  })
})

describe('canvases as editors export them', () => {
  test('names are read in any spelling, and what is not known is passed over', async () => {
    const canvas = JSON.stringify(
      drawCanvas()
        .entry({ City: 'string' }, { City: 'Berlin' })
        .node('07062', 15, {
          params: { String1: ref('entry.City') },
          inputs: { method: 'concat', concatParams: params({ concatResult: '{{String1}}!', arrayItemConcatChar: ',' }), unknown: { a: 1 } },
          outputs: { output: 'string' },
        })
        .answer('{{City}} {{Names}}', { City: ref('07062.output'), Names: literal({ Nodes: 'not a name of the format' }, 'object') })
        .edges('entry > 07062 > exit')
        .build(),
    )
    const respelled = canvas.replaceAll(
      /"(nodes|edges|data|inputParameters|sourceNodeID|blockID|concatParams|value|content|defaultValue|terminatePlan)":/g,
      (_key, name: string) => `"${name[0]?.toUpperCase()}${name.slice(1).toLowerCase()}":`,
    )
    expect(respelled).toContain('"Sourcenodeid":')
    expect(await house.results(await house.store(respelled))).toBe('Berlin! {"Nodes":"not a name of the format"}')
  })

  test('ports, bodies, versions and settings may be absent or null', async () => {
    const drawn = drawCanvas()
      .entry({ a: 'string' })
      .node('101', 58, { params: { input: ref('entry.a') }, outputs: { output: 'string' } })
      .exit({ a: ref('101.output') })
      .edges('entry > 101 > exit')
      .build()
    const canvas = {
      nodes: drawn.nodes.map((node) => ({
        ...node,
        blocks: null,
        edges: null,
        meta: null,
        version: '',
        data: { ...node.data, trigger_parameters: [], version: '3', settings: null },
      })),
      edges: drawn.edges.map((edge) => ({ ...edge, sourcePortID: '', targetPortID: null })),
      versions: null,
    }
    expect(await house.results(canvas, { a: 'x' })).toEqual({ a: '"x"' })
    expect(await house.results({ nodes: drawn.nodes, edges: drawn.edges }, { a: 'x' })).toEqual({ a: '"x"' })
  })

  test('types without a schema are free, and a schema may be an object of fields', async () => {
    const canvas = drawCanvas()
      .entry({ o: 'object', l: 'list', keyed: 'object', wrapped: 'object' })
      .exit({
        o: ref('entry.o', 'object'),
        l: ref('entry.l', 'list'),
        keyed: ref('entry.keyed', 'object'),
        wrapped: ref('entry.wrapped', 'object'),
      })
      .edges('entry > exit')
      .build()
    const outputs = canvas.nodes[0]?.data.outputs as Record<string, unknown>[]
    Object.assign(outputs[0] ?? {}, { schema: null })
    Object.assign(outputs[2] ?? {}, { schema: { count: { type: 'integer' }, Name: { type: 'string', name: 'Name' } } })
    Object.assign(outputs[3] ?? {}, { schema: { type: 'object', schema: [{ name: 'count', type: 'integer' }] } })
    const args = { o: { a: '1' }, l: [1, 'x'], keyed: { count: '3', Name: 4 }, wrapped: { count: '3' } }
    expect(await house.results(canvas, args)).toEqual({ o: { a: '1' }, l: [1, 'x'], keyed: { count: 3, Name: '4' }, wrapped: { count: 3 } })
  })

  test('names that JavaScript has plans with are names', async () => {
    const named = <T>(value: (name: string) => T) =>
      Object.fromEntries(['constructor', 'toString', '__proto__', 'hasOwnProperty'].map((name) => [name, value(name)]))
    const canvas = drawCanvas()
      .entry(named(() => 'string' as const))
      .node(
        '101',
        15,
        concat(
          '{{constructor}} {{__proto__}} {{valueOf}}',
          named((name) => ref(`entry.${name}`)),
        ),
      )
      .exit({ ...named((name) => ref(`entry.${name}`)), text: ref('101.output') })
      .edges('entry > 101 > exit')
      .build()
    const ran = await house.play(
      canvas,
      named((name) => `a ${name}`),
    )
    expect(ran.data).toBe(
      '{"__proto__":"a __proto__","constructor":"a constructor","hasOwnProperty":"a hasOwnProperty","text":"a constructor a __proto__ {{valueOf}}","toString":"a toString"}',
    )
  })
})
