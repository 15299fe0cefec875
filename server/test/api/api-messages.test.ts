import { describe, expect, test } from 'vitest'
import { anyMessage } from '../support/chat-shapes.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { useTestApp } from '../support/test-app.ts'
import type { Json, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

describe.each(testDatabases())('the messages of a conversation on $name', ({ name }) => {
  const app = useTestApp({ database: name })
  const list = (conversationId: string, body?: object) =>
    app.call('POST', `/v1/conversation/message/list?conversation_id=${conversationId}`, body)
  const contents = async (conversationId: string, body?: object): Promise<string[]> =>
    (await list(conversationId, body)).body.data.map((message: Json) => message.content)

  describe('works', () => {
    test('has whole messages and where the page begins and ends', async () => {
      const chat = (await app.call('POST', '/v3/chat', { bot_id: 123456, query: 'hi' })).body
      const { body, headers } = await list(chat.conversation_id, {
        order: 'asc',
        chat_id: null,
        before_id: null,
        after_id: null,
        limit: 50,
      })
      const place = { conversation_id: chat.conversation_id, section_id: chat.data.section_id, chat_id: chat.data.id }
      expect(body).toEqual({
        code: 0,
        msg: '',
        data: [anyMessage({ ...place, role: 'user', type: 'question', content: 'hi' }), chat.message],
        first_id: body.data[0].id,
        last_id: chat.message.id,
        has_more: false,
        detail: { logid: headers.get('x-tt-logid') },
      })
      expect(chat.message).toEqual(anyMessage(place))
    })

    test('an empty conversation has an empty list that begins and ends at "0"', async () => {
      const { id } = (await app.call('POST', '/v1/conversation/create', {})).body.data
      expect((await list(id)).body).toMatchObject({ data: [], first_id: '0', last_id: '0', has_more: false })
    })

    test('newest first unless asked for otherwise, in capitals or not', async () => {
      const id = await filled(app, ['a', 'b', 'c'])
      expect(await contents(id)).toEqual(['c', 'b', 'a'])
      expect(await contents(id, {})).toEqual(['c', 'b', 'a'])
      expect(await contents(id, { order: 'DESC' })).toEqual(['c', 'b', 'a'])
      expect(await contents(id, { order: 'asc' })).toEqual(['a', 'b', 'c'])
    })

    test.each(['asc', 'desc'])('page by page with after_id, %s: everything once and in order', async (order) => {
      const texts = Array.from({ length: 7 }, (_, i) => `m${i}`)
      const id = await filled(app, texts)
      const seen: string[] = []
      let after_id: string | undefined
      for (let page = 1; ; page++) {
        const { body } = await list(id, { order, limit: 3, after_id })
        seen.push(...body.data.map((message: Json) => message.content))
        expect(body.first_id).toBe(body.data[0].id)
        after_id = body.last_id
        expect(body.has_more).toBe(page < 3)
        if (!body.has_more) break
      }
      expect(seen).toEqual(order === 'asc' ? texts : texts.toReversed())
    })

    test('a page that is full and the last one says that nothing follows', async () => {
      const id = await filled(app, ['a', 'b', 'c'])
      expect((await list(id, { limit: 3 })).body).toMatchObject({ data: [{}, {}, {}], has_more: false })
      expect((await list(id, { limit: 2 })).body).toMatchObject({ data: [{}, {}], has_more: true })
    })

    test('before_id gives the page that stands before it in the list', async () => {
      const id = await filled(app, ['a', 'b', 'c', 'd', 'e'])
      const ids = (await list(id, { order: 'asc' })).body.data.map((message: Json) => message.id)
      expect(await contents(id, { order: 'asc', before_id: ids[4], limit: 2 })).toEqual(['c', 'd'])
      expect(await contents(id, { order: 'desc', before_id: ids[0], limit: 2 })).toEqual(['c', 'b'])
      expect(await contents(id, { order: 'asc', before_id: ids[0] })).toEqual([])
      expect(await contents(id, { order: 'asc', after_id: ids[4] })).toEqual([])
    })

    test('chat_id narrows it down to one chat', async () => {
      const first = (await app.call('POST', '/v3/chat', { bot_id: 123456, query: 'one' })).body
      await app.call('POST', '/v3/chat', { bot_id: 123456, query: 'two', conversation_id: first.conversation_id })
      expect(await contents(first.conversation_id, { order: 'asc', chat_id: first.data.id })).toEqual(['one', 'Hello there'])
      expect(await contents(first.conversation_id, { chat_id: '1' })).toEqual([])
    })

    test('content comes back as it was sent, whatever is in it', async () => {
      const texts = ['😀'.repeat(300), "'; drop table message; --", '\u0000\u2028\\"', '<script>', ' ', '\ud800 lone']
      const id = await filled(app, texts)
      expect(await contents(id, { order: 'asc' })).toEqual(texts.map((text) => text.toWellFormed()))
    })

    test('a picture comes back as object_string', async () => {
      const content = JSON.stringify([{ type: 'image', file_url: 'https://example.com/a.png' }])
      const messages = [{ role: 'user', content, content_type: 'object_string' }]
      const { id } = (await app.call('POST', '/v1/conversation/create', { messages })).body.data
      expect((await list(id)).body.data).toMatchObject([{ content, content_type: 'object_string' }])
    })

    test('an id of the caller’s own choice does too', async () => {
      await app.call('POST', '/v3/chat', { bot_id: 123456, query: 'hi', conversation_id: 'conv_1' })
      expect(await contents('conv_1', { order: 'asc' })).toEqual(['hi', 'Hello there'])
    })
  })

  describe('refuses bad input', () => {
    test.each<[object, string | RegExp]>([
      [{ order: 'up' }, 'order: must be asc or desc'],
      [{ order: 1 }, 'order: must be a string'],
      [{ limit: 0 }, 'limit: must be a number from 1 to 50'],
      [{ limit: 51 }, 'limit: must be a number from 1 to 50'],
      [{ limit: 1.5 }, 'limit: must be a number from 1 to 50'],
      [{ limit: '10' }, 'limit: must be a number from 1 to 50'],
      [{ after_id: 'x' }, /^after_id: must be a positive whole number/],
      [{ before_id: -1 }, /^before_id: must be a positive whole number/],
      [{ chat_id: {} }, /^chat_id: must be a positive whole number/],
    ])('%j', async (body, message) => {
      expectRefusal(await list('1', body), { status: 422, message })
    })

    test('no conversation, or one that is not there', async () => {
      expectRefusal(await app.call('POST', '/v1/conversation/message/list', {}), { status: 422, message: 'conversation id is required' })
      expectRefusal(await list(''), { status: 422, message: 'conversation id is required' })
      expectRefusal(await list('1'), { status: 404, message: 'conversation not found' })
    })
  })

  describe('refuses the wrong key', () => {
    test('another user’s messages do not exist', async () => {
      const id = await filled(app, ['a'])
      const { apiKey } = await app.makeUser()
      const reply = await app.call('POST', `/v1/conversation/message/list?conversation_id=${id}`, {}, { apiKey })
      expectRefusal(reply, { status: 404, message: 'conversation not found' })
    })
  })

  keepsItsSecrets(app)
})

/** A conversation with these messages. */
async function filled(app: TestApp, texts: string[]): Promise<string> {
  const messages = texts.map((content) => ({ role: 'user', content, content_type: 'text' }))
  return (await app.call('POST', '/v1/conversation/create', { messages })).body.data.id
}
