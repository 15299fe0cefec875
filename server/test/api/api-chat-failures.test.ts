import { afterEach, describe, expect, test, vi } from 'vitest'
import { saveModel } from '../../src/models/model-store.ts'
import { answers, cut, fails, hang, hangs, refuses, says, saysForever, sendsHtml, sendsRaw } from '../support/fake-provider.ts'
import type { Script } from '../support/fake-provider.ts'
import { anyFailedChat } from '../support/chat-shapes.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { openStream, readStream } from '../support/live-stream.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { deltaText, eventNames, frameOf } from '../support/sse-frames.ts'
import type { Frame } from '../support/sse-frames.ts'
import { freePort } from '../support/free-port.ts'
import { PROVIDER_KEY, startTestApp, useTestApp } from '../support/test-app.ts'
import type { TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

const BODY = { bot_id: 123456, query: 'hi' }
const STREAM = { ...BODY, stream: true }

/** What a provider does, what the caller is told, and how often the provider is asked. */
type Failure = { does: string; script: Script; says: string | RegExp; code?: number; asked: number }

const NOT_RETRIED: Failure[] = [
  { does: 'refuses the key', script: fails(401), says: 'the model provider refuses the API key (401)', asked: 1 },
  { does: 'forbids it', script: fails(403), says: 'the model provider refuses the API key (403)', asked: 1 },
  {
    does: 'limits the rate for a minute',
    script: fails(429, { retryAfter: 60 }),
    says: 'the model provider limits the rate of calls (429)',
    code: 4013,
    asked: 1,
  },
  {
    does: 'refuses the request',
    script: fails(400, { message: 'no such model' }),
    says: 'the model provider refuses the request (400): no such model',
    asked: 1,
  },
  { does: 'answers with a web page', script: sendsHtml(), says: /answers with a web page: check the base URL$/, asked: 1 },
  { does: 'answers with a redirect', script: fails(302), says: /answers with 302 instead of 200: check the base URL$/, asked: 1 },
  {
    does: 'talks nonsense',
    script: sendsRaw(['data: {"nonsense\n\n']),
    says: /^the model provider sent something that is not JSON/,
    asked: 1,
  },
  { does: 'sends bytes', script: sendsRaw([Buffer.alloc(5_000, 0xfe)]), says: /^the model provider sent something/, asked: 1 },
  { does: 'sends nothing at all', script: sendsRaw([]), says: /^the (model provider|answer of the model)/, asked: 3 },
  {
    does: 'reports an error in its answer',
    script: sendsRaw(['data: {"error":{"message":"content filtered","code":"content_filter"}}\n\n']),
    says: 'the model provider reports an error: content filtered',
    asked: 1,
  },
]

const RETRIED: Failure[] = [
  { does: 'fails', script: fails(500), says: 'the model provider failed (500)', asked: 3 },
  { does: 'is overloaded', script: fails(503), says: 'the model provider failed (503)', asked: 3 },
  { does: 'limits the rate', script: fails(429), says: 'the model provider limits the rate of calls (429)', code: 4013, asked: 3 },
  { does: 'closes the connection', script: refuses(), says: /^the model provider broke the connection/, asked: 3 },
  { does: 'breaks off before the first word', script: answers([cut()]), says: /^the model provider broke the connection/, asked: 3 },
]

describe.each(testDatabases())('a chat whose model fails, on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  describe('works', () => {
    describe('when asking again helps', () => succeedsAfterRetries(app))
    describe('as far as the answer came', () => keepsPartialAnswers(app))
  })
  describe('refuses, when the provider', () => {
    test.each([...NOT_RETRIED, ...RETRIED])(
      '$does: a stream ends with chat.failed, a whole answer is a 500 that has the chat',
      async (failure) => {
        app.provider.script = failure.script
        const [frames, reply] = await Promise.all([readStream(app, STREAM), app.call('POST', '/v3/chat', BODY)])
        const chat = anyFailedChat({ last_error: errorOf(failure) })

        expect(eventNames(frames)).toEqual([...BEGIN, 'conversation.chat.failed', 'done'])
        expect(failedChat(frames)).toEqual(chat)
        const { conversation_id } = reply.body.data
        expectRefusal(reply, { status: 500, message: failure.says, more: { data: chat, conversation_id } })
        expect(app.provider.requests.length).toBe(2 * failure.asked)

        app.provider.script = says('fine')
        for (const failed of [failedChat(frames), reply.body.data]) await expectOver(app, failed)
      },
    )

    describe('is not there', () => refusesWithoutProvider(app))
    describe('never ends', () => refusesEndlessAnswers(app))
  })
  describe('refuses the wrong key', () => {
    test('what went wrong is for the owner’s eyes', async () => {
      app.provider.script = fails(401)
      const chat = (await app.call('POST', '/v3/chat', BODY)).body.data
      const { apiKey } = await app.makeUser()
      const path = `/v3/chat/retrieve?conversation_id=${chat.conversation_id}&chat_id=${chat.id}`
      expectRefusal(await app.call('GET', path, undefined, { apiKey }), { status: 404, message: 'chat not found' })
    })
  })

  test('the provider’s own words about its key are shown to nobody', async () => {
    for (const status of [400, 401, 403, 429, 500]) {
      app.provider.script = fails(status, {
        message: `Incorrect API key provided: ${PROVIDER_KEY}. Organization org-12345`,
        retryAfter: 60,
      })
      const { text } = await app.call('POST', '/v3/chat', BODY)
      expect(text).not.toContain(PROVIDER_KEY)
      if (status !== 400) expect(text).not.toContain('org-12345')
    }
    await expect.poll(() => app.logs.length).toBeGreaterThan(5)
    expect(app.logs.join('')).not.toContain(PROVIDER_KEY)
  })

  keepsItsSecrets(app)
})

describe('a model that is silent', () => {
  afterEach(() => vi.useRealTimers())

  test.each([
    { how: 'does not begin', script: hangs(), msg: 'the model did not begin to answer within 120 s', asked: 3, text: '' },
    { how: 'stops in the middle', script: answers(['Hel', hang()]), msg: 'the model sent nothing for 60 s', asked: 1, text: 'Hel' },
  ])('$how: the chat fails when its time is over', async ({ script, msg, asked, text }) => {
    await using app = await startTestApp({ script })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true, shouldClearNativeTimers: true })
    await using stream = await openStream(app, STREAM)
    for (let time = 1; time <= asked; time++) {
      await app.provider.untilRequests(time)
      if (text) await stream.until((frames) => deltaText(frames) === text)
      await vi.advanceTimersByTimeAsync(121_000)
    }

    const frames = await stream.ended
    expect(failedChat(frames).last_error).toEqual({ code: 5000, msg })
    expect({ text: deltaText(frames), asked: app.provider.requests.length }).toEqual({ text, asked })
  })

  test('is not waited for any longer than a chat may take', async () => {
    await using app = await startTestApp({ script: saysForever('x', { delayMs: 5 }) })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true, shouldClearNativeTimers: true })
    await using stream = await openStream(app, STREAM)
    for (let halfMinute = 0; halfMinute <= 20; halfMinute++) {
      const before = stream.frames.length
      await stream.until((frames) => frames.length > before)
      await vi.advanceTimersByTimeAsync(30_000)
    }

    const frames = await stream.ended
    expect(failedChat(frames).last_error.msg).toBe('the chat took longer than this server allows and was stopped')
    await app.provider.untilAborted()
  })
})

const BEGIN = ['conversation.chat.created', 'conversation.chat.in_progress']
const failedChat = (frames: Frame[]) => frameOf(frames, 'conversation.chat.failed').data

function errorOf({ code = 5000, says: text }: Failure) {
  return { code, msg: typeof text === 'string' ? text : expect.stringMatching(text) }
}

/** The chat stays failed, the conversation has the question alone, and is free for the next one. */
async function expectOver(app: TestApp, chat: { id: string; conversation_id: string }): Promise<void> {
  const { conversation_id } = chat
  const kept = await app.call('GET', `/v3/chat/retrieve?conversation_id=${conversation_id}&chat_id=${chat.id}`)
  expect(kept.body.data).toEqual(chat)
  const { body } = await app.call('POST', `/v1/conversation/message/list?conversation_id=${conversation_id}`, {})
  expect(body.data.map((message: { type: string }) => message.type)).toEqual(['question'])
  expect((await app.call('POST', '/v3/chat', { ...BODY, conversation_id })).body.message.content).toBe('fine')
}

function succeedsAfterRetries(app: TestApp): void {
  test.each(RETRIED)('the provider $does once', async ({ script }) => {
    for (const body of [BODY, STREAM]) {
      app.provider.requests.length = 0
      app.provider.script = [once(script), says('after ', 'all')]
      const answer =
        body === STREAM ? deltaText(await readStream(app, STREAM)) : (await app.call('POST', '/v3/chat', BODY)).body.message.content
      expect({ answer, asked: app.provider.requests.length }).toEqual({ answer: 'after all', asked: 2 })
    }
  })

  test('a Retry-After is waited for', async () => {
    app.provider.script = [fails(429, { retryAfter: 1 }), says('after all')]
    const startedAt = performance.now()
    expect((await app.call('POST', '/v3/chat', BODY)).body.message.content).toBe('after all')
    expect(performance.now() - startedAt).toBeGreaterThan(990)
  })

  test('the model is asked the same again', async () => {
    app.provider.script = [fails(500), says('fine')]
    await app.call('POST', '/v3/chat', BODY)
    const [first, second] = app.provider.requests
    expect(second?.body).toEqual(first?.body)
  })
}

/** Scripts are lists here: their one answer. */
const once = (script: Script) => {
  if (typeof script === 'function' || Array.isArray(script)) throw new Error('not a single answer')
  return script
}

function keepsPartialAnswers(app: TestApp): void {
  test.each([
    ['breaks off', answers(['Hel', 'lo', cut()]), /^the model provider broke the connection/],
    ['ends without an end', answers(['Hel', 'lo', { do: 'stop' }]), 'the answer of the model broke off before its end'],
    [
      'turns to nonsense',
      answers(['Hel', 'lo', { do: 'raw', bytes: 'data: <oops>\n\n' }, { do: 'stop' }]),
      /^the model provider sent something/,
    ],
    [
      'turns to an error',
      answers(['Hel', 'lo', { do: 'raw', bytes: 'data: {"error":{"message":"overloaded"}}\n\n' }, { do: 'stop' }]),
      'the model provider reports an error: overloaded',
    ],
  ])('an answer that %s: what came is told, kept and marked, and the model is not asked again', async (_, script, message) => {
    app.provider.script = script
    const frames = await readStream(app, STREAM)
    const completed = 'conversation.message.completed'
    const delta = 'conversation.message.delta'
    expect(eventNames(frames)).toEqual([...BEGIN, delta, delta, completed, 'conversation.chat.failed', 'done'])
    expect(frameOf(frames, completed).data.content).toBe('Hello')
    const chat = failedChat(frames)
    expect(chat.last_error).toEqual(errorOf({ says: message, does: '', script, asked: 1 }))
    expect(app.provider.requests.length).toBe(1)

    const list = await app.call('GET', `/v3/chat/message/list?conversation_id=${chat.conversation_id}&chat_id=${chat.id}`)
    expect(list.body.data).toMatchObject([{ type: 'answer', content: 'Hello', meta_data: { incomplete: 'failed' } }])
  })

  test('an answer whose end is there counts, whatever happens to the connection afterwards', async () => {
    const end = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    app.provider.script = answers(['Hello', { do: 'raw', bytes: end }, cut()])
    const frames = await readStream(app, STREAM)
    expect(frameOf(frames, 'conversation.chat.completed').data.status).toBe('completed')
  })
}

function refusesWithoutProvider(app: TestApp): void {
  const botOn = async (model: string) => app.makeBot(app.userId, { config: { model } })

  test('its port refuses connections', async () => {
    const baseUrl = `http://127.0.0.1:${await freePort()}/v1`
    await saveModel(app.core, { name: 'gone', protocol: 'openai', baseUrl, apiKey: PROVIDER_KEY, providerModel: 'x' })
    const frames = await readStream(app, { ...STREAM, bot_id: await botOn('gone') })
    expect(failedChat(frames).last_error).toEqual({ code: 5000, msg: 'the model provider cannot be reached (ECONNREFUSED)' })
    expect(JSON.stringify(frames)).not.toContain(baseUrl)
  })

  test('the bot names a model that is not set up', async () => {
    const reply = await app.call('POST', '/v3/chat', { ...BODY, bot_id: await botOn('nowhere') })
    expect({ status: reply.status, body: reply.body }).toMatchObject({
      status: 500,
      body: { code: 500, msg: 'no model named nowhere is configured: set it up in a manifest and apply it', data: { status: 'failed' } },
    })
  })
}

/** The end of an answer comes at the latest when it is as long as the server allows; that much can always be stored. */
function refusesEndlessAnswers(app: TestApp): void {
  test.each([
    ['digits', '0123456789'],
    ['quotes', '"'],
    ['control characters', '\u0001'],
  ])('with %s', async (_, characters) => {
    app.provider.script = saysForever(characters.repeat(10_000 / characters.length))
    const frames = await readStream(app, STREAM)
    const chat = failedChat(frames)
    expect(chat.last_error.msg).toBe('the answer of the model is longer than the limit of 4194304 bytes')
    await expect.poll(() => app.provider.open).toBe(0)

    const text = deltaText(frames)
    const jsonBytes = JSON.stringify(text).length
    expect(jsonBytes).toBeGreaterThan(4_000_000)
    expect(jsonBytes).toBeLessThanOrEqual(4_194_306)
    expect(frameOf(frames, 'conversation.message.completed').data.content === text).toBe(true)
    const list = await app.call('GET', `/v3/chat/message/list?conversation_id=${chat.conversation_id}&chat_id=${chat.id}`)
    expect(list.body.data[0].content === text).toBe(true)
  })
}
