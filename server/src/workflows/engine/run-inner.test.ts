import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { drawCanvas, literal, ref } from '../../../test/support/canvas-builder.ts'
import type { CanvasJson } from '../../../test/support/canvas-builder.ts'
import { engineHouse } from '../../../test/support/engine-house.ts'
import { printValue } from '../values/value.ts'
import { NodeError } from './node-error.ts'
import type { NodeResult, NodeRun } from './node-type.ts'
import type { WaitingEvent } from './waiting-event.ts'
import type { WorkflowEnd } from './run-workflow.ts'

const done = (output: NodeRun['inputs'][string], port?: string): NodeResult => ({ kind: 'done', outputs: { output }, port })
const text = { outputs: { output: 'string' } } as const

const parseEvent = (json: string) => JSON.parse(json) as WaitingEvent

/** Asks once, as a question node does. */
const asking = (run: NodeRun): NodeResult => {
  if (run.answer !== undefined) return done(run.answer)
  if (typeof run.saved === 'string') return { kind: 'waiting', events: [parseEvent(run.saved)] }
  const event = run.createEvent(2, `{"about":${JSON.stringify(run.inputs.about ?? '')}}`)
  run.save(JSON.stringify(event))
  return { kind: 'waiting', events: [event] }
}

function eventsOf(end: WorkflowEnd) {
  return end.kind === 'waiting' ? end.events : []
}

describe('a loop', () => {
  const loopOver = (draw: (probes: ReturnType<typeof drawCanvas>) => unknown, settings: object = {}): CanvasJson =>
    drawCanvas()
      .entry({ words: ['string'] })
      .loop(
        '200',
        { params: { word: ref('entry.words', ['string']) }, outputs: { said: ref('201.output', ['string']) }, ...settings },
        draw,
      )
      .exit({ said: ref('200.said', ['string']) })
      .edges('entry > 200:loop-output > exit')
      .build()

  test('walks its lists one element after another', async () => {
    const canvas = loopOver((body) =>
      body.node('201', 900, { params: { output: ref('200.word'), at: ref('200.index', 'integer') }, ...text }).edges('start > 201 > end'),
    )

    expect(await engineHouse().run(canvas, { words: ['a', 'b', 'c'] })).toEqual({ said: ['a', 'b', 'c'] })
    expect(await engineHouse().run(canvas, { words: [] })).toEqual({ said: [] })
  })

  test('its outputs leave out what a pass did not give; a break lets the pass end', async () => {
    const probes = {
      201: ({ inputs }: NodeRun) => done(inputs.output ?? null),
      205: ({ inputs }: NodeRun) => done('', inputs.word === 'skip' ? 'a' : inputs.word === 'stop' ? 'b' : 'c'),
    }
    const canvas = loopOver((body) =>
      body
        .node('205', 900, { params: { word: ref('200.word') } })
        .node('201', 900, { params: { output: ref('200.word') }, ...text })
        .node('202', 19)
        .node('203', 29)
        .edges('start > 205:a > 203', '205:b > 202', '205:c > 201 > end'),
    )

    expect(await engineHouse({ probes }).run(canvas, { words: ['x', 'skip', 'y', 'stop', 'z'] })).toEqual({ said: ['x', 'y'] })
  })

  test('sets variables that later nodes and passes see, and hands them on', async () => {
    const canvas = drawCanvas()
      .entry({ words: ['string'] })
      .loop(
        '200',
        {
          params: { word: ref('entry.words', ['string']) },
          variables: { last: 'none', count: literal(0, 'integer') },
          outputs: { before: ref('201.output', ['string']), after: ref('203.output', ['string']), last: ref('200.last') },
        },
        (body) =>
          body
            .node('201', 900, { params: { output: ref('200.last') }, ...text })
            .node('202', 20, { inputs: { inputParameters: [{ left: ref('200.last'), right: ref('200.word') }] } })
            .node('203', 900, { params: { output: ref('200.last') }, ...text })
            .edges('start > 201 > 202 > 203 > end'),
      )
      .exit({ before: ref('200.before', ['string']), after: ref('200.after', ['string']), last: ref('200.last') })
      .edges('entry > 200:loop-output > exit')
      .build()

    expect(await engineHouse().run(canvas, { words: ['a', 'b'] })).toEqual({ before: ['none', 'a'], after: ['a', 'b'], last: 'b' })
  })

  test('runs a number of times, or until a break', async () => {
    const counting = loopOver(
      (body) =>
        body
          .node('201', 900, { params: { output: ref('200.index', 'integer') }, outputs: { output: 'integer' } })
          .edges('start > 201 > end'),
      {
        type: 'count',
        count: 3,
        params: {},
        outputs: { said: ref('201.output', ['integer']) },
      },
    )
    const exit = counting.nodes.find(({ type }) => type === '2')
    Object.assign(exit?.data.inputs ?? {}, { inputParameters: [{ name: 'said', input: ref('200.said', ['integer']) }] })
    expect(await engineHouse().run(counting)).toEqual({ said: [0, 1, 2] })

    const endless = loopOver(
      (body) =>
        body
          .node('201', 900, { params: { output: ref('200.index') }, ...text })
          .node('202', 19)
          .edges('start > 201 > 202'),
      {
        type: 'infinite',
        params: {},
      },
    )
    expect(await engineHouse().run(endless)).toEqual({ said: ['0'] })
  })

  test('without an end it is stopped by the limit of the run, and others have their turn meanwhile', async () => {
    const canvas = loopOver((body) => body.node('201', 900, text).edges('start > 201 > end'), { type: 'infinite', params: {} })
    let turns = 0
    const timer = setInterval(() => turns++, 1)

    await expect(engineHouse({ maxNodeRuns: 20_000 }).run(canvas)).rejects.toThrow('more than 20000 nodes were executed')
    clearInterval(timer)
    expect(turns).toBeGreaterThan(0)
  })

  test('waits in the middle, and goes on with what it had', async () => {
    const asked: string[] = []
    const ask = (run: NodeRun) => {
      asked.push(`${printValue(run.inputs.about ?? '')}:${run.answer ?? ''}`)
      return asking(run)
    }
    const canvas = loopOver((body) =>
      body
        .node('204', 901, { params: { output: ref('200.word') }, ...text })
        .node('201', 900, { params: { about: ref('204.output') }, ...text })
        .edges('start > 204 > 201 > end'),
    )
    const run = engineHouse({ probes: { 201: ask } }).startRun(canvas, { words: ['a', 'b'] })

    const [first] = eventsOf(await run.live())
    expect(first).toMatchObject({ nodeId: '201', path: '200#0/201', data: '{"about":"a"}' })
    const [second] = eventsOf(await run.live({ resume: { eventId: first?.id ?? '', data: 'one' } }))
    expect(second?.path).toBe('200#1/201')
    expect(await run.live({ resume: { eventId: second?.id ?? '', data: 'two' } })).toEqual({
      kind: 'done',
      outputs: { said: ['one', 'two'] },
    })
    expect(asked).toEqual(['"a":', '"a":one', '"b":', '"b":two'])
  })
})

describe('a batch', () => {
  const batchOver = (settings: object = {}): CanvasJson =>
    drawCanvas()
      .entry({ words: ['string'] })
      .batch(
        '300',
        { params: { word: ref('entry.words', ['string']) }, outputs: { said: ref('301.output', ['string']) }, ...settings },
        (body) =>
          body.node('301', 900, { params: { output: ref('300.word'), about: ref('300.word') }, ...text }).edges('start > 301 > end'),
      )
      .exit({ said: ref('300.said', ['string']) })
      .edges('entry > 300:batch-output > exit')
      .build()

  test('runs several at a time and keeps the order', async () => {
    let running = 0
    let most = 0
    const busy = async ({ inputs }: NodeRun) => {
      most = Math.max(most, ++running)
      await sleep(inputs.output === 'a' ? 30 : 5)
      running--
      return done(inputs.output ?? null)
    }

    expect(await engineHouse({ probes: { 301: busy } }).run(batchOver({ concurrency: 2 }), { words: ['a', 'b', 'c', 'd'] })).toEqual({
      said: ['a', 'b', 'c', 'd'],
    })
    expect(most).toBe(2)
  })

  test('takes no more than its size, and nothing of nothing', async () => {
    expect(await engineHouse().run(batchOver({ size: 2 }), { words: ['a', 'b', 'c'] })).toEqual({ said: ['a', 'b'] })
    expect(await engineHouse().run(batchOver(), { words: [] })).toEqual({ said: [] })
  })

  test('a pass that gives nothing leaves null', async () => {
    const canvas = drawCanvas()
      .entry({ words: ['string'] })
      .batch('300', { params: { word: ref('entry.words', ['string']) }, outputs: { said: ref('301.output', ['string']) } }, (body) =>
        body
          .node('302', 900, { params: { word: ref('300.word') } })
          .node('301', 900, { params: { output: ref('300.word') }, ...text })
          .edges('start > 302:a > 301 > end', '302:b > end'),
      )
      .exit({ said: ref('300.said', ['string']) })
      .edges('entry > 300:batch-output > exit')
      .build()
    const probes = { 302: ({ inputs }: NodeRun) => done('', inputs.word === 'x' ? 'b' : 'a') }
    const run = engineHouse({ probes }).startRun(canvas, { words: ['a', 'x', 'c'] })
    await run.live()

    expect(run.records.get('300')?.outputs).toEqual({ said: ['a', null, 'c'] })
  })

  test('the first failure ends it', async () => {
    let ran = 0
    const failing = ({ inputs }: NodeRun) => {
      ran++
      return inputs.output === 'b' ? Promise.reject(new NodeError(1, 'no b')) : sleep(10, done(''))
    }

    await expect(
      engineHouse({ probes: { 301: failing } }).run(batchOver({ concurrency: 2 }), { words: ['a', 'b', 'c', 'd', 'e'] }),
    ).rejects.toThrow('no b')
    expect(ran).toBe(2)
  })

  test('several passes wait at once; each is answered in turn, whatever the order', async () => {
    // the second one asks first
    const ask = async (run: NodeRun) => {
      if (run.inputs.about === 'a' && run.saved === undefined) await sleep(20)
      return asking(run)
    }
    const run = engineHouse({ probes: { 301: ask } }).startRun(batchOver({ concurrency: 2 }), { words: ['a', 'b', 'c'] })

    let waiting = eventsOf(await run.live())
    expect(waiting.map(({ path }) => path)).toEqual(['300#1/301', '300#0/301'].sort())
    const b = waiting.find(({ path }) => path === '300#1/301')
    waiting = eventsOf(await run.live({ resume: { eventId: b?.id ?? '', data: 'B' } }))
    expect(waiting.map(({ path }) => path)).toEqual(['300#0/301'])
    waiting = eventsOf(await run.live({ resume: { eventId: waiting[0]?.id ?? '', data: 'A' } }))
    expect(waiting.map(({ path }) => path)).toEqual(['300#2/301'])
    expect(await run.live({ resume: { eventId: waiting[0]?.id ?? '', data: 'C' } })).toEqual({
      kind: 'done',
      outputs: { said: ['A', 'B', 'C'] },
    })
  })

  test('a node in batch mode is one', async () => {
    const list = { name: 'outputList', type: 'list', schema: { type: 'object', schema: [{ name: 'output', type: 'string' }] } }
    const canvas = drawCanvas()
      .entry({ words: ['string'] })
      .node('400', 9)
      .exit({ all: ref('400.outputList', [{ output: 'string' }]) })
      .edges('entry > 400 > exit')
      .build()
    const node = canvas.nodes.find(({ id }) => id === '400')
    Object.assign(node?.data ?? {}, {
      outputs: [list],
      inputs: {
        ...{ workflowId: '77', workflowVersion: 'v1', inputParameters: [{ name: 'word', input: ref('400.item1') }] },
        batch: {
          batchEnable: true,
          batchSize: 100,
          concurrentSize: 3,
          inputLists: [{ name: 'item1', input: ref('entry.words', ['string']) }],
        },
      },
    })
    const called = drawCanvas()
      .entry({ word: 'string' })
      .exit({ output: ref('entry.word') })
      .edges('entry > exit')
      .build()

    expect(await engineHouse({ workflows: { 77: called } }).run(canvas, { words: ['a', 'b'] })).toEqual({
      all: [{ output: 'a' }, { output: 'b' }],
    })
  })
})

describe('a sub-workflow', () => {
  const caller = drawCanvas()
    .entry({ word: 'string' })
    .node('400', 9, { params: { word: ref('entry.word') }, inputs: { workflowId: '77' }, outputs: { output: 'string' } })
    .exit({ result: ref('400.output') })
    .edges('entry > 400 > exit')
    .build()

  test('gives its results; what its own emitters say is said, its end says nothing', async () => {
    const called = drawCanvas()
      .entry({ word: 'string' })
      .node('101', 13, {
        params: { a: ref('entry.word') },
        inputs: { content: { type: 'string', value: { type: 'literal', content: 'hi {{a}}' } } },
      })
      .exit({ output: ref('entry.word') })
      .edges('entry > 101 > exit')
      .build()
    const run = engineHouse({ workflows: { 77: called } }).startRun(caller, { word: 'w' })

    expect(await run.live()).toEqual({ kind: 'done', outputs: { result: 'w' } })
    expect(run.texts()).toEqual(['hi w', '{"result":"w"}'])
    expect([...run.records.keys()].sort()).toEqual(['100001', '400', '400/100001', '400/101', '400/900001', '900001'])
  })

  test('that calls itself is stopped', async () => {
    await expect(engineHouse({ workflows: { 77: caller } }).run(caller, { word: 'w' })).rejects.toThrow('more than 20 levels deep')
  })

  test('waits inside, and fails with what failed inside', async () => {
    const called = drawCanvas()
      .entry({ word: 'string' })
      .node('101', 900, text)
      .exit({ output: ref('101.output') })
      .edges('entry > 101 > exit')
      .build()
    const run = engineHouse({ workflows: { 77: called }, probes: { 101: asking } }).startRun(caller, { word: 'w' })
    const [event] = eventsOf(await run.live())
    expect(event?.path).toBe('400/101')
    expect(await run.live({ resume: { eventId: event?.id ?? '', data: 'yes' } })).toEqual({ kind: 'done', outputs: { result: 'yes' } })

    const failing = engineHouse({ workflows: { 77: called }, probes: { 101: () => Promise.reject(new NodeError(5, 'inside')) } })
    await expect(failing.run(caller, {})).rejects.toMatchObject({ code: 5, message: 'inside' })
  })
})

describe('a run that goes on', () => {
  const counted = (counts: Record<string, number>) => (run: NodeRun) => {
    counts[run.node.id] = (counts[run.node.id] ?? 0) + 1
    return done(run.node.id)
  }
  const chain = drawCanvas()
    .entry({})
    .node('101', 901, text)
    .node('102', 900, text)
    .node('103', 901, text)
    .exit({ a: ref('101.output'), b: ref('102.output'), c: ref('103.output') })
    .edges('entry > 101 > 102 > 103 > exit')
    .build()

  test('does not do again what is recorded as done', async () => {
    const counts: Record<string, number> = {}
    const run = engineHouse({ probes: { 101: counted(counts), 102: counted(counts), 103: counted(counts) } }).startRun(chain)
    const first = await run.live()
    run.crash((record) => ['100001', '101', '102'].includes(record.nodeId))

    expect(await run.live()).toEqual(first)
    expect(counts).toEqual({ 101: 1, 102: 1, 103: 2 })
  })

  test('what has effects is stored before anything else begins', async () => {
    const run = engineHouse().startRun(chain)
    await run.live()

    expect(run.stores()).toBe(2)
  })

  test('two that wait at once: the one that was answered goes on, the other waits as before', async () => {
    const canvas = drawCanvas()
      .entry({})
      .node('101', 900, text)
      .node('102', 900, text)
      .node('103', 900, { params: { output: ref('101.output') }, ...text })
      .exit({ a: ref('103.output'), b: ref('102.output') })
      .edges('entry > 101 > 103 > exit', 'entry > 102 > exit')
      .build()
    const run = engineHouse({ probes: { 101: asking, 102: asking } }).startRun(canvas)

    const both = eventsOf(await run.live())
    expect(both.map(({ nodeId }) => nodeId).sort()).toEqual(['101', '102'])
    const [first, second] = both
    const left = eventsOf(await run.live({ resume: { eventId: second?.id ?? '', data: 'two' } }))
    expect(left).toEqual([first])
    expect(await run.live({ resume: { eventId: first?.id ?? '', data: 'one' } })).toEqual({ kind: 'done', outputs: { a: 'one', b: 'two' } })
  })

  test('a loop goes on with its variables where its passes are recorded', async () => {
    const canvas = drawCanvas()
      .entry({ words: ['string'] })
      .loop(
        '200',
        {
          params: { word: ref('entry.words', ['string']) },
          variables: { last: '-' },
          outputs: { said: ref('201.output', ['string']), last: ref('200.last') },
        },
        (body) =>
          body
            .node('201', 900, { params: { output: ref('200.last') }, ...text })
            .node('202', 20, { inputs: { inputParameters: [{ left: ref('200.last'), right: ref('200.word') }] } })
            .edges('start > 201 > 202 > end'),
      )
      .exit({ said: ref('200.said', ['string']), last: ref('200.last') })
      .edges('entry > 200:loop-output > exit')
      .build()
    const counts: Record<string, number> = {}
    const probe = (run: NodeRun) => {
      counted(counts)(run)
      return done(run.inputs.output ?? null)
    }
    const run = engineHouse({ probes: { 201: probe } }).startRun(canvas, { words: ['a', 'b', 'c'] })
    const whole = await run.live()
    // the pass is lost, its nodes are not
    run.crash(({ path }) => !['200', '900001', '200#1', '200#2', '200#2/201', '200#2/202'].includes(path))

    expect(await run.live()).toEqual(whole)
    expect(whole).toEqual({ kind: 'done', outputs: { said: ['-', 'a', 'b'], last: 'c' } })
    expect(counts).toEqual({ 201: 4 })
  })
})
