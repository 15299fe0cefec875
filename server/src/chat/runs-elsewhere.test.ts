import { describe, expect, onTestFinished, test } from 'vitest'
import { ADA, DONE, openChatHouse, sayAndWait } from '../../test/support/chat-house.ts'
import type { ChatHouse, Script } from '../../test/support/chat-house.ts'
import { chain, hanging } from '../../test/support/probe-runs.ts'
import { withProbe } from '../../test/support/engine-house.ts'
import { testDatabases } from '../../test/support/test-databases.ts'
import { createMemoryBus } from '../cluster/memory-bus.ts'
import type { Db } from '../db/database.ts'
import { listStopRequests } from '../db/stop-request-store.ts'
import { cancelWorkflowRun } from '../workflows/runs/workflow-runs.ts'
import { cancelRun } from './runs.ts'
import { submitToolOutputs } from './submit-tool-outputs.ts'

const WAYS = [
  { way: 'who tell each other', isTold: true },
  { way: 'who share only the database', isTold: false },
]

/** Two processes on one database; both do what others want stopped. */
async function openTwo(db: Db, isTold: boolean): Promise<[ChatHouse, ChatHouse]> {
  const bus = isTold ? createMemoryBus(console.error) : undefined
  const types = withProbe({ 101: hanging })
  const [here, there] = [
    await openChatHouse(db, { bus, workflows: { types } }),
    await openChatHouse(db, { bus, workerId: 2, workerToken: 'that process', workflows: { types } }),
  ]
  for (const { deps } of [here, there]) {
    deps.stops.start()
    onTestFinished(async () => {
      await deps.stops.close()
      await deps.liveRuns.drain(0)
      await deps.workflows.liveRuns.drain(0)
    })
  }
  return [here, there]
}

const callsClock: Script = async ({ onChunk }) => {
  onChunk({ type: 'tool_call', index: 0, id: 'call_1', name: 'clock', arguments: '{}' })
  return { ...DONE, finishReason: 'tool_calls' }
}

describe.each(testDatabases())('runs of another process on $name', ({ open }) => {
  describe.each(WAYS)('for processes $way', ({ isTold }) => {
    test('a chat is canceled from here, and nothing follows', async () => {
      await using db = await open()
      const [here, there] = await openTwo(db, isTold)
      there.model.script = sayAndWait('half')
      const { run, finished } = await there.ask('hi')
      const canceled = await cancelRun(here.deps, ADA, { runId: run.id, conversationId: run.conversationId })

      expect(canceled).toMatchObject({ id: run.id, status: 'canceled' })
      expect(await finished).toMatchObject({ run: { status: 'canceled' } })
      expect((await here.events(run.id)).at(-1)).toMatchObject({ type: 'run_canceled' })
      expect(await listStopRequests(db)).toEqual([])
    })

    test('of many that cancel it, from everywhere, all are told the same', async () => {
      await using db = await open()
      const [here, there] = await openTwo(db, isTold)
      there.model.script = sayAndWait('half')
      const { run } = await there.ask('hi')
      const address = { runId: run.id, conversationId: run.conversationId }
      const all = await Promise.allSettled([here, there, here, there, here].map(({ deps }) => cancelRun(deps, ADA, address)))

      const outcomes = all.map((each) => (each.status === 'fulfilled' ? each.value.status : String(each.reason)))
      for (const outcome of outcomes) expect(['canceled', 'AppError: the chat cannot be canceled: it is canceled']).toContain(outcome)
      expect(outcomes).toContain('canceled')
    })

    test('a chat that is sent with if_busy: interrupt takes the place of one that runs there', async () => {
      await using db = await open()
      const [here, there] = await openTwo(db, isTold)
      there.model.script = sayAndWait('half')
      const { run, finished } = await there.ask('long', { conversationId: 'conv_2' })
      const next = await here.ask('stop, this instead', { conversationId: 'conv_2', ifBusy: 'interrupt', botId: there.botId })

      expect(await finished).toMatchObject({ run: { id: run.id, status: 'canceled' } })
      expect(await next.finished).toMatchObject({ run: { status: 'completed' } })
    })

    test('a workflow’s run is canceled from here', async () => {
      await using db = await open()
      const [here, there] = await openTwo(db, isTold)
      const { run, finished } = await there.workflows.start(await there.workflows.store(chain(900)))

      expect(await cancelWorkflowRun(here.deps.workflows, ADA, { runId: run.id })).toMatchObject({ status: 'canceled' })
      expect((await finished).status).toBe('canceled')
      await expect(cancelWorkflowRun(here.deps.workflows, ADA, { runId: run.id })).rejects.toMatchObject({ code: 'cannot_cancel' })
    })

    test('a chat that waits for its caller goes on here, and an old wish to stop it is forgotten', async () => {
      await using db = await open()
      const [here, there] = await openTwo(db, isTold)
      there.model.script = callsClock
      const functions = [{ name: 'clock', description: '', parameters: {} }]
      const { run } = await (await there.ask('time?', { functions })).finished
      expect(run.status).toBe('requires_action')
      await db.insertInto('stop_request').values({ run_id: run.id, created_at: 1 }).execute()

      const address = { runId: run.id, conversationId: run.conversationId }
      const outputs = [{ toolCallId: 'call_1', output: 'ten' }]
      const resumed = await submitToolOutputs(here.deps, ADA, { address, outputs, stream: true })
      expect(await resumed.finished).toMatchObject({ run: { status: 'completed' } })
      expect((await there.events(run.id)).map(({ type }) => type)).toContain('run_requires_action')
    })
  })
})
