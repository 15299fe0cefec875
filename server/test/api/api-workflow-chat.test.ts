import { describe, expect, test } from 'vitest'
import { saveApp } from '../../src/bots/apps.ts'
import { answers, hang, says, wait } from '../support/fake-provider.ts'
import { SECONDS } from '../support/chat-shapes.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { openStream } from '../support/live-stream.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { deltaText, eventNames, frameOf } from '../support/sse-frames.ts'
import type { Frame } from '../support/sse-frames.ts'
import { useTestApp } from '../support/test-app.ts'
import type { Json, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'
import { asking, brackets, framesOf, publish, reading, speaking, talking, useProvider } from '../support/workflow-app.ts'

const PATH = '/v1/workflows/chat'
const ID = expect.stringMatching(/^\d{14,16}$/)
const NO_USAGE = { token_count: 0, input_count: 0, output_count: 0 }
const question = (content: string) => ({ additional_messages: [{ role: 'user', content, content_type: 'text' }] })

describe.each(testDatabases())('chats with workflows on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  describe('works', () => {
    describe('as a stream', () => streams(app))
    describe('as a whole answer', () => answersWhole(app))
    describe('in a conversation', () => converses(app))
    describe('in conversations of an app', () => opensConversations(app))
  })
  describe('refuses bad input', () => refuses(app))
  describe('refuses the wrong key', () => {
    test('another user’s workflow and conversation are not there', async () => {
      const workflow_id = await publish(app, asking(), { mode: 'chatflow' })
      const { data } = (await app.call('POST', PATH, { workflow_id, query: 'x', stream: false })).body
      const { apiKey, userId } = await app.makeUser()
      const own = await publish(app, asking(), { mode: 'chatflow', userId })
      expectRefusal(await app.call('POST', PATH, { workflow_id, query: 'x' }, { apiKey }), { status: 404, message: 'workflow not found' })
      const foreign = { workflow_id: own, query: 'x', conversation_id: data.conversation_id }
      expectRefusal(await app.call('POST', PATH, foreign, { apiKey }), { status: 404, message: 'conversation not found' })
      expect((await app.call('POST', PATH, { workflow_id, query: 'x' }, { apiKey: '' })).status).toBe(401)
      const opening = { app_id: '1', conversation_name: 'Default' }
      expect((await app.call('POST', '/v1/workflow/conversation/create', opening, { apiKey: '' })).status).toBe(401)
    })
  })

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

const NAMES = [
  ...['conversation.chat.created', 'conversation.chat.in_progress', 'conversation.message.delta', 'conversation.message.delta'],
  ...['conversation.message.completed', 'conversation.chat.completed', 'done'],
]

function streams(app: TestApp): void {
  test('guide-style: two lines an event, the whole answer has no type, and [DONE] is the end', async () => {
    const workflow_id = await publishTalking(app)
    await using stream = await openStream(
      app,
      { workflow_id: Number(workflow_id), conversation_id: 'conv_789', query: 'hi' },
      { path: PATH },
    )
    const frames = await stream.ended
    expect(eventNames(frames)).toEqual(NAMES)
    for (const { lines } of frames) expect(lines.map((line) => line.split(':')[0])).toEqual(['event', 'data'])
    expect(deltaText(frames)).toBe('Hello there')
    expect(stream.text.endsWith('event: done\ndata: [DONE]\n\n')).toBe(true)

    const place = { conversation_id: ID, section_id: ID, bot_id: '0' }
    const data = frames[0]?.data
    const begun = { id: ID, execute_id: data.id, ...place, created_at: SECONDS, meta_data: {}, last_error: { code: 0, msg: '' } }
    expect(data).toEqual({ ...begun, status: 'created', usage: NO_USAGE })
    expect(frames[1]?.data).toEqual({ ...data, status: 'in_progress' })
    const message = {
      id: ID,
      chat_id: data.id,
      ...place,
      role: 'assistant',
      content_type: 'text',
      reasoning_content: '',
      created_at: SECONDS,
    }
    expect(frames[2]?.data).toEqual({ ...message, type: 'answer', content: 'Hello' })
    expect(frames[4]?.data).toEqual({ ...message, id: frames[2]?.data.id, content: 'Hello there' })
    const usage = { token_count: 3, input_count: 1, output_count: 2 }
    expect(frames[5]?.data).toEqual({ ...data, status: 'completed', completed_at: SECONDS, usage })
  })

  test('SDK-style: the whole answer has its type, and the end is an object', async () => {
    const workflow_id = await publishTalking(app)
    const frames = await chat(app, { workflow_id, ...question('hi'), parameters: {} })
    expect(eventNames(frames)).toEqual(NAMES)
    expect(frameOf(frames, 'conversation.message.completed').data).toMatchObject({ type: 'answer', content: 'Hello there' })
    expect(frames.at(-1)?.data).toEqual({ debug_url: `${app.url}/workflows/${workflow_id}/runs/${frames[0]?.data.id}` })
  })

  test('what its nodes say are messages, one after the other', async () => {
    await useProvider(app)
    const workflow_id = await publish(app, speaking(), { mode: 'chatflow' })
    const frames = await chat(app, { workflow_id, query: 'hi', parameters: { topic: 'cats' } })
    const completed = frames.filter(({ event }) => event === 'conversation.message.completed').map(({ data }) => data)
    expect(completed.map(({ content }) => content)).toEqual(['About cats: ', 'Hello there'])
    expect(new Set(completed.map(({ id }) => id)).size).toBe(2)
  })

  test('a run that fails ends with chat.failed', async () => {
    const workflow_id = await publish(app, reading(), { mode: 'chatflow' })
    const frames = await chat(app, { workflow_id, query: 'hi', parameters: { text: 'no JSON' } })
    expect(eventNames(frames).slice(2)).toEqual(['conversation.chat.failed', 'done'])
    expect(frames[2]?.data).toMatchObject({
      status: 'failed',
      failed_at: SECONDS,
      last_error: { code: 720701013, msg: expect.stringMatching(/JSON/) },
    })
  })

  test('a run that is canceled ends with chat.canceled, and what was said whole is kept', async () => {
    const workflow_id = await publishTalking(app)
    app.provider.script = answers(['so ', 'far', hang()])
    await using stream = await openStream(app, { workflow_id, query: 'hi' }, { path: PATH })
    await stream.until((frames) => deltaText(frames).includes('so'))
    const { id: execute_id } = stream.frames[0]?.data
    expect((await app.call('POST', '/v1/workflow/cancel', { workflow_id, execute_id })).status).toBe(200)
    const frames = await stream.ended
    expect(eventNames(frames).slice(-2)).toEqual(['conversation.chat.canceled', 'done'])
    expect(frameOf(frames, 'conversation.chat.canceled').data).toMatchObject({ status: 'canceled', last_error: { code: 777777777 } })
  })

  test('numbers of the events are there for who asks for them', async () => {
    const workflow_id = await publishTalking(app)
    const frames = await chat(app, { workflow_id, query: 'hi' }, '?event_ids=true')
    const ids = frames.slice(0, -1).map(({ id }) => Number(id))
    expect(ids).toEqual(ids.toSorted((a, b) => a - b))
    expect(new Set(ids).size).toBe(ids.length)
    expect(frames.at(-1)?.id).toBeUndefined()
  })
}

function answersWhole(app: TestApp): void {
  test('the flat body of the guide', async () => {
    const workflow_id = await publishTalking(app)
    const { status, body } = await whole(app, { workflow_id, query: 'hi' })
    expect(status).toBe(200)
    const place = { conversation_id: ID, section_id: ID, bot_id: '0' }
    const message = { id: ID, chat_id: ID, ...place, role: 'assistant', type: 'answer', content: 'Hello there', content_type: 'text' }
    expect(body).toEqual({
      ...{ code: 0, msg: '', conversation_id: body.data.conversation_id, execute_id: body.data.id, detail: expect.anything() },
      data: {
        ...{ id: ID, execute_id: body.data.id, ...place, status: 'completed', created_at: SECONDS, completed_at: SECONDS },
        ...{ meta_data: {}, last_error: { code: 0, msg: '' }, usage: { token_count: 3, input_count: 1, output_count: 2 } },
      },
      message: { ...message, reasoning_content: '', created_at: SECONDS },
      messages: [body.message],
    })
  })

  test('of several messages `message` is the last', async () => {
    await useProvider(app)
    const workflow_id = await publish(app, speaking(), { mode: 'chatflow' })
    const { body } = await whole(app, { workflow_id, ...question('hi'), parameters: { topic: 'cats' } })
    expect(body.message.content).toBe('Hello there')
    expect(body.messages.map(({ content }: Json) => content)).toEqual(['About cats: ', 'Hello there'])
  })

  test('a run that fails is HTTP 500 with the chat', async () => {
    const workflow_id = await publish(app, reading(), { mode: 'chatflow' })
    const { status, body } = await whole(app, { workflow_id, query: 'hi', parameters: { text: 'no JSON' } })
    expect(status).toBe(500)
    expect(body).toMatchObject({
      code: 500,
      msg: expect.stringMatching(/JSON/),
      data: { status: 'failed', last_error: { code: 720701013 } },
    })
  })

  test('Prefer: respond-async leads to the stream', async () => {
    const workflow_id = await publishTalking(app)
    app.provider.script = answers(['Hel', wait(200), 'lo'])
    const { status, body, headers } = await whole(app, { workflow_id, query: 'hi' }, { prefer: 'respond-async' })
    expect([status, body.data.status]).toEqual([202, 'in_progress'])
    expect(headers.get('location')).toBe(`/v1/workflow/get_run_history?workflow_id=${workflow_id}&execute_id=${body.execute_id}`)
    expect(deltaText(await framesOf(app, undefined, { path: body.stream_url }))).toBe('Hello')
  })
}

function converses(app: TestApp): void {
  const seen = () => app.provider.lastRequest.body.messages.map(({ content }) => content)

  test('what was said before is context, in a conversation by id or by a name of one’s own', async () => {
    const workflow_id = await publishTalking(app)
    const first = (await whole(app, { workflow_id, query: 'one' })).body
    await chat(app, { workflow_id, query: 'two', conversation_id: first.conversation_id })
    expect(seen()).toEqual(['one', 'Hello there', 'two'])
    const { data } = (await app.call('POST', `/v1/conversation/message/list?conversation_id=${first.conversation_id}`, { order: 'asc' }))
      .body
    expect(data.map(({ role, content }: Json) => `${role}: ${content}`)).toEqual([
      ...['user: one', 'assistant: Hello there', 'user: two', 'assistant: Hello there'],
    ])

    const named = `conv_${workflow_id}`
    await chat(app, { workflow_id, query: 'three', conversation_id: named })
    await chat(app, { workflow_id, ...question('four'), conversation_id: named })
    expect(seen()).toEqual(['three', 'Hello there', 'four'])
  })

  test('earlier messages of the request are context, and stay; with auto_save_history: false nothing does', async () => {
    const workflow_id = await publishTalking(app)
    const chat_history = [
      { role: 'user', content: 'before' },
      { role: 'assistant', content: 'indeed' },
    ]
    const { conversation_id } = (await whole(app, { workflow_id, query: 'now', chat_history })).body
    expect(seen()).toEqual(['before', 'indeed', 'now'])
    await whole(app, { workflow_id, query: 'forget', conversation_id, auto_save_history: false })
    await whole(app, { workflow_id, query: 'then', conversation_id })
    expect(seen()).toEqual(['before', 'indeed', 'now', 'Hello there', 'then'])
  })

  test('end users are kept apart', async () => {
    const workflow_id = await publishTalking(app)
    const { conversation_id } = (await whole(app, { workflow_id, query: 'hi', user_id: 'ada' })).body
    const asked = { workflow_id, query: 'hi', conversation_id }
    expectRefusal(await whole(app, { ...asked, ext: { user_id: 'bob' } }), { status: 404, message: /^conversation not found/ })
    expect((await whole(app, { ...asked, user_id: 'ada' })).status).toBe(200)
  })

  test('files are texts with their links', async () => {
    const workflow_id = await publishTalking(app)
    const form = new FormData()
    form.append('file', new Blob(['content']), 'notes.txt')
    const file = (await app.call('POST', '/v1/files/upload', form)).body.data
    const parts = [
      { type: 'text', text: 'look' },
      { type: 'file', file_id: file.id },
    ]
    const messages = [{ role: 'user', content: JSON.stringify(parts), content_type: 'object_string' }]
    await chat(app, { workflow_id, additional_messages: messages })
    const [text, link = ''] = app.provider.lastRequest.lastUserText.split(',')
    expect(text).toBe('look')
    expect(await (await fetch(link)).text()).toBe('content')
  })

  test('two chats at once in one conversation: the second is refused until the first is over', async () => {
    const workflow_id = await publishTalking(app)
    const { conversation_id } = (await whole(app, { workflow_id, query: 'one' })).body
    app.provider.script = [answers(['so ', 'far', wait(200), ' good']), says('after')]
    await using stream = await openStream(app, { workflow_id, query: 'two', conversation_id }, { path: PATH })
    await stream.until((frames) => deltaText(frames).includes('so'))
    expectRefusal(await whole(app, { workflow_id, query: 'three', conversation_id }), {
      status: 409,
      code: 4016,
      message: /^a chat is running/,
    })
    await stream.ended
    expect((await whole(app, { workflow_id, query: 'three', conversation_id })).body.message.content).toBe('after')
  })

  test('the first use of a conversation’s name by many at once: one chat, the others are refused', async () => {
    const workflow_id = await publishTalking(app)
    app.provider.script = answers(['Hel', wait(300), 'lo'])
    const asked = { workflow_id, query: 'hi', conversation_id: `first_${workflow_id}` }
    const replies = await Promise.all(Array.from({ length: 8 }, () => whole(app, asked)))
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409, 409, 409, 409])
  })
}

function opensConversations(app: TestApp): void {
  const shop = { name: 'shop', description: '', iconUrl: '', version: '1.0.0', conversations: ['orders'], variables: [] }
  const makeShop = async () => (await saveApp(app.core, { userId: app.userId }, { ...shop, id: String(Date.now()) })).id
  const open = (body: object) => app.call('POST', '/v1/workflow/conversation/create', body)

  test('a declared name is opened, and stays the same with get_or_create', async () => {
    const app_id = await makeShop()
    const asked = { app_id, conversation_name: 'orders', get_or_create: true, user_id: 'ada', draft_mode: false, connector_id: '1024' }
    const first = (await open(asked)).body
    expect(first).toEqual({
      ...{ code: 0, msg: '', detail: expect.anything() },
      data: expect.objectContaining({ id: ID, last_section_id: ID, created_at: SECONDS, meta_data: {}, name: 'orders', user_id: 'ada' }),
    })
    expect((await open(asked)).body.data.id).toBe(first.data.id)
    expect((await open({ ...asked, user_id: 'bob' })).body.data.id).not.toBe(first.data.id)
    const renewed = (await open({ ...asked, get_or_create: false })).body.data
    expect(renewed.id).not.toBe(first.data.id)
    expect((await open(asked)).body.data.id).toBe(renewed.id)
  })

  test('chats find it by name or by id, and any other is refused', async () => {
    const app_id = await makeShop()
    const workflow_id = await publishTalking(app)
    const { id } = (await open({ app_id, conversation_name: 'orders', get_or_create: true })).body.data
    const named = await whole(app, { workflow_id, app_id, query: 'one', parameters: { CONVERSATION_NAME: 'orders' } })
    expect(named.body.conversation_id).toBe(id)
    expect((await whole(app, { workflow_id, app_id, query: 'two', conversation_id: id })).body.conversation_id).toBe(id)
    expect(app.provider.lastRequest.body.messages.length).toBe(3)

    const elsewhere = (await whole(app, { workflow_id, query: 'x' })).body.conversation_id
    const refused = await whole(app, { workflow_id, app_id, query: 'x', conversation_id: elsewhere })
    expectRefusal(refused, { status: 404, message: 'conversation not found: it is none of the app' })
    const own = { workflow_id, app_id, query: 'x', conversation_id: `own_${app_id}` }
    const ids = [(await whole(app, own)).body.conversation_id, (await whole(app, own)).body.conversation_id]
    expect(ids[0]).toBe(ids[1])
  })

  test('names that the app does not know are code 777777762', async () => {
    const app_id = await makeShop()
    for (const get_or_create of [true, false]) {
      const refused = await open({ app_id, conversation_name: 'nothing', get_or_create })
      expectRefusal(refused, { status: 404, code: 777777762, message: /^the app has no conversation named "nothing"/ })
    }
    expectRefusal(await open({ app_id: '7', conversation_name: 'orders' }), { status: 404, message: 'app not found' })
    expectRefusal(await open({ conversation_name: 'orders' }), { status: 422, message: 'app id is required' })
    expectRefusal(await open({ app_id }), { status: 422, message: 'conversation name is required' })
    const rule = 'conversation_name: must be a string of 1 to 255 characters'
    for (const conversation_name of ['', 7, 'x'.repeat(256)])
      expectRefusal(await open({ app_id, conversation_name }), { status: 422, message: rule })
  })
}

function refuses(app: TestApp): void {
  test('messages that are none, and fields of the wrong kind', async () => {
    const workflow_id = await publish(app, asking(), { mode: 'chatflow' })
    const cases: [object, string | RegExp][] = [
      [{}, 'query or additional_messages is required'],
      [{ query: ' ' }, 'query must not be empty'],
      [{ query: 7 }, 'query: must be a string'],
      [{ additional_messages: [] }, 'query or additional_messages is required'],
      [{ additional_messages: [{ role: 'assistant', content: 'x' }] }, /last message must be of the role user/],
      [{ additional_messages: [{ role: 'user', content: '' }] }, 'content of a message must not be empty'],
      [{ additional_messages: 'x' }, 'additional_messages: must be an array of messages'],
      [{ query: 'x', conversation_id: 'a b' }, /^conversation_id: must be a conversation id/],
      [{ query: 'x', stream: 'yes' }, 'stream: must be true or false'],
      [{ query: 'x', parameters: 7 }, 'parameters: must be an object, or the JSON text of one'],
    ]
    for (const [body, message] of cases) expectRefusal(await app.call('POST', PATH, { workflow_id, ...body }), { status: 422, message })
    expectRefusal(await app.call('POST', PATH, { query: 'x' }), { status: 422, message: 'workflow id is required' })
  })

  test('parameters that do not fit, what is not there, and what is not published', async () => {
    const strict = await publish(app, brackets(), { mode: 'chatflow' })
    expectRefusal(await whole(app, { workflow_id: strict, query: 'x' }), {
      status: 400,
      code: 4000,
      message: 'parameters.word is required',
    })
    expectRefusal(await whole(app, { workflow_id: '7', query: 'x' }), { status: 404, message: 'workflow not found' })
    const draft = await publish(app, asking(), { isPublished: false })
    expectRefusal(await whole(app, { workflow_id: draft, query: 'x' }), { status: 404, code: 6031, message: /is not published/ })
    const workflow_id = await publish(app, asking(), { mode: 'chatflow' })
    expectRefusal(await whole(app, { workflow_id, query: 'x', conversation_id: '7' }), { status: 404, message: 'conversation not found' })
    const listed = (await app.call('GET', `/v1/workflow/get_run_history?workflow_id=${workflow_id}`)).body.data
    expect(listed).toEqual([])
  })
}
