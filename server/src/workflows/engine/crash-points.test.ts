import { hash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { drawCanvas, input, literal, ref } from '../../../test/support/canvas-builder.ts'
import type { CanvasJson, Drawing, Params } from '../../../test/support/canvas-builder.ts'
import { engineHouse, withProbe } from '../../../test/support/engine-house.ts'
import type { Probes } from '../../../test/support/engine-house.ts'
import { seededRandom } from '../../../test/support/seeded-random.ts'
import { parseCanvas } from '../canvas/canvas-document.ts'
import { queueOf } from '../runs/workflow-run-ending.ts'
import { toText } from '../values/value-text.ts'
import type { ValueObject } from '../values/value.ts'
import { compileCanvas } from './compile-graph.ts'
import { NodeError } from './node-error.ts'
import type { NodeServices } from './node-services.ts'
import type { NodeResult, NodeRun } from './node-type.ts'
import type { NodeRecord } from './progress.ts'
import { runWorkflow } from './run-workflow.ts'
import type { WorkflowEnd } from './run-workflow.ts'
import type { WaitingEvent } from './waiting-event.ts'

/**
 * A run that dies at any points goes on from what was stored, and comes to what it would have come to: nothing whose result was
 * stored is executed again, and nothing that was said is lost.
 */
const kinds = ['pure', 'effect', 'say', 'ask', 'branch', 'loop', 'batch', 'sub', 'fork', 'flaky', 'failing'] as const
const step = fc.record({ kind: fc.constantFrom(...kinds), asks: fc.boolean() })
const script = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 5 }),
  // after so many records each
  crashes: fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 5 }),
  seed: fc.nat(1_000_000),
})

describe('a run that dies and goes on', () => {
  test('comes to the same result, wherever it dies', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(script, async ({ steps, crashes, seed }) => {
        const wanted = await runThrough(steps, { crashes: [], seed })
        const got = await runThrough(steps, { crashes, seed })

        expect(got.outputs).toEqual(wanted.outputs)
        expect([...new Set(got.said)].sort()).toEqual([...new Set(wanted.said)].sort())
        expect([...got.answered].sort()).toEqual([...wanted.answered].sort())
        expect(got.repeated).toEqual([])
      }),
      { numRuns: 200, examples: [[{ steps: kinds.map((kind) => ({ kind, asks: true })), crashes: [3, 9, 20, 31], seed: 1 }]] },
    )
  })
})

test('an answer counts for one question, also when the next one is kept and nothing more', async () => {
  const canvas = drawCanvas()
    .entry({})
    .node('101', 900, text)
    .exit({ result: ref('101.output') })
    .edges('entry > 101 > exit')
    .build()
  const run = engineHouse({ probes: { 101: ask } }).startRun(canvas)
  const resumeWith = (end: WorkflowEnd) => {
    const [event] = end.kind === 'waiting' ? end.events : []
    return { resume: { eventId: event?.id ?? '', data: `${event?.data ?? ''}!` } }
  }
  const answer = resumeWith(await run.live())
  // all that is kept of the second life is what its node kept last
  const kept: NodeRecord[] = []
  const { set } = run.records
  run.records.set = (path, record) => {
    if (record.state === 'running') kept.push(record)
    return set.call(run.records, path, record)
  }
  await run.live(answer)
  run.records.set = set
  const last = kept.at(-1)
  if (last) run.records.set(last.path, last)

  const again = await run.live(answer)
  expect(again).toMatchObject({ kind: 'waiting', events: [{ data: '101-1' }] })
  expect(await run.live(resumeWith(again))).toEqual({ kind: 'done', outputs: { result: ':101-0!+101-1!' } })
})

describe('a run of which a crash leaves any of the newest records', () => {
  test('comes to the same result', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(script, async ({ steps, crashes, seed }) => {
        const silent = steps.map(({ kind }) => ({ kind: kind === 'ask' ? ('pure' as const) : kind, asks: false }))
        const wanted = await runThrough(silent, { crashes: [], seed })
        const got = await runThrough(silent, { crashes, seed, scatters: true })

        expect(got.outputs).toEqual(wanted.outputs)
        expect(got.repeated).toEqual([])
      }),
      { numRuns: 100 },
    )
  })
})

type Step = { kind: (typeof kinds)[number]; asks: boolean }
/** `scatters`: what was not stored yet is lost here and there, in no order. */
type Fate = { crashes: number[]; seed: number; scatters?: boolean }
type Ending = { outputs: ValueObject; said: string[]; answered: Set<string>; repeated: string[] }
/** What outlives a process. */
type Stored = { records: Map<string, NodeRecord>; said: string[] }

async function runThrough(steps: Step[], fate: Fate): Promise<Ending> {
  const drawn = drawSteps(steps)
  const world = { ...drawn, random: seededRandom(fate.seed), scatters: fate.scatters ?? false, repeated: new Array<string>(), ids: 0 }
  const crashes = [...fate.crashes]
  let stored: Stored = { records: new Map(), said: [] }
  const answered = new Map<string, string>()
  let waiting: WaitingEvent[] = []
  let answer: { eventId: string; data: string } | undefined
  for (let life = 0; life < 400; life++) {
    const end = await live(world, { stored, answer, crashAfter: crashes.shift() })
    stored = end.stored
    if (end.kind === 'crashed') continue
    if (end.kind === 'done')
      return { outputs: end.outputs, said: stored.said, answered: new Set(answered.values()), repeated: world.repeated }

    waiting = queueOf({ waiting, answer }, end.events)
    const [first] = waiting
    if (!first || answered.has(first.id)) throw new Error('the run waits for nothing, or for what it has an answer to')
    answered.set(first.id, first.data)
    answer = { eventId: first.id, data: `${first.data}!` }
  }
  throw new Error('the run never ends')
}

type World = {
  canvas: CanvasJson
  inner: CanvasJson
  probes: Probes
  random: () => number
  scatters: boolean
  repeated: string[]
  ids: number
}
type Life = { stored: Stored; answer: { eventId: string; data: string } | undefined; crashAfter: number | undefined }
type LifeEnd = { stored: Stored } & (
  { kind: 'crashed' } | { kind: 'done'; outputs: ValueObject } | { kind: 'waiting'; events: WaitingEvent[] }
)

/** From a start to an end, a wait or a crash. What is put is stored now and then, together with what was said until then. */
async function live(world: World, { stored: before, answer, crashAfter = Number.POSITIVE_INFINITY }: Life): Promise<LifeEnd> {
  const control = new AbortController()
  const memory: Stored = { records: new Map(before.records), said: [...before.said] }
  let stored = before
  let puts = 0
  let writing: Promise<void> = Promise.resolve()

  const isDead = () => control.signal.aborted
  const write = () => {
    writing = writing.then(async () => {
      const taken = { records: new Map(memory.records), said: [...memory.said] }
      await setImmediate()
      if (!isDead()) stored = taken
    })
    return writing
  }
  const types = withProbe(noting(world, () => stored))
  const load = (canvas: CanvasJson) => compileCanvas(parseCanvas(canvas), types)
  try {
    const end = await runWorkflow(
      {
        services: {} as Partial<NodeServices> as NodeServices,
        progress: {
          find: (path) => before.records.get(path),
          put(record) {
            if (isDead()) return
            memory.records.set(record.path, structuredClone(record))
            if (++puts >= crashAfter) control.abort(new Error('crash'))
            else if (world.random() < 0.2) void write()
          },
          async store() {
            await writing
            await write()
          },
        },
        clock: () => 0,
        nextId: () => `e${++world.ids}`,
        resume: answer,
        onMessage({ content }) {
          if (!isDead()) memory.said.push(content)
        },
        loadWorkflow: async () => ({ graph: load(world.inner), inputs: [], isAnswer: false }),
      },
      { graph: load(world.canvas), args: {}, signal: control.signal },
    )
    await writing
    return { ...end, stored: memory }
  } catch (cause) {
    if (!isDead()) throw cause
    return { kind: 'crashed', stored: world.scatters ? scattered(world, stored, memory) : stored }
  }
}

function scattered({ random }: World, stored: Stored, memory: Stored): Stored {
  const rest = [...memory.records].filter(([path, record]) => stored.records.get(path) !== record && random() < 0.5)
  return { ...stored, records: new Map([...stored.records, ...rest]) }
}

/** Notes what is executed although its result is stored. */
function noting({ probes, repeated }: World, stored: () => Stored): Probes {
  const noted = Object.entries(probes).map(([id, probe]): [string, Probes[string]] => [
    id,
    (run) => {
      const path = pathOf(run)
      const record = stored().records.get(path)
      if (record?.state === 'done') repeated.push(path)
      return probe(run)
    },
  ])
  return Object.fromEntries(noted)
}

/** Only an event tells a node where it is. */
const pathOf = (run: NodeRun): string => run.createEvent(0, '').path

const text = { outputs: { output: 'string' } } as const

/** Takes a few turns, so that nodes that run together take turns. */
async function compute(run: NodeRun): Promise<NodeResult> {
  for (let turn = 0; turn < run.node.id.length; turn++) await setImmediate()
  run.signal.throwIfAborted()
  const given = Object.entries(run.inputs).map(([name, value]) => `${name}=${toText(value)}`)
  return { kind: 'done', outputs: { output: `${run.node.id}(${given.join()})` } }
}

/** Asks twice, as a question node does that got half an answer. */
function ask(run: NodeRun): NodeResult {
  const state = readState(run)
  if (state.event && run.answer === undefined) return { kind: 'waiting', events: [state.event] }
  if (state.event && run.answer !== undefined) {
    if (run.answer !== `${state.event.data}!`) throw new Error('this is the answer to another question')
    state.answers.push(run.answer)
    delete state.event
    run.save(JSON.stringify(state))
  }
  if (state.answers.length === 2)
    return { kind: 'done', outputs: { output: `${toText(run.inputs.output ?? '')}:${state.answers.join('+')}` } }
  const event = run.createEvent(2, `${pathOf(run)}-${state.answers.length}`)
  run.save(JSON.stringify({ ...state, event }))
  return { kind: 'waiting', events: [event] }
}

function readState({ saved }: NodeRun): { answers: string[]; event?: WaitingEvent } {
  return typeof saved === 'string' ? parseState(saved) : { answers: [] }
}

const parseState = (json: string) => JSON.parse(json) as { answers: string[]; event?: WaitingEvent }

const choose = (run: NodeRun): NodeResult => ({
  kind: 'done',
  outputs: {},
  port: toText(run.inputs.output ?? '').length % 2 === 0 ? 'a' : 'b',
})
const fail = () => Promise.reject(new NodeError(1, 'always'))

async function failFirst(run: NodeRun): Promise<NodeResult> {
  if (run.attempt === 0) throw new NodeError(1, 'not yet')
  return compute(run)
}

type Pen = { drawing: Drawing; probes: Probes; chain: string; last: string; next(): string }

/** One step after the other, each reads what the one before gave. */
function drawSteps(steps: Step[]): Pick<World, 'canvas' | 'inner' | 'probes'> {
  const ids = { last: 100 }
  const pen: Pen = { drawing: drawCanvas().entry({}), probes: {}, chain: 'entry', last: '', next: () => String(++ids.last) }
  put(pen, { type: 900, probe: compute })
  for (const { kind, asks } of steps) draw[kind](pen, asks)
  const canvas = pen.drawing
    .exit({ result: ref(`${pen.last}.output`) })
    .edges(`${pen.chain} > exit`)
    .build()
  return { canvas, inner: drawInner(pen.probes), probes: pen.probes }
}

type Doing = { type: number; probe: Probes[string]; onError?: Record<string, unknown> }

function put(pen: Pen, { type, probe, onError }: Doing): string {
  const id = pen.next()
  const params: Params = {}
  if (pen.last !== '') params.output = ref(`${pen.last}.output`)
  pen.drawing.node(id, type, { params, ...text, onError })
  pen.probes[id] = probe
  pen.chain += ` > ${id}`
  pen.last = id
  return id
}

const draw: Record<Step['kind'], (pen: Pen, asks: boolean) => unknown> = {
  pure: (pen) => put(pen, { type: 900, probe: compute }),
  effect: (pen) => put(pen, { type: 901, probe: compute }),
  ask: (pen) => put(pen, { type: 900, probe: ask }),
  flaky: (pen) => put(pen, { type: 901, probe: failFirst, onError: { processType: 1, retryTimes: 1 } }),
  failing: (pen) => put(pen, { type: 901, probe: fail, onError: { processType: 2, dataOnErr: '{"output":"default"}' } }),
  say(pen) {
    const id = pen.next()
    pen.drawing.node(id, 13, { params: { a: ref(`${pen.last}.output`) }, inputs: { content: input(`${id}:{{a}}`) }, ...text })
    pen.chain += ` > ${id}`
  },
  branch(pen) {
    const [chooser, a, b, join] = [pen.next(), pen.next(), pen.next(), pen.next()]
    const variables = [ref(`${a}.output`), ref(`${b}.output`)]
    const params = { output: ref(`${pen.last}.output`) }
    pen.drawing
      .node(chooser, 900, { params })
      .node(a, 901, { params, ...text })
      .node(b, 900, { params, ...text })
      .node(join, 32, { inputs: { mergeGroups: [{ name: 'output', variables }] }, ...text })
      .edges(`${pen.chain} > ${chooser}:a > ${a} > ${join}`, `${chooser}:b > ${b} > ${join}`)
    Object.assign(pen.probes, { [chooser]: choose, [a]: compute, [b]: compute })
    Object.assign(pen, { chain: join, last: join })
  },
  fork(pen, asks) {
    const [a, b, join] = [pen.next(), pen.next(), pen.next()]
    const params = { output: ref(`${pen.last}.output`) }
    pen.drawing
      .node(a, 901, { params, ...text })
      .node(b, 900, { params, ...text })
      .node(join, 900, { params: { a: ref(`${a}.output`), b: ref(`${b}.output`) }, ...text })
      .edges(`${pen.chain} > ${a} > ${join}`, `${pen.chain} > ${b} > ${join}`)
    Object.assign(pen.probes, { [a]: asks ? ask : compute, [b]: asks ? ask : compute, [join]: compute })
    Object.assign(pen, { chain: join, last: join })
  },
  loop(pen, asks) {
    const [id, first, second, setter, join] = [pen.next(), pen.next(), pen.next(), pen.next(), pen.next()]
    pen.drawing
      .loop(
        id,
        {
          params: { item: literal(['p', 'q', 'r'], ['string']) },
          variables: { acc: ref(`${pen.last}.output`) },
          outputs: { acc: ref(`${id}.acc`), all: ref(`${second}.output`, ['string']) },
        },
        (body) =>
          body
            .node(first, 901, { params: { item: ref(`${id}.item`), output: ref(`${id}.acc`) }, ...text })
            .node(second, 900, { params: { output: ref(`${first}.output`) }, ...text })
            .node(setter, 20, { inputs: { inputParameters: [{ left: ref(`${id}.acc`), right: ref(`${second}.output`) }] } })
            .edges(`start > ${first} > ${second} > ${setter} > end`),
      )
      .node(join, 900, { params: { acc: ref(`${id}.acc`), all: ref(`${id}.all`, ['string']) }, ...text })
    Object.assign(pen.probes, { [first]: shorten, [second]: asks ? ask : compute, [join]: shorten })
    Object.assign(pen, { chain: `${pen.chain} > ${id}:loop-output > ${join}`, last: join })
  },
  batch(pen, asks) {
    const [id, first, second, join] = [pen.next(), pen.next(), pen.next(), pen.next()]
    pen.drawing
      .batch(
        id,
        {
          concurrency: 2,
          params: { item: literal(['p', 'q', 'r'], ['string']) },
          outputs: { all: ref(`${second}.output`, ['string']) },
        },
        (body) =>
          body
            .node(first, 901, { params: { item: ref(`${id}.item`), output: ref(`${pen.last}.output`) }, ...text })
            .node(second, 900, { params: { output: ref(`${first}.output`) }, ...text })
            .edges(`start > ${first} > ${second} > end`),
      )
      .node(join, 900, { params: { all: ref(`${id}.all`, ['string']) }, ...text })
    Object.assign(pen.probes, { [first]: shorten, [second]: asks ? ask : compute, [join]: shorten })
    Object.assign(pen, { chain: `${pen.chain} > ${id}:batch-output > ${join}`, last: join })
  },
  sub(pen, asks) {
    const id = pen.next()
    const params = { a: ref(`${pen.last}.output`), asks: literal(asks, 'boolean') }
    pen.drawing.node(id, 9, { params, inputs: { workflowId: '77' }, ...text })
    pen.chain += ` > ${id}`
    pen.last = id
  },
}

/** What grows in a loop stays readable. */
async function shorten(run: NodeRun): Promise<NodeResult> {
  const result = await compute(run)
  if (result.kind !== 'done') return result
  const whole = toText(result.outputs.output ?? '')
  return { kind: 'done', outputs: { output: `${run.node.id}~${hash('sha256', whole).slice(0, 12)}` } }
}

/** The workflow that others call: it works, asks, says something, and works again. */
function drawInner(probes: Probes): CanvasJson {
  Object.assign(probes, { 51: compute, 52: askIfWanted, 54: compute })
  return drawCanvas()
    .entry({ a: 'string', asks: 'boolean' })
    .node('51', 901, { params: { output: ref('entry.a') }, ...text })
    .node('52', 900, { params: { output: ref('51.output'), asks: ref('entry.asks', 'boolean') }, ...text })
    .node('53', 13, { params: { a: ref('52.output') }, inputs: { content: input('inner:{{a}}') }, ...text })
    .node('54', 901, { params: { output: ref('52.output') }, ...text })
    .exit({ output: ref('54.output') })
    .edges('entry > 51 > 52 > 53 > 54 > exit')
    .build()
}

const askIfWanted = (run: NodeRun) => (run.inputs.asks === true ? ask(run) : compute(run))
