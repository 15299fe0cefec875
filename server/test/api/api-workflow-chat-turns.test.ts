import { describe, expect, test } from 'vitest'
import { drawCanvas, ref } from '../support/canvas-builder.ts'
import { answers, wait } from '../support/fake-provider.ts'
import { openStream } from '../support/live-stream.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { deltaText, eventNames, frameOf } from '../support/sse-frames.ts'
import type { Frame } from '../support/sse-frames.ts'
import { useTestApp } from '../support/test-app.ts'
import type { Json, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'
import { asking, filling, framesOf, publish, talking, useProvider } from '../support/workflow-app.ts'

const PATH = '/v1/workflows/chat'
const question = (content: string) => ({ additional_messages: [{ role: 'user', content, content_type: 'text' }] })

describe.each(testDatabases())('turns of chats with workflows on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  describe('with questions', () => asksBack(app))
  describe('for readers who come back', () => resumes(app))
  describe('once', () => happensOnce(app))

  keepsItsSecrets(app)
})

const chat = (app: Pick<TestApp, 'url' | 'apiKey'>, body: object, query = ''): Promise<Frame[]> =>
  framesOf(app, body, { path: PATH + query })
const whole = (app: TestApp, body: object, headers: Record<string, string> = {}) =>
  app.call('POST', PATH, { stream: false, ...body }, { headers })

async function publishTalking(app: TestApp): Promise<string> {
  await useProvider(app)
  return publish(app, talking(), { mode: 'chatflow' })
}

function asksBack(app: TestApp): void {
  test('a question is a message; the next message of the conversation is the answer to it', async () => {
    const workflow_id = await publish(app, asking(), { mode: 'chatflow' })
    const first = await chat(app, { workflow_id, query: 'trip' })
    expect(eventNames(first).slice(2)).toEqual([
      ...['conversation.message.delta', 'conversation.message.completed', 'conversation.chat.requires_action', 'done'],
    ])
    expect(deltaText(first)).toBe('Where to?')
    const waiting = frameOf(first, 'conversation.chat.requires_action').data
    expect(waiting).toMatchObject({
      status: 'requires_action',
      interrupt_data: { type: 2, event_id: expect.stringContaining(`${waiting.id}/`) },
    })

    const { conversation_id } = waiting
    const second = await chat(app, { workflow_id, query: 'Rome', conversation_id })
    expect(eventNames(second)[0]).toBe('conversation.chat.in_progress')
    expect(second[0]?.data.id).toBe(waiting.id)
    expect(deltaText(second)).toBe('How far?')
    const { body } = await whole(app, { workflow_id, query: '3 km', conversation_id })
    expect(body).toMatchObject({ data: { status: 'completed' }, message: { content: 'trip: Rome, 3 km' } })
    expect(body.messages.length).toBe(1)

    const { data } = (await app.call('POST', `/v1/conversation/message/list?conversation_id=${conversation_id}`, { order: 'asc' })).body
    expect(data.map(({ content }: Json) => content)).toEqual(['trip', 'Where to?', 'Rome', 'How far?', '3 km', 'trip: Rome, 3 km'])
    expect(deltaText(await chat(app, { workflow_id, query: 'again', conversation_id }))).toBe('Where to?')
  })

  test('a form is a card, and its answer lines of names and values', async () => {
    const workflow_id = await publish(app, filling(), { mode: 'chatflow' })
    const bot_id = await app.makeBot(app.userId)
    const frames = await chat(app, { workflow_id, query: 'trip', bot_id })
    expect(eventNames(frames).slice(2)).toEqual(['conversation.message.completed', 'conversation.chat.requires_action', 'done'])
    const card = frames[2]?.data
    expect(card).toMatchObject({ type: 'answer', content_type: 'card', bot_id })
    const fields = JSON.parse(JSON.parse(card.content).x_properties.workflow_card_info).input_card_data
    expect(fields).toEqual([
      { name: 'city', type: 'string' },
      { name: 'days', type: 'integer' },
    ])
    const answered = { workflow_id, query: 'city:Rome\ndays:3', conversation_id: card.conversation_id, bot_id }
    expect((await whole(app, answered)).body.message.content).toBe('{"city":"Rome","days":3}')
  })

  test('an answer may also be given with stream_resume', async () => {
    const workflow_id = await publish(app, asking(), { mode: 'chatflow' })
    const { data } = (await whole(app, { workflow_id, query: 'trip' })).body
    const body = { workflow_id, event_id: data.interrupt_data.event_id, resume_data: 'Rome' }
    const frames = await framesOf(app, body, { path: '/v1/workflow/stream_resume' })
    expect(eventNames(frames)).toEqual(['Message', 'Interrupt'])
    const asked = { workflow_id, query: '3 km', conversation_id: data.conversation_id }
    expect((await whole(app, asked)).body.message.content).toBe('trip: Rome, 3 km')
  })

  test('another workflow in the same conversation begins its own run', async () => {
    const workflow_id = await publish(app, asking(), { mode: 'chatflow' })
    const other = await publish(
      app,
      drawCanvas()
        .entry({ USER_INPUT: 'string' })
        .answer('{{x}}!', { x: ref('entry.USER_INPUT') })
        .edges('entry > exit')
        .build(),
    )
    const { conversation_id } = (await whole(app, { workflow_id, query: 'trip' })).body
    expect((await whole(app, { workflow_id: other, query: 'hi', conversation_id })).body.message.content).toBe('hi!')
    expect((await whole(app, { workflow_id, query: 'Rome', conversation_id })).body.message.content).toBe('How far?')
  })
}

function resumes(app: TestApp): void {
  const textOf = (frames: Frame[]) => frames.map(({ lines }) => `${lines.join('\n')}\n\n`).join('')
  const streamOf = (workflow_id: string, execute_id: string, after?: string) =>
    `/v1/workflow/stream?workflow_id=${workflow_id}&execute_id=${execute_id}${after === undefined ? '' : `&starting_after=${after}`}`

  test.each(['guide', 'sdk'])('%s-style: cut at every event, also between questions: the same bytes', async (style) => {
    const workflow_id = await publish(app, asking(), { mode: 'chatflow' })
    const say = (text: string) => (style === 'guide' ? { query: text } : question(text))
    const turns = [await chat(app, { workflow_id, ...say('trip') }, '?event_ids=true')]
    const { id: execute_id, conversation_id } = turns[0]?.[0]?.data
    for (const text of ['Rome', '3 km']) turns.push(await chat(app, { workflow_id, conversation_id, ...say(text) }, '?event_ids=true'))

    const done = turns[2]?.slice(-1) ?? []
    const all = turns.flatMap((frames) => frames.slice(0, -1))
    expect(all.length).toBeGreaterThan(12)
    expect((await app.call('GET', streamOf(workflow_id, execute_id))).text).toBe(textOf([...all, ...done]))
    for (const [at, { id }] of all.entries()) {
      const rest = await app.call('GET', streamOf(workflow_id, execute_id, id))
      expect(rest.text, `after ${id}`).toBe(textOf([...all.slice(at + 1), ...done]))
    }
    const numberless = (await app.call('GET', `${streamOf(workflow_id, execute_id)}&event_ids=false`)).text
    expect(numberless).not.toContain('id: ')
  })

  test('cut at every event of a live chat: the same bytes', async () => {
    const workflow_id = await publishTalking(app)
    app.provider.script = answers(['one ', wait(40), 'two ', wait(40), 'three ', wait(40), 'four'])
    await using stream = await openStream(app, { workflow_id, query: 'hi' }, { path: `${PATH}?event_ids=true` })
    await stream.until((frames) => frames.length > 0)
    const execute_id = stream.frames[0]?.data.id
    const cursors = Array.from({ length: 14 }, (_, at) => String(at))
    const rests = await Promise.all(cursors.map((after) => app.call('GET', streamOf(workflow_id, execute_id, after))))
    const frames = await stream.ended
    for (const [at, { text }] of rests.entries())
      expect(text, `after ${at}`).toBe(textOf(frames.filter(({ id }) => id === undefined || Number(id) > at)))
  })

  test('when its events are no longer kept: the answer and the end', async () => {
    const workflow_id = await publishTalking(app)
    const { execute_id } = (await whole(app, { workflow_id, query: 'hi' })).body
    await app.core.db.deleteFrom('journal_segment').where('run_id', '=', execute_id).execute()
    const frames = await framesOf(app, undefined, { path: streamOf(workflow_id, execute_id) })
    expect(deltaText(frames)).toBe('Hello there')
    expect(eventNames(frames).slice(-2)).toEqual(['conversation.chat.completed', 'done'])
  })
}

function happensOnce(app: TestApp): void {
  test('20 times the same Idempotency-Key at once is one chat', async () => {
    const workflow_id = await publishTalking(app)
    app.provider.script = answers(['Hel', wait(100), 'lo'])
    const headers = { 'idempotency-key': `chat-${workflow_id}` }
    const replies = await Promise.all(Array.from({ length: 20 }, () => whole(app, { workflow_id, query: 'hi' }, headers)))
    expect(new Set(replies.map(({ status, body }) => `${status} ${body.data.id} ${body.message.content}`)).size).toBe(1)
    expect(app.provider.requests.length).toBe(1)
  })

  test('and so is an answer: a retry answers nothing else', async () => {
    const workflow_id = await publish(app, asking(), { mode: 'chatflow' })
    const { conversation_id } = (await whole(app, { workflow_id, query: 'trip' }, { 'idempotency-key': `trip-${workflow_id}` })).body
    const headers = { 'idempotency-key': `rome-${workflow_id}` }
    const rome = () => whole(app, { workflow_id, query: 'Rome', conversation_id }, headers)
    const replies = [...(await Promise.all([rome(), rome(), rome(), rome()])), await rome()]
    expect(replies.map(({ body }) => body.message?.content)).toEqual(Array.from({ length: 5 }, () => 'How far?'))

    const done = await whole(app, { workflow_id, query: '3 km', conversation_id })
    expect(done.body.message.content).toBe('trip: Rome, 3 km')
    const { data } = (await app.call('POST', `/v1/conversation/message/list?conversation_id=${conversation_id}`, {})).body
    expect(data.filter(({ content }: Json) => content === 'Rome').length).toBe(1)
  })
}
