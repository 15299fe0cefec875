import { sql } from 'kysely'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { conversationInsert } from '../../conversations/conversation-store.ts'
import { draftConversation } from '../../conversations/conversations.ts'
import { listMessages } from '../../conversations/message-store.ts'
import { dialectOf } from '../../db/database.ts'
import type { Db } from '../../db/database.ts'
import { drawCanvas, input, ref } from '../../../test/support/canvas-builder.ts'
import type { CanvasJson } from '../../../test/support/canvas-builder.ts'
import { withProbe } from '../../../test/support/engine-house.ts'
import { testDatabases } from '../../../test/support/test-databases.ts'
import { ADA, openWorkflowRunHouse } from '../../../test/support/workflow-run-house.ts'
import type { NodeResult, NodeRun } from '../engine/node-type.ts'
import type { Value } from '../values/value.ts'
import { listNodeRuns } from './node-run-store.ts'
import { recoverWorkflowRuns } from './recover-workflow-runs.ts'
import type { WorkflowRunRequest } from './start-workflow-run.ts'
import type { WorkflowEvent } from './workflow-event.ts'
import { getWorkflowRun, resumeWorkflowRun } from './workflow-runs.ts'

const text = { outputs: { output: 'string' } } as const
const done = (output: Value): NodeResult => ({ kind: 'done', outputs: { output } })
const hanging = ({ signal }: NodeRun): Promise<NodeResult> => sleep(30_000, done(''), { signal })
const asking = (run: NodeRun): NodeResult =>
  run.answer === undefined ? { kind: 'waiting', events: [run.createEvent(2, '{"messages":[]}')] } : done(run.answer)

const steps = (...types: number[]): CanvasJson => {
  const drawing = drawCanvas()
    .entry({})
    .exit({ result: ref(`${100 + types.length}.output`) })
  types.forEach((type, at) => drawing.node(String(101 + at), type, text))
  return drawing.edges(`entry > ${types.map((_type, at) => 101 + at).join(' > ')} > exit`).build()
}

describe.each(testDatabases())('a run on $name', ({ open }) => {
  describe('whose process was taken for dead and is not', () => {
    test('is left to the process that has it now: nothing is written over what that does', async () => {
      await using db = await open()
      const gate = Promise.withResolvers<undefined>()
      const ran: string[] = []
      const slow = async () => (await gate.promise, done('old'))
      const old = openWorkflowRunHouse(db, {
        types: withProbe({ 101: () => done('once'), 102: slow, 103: () => (ran.push('old'), done('old')) }),
        workerToken: 'old',
      })
      const { run, finished } = await old.start(await old.store(steps(901, 901, 901)))
      await expect.poll(async () => (await listNodeRuns(db, run.id)).map(({ nodeId }) => nodeId)).toContain('102')

      const next = openWorkflowRunHouse(db, {
        types: withProbe({ 102: () => done('new'), 103: () => (ran.push('new'), done('new')) }),
        workerToken: 'next',
        workerId: 2,
      })
      await recoverWorkflowRuns(next.deps)
      await expect.poll(async () => (await getWorkflowRun(next.deps, ADA, { runId: run.id })).status).toBe('succeeded')
      gate.resolve(undefined)
      await finished

      expect(ran).toEqual(['new'])
      const nodes = await listNodeRuns(db, run.id)
      expect(nodes.filter(({ nodeType }) => nodeType === '901').map(({ outputs }) => outputs.output)).toEqual(['once', 'new', 'new'])
      expect(await next.events(run.id)).toHaveLength(2)
    })

    test('stops working on it as soon as that shows', async () => {
      await using db = await open()
      const gate = Promise.withResolvers<undefined>()
      const canvas = drawCanvas()
        .entry({})
        .node('101', 900)
        .node('102', 900)
        .exit({})
        .edges('entry > 101 > exit', 'entry > 102 > exit')
        .build()
      const waiting = async () => (await gate.promise, done(''))
      const old = openWorkflowRunHouse(db, { types: withProbe({ 101: waiting, 102: hanging }), workerToken: 'old' })
      const { run, finished } = await old.start(await old.store(canvas))
      const next = openWorkflowRunHouse(db, { types: withProbe({}), workerToken: 'next', workerId: 2 })
      await recoverWorkflowRuns(next.deps)
      await expect.poll(async () => (await getWorkflowRun(next.deps, ADA, { runId: run.id })).status).toBe('succeeded')
      gate.resolve(undefined)

      expect((await finished).status).toBe('succeeded')
      expect(old.errors.map(String)).toEqual([expect.stringContaining('taken over by another server')])
    })

    test('tells whoever waits for it what has become of it', async () => {
      await using db = await open()
      const gate = Promise.withResolvers<undefined>()
      const old = openWorkflowRunHouse(db, { types: withProbe({ 101: async () => (await gate.promise, done('old')) }), workerToken: 'old' })
      const { run, finished } = await old.start(await old.store(steps(900)))
      const next = openWorkflowRunHouse(db, { types: withProbe({ 101: () => done('new') }), workerToken: 'next', workerId: 2 })
      await recoverWorkflowRuns(next.deps)
      await expect.poll(async () => (await getWorkflowRun(next.deps, ADA, { runId: run.id })).status).toBe('succeeded')
      gate.resolve(undefined)

      expect(await finished).toMatchObject({ status: 'succeeded', output: '{"result":"new"}' })
    })
  })

  test('that has done what cannot be stored fails, and is not executed for ever', async () => {
    await using db = await open()
    const house = openWorkflowRunHouse(db, { types: withProbe({ 101: () => done('x') }) })
    await refuseRecord(db, '101')
    const reading: Promise<WorkflowEvent[]>[] = []
    for (const type of [900, 901]) {
      const { run, finished } = await house.start(await house.store(steps(type)))
      reading.push(house.events(run.id))

      expect(await finished).toMatchObject({
        id: run.id,
        status: 'failed',
        error: { message: expect.stringContaining('stored') as string },
      })
      expect(await getWorkflowRun(house.deps, ADA, { runId: run.id })).toMatchObject({ status: 'failed' })
    }
    for (const events of await Promise.all(reading)) expect(events.at(-1)).toMatchObject({ type: 'failed' })
    expect(house.errors.length).toBeGreaterThan(0)
    expect(house.deps.liveRuns.count).toBe(0)
  })

  test('whose workflow is gone when somebody answers it fails, and says so', async () => {
    await using db = await open()
    const house = openWorkflowRunHouse(db, { types: withProbe({ 101: asking }) })
    const waiting = await house.run(await house.store(steps(900)))
    await db.deleteFrom('workflow').execute()
    const next = openWorkflowRunHouse(db, { types: withProbe({ 101: asking }), workerId: 2 })
    const eventId = `${waiting.id}/${waiting.waiting[0]?.id ?? ''}`
    const { finished } = await resumeWorkflowRun(next.deps, ADA, { workflowId: waiting.workflowId, eventId, data: 'yes' })

    expect(await finished).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('workflow not found') as string } })
    expect((await next.events(waiting.id)).at(-1)).toMatchObject({ type: 'failed' })
  })

  describe('of a chat', () => {
    const chatCanvas = (after: number) =>
      drawCanvas()
        .entry({})
        .node('101', 13, { inputs: { content: input('before') }, outputs: { output: 'string' } })
        .node('102', 901, text)
        .node('103', after, text)
        .answer('after', {})
        .edges('entry > 101 > 102 > 103 > exit')
        .build()

    test.each(['resume', 'fail'] as const)('has in its conversation what was said before a crash (%s)', async (onCrash) => {
      await using db = await open()
      const dead = openWorkflowRunHouse(db, { types: withProbe({ 103: hanging }), workerToken: 'dead' })
      const { chat, insert } = openChat(dead)
      const { run } = await dead.start(await dead.store(chatCanvas(900), { mode: 'chatflow' }), { chat, insert })
      await expect.poll(async () => (await listNodeRuns(db, run.id)).map(({ nodeId }) => nodeId)).toContain('103')
      await db.updateTable('workflow_run').set({ on_crash: onCrash }).execute()

      const next = openWorkflowRunHouse(db, { types: withProbe({}), workerToken: 'next', workerId: 2 })
      await recoverWorkflowRuns(next.deps)
      const wanted = onCrash === 'resume' ? ['before', 'after'] : ['before']
      await expect.poll(() => textsIn(db, chat.conversationId)).toEqual(wanted)
      await dead.deps.liveRuns.drain(0)
    })

    test('has nothing twice in its conversation after a question', async () => {
      await using db = await open()
      const house = openWorkflowRunHouse(db, { types: withProbe({ 103: asking }) })
      const { chat, insert } = openChat(house)
      const waiting = await house.run(await house.store(chatCanvas(900), { mode: 'chatflow' }), { chat, insert })
      await house.answer(waiting, 'yes')

      expect(await textsIn(db, chat.conversationId)).toEqual(['before', '', 'after'])
    })
  })
})

function openChat({ deps }: ReturnType<typeof openWorkflowRunHouse>): Required<Pick<WorkflowRunRequest, 'chat' | 'insert'>> {
  const conversation = draftConversation(deps, ADA, { botId: undefined, endUser: '' })
  const { id: conversationId, sectionId } = conversation
  return {
    chat: { conversationId, sectionId, savesHistory: true, style: 'coze', firstMessageId: deps.nextId() },
    insert: { conversation: [conversationInsert(conversation)] },
  }
}

async function textsIn(db: Db, conversationId: string): Promise<string[]> {
  const { messages } = await listMessages(db, conversationId, { order: 'asc', limit: 50 })
  return messages.map(({ content }) => content)
}

/** As a database does that is told something it does not take. */
async function refuseRecord(db: Db, path: string): Promise<void> {
  const refusal =
    dialectOf(db) === 'mysql'
      ? sql`create trigger refusing before insert on workflow_node_run for each row if new.path = ${sql.lit(path)} then signal sqlstate '45000'; end if`
      : sql`create trigger refusing before insert on workflow_node_run when new.path = ${sql.lit(path)} begin select raise(abort, 'refused'); end`
  await refusal.execute(db)
}
