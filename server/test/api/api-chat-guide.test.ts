import { describe, expect, test } from 'vitest'
import { answers, hang, reasons, says } from '../support/fake-provider.ts'
import { ID, NO_USAGE, anyChat, anyLiveChat, anyMessage } from '../support/chat-shapes.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { openStream, readStream } from '../support/live-stream.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { deltaText, eventNames, frameOf } from '../support/sse-frames.ts'
import { useTestApp } from '../support/test-app.ts'
import type { Reply, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

const PROMPT = { role: 'system', content: '你是一个专业的客服助手' }
const user = (content: unknown) => ({ role: 'user', content })
const assistant = (content: string) => ({ role: 'assistant', content })

describe.each(testDatabases())('a chat as the guide writes it, on $name', ({ name }) => {
  const app = useTestApp({ database: name })
  const chat = (body: object) => app.call('POST', '/v3/chat', { bot_id: 123456, query: 'hi', ...body })

  describe('works', () => {
    describe('a whole answer', () => answersWhole(app, chat))
    describe('a stream', () => streams(app))
    describe('what the model sees', () => remembers(app, chat))
    describe('an id of the caller’s own choice', () => takesOwnIds(app, chat))
    describe('pictures and files', () => seesFiles(app, chat))
  })

  describe('refuses bad input', () => {
    test('an empty question, without asking the model', async () => {
      for (const query of ['', '   ', '\n']) {
        expectRefusal(await chat({ query }), { status: 422, message: 'query must not be empty' })
      }
      expect(app.provider.requests).toEqual([])
    })

    test('no bot: 422 in the guide’s words; no such bot, or a draft only: 404 in the guide’s words', async () => {
      const message = 'bot not found or not published'
      const draft = await app.makeBot(app.userId, { published: false })
      expectRefusal(await chat({ bot_id: undefined }), { status: 422, message: 'bot id is required' })
      expectRefusal(await chat({ bot_id: 999 }), { status: 404, message })
      expectRefusal(await chat({ bot_id: draft }), { status: 404, message })
    })

    test('a stream that cannot begin is refused as JSON', async () => {
      const reply = await chat({ bot_id: 999, stream: true })
      expectRefusal(reply, { status: 404, message: 'bot not found or not published' })
    })
  })

  describe('refuses the wrong key', () => {
    test('the bot, the conversation and the chat of another user do not exist', async () => {
      const mine = (await chat({})).body
      const stranger = await app.makeUser()
      const theirs = { apiKey: stranger.apiKey }
      const theirBot = await app.makeBot(stranger.userId)
      const ask = (body: object) => app.call('POST', '/v3/chat', { query: 'hi', ...body }, theirs)

      expectRefusal(await ask({ bot_id: 123456 }), { status: 404, message: 'bot not found or not published' })
      expectRefusal(await ask({ bot_id: theirBot, conversation_id: mine.conversation_id }), {
        status: 404,
        message: 'conversation not found',
      })
      const address = `conversation_id=${mine.conversation_id}&chat_id=${mine.data.id}`
      for (const path of [`/v3/chat/retrieve?${address}`, `/v3/chat/message/list?${address}`]) {
        expectRefusal(await app.call('GET', path, undefined, theirs), { status: 404, message: 'chat not found' })
      }
    })
  })

  keepsItsSecrets(app)
})

type Chat = (body: object) => Promise<Reply>

function answersWhole(app: TestApp, chat: Chat): void {
  test('has the guide’s flat keys beside the chat, and nothing else', async () => {
    const { status, body, headers } = await chat({ user_id: 'user_001', stream: false, chat_history: [], parameters: {} })
    const ids = { conversation_id: body.conversation_id, section_id: body.data.section_id }
    const usage = { token_count: 4, input_count: 2, output_count: 2 }
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        code: 0,
        msg: '',
        data: anyChat({ ...ids, usage }),
        detail: { logid: headers.get('x-tt-logid') },
        conversation_id: ID,
        message: anyMessage({ ...ids, chat_id: body.data.id }),
      },
    })
    expect(headers.get('content-type')).toMatch(/^application\/json/)
    expect(app.provider.lastRequest.body).toMatchObject({ stream: false, messages: [PROMPT, user('hi')], user: 'user_001' })
  })

  test('is what is in the conversation afterwards, with its question before it', async () => {
    const { conversation_id: conversationId, message } = (await chat({ query: '你好', user_id: 'u' })).body
    const list = await app.call('POST', `/v1/conversation/message/list?conversation_id=${conversationId}`, { order: 'asc' })
    expect(list.body.data).toEqual([
      anyMessage({ conversation_id: conversationId, role: 'user', type: 'question', content: '你好' }),
      message,
    ])
  })

  test('keeps every character', async () => {
    const text = 'line\r\nbreak\u2028\u2029\u0085 \u0000 "quoted" \\ 你好 😀 {"json":true} data: [DONE]\n\nevent: done'
    app.provider.script = (request) => says(request.lastUserText)
    const whole = await chat({ query: text })
    expect(whole.body.message.content).toBe(text)
    expect(deltaText(await readStream(app, { bot_id: 123456, query: text, stream: true }))).toBe(text)
    expect(app.provider.lastRequest.lastUserText).toBe(text)
  })

  test('has the reasoning apart from the answer', async () => {
    app.provider.script = answers([reasons('let me '), reasons('think'), 'yes'])
    expect((await chat({})).body.message).toMatchObject({ content: 'yes', reasoning_content: 'let me think' })
  })

  test('may be empty', async () => {
    app.provider.script = answers([], { usage: { input: 3, output: 0 } })
    const { status, body } = await chat({})
    expect({ status, message: body.message }).toEqual({ status: 200, message: anyMessage({ content: '' }) })
  })

  test('takes a number for user_id, a text for bot_id, and null for what is not there', async () => {
    const nothing = { conversation_id: null, chat_history: null, parameters: null, custom_variables: null, meta_data: null, stream: null }
    expect((await chat({ bot_id: '123456', user_id: 42, ...nothing })).status).toBe(200)
    expect(app.provider.lastRequest.body['user']).toBe('42')
  })

  test('a bot whose id has 19 digits can be named as a number or as text, and keeps its id', async () => {
    const botId = await app.makeBot(app.userId, { id: '7351234567890123459' })
    const asNumber = await app.call('POST', '/v3/chat', `{"bot_id":${botId},"query":"hi"}`)
    const asText = await chat({ bot_id: botId })
    expect([asNumber.body.data.bot_id, asText.body.data.bot_id]).toEqual([botId, botId])
  })
}

function streams(app: TestApp): void {
  const body = { bot_id: 123456, user_id: 'user_001', stream: true, query: 'hi' }

  test('has the events in the guide’s order, numbered from 1, and ends with [DONE]', async () => {
    await using stream = await openStream(app, body)
    const frames = await stream.ended
    expect(eventNames(frames)).toEqual([
      'conversation.chat.created',
      'conversation.chat.in_progress',
      'conversation.message.delta',
      'conversation.message.delta',
      'conversation.message.completed',
      'conversation.message.completed',
      'conversation.chat.completed',
      'done',
    ])
    expect(frames.map((frame) => frame.id)).toEqual(['1', '2', '3', '4', '5', '6', '7', undefined])
    expect(frames.slice(0, -1).map((frame) => frame.lines.length)).toEqual(Array(7).fill(3))
    expect(stream.text.endsWith('event: done\ndata: [DONE]\n\n')).toBe(true)
    expect(Object.fromEntries(stream.response.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
      'x-tt-logid': expect.stringMatching(/^req_\d+$/),
    })
    expect(stream.response.headers.has('content-encoding')).toBe(false)
  })

  test('has whole chats and messages in its events; the whole answer has no type, or samples would print it twice', async () => {
    const [created, started, first, second, answer, marker, completed] = await readStream(app, body)
    const { id: chat_id, conversation_id, section_id } = created?.data
    const chat = { id: chat_id, conversation_id, section_id }
    const message = { chat_id, conversation_id, section_id }
    const { type: _, ...untyped } = anyMessage({ ...message, id: first?.data.id })
    const { updated_at: __, meta_data: ___, ...delta } = { ...untyped, type: 'answer' }

    expect(created?.data).toEqual(anyLiveChat({ ...chat, status: 'created' }))
    expect(started?.data).toEqual(anyLiveChat(chat))
    expect(first?.data).toEqual({ ...delta, content: 'Hello' })
    expect(second?.data).toEqual({ ...delta, content: ' there' })
    expect(answer?.data).toEqual(untyped)
    expect(marker?.data).toEqual(anyMessage({ ...message, type: 'verbose', content: expect.stringContaining('generate_answer_finish') }))
    expect(completed?.data).toEqual(anyChat({ ...chat, usage: { token_count: 4, input_count: 2, output_count: 2 } }))
    expect(app.provider.lastRequest.body).toMatchObject({ stream: true, messages: [PROMPT, user('hi')] })
  })

  test('has each piece the moment the model says it', async () => {
    app.provider.script = answers(['one', hang()])
    await using stream = await openStream(app, body)
    const [created] = await stream.until((frames) => deltaText(frames) === 'one')
    expect(app.provider.open).toBe(1)
    await app.call('POST', '/v3/chat/cancel', { conversation_id: created?.data.conversation_id, chat_id: created?.data.id })
  })

  test('has the reasoning in deltas of its own, before the answer', async () => {
    app.provider.script = answers([reasons('let me '), reasons('think'), 'yes'])
    const frames = await readStream(app, body)
    const deltas = frames.filter((frame) => frame.event === 'conversation.message.delta')
    expect(deltas.map(({ data }) => [data.reasoning_content, data.content])).toEqual([
      ['let me ', ''],
      ['think', ''],
      ['', 'yes'],
    ])
    const [whole] = frames.filter((frame) => frame.event === 'conversation.message.completed')
    expect(whole?.data).toMatchObject({ content: 'yes', reasoning_content: 'let me think' })
  })

  test('splits no line at characters that some clients take for line ends', async () => {
    app.provider.script = says('a\u2028b\u2029c\u0085d', '\r\n\n')
    await using stream = await openStream(app, body)
    const frames = await stream.ended
    expect(stream.text).not.toMatch(/[\u2028\u2029\u0085\r]/)
    expect(deltaText(frames)).toBe('a\u2028b\u2029c\u0085d\r\n\n')
  })

  test('every data but the last is a JSON object', async () => {
    app.provider.script = says('[DONE]', '"text"', '1')
    const frames = await readStream(app, body)
    expect(frames.slice(0, -1).map((frame) => typeof frame.data)).toEqual(Array(frames.length - 1).fill('object'))
    expect(deltaText(frames)).toBe('[DONE]"text"1')
  })

  test('an answer without a word has no answer events', async () => {
    app.provider.script = answers([], { usage: { input: 3, output: 0 } })
    const frames = await readStream(app, body)
    expect(eventNames(frames)).not.toContain('conversation.message.delta')
    expect(frameOf(frames, 'conversation.chat.completed').data.usage).toEqual({ ...NO_USAGE, token_count: 3, input_count: 3 })
  })
}

function remembers(app: TestApp, chat: Chat): void {
  test('later turns bring the earlier ones, in order', async () => {
    app.provider.script = [says('1'), says('2'), says('3')]
    const { conversation_id } = (await chat({ query: 'first' })).body
    await chat({ conversation_id, query: 'second' })
    await readStream(app, { bot_id: 123456, conversation_id, query: 'third', stream: true })
    expect(app.provider.lastRequest.body.messages).toEqual([
      PROMPT,
      user('first'),
      assistant('1'),
      user('second'),
      assistant('2'),
      user('third'),
    ])
  })

  test('a new conversation brings nothing', async () => {
    await chat({ query: 'first' })
    await chat({ query: 'second' })
    expect(app.provider.lastRequest.body.messages).toEqual([PROMPT, user('second')])
  })

  test('the bot’s history_rounds is how many rounds come along', async () => {
    const botId = await app.makeBot(app.userId, { config: { prompt: '', parameters: { historyRounds: 2 } } })
    const { conversation_id } = (await chat({ bot_id: botId, query: '1' })).body
    for (const query of ['2', '3', '4']) await chat({ bot_id: botId, conversation_id, query })
    const questions = app.provider.lastRequest.body.messages.filter((message) => message.role === 'user')
    expect(questions.map((message) => message.content)).toEqual(['2', '3', '4'])

    const forgetful = await app.makeBot(app.userId, { config: { prompt: '', parameters: { historyRounds: 0 } } })
    const first = (await chat({ bot_id: forgetful, query: '1' })).body
    await chat({ bot_id: forgetful, conversation_id: first.conversation_id, query: '2' })
    expect(app.provider.lastRequest.body.messages).toEqual([user('2')])
  })

  test('clearing the conversation forgets, and what comes after is remembered again', async () => {
    const { conversation_id } = (await chat({ query: 'old' })).body
    await app.call('POST', `/v1/conversations/${conversation_id}/clear`)
    await chat({ conversation_id, query: 'new' })
    expect(app.provider.lastRequest.body.messages).toEqual([PROMPT, user('new')])

    await chat({ conversation_id, query: 'newer' })
    expect(app.provider.lastRequest.body.messages).toEqual([PROMPT, user('new'), assistant('Hello there'), user('newer')])
  })

  test('chat_history comes before the question, and is part of the conversation from then on', async () => {
    const chat_history = [{ role: 'user', content: 'I am Ada' }, { role: 'assistant', content: 'Hello Ada' }, { content: 'and I am 36' }]
    const { conversation_id } = (await chat({ chat_history, query: 'who am I?' })).body
    const turn = [user('I am Ada'), assistant('Hello Ada'), user('and I am 36'), user('who am I?')]
    expect(app.provider.lastRequest.body.messages).toEqual([PROMPT, ...turn])

    await chat({ conversation_id, query: 'and now?' })
    expect(app.provider.lastRequest.body.messages).toEqual([PROMPT, ...turn, assistant('Hello there'), user('and now?')])
  })

  test('the answer of a chat that broke off is remembered as far as it came', async () => {
    app.provider.script = [says('whole'), answers(['half', { do: 'cut' }]), says('after')]
    const { conversation_id } = (await chat({ query: '1' })).body
    await readStream(app, { bot_id: 123456, conversation_id, query: '2', stream: true })
    await chat({ conversation_id, query: '3' })
    expect(app.provider.lastRequest.body.messages.slice(1)).toEqual([
      user('1'),
      assistant('whole'),
      user('2'),
      assistant('half'),
      user('3'),
    ])
  })

  test('parameters and custom_variables fill the prompt; the bot’s own values are for what is not given', async () => {
    const prompt = 'In {{city}}, {{ lang }}, {{user.name}}, {{age}}, {{unknown}}, {{constructor}}.'
    const variables = [
      { name: 'city', default: '北京' },
      { name: 'lang', default: 'zh' },
    ]
    const botId = await app.makeBot(app.userId, { config: { prompt, variables } })
    await chat({ bot_id: botId, parameters: { lang: 'en', 'user.name': 'Ada $1 $&', age: 36 }, custom_variables: { lang: '{{city}}' } })
    expect(app.provider.lastRequest.body.messages[0]?.content).toBe('In 北京, {{city}}, Ada $1 $&, 36, {{unknown}}, {{constructor}}.')
  })

  test('one user_id cannot go on with the conversation of another, and without one nobody is kept out', async () => {
    const { conversation_id } = (await chat({ user_id: 'ada' })).body
    expectRefusal(await chat({ conversation_id, user_id: 'bob' }), {
      status: 404,
      message: 'conversation not found: it belongs to another user_id',
    })
    expect((await chat({ conversation_id, user_id: 'ada' })).status).toBe(200)
    expect((await chat({ conversation_id })).status).toBe(200)

    const list = async (userId: string) =>
      (await app.call('GET', `/v1/conversations?bot_id=123456&user_id=${userId}`)).body.conversations.map((each: { id: string }) => each.id)
    expect(await list('ada')).toContain(conversation_id)
    expect(await list('bob')).not.toContain(conversation_id)
  })
}

function takesOwnIds(app: TestApp, chat: Chat): void {
  test('makes a conversation on its first use and goes on with it on the second', async () => {
    const first = (await chat({ conversation_id: 'conv_789', query: '1' })).body
    const second = (await chat({ conversation_id: 'conv_789', query: '2' })).body
    expect(second.conversation_id).toBe(first.conversation_id)
    expect(app.provider.lastRequest.body.messages).toEqual([PROMPT, user('1'), assistant('Hello there'), user('2')])

    const address = `conversation_id=conv_789&chat_id=${second.data.id}`
    expect((await app.call('GET', `/v3/chat/retrieve?${address}`)).body.data.id).toBe(second.data.id)
    expect((await app.call('GET', '/v1/conversations/conv_789')).body.data.id).toBe(first.conversation_id)
  })

  test('can be deleted; then it names a new one', async () => {
    const first = (await chat({ conversation_id: 'order:7@shop', query: '1' })).body
    expect((await app.call('DELETE', '/v1/conversations/order:7@shop')).status).toBe(200)
    expectRefusal(await app.call('GET', '/v1/conversations/order:7@shop'), { status: 404, message: 'conversation not found' })

    const second = (await chat({ conversation_id: 'order:7@shop', query: '2' })).body
    expect(second.conversation_id).not.toBe(first.conversation_id)
    expect(app.provider.lastRequest.body.messages).toEqual([PROMPT, user('2')])
  })

  test('two users may choose the same one, and Ada is not ada', async () => {
    const stranger = await app.makeUser()
    const bot_id = await app.makeBot(stranger.userId)
    const ids = [
      (await chat({ conversation_id: 'Ada' })).body.conversation_id,
      (await chat({ conversation_id: 'ada' })).body.conversation_id,
      (await app.call('POST', '/v3/chat', { bot_id, conversation_id: 'Ada', query: 'hi' }, { apiKey: stranger.apiKey })).body
        .conversation_id,
    ]
    expect(new Set(ids).size).toBe(3)
  })

  test('the one in the query is taken where both are given', async () => {
    const reply = await app.call('POST', '/v3/chat?conversation_id=in-query', { bot_id: 123456, query: 'hi', conversation_id: 'in-body' })
    expect((await app.call('GET', '/v1/conversations/in-query')).body.data.id).toBe(reply.body.conversation_id)
    expect((await app.call('GET', '/v1/conversations/in-body')).status).toBe(404)
  })
}

function seesFiles(app: TestApp, chat: Chat): void {
  const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64')
  const upload = async (bytes: Uint8Array<ArrayBuffer>, fileName: string): Promise<string> => {
    const form = new FormData()
    form.append('file', new Blob([bytes]), fileName)
    return (await app.call('POST', '/v1/files/upload', form)).body.file_id
  }
  const ask = (parts: object[]) =>
    chat({ query: 'and this?', additional_messages: [{ role: 'user', content: JSON.stringify(parts), content_type: 'object_string' }] })
  const seen = () => app.provider.lastRequest.body.messages.at(-2)?.content

  test('a picture that was uploaded goes to the model with its bytes', async () => {
    const file_id = await upload(Buffer.from(PNG), 'dot.png')
    expect(
      (
        await ask([
          { type: 'text', text: 'look' },
          { type: 'image', file_id },
        ])
      ).status,
    ).toBe(200)
    expect(seen()).toEqual([
      { type: 'text', text: 'look' },
      { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG.toString('base64')}` } },
    ])
  })

  test('a text that was uploaded goes to the model as text', async () => {
    const file_id = await upload(Buffer.from('the content'), 'note.txt')
    await ask([{ type: 'file', file_id: file_id }])
    expect(seen()).toBe('File note.txt:\n\nthe content')
  })

  test('a picture of the web goes to the model by its address', async () => {
    const url = 'https://example.com/cat.png'
    await ask([{ type: 'image', file_url: url, file_id: null }])
    expect(seen()).toEqual([{ type: 'image_url', image_url: { url } }])
  })

  test('a picture is there again in the next turn', async () => {
    const file_id = await upload(Buffer.from(PNG), 'dot.png')
    const { conversation_id } = (await ask([{ type: 'image', file_id }])).body
    await chat({ conversation_id, query: 'what was it?' })
    expect(app.provider.lastRequest.body.messages[1]?.content).toEqual([
      { type: 'image_url', image_url: { url: expect.stringMatching(/^data:image\/png;base64,/) } },
    ])
  })

  test('content may be the parts themselves instead of their JSON', async () => {
    const additional_messages = [{ role: 'user', content: [{ type: 'text', text: 'look' }], content_type: 'object_string' }]
    expect((await chat({ additional_messages })).status).toBe(200)
    expect(seen()).toBe('look')
  })

  test('a file that is not there, or another user’s, is refused, and nothing is asked or stored', async () => {
    const stranger = await app.makeUser()
    const form = new FormData()
    form.append('file', new Blob(['secret of theirs']), 'theirs.txt')
    const { file_id } = (await app.call('POST', '/v1/files/upload', form, { apiKey: stranger.apiKey })).body
    for (const id of [file_id, '12345']) {
      expectRefusal(await ask([{ type: 'file', file_id: id }]), { status: 404, message: 'file not found' })
    }
    expect(app.provider.requests).toEqual([])
  })

  test.each([
    ['no JSON', '{', /must be a JSON array/],
    ['no array', '{"type":"text"}', /must be a JSON array/],
    ['an unknown part', '[{"type":"video","file_id":"1"}]', /must be a JSON array of text, image, file and audio parts/],
    ['a part without a file', '[{"type":"image"}]', /needs file_id or file_url/],
    ['an address that is none', '[{"type":"image","file_url":"file:///etc/passwd"}]', /must be an http\(s\) URL/],
    ['an id that is none', '[{"type":"image","file_id":"../etc"}]', /must be a file id/],
  ])('object_string with %s is refused', async (_, content, message) => {
    const additional_messages = [{ role: 'user', content, content_type: 'object_string' }]
    expectRefusal(await chat({ additional_messages }), { status: 422, message })
  })
}
