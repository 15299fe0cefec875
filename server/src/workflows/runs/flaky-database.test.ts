import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { drawCanvas, input, literal, ref } from '../../../test/support/canvas-builder.ts'
import { withProbe } from '../../../test/support/engine-house.ts'
import { asking, text } from '../../../test/support/probe-runs.ts'
import { seededRandom } from '../../../test/support/seeded-random.ts'
import { testDatabases } from '../../../test/support/test-databases.ts'
import { ADA, openWorkflowRunHouse } from '../../../test/support/workflow-run-house.ts'
import { createGroupCommit } from '../../db/group-commit.ts'
import type { GroupCommit } from '../../db/group-commit.ts'
import { takeWorkerLease } from '../../db/worker-lease.ts'
import type { NodeRun } from '../engine/node-type.ts'
import { toText } from '../values/value-text.ts'
import { listNodeRuns } from './node-run-store.ts'
import { recoverWorkflowRuns } from './recover-workflow-runs.ts'
import { cancelWorkflowRun, getWorkflowRun } from './workflow-runs.ts'

const GONE = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
const CUT = Object.assign(new Error('Connection lost'), { code: 'PROTOCOL_CONNECTION_LOST' })

const canvas = drawCanvas()
  .entry({})
  .node('101', 901, text)
  .node('102', 13, { inputs: { content: input('half') }, ...text })
  .batch('103', { params: { item: literal(['a', 'b', 'c'], ['string']) }, outputs: { all: ref('104.output', ['string']) } }, (body) =>
    body.node('104', 901, { params: { output: ref('103.item') }, ...text }).edges('start > 104 > end'),
  )
  .node('105', 900, text)
  .node('106', 901, { params: { output: ref('105.output') }, ...text })
  .exit({ all: ref('103.all', ['string']), last: ref('106.output') })
  .edges('entry > 101 > 102 > 103:batch-output > 105 > 106 > exit')
  .build()

describe.each(testDatabases())('a run while its database comes and goes, on $name', ({ open }) => {
  test.each([1, 2, 3])('does everything once, says everything once, and ends as it should (seed %i)', async (seed) => {
    await using db = await open()
    const random = seededRandom(seed)
    const counts = new Map<string, number>()
    const counted = async (run: NodeRun) => {
      const what = `${run.node.id} ${toText(run.inputs.output ?? '')}`
      counts.set(what, (counts.get(what) ?? 0) + 1)
      await sleep(random() * 30)
      return { kind: 'done', outputs: { output: run.inputs.output ?? 'x' } } as const
    }
    const commits = flaky(createGroupCommit(db), { random, isCalm: false })
    const house = openWorkflowRunHouse(db, { types: withProbe({ 101: counted, 104: counted, 105: asking, 106: counted }), commits })
    const id = await house.store(canvas)
    const start = () => house.start(id).catch(() => undefined)
    let started = await start()
    while (!started) started = await start()
    const waiting = await started.finished
    expect(waiting.status).toBe('waiting')
    const ended = await house.answer(waiting, 'yes')

    expect(ended).toMatchObject({ status: 'succeeded', output: '{"all":["a","b","c"],"last":"yes"}' })
    expect(await getWorkflowRun(house.deps, ADA, { runId: ended.id })).toMatchObject({ status: 'succeeded', output: ended.output })
    expect([...counts.values()].every((count) => count === 1)).toBe(true)
    expect((await listNodeRuns(db, ended.id)).every(({ state }) => state === 'done')).toBe(true)
    const types = (await house.events(ended.id)).map((event) => (event.type === 'message' ? event.content : event.type))
    expect(types).toEqual(['half', '{"messages":[]}', 'waiting', '{"all":["a","b","c"],"last":"yes"}', 'succeeded'])
    expect(house.errors).toEqual([])
  })

  test('is not forgotten when the answer to its start is lost', async () => {
    await using db = await open()
    const lease = await takeWorkerLease({ db, clock: Date.now, onError: () => undefined })
    const weather = { random: () => 0.5, isCalm: false }
    const house = openWorkflowRunHouse(db, {
      types: withProbe({}),
      commits: flaky(createGroupCommit(db), weather),
      workerToken: lease.token,
    })
    const id = await house.store(canvas)
    await expect(house.start(id)).rejects.toBe(CUT)
    weather.isCalm = true
    const started = await db.selectFrom('workflow_run').select(['id', 'status']).executeTakeFirstOrThrow()
    expect(started.status).toBe('running')
    expect(await recoverWorkflowRuns(house.deps)).toBe(0)

    await db
      .updateTable('workflow_run')
      .set({ updated_at: Date.now() - 61_000 })
      .execute()
    expect(await recoverWorkflowRuns(house.deps)).toBe(1)
    await expect.poll(async () => (await getWorkflowRun(house.deps, ADA, { runId: String(started.id) })).status).toBe('succeeded')
    expect(await recoverWorkflowRuns(house.deps)).toBe(0)
    await lease.release()
  })

  test('is canceled all the same, as soon as that can be stored', async () => {
    await using db = await open()
    const weather = { random: () => 0, isCalm: true }
    const hanging = ({ signal }: NodeRun) => sleep(60_000, { kind: 'done', outputs: {} } as const, { signal })
    const house = openWorkflowRunHouse(db, {
      types: withProbe({ 101: hanging }),
      commits: flaky(createGroupCommit(db), weather),
    })
    const { run, finished } = await house.start(await house.store(canvas))
    weather.isCalm = false
    const canceling = cancelWorkflowRun(house.deps, ADA, { runId: run.id })
    await sleep(300)
    expect((await getWorkflowRun(house.deps, ADA, { runId: run.id })).status).toBe('running')
    weather.isCalm = true

    expect((await canceling).status).toBe('canceled')
    expect((await finished).status).toBe('canceled')
    expect(house.deps.liveRuns.count).toBe(0)
  })
})

type Weather = { random: () => number; isCalm: boolean }

/** Of three writes one does not arrive, and of another one only the answer is lost. */
function flaky(commits: GroupCommit, weather: Weather): GroupCommit {
  return {
    idle: () => commits.idle(),
    async write(unit) {
      const luck = weather.isCalm ? 1 : weather.random()
      if (luck < 0.33) throw GONE
      await commits.write(unit)
      if (luck < 0.66) throw CUT
    },
  }
}
