import { describe, expect, test } from 'vitest'
import type { PolicyWire } from '../../src/http/console/key-policy-wire.ts'
import { answers, calls, fails, says, saysForever, wait } from '../support/fake-provider.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { changeKey, makeLimitedKey } from '../support/limited-keys.ts'
import type { LimitedKey } from '../support/limited-keys.ts'
import { openStream } from '../support/live-stream.ts'
import type { LiveStream } from '../support/live-stream.ts'
import { useTestApp } from '../support/test-app.ts'
import type { Reply, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'
import { asking, publish, speaking, useProvider } from '../support/workflow-app.ts'

const MINUTE = 60_000
const DAY = 86_400_000

describe.each(testDatabases())('how much a key may do, on $name', ({ name }) => {
  const time = { ahead: 0 }
  const clock = () => Date.now() + time.ahead
  const app = useTestApp({ database: name, clock })
  /** To the beginning of the next minute. */
  const nextMinute = () => void (time.ahead += MINUTE - (clock() % MINUTE))

  describe('requests per minute', () => limitsRequests(app, nextMinute))
  describe('runs at the same time', () => limitsRuns(app))
  describe('tokens', () => limitsTokens(app, time))
})

const tooManyRuns = (limit: number) => ({
  ...{ status: 429, code: 4013 },
  message: `concurrent_runs: this api key may have ${limit} runs going on at the same time: wait for the end of one`,
})
const chat = (app: TestApp, { apiKey }: LimitedKey, more: object = {}): Promise<Reply> =>
  app.call('POST', '/v3/chat', { bot_id: 123456, query: 'hi', ...more }, { apiKey })

function limitsRequests(app: TestApp, nextMinute: () => void): void {
  const call = (apiKey: string, path = '/v1/users/me') => app.call('GET', path, undefined, { apiKey })

  test('counts down, refuses, and begins again with the next minute', async () => {
    nextMinute()
    const { apiKey } = await makeLimitedKey(app, { requests_per_minute: 3 })
    for (const remaining of ['2', '1', '0']) {
      const { status, headers } = await call(apiKey)
      expect(status).toBe(200)
      expect([headers.get('ratelimit-limit'), headers.get('ratelimit-remaining')]).toEqual(['3', remaining])
      expect(headers.get('ratelimit-policy')).toBe('3;w=60')
    }
    const refused = await call(apiKey)
    expectRefusal(refused, { status: 429, code: 4013, message: 'requests_per_minute: this api key may make 3 requests a minute' })
    expect(refused.headers.get('retry-after')).toBe(refused.headers.get('ratelimit-reset'))
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(50)
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60)

    nextMinute()
    expect((await call(apiKey)).status).toBe(200)
  })

  test('each door says it in its own words', async () => {
    nextMinute()
    const { apiKey } = await makeLimitedKey(app, { requests_per_minute: 1 })
    await call(apiKey)
    const { status, body, headers } = await call(apiKey, '/v1/models')
    expect({ status, type: body.error.type, remaining: headers.get('ratelimit-remaining') }).toMatchObject({ status: 429, remaining: '0' })
    const mcp = await app.call('POST', '/mcp', { jsonrpc: '2.0', id: 1, method: 'tools/list' }, { apiKey })
    expect({ status: mcp.status, message: mcp.body.error.message }).toMatchObject({ status: 429, message: /requests_per_minute/ })
  })

  test('streams have the headers too; a key without the limit has none', async () => {
    nextMinute()
    app.provider.script = says('hello')
    const { apiKey } = await makeLimitedKey(app, { requests_per_minute: 5 })
    await using stream = await openStream(app, { bot_id: 123456, query: 'hi', stream: true }, { apiKey })
    expect(stream.response.headers.get('ratelimit-remaining')).toBe('4')
    await stream.ended
    expect((await call(app.apiKey)).headers.get('ratelimit-limit')).toBeNull()
  })

  test('what is refused for another reason is not counted', async () => {
    nextMinute()
    const { apiKey } = await makeLimitedKey(app, { requests_per_minute: 2, actions: ['chat'] })
    for (const path of ['/v1/bots', '/v1/bots', '/v1/bots']) expect((await call(apiKey, path)).status).toBe(403)
    expect((await call(apiKey)).headers.get('ratelimit-remaining')).toBe('1')
  })
}

/** A chat that goes on until it is stopped. */
async function hold(app: TestApp, { apiKey }: LimitedKey, body: object = {}): Promise<LiveStream> {
  app.provider.script = saysForever('x', { delayMs: 20 })
  const stream = await openStream(app, { bot_id: 123456, query: 'hi', stream: true, ...body }, { apiKey })
  await stream.until((frames) => frames.some(({ event }) => event === 'conversation.message.delta'))
  return stream
}

async function stop(app: TestApp, stream: LiveStream): Promise<void> {
  const created = stream.frames[0]?.data
  await app.call('POST', '/v3/chat/cancel', { chat_id: created.id, conversation_id: created.conversation_id })
  await stream.ended
}

function limitsRuns(app: TestApp): void {
  test('a chat too many is refused; when one ends, whatever its end, the next one may begin', async () => {
    const key = await makeLimitedKey(app, { concurrent_runs: 1 })
    await using running = await hold(app, key)
    const refused = await chat(app, key)
    expectRefusal(refused, tooManyRuns(1))
    expect(refused.headers.get('retry-after')).not.toBeNull()
    await stop(app, running)

    app.provider.script = says('done')
    for (let turn = 0; turn < 3; turn++) expect((await chat(app, key)).status).toBe(200)
    app.provider.script = fails(400)
    expect((await chat(app, key)).status).toBeGreaterThanOrEqual(400)
    app.provider.script = says('done')
    expect((await chat(app, key)).status).toBe(200)
  })

  test('of 40 at once exactly as many run as may', async () => {
    const key = await makeLimitedKey(app, { concurrent_runs: 3 })
    app.provider.script = saysForever('x', { delayMs: 20 })
    const replies = await Promise.all(
      Array.from({ length: 40 }, () =>
        chat(app, key, { query: undefined, additional_messages: [{ role: 'user', content: 'hi', content_type: 'text' }] }),
      ),
    )
    const started = replies.filter(({ status }) => status === 200)
    expect([started.length, replies.filter(({ status }) => status === 429).length]).toEqual([3, 37])
    for (const { body } of started)
      await app.call('POST', '/v3/chat/cancel', { chat_id: body.data.id, conversation_id: body.data.conversation_id })
    app.provider.script = says('done')
    expect((await chat(app, key)).status).toBe(200)
  })

  test('the same request sent many times at once is one run, and takes one place', async () => {
    const { apiKey } = await makeLimitedKey(app, { concurrent_runs: 1 })
    app.provider.script = answers(['once', wait(300)])
    const options = { apiKey, headers: { 'idempotency-key': 'together' } }
    const body = { bot_id: 123456, query: 'hi' }
    const replies = await Promise.all(Array.from({ length: 20 }, () => app.call('POST', '/v3/chat', body, options)))
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]))
    expect(new Set(replies.map(({ body }) => body.data.id)).size).toBe(1)
  })

  test('every door counts: workflows whole, streamed and queued, chatflows, OpenAI’s, MCP', async () => {
    await useProvider(app)
    const workflowId = await publish(app, speaking())
    const chatflowId = await publish(app, asking(), { mode: 'chatflow' })
    const key = await makeLimitedKey(app, { concurrent_runs: 1 })
    const running = await hold(app, key)
    const parameters = { topic: 'x' }
    for (const [path, body] of [
      ['/v1/workflow/run', { workflow_id: workflowId, parameters }],
      ['/v1/workflow/run', { workflow_id: workflowId, parameters, is_async: true }],
      ['/v1/workflow/stream_run', { workflow_id: workflowId, parameters }],
      ['/v1/workflows/chat', { workflow_id: chatflowId, query: 'hi' }],
    ] as const) {
      expectRefusal(await app.call('POST', path, body, key), tooManyRuns(1))
    }
    const completion = await app.call('POST', '/v1/chat/completions', { model: '123456', messages: [{ role: 'user', content: 'hi' }] }, key)
    expect([completion.status, completion.body.error.message]).toEqual([429, tooManyRuns(1).message])
    await stop(app, running)

    app.provider.script = says('done')
    for (const isAsync of [false, true, false]) {
      const run = () => app.call('POST', '/v1/workflow/run', { workflow_id: workflowId, parameters, is_async: isAsync }, key)
      await expect.poll(async () => (await run()).status).toBe(200)
    }
  })

  test('who waits for somebody holds no place; who goes on takes one', async () => {
    const chatflowId = await publish(app, asking(), { mode: 'workflow' })
    const key = await makeLimitedKey(app, { concurrent_runs: 1 })
    const asked = (await app.call('POST', '/v1/workflow/run', { workflow_id: chatflowId, parameters: { USER_INPUT: 'x' } }, key)).body
    const running = await hold(app, key)
    const answer = { workflow_id: chatflowId, event_id: asked.interrupt_data.event_id, resume_data: 'Paris' }
    expectRefusal(await app.call('POST', '/v1/workflow/stream_resume', answer, key), tooManyRuns(1))
    await stop(app, running)
    expect((await app.call('POST', '/v1/workflow/stream_resume', answer, key)).status).toBe(200)

    const botId = await app.makeBot(app.userId, { config: { tools: [{ type: 'function', name: 'clock' }] } })
    app.provider.script = answers([calls('clock', {}, 'call_1')])
    const { data } = (await chat(app, key, { bot_id: botId })).body
    expect(data.status).toBe('requires_action')
    const other = await hold(app, key)
    const path = `/v3/chat/submit_tool_outputs?chat_id=${data.id}&conversation_id=${data.conversation_id}`
    const outputs = { tool_outputs: [{ tool_call_id: 'call_1', output: 'ten' }] }
    expectRefusal(await app.call('POST', path, outputs, key), tooManyRuns(1))
    await stop(app, other)
    app.provider.script = says('ten')
    expect((await app.call('POST', path, outputs, key)).status).toBe(200)
  })

  test('a chat that interrupts another one takes its place', async () => {
    const key = await makeLimitedKey(app, { concurrent_runs: 1 })
    await using running = await hold(app, key)
    const { conversation_id } = running.frames[0]?.data
    app.provider.script = says('instead')
    const reply = await chat(app, key, { conversation_id, if_busy: 'interrupt' })
    expect(reply.status, reply.text).toBe(200)
  })
}

function limitsTokens(app: TestApp, time: { ahead: number }): void {
  const used = (keyId: string) => app.core.db.selectFrom('key_tokens').select('tokens').where('key_id', '=', keyId).execute()
  const makeKey = (policy: PolicyWire) => {
    app.provider.script = says('done')
    return makeLimitedKey(app, policy)
  }

  test('a day’s budget ends with its tokens, and the next day brings another', async () => {
    const key = await makeKey({ tokens_per_day: 20 })
    let calls = 0
    let reply = await chat(app, key)
    for (; reply.status === 200 && calls < 50; calls++) reply = await chat(app, key)
    expect(calls).toBeGreaterThan(0)
    const [{ tokens } = { tokens: 0 }] = await used(key.keyId)
    expect(tokens).toBeGreaterThanOrEqual(20)
    expectRefusal(reply, {
      status: 429,
      code: 4013,
      message: `tokens_per_day: this api key may use 20 tokens a day and has used ${tokens}; the next one begins at 00:00 UTC`,
    })
    const wait = Number(reply.headers.get('retry-after'))
    expect(wait).toBeGreaterThan(0)
    expect(wait).toBeLessThanOrEqual(DAY / 1000)

    time.ahead += DAY - (app.core.clock() % DAY)
    expect((await chat(app, key)).status).toBe(200)
  })

  test('a month’s budget counts its days together', async () => {
    const key = await makeKey({ tokens_per_month: 1_000 })
    const now = new Date(app.core.clock())
    const [year, month] = [now.getUTCFullYear(), now.getUTCMonth()]
    const rows = [
      { key_id: key.keyId, day: Date.UTC(year, month) / DAY - 1, tokens: 5_000 },
      { key_id: key.keyId, day: Math.floor(now.getTime() / DAY), tokens: 999 },
    ]
    await app.core.db.insertInto('key_tokens').values(rows).execute()
    expect((await chat(app, key)).status).toBe(200)
    const refused = await chat(app, key)
    expectRefusal(refused, { status: 429, code: 4013, message: /^tokens_per_month: this api key may use 1000 tokens a month/ })
    const seconds = Number(refused.headers.get('retry-after'))
    expect(Math.abs(seconds - (Date.UTC(year, month + 1) - app.core.clock()) / 1000)).toBeLessThan(60)
  })

  test('tokens of workflows count once, also of one that answers a chat', async () => {
    await useProvider(app)
    const workflowId = await publish(app, speaking())
    const key = await makeKey({ tokens_per_day: 1_000_000 })
    const run = (await app.call('POST', '/v1/workflow/run', { workflow_id: workflowId, parameters: { topic: 'x' } }, key)).body
    expect(run.usage.token_count).toBeGreaterThan(0)
    expect((await used(key.keyId)).map(({ tokens }) => tokens)).toEqual([run.usage.token_count])
  })

  test('a budget that is set later counts from then on', async () => {
    const key = await makeKey({})
    await chat(app, key)
    expect(await used(key.keyId)).toEqual([])
    await changeKey(app, key.keyId, { policy: { tokens_per_day: 1_000 } })
    await chat(app, key)
    expect((await used(key.keyId)).length).toBe(1)
  })

  test('many runs at once lose no token', async () => {
    const key = await makeKey({ tokens_per_day: 1_000_000 })
    const replies = await Promise.all(Array.from({ length: 20 }, () => chat(app, key)))
    const total = replies.reduce((sum, { body }) => sum + Number(body.data.usage.token_count), 0)
    expect((await used(key.keyId)).map(({ tokens }) => tokens)).toEqual([total])
  })
}
