import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Value, ValueObject } from '../../src/workflows/values/value.ts'
import { drawCanvas, fields, input, literal, ref } from '../support/canvas-builder.ts'
import type { Branch, CanvasJson, Input, NodeSketch, TypeFields } from '../support/canvas-builder.ts'
import { openCanvasHouse } from '../support/canvas-house.ts'
import type { CanvasHouse } from '../support/canvas-house.ts'
import { concat } from '../support/node-sketches.ts'

let house: CanvasHouse
beforeAll(async () => void (house = await openCanvasHouse()))
afterAll(() => house[Symbol.asyncDispose]())

/** Fails in a node that reads JSON (59). */
const fail = (): NodeSketch => ({ params: { input: 'no JSON' }, outputs: { output: 'object' } })
const aggregate = (groups: Record<string, Input[]>, outputs: TypeFields): NodeSketch => ({
  inputs: { mergeGroups: Object.entries(groups).map(([name, variables]) => ({ name, variables: variables.map(input) })) },
  outputs,
})

describe('a selector', () => {
  /** The branch that is taken, by its number; 0 for none. */
  async function choose(branches: Branch[], entry: TypeFields, args: ValueObject): Promise<Value> {
    const drawing = drawCanvas().entry(entry).selector('101', branches)
    const taken = branches.map((_branch, index) => String(201 + index))
    for (const [index, id] of taken.entries())
      drawing.node(id, 15, concat(String(index + 1))).edges(`entry > 101:true${index === 0 ? '' : `_${index}`} > ${id} > 300`)
    const canvas = drawing
      .node('200', 15, concat('0'))
      .node('300', 32, aggregate({ Group1: [...taken, '200'].map((id) => ref(`${id}.output`)) }, { Group1: 'integer' }))
      .exit({ branch: ref('300.Group1', 'integer') })
      .edges('101:false > 200 > 300 > exit')
      .build()
    return house.results(canvas, args).then((output) => (output as ValueObject).branch ?? null)
  }
  const one = async (condition: Branch['if'][number], entry: TypeFields = {}, args: ValueObject = {}) =>
    (await choose([{ if: [condition] }], entry, args)) === 1

  test('takes the first branch that holds, each by its own port', async () => {
    const branches: Branch[] = [
      { if: [[13, ref('entry.n', 'integer'), 10]] },
      { if: [[13, ref('entry.n', 'integer'), 5]] },
      { if: [[13, ref('entry.n', 'integer'), 0]] },
    ]
    expect(await Promise.all([20, 7, 3, -1].map((n) => choose(branches, { n: 'integer' }, { n })))).toEqual([1, 2, 3, 0])
  })

  test('AND stops at the first that does not hold, OR at the first that does: what is behind is not looked at', async () => {
    const broken: Branch['if'][number] = [13, ref('entry.s'), 1]
    const holds: Branch['if'][number] = [1, ref('entry.s'), 'x']
    const entry: TypeFields = { s: 'string' }
    expect(await choose([{ if: [[2, ref('entry.s'), 'x'], broken] }], entry, { s: 'x' })).toBe(0)
    expect(await choose([{ if: [holds, broken], any: true }], entry, { s: 'x' })).toBe(1)
    await expect(choose([{ if: [holds, broken] }], entry, { s: 'x' })).rejects.toThrow('only numbers have an order')
  })

  test('a length counts the bytes of a text and the elements of a list', async () => {
    expect(await one([3, ref('entry.s'), 3], { s: 'string' }, { s: '北京' })).toBe(true)
    expect(await one([6, ref('entry.s'), 5], { s: 'string' }, { s: '北京' })).toBe(false)
    expect(await one([4, ref('entry.l', ['string']), 2], { l: ['string'] }, { l: ['a', 'b'] })).toBe(true)
    await expect(one([3, ref('entry.o', 'object'), 1], { o: 'object' }, { o: { a: 1 } })).rejects.toThrow('length')
  })

  test('an integer is not compared with a float, a list or object not at all', async () => {
    await expect(one([1, ref('entry.i', 'integer'), literal(3, 'float')], { i: 'integer' }, { i: 3 })).rejects.toThrow(
      'can only be compared',
    )
    await expect(one([2, ref('entry.f', 'float'), 3], { f: 'float' }, { f: 3 })).rejects.toThrow('can only be compared')
    await expect(one([1, ref('entry.l', ['string']), literal(['a'], ['string'])], { l: ['string'] }, { l: ['a'] })).rejects.toThrow(
      'cannot be compared',
    )
    await expect(one([1, ref('entry.o', 'object'), 'x'], { o: 'object' }, { o: {} })).rejects.toThrow('cannot be compared')
    expect(await one([1, ref('entry.s'), 3], { s: 'string' }, { s: '3' })).toBe(false)
    expect(await one([14, ref('entry.f', 'float'), 3], { f: 'float' }, { f: 3 })).toBe(true)
  })

  test('operands are converted, but not filled: null stays null', async () => {
    const entry: TypeFields = { n: 'integer', s: 'string', b: 'boolean', l: ['string'] }
    const nothing = { n: null, s: null, b: null, l: null }
    expect(await one([1, ref('entry.n', 'integer'), 0], entry, nothing)).toBe(false)
    expect(await one([15, ref('entry.n', 'integer'), 0], entry, nothing)).toBe(true)
    expect(await one([9, ref('entry.s')], entry, nothing)).toBe(true)
    expect(await one([12, ref('entry.b', 'boolean')], entry, nothing)).toBe(true)
    expect(await one([7, ref('entry.l', ['string']), 'a'], entry, nothing)).toBe(false)
    expect(await one([8, ref('entry.l', ['string']), 'a'], entry, nothing)).toBe(false)
    expect(await one([1, ref('entry.s', 'integer'), 42], entry, { s: '42' })).toBe(true)
  })

  test('contains: a text in a text, an element in a list, a key in an object', async () => {
    const entry: TypeFields = { s: 'string', l: ['integer'], o: 'object' }
    const args = { s: 'test', l: [1, 2, 3], o: { key1: null } }
    expect(await one([7, ref('entry.s'), 'es'], entry, args)).toBe(true)
    expect(await one([7, ref('entry.l', ['integer']), 2], entry, args)).toBe(true)
    expect(await one([7, ref('entry.l', ['integer']), '2'], entry, args)).toBe(false)
    expect(await one([7, ref('entry.o', 'object'), 'key1'], entry, args)).toBe(true)
  })

  test('a right side that the editor has left empty is none', async () => {
    const draw = (right: unknown): CanvasJson => {
      const canvas = drawCanvas()
        .entry({ s: 'string' })
        .selector('101', [{ if: [[10, ref('entry.s')]] }])
        .node('102', 15, concat('full'))
        .exit({ got: ref('102.output') })
        .edges('entry > 101:true > 102 > exit', '101:false > exit')
        .build()
      const [branch] = canvas.nodes.find(({ id }) => id === '101')?.data.inputs.branches as { condition: { conditions: object[] } }[]
      Object.assign(branch?.condition.conditions[0] ?? {}, { right })
      return canvas
    }
    const dangling = { input: { type: 'string', value: { type: 'ref', content: { source: 'block-output', blockID: '', name: '' } } } }
    for (const right of [undefined, null, {}, { input: null }, { input: {} }, dangling]) {
      expect(await house.results(draw(right), { s: 'x' }), JSON.stringify(right)).toEqual({ got: 'full' })
      expect(await house.results(draw(right), { s: '' })).toEqual({ got: '' })
    }
  })

  test('a left side whose source was skipped is an error, whichever branch would have been taken', async () => {
    const canvas = drawCanvas()
      .entry({ go: 'boolean' })
      .selector('101', [{ if: [[11, ref('entry.go', 'boolean')]] }])
      .node('102', 15, concat('x'))
      .selector('103', [{ if: [[1, ref('entry.go', 'boolean'), false]] }, { if: [[1, ref('102.output'), 'x']] }])
      .exit({})
      .edges('entry > 101:true > 102 > 103:true > exit', '101:false > 103:false > exit', '103:true_1 > exit')
      .build()
    expect(await house.play(canvas, { go: false })).toMatchObject({ status: 'failed', error: expect.stringContaining('branch 2') })
    expect(await house.play(canvas, { go: true })).toMatchObject({ status: 'succeeded' })
  })

  test('says which branch it took', async () => {
    const canvas = drawCanvas()
      .entry({ n: 'integer' })
      .selector('101', [{ if: [[1, ref('entry.n', 'integer'), 1]] }, { if: [[1, ref('entry.n', 'integer'), 2]] }])
      .exit({})
      .edges('entry > 101:true > exit', '101:true_1 > exit', '101:false > exit')
      .build()
    const said = async (n: number) => (await house.records(await house.play(canvas, { n }))).find(({ nodeId }) => nodeId === '101')?.outputs
    expect(await Promise.all([1, 2, 3].map(said))).toEqual([
      { result: 'pass to condition 1 branch' },
      { result: 'pass to condition 2 branch' },
      { result: 'pass to else branch' },
    ])
  })
})

describe('branches and joins', () => {
  test('what was skipped prints as nothing in an answer, an unknown name as it is written', async () => {
    const canvas = drawCanvas()
      .entry({ go: 'boolean' })
      .selector('101', [{ if: [[11, ref('entry.go', 'boolean')]] }])
      .node('102', 15, concat('yes'))
      .node('103', 15, concat('no'))
      .answer('[{{a}}{{a.b}}{{b}}] {{c}} {{ d }}', { a: ref('102.output'), b: ref('103.output') })
      .edges('entry > 101:true > 102 > exit', '101:false > 103 > exit')
      .build()
    expect(await house.results(canvas, { go: false })).toBe('[no] {{c}} {{d }}')
    expect(await house.results(canvas, { go: true })).toBe('[yes{{a.b}}] {{c}} {{d }}')
  })

  test('an object of values that were all skipped prints as nothing', async () => {
    const canvas = drawCanvas()
      .entry({ go: 'boolean' })
      .selector('101', [{ if: [[11, ref('entry.go', 'boolean')]] }])
      .node('102', 15, concat('x'))
      .node('103', 15, concat('y'))
      .answer('[{{o}}{{o.x}}] {{p}}', {
        o: fields({ x: ref('102.output'), more: fields({ x: ref('102.output') }) }),
        p: fields({ x: ref('102.output'), y: ref('103.output') }),
      })
      .edges('entry > 101:true > 102 > exit', '101:false > 103 > exit')
      .build()
    expect(await house.results(canvas, { go: false })).toBe('[] {"x":null,"y":"y"}')
    expect(await house.results(canvas, { go: true })).toBe('[{"more":{"x":"x"},"x":"x"}x] {"x":"x","y":null}')
  })

  test('one port may lead to many nodes, many ports to one; a join of parallel paths waits for all of them', async () => {
    const canvas = drawCanvas()
      .entry({ n: 'integer' })
      .selector('101', [{ if: [[1, ref('entry.n', 'integer'), 1]] }, { if: [[1, ref('entry.n', 'integer'), 2]] }])
      .node('102', 15, concat('a'))
      .node('103', 15, concat('b'))
      .node('104', 15, concat('c'))
      .node('105', 15, concat('{{a}}{{b}}{{c}}', { a: ref('102.output'), b: ref('103.output'), c: ref('104.output') }))
      .exit({ got: ref('105.output') })
      .edges('entry > 101:true > 102 > 105', '101:true > 103 > 105', '101:true_1 > 103', '101:false > 104 > 105 > exit')
      .build()
    expect(await Promise.all([1, 2, 3].map((n) => house.results(canvas, { n })))).toEqual([{ got: 'ab' }, { got: 'b' }, { got: 'c' }])
  })

  test('a node may read from one that no edge leads from, and waits for it', async () => {
    const canvas = drawCanvas()
      .entry({ s: 'string' })
      .node('101', 15, concat('{{s}}!', { s: ref('entry.s') }))
      .node('102', 15, concat('x'))
      .node('103', 15, concat('{{a}}{{b}}', { a: ref('101.output'), b: ref('102.output') }))
      .exit({ got: ref('103.output') })
      .edges('entry > 101 > exit', 'entry > 102 > 103 > exit')
      .build()
    expect(await house.results(canvas, { s: 'a' })).toEqual({ got: 'a!x' })
  })

  test('what nothing leads to is no part of the workflow; what stood behind it alone is skipped', async () => {
    const canvas = drawCanvas()
      .entry({ s: 'string' })
      .node('500', 31, { inputs: { schemaType: 'slate', note: '[]' } })
      .node('501', 9999, { inputs: { what: 'ever' } })
      .node('502', 59, fail())
      .node('503', 15, concat('{{s}}', { s: ref('entry.s') }))
      .exit({ got: ref('503.output'), s: ref('entry.s') })
      .edges('entry > exit', '501 > 502 > 503 > exit')
      .build()
    expect(await house.results(canvas, { s: 'x' })).toEqual({ got: '', s: 'x' })
  })

  test('the result is there when the end is reached, and all nodes have run by then', async () => {
    const canvas = drawCanvas()
      .entry({})
      .node('101', 13, { inputs: { content: input('aside'), streamingOutput: false } })
      .exit({ ok: true })
      .edges('entry > exit', 'entry > 101 > exit')
      .build()
    const ran = await house.play(canvas)
    expect(ran.messages.map(({ content }) => content)).toEqual(['aside', '{"ok":true}'])
  })
})

describe('aggregation', () => {
  test('gives of each group the first that is not null, and passes over what was skipped', async () => {
    const canvas = drawCanvas()
      .entry({ go: 'boolean', n: 'integer', o: { a: 'string' } })
      .selector('101', [{ if: [[11, ref('entry.go', 'boolean')]] }])
      .node('102', 15, concat('first'))
      .node('103', 15, concat('second'))
      .node(
        '104',
        32,
        aggregate(
          {
            Group1: [ref('102.output'), ref('103.output')],
            Group2: [ref('entry.n', 'integer'), 7],
            Group3: [ref('entry.o.a')],
            Group4: [ref('102.output'), 'a literal'],
          },
          { Group1: 'string', Group2: 'integer', Group3: 'string', Group4: 'string' },
        ),
      )
      .exit({ all: ref('104', 'object') })
      .edges('entry > 101:true > 102 > 104', '101:false > 103 > 104 > exit')
      .build()
    expect(await house.results(canvas, { go: true, n: 0 })).toEqual({ all: { Group1: 'first', Group2: 0, Group3: null, Group4: 'first' } })
    expect(await house.results(canvas, { go: false })).toEqual({ all: { Group1: 'second', Group2: 7, Group3: null, Group4: 'a literal' } })
  })
})
