import { describe, expect, test } from 'vitest'
import { answers, wait } from '../support/fake-provider.ts'
import { ID, SECONDS } from '../support/chat-shapes.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { useTestApp } from '../support/test-app.ts'
import type { Json, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

const MISSING = { status: 404, message: 'conversation not found' }

describe.each(testDatabases())('conversations on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  describe('works', () => {
    describe('create', () => creates(app))
    describe('read, rename, clear, delete', () => changes(app))
    describe('list', () => lists(app))
  })
  describe('refuses bad input', () => refuses(app))
  describe('refuses the wrong key', () => {
    test('another user’s conversation does not exist, whatever is done with it', async () => {
      const conversation = await create(app, { bot_id: 123456 })
      const { apiKey } = await app.makeUser()
      for (const [method, path, body] of [
        ['GET', `/v1/conversations/${conversation.id}`],
        ['GET', `/v1/conversation/retrieve?conversation_id=${conversation.id}`],
        ['PUT', `/v1/conversations/${conversation.id}`, { name: 'mine now' }],
        ['POST', `/v1/conversations/${conversation.id}/clear`],
        ['DELETE', `/v1/conversations/${conversation.id}`],
      ] as const) {
        expectRefusal(await app.call(method, path, body, { apiKey }), MISSING)
      }
      expect(await read(app, conversation.id)).toEqual(conversation)
    })

    test('another’s bot has no conversations for a stranger, and none can be made', async () => {
      const { apiKey } = await app.makeUser()
      await create(app, { bot_id: 123456 })
      expectRefusal(await app.call('POST', '/v1/conversation/create', { bot_id: 123456 }, { apiKey }), {
        status: 404,
        message: 'bot not found',
      })
      const list = await app.call('GET', '/v1/conversations?bot_id=123456', undefined, { apiKey })
      expect(list.body.data.conversations).toEqual([])
    })
  })

  keepsItsSecrets(app)
})

async function create(app: TestApp, body: object, apiKey = app.apiKey): Promise<Json> {
  return (await app.call('POST', '/v1/conversation/create', body, { apiKey })).body.data
}

const read = async (app: TestApp, id: string): Promise<Json> => (await app.call('GET', `/v1/conversations/${id}`)).body.data

function creates(app: TestApp): void {
  test('has every field the SDKs read, and the guide’s id beside it', async () => {
    const { status, body, headers } = await app.call('POST', '/v1/conversation/create', { bot_id: 123456, user_id: 'user_001' })
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        code: 0,
        msg: '',
        data: {
          id: ID,
          name: '',
          bot_id: '123456',
          user_id: 'user_001',
          creator_id: app.userId,
          connector_id: '1024',
          last_section_id: ID,
          meta_data: {},
          created_at: SECONDS,
          updated_at: SECONDS,
        },
        detail: { logid: headers.get('x-tt-logid') },
        id: body.data.id,
        conversation_id: body.data.id,
      },
    })
  })

  test('takes a body, none, and one full of nulls', async () => {
    const nothing = { bot_id: null, user_id: null, messages: null, meta_data: null, connector_id: null, name: null }
    for (const body of [undefined, {}, nothing, { bot_id: '' }]) {
      expect((await create(app, body as object)).bot_id).toBe('0')
    }
    expect(await create(app, { bot_id: '123456', name: '你好', meta_data: { a: 'b' }, connector_id: '999' })).toMatchObject({
      name: '你好',
      meta_data: { a: 'b' },
      connector_id: '999',
    })
  })

  test('its messages are there for the first chat', async () => {
    const messages = [
      { role: 'user', content: 'I am Ada', content_type: 'text', meta_data: null },
      { role: 'assistant', content: 'Hello Ada', content_type: 'text' },
    ]
    const { id } = await create(app, { bot_id: 123456, messages })
    await app.call('POST', '/v3/chat', { bot_id: 123456, query: 'who am I?', conversation_id: id })
    expect(app.provider.lastRequest.body.messages.slice(1)).toEqual([
      { role: 'user', content: 'I am Ada' },
      { role: 'assistant', content: 'Hello Ada' },
      { role: 'user', content: 'who am I?' },
    ])
  })
}

function changes(app: TestApp): void {
  test('both ways to read give what was created', async () => {
    const created = await create(app, { bot_id: 123456 })
    expect(await read(app, created.id)).toEqual(created)
    expect((await app.call('GET', `/v1/conversation/retrieve?conversation_id=${created.id}`)).body.data).toEqual(created)
  })

  test('a name is changed, an empty one changes nothing', async () => {
    const { id } = await create(app, { name: 'old' })
    for (const [name, expected] of [
      ['new 名', 'new 名'],
      ['', 'new 名'],
      [null, 'new 名'],
    ]) {
      expect((await app.call('PUT', `/v1/conversations/${id}`, { name })).body.data.name).toBe(expected)
    }
    expect((await read(app, id)).name).toBe('new 名')
  })

  test('clear begins a new section; the messages stay', async () => {
    const { conversation_id: id } = (await app.call('POST', '/v3/chat', { bot_id: 123456, query: 'hi' })).body
    const before = await read(app, id)
    for (const headers of [{}, { 'content-type': 'application/json' }] as Record<string, string>[]) {
      const { body } = await app.call('POST', `/v1/conversations/${id}/clear`, undefined, { headers })
      expect(body.data).toEqual({ id: ID, conversation_id: id })
      expect((await read(app, id)).last_section_id).toBe(body.data.id)
      expect(body.data.id).not.toBe(before.last_section_id)
    }
    const { body } = await app.call('POST', `/v1/conversation/message/list?conversation_id=${id}`, {})
    expect(body.data.map((message: Json) => message.section_id)).toEqual([before.last_section_id, before.last_section_id])
  })

  test('clear with a null body, as the JavaScript SDK sends it', async () => {
    const { id } = await create(app, {})
    expect((await app.call('POST', `/v1/conversations/${id}/clear`, 'null')).status).toBe(200)
  })

  test('clearing while a chat runs does not take its answer away', async () => {
    app.provider.script = answers(['one ', wait(150), 'two'])
    const running = app.call('POST', '/v3/chat', { bot_id: 123456, query: 'hi', conversation_id: 'clear-me' })
    await app.provider.untilRequests(1)
    expect((await app.call('POST', '/v1/conversations/clear-me/clear')).status).toBe(200)
    expect((await running).body.message.content).toBe('one two')
    await app.call('POST', '/v3/chat', { bot_id: 123456, query: 'again', conversation_id: 'clear-me' })
    expect(app.provider.lastRequest.body.messages.length).toBe(2)
  })

  test('a deleted one is gone everywhere', async () => {
    const { id } = await create(app, { bot_id: 123456, user_id: 'gone' })
    const { status, body } = await app.call('DELETE', `/v1/conversations/${id}`, undefined, {
      headers: { 'content-type': 'application/json' },
    })
    expect({ status, code: body.code, msg: body.msg }).toEqual({ status: 200, code: 0, msg: '' })
    for (const [method, path] of [
      ['GET', `/v1/conversations/${id}`],
      ['DELETE', `/v1/conversations/${id}`],
      ['POST', `/v1/conversations/${id}/clear`],
      ['POST', `/v1/conversation/message/list?conversation_id=${id}`],
    ] as const) {
      expectRefusal(await app.call(method, path), MISSING)
    }
    expect((await app.call('GET', '/v1/conversations?bot_id=123456&user_id=gone')).body.data.conversations).toEqual([])
  })

  test('deleting while a chat runs: the chat comes to its end, and the conversation stays deleted', async () => {
    app.provider.script = answers(['one ', wait(150), 'two'])
    const running = app.call('POST', '/v3/chat', { bot_id: 123456, query: 'hi', conversation_id: 'delete-me' })
    await app.provider.untilRequests(1)
    expect((await app.call('DELETE', '/v1/conversations/delete-me')).status).toBe(200)
    expect((await running).body.message.content).toBe('one two')
    expectRefusal(await app.call('GET', '/v1/conversations/delete-me'), MISSING)
  })
}

function lists(app: TestApp): void {
  const list = async (query: string): Promise<{ ids: string[]; has_more: boolean }> => {
    const { data } = (await app.call('GET', `/v1/conversations?${query}`)).body
    return { ids: data.conversations.map((each: Json) => each.id), has_more: data.has_more }
  }

  test('pages are whole, in order, without a gap, newest first or oldest first', async () => {
    const bot = await app.makeBot(app.userId)
    const ids: string[] = []
    for (let time = 0; time < 5; time++) ids.push((await create(app, { bot_id: bot })).id)
    const newest = ids.toReversed()

    expect(await list(`bot_id=${bot}`)).toEqual({ ids: newest, has_more: false })
    expect(await list(`bot_id=${bot}&sort_order=ASC`)).toEqual({ ids, has_more: false })
    expect(await list(`bot_id=${bot}&page_size=2`)).toEqual({ ids: newest.slice(0, 2), has_more: true })
    expect(await list(`bot_id=${bot}&page_size=2&page_num=2&sort_order=desc`)).toEqual({ ids: newest.slice(2, 4), has_more: true })
    expect(await list(`bot_id=${bot}&page_size=2&page_num=3`)).toEqual({ ids: newest.slice(4), has_more: false })
    expect(await list(`bot_id=${bot}&page_size=5`)).toEqual({ ids: newest, has_more: false })
    expect(await list(`bot_id=${bot}&page_num=9`)).toEqual({ ids: [], has_more: false })
  })

  test('has the guide’s flat keys beside its data', async () => {
    const { body } = await app.call('GET', '/v1/conversations?bot_id=123456&page_num=&page_size=&user_id=&sort_order=')
    expect(Object.keys(body).sort()).toEqual(['code', 'conversations', 'data', 'detail', 'has_more', 'msg'])
    expect({ conversations: body.conversations, has_more: body.has_more }).toEqual(body.data)
  })

  test('a bot without conversations has an empty list, not null', async () => {
    const bot = await app.makeBot(app.userId)
    expect(await list(`bot_id=${bot}`)).toEqual({ ids: [], has_more: false })
  })

  test('user_id and connector_id narrow it down', async () => {
    const bot = await app.makeBot(app.userId)
    const ada = await create(app, { bot_id: bot, user_id: 'ada' })
    const bob = await create(app, { bot_id: bot, user_id: 'bob', connector_id: '999' })
    expect((await list(`bot_id=${bot}&user_id=ada`)).ids).toEqual([ada.id])
    expect((await list(`bot_id=${bot}&connector_id=999`)).ids).toEqual([bob.id])
    expect((await list(`bot_id=${bot}&connector_id=1024&user_id=bob`)).ids).toEqual([])
  })
}

function refuses(app: TestApp): void {
  test.each<[string, object, string | RegExp]>([
    ['a bot id that is none', { bot_id: 'x' }, /^bot_id: must be a positive whole number/],
    ['a name that is no text', { name: 1 }, 'name: must be a string'],
    ['a long name', { name: 'x'.repeat(101) }, 'name: must have at most 100 characters'],
    ['meta_data that is no map', { meta_data: 'x' }, /^meta_data: must be an object/],
    ['messages that are none', { messages: 'x' }, 'messages: must be a list'],
    ['too many messages', { messages: Array.from({ length: 101 }, () => ({ content: 'x' })) }, 'messages: must have at most 100 messages'],
    ['a message without content', { messages: [{ role: 'user' }] }, 'content of a message must not be empty'],
    ['an unknown role', { messages: [{ role: 'system', content: 'x' }] }, 'messages.0.role: must be user or assistant'],
  ])('create with %s', async (_, body, message) => {
    expectRefusal(await app.call('POST', '/v1/conversation/create', body), { status: 422, message })
  })

  test.each([
    ['', 'bot id is required'],
    ['bot_id=0', /^bot_id: must be a positive whole number/],
    ['bot_id=1&page_num=0', 'page_num: must be a page number from 1'],
    ['bot_id=1&page_num=1.5', 'page_num: must be a page number from 1'],
    ['bot_id=1&page_num=x', /^page_num: must be a page number from 1/],
    ['bot_id=1&page_num=1e9', /^page_num: must be a page number from 1/],
    ['bot_id=1&page_size=51', 'page_size: must be a number from 1 to 50'],
    ['bot_id=1&page_size=-1', 'page_size: must be a number from 1 to 50'],
    ['bot_id=1&sort_order=up', 'sort_order: must be ASC or DESC'],
    ['bot_id=1&bot_id=2', /^bot_id: must be a positive whole number/],
  ])('list with "%s"', async (query, message) => {
    expectRefusal(await app.call('GET', `/v1/conversations?${query}`), { status: 422, message })
  })

  test('an id that is none, and one that nobody has', async () => {
    expectRefusal(await app.call('GET', '/v1/conversations/a%2Fb'), { status: 422, message: /^conversation_id: must be a conversation id/ })
    expectRefusal(await app.call('GET', '/v1/conversation/retrieve'), { status: 422, message: 'conversation id is required' })
    expectRefusal(await app.call('GET', '/v1/conversations/9223372036854775807'), MISSING)
    expectRefusal(await app.call('GET', '/v1/conversations/nobody'), MISSING)
    expectRefusal(await app.call('PUT', '/v1/conversations/1', { name: 'x' }), MISSING)
  })
}
