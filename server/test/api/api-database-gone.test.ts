import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createKeySecret } from '../../src/accounts/api-key-secret.ts'
import { answers, hang, says, wait } from '../support/fake-provider.ts'
import { lockDatabase } from '../support/database-lock.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { openStream } from '../support/live-stream.ts'
import { deltaText, eventNames, frameOf } from '../support/sse-frames.ts'
import { startTestApp, useTestApp } from '../support/test-app.ts'
import type { Reply, TestApp } from '../support/test-app.ts'
import { startMariadb, testDatabases } from '../support/test-databases.ts'

const BODY = { bot_id: 123456, query: 'what nobody else may read' }
const UNAVAILABLE = { status: 503, message: /^the database cannot be reached.*try again/ }

type Mariadb = Awaited<ReturnType<typeof startMariadb>>

describe.skipIf(testDatabases().length === 1)('a MariaDB that goes away', () => {
  const cleanUp = new AsyncDisposableStack()
  let mariadb: Mariadb
  let app: TestApp
  beforeAll(async () => {
    mariadb = cleanUp.use(await startMariadb())
    app = cleanUp.use(await startTestApp({ env: { DATABASE_URL: mariadb.url() } }))
  })
  afterAll(() => cleanUp.disposeAsync())

  test.each([
    ['is killed', () => mariadb.kill()],
    ['is stopped', () => mariadb.stop()],
  ])('%s: everything that needs it says 503 and when to come back, until it is back', async (_, end) => {
    app.provider.script = says('Hello')
    expect((await app.call('POST', '/v3/chat', BODY)).status).toBe(200)
    await end()
    await sleep(1_100) // what was read is believed for a second

    for (const [method, path, body] of CALLS) expectUnavailable(await app.call(method, path, body))
    expectUnavailable(await app.call('GET', '/v1/bots/123456', undefined, { apiKey: createKeySecret() }))
    expectUnavailable(await app.call('POST', '/v3/chat', { ...BODY, stream: true }))
    expect(await app.call('GET', '/readyz')).toMatchObject({
      status: 503,
      body: { status: 'not ready', problem: 'the database cannot be reached' },
    })
    expect((await app.call('GET', '/healthz')).status).toBe(200)
    expect((await app.call('GET', '/metrics')).text).toContain('status="503"')

    await mariadb.start()
    await expect.poll(async () => (await app.call('GET', '/readyz')).status).toBe(200)
    expect((await app.call('POST', '/v3/chat', BODY)).body.message.content).toBe('Hello')
    for (const [method, path, body] of CALLS) expect((await app.call(method, path, body)).status, path).toBe(200)
  })

  test('a chat that is running ends when it is back; who waits for its end gets it, and it is stored', async () => {
    app.provider.script = answers(['one ', wait(1_000), 'two'])
    app.provider.requests.length = 0
    await using stream = await openStream(app, { ...BODY, stream: true, conversation_id: 'survivor' })
    const whole = app.call('POST', '/v3/chat', BODY)
    await stream.until((frames) => deltaText(frames).startsWith('one '))
    await app.provider.untilRequests(2)
    await mariadb.kill()

    // the words go on, the end does not come before it is stored
    await stream.until((frames) => deltaText(frames) === 'one two')
    await sleep(700)
    expect(eventNames(stream.frames)).not.toContain('conversation.chat.completed')
    await mariadb.start()

    const frames = await stream.ended
    expect(eventNames(frames).slice(-2)).toEqual(['conversation.chat.completed', 'done'])
    expect((await whole).body.message.content).toBe('one two')
    const chat = frameOf(frames, 'conversation.chat.completed').data
    const address = `conversation_id=survivor&chat_id=${chat.id}`
    expect((await app.call('GET', `/v3/chat/retrieve?${address}`)).body.data).toEqual(chat)
    expect((await app.call('GET', `/v3/chat/message/list?${address}`)).body.data).toMatchObject([{ content: 'one two', meta_data: {} }])
  })

  test('cancel during the outage is refused, and works when it is back', async () => {
    app.provider.script = answers(['one', hang()])
    await using stream = await openStream(app, { ...BODY, stream: true })
    const [created] = await stream.until((frames) => frames.length >= 3)
    const address = { conversation_id: created?.data.conversation_id, chat_id: created?.data.id }
    await mariadb.kill()
    await sleep(1_100)
    expectUnavailable(await app.call('POST', '/v3/chat/cancel', address))

    await mariadb.start()
    expect((await app.call('POST', '/v3/chat/cancel', address)).body.data.status).toBe('canceled')
    expect(eventNames(await stream.ended).slice(-2)).toEqual(['conversation.chat.canceled', 'done'])
  })

  test('nothing of what users said, and no secret, is in the log of all that', () => {
    const logs = app.logs.join('')
    expect(logs).toContain('"status":503')
    expect(logs).not.toMatch(/what nobody else may read|one two/)
    for (const secret of app.secrets.values()) expect(logs).not.toContain(secret)
  })

  test('an error of the database is logged without what its statement said', async () => {
    const insert = sql`insert into message (content) values (${'what nobody else may read'})`.execute(app.core.db)
    app.http.log.error({ err: await insert.catch((cause: unknown) => cause) }, 'as an unexpected error is logged')
    expect(app.logs.at(-1)).toContain('ER_NO_DEFAULT_FOR_FIELD')
    expect(app.logs.at(-1)).not.toContain('what nobody else may read')
  })

  test('the server can be stopped while it is away, also with a chat that is running', async () => {
    app.provider.script = answers(['one', hang()])
    await using stream = await openStream(app, { ...BODY, stream: true })
    await stream.until((frames) => frames.length >= 3)
    await mariadb.kill()
    const startedAt = performance.now()
    await app.stop()
    expect(performance.now() - startedAt).toBeLessThan(10_000)
  })
})

describe('an SQLite file that another process has locked', () => {
  const app = useTestApp({ database: 'SQLite' })
  const lock = (ms: number) => lockDatabase(join(app.dataDir, 'coze-plus.db'), ms)

  test('for a second: chats wait for it and work', async () => {
    await using _lock = await lock(1_000)
    const [whole, other] = await Promise.all([app.call('POST', '/v3/chat', BODY), app.call('POST', '/v3/chat', BODY)])
    expect([whole.body.message?.content, other.body.message?.content]).toEqual(['Hello there', 'Hello there'])
  })

  test('for a second while a chat runs: its end waits and comes', async () => {
    app.provider.script = answers(['one ', wait(200), 'two'])
    await using stream = await openStream(app, { ...BODY, stream: true })
    await stream.until((frames) => frames.length >= 3)
    await using _lock = await lock(1_000)
    const frames = await stream.ended
    expect({ text: deltaText(frames), end: eventNames(frames).slice(-2) }).toEqual({
      text: 'one two',
      end: ['conversation.chat.completed', 'done'],
    })
  })

  test('for long: what writes says 503 and leaves nothing behind, what reads works; then everything works again', async () => {
    const { conversation_id } = (await app.call('POST', '/v3/chat', BODY)).body
    const before = await app.core.db.selectFrom('message').select('id').execute()
    app.provider.requests.length = 0
    const held = await lock(60_000)
    const refused = [
      app.call('POST', '/v3/chat', { ...BODY, conversation_id: 'never-made' }),
      app.call('POST', '/v1/conversation/create', {}),
      app.call('DELETE', `/v1/conversations/${conversation_id}`),
    ]
    expect((await app.call('GET', `/v1/conversations/${conversation_id}`)).status).toBe(200)
    expect((await app.call('GET', '/v1/bots/123456')).status).toBe(200)
    for (const reply of await Promise.all(refused)) expectUnavailable(reply)
    await held.stop()

    expect(await app.core.db.selectFrom('message').select('id').execute()).toEqual(before)
    expect((await app.call('GET', '/v1/conversations/never-made')).status).toBe(404)
    expect(app.provider.requests).toEqual([])
    expect((await app.call('POST', '/v3/chat', BODY)).status).toBe(200)
    expect((await app.call('DELETE', `/v1/conversations/${conversation_id}`)).status).toBe(200)
  })

  test('nothing of what users said is in the log of all that', () => {
    expect(app.logs.join('')).not.toMatch(/what nobody else may read/)
  })
})

const CALLS = [
  ['GET', '/v1/bots/123456', undefined],
  ['GET', '/v1/conversations?bot_id=123456', undefined],
  ['POST', '/v1/conversation/create', { bot_id: 123456 }],
  ['POST', '/v3/chat', BODY],
] as const

function expectUnavailable(reply: Reply): void {
  expectRefusal(reply, UNAVAILABLE)
  expect(Number(reply.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
}
