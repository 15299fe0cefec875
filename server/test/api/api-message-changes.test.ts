import { describe, expect, test } from 'vitest'
import { insertMessage, listRunMessages } from '../../src/conversations/message-store.ts'
import type { MessageType } from '../../src/conversations/message-store.ts'
import { SECONDS, anyMessage } from '../support/chat-shapes.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { answers, hang } from '../support/fake-provider.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { useTestApp } from '../support/test-app.ts'
import type { Json, Reply, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

const HELLO = { role: 'user', content: 'hello', content_type: 'text' }
const NO_MESSAGE = { status: 404, message: 'message not found' }
const NO_CONVERSATION = { status: 404, message: 'conversation not found' }

describe.each(testDatabases())('messages one by one on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  describe('works', () => {
    describe('putting one in', () => creates(app))
    describe('reading and changing one', () => changes(app))
    describe('deleting one', () => deletes(app))
    describe('feedback', () => takesFeedback(app))
  })
  describe('refuses bad input', () => {
    describe('in a message', () => refusesMessages(app))
    describe('in feedback', () => refusesFeedback(app))
    describe('while the chat of a message runs', () => refusesLiveMessages(app))
  })
  describe('refuses the wrong key', () => hidesFromOthers(app))

  keepsItsSecrets(app)
})

const PATH = '/v1/conversation/message'

async function newConversation(app: TestApp, body: object = {}): Promise<string> {
  return (await app.call('POST', '/v1/conversation/create', { bot_id: '123456', ...body })).body.data.id
}

const create = (app: TestApp, conversation: string, body: unknown): Promise<Reply> =>
  app.call('POST', `${PATH}/create?conversation_id=${conversation}`, body)

const addressOf = (message: Json) => `conversation_id=${message.conversation_id}&message_id=${message.id}`
const retrieve = (app: TestApp, message: Json) => app.call('GET', `${PATH}/retrieve?${addressOf(message)}`)
const modify = (app: TestApp, message: Json, body: unknown) => app.call('POST', `${PATH}/modify?${addressOf(message)}`, body)
const remove = (app: TestApp, message: Json) => app.call('POST', `${PATH}/delete?${addressOf(message)}`)
const feedbackOf = (message: Json) => `/v1/conversations/${message.conversation_id}/messages/${message.id}/feedback`

async function list(app: TestApp, conversation: string): Promise<Json[]> {
  return (await app.call('POST', `${PATH}/list?conversation_id=${conversation}`, { order: 'asc' })).body.data
}

/** A finished chat's answer. */
async function answer(app: TestApp): Promise<Json> {
  return (await app.call('POST', '/v3/chat', { bot_id: 123456, query: 'hi' })).body.message
}

function creates(app: TestApp): void {
  test('it is in the conversation, belongs to no chat, and the next chat sees it', async () => {
    const conversation_id = await newConversation(app)
    const { status, body } = await create(app, conversation_id, { ...HELLO, meta_data: { mood: 'good' } })

    expect(status).toBe(200)
    const expected = { conversation_id, chat_id: '0', role: 'user', type: 'question', content: 'hello', meta_data: { mood: 'good' } }
    expect(body.data).toEqual(anyMessage(expected))
    expect(await list(app, conversation_id)).toEqual([body.data])

    await app.call('POST', '/v3/chat', { bot_id: 123456, conversation_id, query: 'hi' })
    expect(app.provider.lastRequest.body.messages.slice(1)).toEqual([
      { role: 'user', content: 'hello' },
      { role: 'user', content: 'hi' },
    ])
  })

  test('one of the assistant is an answer', async () => {
    const { body } = await create(app, await newConversation(app), { role: 'assistant', content: 'Hello', content_type: 'text' })
    expect(body.data).toMatchObject({ role: 'assistant', type: 'answer', content: 'Hello' })
  })

  test('cozepy writes null for meta_data, the JavaScript SDK writes content as parts', async () => {
    const conversation = await newConversation(app)
    expect((await create(app, conversation, { ...HELLO, meta_data: null })).body.data.meta_data).toEqual({})

    const parts = [
      { type: 'text', text: 'look' },
      { type: 'image', file_url: 'https://example.com/a.png' },
    ]
    const { body } = await create(app, conversation, { role: 'user', content: parts, content_type: 'object_string' })
    expect(body.data).toMatchObject({ content_type: 'object_string', content: JSON.stringify(parts) })
  })

  test('in a conversation of the caller’s own name', async () => {
    await app.call('POST', '/v3/chat', { bot_id: 123456, conversation_id: 'order-7', query: 'hi' })
    const { body } = await create(app, 'order-7', HELLO)
    expect((await app.call('GET', `${PATH}/retrieve?conversation_id=order-7&message_id=${body.data.id}`)).body.data).toEqual(body.data)
  })

  test('after the conversation was cleared it belongs to the new section', async () => {
    const conversation = await newConversation(app)
    const before = (await create(app, conversation, HELLO)).body.data
    const { id: section_id } = (await app.call('POST', `/v1/conversations/${conversation}/clear`)).body.data
    const after = (await create(app, conversation, HELLO)).body.data
    expect([before.section_id === section_id, after.section_id === section_id]).toEqual([false, true])
  })
}

function changes(app: TestApp): void {
  test('it is read by its id, whatever its type', async () => {
    const message = await answer(app)
    expect((await retrieve(app, message)).body.data).toEqual(message)
    const [step = {}] = await addSteps(app, message, ['function_call'])
    expect((await retrieve(app, step)).body.data).toMatchObject({ type: 'function_call', chat_id: message.chat_id })
  })

  test('a change answers the message under `message` and `data`, and is there afterwards', async () => {
    const message = (await create(app, await newConversation(app), { ...HELLO, meta_data: { a: '1' } })).body.data
    const { status, body } = await modify(app, message, { content: 'hello again', content_type: 'text', meta_data: null })

    expect(status).toBe(200)
    expect(body.data).toEqual({ ...message, content: 'hello again', updated_at: SECONDS })
    expect(body.message).toEqual(body.data)
    expect((await retrieve(app, message)).body.data).toEqual(body.data)
  })

  test('meta data are replaced as a whole, and content stays', async () => {
    const message = (await create(app, await newConversation(app), { ...HELLO, meta_data: { a: '1', b: '2' } })).body.data
    const { body } = await modify(app, message, { content: null, content_type: null, meta_data: { c: '3' } })
    expect(body.data).toMatchObject({ content: 'hello', content_type: 'text', meta_data: { c: '3' } })
  })

  test('text becomes parts and parts become text', async () => {
    const message = (await create(app, await newConversation(app), HELLO)).body.data
    const parts = [{ type: 'text', text: 'look' }]
    expect((await modify(app, message, { content: parts })).body.data).toMatchObject({
      content: JSON.stringify(parts),
      content_type: 'object_string',
    })
    expect((await modify(app, message, { content: 'plain' })).body.data).toMatchObject({ content: 'plain', content_type: 'text' })
  })

  test('the next chat sees what an answer was changed to', async () => {
    const message = await answer(app)
    await modify(app, message, { content: 'I never said that' })
    await app.call('POST', '/v3/chat', { bot_id: 123456, conversation_id: message.conversation_id, query: 'what?' })
    expect(app.provider.lastRequest.body.messages.slice(1)).toEqual([
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: 'I never said that' },
      { role: 'user', content: 'what?' },
    ])
  })
}

function deletes(app: TestApp): void {
  test('it answers what was deleted; then it is gone from lists, from reads and for the bot', async () => {
    const conversation_id = await newConversation(app)
    const kept = (await create(app, conversation_id, { ...HELLO, content: 'kept' })).body.data
    const message = (await create(app, conversation_id, HELLO)).body.data

    expect((await remove(app, message)).body.data).toEqual(message)
    expect(await list(app, conversation_id)).toEqual([kept])
    expectRefusal(await retrieve(app, message), NO_MESSAGE)
    expectRefusal(await remove(app, message), NO_MESSAGE)
    expectRefusal(await modify(app, message, { content: 'x' }), NO_MESSAGE)

    await app.call('POST', '/v3/chat', { bot_id: 123456, conversation_id, query: 'hi' })
    expect(app.provider.lastRequest.body.messages.slice(1).map((each) => each.content)).toEqual(['kept', 'hi'])
  })

  test('an answer takes the steps of its chat along, and nothing else', async () => {
    const [message, other] = [await answer(app), await answer(app)]
    await addSteps(app, message, ['function_call', 'tool_response', 'follow_up', 'verbose'])
    await addSteps(app, other, ['function_call'])
    await app.call('POST', feedbackOf(message), { feedback_type: 'like' })

    await remove(app, message)
    expect(await listRunMessages(app.core.db, message.chat_id)).toEqual([])
    expect((await list(app, message.conversation_id)).map((each) => each.content)).toEqual(['hi'])
    expect((await listRunMessages(app.core.db, other.chat_id)).map((each) => each.type)).toContain('function_call')
    expect(await app.core.db.selectFrom('message_feedback').selectAll().where('message_id', '=', message.id).execute()).toEqual([])
  })

  test('a question leaves its answer and the steps', async () => {
    const message = await answer(app)
    await addSteps(app, message, ['function_call'])
    const [question] = await list(app, message.conversation_id)
    await remove(app, question)
    expect((await listRunMessages(app.core.db, message.chat_id)).map((each) => each.type)).toEqual(
      expect.arrayContaining(['answer', 'function_call']),
    )
  })
}

function takesFeedback(app: TestApp): void {
  test('the last one counts, and keeps the time of the first', async () => {
    const message = await answer(app)
    const first = await app.call('POST', feedbackOf(message), { feedback_type: 'like' })
    expect(first.body).toEqual({ code: 0, msg: '', data: {}, detail: expect.anything() })
    expect((await app.call('GET', feedbackOf(message))).body.data).toEqual({
      feedback_type: 'like',
      reason_types: [],
      comment: '',
      created_at: SECONDS,
      updated_at: SECONDS,
    })

    const second = { feedback_type: 'unlike', reason_types: ['不准确', 'slow'], comment: '价格是旧的 🚀' }
    await app.call('POST', feedbackOf(message), second)
    expect((await app.call('GET', feedbackOf(message))).body.data).toEqual({ ...second, created_at: SECONDS, updated_at: SECONDS })
  })

  test('it can be taken back, twice too, and then there is none', async () => {
    const message = await answer(app)
    await app.call('POST', feedbackOf(message), { feedback_type: 'unlike', reason_types: null, comment: null })
    for (let time = 0; time < 2; time++) expect((await app.call('DELETE', feedbackOf(message))).status).toBe(200)
    expectRefusal(await app.call('GET', feedbackOf(message)), { status: 404, message: 'there is no feedback for this message' })
  })
}

function refusesMessages(app: TestApp): void {
  test.each([
    ['no role', { content: 'a', content_type: 'text' }, 'role is required'],
    ['a role that is none', { ...HELLO, role: 'system' }, 'role: must be user or assistant'],
    ['no content', { role: 'user', content_type: 'text' }, 'content of a message must not be empty'],
    ['empty content', { ...HELLO, content: '' }, 'content of a message must not be empty'],
    ['a number as content', { ...HELLO, content: 7 }, 'content: must be a string'],
    ['a content type that is none', { ...HELLO, content_type: 'html' }, /^content_type: must be text or object_string/],
    ['parts that are none', { ...HELLO, content: '{', content_type: 'object_string' }, /^content: object_string must be a JSON array/],
    ['meta data that are too long', { ...HELLO, meta_data: { a: 'x'.repeat(513) } }, /^meta_data.*: must be an object of at most 16 texts/],
    ['an array', [HELLO], 'the body must be a JSON object'],
  ])('%s', async (_, body, message) => {
    expectRefusal(await create(app, await newConversation(app), body), { status: 422, message })
  })

  test('no conversation, or none of that name', async () => {
    expectRefusal(await app.call('POST', `${PATH}/create`, HELLO), { status: 422, message: 'conversation id is required' })
    expectRefusal(await create(app, '1', HELLO), NO_CONVERSATION)
    expectRefusal(await create(app, 'nowhere', HELLO), NO_CONVERSATION)
  })

  test.each(['retrieve', 'modify', 'delete'])('%s without its ids, or with ids that are none', async (action) => {
    const method = action === 'retrieve' ? 'GET' : 'POST'
    const call = (query: string) => app.call(method, `${PATH}/${action}?${query}`, method === 'POST' ? { content: 'a' } : undefined)
    const conversation = await newConversation(app)
    expectRefusal(await call(''), { status: 422, message: 'conversation id is required' })
    expectRefusal(await call(`conversation_id=${conversation}&message_id=`), { status: 422, message: 'message id is required' })
    expectRefusal(await call(`conversation_id=${conversation}&message_id=x`), { status: 422, message: /^message_id: must be a positive/ })
    expectRefusal(await call(`conversation_id=${conversation}&message_id=9223372036854775807`), NO_MESSAGE)
    expectRefusal(await call(`conversation_id=1&message_id=1`), NO_CONVERSATION)
  })

  test('a message under the id of another conversation does not exist', async () => {
    const message = (await create(app, await newConversation(app), HELLO)).body.data
    const elsewhere = { ...message, conversation_id: await newConversation(app) }
    expectRefusal(await retrieve(app, elsewhere), NO_MESSAGE)
    expectRefusal(await modify(app, elsewhere, { content: 'x' }), NO_MESSAGE)
    expectRefusal(await remove(app, elsewhere), NO_MESSAGE)
    expect((await retrieve(app, message)).body.data).toEqual(message)
  })

  test('a change of nothing', async () => {
    const message = (await create(app, await newConversation(app), HELLO)).body.data
    for (const body of [{}, { content: null, meta_data: null }, { content: '', meta_data: {} }, { content_type: 'text' }]) {
      expectRefusal(await modify(app, message, body), { status: 422, message: 'content or meta_data is required' })
    }
  })

  test('a step of a chat is neither changed nor deleted', async () => {
    const message = await answer(app)
    const [step = {}] = await addSteps(app, message, ['tool_response'])
    const refusal = { status: 422, message: 'only questions and answers can be changed or deleted: this message is a tool_response' }
    expectRefusal(await modify(app, step, { content: 'x' }), refusal)
    expectRefusal(await remove(app, step), refusal)
  })
}

function refusesFeedback(app: TestApp): void {
  test.each([
    ['no type', {}, 'feedback type is required'],
    ['a type that is none', { feedback_type: 'love' }, 'feedback_type: must be like or unlike'],
    ['a reason that is no text', { feedback_type: 'like', reason_types: [1] }, /^reason_types.0: must be at most 20 texts/],
    ['too many reasons', { feedback_type: 'like', reason_types: Array(21).fill('a') }, /^reason_types: must be at most 20 texts/],
    ['too long a comment', { feedback_type: 'like', comment: 'x'.repeat(10_001) }, /^comment: must be a string of at most 10000/],
  ])('%s', async (_, body, message) => {
    expectRefusal(await app.call('POST', feedbackOf(await answer(app)), body), { status: 422, message })
  })

  test('on a question, and on a message that is not there', async () => {
    const message = (await create(app, await newConversation(app), HELLO)).body.data
    const like = { feedback_type: 'like' }
    const refusal = { status: 422, message: 'feedback is for answers: this message is a question' }
    expectRefusal(await app.call('POST', feedbackOf(message), like), refusal)
    for (const method of ['POST', 'GET', 'DELETE'])
      expectRefusal(await app.call(method, feedbackOf({ ...message, id: '1' }), method === 'POST' ? like : undefined), NO_MESSAGE)
  })
}

function refusesLiveMessages(app: TestApp): void {
  test('its question is neither changed nor deleted; afterwards it is', async () => {
    app.provider.script = answers([hang()])
    const question = { role: 'user', content: 'slow', content_type: 'text' }
    const { data: chat } = (await app.call('POST', '/v3/chat', { bot_id: '123456', user_id: 'u', additional_messages: [question] })).body
    const [message] = await list(app, chat.conversation_id)

    const busy = { status: 409, code: 4016, message: /^the chat of this message is still running/ }
    expectRefusal(await modify(app, message, { content: 'quick' }), busy)
    expectRefusal(await remove(app, message), busy)
    // messages of nobody's chat are not part of it
    const other = (await create(app, chat.conversation_id, HELLO)).body.data
    expect((await remove(app, other)).status).toBe(200)

    await app.call('POST', '/v3/chat/cancel', { conversation_id: chat.conversation_id, chat_id: chat.id })
    expect((await remove(app, message)).status).toBe(200)
  })
}

function hidesFromOthers(app: TestApp): void {
  test('another user’s key finds neither the conversation nor its messages nor their feedback', async () => {
    const message = await answer(app)
    const { apiKey } = await app.makeUser()
    const own = (await app.call('POST', '/v1/conversation/create', {}, { apiKey })).body.data.id

    for (const [conversation, refusal] of [
      [message.conversation_id, NO_CONVERSATION],
      [own, NO_MESSAGE],
    ] as const) {
      const address = `conversation_id=${conversation}&message_id=${message.id}`
      expectRefusal(await app.call('GET', `${PATH}/retrieve?${address}`, undefined, { apiKey }), refusal)
      expectRefusal(await app.call('POST', `${PATH}/modify?${address}`, { content: 'x' }, { apiKey }), refusal)
      expectRefusal(await app.call('POST', `${PATH}/delete?${address}`, undefined, { apiKey }), refusal)
      const feedback = feedbackOf({ ...message, conversation_id: conversation })
      expectRefusal(await app.call('POST', feedback, { feedback_type: 'like' }, { apiKey }), refusal)
      expectRefusal(await app.call('GET', feedback, undefined, { apiKey }), refusal)
      expectRefusal(await app.call('DELETE', feedback, undefined, { apiKey }), refusal)
    }
    expectRefusal(await app.call('POST', `${PATH}/create?conversation_id=${message.conversation_id}`, HELLO, { apiKey }), NO_CONVERSATION)
    expect((await retrieve(app, message)).body.data).toEqual(message)
  })
}

/** As if the chat of this answer had used tools. */
async function addSteps(app: TestApp, message: Json, types: MessageType[]): Promise<Json[]> {
  const { conversation_id: conversationId, section_id: sectionId, chat_id: runId, bot_id: botId } = message
  const steps = types.map((type) => ({
    ...{ id: app.core.nextId(), conversationId, sectionId, runId, botId, type },
    ...({ role: 'assistant', content: '{}', contentType: 'text', reasoning: '', metaData: {}, createdAt: 1, updatedAt: 1 } as const),
  }))
  for (const step of steps) await insertMessage(app.core.db, step)
  return steps.map(({ id }) => ({ id, conversation_id: conversationId }))
}
