import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { drawCanvas, ref } from '../../../test/support/canvas-builder.ts'
import { engineHouse } from '../../../test/support/engine-house.ts'
import { NodeError } from './node-error.ts'
import type { NodeRun } from './node-type.ts'
import { createTextStream } from './text-stream.ts'

const text = { outputs: { output: 'string' } } as const

describe('a graph', () => {
  test('hands values from node to node', async () => {
    const canvas = drawCanvas()
      .entry({ name: 'string' })
      .node('101', 900, { params: { output: ref('entry.name') }, ...text })
      .exit({ result: ref('101.output') })
      .edges('entry > 101 > exit')
      .build()

    expect(await engineHouse().run(canvas, { name: 'Ada' })).toEqual({ result: 'Ada' })
  })

  test('runs nodes that are ready at the same time together', async () => {
    let running = 0
    let most = 0
    const busy = async () => {
      most = Math.max(most, ++running)
      await sleep(20)
      running--
      return { kind: 'done', outputs: {} } as const
    }
    const canvas = drawCanvas()
      .entry({})
      .node('101', 900)
      .node('102', 900)
      .node('103', 900)
      .exit({})
      .edges('entry > 101 > exit', 'entry > 102 > exit', 'entry > 103 > exit')
      .build()

    await engineHouse({ probes: { 101: busy, 102: busy, 103: busy } }).run(canvas)

    expect(most).toBe(3)
  })

  test('a join after a branch waits for the live branch only, and what was skipped is absent', async () => {
    const ran: string[] = []
    const note = (run: NodeRun) => {
      ran.push(run.node.id)
      return { kind: 'done', outputs: { output: run.node.id } } as const
    }
    const canvas = drawCanvas()
      .entry({})
      .node('101', 900)
      .node('102', 900, text)
      .node('103', 900, text)
      .node('104', 900, text)
      .exit({ first: ref('102.output'), second: ref('104.output') })
      .edges('entry > 101:true > 102 > exit', '101:false > 103 > 104 > exit')
      .build()
    const probes = { 101: () => ({ kind: 'done', outputs: {}, port: 'true' }) as const, 102: note, 103: note, 104: note }

    expect(await engineHouse({ probes }).run(canvas)).toEqual({ first: '102', second: '' })
    expect(ran).toEqual(['102'])
  })

  test('a node waits for those it only reads from', async () => {
    const canvas = drawCanvas()
      .entry({})
      .node('101', 900, text)
      .node('102', 900, { params: { output: ref('101.output') }, ...text })
      .exit({ result: ref('102.output') })
      .edges('entry > 101 > exit', 'entry > 102 > exit')
      .build()
    const slow = async () => {
      await sleep(20)
      return { kind: 'done', outputs: { output: 'late' } } as const
    }

    expect(await engineHouse({ probes: { 101: slow } }).run(canvas)).toEqual({ result: 'late' })
  })

  test('a chain of 2,000 skipped nodes does not overflow the stack', async () => {
    const ids = Array.from({ length: 1_900 }, (_each, index) => String(10_000 + index))
    const drawing = drawCanvas().entry({}).node('101', 900).exit({})
    for (const id of ids) drawing.node(id, 900)
    const canvas = drawing.edges(`entry > 101:true > exit`, `101:false > ${ids.join(' > ')} > exit`).build()
    const probes = { 101: () => ({ kind: 'done', outputs: {}, port: 'true' }) as const }

    expect(await engineHouse({ probes }).run(canvas)).toEqual({})
  })

  test('the first failure stops the others and is the run’s', async () => {
    let stopped: unknown
    const patient = async ({ signal }: NodeRun) => {
      await sleep(5_000, undefined, { signal }).catch(() => (stopped = signal.reason))
      return { kind: 'done', outputs: {} } as const
    }
    const failing = () => Promise.reject(new NodeError(720701013, 'no luck'))
    const canvas = drawCanvas()
      .entry({})
      .node('101', 900)
      .node('102', 900)
      .exit({})
      .edges('entry > 101 > exit', 'entry > 102 > exit')
      .build()
    const run = engineHouse({ probes: { 101: patient, 102: failing } }).startRun(canvas)

    await expect(run.live()).rejects.toThrow('no luck')
    expect(stopped).toBeDefined()
    expect(run.records.get('102')).toMatchObject({ state: 'failed', error: { code: 720701013, message: 'no luck' } })
    expect(run.records.get('101')?.state).toBe('running')
  })

  test('a run that is stopped rejects with the reason', async () => {
    const control = new AbortController()
    const canvas = drawCanvas().entry({}).node('101', 900).exit({}).edges('entry > 101 > exit').build()
    const probes = { 101: ({ signal }: NodeRun) => sleep(5_000, { kind: 'done', outputs: {} } as const, { signal }) }
    const live = engineHouse({ probes }).startRun(canvas).live({ signal: control.signal })
    setTimeout(() => control.abort(new Error('enough')), 10)

    await expect(live).rejects.toThrow('enough')
  })

  test('a run that never reaches the end says so', async () => {
    const canvas = drawCanvas().entry({}).node('101', 900).exit({}).edges('entry > 101:true > exit').build()
    const probes = { 101: () => ({ kind: 'done', outputs: {}, port: 'false' }) as const }

    await expect(engineHouse({ probes }).run(canvas)).rejects.toThrow('no path that was taken leads to the end node')
  })

  test('a read of an output that is not there names it', async () => {
    const canvas = drawCanvas()
      .entry({})
      .node('101', 900)
      .node('102', 900, { params: { a: ref('101.nothing') } })
      .exit({})
      .edges('entry > 101 > 102 > exit')
      .build()

    await expect(engineHouse().run(canvas)).rejects.toThrow('the node 101 has no output "nothing"')
  })
})

describe('the error policy', () => {
  const failing =
    (attempts: { count: number }, until = Number.POSITIVE_INFINITY) =>
    () => {
      if (++attempts.count > until) return { kind: 'done', outputs: { output: 'well' } } as const
      return Promise.reject(new NodeError(305000002, 'broken'))
    }
  const canvasWith = (onError: Record<string, unknown>) =>
    drawCanvas()
      .entry({})
      .node('101', 900, { ...text, onError })
      .exit({ result: ref('101.output') })
      .edges('entry > 101 > exit')
      .build()

  test('tries again, and says that it went well', async () => {
    const attempts = { count: 0 }
    const house = engineHouse({ probes: { 101: failing(attempts, 2) } })
    const run = house.startRun(canvasWith({ processType: 2, retryTimes: 2, dataOnErr: '{"output":"default"}' }))

    expect(await run.live()).toEqual({ kind: 'done', outputs: { result: 'well' } })
    expect(run.records.get('101')).toMatchObject({ attempts: 3, outputs: { output: 'well', isSuccess: true } })
  })

  test('goes on with the default data', async () => {
    const attempts = { count: 0 }
    const run = engineHouse({ probes: { 101: failing(attempts) } }).startRun(
      canvasWith({ processType: 2, retryTimes: 1, dataOnErr: '{"output":"default"}' }),
    )

    expect(await run.live()).toEqual({ kind: 'done', outputs: { result: 'default' } })
    expect(attempts.count).toBe(2)
    expect(run.records.get('101')?.outputs).toEqual({
      output: 'default',
      isSuccess: false,
      errorBody: { errorMessage: 'broken', errorCode: 305000002 },
    })
  })

  test('default data that is no JSON goes into the texts', async () => {
    const canvas = canvasWith({ processType: 2, dataOnErr: 'just text' })

    expect(await engineHouse({ probes: { 101: failing({ count: 0 }) } }).run(canvas)).toEqual({ result: 'just text' })
  })

  test('leaves by the error branch; what the other branch would have given is empty', async () => {
    const canvas = drawCanvas()
      .entry({})
      .node('101', 900, { ...text, onError: { processType: 3 } })
      .node('102', 900, text)
      .node('103', 900, { params: { output: ref('101.errorBody.errorMessage') }, ...text })
      .exit({ normal: ref('102.output'), error: ref('103.output') })
      .edges('entry > 101:default > 102 > exit', '101:branch_error > 103 > exit')
      .build()

    expect(await engineHouse({ probes: { 101: failing({ count: 0 }) } }).run(canvas)).toEqual({ normal: '', error: 'broken' })
    const well = {
      101: () => ({ kind: 'done', outputs: { output: 'x' } }) as const,
      102: () => ({ kind: 'done', outputs: { output: 'fine' } }) as const,
    }
    expect(await engineHouse({ probes: well }).run(canvas)).toEqual({ normal: 'fine', error: '' })
  })

  test('a time limit counts for all attempts together, switched on or not', async () => {
    const canvas = canvasWith({ switch: false, timeoutMs: 50, retryTimes: 5 })
    const probes = { 101: () => sleep(5_000, { kind: 'done', outputs: {} } as const) }
    const began = Date.now()

    await expect(engineHouse({ probes }).run(canvas)).rejects.toMatchObject({ code: 777777776, message: 'node timeout' })
    expect(Date.now() - began).toBeLessThan(2_000)
  })

  test('a bug is nobody’s to handle', async () => {
    const canvas = canvasWith({ processType: 2, dataOnErr: '{"output":"default"}' })
    const probes = { 101: () => Promise.reject(new TypeError('a bug')) }

    await expect(engineHouse({ probes }).run(canvas)).rejects.toThrow('a bug')
  })

  test('is not about waiting for somebody', async () => {
    const canvas = canvasWith({ processType: 2, retryTimes: 3, dataOnErr: '{"output":"default"}' })
    const attempts = { count: 0 }
    const asking = (run: NodeRun) => {
      attempts.count++
      return { kind: 'waiting' as const, events: [run.createEvent(2, '{}')] }
    }

    expect(
      await engineHouse({ probes: { 101: asking } })
        .startRun(canvas)
        .live(),
    ).toMatchObject({ kind: 'waiting' })
    expect(attempts.count).toBe(1)
  })
})

describe('stream mode', () => {
  // a probe in place of a model: 3 is the code that streams
  const streamed =
    (pieces: string[], options: { fails?: boolean } = {}) =>
    () => {
      const output = createTextStream()
      const finished = (async () => {
        for (const piece of pieces) {
          await sleep(5)
          output.push(piece)
        }
        if (options.fails) throw new NodeError(720701013, 'cut')
        output.end()
        return { output: pieces.join('') }
      })()
      finished.catch((cause: unknown) => output.fail(cause))
      return { kind: 'streaming', streams: { output }, finished } as const
    }
  const canvas = drawCanvas()
    .entry({})
    .node('101', 900, text)
    .node('102', 13, {
      params: { a: ref('101.output') },
      inputs: { content: { type: 'string', value: { type: 'literal', content: 'so: {{a}}' } }, streamingOutput: true },
    })
    .node('103', 900, { params: { output: ref('101.output') }, ...text })
    .answer('{{a}}!{{b}}', { a: ref('101.output'), b: ref('103.output') }, { streaming: true })
    .edges('entry > 101 > 102 > exit', '101 > 103 > exit')
    .build()

  test('answers are said while they are written, and again piece by piece by whoever comes later', async () => {
    const house = engineHouse({ probes: { 101: streamed(['I ', 'do not', ' know']) } })
    const run = house.startRun(canvas)
    Object.assign(run.graph, { streams: true })

    expect(await run.live()).toEqual({ kind: 'done', outputs: { output: 'I do not know!I do not know' } })
    const parts = (nodeId: string) =>
      run.messages.filter((message) => message.nodeId === nodeId).map((message) => [message.content, message.isLast])
    expect(parts('102')).toEqual([
      ['so: ', false],
      ['I ', false],
      ['do not', false],
      [' know', true],
    ])
    expect(parts('900001')).toEqual([
      ['I ', false],
      ['do not', false],
      [' know', false],
      ['!', false],
      ['I do not know', true],
    ])
    expect(run.records.get('102')?.inputs).toEqual({ a: 'I do not know' })
  })

  test('an error in the middle of a text is the run’s', async () => {
    const run = engineHouse({ probes: { 101: streamed(['I '], { fails: true }) } }).startRun(canvas)
    Object.assign(run.graph, { streams: true })

    await expect(run.live()).rejects.toThrow('cut')
    expect(run.records.get('101')?.state).toBe('failed')
  })
})
