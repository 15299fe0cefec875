import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { drawCanvas, input, ref } from '../../test/support/canvas-builder.ts'
import type { CanvasJson } from '../../test/support/canvas-builder.ts'
import { openChatHouse } from '../../test/support/chat-house.ts'
import type { ChatHouse } from '../../test/support/chat-house.ts'
import { withProbe } from '../../test/support/engine-house.ts'
import type { Probes } from '../../test/support/engine-house.ts'
import { testDatabases } from '../../test/support/test-databases.ts'
import { clearConversation } from '../conversations/conversations.ts'
import type { Db } from '../db/database.ts'
import type { NodeRun } from '../workflows/engine/node-type.ts'
import { recoverWorkflowRuns } from '../workflows/runs/recover-workflow-runs.ts'
import { startChatflowRun } from '../workflows/runs/start-chatflow-run.ts'
import { listWorkflowRuns } from '../workflows/runs/workflow-run-store.ts'
import { resumeWorkflowRun } from '../workflows/runs/workflow-runs.ts'
import type { ChatEvent } from './chat-event.ts'
import { recoverRuns } from './recover-runs.ts'
import { cancelRun } from './runs.ts'

const CHATFLOW = '900'
const ADA = { userId: '1', keyId: '7' }
const chatInputs = { USER_INPUT: 'string', CONVERSATION_NAME: 'string' } as const
const emits = (content: string) => ({ content: input(content), streamingOutput: false })

/** Says hello on the way, and repeats at its end what it was told. */
const repeating = (): CanvasJson =>
  drawCanvas()
    .entry({ ...chatInputs, 'tone!': 'string' }, { tone: 'plain' })
    .node('101', 13, { params: { tone: ref('entry.tone') }, inputs: emits('hello ({{tone}})'), outputs: { output: 'string' } })
    .node('102', 900, { params: { output: ref('entry.USER_INPUT') }, outputs: { output: 'string' } })
    .answer('{{name}}: {{text}}', { name: ref('entry.CONVERSATION_NAME'), text: ref('102.output') })
    .edges('entry > 101 > 102 > exit')
    .build()

/** Asks where to, then how far; repeats both. */
const asking = (): CanvasJson =>
  drawCanvas()
    .entry({ ...chatInputs, 'mood!': 'string' })
    .node('101', 18, { ...asks('Where to?', ref('entry.mood')), outputs: { USER_RESPONSE: 'string' } })
    .node('102', 900, { params: { output: ref('101.USER_RESPONSE') }, outputs: { output: 'string' } })
    .node('103', 18, { ...asks('How far?', ref('102.output')), outputs: { USER_RESPONSE: 'string' } })
    .answer('{{first}}, then {{where}} for {{far}}', {
      ...{ first: ref('entry.USER_INPUT'), where: ref('102.output'), far: ref('103.USER_RESPONSE') },
    })
    .edges('entry > 101 > 102 > 103 > exit')
    .build()

const asks = (question: string, about: ReturnType<typeof ref>) => ({
  params: { about },
  inputs: { question, answer_type: 'text', option_type: 'static', options: [], extra_output: false, limit: 3 },
})

const hanging = ({ signal }: NodeRun) => sleep(30_000, { kind: 'done', outputs: {} } as const, { signal })

const spending = (run: NodeRun) => {
  run.addUsage({ inputTokens: 3, outputTokens: 4 })
  return { kind: 'done', outputs: { output: run.inputs.output ?? null } } as const
}

type Options = { probes?: Probes; workerToken?: string; workerId?: number; isStored?: boolean }

async function openHouse(db: Db, canvas: CanvasJson, { probes = {}, isStored = false, ...rest }: Options = {}): Promise<ChatHouse> {
  const house = await openChatHouse(db, {
    ...{ bot: { mode: 'chatflow', chatflowId: CHATFLOW }, workflows: { types: withProbe({ 102: spending, ...probes }) } },
    ...rest,
  })
  if (isStored) return house
  await house.workflows.store(canvas, { id: CHATFLOW, mode: 'chatflow' })
  await house.workflows.publish(CHATFLOW, 'v1')
  return house
}

const runsOf = (db: Db) => listWorkflowRuns(db, { workflowId: CHATFLOW, ownerId: '1', limit: 10, offset: 0 })
const statesOf = async (db: Db) => (await runsOf(db)).map(({ status }) => status)

/** The whole chat. */
async function talk(house: ChatHouse, text: string, request: Parameters<ChatHouse['ask']>[1] = {}) {
  const { finished } = await house.ask(text, request)
  return finished
}

const MOOD = { chatflowParameters: { mood: 'fine' } }

describe.each(testDatabases())('a bot that is a chatflow, on $name', ({ open }) => {
  test('answers with what its nodes say, one message after the other, and no model is asked', async () => {
    await using db = await open()
    const house = await openHouse(db, repeating())
    const { run, finished } = await house.ask('hi')
    const events = await house.events(run.id)

    expect(events.map(toText)).toEqual([
      ...['run_created', 'run_started', 'answer_delta hello (plain)', 'answer hello (plain)'],
      ...['answer_delta Default: hi', 'answer Default: hi', 'verbose', 'run_completed'],
    ])
    expect(new Set(events.flatMap((event) => (event.type === 'message_completed' ? [event.message.id] : []))).size).toBe(3)
    expect(await finished).toMatchObject({
      run: { status: 'completed', usage: { inputTokens: 3, outputTokens: 4 } },
      answer: { content: 'Default: hi' },
    })
    expect(await house.messages(run.conversationId)).toEqual(['user: hi', 'assistant: hello (plain)', 'assistant: Default: hi'])
    expect(house.model.requests).toEqual([])
    expect(await runsOf(db)).toMatchObject([{ status: 'succeeded', version: 'v1', botId: house.botId, onCrash: 'fail' }])
    expect(house.errors).toEqual([])
  })

  test('gets the parameters of the request, files as URLs, and the conversation’s name', async () => {
    await using db = await open()
    const house = await openHouse(db, repeating())
    const content = JSON.stringify([
      { type: 'text', text: 'look' },
      { type: 'image', file_url: 'https://example.com/a.png' },
      { type: 'file', file_id: '55' },
    ])
    const { run } = await talk(house, '', {
      messages: [
        { role: 'user', content: 'before', contentType: 'text' },
        { role: 'user', content, contentType: 'object_string' },
      ],
      chatflowParameters: { tone: 'kind', CONVERSATION_NAME: 'Mine', unknown: 1 },
      endUser: 'u1',
    })

    const said = 'Mine: look,https://example.com/a.png,https://files.example.com/1/55'
    expect((await house.messages(run.conversationId)).slice(2)).toEqual(['assistant: hello (kind)', `assistant: ${said}`])
    const [{ parameters, endUser, chat } = fail()] = await runsOf(db)
    expect({ parameters, endUser }).toMatchObject({ endUser: 'u1', parameters: { unknown: 1, tone: 'kind' } })
    expect(chat?.earlier).toEqual([{ role: 'user', content: 'before' }])
  })

  test('what it cannot begin with is refused, and nothing is stored', async () => {
    await using db = await open()
    const house = await openHouse(db, asking())

    await expect(house.ask('hi')).rejects.toMatchObject({ code: 'bad_parameters', message: expect.stringContaining('mood') as string })
    const last = { role: 'assistant', content: 'I said', contentType: 'text' } as const
    await expect(house.ask('', { ...MOOD, messages: [last] })).rejects.toMatchObject({ code: 'invalid_request' })
    await db.updateTable('workflow').set({ live_version_id: null }).where('id', '=', CHATFLOW).execute()
    await expect(house.ask('hi', MOOD)).rejects.toMatchObject({ code: 'not_published' })
    expect(await db.selectFrom('run').select('id').execute()).toEqual([])
  })

  test('one that fails fails the chat, and says why', async () => {
    await using db = await open()
    const house = await openHouse(db, repeating(), { probes: { 102: () => Promise.reject(new TypeError('secret')) } })
    const { run } = await talk(house, 'hi')

    expect(run).toMatchObject({ status: 'failed', error: { code: 'workflow_failed' } })
    expect(run.error?.message).not.toContain('secret')
    expect(await house.messages(run.conversationId)).toEqual(['user: hi', 'assistant: hello (plain)'])
    expect(await statesOf(db)).toEqual(['failed'])
  })
})

describe.each(testDatabases())('a chatflow that asks, on $name', ({ open }) => {
  test('goes on with what the next chats say', async () => {
    await using db = await open()
    const house = await openHouse(db, asking())
    const first = await talk(house, 'hi', MOOD)
    const { conversationId } = first.run
    expect(first).toMatchObject({
      run: { status: 'completed', usage: { inputTokens: 0 } },
      answer: { content: 'Where to?', contentType: 'text' },
    })

    // parameters are for the start alone: an answer needs none
    const second = await talk(house, 'Rome', { conversationId })
    expect(second).toMatchObject({ run: { usage: { inputTokens: 3, outputTokens: 4 } }, answer: { content: 'How far?' } })
    const third = await talk(house, 'ever', { conversationId })
    expect(third).toMatchObject({ run: { usage: { inputTokens: 0 } }, answer: { content: 'hi, then Rome for ever' } })

    expect(await house.messages(conversationId)).toEqual([
      ...['user: hi', 'assistant: Where to?', 'user: Rome', 'assistant: How far?', 'user: ever', 'assistant: hi, then Rome for ever'],
    ])
    expect(await runsOf(db)).toMatchObject([{ status: 'succeeded', usage: { inputTokens: 3, outputTokens: 4 } }])

    const again = await talk(house, 'new', { conversationId, ...MOOD })
    expect(again.answer?.content).toBe('Where to?')
    expect(await statesOf(db)).toEqual(['waiting', 'succeeded'])
  })

  test('an answer that was queued while the question was on its way is the answer', async () => {
    await using db = await open()
    const house = await openHouse(db, asking())
    const { conversationId } = (await talk(house, 'warm up', MOOD)).run
    const [second, third] = [
      await house.ask('Rome', { conversationId, ifBusy: 'enqueue' }),
      await house.ask('ever', { conversationId, ifBusy: 'enqueue' }),
    ]

    expect((await second.finished).answer?.content).toBe('How far?')
    expect((await third.finished).answer?.content).toBe('warm up, then Rome for ever')
  })

  test('nobody else can answer, and it answers nobody else', async () => {
    await using db = await open()
    const house = await openHouse(db, asking())
    const { run } = await talk(house, 'hi', MOOD)
    const [waiting = fail()] = await runsOf(db)

    const eventId = `${waiting.id}/${waiting.waiting[0]?.id ?? ''}`
    const answer = resumeWorkflowRun(house.deps.workflows, ADA, { workflowId: CHATFLOW, eventId, data: 'x' })
    await expect(answer).rejects.toMatchObject({ code: 'conflict' })
    const other = await startChatflowRun(house.deps.workflows, ADA, {
      ...{ workflowId: CHATFLOW, version: 'v1', parameters: { mood: 'x' }, conversationId: run.conversationId, savesHistory: true },
      ...{
        messages: [{ role: 'user', content: 'direct', contentType: 'text' }],
        endUser: '',
        connectorId: '1024',
        logId: '',
        style: 'sdk',
      },
    })
    expect((await other.finished).status).toBe('waiting')
    expect(other.run.id).not.toBe(waiting.id)

    expect((await talk(house, 'Rome', { conversationId: run.conversationId })).answer?.content).toBe('How far?')
    expect(await statesOf(db)).toEqual(['waiting', 'waiting'])
  })

  test('a question is dropped with the context it was put in', async () => {
    await using db = await open()
    const house = await openHouse(db, asking())
    const { conversationId } = (await talk(house, 'one', MOOD)).run
    await clearConversation(house.deps, ADA, conversationId)

    const { run, answer } = await talk(house, 'two', { conversationId, ...MOOD })
    expect(answer?.content).toBe('Where to?')
    expect(await statesOf(db)).toEqual(['waiting', 'canceled'])
    expect(run.status).toBe('completed')
  })

  test('a question that was never put is not answered', async () => {
    await using db = await open()
    const house = await openHouse(db, asking())
    const { id, conversationId } = (await talk(house, 'one', MOOD)).run
    // as if the server had died between the two ends
    await db.updateTable('run').set({ status: 'failed' }).where('id', '=', id).execute()

    expect((await talk(house, 'two', { conversationId, ...MOOD })).answer?.content).toBe('Where to?')
    expect(await statesOf(db)).toEqual(['waiting', 'canceled'])
  })

  test('a caller who keeps the conversation gets the question, and nothing stays behind', async () => {
    await using db = await open()
    const house = await openHouse(db, asking())
    const transcript = [
      { role: 'system' as const, content: 'be kind' },
      { role: 'user' as const, content: 'one' },
      { role: 'assistant' as const, content: 'two' },
      {
        role: 'user' as const,
        content: [
          { type: 'text' as const, text: 'three' },
          { type: 'upload' as const, fileId: '55' },
        ],
      },
    ]
    const { answer } = await talk(house, '', { messages: [], transcript, ...MOOD })

    expect(answer?.content).toBe('Where to?')
    const [{ status, parameters, chat } = fail()] = await runsOf(db)
    expect([status, parameters.USER_INPUT]).toEqual(['canceled', 'three,https://files.example.com/1/55'])
    expect(chat?.earlier).toEqual([
      { role: 'user', content: 'one' },
      { role: 'assistant', content: 'two' },
    ])
  })

  test('choices and forms are texts, or cards for those who want them', async () => {
    await using db = await open()
    const canvas = drawCanvas()
      .entry(chatInputs)
      .node('101', 30, { inputs: { outputSchema: JSON.stringify([{ name: 'city', type: 'string' }]) }, outputs: { city: 'string' } })
      .answer('{{city}}', { city: ref('101.city') })
      .edges('entry > 101 > exit')
      .build()
    const house = await openHouse(db, canvas)
    const { run, answer } = await talk(house, 'hi')
    expect(answer).toMatchObject({ content: 'city: string', contentType: 'text' })
    expect((await talk(house, 'city: Rome', { conversationId: run.conversationId })).answer?.content).toBe('Rome')

    const card = await talk(house, 'hi', { asCards: true })
    expect(card.answer).toMatchObject({ contentType: 'card', content: expect.stringContaining('workflow_card_info') as string })
  })
})

describe.each(testDatabases())('a chat with a chatflow that does not end well, on $name', ({ open }) => {
  test('when it is canceled its workflow is, and nothing more is said', async () => {
    await using db = await open()
    const house = await openHouse(db, repeating(), { probes: { 102: hanging } })
    const { run, finished } = await house.ask('hi')
    await expect.poll(() => house.deps.workflows.liveRuns.count).toBe(1)
    await cancelRun(house.deps, ADA, { runId: run.id, conversationId: run.conversationId })

    expect((await finished).run.status).toBe('canceled')
    expect(await statesOf(db)).toEqual(['canceled'])
    expect(house.deps.workflows.liveRuns.count).toBe(0)
    expect(await house.messages(run.conversationId)).not.toContain('assistant: Default: hi')
  })

  test('when its workflow is canceled it fails, and does not wait for it', async () => {
    await using db = await open()
    const house = await openHouse(db, repeating(), { probes: { 102: hanging } })
    const { finished } = await house.ask('hi')
    await expect.poll(() => statesOf(db)).toEqual(['running'])
    const [{ id } = fail()] = await runsOf(db)
    await house.deps.workflows.liveRuns.stop(id, 'canceled')

    expect((await finished).run).toMatchObject({ status: 'failed', error: { code: 'workflow_canceled' } })
  })

  test('its time ends the workflow too', async () => {
    await using db = await open()
    const house = await openChatHouse(db, {
      ...{ bot: { mode: 'chatflow', chatflowId: CHATFLOW }, maxRunMs: 300 },
      workflows: { types: withProbe({ 102: hanging }) },
    })
    await house.workflows.store(repeating(), { id: CHATFLOW, mode: 'chatflow' })
    await house.workflows.publish(CHATFLOW, 'v1')

    expect((await talk(house, 'hi')).run).toMatchObject({ status: 'failed', error: { code: 'timeout' } })
    expect(await statesOf(db)).toEqual(['canceled'])
  })

  test('when its server dies both end as failed, and the next chat begins anew', async () => {
    await using db = await open()
    const dead = await openHouse(db, repeating(), { probes: { 102: hanging }, workerToken: 'dead' })
    const { run, finished } = await dead.ask('hi')
    await expect.poll(() => statesOf(db)).toEqual(['running'])
    await dead.deps.journal.flush()

    const next = await openHouse(db, repeating(), { isStored: true, workerToken: 'next', workerId: 2 })
    await recoverRuns({ ...next.deps, maxRunMs: 60_000, isRunningHere: next.deps.liveRuns.has })
    await recoverWorkflowRuns(next.deps.workflows)
    expect(await statesOf(db)).toEqual(['failed'])
    expect(await next.messages(run.conversationId)).toEqual(['user: hi', 'assistant: hello (plain)'])
    expect((await next.events(run.id)).at(-1)).toMatchObject({ type: 'run_failed', error: { code: 'interrupted' } })

    // what the dead one would still write is refused
    const late = finished.catch((cause: unknown) => cause)
    await dead.deps.liveRuns.stop(run.id, 'canceled')
    expect(await late).toMatchObject({ code: 'conflict' })
    expect(await statesOf(db)).toEqual(['failed'])
  })

  test('a server that stops leaves no workflow behind', async () => {
    await using db = await open()
    const house = await openHouse(db, repeating(), { probes: { 102: hanging } })
    const { finished } = await house.ask('hi')
    await expect.poll(() => house.deps.workflows.liveRuns.count).toBe(1)
    await Promise.all([house.deps.liveRuns.drain(20), house.deps.workflows.liveRuns.drain(20)])

    expect((await finished).run).toMatchObject({ status: 'failed', error: { code: 'interrupted' } })
    expect(await statesOf(db)).toEqual(['canceled'])
  })
})

function toText(event: ChatEvent): string {
  if (event.type === 'answer_delta') return `answer_delta ${event.text}`
  if (event.type !== 'message_completed') return event.type
  return event.message.type === 'verbose' ? 'verbose' : `${event.message.type} ${event.message.content}`
}

function fail(): never {
  throw new Error('there is none')
}
