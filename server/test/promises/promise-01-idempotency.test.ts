import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { deleteIdempotencyBefore } from '../../src/db/idempotency-store.ts'
import { answers, hang, says, startFakeProvider, wait } from '../support/fake-provider.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { startKillableServer } from '../support/killable-server.ts'
import { openStream } from '../support/live-stream.ts'
import { startSecondNode } from '../support/second-node.ts'
import { deltaText, eventNames } from '../support/sse-frames.ts'
import { useTestApp } from '../support/test-app.ts'
import type { Json, Reply, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

/** Promise 1: the same Idempotency-Key with the same body gives the same result, executed once. */

const BODY = { bot_id: 123456, query: 'hi' }
const SDK_BODY = {
  bot_id: '123456',
  user_id: 'u',
  stream: false,
  additional_messages: [{ role: 'user', content: 'hi', content_type: 'text' }],
}
const AT_ONCE = 50

const keyed = (key: string) => ({ 'idempotency-key': key })
const times = <T>(count: number, make: (at: number) => Promise<T>) => Promise.all(Array.from({ length: count }, (_, at) => make(at)))
const distinct = (values: unknown[]) => [...new Set(values)]
const USED_OTHERWISE = { status: 422, message: 'this Idempotency-Key was used for another request: send a new one' }

describe.each(testDatabases())('requests with an Idempotency-Key, on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  describe('50 at once', () => sendsOnce(app))
  describe('a retry', () => retries(app))
  describe('a key', () => belongs(app))
  describe('what is not a chat', () => createsOnce(app))
})

async function countRuns(app: TestApp): Promise<number> {
  const { count } = await app.core.db
    .selectFrom('run')
    .select((select) => select.fn.countAll().as('count'))
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** Sends the same 50 times; all are answered with 200 by one run that asked the model once. */
async function sendAtOnce(app: TestApp, body: object, key: string): Promise<Reply[]> {
  const before = await countRuns(app)
  const replies = await times(AT_ONCE, () => app.call('POST', '/v3/chat', body, { headers: keyed(key) }))
  expect(distinct(replies.map((reply) => `${reply.status} ${reply.body?.msg}`))).toEqual(['200 '])
  expect(distinct(replies.map((reply) => reply.body.data.id)).length).toBe(1)
  expect((await countRuns(app)) - before).toBe(1)
  return replies
}

function sendsOnce(app: TestApp): void {
  test('whole answers: one run, one request to the model, the same answer for all', async () => {
    app.provider.script = answers(['Hel', wait(100), 'lo'])
    const replies = await sendAtOnce(app, BODY, 'whole')
    const answered = replies.map(({ body: { data, message, conversation_id } }) => JSON.stringify({ data, message, conversation_id }))
    expect(distinct(answered).length).toBe(1)
    expect(replies[0]?.body.message.content).toBe('Hello')
    expect(app.provider.requests.length).toBe(1)
  })

  test('streams: one run, one request to the model, the same bytes for all', async () => {
    app.provider.script = answers(['one ', wait(60), 'two ', wait(60), 'three'])
    const before = await countRuns(app)
    const streams = await times(AT_ONCE, () => openStream(app, { ...BODY, stream: true }, { headers: keyed('streams') }))
    const frames = await Promise.all(streams.map((stream) => stream.ended))
    expect(distinct(streams.map((stream) => stream.text)).length).toBe(1)
    expect(eventNames(frames[0] ?? []).slice(-2)).toEqual(['conversation.chat.completed', 'done'])
    expect(deltaText(frames[0] ?? [])).toBe('one two three')
    expect(app.provider.requests.length).toBe(1)
    expect((await countRuns(app)) - before).toBe(1)
  })

  test('as the SDKs send it', async () => {
    await sendAtOnce(app, SDK_BODY, 'sdk')
    await expect.poll(() => app.provider.requests.length).toBe(1)
  })

  test.each(['reject', 'enqueue', 'interrupt'])('in a conversation that is there, with if_busy: %s', async (if_busy) => {
    app.provider.script = answers(['Hel', wait(100), 'lo'])
    const conversation_id = `once-${if_busy}`
    await app.call('POST', '/v3/chat', { ...BODY, conversation_id })
    const replies = await sendAtOnce(app, { ...BODY, conversation_id, if_busy }, if_busy)
    expect(distinct(replies.map((reply) => reply.body.data.status))).toEqual(['completed'])
    expect(app.provider.requests.length).toBe(2)
  })

  test('on two nodes', async () => {
    app.provider.script = answers(['one ', wait(100), 'two ', wait(100), 'three'])
    await using other = await startSecondNode(app)
    const before = await countRuns(app)
    const streams = await times(20, (at) => openStream(at % 2 ? app : other, { ...BODY, stream: true }, { headers: keyed('nodes') }))
    await Promise.all(streams.map((stream) => stream.ended))
    expect(distinct(streams.map((stream) => stream.text)).length).toBe(1)
    expect(deltaText(streams[0]?.frames ?? [])).toBe('one two three')
    expect(app.provider.requests.length).toBe(1)
    expect((await countRuns(app)) - before).toBe(1)
  })

  test('whole answers on two nodes', async () => {
    app.provider.script = answers(['one ', wait(200), 'two'])
    await using other = await startSecondNode(app)
    const contents = await times(10, async (at) => {
      const { url } = at % 2 ? app : other
      const headers = { authorization: `Bearer ${app.apiKey}`, 'content-type': 'application/json', ...keyed('whole-nodes') }
      const response = await fetch(`${url}/v3/chat`, { method: 'POST', headers, body: JSON.stringify(BODY) })
      const body: Json = await response.json()
      return `${response.status} ${body.data?.status} ${body.message?.content}`
    })
    expect(distinct(contents)).toEqual(['200 completed one two'])
  })
}

function retries(app: TestApp): void {
  test('of a stream that was cut attaches to the live run, from its first event on', async () => {
    app.provider.script = answers(['one ', wait(200), 'two'])
    const body = { ...BODY, stream: true }
    await using cut = await openStream(app, body, { headers: keyed('cut') })
    await cut.until((frames) => deltaText(frames) === 'one ')
    cut.leave()

    await using again = await openStream(app, body, { headers: keyed('cut') })
    await again.until((frames) => deltaText(frames) === 'one ')
    expect(deltaText(await again.ended)).toBe('one two')
    expect(again.text.startsWith(cut.text)).toBe(true)
    expect(app.provider.requests).toMatchObject([{ aborted: false }])
  })

  test('of what has ended gives the same as the first time, and asks nobody', async () => {
    const first = await app.call('POST', '/v3/chat', BODY, { headers: keyed('ended') })
    app.provider.script = says('something else')
    const second = await app.call('POST', '/v3/chat', BODY, { headers: keyed('ended') })
    const { detail: _one, ...one } = first.body
    const { detail: _two, ...two } = second.body
    expect(two).toEqual(one)
    expect(app.provider.requests.length).toBe(1)
  })

  test('of a chat that is not saved gives its answer all the same', async () => {
    const body = { ...BODY, auto_save_history: false }
    const first = await app.call('POST', '/v3/chat', body, { headers: keyed('unsaved') })
    const second = await app.call('POST', '/v3/chat', body, { headers: keyed('unsaved') })
    expect(second.body.message).toEqual(first.body.message)
    expect(second.body.message.content).toBe('Hello there')
  })

  test('of a chat that failed gives the failed chat', async () => {
    app.provider.script = answers([{ do: 'raw', bytes: 'nonsense' }, { do: 'stop' }])
    const first = await app.call('POST', '/v3/chat', BODY, { headers: keyed('failed') })
    app.provider.script = says('it would work now')
    const second = await app.call('POST', '/v3/chat', BODY, { headers: keyed('failed') })
    expect(second.status).toBe(first.status)
    expect(second.body.data.id).toBe(first.body.data.id)
    expect(second.body.data.status).toBe('failed')
  })

  test('of a request that was refused is a first one', async () => {
    expect((await app.call('POST', '/v3/chat', { ...BODY, bot_id: 999 }, { headers: keyed('refused') })).status).toBe(404)
    expect((await app.call('POST', '/v3/chat', BODY, { headers: keyed('refused') })).status).toBe(200)
  })

  test('with another body is refused, and nothing runs', async () => {
    await app.call('POST', '/v3/chat', BODY, { headers: keyed('other') })
    for (const other of [{ ...BODY, query: 'bye' }, { ...BODY, stream: true }, { ...BODY, conversation_id: 'elsewhere' }, SDK_BODY])
      expectRefusal(await app.call('POST', '/v3/chat', other, { headers: keyed('other') }), USED_OTHERWISE)
    expect(app.provider.requests.length).toBe(1)
  })

  test('50 different bodies at once: one runs, the others are refused', async () => {
    const replies = await times(AT_ONCE, (at) => app.call('POST', '/v3/chat', { ...BODY, query: `${at}` }, { headers: keyed('many') }))
    const [winner, ...others] = replies.toSorted((a, b) => a.status - b.status)
    expect(winner?.status).toBe(200)
    for (const reply of others) expectRefusal(reply, USED_OTHERWISE)
    expect(app.provider.requests.length).toBe(1)
  })

  test('whose fields stand in another order is the same request', async () => {
    const first = await app.call('POST', '/v3/chat', { query: 'hi', bot_id: 123456 }, { headers: keyed('order') })
    const second = await app.call('POST', '/v3/chat', { bot_id: '123456', query: 'hi' }, { headers: keyed('order') })
    expect(second.body.data?.id).toBe(first.body.data.id)
  })
}

function belongs(app: TestApp): void {
  test('belongs to the API key that sent it: from two keys it makes two runs', async () => {
    const { apiKey } = await app.makeKey(app.userId)
    const one = await app.call('POST', '/v3/chat', BODY, { headers: keyed('shared') })
    const other = await app.call('POST', '/v3/chat', BODY, { headers: keyed('shared'), apiKey })
    expect([one.status, other.status]).toEqual([200, 200])
    expect(other.body.data.id).not.toBe(one.body.data.id)
    expect(app.provider.requests.length).toBe(2)
  })

  test('that differs in its letter case is another one', async () => {
    const one = await app.call('POST', '/v3/chat', BODY, { headers: keyed('Case') })
    const other = await app.call('POST', '/v3/chat', BODY, { headers: keyed('case') })
    expect(other.body.data.id).not.toBe(one.body.data.id)
  })

  test.each([
    ['of 10 KB', 'k'.repeat(10_240)],
    ['of 256 characters', 'k'.repeat(256)],
    ['that is empty', ''],
    ['with a space in it', 'two words'],
    ['that is not ASCII', 'sch\u00f6n'],
  ])('%s is refused, and nothing runs', async (_, key) => {
    for (const [path, body] of [
      ['/v3/chat', BODY],
      ['/v1/conversation/create', {}],
      ['/v1/files/upload', form('x')],
    ] as const) {
      const refused = await app.call('POST', path, body, { headers: keyed(key) })
      expectRefusal(refused, { status: 422, message: 'Idempotency-Key must be 1 to 255 visible ASCII characters' })
    }
    expect(app.provider.requests.length).toBe(0)
  })

  test('of 255 characters is fine', async () => {
    const key = `'"\\%_;--${'k'.repeat(247)}`
    const one = await app.call('POST', '/v3/chat', BODY, { headers: keyed(key) })
    const other = await app.call('POST', '/v3/chat', BODY, { headers: keyed(key) })
    expect(one.status).toBe(200)
    expect(other.body.data.id).toBe(one.body.data.id)
  })

  test('is forgotten after its time', async () => {
    const one = await app.call('POST', '/v3/chat', BODY, { headers: keyed('old') })
    expect(await deleteIdempotencyBefore(app.core.db, Date.now() - 24 * 3600 * 1000)).toBe(0)
    expect(await deleteIdempotencyBefore(app.core.db, Date.now() + 1)).toBeGreaterThan(0)
    const other = await app.call('POST', '/v3/chat', BODY, { headers: keyed('old') })
    expect(other.body.data.id).not.toBe(one.body.data.id)
  })

  test('means nothing on another route', async () => {
    const headers = keyed('routes')
    expect((await app.call('POST', '/v1/conversation/create', {}, { headers })).status).toBe(200)
    expectRefusal(await app.call('POST', '/v3/chat', BODY, { headers }), USED_OTHERWISE)
  })
}

function form(content: string, name = 'a.txt'): FormData {
  const data = new FormData()
  data.append('file', new Blob([content]), name)
  return data
}

async function countObjects(app: TestApp): Promise<number> {
  const entries = await readdir(join(app.dataDir, 'files'), { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).length
}

function createsOnce(app: TestApp): void {
  test('50 conversations at once are one, with its messages once', async () => {
    const body = { bot_id: 123456, name: 'one', messages: [{ role: 'user', content: 'first', content_type: 'text' }] }
    const replies = await times(AT_ONCE, () => app.call('POST', '/v1/conversation/create', body, { headers: keyed('conversation') }))
    expect(distinct(replies.map((reply) => `${reply.status} ${reply.body.data?.id}`)).length).toBe(1)
    expect(replies[0]?.status).toBe(200)
    const listed = await app.call('POST', `/v1/conversation/message/list?conversation_id=${replies[0]?.body.data.id}`, {})
    expect(listed.body.data.length).toBe(1)

    const other = await app.call('POST', '/v1/conversation/create', { ...body, name: 'two' }, { headers: keyed('conversation') })
    expectRefusal(other, USED_OTHERWISE)
  })

  test('a conversation that was deleted since is gone, and not made again', async () => {
    const { id } = (await app.call('POST', '/v1/conversation/create', {}, { headers: keyed('deleted') })).body.data
    await app.call('DELETE', `/v1/conversations/${id}`)
    expectRefusal(await app.call('POST', '/v1/conversation/create', {}, { headers: keyed('deleted') }), {
      status: 404,
      message: 'conversation not found',
    })
  })

  test('50 messages at once are one', async () => {
    const { id } = (await app.call('POST', '/v1/conversation/create', {})).body.data
    const path = `/v1/conversation/message/create?conversation_id=${id}`
    const body = { role: 'user', content: 'once', content_type: 'text' }
    const replies = await times(AT_ONCE, () => app.call('POST', path, body, { headers: keyed('message') }))
    expect(distinct(replies.map((reply) => `${reply.status} ${reply.body.data?.id}`)).length).toBe(1)
    expect((await app.call('POST', `/v1/conversation/message/list?conversation_id=${id}`, {})).body.data.length).toBe(1)
    expectRefusal(await app.call('POST', path, { ...body, content: 'twice' }, { headers: keyed('message') }), USED_OTHERWISE)

    const elsewhere = (await app.call('POST', '/v1/conversation/create', {})).body.data.id
    const other = await app.call('POST', `/v1/conversation/message/create?conversation_id=${elsewhere}`, body, {
      headers: keyed('message'),
    })
    expectRefusal(other, USED_OTHERWISE)
  })

  test('20 uploads at once are one file, and nothing is left of the others', async () => {
    const before = await countObjects(app)
    const upload = (content: string, name?: string) =>
      app.call('POST', '/v1/files/upload', form(content, name), { headers: keyed('upload') })
    const replies = await times(20, () => upload('the content'))
    expect(distinct(replies.map((reply) => `${reply.status} ${reply.body.data?.id}`)).length).toBe(1)
    expect(replies[0]).toMatchObject({ status: 200, body: { data: { bytes: 11, file_name: 'a.txt' } } })

    expectRefusal(await upload('THE content'), USED_OTHERWISE)
    expectRefusal(await upload('the content', 'b.txt'), USED_OTHERWISE)
    expect((await countObjects(app)) - before).toBe(1)
    const link = await fetch(replies[0]?.body.data.url.replace(/^https?:\/\/[^/]+/, app.url))
    expect(await link.text()).toBe('the content')
  })
}

describe.each(testDatabases())('a server that is killed, on $name', ({ name }) => {
  test('answers a retry with what there was before, after it was started again', async () => {
    await using provider = await startFakeProvider(says('Hello'))
    await using server = await startKillableServer(provider, name)
    const send = (path: string, body: unknown, key: string) => server.call('POST', path, body, { headers: keyed(key) })
    const sent = [
      ['/v3/chat', BODY, 'chat'],
      ['/v1/conversation/create', { name: 'one' }, 'conversation'],
    ] as const
    const idsOf = async () => {
      const ids: string[] = []
      for (const [path, body, key] of sent) ids.push((await send(path, body, key)).body.data.id)
      return ids
    }
    const before = await idsOf()
    const uploaded = (await send('/v1/files/upload', form('kept'), 'file')).body.data.id

    provider.script = answers(['half', hang()])
    await using stream = await openStream(server, { ...BODY, stream: true }, { headers: keyed('stream') })
    const [created] = await stream.until((frames) => deltaText(frames) === 'half')
    // until what the reader has seen is stored
    await expect.poll(async () => (await send('/v3/chat', { ...BODY, stream: true, query: 'x' }, 'stream')).status).toBe(422)
    await new Promise((resolve) => setTimeout(resolve, 200))
    await server.kill()
    await server.start()

    provider.script = says('must not be asked')
    expect(await idsOf()).toEqual(before)
    expect((await send('/v1/files/upload', form('kept'), 'file')).body.data.id).toBe(uploaded)

    await using again = await openStream(server, { ...BODY, stream: true }, { headers: keyed('stream') })
    const frames = await again.ended
    expect(frames[0]?.data.id).toBe(created?.data.id)
    expect(deltaText(frames)).toBe('half')
    expect(eventNames(frames).slice(-2)).toEqual(['conversation.chat.failed', 'done'])
    expect(provider.requests.map((request) => request.lastUserText)).toEqual(['hi', 'hi'])
  })
})
