import { describe, expect, test } from 'vitest'
import { openRunQueue } from '../../src/workflows/runs/run-queue.ts'
import type { Db } from '../../src/db/database.ts'
import { takeWorkerLease } from '../../src/db/worker-lease.ts'
import { recoverWorkflowRuns } from '../../src/workflows/runs/recover-workflow-runs.ts'
import { cannotRun } from '../support/find-program.ts'
import { withProbe } from '../support/engine-house.ts'
import { startRedis } from '../support/redis-server.ts'
import { FOREVER, createRunDiary, statusesOf, twoSteps } from '../support/shared-runs.ts'
import { testDatabases } from '../support/test-databases.ts'
import type { TestDatabase } from '../support/test-databases.ts'
import { openWorkflowRunHouse } from '../support/workflow-run-house.ts'
import type { WorkflowRunHouse } from '../support/workflow-run-house.ts'

/** Two servers on one database and one Redis: who is asked for a run need not be who executes it. */

const ASYNC = { mode: 'async' } as const
const MINUTE_MS = 60_000

type Diary = ReturnType<typeof createRunDiary>
type Node = AsyncDisposable & { house: WorkflowRunHouse; workflowId: string; die: () => Promise<void> }
type NodeOptions = { name: string; diary: Diary; ms?: Record<string, number>; workflowId?: string }

async function openNode(db: Db, redisUrl: string, { name, diary, ms, workflowId }: NodeOptions): Promise<Node> {
  const lease = await takeWorkerLease({ db, clock: Date.now, onError: () => undefined })
  const queue = await openRunQueue(redisUrl, () => undefined)
  const types = withProbe(diary.probes(name, ms))
  const house = openWorkflowRunHouse(db, { types, workerToken: lease.token, workerId: lease.workerId, queue })
  return {
    house,
    workflowId: workflowId ?? (await house.store(twoSteps())),
    // its lease is gone and it does nothing any more
    die: () => lease.release(),
    async [Symbol.asyncDispose]() {
      const closed = queue.close()
      await house.deps.liveRuns.drain(0)
      await closed
      await lease.release()
    },
  }
}

const startMany = (count: number, nodes: Node[]) =>
  Promise.all(
    Array.from({ length: count }, (_, at) => {
      const { house, workflowId } = nodes[at % nodes.length] ?? fail()
      return house.start(workflowId, { ...ASYNC, parameters: { word: String(at) } })
    }),
  )

function fail(): never {
  throw new Error('no node')
}

const placesOf = (diary: Diary, step: string) => new Set(diary.lines.filter((line) => line.step === step).map(({ process }) => process))
const timesOf = (diary: Diary, step: string) => [...diary.counts(step).values()]
const ones = (count: number) => Array.from({ length: count }, () => 1)

describe.skipIf(cannotRun('redis-server', 'redis-cli'))('asynchronous runs on two servers', () => {
  describe.each(testDatabases())('with $name', ({ open }) => shareRuns(open))
})

function shareRuns(open: TestDatabase['open']): void {
  test('a hundred runs are executed once each, by both, and can be followed from either', async () => {
    await using db = await open()
    await using redis = await startRedis()
    const diary = createRunDiary()
    const ms = { 101: 20 }
    await using one = await openNode(db, redis.url, { name: 'one', diary, ms })
    await using other = await openNode(db, redis.url, { name: 'other', diary, ms, workflowId: one.workflowId })
    const started = await startMany(100, [one, other])
    const ended = await Promise.all(started.map(({ finished }) => finished))

    expect(ended.map(({ status, output }) => [status, output])).toEqual(started.map((_, at) => ['succeeded', `{"word":"${at}"}`]))
    expect([timesOf(diary, '101'), timesOf(diary, '102')]).toEqual([ones(100), ones(100)])
    expect(placesOf(diary, '101')).toEqual(new Set(['one', 'other']))
    expect([...one.house.errors, ...other.house.errors]).toEqual([])
  })

  test('when one dies the other goes on with what it had, queued or running', async () => {
    await using db = await open()
    await using redis = await startRedis()
    const diary = createRunDiary()
    await using dying = await openNode(db, redis.url, { name: 'dying', diary, ms: { 102: FOREVER } })
    const started = await startMany(40, [dying])
    await expect.poll(() => diary.counts('102').size).toBe(20)
    // what a server has done in its last moments is done again
    await dying.house.deps.journal.flush()

    await using other = await openNode(db, redis.url, { name: 'other', diary, workflowId: dying.workflowId })
    // what waits is shared: it needs nobody's death
    await expect.poll(() => diary.counts('102').size).toBe(40)
    expect(await recoverWorkflowRuns(other.house.deps)).toBe(0)

    await dying.die()
    expect(await recoverWorkflowRuns(other.house.deps)).toBe(20)
    const ended = await Promise.all(started.map(({ run }) => other.house.events(run.id)))
    expect(ended.map((events) => events.at(-1)?.type)).toEqual(started.map(() => 'succeeded'))
    expect(timesOf(diary, '101')).toEqual(ones(40))
    expect(timesOf(diary, '102').toSorted()).toEqual([...ones(20), ...ones(20).map(() => 2)])
  })

  test('when Redis dies nothing is lost, and nothing is done twice', { timeout: 40_000 }, async () => {
    await using db = await open()
    await using redis = await startRedis()
    const diary = createRunDiary()
    const ms = { 101: 300 }
    await using one = await openNode(db, redis.url, { name: 'one', diary, ms })
    await using other = await openNode(db, redis.url, { name: 'other', diary, ms, workflowId: one.workflowId })
    await startMany(200, [one, other])
    await expect.poll(() => diary.counts('101').size).toBeGreaterThan(20)
    await redis.kill()
    await startMany(20, [one, other])
    // it comes back empty: the jobs of the first ones are gone
    await redis.start()
    await startMany(20, [one, other])
    // who executes something leaves nothing else for long
    await expect.poll(async () => (await statusesOf(db)).running ?? 0, { timeout: 15_000 }).toBe(0)
    expect((await statusesOf(db)).queued).toBeGreaterThan(80)

    await makeOlder(db, MINUTE_MS + 1_000)
    for (const { house } of [one, other]) expect(await recoverWorkflowRuns(house.deps)).toBe(0)
    await expect.poll(() => statusesOf(db), { timeout: 15_000 }).toEqual({ succeeded: 240 })
    expect([timesOf(diary, '101'), timesOf(diary, '102')]).toEqual([ones(240), ones(240)])
  })
}

async function makeOlder(db: Db, ms: number): Promise<void> {
  await db
    .updateTable('workflow_run')
    .set((row) => ({ updated_at: row('updated_at', '-', ms) }))
    .where('status', '=', 'queued')
    .execute()
}
