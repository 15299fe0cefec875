import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { drawCanvas, ref } from '../../test/support/canvas-builder.ts'
import type { CanvasJson } from '../../test/support/canvas-builder.ts'
import { DONE, openChatHouse } from '../../test/support/chat-house.ts'
import type { ChatHouse } from '../../test/support/chat-house.ts'
import { withProbe } from '../../test/support/engine-house.ts'
import type { Probes } from '../../test/support/engine-house.ts'
import { testDatabases } from '../../test/support/test-databases.ts'
import type { Db } from '../db/database.ts'
import type { ModelMessage } from '../models/model-adapter.ts'
import { recoverWorkflowRuns } from '../workflows/runs/recover-workflow-runs.ts'
import { listWorkflowRuns } from '../workflows/runs/workflow-run-store.ts'
import { addWorkflowTools } from './workflow-tools.ts'

const FORECAST = '900'
const ADA = { userId: '1' }

/** Hands on what it was given. */
const forecast = (): CanvasJson =>
  drawCanvas()
    .entry({ 'city!': 'string', id: 'integer' })
    .node('101', 900, { params: { output: ref('entry.city') }, outputs: { output: 'string' } })
    .exit({ sky: ref('101.output'), id: ref('entry.id', 'integer') })
    .edges('entry > 101 > exit')
    .build()

const answering = (): CanvasJson =>
  drawCanvas()
    .entry({ city: 'string' })
    .answer('Sunny in {{city}}', { city: ref('entry.city') })
    .edges('entry > exit')
    .build()

const asking = (): CanvasJson =>
  drawCanvas()
    .entry({ city: 'string' })
    .node('101', 18, {
      params: { city: ref('entry.city') },
      inputs: { question: 'Really {{city}}?', answer_type: 'text', option_type: 'static', options: [], extra_output: false, limit: 3 },
      outputs: { USER_RESPONSE: 'string' },
    })
    .exit({ said: ref('101.USER_RESPONSE') })
    .edges('entry > 101 > exit')
    .build()

type Options = { probes?: Probes; workerToken?: string; workflows?: string[]; name?: string }

async function openHouse(db: Db, canvas: CanvasJson, options: Options = {}): Promise<ChatHouse> {
  const { probes = {}, workflows = [FORECAST], name = 'fore cast!', workerToken } = options
  const house = await openChatHouse(db, { bot: { workflows }, workflows: { types: withProbe(probes) }, workerToken })
  await house.workflows.store(canvas, { id: FORECAST, name })
  await house.workflows.publish(FORECAST, 'v1')
  return house
}

/** A chat whose model calls the tool once and then says what it was told. */
async function call(house: ChatHouse, args: string): Promise<string> {
  house.model.script = async ({ onChunk }, { messages }) => {
    const last = messages.at(-1)
    if (last?.role === 'tool') onChunk({ type: 'text', text: last.content })
    else onChunk({ type: 'tool_call', index: 0, id: 'call', name: 'fore_cast', arguments: args })
    return DONE
  }
  const { finished } = await house.ask('hi', { endUser: 'u1' })
  return (await finished).answer?.content ?? ''
}

const runsOf = (db: Db) => listWorkflowRuns(db, { workflowId: FORECAST, ownerId: '1', limit: 10, offset: 0 })
const hanging: Probes[string] = ({ signal }) => sleep(30_000, { kind: 'done', outputs: {} } as const, { signal })

describe.each(testDatabases())('a workflow as a tool of a bot, on $name', ({ open }) => {
  test('is called with what the model gives, and answers with its result', async () => {
    await using db = await open()
    const house = await openHouse(db, forecast())

    // an id of 19 digits is not rounded on the way
    expect(await call(house, '{"city":"<Rome>","id":7373737373737373737}')).toBe('{"id":7373737373737373737,"sky":"<Rome>"}')
    expect(house.model.requests[0]?.tools).toEqual([
      {
        name: 'fore_cast',
        description: 'fore cast!',
        parameters: { type: 'object', properties: { city: { type: 'string' }, id: { type: 'integer' } }, required: ['city'] },
      },
    ])
    expect(await runsOf(db)).toMatchObject([
      { status: 'succeeded', mode: 'sync', version: 'v1', botId: house.botId, endUser: 'u1', onCrash: 'fail' },
    ])
    expect([house.errors, house.problems]).toEqual([[], []])
  })

  test('that answers in words gives its words', async () => {
    await using db = await open()
    expect(await call(await openHouse(db, answering()), '{"city":"Rome"}')).toBe('Sunny in Rome')
  })

  test.each([
    ['{"city":7}', 'Error: arguments.city must be string, not number'],
    ['{}', 'Error: arguments lacks city'],
    ['{"city"', 'Error: the arguments are not valid JSON'],
  ])('with the arguments %s tells the model what is wrong, and does not run', async (args, said) => {
    await using db = await open()
    expect(await call(await openHouse(db, forecast()), args)).toBe(said)
    expect(await runsOf(db)).toEqual([])
  })

  test('that fails tells the model why', async () => {
    await using db = await open()
    const house = await openHouse(db, forecast(), { probes: { 101: () => Promise.reject(new TypeError('secret')) } })
    expect(await call(house, '{"city":"Rome"}')).toBe('Error: Workflow execution failure: internal server error')
    expect(String(house.errors)).toContain('secret')
  })

  test('that asks a person is ended, and says so', async () => {
    await using db = await open()
    const house = await openHouse(db, asking())
    expect(await call(house, '{"city":"Rome"}')).toMatch(/^Error: the workflow asks a person/)
    expect(await runsOf(db)).toMatchObject([{ status: 'canceled', waiting: [] }])
  })

  test('is canceled with its chat', async () => {
    await using db = await open()
    const house = await openHouse(db, forecast(), { probes: { 101: hanging } })
    const said = call(house, '{"city":"Rome"}')
    await expect.poll(() => house.deps.workflows.liveRuns.count).toBe(1)
    const [{ chat } = fail()] = await runsOf(db)
    await house.deps.liveRuns.stop(chat?.chatId ?? '', 'canceled')

    await said
    await expect.poll(async () => (await runsOf(db)).map(({ status }) => status)).toEqual(['canceled'])
    expect(house.deps.workflows.liveRuns.count).toBe(0)
  })

  test('does not outlive its server', async () => {
    await using db = await open()
    const house = await openHouse(db, forecast(), { probes: { 101: hanging }, workerToken: 'dead' })
    const said = call(house, '{"city":"Rome"}')
    await expect.poll(() => house.deps.workflows.liveRuns.count).toBe(1)
    const [{ id } = fail()] = await runsOf(db)

    await recoverWorkflowRuns({
      ...house.deps.workflows,
      liveRuns: { ...house.deps.workflows.liveRuns, has: () => false },
      workerToken: 'next',
    })
    expect(await runsOf(db)).toMatchObject([{ id, status: 'failed', recoveries: 0 }])
    await house.deps.workflows.liveRuns.stop(id, 'canceled')
    expect(await said).toBe('Error: Workflow execution failure: the server was stopped while the workflow was running')
  })
})

describe('the tools of a bot', () => {
  test('have names that models take, each its own; a workflow that cannot be used is left out', async () => {
    await using db = await memory()
    const workflows = ['900', '901', '902', '903', '904', '900']
    const house = await openHouse(db, forecast(), { workflows, name: '天气' })
    for (const id of ['901', '902']) {
      await house.workflows.store(forecast(), { id, name: 'sky' })
      await house.workflows.publish(id, 'v1')
    }
    await house.workflows.store(forecast(), { id: '903' })
    const { finished } = await house.ask('hi', { functions: [{ name: 'sky', description: '', parameters: {} }] })

    expect((await finished).run.status).toBe('completed')
    expect(house.model.requests[0]?.tools?.map(({ name }) => name)).toEqual(['workflow_900', 'sky_2', 'sky_3', 'sky'])
    expect(house.problems).toEqual([
      'workflow 903 cannot be used: workflow 903 is not published: publish it, then run it again',
      'workflow 904 cannot be used: workflow not found',
    ])
  })

  test('another user’s workflow is none', async () => {
    await using db = await memory()
    const house = await openHouse(db, forecast())
    await db.updateTable('workflow').set({ owner_id: '2' }).execute()
    await (
      await house.ask('hi')
    ).finished

    expect(house.problems).toEqual(['workflow 900 cannot be used: workflow not found'])
    expect(house.model.requests[0]?.tools).toBeUndefined()
  })

  test('are no more than models take', async () => {
    await using db = await memory()
    const house = await openHouse(db, forecast())
    const { run } = await (await house.ask('hi')).finished
    const tools = Array.from({ length: 128 }, (_, at) => ({
      ...{ name: `t${at}`, description: '', parameters: {} },
      call: async () => ({ content: '', isError: false }),
    }))
    const bot = await house.deps.publishedBots.get(ADA, house.botId)
    const added = await addWorkflowTools(
      house.deps.workflows,
      { bot, run, firstMessageId: '1', reservedNames: [] },
      { tools, problems: [] },
    )

    expect(added.tools).toHaveLength(128)
    expect(added.problems).toEqual(['with its workflows the bot has 129 tools, of which models get the first 128'])
  })
})

test('a tool’s result is in the history of its chat as any other’s', async () => {
  await using db = await memory()
  const house = await openHouse(db, answering())
  await call(house, '{"city":"Rome"}')

  const roles = (house.model.requests[1]?.messages ?? []).map(({ role }: ModelMessage) => role)
  expect(roles).toEqual(['system', 'user', 'assistant', 'tool'])
})

const [sqlite] = testDatabases()
const memory = () => (sqlite ?? fail()).open()

function fail(): never {
  throw new Error('there is none')
}
