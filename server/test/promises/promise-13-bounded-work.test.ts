import { afterAll, describe, expect, test } from 'vitest'
import { answers, calls, says, saysForever } from '../support/fake-provider.ts'
import type { ReceivedRequest } from '../support/fake-provider.ts'
import { ADA, asking, openChatHouse, sayAndWait } from '../support/chat-house.ts'
import { openStream } from '../support/live-stream.ts'
import { openSocket, rawRequest } from '../support/raw-socket.ts'
import { eventNames } from '../support/sse-frames.ts'
import { startTestApp, useTestApp } from '../support/test-app.ts'
import type { Reply, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'
import { startRun } from '../../src/chat/start-run.ts'

/** Promise 13: work is bounded. One test for each cap; after all of them the server serves as before. */

const MB = 1024 * 1024

describe('what is too much', () => {
  const app = useTestApp({})
  afterAll(async () => {
    app.provider.script = says('still here')
    expect((await chat(app, {})).body.message.content).toBe('still here')
  })

  describe('in a request', () => refusesLargeRequests(app))
  describe('from a model', () => boundsModels(app))
})

const chat = (app: TestApp, more: object): Promise<Reply> => app.call('POST', '/v3/chat', { bot_id: 123456, query: 'hi', ...more })

/** Refused, in words of ours, and nobody was asked. */
function expectTooMuch(app: TestApp, { status, body, text }: Reply, wanted: { status: number; msg: RegExp }): void {
  expect(status, text).toBe(wanted.status)
  expect(body.msg).toMatch(wanted.msg)
  expect(app.provider.requests.length).toBe(0)
}

function refusesLargeRequests(app: TestApp): void {
  test('a body of 5 MB', async () => {
    expectTooMuch(app, await chat(app, { query: 'x'.repeat(5 * MB) }), { status: 413, msg: /larger|large/ })
  })

  test('a body without an end', async () => {
    await using socket = await openSocket(app.port)
    const headers = { authorization: `Bearer ${app.apiKey}`, 'content-type': 'application/json', 'transfer-encoding': 'chunked' }
    socket.send(rawRequest('POST /v3/chat', { headers }))
    const chunk = `${(64 * 1024).toString(16)}\r\n${' '.repeat(64 * 1024)}\r\n`
    for (let sent = 0; sent < 5 * MB && !socket.received.includes('HTTP/1.1'); sent += chunk.length) {
      socket.send(chunk)
      await new Promise(setImmediate)
    }
    expect(await socket.until((received) => received.includes('\r\n\r\n'))).toMatch(/^HTTP\/1.1 413 /)
  })

  test('headers of 64 KB', async () => {
    await using socket = await openSocket(app.port)
    socket.send(rawRequest('GET /v1/users/me', { headers: { authorization: `Bearer ${app.apiKey}`, 'x-large': 'x'.repeat(64 * 1024) } }))
    expect(await socket.until((received) => received.includes('\r\n\r\n'))).toMatch(/^HTTP\/1.1 431 /)
  })

  test('JSON nested 65 deep', async () => {
    const reply = await app.call('POST', '/v3/chat', `{"bot_id":123456,"query":"hi","parameters":${'['.repeat(65)}${']'.repeat(65)}}`)
    expectTooMuch(app, reply, { status: 422, msg: /nested deeper than 64 levels/ })
  })

  test('501 messages, and a million characters in one', async () => {
    const message = { role: 'user', content: 'x', content_type: 'text' }
    expectTooMuch(app, await chat(app, { additional_messages: Array(501).fill(message) }), { status: 422, msg: /at most 500 messages/ })
    const halves = { additional_messages: Array(300).fill(message), chat_history: Array(300).fill(message) }
    expectTooMuch(app, await chat(app, halves), { status: 422, msg: /at most 500 messages together/ })
    expectTooMuch(app, await chat(app, { query: 'x'.repeat(1_000_001) }), { status: 422, msg: /at most 1000000 characters/ })
  })

  test('51 functions, 17 meta data, 16-KB names', async () => {
    const tools = Array.from({ length: 51 }, (_, at) => ({ type: 'function', function: { name: `f${at}` } }))
    expectTooMuch(app, await chat(app, { tools }), { status: 422, msg: /at most 50 functions/ })
    const meta_data = Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`k${at}`, 'v']))
    expectTooMuch(app, await chat(app, { meta_data }), { status: 422, msg: /at most 16/ })
    expectTooMuch(app, await chat(app, { conversation_id: 'x'.repeat(16_384) }), { status: 422, msg: /1 to 100/ })
    expectTooMuch(app, await chat(app, { user_id: 'x'.repeat(16_384) }), { status: 422, msg: /at most 255/ })
  })

  test('pages of 51 messages, the page after the last million', async () => {
    const { id } = (await app.call('POST', '/v1/conversation/create', {})).body.data
    const list = await app.call('POST', `/v1/conversation/message/list?conversation_id=${id}`, { limit: 51 })
    expectTooMuch(app, list, { status: 422, msg: /1 to 50/ })
    const page = await app.call('GET', '/v1/conversations?bot_id=123456&page_num=1000001')
    expectTooMuch(app, page, { status: 422, msg: /1 to 1000000/ })
  })

  test('a file that says it has more than 512 MB', async () => {
    await using socket = await openSocket(app.port)
    const headers = {
      authorization: `Bearer ${app.apiKey}`,
      'content-type': 'multipart/form-data; boundary=b',
      'content-length': String(600 * MB),
    }
    socket.send(rawRequest('POST /v1/files/upload', { headers }))
    expect(await socket.until((received) => received.includes('\r\n\r\n'))).toMatch(/^HTTP\/1.1 413 /)
  })
}

function boundsModels(app: TestApp): void {
  test('an answer without an end: the chat ends, with what came', { timeout: 60_000 }, async () => {
    app.provider.script = saysForever('x'.repeat(64 * 1024))
    await using stream = await openStream(app, { bot_id: 123456, query: 'hi', stream: true })
    const frames = await stream.ended
    expect(eventNames(frames).at(-2)).toMatch(/chat\.(completed|failed)$/)
    await app.provider.untilAborted()
  })

  test('tools for ever: after 10 rounds it has to answer', async () => {
    const tools = [{ type: 'function', function: { name: 'again' } }]
    const offered: boolean[] = []
    app.provider.script = ({ body }: ReceivedRequest) => {
      offered.push(Array.isArray(body.tools))
      return Array.isArray(body.tools) ? answers([calls('again', {})]) : says('enough')
    }
    let { data } = (await chat(app, { tools })).body
    for (let round = 1; round <= 12 && data.status === 'requires_action'; round++) {
      const tool_outputs = data.required_action.submit_tool_outputs.tool_calls.map(({ id }: { id: string }) => ({
        tool_call_id: id,
        output: 'ok',
      }))
      const path = `conversation_id=${data.conversation_id}&chat_id=${data.id}`
      await app.call('POST', `/v3/chat/submit_tool_outputs?${path}`, { tool_outputs })
      const retrieve = async () => (await app.call('GET', `/v3/chat/retrieve?${path}`)).body.data
      await expect.poll(async () => (await retrieve()).status).not.toBe('in_progress')
      data = await retrieve()
    }
    expect(data.status).toBe('completed')
    expect(offered).toEqual([...Array(10).fill(true), false])
  })

  test('17 tools at once', async () => {
    const tools = [{ type: 'function', function: { name: 'again' } }]
    app.provider.script = answers(Array.from({ length: 17 }, (_, at) => calls('again', {}, `call_${at}`)))
    const { body } = await chat(app, { tools })
    expect(body).toMatchObject({ data: { status: 'failed' }, msg: expect.stringContaining('at most 16') })
  })

  test('readers that never read cost no more than their sockets: the chat ends', async () => {
    app.provider.script = answers(Array.from({ length: 400 }, () => 'x'.repeat(2_000)))
    await using socket = await openSocket(app.port)
    const body = JSON.stringify({ bot_id: 123456, query: 'hi', stream: true, conversation_id: 'never-read' })
    socket.socket.pause()
    socket.send(rawRequest('POST /v3/chat', { headers: { authorization: `Bearer ${app.apiKey}` }, body }))
    await expect
      .poll(async () => (await app.call('POST', '/v1/conversation/message/list?conversation_id=never-read', {})).body.data?.length)
      .toBe(2)
  })
}

test.each(['POST /v3/chat HTTP/1.1\r\nhost: a\r\n', `${rawRequest('POST /v3/chat', { headers: { 'content-length': '100' } })}{"bot_id"`])(
  'half a request does not keep a server from stopping: %j',
  async (half) => {
    await using app = await startTestApp()
    await using socket = await openSocket(app.port)
    socket.send(half)
    // it has to be there
    await expect.poll(() => new Promise((resolve) => app.http.server.getConnections((_, count) => resolve(count)))).toBe(1)
    const startedAt = performance.now()
    await app.stop()
    expect(performance.now() - startedAt).toBeLessThan(8_000)
  },
)

describe.each(testDatabases())('chats at once, on $name', ({ open }) => {
  test('more than the server takes: 429, and there is room again when one ends', async () => {
    await using db = await open()
    const house = await openChatHouse(db, { maxRuns: 3 })
    house.model.script = sayAndWait('…')
    const running = await Promise.all([1, 2, 3].map(() => house.ask('hi')))
    await expect(house.ask('hi')).rejects.toMatchObject({ code: 'rate_limited' })

    const [first] = running
    await house.deps.liveRuns.stop(first?.run.id ?? '', 'canceled')
    const another = await startRun(house.deps, ADA, asking(house.botId, 'hi'))
    await house.deps.liveRuns.drain(0)
    expect((await another.finished).run.status).toBe('failed')
  })

  test('longer than a chat may take: it fails as such, with what came', async () => {
    await using db = await open()
    const house = await openChatHouse(db, { maxRunMs: 100 })
    house.model.script = sayAndWait('so far')
    const { run, answer } = await (await house.ask('hi')).finished
    expect(run).toMatchObject({ status: 'failed', error: { code: 'timeout' } })
    expect(answer?.content).toBe('so far')
  })
})
