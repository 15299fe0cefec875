import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/db/database.ts'
import { answers, hang, hangs, says, saysForever, wait } from '../support/fake-provider.ts'
import type { Script } from '../support/fake-provider.ts'
import { anyLiveChat } from '../support/chat-shapes.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { openStream } from '../support/live-stream.ts'
import type { LiveStream } from '../support/live-stream.ts'
import { openSocket, rawRequest } from '../support/raw-socket.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { deltaText, eventNames, frameOf } from '../support/sse-frames.ts'
import { startTestApp, useTestApp } from '../support/test-app.ts'
import type { Json, Reply, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

const BODY = { bot_id: 123456, query: 'hi' }
const STREAM = { ...BODY, stream: true }
const TEXT = ['one ', 'two ', 'three ', 'four ']

describe.each(testDatabases())('clients of a chat, on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  describe('works', () => {
    describe('a client that leaves', () => survivesLeavers(app))
    describe('cancel', () => cancels(app))
    describe('a client that does not read', () => survivesSlowReaders(app))
  })
  describe('refuses bad input', () => {
    test('cancel without ids, or with ids that are none', async () => {
      const cancel = (body: unknown) => app.call('POST', '/v3/chat/cancel', body)
      expectRefusal(await cancel(undefined), { status: 422, message: 'conversation id is required' })
      expectRefusal(await cancel({ conversation_id: '1' }), { status: 422, message: 'chat id is required' })
      expectRefusal(await cancel({ conversation_id: '1', chat_id: 'x' }), { status: 422, message: /^chat_id: / })
      expectRefusal(await cancel({ conversation_id: '1', chat_id: '1' }), { status: 404, message: 'chat not found' })
    })

    test('cancel of a chat that has ended: 4104, and it stays what it is', async () => {
      const completed = (await app.call('POST', '/v3/chat', BODY)).body.data
      expectRefusal(await cancel(app, completed), { status: 400, code: 4104, message: 'the chat cannot be canceled: it is completed' })
      expect((await stateOf(app, completed)).status).toBe('completed')
    })
  })
  describe('refuses the wrong key', () => {
    test('a stranger cannot cancel a chat, and it goes on', async () => {
      app.provider.script = answers(['one ', wait(200), 'two'])
      await using stream = await openStream(app, STREAM)
      const [created] = await stream.until((frames) => frames.length >= 3)
      const { apiKey } = await app.makeUser()
      expectRefusal(await cancel(app, created?.data, apiKey), { status: 404, message: 'chat not found' })
      expect(deltaText(await stream.ended)).toBe('one two')
    })
  })

  keepsItsSecrets(app)
})

describe.each(testDatabases())('a server that stops, on $name', ({ name }) => {
  stopsInOrder(name)
})

const cancel = (app: TestApp, chat: Json, apiKey = app.apiKey): Promise<Reply> =>
  app.call('POST', '/v3/chat/cancel', { conversation_id: chat.conversation_id, chat_id: chat.id }, { apiKey })

const addressOf = (chat: Json) => `conversation_id=${chat.conversation_id}&chat_id=${chat.id}`
const stateOf = async (app: TestApp, chat: Json): Promise<Json> => (await app.call('GET', `/v3/chat/retrieve?${addressOf(chat)}`)).body.data
const answersOf = async (app: TestApp, chat: Json): Promise<Json[]> =>
  (await app.call('GET', `/v3/chat/message/list?${addressOf(chat)}`)).body.data

/** Contents of a conversation, oldest first. */
async function contentsOf(app: TestApp, conversationId: string): Promise<string[]> {
  const { body } = await app.call('POST', `/v1/conversation/message/list?conversation_id=${conversationId}`, { order: 'asc' })
  return (body.data ?? []).map((message: Json) => message.content)
}

function survivesLeavers(app: TestApp): void {
  const slowly = (): Script => answers([wait(50), ...TEXT.flatMap((text) => [text, wait(30)])])

  test.each([
    ['a stream', 'before its headers', true],
    ['a whole answer', 'while it waits', false],
  ])('of %s, %s: the answer is in the conversation', async (_, when, stream) => {
    app.provider.script = slowly()
    const conversation_id = `left-${when.replaceAll(' ', '-')}`
    await using socket = await openSocket(app.port)
    const headers = { authorization: `Bearer ${app.apiKey}` }
    socket.send(rawRequest('POST /v3/chat', { headers, body: JSON.stringify({ ...BODY, conversation_id, stream }) }))
    if (stream) await expect.poll(() => contentsOf(app, conversation_id)).toEqual(['hi'])
    else await app.provider.untilRequests(1)
    socket.socket.destroy()

    await expect.poll(() => contentsOf(app, conversation_id)).toEqual(['hi', TEXT.join('')])
    expect(app.provider.requests).toMatchObject([{ aborted: false }])
  })

  test.each([1, 2, 3, 4, 5, 6])('of a stream after %i events: the chat is completed all the same', async (count) => {
    app.provider.script = slowly()
    await using stream = await openStream(app, STREAM)
    const [created] = await stream.until((frames) => frames.length >= count)
    stream.leave()

    const chat = created?.data
    await expect.poll(async () => (await stateOf(app, chat)).status).toBe('completed')
    expect(await answersOf(app, chat)).toMatchObject([{ content: TEXT.join(''), meta_data: {} }])
    expect(app.provider.requests).toMatchObject([{ aborted: false }])
    await expect.poll(() => openStreams(app)).toBe(0)
  })

  test('who leaves and asks again at once is told that the chat is still running', async () => {
    app.provider.script = answers(['one', hang()])
    await using stream = await openStream(app, { ...STREAM, conversation_id: 'impatient' })
    const [created] = await stream.until((frames) => frames.length >= 3)
    stream.leave()
    const again = await app.call('POST', '/v3/chat', { ...BODY, conversation_id: 'impatient' })
    expectRefusal(again, { status: 409, code: 4016, message: /^a chat is already running/ })
    await cancel(app, created?.data)
    expect(await contentsOf(app, 'impatient')).toEqual(['hi', 'one'])
  })

  test('a client that leaves does not end the stream of another', async () => {
    app.provider.script = slowly()
    await using one = await openStream(app, STREAM)
    await using other = await openStream(app, STREAM)
    await one.until((frames) => frames.length >= 3)
    one.leave()
    expect(deltaText(await other.ended)).toBe(TEXT.join(''))
  })
}

async function openStreams(app: TestApp): Promise<number> {
  const { text } = await app.call('GET', '/metrics')
  return Number(/^sse_streams_open (\d+)$/m.exec(text)?.[1])
}

function cancels(app: TestApp): void {
  const begun = async (stream: LiveStream): Promise<Json> => (await stream.until((frames) => deltaText(frames).length > 20))[0]?.data

  test('ends the call to the model, nothing follows, and what came is kept', async () => {
    app.provider.script = saysForever('word ', { delayMs: 5 })
    await using stream = await openStream(app, STREAM)
    const chat = await begun(stream)
    const reply = await cancel(app, chat)
    expect({ status: reply.status, data: reply.body.data }).toEqual({
      status: 200,
      data: anyLiveChat({ id: chat.id, conversation_id: chat.conversation_id, status: 'canceled', usage: expect.anything() }),
    })

    await app.provider.untilAborted()
    const frames = await stream.ended
    expect(eventNames(frames).slice(-3)).toEqual(['conversation.message.completed', 'conversation.chat.canceled', 'done'])
    const written = app.provider.tokensWritten
    const text = deltaText(frames)
    expect(frameOf(frames, 'conversation.message.completed').data.content).toBe(text)
    await sleep(50)
    expect(app.provider.tokensWritten).toBe(written)
    expect(await answersOf(app, chat)).toMatchObject([{ content: text, meta_data: { incomplete: 'canceled' } }])
    expect((await stateOf(app, chat)).status).toBe('canceled')
  })

  test('a second one is refused with 4104', async () => {
    app.provider.script = answers(['and so it goes on and on', hang()])
    await using stream = await openStream(app, STREAM)
    const chat = await begun(stream)
    await cancel(app, chat)
    expectRefusal(await cancel(app, chat), { status: 400, code: 4104, message: 'the chat cannot be canceled: it is canceled' })
  })

  test('of ten at once one cancels, and the others are told so', async () => {
    app.provider.script = answers(['and so it goes on and on', hang()])
    await using stream = await openStream(app, STREAM)
    const chat = await begun(stream)
    const replies = await Promise.all(Array.from({ length: 10 }, () => cancel(app, chat)))
    for (const { status, body } of replies) expect([200, 400], body.msg).toContain(status)
    expect(replies.filter((reply) => reply.status === 200).length).toBeGreaterThan(0)
    expect(eventNames(await stream.ended).filter((event) => event === 'conversation.chat.canceled').length).toBe(1)
  })

  test('before the model has said anything: no answer, and a whole answer that is waited for comes empty', async () => {
    app.provider.script = hangs()
    const waiting = app.call('POST', '/v3/chat', { ...BODY, conversation_id: 'silent' })
    await app.provider.untilRequests(1)
    const conversation = (await app.call('GET', '/v1/conversations/silent')).body.data
    const { body } = await app.call('POST', '/v1/conversation/message/list?conversation_id=silent', {})
    const chat = { conversation_id: conversation.id, id: body.data[0].chat_id }
    expect((await cancel(app, { ...chat, conversation_id: 'silent' })).body.data.status).toBe('canceled')

    const whole = await waiting
    expect({ status: whole.status, data: whole.body.data.status, content: whole.body.message.content }).toEqual({
      status: 200,
      data: 'canceled',
      content: '',
    })
    expect(await answersOf(app, chat)).toEqual([])
    await app.provider.untilAborted()
  })

  test('while the model is asked again after a failure', async () => {
    app.provider.script = [{ play: async ({ response }) => void response.writeHead(429, { 'retry-after': '5' }).end() }, says('too late')]
    await using stream = await openStream(app, STREAM)
    const [created] = await stream.until((frames) => frames.length >= 2)
    await app.provider.untilRequests(1)
    const startedAt = performance.now()
    expect((await cancel(app, created?.data)).status).toBe(200)
    expect(eventNames(await stream.ended).slice(-2)).toEqual(['conversation.chat.canceled', 'done'])
    expect(performance.now() - startedAt).toBeLessThan(3_000)
    expect(app.provider.requests.length).toBe(1)
  })

  test('frees the conversation for the next chat', async () => {
    app.provider.script = [answers(['and so it goes on and on', hang()]), says('fine')]
    await using stream = await openStream(app, STREAM)
    const chat = await begun(stream)
    await cancel(app, chat)
    const next = await app.call('POST', '/v3/chat', { ...BODY, conversation_id: chat.conversation_id })
    expect(next.body.message.content).toBe('fine')
  })
}

function survivesSlowReaders(app: TestApp): void {
  // more than the system keeps for a connection (4 MB on Linux), in events that are small
  const PIECE = 'x'.repeat(200)
  const PIECES = 15_000

  test('is sent no more than its connection takes; the chat ends without it, and it gets everything later', async () => {
    app.provider.script = answers(Array.from({ length: PIECES }, () => PIECE))
    const served: Socket[] = []
    app.http.server.on('connection', (socket: Socket) => served.push(socket))
    const before = process.memoryUsage().rss

    const readers = await Promise.all(Array.from({ length: 3 }, () => openSocket(app.port)))
    const headers = { authorization: `Bearer ${app.apiKey}`, connection: 'close' }
    for (const [i, reader] of readers.entries()) {
      reader.socket.pause()
      reader.send(rawRequest('POST /v3/chat', { headers, body: JSON.stringify({ ...STREAM, conversation_id: `slow-${i}` }) }))
    }
    for (const i of readers.keys()) await expect.poll(async () => (await contentsOf(app, `slow-${i}`)).length, { timeout: 15_000 }).toBe(2)
    const waiting = served.filter((socket) => readers.some((reader) => reader.socket.localPort === socket.remotePort))
    expect(waiting.length).toBe(3)
    for (const socket of waiting) expect(socket.writableLength).toBeLessThan(100_000)
    expect(process.memoryUsage().rss - before).toBeLessThan(300_000_000)

    for (const reader of readers) {
      reader.socket.resume()
      const received = await reader.closed()
      expect(received.match(/event: conversation.message.delta/g)?.length).toBe(PIECES)
      expect(received).toMatch(/data: \[DONE\]\n\n\r\n0\r\n\r\n$/)
    }
  })
}

function stopsInOrder(database: 'SQLite' | 'MariaDB'): void {
  test('lets a chat end that ends in time, stops the others, and none stays in progress', async () => {
    await using app = await startTestApp({ database, env: { DRAIN_SECONDS: '1' } })
    app.provider.script = (request) => answers(['one ', request.lastUserText === 'short' ? wait(300) : hang(), 'two'])
    await using short = await openStream(app, { ...STREAM, query: 'short' })
    await using long = await openStream(app, { ...STREAM, query: 'long' })
    const whole = app.call('POST', '/v3/chat', { ...BODY, query: 'long' })
    await long.until((frames) => frames.length >= 3)
    await short.until((frames) => frames.length >= 3)
    await app.provider.untilRequests(3)

    const startedAt = performance.now()
    await app.stop()
    expect(performance.now() - startedAt).toBeLessThan(3_000)

    const [ended, stopped] = [await short.ended, await long.ended]
    expect({ text: deltaText(ended), events: eventNames(ended).slice(-2) }).toEqual({
      text: 'one two',
      events: ['conversation.chat.completed', 'done'],
    })
    expect({ text: deltaText(stopped), events: eventNames(stopped).slice(-3) }).toEqual({
      text: 'one ',
      events: ['conversation.message.completed', 'conversation.chat.failed', 'done'],
    })
    expectRefusalOfStop(await whole)
    expect(await statusesOf(app)).toEqual(['completed', 'failed', 'failed'])
  })

  test('takes nothing new while it waits, and answers what came before', async () => {
    await using app = await startTestApp({ database, env: { DRAIN_SECONDS: '2' } })
    app.provider.script = answers(['one ', wait(700), 'two'])
    await using stream = await openStream(app, STREAM)
    await stream.until((frames) => frames.length >= 3)
    const stopping = app.stop()
    await sleep(100)
    await expect(fetch(`${app.url}/healthz`, { headers: { connection: 'close' } })).rejects.toThrow()
    expect(deltaText(await stream.ended)).toBe('one two')
    await stopping
    expect(await statusesOf(app)).toEqual(['completed'])
  })

  test('stops also when a client does not read', async () => {
    await using app = await startTestApp({
      database,
      env: { DRAIN_SECONDS: '1' },
      script: answers(Array.from({ length: 3_000 }, () => 'x'.repeat(1_000))),
    })
    await using reader = await openSocket(app.port)
    reader.socket.pause()
    reader.send(
      rawRequest('POST /v3/chat', {
        headers: { authorization: `Bearer ${app.apiKey}` },
        body: JSON.stringify({ ...STREAM, conversation_id: 'c' }),
      }),
    )
    await expect.poll(async () => (await contentsOf(app, 'c')).length, { timeout: 15_000 }).toBe(2)
    const startedAt = performance.now()
    await app.stop()
    expect(performance.now() - startedAt).toBeLessThan(5_000)
  })
}

function expectRefusalOfStop(reply: Reply): void {
  expect({ status: reply.status, msg: reply.body.msg, chat: reply.body.data.status }).toEqual({
    status: 500,
    msg: 'the server was stopped while the chat was running: send the message again',
    chat: 'failed',
  })
}

/** As they are stored, with the server gone. */
async function statusesOf(app: TestApp): Promise<string[]> {
  const db = await openDatabase(app.core.config.database)
  const rows = await db.selectFrom('run').select('status').orderBy('status').execute()
  await db.destroy()
  return rows.map((row) => row.status)
}
