import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { drawCanvas, literal, params, ref } from '../../../test/support/canvas-builder.ts'
import type { CanvasJson } from '../../../test/support/canvas-builder.ts'
import { engineHouse } from '../../../test/support/engine-house.ts'
import { parseCanvas } from '../canvas/canvas-document.ts'
import { toText } from '../values/value-text.ts'
import type { Value } from '../values/value.ts'
import type { NodeResult, NodeRun } from './node-type.ts'
import { createTextStream } from './text-stream.ts'

const text = { outputs: { output: 'string' } } as const
const done = (output: Value): NodeResult => ({ kind: 'done', outputs: { output } })

const one = (node: (drawing: ReturnType<typeof drawCanvas>) => unknown): CanvasJson => {
  const drawing = drawCanvas()
    .entry({ a: 'string' })
    .exit({ result: ref('101.output') })
  node(drawing)
  return drawing.edges('entry > 101 > exit').build()
}

describe('names that mean something to JavaScript', () => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']

  test.each(names)('%s is an input, an output and a parameter like any other', async (name) => {
    const canvas = drawCanvas()
      .entry({ [name]: 'string' })
      .node('101', 900, { params: Object.fromEntries([[name, ref(`entry.${name}`)]]), outputs: Object.fromEntries([[name, 'string']]) })
      .exit(Object.fromEntries([[name, ref(`101.${name}`)]]))
      .edges('entry > 101 > exit')
      .build()

    const outputs = await engineHouse().run(canvas, Object.fromEntries([[name, 'x']]))
    expect(Object.entries(outputs)).toEqual([[name, 'x']])
  })

  test.each(names)('%s is a variable and an output of a loop like any other', async (name) => {
    const canvas = drawCanvas()
      .entry({})
      .loop(
        '200',
        {
          type: 'count',
          count: 2,
          variables: Object.fromEntries([[name, 'before']]),
          outputs: Object.fromEntries([[name, ref(`200.${name}`)]]),
        },
        (body) =>
          body
            .node('201', 20, { inputs: { inputParameters: [{ left: ref(`200.${name}`), right: literal('after', 'string') }] } })
            .edges('start > 201 > end'),
      )
      .exit({ result: ref(`200.${name}`) })
      .edges('entry > 200:loop-output > exit')
      .build()

    expect(await engineHouse().run(canvas)).toEqual({ result: 'after' })
  })

  test.each(names)('%s is no variable of a loop that has none of that name', async (name) => {
    const canvas = drawCanvas()
      .entry({})
      .loop('200', { type: 'count', count: 1, outputs: { output: ref(`200.${name}`) } }, (body) =>
        body.node('201', 900).edges('start > 201 > end'),
      )
      .exit({ result: ref('200.output') })
      .edges('entry > 200:loop-output > exit')
      .build()

    expect(await engineHouse().run(canvas)).toEqual({ result: '' })
  })

  test('constructor is a node like any other, also where it did not run', async () => {
    const canvas = drawCanvas()
      .entry({})
      .loop('200', { type: 'count', count: 1, outputs: { all: ref('constructor', ['object']) } }, (body) =>
        body.node('201', 900).node('constructor', 900).edges('start > 201:a > constructor > end'),
      )
      .exit({ all: ref('200.all', ['object']) })
      .edges('entry > 200:loop-output > exit')
      .build()

    expect(await engineHouse({ probes: { 201: () => ({ kind: 'done', outputs: {}, port: 'b' }) } }).run(canvas)).toEqual({ all: [] })
  })

  test.each(names)('%s of a node that streams is none of its streams', async (name) => {
    const canvas = drawCanvas()
      .entry({})
      .node('101', 900, text)
      .answer('{{a}}{{b}}', { a: ref('101.output'), b: ref(`101.${name}`) }, { streaming: true })
      .edges('entry > 101 > exit')
      .build()
    const run = engineHouse({ probes: { 101: streaming('said') } }).startRun(canvas)
    Object.assign(run.graph, { streams: true })

    expect(await run.live()).toEqual({ kind: 'done', outputs: { output: 'said' } })
  })
})

describe('a loop', () => {
  test.each(['$break', '$count'])('cannot have a variable or list called %s', (name) => {
    const canvas = (given: object) =>
      drawCanvas()
        .entry({ list: ['string'] })
        .loop('200', given, (body) => body.node('201', 900).edges('start > 201 > end'))
        .exit({})
        .edges('entry > 200:loop-output > exit')
        .build()

    expect(() => engineHouse().startRun(canvas({ params: { [name]: ref('entry.list', ['string']) } }))).toThrow(name)
    expect(() => engineHouse().startRun(canvas({ type: 'count', variables: { [name]: 'x' } }))).toThrow(name)
  })
})

describe('a batch', () => {
  test.each([2.5, -3, 0, 1e12])('of the size %d and as many at once has passes all the same', async (size) => {
    const canvas = drawCanvas()
      .entry({ list: ['string'] })
      .batch(
        '300',
        {
          ...{ size: literal(size, 'float'), concurrency: literal(size, 'float') },
          ...{ params: { item: ref('entry.list', ['string']) }, outputs: { said: ref('301.output', ['string']) } },
        },
        (body) => body.node('301', 900, { params: { output: ref('300.item') }, ...text }).edges('start > 301 > end'),
      )
      .exit({ said: ref('300.said', ['string']) })
      .edges('entry > 300:batch-output > exit')
      .build()

    const list = ['a', 'b', 'c']
    expect(await engineHouse().run(canvas, { list })).toEqual({ said: size === 2.5 ? ['a', 'b'] : list })
  })
})

describe('the id of a node', () => {
  const withId = (id: string) => drawCanvas().entry({}).node(id, 900).exit({}).edges('entry > exit').build()

  test('cannot be what its records could not tell from another one, or what is too long', () => {
    for (const id of ['a/b', 'a#0', 'a@b', '$variables', '__proto__', '', ' ', 'ä', 'a\n', 'x'.repeat(65), 'x'.repeat(10_000)])
      expect(() => parseCanvas(withId(id)), id.slice(0, 20)).toThrow('at most 64 letters')
  })

  test('may be what Coze and other editors write', () => {
    for (const id of ['100002', '07062', 'node_1', 'a-b-C', '3f2504e0-4f89-11d3-9a0c-0305e82c3301'])
      expect(() => parseCanvas(withId(id))).not.toThrow()
  })

  test('counts wherever the node is, and is there once', () => {
    const nested = (count: number): CanvasJson => {
      const canvas = drawCanvas()
        .entry({})
        .loop('1', {}, (outer) => outer.loop('2', {}, (inner) => Array.from({ length: count }, (_each, at) => inner.node(`3${at}`, 900))))
        .exit({})
        .build()
      return canvas
    }
    expect(() => parseCanvas(nested(1_990))).not.toThrow()
    expect(() => parseCanvas(nested(2_000))).toThrow('2004 nodes')

    const twice = drawCanvas()
      .entry({})
      .loop('1', {}, (outer) => outer.loop('2', {}, (inner) => inner.node('1', 900)))
      .exit({})
      .build()
    expect(() => parseCanvas(twice)).toThrow('there twice')
  })
})

describe('what a node gives', () => {
  const deep = (levels: number): Value => {
    let value: Value = 'x'
    for (let level = 0; level < levels; level++) value = [value]
    return value
  }
  const canvas = one((drawing) => drawing.node('101', 900, { title: 'hoarder', outputs: { output: 'list' } }))
  const giving = (value: () => Value) => engineHouse({ probes: { 101: () => done(value()) } })

  test.each<[string, () => Value]>([
    ['too long a text', () => 'x'.repeat(6_000_000)],
    ['a text that is too long once it is JSON', () => '\u0001'.repeat(1_000_000)],
    ['too many elements', () => new Array<Value>(2_000_000).fill('')],
    ['too many numbers', () => new Array<Value>(1_000_000).fill(1234.5)],
    ['too many names', () => Object.fromEntries(Array.from({ length: 400_000 }, (_each, at) => [`name${at}`, at]))],
    ['too deep a nesting', () => deep(600)],
  ])('is bounded: %s is its failure', async (_what, value) => {
    await expect(giving(value).run(canvas)).rejects.toThrow(/the node hoarder .* larger than 5000000 characters/)
  })

  test.each<[string, () => Value]>([
    ['a long text', () => 'x'.repeat(4_900_000)],
    ['a text with quotes', () => '"'.repeat(1_200_000)],
    ['nested', () => deep(450)],
  ])('may be %s', async (_what, value) => {
    await expect(giving(value).run(canvas)).resolves.toBeDefined()
  })

  test('can be replaced by its default data when it is too large', async () => {
    const handled = one((drawing) => drawing.node('101', 900, { ...text, onError: { processType: 2, dataOnErr: '{"output":"small"}' } }))

    expect(await giving(() => 'x'.repeat(6_000_000)).run(handled)).toEqual({ result: 'small' })
  })

  test('is bounded for all nodes of a run together', async () => {
    const looping = drawCanvas()
      .entry({})
      .loop('200', { type: 'count', count: 1_000 }, (body) => body.node('201', 900, text).edges('start > 201 > end'))
      .exit({})
      .edges('entry > 200:loop-output > exit')
      .build()
    const megabyte = 'x'.repeat(1_000_000)
    let passes = 0
    const house = engineHouse({ probes: { 201: () => (passes++, done(megabyte)) } })

    await expect(house.run(looping)).rejects.toThrow('more than 100000000 characters')
    expect(passes).toBeLessThan(110)
  })

  test('is bounded when variables of a loop grow with each pass', async () => {
    const growing = drawCanvas()
      .entry({})
      .loop('200', { type: 'count', count: 1_000, variables: { grown: 'x' }, outputs: { grown: ref('200.grown') } }, (body) =>
        body
          .node('201', 900, { params: { before: ref('200.grown') }, ...text })
          .node('202', 20, { inputs: { inputParameters: [{ left: ref('200.grown'), right: ref('201.output') }] } })
          .edges('start > 201 > 202 > end'),
      )
      .exit({ grown: ref('200.grown') })
      .edges('entry > 200:loop-output > exit')
      .build()
    const doubling = ({ inputs }: NodeRun) => done(toText(inputs.before ?? '').repeat(2))

    await expect(engineHouse({ probes: { 201: doubling } }).run(growing)).rejects.toThrow('larger than 5000000 characters')
  })

  test('is bounded for what each pass hands to the next one, and for what is kept of a pass', async () => {
    const handing = drawCanvas()
      .entry({ a: 'string' })
      .loop('200', { type: 'count', count: 1_000, variables: { large: ref('entry.a') } }, (body) =>
        body.node('201', 900).edges('start > 201 > end'),
      )
      .exit({})
      .edges('entry > 200:loop-output > exit')
      .build()
    const keeping = drawCanvas()
      .entry({ a: 'string' })
      .loop('200', { type: 'count', count: 1, outputs: { b: ref('201.output', ['string']), c: ref('202.output', ['string']) } }, (body) =>
        body
          .node('201', 900, { params: { output: ref('entry.a') }, ...text })
          .node('202', 900, { params: { output: ref('entry.a') }, ...text })
          .edges('start > 201 > 202 > end'),
      )
      .exit({})
      .edges('entry > 200:loop-output > exit')
      .build()

    await expect(engineHouse().run(handing, { a: 'x'.repeat(1_000_000) })).rejects.toThrow('more than 100000000 characters')
    await expect(engineHouse().run(keeping, { a: 'x'.repeat(3_000_000) })).rejects.toThrow(/a pass of the node .* larger than/)
  })

  test('is bounded for what it keeps while it waits, and for what it asks', async () => {
    const waiting = one((drawing) => drawing.node('101', 900, { title: 'hoarder', ...text }))
    const asking = (data: string, saved: string) => (run: NodeRun) => {
      run.save(saved)
      return { kind: 'waiting' as const, events: [run.createEvent(2, data)] }
    }
    const large = 'x'.repeat(6_000_000)

    await expect(
      engineHouse({ probes: { 101: asking('', large) } })
        .startRun(waiting)
        .live(),
    ).rejects.toThrow('larger than')
    await expect(
      engineHouse({ probes: { 101: asking(large, '') } })
        .startRun(waiting)
        .live(),
    ).rejects.toThrow('larger than')
  })
})

describe('an answer that is said piece by piece', () => {
  const repeating = (times: number) =>
    drawCanvas()
      .entry({ a: 'string' })
      .node('101', 900, text)
      .answer('{{a}}{{s}}'.repeat(times), { a: ref('entry.a'), s: ref('101.output') }, { streaming: true })
      .edges('entry > 101 > exit')
      .build()

  test('is bounded, however often it repeats what it is given', async () => {
    const run = engineHouse({ probes: { 101: streaming('x'.repeat(100_000)) } }).startRun(repeating(10_000), { a: 'y'.repeat(100_000) })
    Object.assign(run.graph, { streams: true })

    await expect(run.live()).rejects.toThrow('longer than')
    expect(run.messages.length).toBeLessThan(200)
  })
})

describe('a run that computes and never waits', () => {
  const template = (chars: number) => ({
    params: { String1: ref('entry.a') },
    inputs: { method: 'concat', concatParams: params({ concatResult: 'x'.repeat(chars) + '{{String1}}', arrayItemConcatChar: ',' }) },
    ...text,
  })

  test('lets others have their turn between large texts', async () => {
    const canvas = drawCanvas()
      .entry({ a: 'string' })
      .loop('200', { type: 'count', count: 300 }, (body) =>
        body.node('201', 900, { params: { a: ref('entry.a') }, outputs: { output: 'integer' } }).edges('start > 201 > end'),
      )
      .exit({})
      .edges('entry > 200:loop-output > exit')
      .build()
    // as long as a text of a megabyte takes
    const busy = () => {
      for (const until = performance.now() + 4; performance.now() < until;);
      return done(1)
    }
    let turns = 0
    const stop = countTurns(() => turns++)
    await engineHouse({ probes: { 201: busy } }).run(canvas, { a: '' })
    stop()
    // some nodes in a row, not dozens of them
    expect(turns).toBeGreaterThan(60)
  })

  test('with 2,000 nodes is through soon', async () => {
    const ids = Array.from({ length: 1_990 }, (_each, at) => String(10_000 + at))
    const drawing = drawCanvas()
      .entry({ a: 'string' })
      .exit({ a: ref('entry.a') })
    for (const id of ids) drawing.node(id, 15, template(10))
    const canvas = drawing.edges(...ids.map((id) => `entry > ${id} > exit`)).build()

    expect(await engineHouse().run(canvas, { a: 'done' })).toEqual({ a: 'done' })
  })

  test('lets others have their turn when it is walked again over what it had done', async () => {
    const canvas = drawCanvas()
      .entry({})
      .loop('200', { type: 'count', count: 30_000 }, (body) => body.node('201', 900, text).edges('start > 201 > end'))
      .node('202', 900, text)
      .exit({})
      .edges('entry > 200:loop-output > 202 > exit')
      .build()
    const asking = (run: NodeRun): NodeResult =>
      run.answer === undefined ? { kind: 'waiting', events: [run.createEvent(2, '')] } : done(run.answer)
    const run = engineHouse({ probes: { 202: asking } }).startRun(canvas)
    const waiting = await run.live()
    run.records.delete('200')
    const eventId = waiting.kind === 'waiting' ? (waiting.events[0]?.id ?? '') : ''

    let turns = 0
    const stop = countTurns(() => turns++)
    expect((await run.live({ resume: { eventId, data: 'yes' } })).kind).toBe('done')
    stop()
    expect(turns).toBeGreaterThan(100)
  })
})

function streaming(whole: string) {
  return (): NodeResult => {
    const output = createTextStream()
    output.push(whole)
    output.end()
    return { kind: 'streaming', streams: { output }, finished: Promise.resolve({ output: whole }) }
  }
}

function countTurns(onTurn: () => void): () => void {
  const stop = new AbortController()
  void (async () => {
    while (!stop.signal.aborted) {
      await setImmediate()
      onTurn()
    }
  })()
  return () => stop.abort()
}
