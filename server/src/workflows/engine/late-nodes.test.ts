import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { drawCanvas, literal, ref } from '../../../test/support/canvas-builder.ts'
import { engineHouse } from '../../../test/support/engine-house.ts'
import type { EngineSettings } from '../../../test/support/engine-house.ts'
import type { Value } from '../values/value.ts'
import { NodeError } from './node-error.ts'
import type { NodeResult, NodeRun } from './node-type.ts'
import { createTextStream } from './text-stream.ts'

const text = { outputs: { output: 'string' } } as const
const done = (output: Value): NodeResult => ({ kind: 'done', outputs: { output } })

/** What nobody handles ends a server. */
function noteUnhandled(): unknown[] {
  const unhandled: unknown[] = []
  const note = (cause: unknown) => void unhandled.push(cause)
  process.on('unhandledRejection', note)
  onTestFinished(() => void process.off('unhandledRejection', note))
  return unhandled
}

describe('a node that was stopped and does not notice', () => {
  const late = (act: (run: NodeRun) => void) => async (run: NodeRun) => {
    await sleep(60)
    act(run)
    return done('late')
  }
  const canvas = drawCanvas()
    .entry({})
    .node('101', 900, { ...text, onError: { processType: 2, dataOnErr: '{"output":"default"}', timeoutMs: 20 } })
    .exit({ result: ref('101.output') })
    .edges('entry > 101 > exit')
    .build()

  test('says nothing any more', async () => {
    const run = engineHouse({ probes: { 101: late(({ say }) => say('late', { isLast: true })) } }).startRun(canvas)
    expect(await run.live()).toEqual({ kind: 'done', outputs: { result: 'default' } })
    await sleep(80)

    expect(run.texts()).toEqual(['{"result":"default"}'])
  })

  test('does not take back what is recorded of it', async () => {
    const run = engineHouse({ probes: { 101: late(({ save }) => save('late')) } }).startRun(canvas)
    await run.live()
    await sleep(80)

    expect(run.records.get('101')).toMatchObject({ state: 'done', outputs: { output: 'default' } })
  })

  test('is counted for what it used all the same', async () => {
    const usage = { inputTokens: 1, outputTokens: 2 }
    const run = engineHouse({ probes: { 101: late(({ addUsage }) => addUsage(usage)) } }).startRun(canvas)
    await run.live()
    await sleep(80)

    expect(run.records.get('101')).toMatchObject({ state: 'done', usage })
  })

  test('does not begin when it was stopped before', async () => {
    const began: string[] = []
    const two = drawCanvas()
      .entry({})
      .node('101', 900)
      .node('102', 900, {
        params: { a: { type: 'string', value: { type: 'ref', content: { source: 'global_variable_app', path: ['a'] } } } },
      })
      .exit({})
      .edges('entry > 101 > exit', 'entry > 102 > exit')
      .build()
    const settings: EngineSettings = {
      probes: {
        101: () => Promise.reject(new NodeError(1, 'first')),
        102: (run) => (began.push(run.node.id), done('')),
      },
      services: { variables: { read: () => sleep(30, ''), write: async () => undefined } },
    }

    await expect(engineHouse(settings).run(two)).rejects.toThrow('first')
    expect(began).toEqual([])
  })
})

describe('a loop or batch that fails', () => {
  const batchOf = (list: string[], onError: Record<string, unknown> = {}) => {
    const canvas = drawCanvas()
      .entry({})
      .batch('300', { params: { item: literal(list, ['string']) }, outputs: { said: ref('301.output', ['string']) } }, (body) =>
        body.node('301', 900, { params: { item: ref('300.item') }, ...text }).edges('start > 301 > end'),
      )
      .exit({ said: ref('300.said', ['string']) })
      .edges('entry > 300:batch-output > exit')
      .build()
    const batch = canvas.nodes.find(({ id }) => id === '300')
    Object.assign(batch?.data.inputs ?? {}, { settingOnError: { switch: true, ...onError } })
    return canvas
  }

  test('does not say of passes that it stopped that they have failed', async () => {
    const probe = ({ inputs, signal }: NodeRun) =>
      inputs.item === 'bad' ? Promise.reject(new NodeError(1, 'bad item')) : sleep(5_000, done(''), { signal })
    const run = engineHouse({ probes: { 301: probe } }).startRun(batchOf(['good', 'bad']))

    await expect(run.live()).rejects.toThrow('bad item')
    expect(run.records.get('300#1/301')).toMatchObject({ state: 'failed' })
    expect(run.records.get('300#0/301')?.state).toBe('running')
    expect(run.records.get('300#0/301')?.error).toBeUndefined()
  })

  test('has no pass of a failed attempt running beside the next one', async () => {
    let running = 0
    let most = 0
    let attempts = 0
    const probe = async ({ inputs, signal }: NodeRun) => {
      most = Math.max(most, ++running)
      try {
        if (inputs.item === 'bad' && ++attempts === 1) throw new NodeError(1, 'bad item')
        await sleep(20, undefined, { signal })
        return done(inputs.item ?? null)
      } finally {
        running--
      }
    }

    expect(await engineHouse({ probes: { 301: probe } }).run(batchOf(['a', 'b', 'bad'], { retryTimes: 1 }))).toEqual({
      said: ['a', 'b', 'bad'],
    })
    expect(most).toBe(3)
  })

  test('is tried again from its first pass, and keeps what it had saved', async () => {
    const seen: string[] = []
    const canvas = drawCanvas()
      .entry({})
      .node('101', 900, { ...text, onError: { processType: 1, retryTimes: 2 } })
      .exit({ result: ref('101.output') })
      .edges('entry > 101 > exit')
      .build()
    const probe = (run: NodeRun) => {
      seen.push(`${run.attempt}:${JSON.stringify(run.saved)}`)
      if (run.attempt === 2) return done('well')
      run.save(run.attempt)
      return Promise.reject(new NodeError(1, 'not yet'))
    }

    expect(await engineHouse({ probes: { 101: probe } }).run(canvas)).toEqual({ result: 'well' })
    expect(seen).toEqual(['0:undefined', '1:0', '2:1'])
  })
})

describe('a sub-workflow with a time limit', () => {
  const asking = (run: NodeRun): NodeResult =>
    run.answer === undefined ? { kind: 'waiting', events: [run.createEvent(2, '')] } : done(run.answer)
  const inner = drawCanvas()
    .entry({})
    .node('101', 900, text)
    .node('102', 900, text)
    .exit({ output: ref('102.output') })
    .edges('entry > 101 > 102 > exit')
    .build()
  const outer = drawCanvas()
    .entry({})
    .node('201', 9, {
      inputs: { workflowId: '77' },
      ...text,
      onError: { processType: 2, dataOnErr: '{"output":"default"}', timeoutMs: 80 },
    })
    .exit({ result: ref('201.output') })
    .edges('entry > 201 > exit')
    .build()

  test('does not count the time in which somebody is waited for', async () => {
    const run = engineHouse({ probes: { 101: asking, 102: () => done('well') }, workflows: { 77: inner } }).startRun(outer)
    const waiting = await run.live()
    await sleep(120)

    const eventId = waiting.kind === 'waiting' ? (waiting.events[0]?.id ?? '') : ''
    expect(await run.live({ resume: { eventId, data: 'yes' } })).toEqual({ kind: 'done', outputs: { result: 'well' } })
  })

  test('goes on with its default data, and begins nothing inside any more', async () => {
    const began: string[] = []
    const probes = { 101: () => sleep(140, done('')), 102: () => (began.push('102'), done('')) }

    expect(await engineHouse({ probes, workflows: { 77: inner } }).run(outer)).toEqual({ result: 'default' })
    await sleep(120)
    expect(began).toEqual([])
  })
})

describe('a text that is written piece by piece', () => {
  const writing = (pieces: string[], failure?: Error) => (run: NodeRun) => {
    if (!run.streaming) return done(pieces.join(''))
    const output = createTextStream()
    const finished = (async () => {
      for (const piece of pieces) {
        await sleep(5)
        output.push(piece)
      }
      if (failure) throw failure
      output.end()
      return { output: pieces.join('') }
    })()
    finished.catch((cause: unknown) => output.fail(cause))
    return { kind: 'streaming', streams: { output }, finished } as const
  }
  const streamed = (canvas: ReturnType<ReturnType<typeof drawCanvas>['build']>, settings: EngineSettings) => {
    const run = engineHouse(settings).startRun(canvas)
    Object.assign(run.graph, { streams: true })
    return run
  }
  const emitting = (content: string) => ({
    params: { a: ref('101.output') },
    inputs: { content: { type: 'string', value: { type: 'literal', content } }, streamingOutput: true },
  })

  test('and fails is one failure for all who read it, and nobody’s unhandled one', async () => {
    const unhandled = noteUnhandled()
    const canvas = drawCanvas()
      .entry({})
      .node('101', 900, text)
      .node('102', 13, emitting('{{a}}'))
      .node('104', 32, {
        inputs: { mergeGroups: [{ name: 'g', variables: [ref('101.output')] }] },
        outputs: { g: 'string' },
      })
      .answer('{{a}}{{g}}', { a: ref('101.output'), g: ref('104.g') }, { streaming: true })
      .edges('entry > 101 > 102 > exit', '101 > 104 > exit')
      .build()
    for (const pieces of [[], ['one'], ['one', 'two']]) {
      const run = streamed(canvas, { probes: { 101: writing(pieces, new NodeError(720701013, 'cut')) } })
      await expect(run.live()).rejects.toThrow('cut')
      expect(run.records.get('101')).toMatchObject({ state: 'failed', error: { message: 'cut' } })
    }
    await sleep(20)
    expect(unhandled).toEqual([])
  })

  test('is stopped with the run at any moment, and leaves nothing unhandled', async () => {
    const unhandled = noteUnhandled()
    const canvas = drawCanvas()
      .entry({})
      .node('101', 900, text)
      .node('104', 32, {
        inputs: { mergeGroups: [{ name: 'g', variables: [ref('101.output')] }] },
        outputs: { g: 'string' },
      })
      .answer('{{g}}', { g: ref('104.g') }, { streaming: true })
      .edges('entry > 101 > 104 > exit')
      .build()
    for (let turns = 0; turns < 40; turns++) {
      const control = new AbortController()
      const probe = (run: NodeRun) => {
        const output = createTextStream()
        const finished = new Promise<never>((_resolve, reject) => {
          run.signal.addEventListener('abort', () => reject(new NodeError(1, 'stopped')))
        })
        finished.catch((cause: unknown) => output.fail(cause))
        void microtasks(turns).then(() => control.abort(new Error('enough')))
        return { kind: 'streaming', streams: { output }, finished } as const
      }
      await expect(streamed(canvas, { probes: { 101: probe } }).live({ signal: control.signal })).rejects.toThrow('enough')
    }
    await sleep(10)
    expect(unhandled).toEqual([])
  })

  test('is printed whole by a node that does not write piece by piece itself', async () => {
    const plain = { ...emitting('so: {{a}}'), outputs: {} }
    const canvas = drawCanvas()
      .entry({})
      .node('101', 900, text)
      .node('102', 13, { ...plain, inputs: { ...plain.inputs, streamingOutput: false } })
      .answer('{{a}}', { a: ref('101.output') }, { streaming: true })
      .edges('entry > 101 > 102 > exit')
      .build()
    const run = streamed(canvas, { probes: { 101: writing(['a', 'b']) } })

    expect(await run.live()).toEqual({ kind: 'done', outputs: { output: 'ab' } })
    expect(run.texts()).toEqual(['so: ab', 'a', 'b'])
  })

  test('in a sub-workflow of a body is given whole', async () => {
    const inner = drawCanvas()
      .entry({})
      .node('101', 900, text)
      .answer('{{a}}', { a: ref('101.output') }, { streaming: true })
      .edges('entry > 101 > exit')
      .build()
    const outer = drawCanvas()
      .entry({})
      .loop('200', { type: 'count', count: 2, outputs: { said: ref('201.output', ['string']) } }, (body) =>
        body.node('201', 9, { inputs: { workflowId: '77' }, ...text }).edges('start > 201 > end'),
      )
      .exit({ said: ref('200.said', ['string']) })
      .edges('entry > 200:loop-output > exit')
      .build()
    const run = streamed(outer, { probes: { 101: writing(['a', 'b']) }, workflows: { 77: inner } })

    expect(await run.live()).toEqual({ kind: 'done', outputs: { said: ['ab', 'ab'] } })
  })

  test('does not hide that somebody is waited for beside it', async () => {
    const asking = (run: NodeRun): NodeResult =>
      run.answer === undefined ? { kind: 'waiting', events: [run.createEvent(2, '')] } : done(run.answer)
    const canvas = drawCanvas()
      .entry({})
      .node('101', 900, text)
      .node('105', 900, text)
      .answer('{{a}}', { a: ref('101.output') }, { streaming: true })
      .edges('entry > 101 > exit', 'entry > 105')
      .build()
    const alone = streamed(canvas, { probes: { 101: writing(['a', 'b']), 105: asking } })
    const waiting = await alone.live()
    expect(waiting.kind).toBe('waiting')
    const eventId = waiting.kind === 'waiting' ? (waiting.events[0]?.id ?? '') : ''
    expect(await alone.live({ resume: { eventId, data: 'yes' } })).toEqual({ kind: 'done', outputs: { output: 'ab' } })
  })

  test('cannot be a step of another workflow when somebody is waited for beside it', async () => {
    const asking = (run: NodeRun): NodeResult => ({ kind: 'waiting', events: [run.createEvent(2, '')] })
    const inner = drawCanvas()
      .entry({})
      .node('101', 900, { inputs: { writesText: true }, ...text })
      .node('105', 900, text)
      .answer('{{a}}', { a: ref('101.output') }, { streaming: true })
      .edges('entry > 101 > exit', 'entry > 105')
      .build()
    const outer = drawCanvas()
      .entry({})
      .node('201', 9, { inputs: { workflowId: '77' }, ...text })
      .answer('{{a}}', { a: ref('201.output') }, { streaming: true })
      .edges('entry > 201 > exit')
      .build()
    const settings = { probes: { 101: writing(['a', 'b']), 105: asking }, workflows: { 77: inner } }

    await expect(engineHouse(settings).startRun(outer).live()).rejects.toThrow('somebody is waited for beside an answer')
  })

  test('from a branch that was skipped is no text that an aggregator passes on', async () => {
    const canvas = drawCanvas()
      .entry({})
      .node('100', 900)
      .node('101', 900, text)
      .node('102', 900, text)
      .node('104', 32, {
        inputs: { mergeGroups: [{ name: 'g', variables: [ref('101.output'), ref('102.output')] }] },
        outputs: { g: 'string' },
      })
      .answer('{{g}}', { g: ref('104.g') }, { streaming: true })
      .edges('entry > 100:a > 101 > 104', '100:b > 102 > 104 > exit')
      .build()
    const probes = {
      100: () => ({ kind: 'done', outputs: {}, port: 'b' }) as const,
      101: writing(['wrong']),
      102: writing(['ri', 'ght']),
    }
    const run = streamed(canvas, { probes })

    expect(await run.live()).toEqual({ kind: 'done', outputs: { output: 'right' } })
    expect(run.texts()).toEqual(['ri', 'ght'])
  })
})

describe('what a body reads from outside', () => {
  test('is awaited however deep in loops it is read', async () => {
    const canvas = drawCanvas()
      .entry({})
      .node('101', 900, text)
      .loop('200', { type: 'count', count: 1, outputs: { said: ref('201.said', ['string']) } }, (outer) =>
        outer
          .loop('201', { type: 'count', count: 1, outputs: { said: ref('202.output', ['string']) } }, (inner) =>
            inner.node('202', 900, { params: { output: ref('101.output') }, ...text }).edges('start > 202 > end'),
          )
          .edges('start > 201 > end'),
      )
      .exit({ said: ref('200.said', ['string']) })
      .edges('entry > 101 > exit', 'entry > 200:loop-output > exit')
      .build()

    const run = engineHouse({ probes: { 101: () => sleep(20, done('late')) } }).startRun(canvas)
    expect(await run.live()).toMatchObject({ kind: 'done', outputs: { said: ['["late"]'] } })
  })
})

async function microtasks(count: number): Promise<void> {
  for (let at = 0; at < count; at++) await Promise.resolve()
}
