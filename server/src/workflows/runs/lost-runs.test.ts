import { describe, expect, test } from 'vitest'
import { drawCanvas, literal, ref } from '../../../test/support/canvas-builder.ts'
import { withProbe } from '../../../test/support/engine-house.ts'
import { asking, chain, hanging, openProbeHouse, text } from '../../../test/support/probe-runs.ts'
import { testDatabases } from '../../../test/support/test-databases.ts'
import { ADA, openWorkflowRunHouse } from '../../../test/support/workflow-run-house.ts'
import type { NodeResult, NodeRun } from '../engine/node-type.ts'
import { toText } from '../values/value-text.ts'
import { listNodeRuns } from './node-run-store.ts'
import { recoverWorkflowRuns } from './recover-workflow-runs.ts'
import { getWorkflowRun, resumeWorkflowRun } from './workflow-runs.ts'

type HouseSettings = Parameters<typeof openProbeHouse> extends [unknown, ...infer Rest] ? Rest : never

describe.each(testDatabases())('runs that outlive their process, on $name', (database) => {
  const openHouse = (...settings: HouseSettings) => openProbeHouse(database, ...settings)

  describe('a run whose process is gone', () => {
    test('goes on elsewhere from its last finished nodes', async () => {
      const counts: Record<string, number> = {}
      const counted = (run: NodeRun): NodeResult => {
        counts[run.node.id] = (counts[run.node.id] ?? 0) + 1
        return { kind: 'done', outputs: { output: `${toText(run.inputs.output ?? '')}${run.node.id}` } }
      }
      const dead = await openHouse({ 101: counted, 102: counted, 103: hanging }, { workerToken: 'dead' })
      const id = await dead.store(chain(901, 901, 900))
      const { run } = await dead.start(id, { parameters: { word: 'w' } })
      await expect.poll(async () => (await listNodeRuns(dead.db, run.id)).map(({ nodeId }) => nodeId)).toContain('103')

      const next = openWorkflowRunHouse(dead.db, {
        types: withProbe({ 101: counted, 102: counted, 103: counted }),
        workerToken: 'next',
        workerId: 2,
      })
      expect(await recoverWorkflowRuns(next.deps)).toBe(1)
      await expect.poll(async () => (await getWorkflowRun(next.deps, ADA, { runId: run.id })).status).toBe('succeeded')
      expect(await getWorkflowRun(next.deps, ADA, { runId: run.id })).toMatchObject({
        output: '{"result":"w101102103","word":"w"}',
        recoveries: 1,
      })
      expect(counts).toEqual({ 101: 1, 102: 1, 103: 1 })

      // what the dead one would still write is refused
      await dead.deps.liveRuns.stop(run.id, 'canceled')
      expect((await getWorkflowRun(next.deps, ADA, { runId: run.id })).status).toBe('succeeded')
    })

    test('goes on too when its process lives and has long forgotten it', async () => {
      const first = await openHouse({ 101: hanging }, { workerToken: 'forgetful' })
      const { run } = await first.start(await first.store(chain(900)))
      await first.deps.liveRuns.drain(0)
      const worker = (at: number) => ({ id: 3, token: 'forgetful', host: 'elsewhere', pid: 1, expires_at: at })
      await first.db.insertInto('worker').values(worker(Date.now())).execute()
      const next = openWorkflowRunHouse(first.db, { types: withProbe({ 101: () => ({ kind: 'done', outputs: {} }) }), workerId: 2 })
      expect(await recoverWorkflowRuns(next.deps)).toBe(0)

      const longAgo = Date.now() - next.deps.liveRuns.maxRunMs - 61_000
      await first.db.updateTable('workflow_run').set({ updated_at: longAgo }).execute()
      // the age of a run says nothing to one whose clock is not that of the others
      await first.db
        .updateTable('worker')
        .set({ expires_at: Date.now() - 3_600_000 })
        .execute()
      expect(await recoverWorkflowRuns(next.deps)).toBe(0)
      await first.db.updateTable('worker').set({ expires_at: Date.now() }).execute()
      expect(await recoverWorkflowRuns(next.deps)).toBe(1)
      await expect.poll(async () => (await getWorkflowRun(next.deps, ADA, { runId: run.id })).status).toBe('succeeded')
    })

    test('fails when the workflow wants that, and when it takes its process down every time', async () => {
      const dead = await openHouse({ 101: hanging }, { workerToken: 'dead' })
      const id = await dead.store(chain(900))
      const [one, other] = [await dead.start(id), await dead.start(id)]
      await dead.db.updateTable('workflow_run').set({ on_crash: 'fail' }).where('id', '=', one.run.id).execute()
      await dead.db.updateTable('workflow_run').set({ recoveries: 10 }).where('id', '=', other.run.id).execute()
      const next = openWorkflowRunHouse(dead.db, { types: withProbe({}), workerToken: 'next', workerId: 2 })
      await recoverWorkflowRuns(next.deps)

      for (const { run } of [one, other]) {
        const ended = await getWorkflowRun(next.deps, ADA, { runId: run.id })
        expect(ended).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('the server was stopped') as string } })
        expect((await next.events(run.id)).at(-1)).toMatchObject({ type: 'failed' })
      }
    })

    test('keeps the answer it was given', async () => {
      const dead = await openHouse({ 101: asking, 102: hanging }, { workerToken: 'dead' })
      const id = await dead.store(chain(900, 900))
      const waiting = await dead.run(id)
      const { finished } = await resumeWorkflowRun(dead.deps, ADA, {
        workflowId: id,
        eventId: `${waiting.id}/${waiting.waiting[0]?.id ?? ''}`,
        data: 'kept',
      })
      finished.then(undefined, () => undefined)
      // as if the node had never come to use it
      await dead.deps.journal.flush()
      const next = openWorkflowRunHouse(dead.db, { types: withProbe({ 101: asking }), workerToken: 'next', workerId: 2 })
      await recoverWorkflowRuns(next.deps)

      await expect.poll(async () => (await getWorkflowRun(next.deps, ADA, { runId: waiting.id })).output).toContain('kept')
      await dead.deps.liveRuns.stop(waiting.id, 'canceled')
    })

    test('has app variables as they were', async () => {
      const canvas = drawCanvas()
        .entry({})
        .node('101', 40, {
          inputs: {
            inputParameters: [
              {
                name: 'v',
                left: {
                  type: 'string',
                  value: { type: 'ref', content: { source: 'global_variable_app', path: ['v'], blockID: '', name: '' } },
                },
                input: literal('set', 'string'),
              },
            ],
          },
        })
        .node('102', 900, {
          params: { output: { type: 'string', value: { type: 'ref', content: { source: 'global_variable_app', path: ['v'] } } } },
          ...text,
        })
        .exit({ v: ref('102.output') })
        .edges('entry > 101 > 102 > exit')
        .build()
      const dead = await openHouse({ 102: hanging }, { workerToken: 'dead' })
      await dead.makeApp('700001')
      const { run } = await dead.start(await dead.store(canvas), { appId: '700001' })
      await expect.poll(async () => (await listNodeRuns(dead.db, run.id)).map(({ nodeId }) => nodeId)).toContain('102')
      const next = openWorkflowRunHouse(dead.db, { types: withProbe({}), workerToken: 'next', workerId: 2 })
      await recoverWorkflowRuns(next.deps)

      await expect.poll(async () => (await getWorkflowRun(next.deps, ADA, { runId: run.id })).output).toBe('{"v":"set"}')
      await dead.deps.liveRuns.stop(run.id, 'canceled')
    })
  })

  test('a server that stops leaves its runs to the next one', async () => {
    const house = await openHouse({ 101: hanging }, { workerToken: 'first' })
    const { run, finished } = await house.start(await house.store(chain(900)))
    await house.deps.liveRuns.drain(10)
    expect((await finished).status).toBe('running')

    const next = openWorkflowRunHouse(house.db, { types: withProbe({}), workerToken: 'next', workerId: 2 })
    await recoverWorkflowRuns(next.deps)
    await expect.poll(async () => (await getWorkflowRun(next.deps, ADA, { runId: run.id })).status).toBe('succeeded')
  })
})
