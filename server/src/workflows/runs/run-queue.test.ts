import { describe, expect, test } from 'vitest'
import { createMemoryJobQueue } from '../../cluster/memory-job-queue.ts'
import { takeWorkerLease } from '../../db/worker-lease.ts'
import type { Db } from '../../db/database.ts'
import { withProbe } from '../../../test/support/engine-house.ts'
import { FOREVER, createRunDiary, statusesOf, twoSteps } from '../../../test/support/shared-runs.ts'
import { testDatabases } from '../../../test/support/test-databases.ts'
import { ADA, openWorkflowRunHouse } from '../../../test/support/workflow-run-house.ts'
import { recoverWorkflowRuns } from './recover-workflow-runs.ts'
import { executeQueuedRun } from './run-queue.ts'
import { cancelWorkflowRun, getWorkflowRun } from './workflow-runs.ts'

const ASYNC = { mode: 'async' } as const
const times = <T>(count: number, make: () => Promise<T>) => Promise.all(Array.from({ length: count }, make))

describe.each(testDatabases())('queued runs on $name', ({ open }) => {
  test('a run that nobody waits for is queued at first, and whoever wants to can wait for it', async () => {
    await using db = await open()
    const { probes } = createRunDiary()
    const house = openWorkflowRunHouse(db, { types: withProbe(probes('one')) })
    const { run, finished } = await house.start(await house.store(twoSteps()), { ...ASYNC, parameters: { word: 'hi' } })

    expect(run.status).toBe('queued')
    expect(await finished).toMatchObject({ id: run.id, status: 'succeeded', output: '{"word":"hi"}' })
    expect((await house.events(run.id)).at(-1)).toMatchObject({ type: 'succeeded' })
    expect(house.errors).toEqual([])
  })

  test('no more than twenty run at once, the others are rows', async () => {
    await using db = await open()
    const { probes, lines } = createRunDiary()
    const house = openWorkflowRunHouse(db, { types: withProbe(probes('one', { 101: 200 })) })
    const id = await house.store(twoSteps())
    const started = await times(30, () => house.start(id, ASYNC))
    await expect.poll(() => lines.length).toBe(20)

    expect(house.deps.liveRuns.count).toBe(20)
    expect((await statusesOf(db)).queued).toBe(10)
    await Promise.all(started.map(({ finished }) => finished))
    expect(await statusesOf(db)).toEqual({ succeeded: 30 })
  })

  test('a run that is canceled in the queue is never executed', async () => {
    await using db = await open()
    const { probes, lines } = createRunDiary()
    const queue = createMemoryJobQueue({ atOnce: 1, onError: () => undefined })
    const house = openWorkflowRunHouse(db, { types: withProbe(probes('one', { 101: 200 })), queue })
    const id = await house.store(twoSteps())
    const [first, second] = [await house.start(id, ASYNC), await house.start(id, ASYNC)]

    expect(await cancelWorkflowRun(house.deps, ADA, { runId: second.run.id })).toMatchObject({ status: 'canceled' })
    expect((await second.finished).status).toBe('canceled')
    expect((await first.finished).status).toBe('succeeded')
    expect(lines.map(({ runId }) => runId)).toEqual([first.run.id, first.run.id])
  })

  test('a run whose workflow is gone when its turn comes fails and says so', async () => {
    await using db = await open()
    const house = await openIdleHouse(db)
    const { run } = await house.start(await house.store(twoSteps()), ASYNC)
    await db.deleteFrom('workflow').execute()
    // the catalog of another process has never seen it
    const other = openWorkflowRunHouse(db, { types: withProbe({}), workerToken: 'other' })
    await executeQueuedRun(other.deps, run.id)

    const ended = await getWorkflowRun(house.deps, ADA, { runId: run.id })
    expect(ended).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('workflow not found') as string } })
    expect((await house.events(run.id)).at(-1)).toMatchObject({ type: 'failed' })
  })

  test('of processes that have the same job one executes it', async () => {
    await using db = await open()
    const { probes, counts } = createRunDiary()
    const idle = await openIdleHouse(db)
    const { run } = await idle.start(await idle.store(twoSteps()), ASYNC)
    const houses = ['one', 'two', 'three'].map((name, at) =>
      openWorkflowRunHouse(db, { types: withProbe(probes(name, { 101: 50 })), workerToken: name, workerId: at + 2 }),
    )
    await Promise.all([...houses, ...houses].map(({ deps }) => executeQueuedRun(deps, run.id)))

    expect(counts('101')).toEqual(new Map([[run.id, 1]]))
    expect(await statusesOf(db)).toEqual({ succeeded: 1 })
  })

  test('a claim whose answer was lost with the connection is not forgotten', async () => {
    await using db = await open()
    const { probes, counts } = createRunDiary()
    const house = openWorkflowRunHouse(losingFirstClaim(db), { types: withProbe(probes('one')) })
    const { run, finished } = await house.start(await house.store(twoSteps()), ASYNC)

    expect((await finished).status).toBe('succeeded')
    expect(counts('101')).toEqual(new Map([[run.id, 1]]))
  })

  describe('after', () => {
    test('their process is gone, another one executes them', async () => {
      await using db = await open()
      const idle = await openIdleHouse(db)
      const id = await idle.store(twoSteps())
      await times(5, () => idle.start(id, ASYNC))
      const { probes, lines } = createRunDiary()
      const next = openWorkflowRunHouse(db, { types: withProbe(probes('next')), workerToken: 'next', workerId: 2 })

      expect(await recoverWorkflowRuns(next.deps)).toBe(5)
      await expect.poll(() => statusesOf(db)).toEqual({ succeeded: 5 })
      expect(lines.length).toBe(10)
      expect(await recoverWorkflowRuns(next.deps)).toBe(0)
    })

    test('their jobs are gone, they are queued again in a minute, though their process lives', async () => {
      await using db = await open()
      await using idleLease = await leaseOf(db)
      await using nextLease = await leaseOf(db)
      const idle = await openIdleHouse(db, idleLease.token)
      const id = await idle.store(twoSteps())
      const [old, young] = [await idle.start(id, ASYNC), await idle.start(id, ASYNC)]
      const { probes, lines } = createRunDiary()
      const next = openWorkflowRunHouse(db, { types: withProbe(probes('next')), workerToken: nextLease.token, workerId: 2 })
      await db
        .updateTable('workflow_run')
        .set({ updated_at: Date.now() - 61_000 })
        .where('id', '=', old.run.id)
        .execute()

      expect(await recoverWorkflowRuns(next.deps)).toBe(0)
      expect((await old.finished).status).toBe('succeeded')
      expect((await getWorkflowRun(next.deps, ADA, { runId: young.run.id })).status).toBe('queued')
      expect(lines.map(({ runId }) => runId)).toEqual([old.run.id, old.run.id])
    })

    test('their server has begun to stop, they wait for the next one', async () => {
      await using db = await open()
      const { probes, counts } = createRunDiary()
      const first = openWorkflowRunHouse(db, { types: withProbe(probes('first', { 102: FOREVER })), workerToken: 'first' })
      const id = await first.store(twoSteps())
      await times(25, () => first.start(id, ASYNC))
      await expect.poll(() => counts('102').size).toBe(20)
      const closed = first.deps.queue.close()
      await first.deps.liveRuns.drain(10)
      await closed
      expect(await statusesOf(db)).toEqual({ running: 20, queued: 5 })

      const next = openWorkflowRunHouse(db, { types: withProbe(probes('next')), workerToken: 'next', workerId: 2 })
      expect(await recoverWorkflowRuns(next.deps)).toBe(25)
      await expect.poll(() => statusesOf(db)).toEqual({ succeeded: 25 })
      expect(new Set(counts('101').values())).toEqual(new Set([1]))
    })
  })
})

/** Its runs stay rows: it takes no jobs. */
async function openIdleHouse(db: Db, workerToken = 'idle') {
  const queue = createMemoryJobQueue({ atOnce: 1, onError: () => undefined })
  await queue.close()
  return openWorkflowRunHouse(db, { types: withProbe({}), workerToken, queue })
}

async function leaseOf(db: Db): Promise<AsyncDisposable & { token: string }> {
  const { token, release } = await takeWorkerLease({ db, clock: Date.now, onError: () => undefined })
  return { token, [Symbol.asyncDispose]: release }
}

/** The first update goes through, and its answer does not arrive. */
function losingFirstClaim(db: Db): Db {
  const updates = new WeakSet()
  let isLost = false
  return db.withPlugin({
    transformQuery({ node, queryId }) {
      if (node.kind === 'UpdateQueryNode') updates.add(queryId)
      return node
    },
    async transformResult({ result, queryId }) {
      if (isLost || !updates.has(queryId)) return result
      isLost = true
      throw Object.assign(new Error('connection lost'), { code: 'ECONNRESET' })
    },
  })
}
