import { describe, expect, test } from 'vitest'
import { answers, wait } from '../support/fake-provider.ts'
import { anyMessage } from '../support/chat-shapes.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { openStream } from '../support/live-stream.ts'
import { openSocket, rawRequest } from '../support/raw-socket.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { deltaText, frameOf } from '../support/sse-frames.ts'
import { startTestApp, useTestApp } from '../support/test-app.ts'
import type { Json, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

const GOOD = { bot_id: 123456, query: 'hi' }

describe.each(testDatabases())('what a chat does not take, on $name', ({ name }) => {
  const time = { ahead: 0 }
  const app = useTestApp({ database: name, clock: () => Date.now() + time.ahead })

  describe('works', () => {
    describe('all the same', () => worksAllTheSame(app))
    describe('with a clock that is wrong', () => livesWithBadClocks(app, time))
  })
  describe('refuses bad input', () => {
    describe('a body that is none', () => refusesBodies(app))
    describe('a field of the wrong kind', () => refusesFields(app))
    describe('too much', () => refusesTooMuch(app))
    describe('a conversation that is not for this', () => refusesConversations(app))
    describe('HTTP that is none', () => refusesBrokenHttp(app))
  })
  describe('refuses the wrong key', () => {
    test('whatever else is wrong with the request', async () => {
      const { apiKey } = await app.makeUser()
      for (const body of [GOOD, { ...GOOD, conversation_id: 'x' }, { ...GOOD, stream: true }]) {
        const reply = await app.call('POST', '/v3/chat', body, { apiKey })
        expectRefusal(reply, { status: 404, message: 'bot not found or not published' })
      }
    })
  })

  keepsItsSecrets(app)
})

const post = (app: TestApp, body: unknown, headers: Record<string, string> = {}) => app.call('POST', '/v3/chat', body, { headers })

/** Neither asked the model nor broke anything. */
async function expectUnharmed(app: TestApp): Promise<void> {
  expect(app.provider.requests).toEqual([])
  expect((await post(app, GOOD)).status).toBe(200)
  app.provider.requests.length = 0
}

function worksAllTheSame(app: TestApp): void {
  test('fields that nobody knows are ignored, also dangerous ones', async () => {
    const body = '{"__proto__":{"stream":true},"constructor":1,"toString":2,"nonsense":[{"a":null}],"bot_id":123456,"query":"hi"}'
    const reply = await post(app, body)
    expect(reply.body.message).toEqual(anyMessage())
    expect(({} as Json).stream).toBeUndefined()
  })

  test.each(['application/json; charset=utf-8', 'Application/JSON', 'application/vnd.api+json'])('content type %s', async (type) => {
    expect((await post(app, GOOD, { 'content-type': type })).status).toBe(200)
  })

  test('a body that begins with a byte order mark, or stands between blanks', async () => {
    expect((await post(app, `\uFEFF${JSON.stringify(GOOD)}`)).status).toBe(200)
    expect((await post(app, ` \r\n\t${JSON.stringify(GOOD)}\n`)).status).toBe(200)
  })

  test('requests that are sent without waiting for answers are answered in their order', async () => {
    app.provider.script = (request) => answers([wait(request.lastUserText === 'slow' ? 300 : 0), request.lastUserText])
    await using socket = await openSocket(app.port)
    const headers = { authorization: `Bearer ${app.apiKey}` }
    const chat = (query: string, stream: boolean) =>
      rawRequest('POST /v3/chat', { headers, body: JSON.stringify({ ...GOOD, query, stream }) })
    socket.send(
      [
        chat('slow', false),
        rawRequest('GET /v1/bots/123456', { headers }),
        chat('streamed', true),
        rawRequest('GET /v1/bots/1'),
        rawRequest('GET /healthz', { headers: { connection: 'close' } }),
      ].join(''),
    )
    const received = await socket.closed()
    expect(received.match(/HTTP\/1.1 \d+/g)).toEqual(['200', '200', '200', '401', '200'].map((status) => `HTTP/1.1 ${status}`))
    const marks = ['"content":"slow"', '"bot_mode":0', '"content":"streamed"', '[DONE]', 'missing authorization', '"status":"ok"']
    const places = marks.map((mark) => received.indexOf(mark))
    expect(places).toEqual(places.toSorted((a, b) => a - b))
    expect(Math.min(...places)).toBeGreaterThan(0)
  })

  test('a client of HTTP/1.0, as a proxy may be: a stream that ends with its connection', async () => {
    await using socket = await openSocket(app.port)
    const headers = { authorization: `Bearer ${app.apiKey}` }
    const request = rawRequest('POST /v3/chat', { headers, body: JSON.stringify({ ...GOOD, stream: true }) })
    socket.send(request.replace('HTTP/1.1', 'HTTP/1.0'))
    const received = await socket.closed()
    expect(received).not.toMatch(/transfer-encoding/i)
    expect(received).toMatch(/event: done\ndata: \[DONE\]\n\n$/)
  })

  test('a client that asks before it sends its body, as curl does with long ones', async () => {
    await using socket = await openSocket(app.port)
    const headers = { authorization: `Bearer ${app.apiKey}`, expect: '100-continue', connection: 'close' }
    const [head = '', body = ''] = rawRequest('POST /v3/chat', { headers, body: JSON.stringify(GOOD) }).split('\r\n\r\n')
    socket.send(`${head}\r\n\r\n`)
    await socket.until((received) => received.startsWith('HTTP/1.1 100 '))
    socket.send(body)
    expect(await socket.closed()).toContain('"content":"Hello there"')
  })

  test('a body that comes in small pieces', async () => {
    await using socket = await openSocket(app.port)
    const bytes = Buffer.from(
      rawRequest('POST /v3/chat', {
        headers: { authorization: `Bearer ${app.apiKey}`, connection: 'close' },
        body: JSON.stringify({ ...GOOD, query: '你好' }),
      }),
    )
    for (let at = 0; at < bytes.length; at += 20) {
      socket.send(bytes.subarray(at, at + 20))
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    expect(await socket.closed()).toContain('"content":"Hello there"')
    expect(app.provider.lastRequest.lastUserText).toBe('你好')
  })
}

function livesWithBadClocks(app: TestApp, time: { ahead: number }): void {
  test.each([-3_600_000, 3_600_000])('that jumps by %i ms: ids keep their order, keys work, chats come to their end', async (jump) => {
    const before = (await post(app, GOOD)).body
    app.provider.script = answers(['one ', wait(200), 'two'])
    await using stream = await openStream(app, { ...GOOD, conversation_id: before.conversation_id, stream: true })
    await stream.until((frames) => frames.length >= 3)
    time.ahead += jump

    expect((await stream.ended).at(-1)?.raw).toBe('[DONE]')
    const { status, body: after } = await post(app, { ...GOOD, conversation_id: before.conversation_id })
    expect(status).toBe(200)
    expect(BigInt(after.data.id)).toBeGreaterThan(BigInt(before.data.id))
    expect(Math.abs(after.data.created_at - (Date.now() + time.ahead) / 1000)).toBeLessThan(60)

    const list = await app.call('POST', `/v1/conversation/message/list?conversation_id=${before.conversation_id}`, { order: 'asc' })
    const contents = list.body.data.map((message: Json) => message.content)
    expect(contents).toEqual(['hi', 'Hello there', 'hi', 'one two', 'hi', 'one two'])
    time.ahead = 0
  })
}

/** A chat that is alive must not be taken for the chat of a dead process; that is looked for every five seconds. */
test('a clock that is put forward by an hour does not end the chats that are running', async () => {
  const time = { ahead: 0 }
  await using app = await startTestApp({ clock: () => Date.now() + time.ahead, script: answers(['one ', wait(6_000), 'two']) })
  await using stream = await openStream(app, { ...GOOD, stream: true })
  await stream.until((frames) => frames.length >= 3)
  time.ahead = 3_600_000

  const frames = await stream.ended
  expect(deltaText(frames)).toBe('one two')
  expect(frameOf(frames, 'conversation.chat.completed').data.status).toBe('completed')
})

function refusesBodies(app: TestApp): void {
  test.each<[string, string | Uint8Array | undefined, string]>([
    ['no body', undefined, 'bot id is required'],
    ['an empty body', '', 'bot id is required'],
    ['blanks', '  \n', 'bot id is required'],
    ['an empty object', '{}', 'bot id is required'],
    ['half of an object', '{"bot_id": 123456, "query": "h', 'the body is not valid JSON'],
    ['two objects', '{}{}', 'the body is not valid JSON'],
    ['single quotes', "{'bot_id': 123456}", 'the body is not valid JSON'],
    ['a form', 'bot_id=123456&query=hi', 'the body is not valid JSON'],
    ['NaN', '{"bot_id": NaN}', 'the body is not valid JSON'],
    ['a list', '[]', 'the body must be a JSON object'],
    ['a text', '"text"', 'the body must be a JSON object'],
    ['a number', '7', 'the body must be a JSON object'],
    ['null', 'null', 'bot id is required'],
    ['broken UTF-8', Buffer.from('7b22717565727922 3a22 ff22 7d'.replaceAll(' ', ''), 'hex'), 'the body is not valid UTF-8'],
    ['half of a character', Buffer.from('{"query":"你"}').subarray(0, 11), 'the body is not valid UTF-8'],
    ['UTF-16', Buffer.from('{"bot_id":1}', 'utf16le'), 'the body is not valid JSON'],
  ])('%s', async (_, body, message) => {
    expectRefusal(await post(app, body), { status: 422, message })
    await expectUnharmed(app)
  })

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/xml', 'nonsense'])(
    'content type %s',
    async (type) => {
      const message = 'send the body as JSON with the header Content-Type: application/json'
      expectRefusal(await post(app, JSON.stringify(GOOD), { 'content-type': type }), { status: 422, message })
      await expectUnharmed(app)
    },
  )

  test.each([
    ['lists', '['.repeat(100_000)],
    ['objects', '{"a":'.repeat(100_000)],
    ['lists that are closed', `${'['.repeat(70)}${']'.repeat(70)}`],
    ['objects in an unknown field', `{"bot_id":123456,"query":"hi","x":${'{"a":'.repeat(70)}1${'}'.repeat(70)}}`],
    ['lists after an escaped quote', `{"query":"\\"","x":${'['.repeat(70)}${']'.repeat(70)}}`],
  ])('deep JSON: %s', async (_, body) => {
    expectRefusal(await post(app, body), { status: 422, message: 'the body is nested deeper than 64 levels' })
    await expectUnharmed(app)
  })

  test('brackets inside of a text are no depth', async () => {
    expect((await post(app, { ...GOOD, query: `"\\${'[{'.repeat(1000)}` })).status).toBe(200)
  })
}

function refusesFields(app: TestApp): void {
  const MESSAGE = { role: 'user', content: 'hi', content_type: 'text' }

  test.each<[string, unknown[]]>([
    [
      'bot_id',
      [
        null,
        true,
        {},
        [],
        '',
        'abc',
        ' 1',
        '1 ',
        '+1',
        '0x10',
        '1e3',
        0,
        '0',
        -1,
        '-1',
        1.5,
        '1.5',
        '9223372036854775808',
        '1'.repeat(20),
        '１２３',
      ],
    ],
    ['user_id', [true, {}, ['a'], 'x'.repeat(256)]],
    ['stream', ['true', 1, 0, {}, 'yes']],
    ['conversation_id', [true, {}, ['a'], -1, 1.5, 0, 'with blank', 'a/b', '会话', 'x'.repeat(101), '9223372036854775808', '../1', '%']],
    ['query', [1, true, {}, ['hi']]],
    ['chat_history', ['hi', {}, 1, ['hi'], [1], [null]]],
    ['additional_messages', ['hi', {}, 1, ['hi'], [null]]],
    ['parameters', ['{}', 1, [], true]],
    ['custom_variables', ['{}', 1, [], true]],
    [
      'meta_data',
      [
        '{}',
        1,
        [],
        { a: 1 },
        { a: null },
        { '': 'a' },
        { a: 'x'.repeat(513) },
        Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, 'v'])),
      ],
    ],
  ])('%s', async (field, values) => {
    for (const value of values) {
      const reply = await post(app, { ...GOOD, [field]: value })
      expect({ value, status: reply.status }).toEqual({ value, status: 422 })
      expectRefusal(reply, { status: 422, message: new RegExp(`^${field}[.:]`) })
    }
    await expectUnharmed(app)
  })

  test.each<[string, unknown[]]>([
    ['role', ['system', 'tool', '', 1, {}]],
    ['type', [1, {}, 'x'.repeat(31)]],
    ['content', [1, true, {}]],
    ['content_type', ['html', '', 1, {}]],
    ['meta_data', ['x', 1, { a: 1 }]],
  ])('%s of a message', async (field, values) => {
    for (const list of ['chat_history', 'additional_messages']) {
      for (const value of values) {
        const reply = await post(app, { ...GOOD, [list]: [MESSAGE, { ...MESSAGE, [field]: value }] })
        expect({ value, status: reply.status }).toEqual({ value, status: 422 })
        expectRefusal(reply, { status: 422, message: new RegExp(`^${list}\\.1\\.${field}[.:]`) })
      }
    }
    await expectUnharmed(app)
  })

  test('a message without content', async () => {
    for (const content of ['', null, undefined]) {
      const reply = await post(app, { ...GOOD, chat_history: [{ role: 'user', content }] })
      expectRefusal(reply, { status: 422, message: 'content of a message must not be empty' })
    }
  })

  test('a bot id is exact: the next larger one is another bot', async () => {
    const botId = await app.makeBot(app.userId, { id: '9223372036854775807' })
    expect((await post(app, `{"bot_id":${botId},"query":"hi"}`)).body.data.bot_id).toBe(botId)
    expectRefusal(await post(app, '{"bot_id":9223372036854775806,"query":"hi"}'), {
      status: 404,
      message: 'bot not found or not published',
    })
    for (const tooLarge of ['9223372036854775808', '18446744073709551615', '1e400', '-9223372036854775808']) {
      expectRefusal(await post(app, `{"bot_id":${tooLarge},"query":"hi"}`), {
        status: 422,
        message: /^bot_id: must be a positive whole number/,
      })
    }
  })

  test('the same ids as text of another kind in paths and queries', async () => {
    for (const id of ['0', '-1', '1.5', 'abc', '9223372036854775808', '%00', "1'--"]) {
      const encoded = id === '%00' ? id : encodeURIComponent(id)
      for (const path of [`/v1/bots/${encoded}`, `/v1/bot/get_online_info?bot_id=${encoded}`, `/v1/conversations?bot_id=${encoded}`]) {
        expectRefusal(await app.call('GET', path), { status: 422, message: /^bot_id: must be a positive whole number/ })
      }
    }
  })
}

function refusesTooMuch(app: TestApp): void {
  test('a question of 10 MB: 413, and the connection is good for the next one', async () => {
    for (let time = 0; time < 3; time++) {
      const reply = await post(app, { ...GOOD, query: 'x'.repeat(10_000_000) })
      expectRefusal(reply, { status: 413, message: 'the body is larger than this server takes' })
    }
    await expectUnharmed(app)
  })

  test('10 MB without saying so before: 413', async () => {
    const response = await fetch(`${app.url}/v3/chat`, {
      method: 'POST',
      body: new Blob([JSON.stringify({ ...GOOD, query: 'x'.repeat(10_000_000) })]).stream(),
      duplex: 'half',
      headers: { authorization: `Bearer ${app.apiKey}`, 'content-type': 'application/json' },
    })
    expect({ status: response.status, body: await response.json() }).toMatchObject({ status: 413, body: { code: 413 } })
    await expectUnharmed(app)
  })

  test('a question of more than a million characters: 422', async () => {
    const message = 'query: must have at most 1000000 characters'
    expectRefusal(await post(app, { ...GOOD, query: 'x'.repeat(1_000_001) }), { status: 422, message })
    await expectUnharmed(app)
  })

  test('a question of a million characters is one', async () => {
    const query = '你'.repeat(1_000_000)
    expect((await post(app, { ...GOOD, query })).status).toBe(200)
    expect(app.provider.lastRequest.lastUserText).toBe(query)
  })

  test('2,000 messages at once: 422; 500 are fine', async () => {
    const history = (length: number) => Array.from({ length }, (_, i) => ({ role: i % 2 ? 'assistant' : 'user', content: `m${i}` }))
    for (const field of ['chat_history', 'additional_messages']) {
      const message = `${field}: must have at most 500 messages`
      expectRefusal(await post(app, { ...GOOD, [field]: history(2000) }), { status: 422, message })
    }
    await expectUnharmed(app)
    expect((await post(app, { ...GOOD, chat_history: history(500) })).status).toBe(200)
    expect(app.provider.lastRequest.body.messages.length).toBe(502)
  })

  test('too much in both lists together', async () => {
    const half = Array.from({ length: 400 }, () => ({ role: 'user', content: 'x' }))
    expectRefusal(await post(app, { ...GOOD, chat_history: half, additional_messages: half }), {
      status: 422,
      message: /at most 500 messages/,
    })
  })
}

function refusesConversations(app: TestApp): void {
  const missing = { status: 404, message: 'conversation not found' }
  const create = async (body: object, apiKey = app.apiKey): Promise<string> =>
    (await app.call('POST', '/v1/conversation/create', body, { apiKey })).body.data.id

  test('another user’s', async () => {
    const { apiKey } = await app.makeUser()
    expectRefusal(await post(app, { ...GOOD, conversation_id: await create({}, apiKey) }), missing)
  })

  test('another bot’s', async () => {
    const bot_id = await app.makeBot(app.userId)
    const reply = await post(app, { ...GOOD, conversation_id: await create({ bot_id }) })
    expectRefusal(reply, { ...missing, message: `conversation not found: it belongs to another bot (${bot_id})` })
  })

  test('a deleted one', async () => {
    const conversation_id = await create({ bot_id: 123456 })
    await app.call('DELETE', `/v1/conversations/${conversation_id}`)
    expectRefusal(await post(app, { ...GOOD, conversation_id }), missing)
  })

  test('a number that is none, as number and as text', async () => {
    for (const conversation_id of [1, '1', '9223372036854775807']) expectRefusal(await post(app, { ...GOOD, conversation_id }), missing)
    expect(app.provider.requests).toEqual([])
  })

  test('one that belongs to no bot yet is for any bot of its owner', async () => {
    expect((await post(app, { ...GOOD, conversation_id: await create({}) })).status).toBe(200)
  })
}

function refusesBrokenHttp(app: TestApp): void {
  const errorOf = (answer: string): Json => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))

  test.each([
    ['no HTTP at all', 'hello\r\n\r\n', 400],
    ['a header that is none', 'GET /healthz HTTP/1.1\r\nhost: a\r\nbad header\r\n\r\n', 400],
    ['headers of 100 kB', `GET /healthz HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(100_000)}\r\n\r\n`, 431],
    ['two lengths', 'POST /v3/chat HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab', 400],
    ['length and chunks', 'POST /v3/chat HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n', 400],
  ])('%s: an error body like any other', async (_, bytes, status) => {
    await using socket = await openSocket(app.port)
    socket.send(bytes)
    const answer = await socket.closed()
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    const { code, msg, message, request_id, detail } = errorOf(answer)
    expect({ code, msg, detail }).toEqual({ code: status, msg: message, detail: { logid: request_id } })
    await expectUnharmed(app)
  })

  test('a path that cannot be decoded', async () => {
    expectRefusal(await app.call('GET', '/v1/bots/%zz'), { status: 422, message: /^the path cannot be read/ })
  })

  test('a path with a name of 300 characters', async () => {
    expectRefusal(await app.call('GET', `/v1/conversations/${'x'.repeat(300)}`), { status: 422, message: /^the path cannot be read/ })
  })

  test('a body shorter than its length: the connection is closed, nothing runs', async () => {
    await using socket = await openSocket(app.port)
    const headers = { authorization: `Bearer ${app.apiKey}`, 'content-length': '5000', connection: 'close' }
    socket.send(rawRequest('POST /v3/chat', { headers, body: JSON.stringify(GOOD) }))
    socket.socket.end()
    await socket.closed()
    await expectUnharmed(app)
  })
}
