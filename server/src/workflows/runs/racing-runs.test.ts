import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { drawCanvas, ref } from '../../../test/support/canvas-builder.ts'
import { withProbe } from '../../../test/support/engine-house.ts'
import { asking, chain, hanging, openProbeHouse } from '../../../test/support/probe-runs.ts'
import { testDatabases } from '../../../test/support/test-databases.ts'
import { ADA, openWorkflowRunHouse } from '../../../test/support/workflow-run-house.ts'
import { takeWorkerLease } from '../../db/worker-lease.ts'
import { findLastEntry } from '../../journal/journal-store.ts'
import { AppError } from '../../lib/app-error.ts'
import type { NodeResult, NodeRun } from '../engine/node-type.ts'
import { toText } from '../values/value-text.ts'
import { listNodeRuns } from './node-run-store.ts'
import { recoverWorkflowRuns } from './recover-workflow-runs.ts'
import { cancelWorkflowRun, getWorkflowRun, listOwnNodeRuns, resumeWorkflowRun } from './workflow-runs.ts'
import type { WorkflowRun } from './workflow-run.ts'

const done = (run: NodeRun): NodeResult => ({ kind: 'done', outputs: { output: `${toText(run.inputs.output ?? '')}.` } })
const eventOf = (run: WorkflowRun) => ({ workflowId: run.workflowId, eventId: `${run.id}/${run.waiting[0]?.id ?? ''}` })
const codeOf = (result: PromiseSettledResult<unknown>): unknown =>
  result.status === 'fulfilled' ? 'done' : result.reason instanceof AppError ? result.reason.code : result.reason

// what nobody handles ends a server
const unhandled: unknown[] = []
beforeEach(() => {
  unhandled.length = 0
  const note = (cause: unknown) => void unhandled.push(cause)
  process.on('unhandledRejection', note)
  onTestFinished(() => void process.off('unhandledRejection', note))
})

describe.each(testDatabases())('runs that several want at once, on $name', (database) => {
  test('are gone on with by one of the processes that find them', async () => {
    const dead = await openProbeHouse(database, { 101: done, 102: hanging }, { workerToken: 'dead' })
    const id = await dead.store(chain(901, 901))
    const started = await Promise.all(Array.from({ length: 10 }, () => dead.start(id)))
    for (const { run } of started)
      await expect.poll(async () => (await listNodeRuns(dead.db, run.id)).map(({ nodeId }) => nodeId)).toContain('102')
    const counts = new Map<string, number>()
    const counted = async (run: NodeRun) => {
      counts.set(run.services.context.runId, (counts.get(run.services.context.runId) ?? 0) + 1)
      await sleep(20)
      return done(run)
    }
    const leases = await Promise.all([2, 3, 4].map(() => takeWorkerLease({ db: dead.db, clock: Date.now, onError: () => undefined })))
    onTestFinished(async () => void (await Promise.all(leases.map((lease) => lease.release()))))
    const others = leases.map(({ token: workerToken }, at) =>
      openWorkflowRunHouse(dead.db, { types: withProbe({ 101: counted, 102: counted }), workerToken, workerId: at + 2 }),
    )
    await Promise.all(others.map(({ deps }) => recoverWorkflowRuns(deps)))

    for (const { run } of started)
      await expect.poll(async () => (await getWorkflowRun(dead.deps, ADA, { runId: run.id })).status).toBe('succeeded')
    expect(started.map(({ run }) => counts.get(run.id))).toEqual(started.map(() => 1))
    expect(others.flatMap(({ errors }) => errors)).toEqual([])
    await dead.deps.liveRuns.drain(0)
    expect(unhandled).toEqual([])
  })

  test('cannot be answered while they are gone on with after a crash', async () => {
    const dead = await openProbeHouse(database, { 101: asking, 102: hanging }, { workerToken: 'dead' })
    const waiting = await dead.run(await dead.store(chain(900, 900)))
    const { finished } = await resumeWorkflowRun(dead.deps, ADA, { ...eventOf(waiting), data: 'one' })
    const next = openWorkflowRunHouse(dead.db, { types: withProbe({ 101: asking }), workerToken: 'next', workerId: 2 })
    const [recovered, answered] = await Promise.allSettled([
      recoverWorkflowRuns(next.deps),
      resumeWorkflowRun(next.deps, ADA, { ...eventOf(waiting), data: 'two' }),
    ])

    expect([codeOf(recovered), codeOf(answered)]).toEqual(['done', 'conflict'])
    await expect.poll(async () => (await getWorkflowRun(next.deps, ADA, { runId: waiting.id })).output).toContain('one')
    await dead.deps.liveRuns.drain(0)
    await finished
    expect(unhandled).toEqual([])
  })

  test('are answered or canceled, whatever comes first, and nothing in between', async () => {
    const house = await openProbeHouse(database, { 101: asking, 102: (run) => sleep(5, done(run), { signal: run.signal }) })
    const id = await house.store(chain(900, 900))
    for (let round = 0; round < 12; round++) {
      const waiting = await house.run(id)
      const [answered, canceled] = await Promise.allSettled([
        sleep(round % 4).then(() => resumeWorkflowRun(house.deps, ADA, { ...eventOf(waiting), data: 'yes' })),
        sleep((round * 3) % 7).then(() => cancelWorkflowRun(house.deps, ADA, { runId: waiting.id })),
      ])
      if (answered.status === 'fulfilled') await answered.value.finished
      const after = await getWorkflowRun(house.deps, ADA, { runId: waiting.id })

      expect(['done', 'conflict']).toContain(codeOf(answered))
      expect(['done', 'cannot_cancel']).toContain(codeOf(canceled))
      expect(after.status).toBe(canceled.status === 'fulfilled' ? 'canceled' : 'succeeded')
      expect((await house.events(waiting.id)).at(-1)).toMatchObject({ type: after.status })
      expect(await findLastEntry(house.db, waiting.id)).toMatchObject({ ended: true })
    }
    expect(house.deps.liveRuns.count).toBe(0)
    expect([...house.errors, ...unhandled]).toEqual([])
  })

  test('keep an answer that comes in the moment of the server’s stop', async () => {
    const house = await openProbeHouse(database, { 101: asking, 102: hanging }, { workerToken: 'first' })
    const id = await house.store(chain(900, 900))
    const waiting = await Promise.all(Array.from({ length: 6 }, () => house.run(id)))
    const answers = waiting.map(async (run, at) => {
      await sleep(at)
      return resumeWorkflowRun(house.deps, ADA, { ...eventOf(run), data: `answer ${at}` })
    })
    await sleep(3)
    await house.deps.liveRuns.drain(0)
    await Promise.all(answers)
    await house.deps.liveRuns.drain(0)

    const next = openWorkflowRunHouse(house.db, { types: withProbe({ 101: asking, 102: done }), workerToken: 'next', workerId: 2 })
    await recoverWorkflowRuns(next.deps)
    for (const [at, { id: runId }] of waiting.entries())
      await expect.poll(async () => (await getWorkflowRun(next.deps, ADA, { runId })).output).toContain(`"answer ${at}."`)
    expect([...next.errors, ...unhandled]).toEqual([])
  })

  test('are started once for one key, however often and how fast they are asked for', async () => {
    const house = await openProbeHouse(database, { 101: (run) => sleep(20, done(run)) })
    const id = await house.store(chain(900))
    const idempotency = { scope: 'ada', key: 'k', requestHash: 'h' }
    const all = await Promise.all(Array.from({ length: 12 }, () => house.start(id, { idempotency })))
    const ended = await Promise.all(all.map(({ finished }) => finished))

    expect(new Set(ended.map((run) => run.id)).size).toBe(1)
    expect(ended.every(({ status }) => status === 'succeeded')).toBe(true)
    await expect(house.start(id, { idempotency: { ...idempotency, requestHash: 'other' } })).rejects.toMatchObject({
      code: 'invalid_request',
    })
    expect(await house.db.selectFrom('workflow_run').select('id').execute()).toHaveLength(1)
    expect([...house.errors, ...unhandled]).toEqual([])
  })

  test('leave nothing behind when there is no room or they are refused, and may be asked for again', async () => {
    const house = await openProbeHouse(database, { 101: hanging })
    const id = await house.store(chain(900))
    const idempotency = { scope: 'ada', key: 'k', requestHash: 'h' }
    const guard = () => Promise.reject(new AppError('conversation_busy', 'busy'))
    await expect(house.start(id, { idempotency, guard })).rejects.toMatchObject({ code: 'conversation_busy' })

    const full = openWorkflowRunHouse(house.db, { types: withProbe({ 101: hanging }), maxRuns: 1, workerId: 2 })
    await full.start(id)
    await expect(full.start(id, { idempotency })).rejects.toMatchObject({ code: 'rate_limited' })
    expect(await house.db.selectFrom('workflow_run').select('id').execute()).toHaveLength(1)
    expect(await house.db.selectFrom('idempotency').select('result_id').execute()).toEqual([])
    await full.deps.liveRuns.drain(0)

    const { run } = await full.start(id, { idempotency })
    expect(run.status).toBe('running')
    await full.deps.liveRuns.drain(0)
    expect(unhandled).toEqual([])
  })

  test('list their nodes in the order in which they began, also of one millisecond and of several lives', async () => {
    const canvas = drawCanvas()
      .entry({ word: 'string' })
      .node('309', 901, { params: { output: ref('entry.word') }, outputs: { output: 'string' } })
      .loop('308', { type: 'count', count: 12 }, (body) => body.node('307', 900).edges('start > 307 > end'))
      .node('306', 900, { outputs: { output: 'string' } })
      .node('305', 901)
      .exit({})
      .edges('entry > 309 > 308:loop-output > 306 > 305 > exit')
      .build()
    const house = await openProbeHouse(database, { 306: asking })
    const waiting = await house.run(await house.store(canvas))
    await house.answer(waiting, 'yes')
    const passes = Array.from({ length: 12 }, (_each, pass) => [`308#${pass}`, `308#${pass}/307`]).flat()
    const wanted = ['100001', '309', '308', ...passes, '306', '305', '900001']

    expect((await listNodeRuns(house.db, waiting.id)).map(({ path }) => path)).toEqual(wanted)
    const page = async (number: number) => {
      const { nodes, hasMore } = await listOwnNodeRuns(house.deps, ADA, { runId: waiting.id, page: number, size: 20 })
      return { paths: nodes.map(({ path }) => path), hasMore }
    }
    expect(await page(1)).toEqual({ paths: wanted.slice(0, 20), hasMore: true })
    expect(await page(2)).toEqual({ paths: wanted.slice(20), hasMore: false })
    expect(await page(9)).toEqual({ paths: [], hasMore: false })
  })
})
