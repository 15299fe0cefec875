import { describe, expect, test } from 'vitest'
import { answers, hang, says, wait } from '../support/fake-provider.ts'
import { anyChat, anyFailedChat, anyLiveChat, anyMessage } from '../support/chat-shapes.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { openStream, readStream } from '../support/live-stream.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { deltaText, frameOf } from '../support/sse-frames.ts'
import { useTestApp } from '../support/test-app.ts'
import type { Json, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

/** As cozepy writes it: every field it knows, null where there is nothing. */
const QUESTION = {
  role: 'user',
  type: 'question',
  content: 'hi',
  content_type: 'text',
  meta_data: null,
  id: null,
  conversation_id: null,
  section_id: null,
  bot_id: null,
  chat_id: null,
  created_at: null,
  updated_at: null,
  reasoning_content: null,
}
const BODY = { bot_id: '123456', user_id: 'user', additional_messages: [QUESTION], stream: false, auto_save_history: true }
const STREAM = { ...BODY, stream: true }

describe.each(testDatabases())('a chat as the Coze SDKs write it, on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  describe('works', () => {
    describe('a chat without a stream', () => startsAtOnce(app))
    describe('reading a chat', () => reads(app))
    describe('a stream', () => streams(app))
    describe('fields', () => takesWhatSdksSend(app))
  })

  describe('refuses bad input', () => {
    test('no messages in a new conversation', async () => {
      for (const additional_messages of [[], null, undefined]) {
        expectRefusal(await app.call('POST', '/v3/chat', { ...BODY, additional_messages }), {
          status: 422,
          message: 'additional_messages is required: send at least one message',
        })
      }
    })

    test.each(['/v3/chat/retrieve', '/v3/chat/message/list'])('%s without its ids, or with ids that are none', async (path) => {
      const get = (query: string) => app.call('GET', `${path}?${query}`)
      expectRefusal(await get(''), { status: 422, message: 'conversation id is required' })
      expectRefusal(await get('conversation_id=1&chat_id='), { status: 422, message: 'chat id is required' })
      expectRefusal(await get('conversation_id=1&chat_id=x'), { status: 422, message: /^chat_id: must be a positive whole number/ })
      expectRefusal(await get('conversation_id=a%20b&chat_id=1'), { status: 422, message: /^conversation_id: must be a conversation id/ })
      expectRefusal(await get('conversation_id=1&conversation_id=2&chat_id=1'), { status: 422, message: /^conversation_id: / })
      expectRefusal(await get('conversation_id=1&chat_id=9223372036854775807'), { status: 404, message: 'chat not found' })
    })

    test('a chat under the id of another conversation does not exist', async () => {
      const one = await finished(app, BODY)
      const other = await finished(app, BODY)
      const reply = await app.call('GET', `/v3/chat/retrieve?conversation_id=${other.conversation_id}&chat_id=${one.id}`)
      expectRefusal(reply, { status: 404, message: 'chat not found' })
    })

    test('event_ids that is neither true nor false', async () => {
      expectRefusal(await app.call('POST', '/v3/chat?event_ids=yes', STREAM), { status: 422, message: 'event_ids: must be true or false' })
    })
  })

  describe('refuses the wrong key', () => {
    test('another user finds neither the chat nor its messages, and cannot cancel it', async () => {
      const chat = await finished(app, BODY)
      const { apiKey } = await app.makeUser()
      const missing = { status: 404, message: 'chat not found' }
      for (const [method, path] of READS) {
        expectRefusal(await app.call(method, `${path}?${addressOf(chat)}`, undefined, { apiKey }), missing)
      }
      const address = { conversation_id: chat.conversation_id, chat_id: chat.id }
      expectRefusal(await app.call('POST', '/v3/chat/cancel', address, { apiKey }), missing)
    })
  })

  keepsItsSecrets(app)
})

const READS = [
  ['GET', '/v3/chat/retrieve'],
  ['POST', '/v3/chat/retrieve'],
  ['GET', '/v3/chat/message/list'],
] as const

const addressOf = (chat: Json) => `conversation_id=${chat.conversation_id}&chat_id=${chat.id}`
const retrieve = (app: TestApp, chat: Json) => app.call('POST', `/v3/chat/retrieve?${addressOf(chat)}`)

/** Starts a chat and polls until it is over, as `create_and_poll` does. */
async function finished(app: TestApp, body: object, path = '/v3/chat'): Promise<Json> {
  const { data } = (await app.call('POST', path, body)).body
  await expect.poll(async () => (await retrieve(app, data)).body.data.status).not.toBe('in_progress')
  return (await retrieve(app, data)).body.data
}

function startsAtOnce(app: TestApp): void {
  test('answers at once with the chat in progress, and not with the guide’s keys', async () => {
    app.provider.script = answers([hang()])
    const { status, body, headers } = await app.call('POST', '/v3/chat', BODY)
    expect({ status, body }).toEqual({
      status: 200,
      body: { code: 0, msg: '', data: anyLiveChat(), detail: { logid: headers.get('x-tt-logid') } },
    })
    expect((await retrieve(app, body.data)).body.data).toEqual(anyLiveChat({ id: body.data.id }))
    await app.call('POST', '/v3/chat/cancel', { conversation_id: body.data.conversation_id, chat_id: body.data.id })
  })

  test('is completed when it is polled later, with its usage, and its answer is in the list of its messages', async () => {
    const chat = await finished(app, BODY)
    expect(chat).toEqual(anyChat({ usage: { token_count: 4, input_count: 2, output_count: 2 } }))

    const { body } = await app.call('GET', `/v3/chat/message/list?${addressOf(chat)}`)
    const { conversation_id, section_id, id: chat_id } = chat
    expect(body.data).toEqual([anyMessage({ conversation_id, section_id, chat_id })])
    expect(Object.keys(body).sort()).toEqual(['code', 'data', 'detail', 'msg'])
  })

  test('a list of a chat that has no answer yet is empty, and never null', async () => {
    app.provider.script = answers([hang()])
    const { data } = (await app.call('POST', '/v3/chat', BODY)).body
    expect((await app.call('GET', `/v3/chat/message/list?${addressOf(data)}`)).body.data).toEqual([])
    await app.call('POST', '/v3/chat/cancel', { conversation_id: data.conversation_id, chat_id: data.id })
  })

  test('a chat that failed says why', async () => {
    app.provider.script = answers([{ do: 'raw', bytes: 'nonsense' }, { do: 'stop' }])
    const chat = await finished(app, BODY)
    const last_error = { code: 5000, msg: expect.stringMatching(/^the model provider sent something/) }
    expect(chat).toEqual(anyFailedChat({ last_error }))
  })
}

function reads(app: TestApp): void {
  const EMPTY_BODIES: [string, { body?: string; headers?: Record<string, string> }][] = [
    ['no body', {}],
    ['no body, content type JSON', { headers: { 'content-type': 'application/json' } }],
    ['no body, content type form', { headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
    ['an empty body, content type JSON', { body: '', headers: { 'content-type': 'application/json' } }],
    ['an empty body, content type form', { body: '', headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
    ['an empty body', { body: '' }],
    ['an empty object', { body: '{}', headers: { 'content-type': 'application/json' } }],
  ]

  test.each(EMPTY_BODIES)('POST retrieve with %s', async (_, init) => {
    const chat = await finished(app, BODY)
    const headers = { authorization: `Bearer ${app.apiKey}`, ...init.headers }
    const response = await fetch(`${app.url}/v3/chat/retrieve?${addressOf(chat)}`, { ...init, method: 'POST', headers })
    expect(await response.json()).toMatchObject({ code: 0, data: chat })
  })

  test('GET and POST retrieve answer the same', async () => {
    const chat = await finished(app, BODY)
    expect((await app.call('GET', `/v3/chat/retrieve?${addressOf(chat)}`)).body.data).toEqual(chat)
  })

  test('a GET with a content type and no body is fine', async () => {
    const chat = await finished(app, BODY)
    const headers = { 'content-type': 'application/json' }
    expect((await app.call('GET', `/v3/chat/message/list?${addressOf(chat)}`, undefined, { headers })).status).toBe(200)
  })
}

function streams(app: TestApp): void {
  test('has exactly these bytes', async () => {
    app.provider.script = says('Hel', 'lo\n')
    await using stream = await openStream(app, STREAM, { path: '/v3/chat?conversation_id=' })
    const frames = await stream.ended
    expect(stream.text).toBe(expectedBytes(frames.map((frame) => frame.data)))
    expect(stream.text).not.toMatch(/^(id|retry|:)/m)
  })

  test('each event is its event line, its data line and a blank one, also when it comes piece by piece', async () => {
    app.provider.script = answers(['a', wait(30), 'b', wait(30), 'c'])
    await using stream = await openStream(app, STREAM)
    const frames = await stream.ended
    for (const { lines } of frames) expect(lines).toEqual([expect.stringMatching(/^event: [a-z._]+$/), expect.stringMatching(/^data: ./)])
    expect(deltaText(frames)).toBe('abc')
  })

  test('the whole answer has its type, for the SDKs look at it', async () => {
    const frames = await readStream(app, STREAM)
    expect(frameOf(frames, 'conversation.message.completed').data).toEqual(anyMessage())
  })

  test('event_ids=true numbers the events from 1, without a gap', async () => {
    const frames = await readStream(app, STREAM, { path: '/v3/chat?event_ids=true' })
    expect(frames.map((frame) => frame.id)).toEqual(['1', '2', '3', '4', '5', '6', '7', undefined])
    const none = await readStream(app, STREAM, { path: '/v3/chat?event_ids=false' })
    expect(none.map((frame) => frame.id)).toEqual(Array(8).fill(undefined))
  })
}

/** The whole stream, written by hand around the few values that cannot be known. */
function expectedBytes(data: Json[]): string {
  const [{ id, conversation_id, section_id, created_at }, , { id: answer }, , { created_at: ended }, { id: marker }] = data
  const chat = `"id":"${id}","conversation_id":"${conversation_id}","bot_id":"123456","section_id":"${section_id}"`
  const at = `"created_at":${created_at}`
  const rest = '"meta_data":{},"last_error":{"code":0,"msg":""}'
  const none = '"usage":{"token_count":0,"input_count":0,"output_count":0}'
  const place = `"conversation_id":"${conversation_id}","bot_id":"123456","chat_id":"${id}","section_id":"${section_id}"`
  const delta = (text: string) =>
    `event: conversation.message.delta\ndata: {"id":"${answer}",${place},"role":"assistant","type":"answer","content_type":"text",${at},"content":${text},"reasoning_content":""}\n\n`
  const message = (head: string, content: string) =>
    `event: conversation.message.completed\ndata: {"id":"${head}",${place},"role":"assistant",${content},"content_type":"text","reasoning_content":"","meta_data":{},"created_at":${ended},"updated_at":${ended}}\n\n`
  const finish = JSON.stringify(
    '{"msg_type":"generate_answer_finish","data":"{\\"finish_reason\\":0,\\"FinData\\":\\"\\"}","from_module":null,"from_unit":null}',
  )
  return [
    `event: conversation.chat.created\ndata: {${chat},"status":"created",${at},${rest},${none}}\n\n`,
    `event: conversation.chat.in_progress\ndata: {${chat},"status":"in_progress",${at},${rest},${none}}\n\n`,
    delta('"Hel"'),
    delta('"lo\\n"'),
    message(answer, '"type":"answer","content":"Hello\\n"'),
    message(marker, `"type":"verbose","content":${finish}`),
    `event: conversation.chat.completed\ndata: {${chat},"status":"completed",${at},"completed_at":${ended},${rest},"usage":{"token_count":4,"input_count":2,"output_count":2}}\n\n`,
    'event: done\ndata: [DONE]\n\n',
  ].join('')
}

function takesWhatSdksSend(app: TestApp): void {
  test('an empty ?conversation_id= is none', async () => {
    const one = await finished(app, BODY, '/v3/chat?conversation_id=')
    const other = await finished(app, BODY, '/v3/chat?conversation_id=')
    expect(other.conversation_id).not.toBe(one.conversation_id)
  })

  test('?conversation_id= with an id goes on with that conversation', async () => {
    const one = await finished(app, BODY)
    const other = await finished(app, BODY, `/v3/chat?conversation_id=${one.conversation_id}`)
    expect(other.conversation_id).toBe(one.conversation_id)
    expect(app.provider.lastRequest.body.messages.map((message) => message.role)).toEqual(['system', 'user', 'assistant', 'user'])
  })

  test('without messages the bot goes on with a conversation that has some', async () => {
    const { data } = (
      await app.call('POST', '/v1/conversation/create', {
        bot_id: '123456',
        messages: [{ role: 'user', content: 'a', content_type: 'text' }],
      })
    ).body
    await finished(app, { ...BODY, additional_messages: [] }, `/v3/chat?conversation_id=${data.id}`)
    expect(app.provider.lastRequest.lastUserText).toBe('a')
  })

  test('null everywhere, and fields nobody knows', async () => {
    const nothing = { custom_variables: null, meta_data: null, parameters: null, extra_params: null, shortcut_command: null }
    const extra = { enable_card: null, publish_status: 'published_online', bot_version: '1', connector_id: '1024', nonsense: { deep: [1] } }
    expect(await finished(app, { ...BODY, ...nothing, ...extra })).toEqual(anyChat())
  })

  test('messages without type and content type, and messages that are no part of a turn', async () => {
    const additional_messages = [
      { role: 'user', content: 'first' },
      { role: 'assistant', content: 'second', type: 'answer' },
      { role: 'assistant', content: '{"name":"t"}', type: 'function_call' },
      { role: 'assistant', content: 'tool said', type: 'tool_response' },
      { role: 'user', content: 'third', content_type: 'text', type: '' },
    ]
    await finished(app, { ...BODY, additional_messages })
    expect(app.provider.lastRequest.body.messages.slice(1)).toEqual([
      { role: 'user', content: 'first' },
      { role: 'assistant', content: 'second' },
      { role: 'user', content: 'third' },
    ])
  })

  test('meta_data comes back with the chat, and a message’s with the message', async () => {
    const meta_data = { order: '7', 来源: '微信' }
    const chat = await finished(app, { ...BODY, meta_data, additional_messages: [{ ...QUESTION, meta_data: { mood: 'good' } }] })
    expect(chat.meta_data).toEqual(meta_data)
    const list = await app.call('POST', `/v1/conversation/message/list?conversation_id=${chat.conversation_id}`, { order: 'asc' })
    expect(list.body.data.map((message: Json) => message.meta_data)).toEqual([{ mood: 'good' }, {}])
  })

  test('multimodal parts with explicit nulls', async () => {
    const parts = [
      { type: 'text', text: 'look', file_id: null, file_url: null },
      { type: 'image', text: null, file_id: null, file_url: 'https://example.com/a.png' },
      { type: 'audio', file_url: 'https://example.com/a.mp3' },
    ]
    await finished(app, { ...BODY, additional_messages: [{ ...QUESTION, content: JSON.stringify(parts), content_type: 'object_string' }] })
    expect(app.provider.lastRequest.body.messages.at(-1)?.content).toEqual([
      { type: 'text', text: 'look' },
      { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
    ])
  })

  test('query and messages together: the query comes last, and the answer is the guide’s', async () => {
    const { body } = await app.call('POST', '/v3/chat', { ...BODY, query: 'and this?' })
    expect(body.message).toEqual(anyMessage())
    expect(app.provider.lastRequest.body.messages.slice(1)).toEqual([
      { role: 'user', content: 'hi' },
      { role: 'user', content: 'and this?' },
    ])
  })
}
