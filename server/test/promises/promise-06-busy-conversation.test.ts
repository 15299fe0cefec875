import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { answers, hang, says, saysForever, wait } from '../support/fake-provider.ts'
import type { ReceivedRequest } from '../support/fake-provider.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { openStream } from '../support/live-stream.ts'
import type { LiveStream } from '../support/live-stream.ts'
import { chatPath } from '../support/resumed-stream.ts'
import { deltaText, eventNames } from '../support/sse-frames.ts'
import { useTestApp } from '../support/test-app.ts'
import type { Json, Reply, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

/** Promise 6: two sends on one conversation never mix. */

const SENDS = 20
const BUSY = { status: 409, code: 4016, message: /^a chat is already running in this conversation/ }

describe.each(testDatabases())('20 sends at once on one conversation, on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  describe.each(['that is there', 'that begins with them'])('%s', (kind) => {
    const conversation = (of: string) => (kind === 'that is there' ? begin(app, of) : Promise.resolve(`new-${of}`))
    test('with reject: one is answered, the others are told that it is busy', () => rejects(app, () => conversation('reject')))
    test('with enqueue: all are answered, one after another, and each sees those before it', () =>
      enqueues(app, () => conversation('enqueue')))
    test('with interrupt: the last one is answered, the others are canceled', () => interrupts(app, () => conversation('interrupt')))
  })
  describe('a queue', () => queues(app))
  describe('an interrupted chat', () => keepsWhatCame(app))
})

async function begin(app: TestApp, id: string): Promise<string> {
  app.provider.script = says('welcome')
  await send(app, 'first', { conversation_id: `old-${id}` })
  app.provider.requests.length = 0
  return `old-${id}`
}

const send = (app: TestApp, query: string, more: object): Promise<Reply> => app.call('POST', '/v3/chat', { bot_id: 123456, query, ...more })
const sendAll = (app: TestApp, more: object): Promise<Reply[]> =>
  Promise.all(Array.from({ length: SENDS }, (_, at) => send(app, `q${at}`, more)))
const openAs = (app: TestApp, query: string, more: object): Promise<LiveStream> =>
  openStream(app, { bot_id: 123456, query, stream: true, ...more })

const echo = ({ lastUserText }: ReceivedRequest) => answers(['re ', wait(5), lastUserText])

async function contentsOf(app: TestApp, conversationId: string): Promise<string[]> {
  const { body } = await app.call('POST', `/v1/conversation/message/list?conversation_id=${conversationId}`, { order: 'asc', limit: 50 })
  return body.data.map((message: Json) => message.content).filter((text: string) => text !== 'first' && text !== 'welcome')
}

async function rejects(app: TestApp, conversation: () => Promise<string>): Promise<void> {
  const conversation_id = await conversation()
  app.provider.script = answers(['re ', wait(300), 'one'])
  const replies = await sendAll(app, { conversation_id })
  const [winner, ...others] = replies.toSorted((a, b) => a.status - b.status)
  expect(winner?.body.message.content).toBe('re one')
  for (const reply of others) expectRefusal(reply, BUSY)
  expect(app.provider.requests.length).toBe(1)
  expect(await contentsOf(app, conversation_id)).toEqual([app.provider.lastRequest.lastUserText, 're one'])
}

async function enqueues(app: TestApp, conversation: () => Promise<string>): Promise<void> {
  const conversation_id = await conversation()
  app.provider.script = echo
  const replies = await sendAll(app, { conversation_id, if_busy: 'enqueue' })
  expect(replies.map(({ status, body }) => `${status} ${body.message?.content} ${body.msg}`)).toEqual(
    replies.map((_, at) => `200 re q${at} `),
  )

  const inOrder = app.provider.requests.map((request) => request.lastUserText)
  expect(inOrder.toSorted()).toEqual(replies.map((_, at) => `q${at}`).toSorted())
  const history = inOrder.flatMap((question) => [question, `re ${question}`])
  expect(await contentsOf(app, conversation_id)).toEqual(history)
  app.provider.requests.forEach((request, at) => {
    const seen = request.body.messages.filter((message) => message.role !== 'system').map((message) => message.content)
    expect(seen.filter((text) => text !== 'first' && text !== 'welcome')).toEqual(history.slice(0, 2 * at + 1))
  })
  expect(app.provider.open).toBe(0)
}

async function interrupts(app: TestApp, conversation: () => Promise<string>): Promise<void> {
  const conversation_id = await conversation()
  app.provider.script = answers(['begun ', wait(400), 'done'])
  const replies = await sendAll(app, { conversation_id, if_busy: 'interrupt' })
  const states = replies.map(({ status, body }) => `${status} ${body.data?.status ?? body.msg}`).toSorted()
  expect(states).toEqual([...Array(SENDS - 1).fill('200 canceled'), '200 completed'])
  const contents = await contentsOf(app, conversation_id)
  expect(contents.at(-1)).toBe('begun done')
  expect(contents.filter((text) => text === 'begun done').length).toBe(1)
}

function queues(app: TestApp): void {
  test('is answered in the order of its questions', async () => {
    const conversation_id = await begin(app, 'order')
    app.provider.script = echo
    const sent: Promise<Reply>[] = []
    for (let at = 0; at < 10; at++) {
      sent.push(send(app, `q${at}`, { conversation_id, if_busy: 'enqueue' }))
      await sleep(10)
    }
    await Promise.all(sent)
    expect(app.provider.requests.map((request) => request.lastUserText)).toEqual(sent.map((_, at) => `q${at}`))
  })

  test('says created until it is a chat’s turn, streams and all', async () => {
    const conversation_id = await begin(app, 'states')
    app.provider.script = [answers(['long', wait(300)]), says('short')]
    await using first = await openAs(app, 'a', { conversation_id })
    await first.until((frames) => deltaText(frames) !== '')
    await using second = await openAs(app, 'b', { conversation_id, if_busy: 'enqueue' })
    const [created] = await second.until((frames) => frames.length > 0)
    await sleep(50)
    expect(eventNames(second.frames)).toEqual(['conversation.chat.created'])
    expect((await app.call('GET', chatPath(created?.data, '/v3/chat/retrieve'))).body.data.status).toBe('created')
    expect(deltaText(await second.ended)).toBe('short')
    expect(eventNames(first.frames).slice(-2)).toEqual(['conversation.chat.completed', 'done'])
  })

  test('one that is canceled before its turn never runs, and those behind it do', async () => {
    const conversation_id = await begin(app, 'canceled')
    app.provider.script = [answers(['long', wait(300)]), says('short')]
    await using first = await openAs(app, 'a', { conversation_id })
    await first.until((frames) => deltaText(frames) !== '')
    await using second = await openAs(app, 'b', { conversation_id, if_busy: 'enqueue' })
    const [created] = await second.until((frames) => frames.length > 0)
    await using third = await openAs(app, 'c', { conversation_id, if_busy: 'enqueue' })

    const canceled = await app.call('POST', '/v3/chat/cancel', { conversation_id, chat_id: created?.data.id })
    expect(canceled.body.data.status).toBe('canceled')
    expect(eventNames(await second.ended)).toEqual(['conversation.chat.created', 'conversation.chat.canceled', 'done'])
    expect(deltaText(await third.ended)).toBe('short')
    expect(app.provider.requests.map((request) => request.lastUserText)).toEqual(['a', 'c'])
  })

  test('goes on when the chat before it is canceled, or fails', async () => {
    const conversation_id = await begin(app, 'goes-on')
    app.provider.script = [answers(['endless', hang()]), answers(['bro', { do: 'cut' }]), says('ken')]
    await using first = await openAs(app, 'a', { conversation_id })
    const [created] = await first.until((frames) => deltaText(frames) !== '')
    await using second = await openAs(app, 'b', { conversation_id, if_busy: 'enqueue' })
    await second.until((frames) => frames.length > 0)
    await using third = await openAs(app, 'c', { conversation_id, if_busy: 'enqueue' })
    await app.call('POST', '/v3/chat/cancel', { conversation_id, chat_id: created?.data.id })
    expect(eventNames(await second.ended).at(-2)).toBe('conversation.chat.failed')
    expect(deltaText(await third.ended)).toBe('ken')
    await app.provider.untilAborted()
  })

  test('has room for 20, and the next one is told so', async () => {
    const conversation_id = await begin(app, 'full')
    app.provider.script = [answers(['endless', hang()]), says('ok')]
    await using first = await openAs(app, 'a', { conversation_id })
    const [created] = await first.until((frames) => deltaText(frames) !== '')
    const waiting: LiveStream[] = []
    for (let at = 0; at < 20; at++) waiting.push(await openAs(app, `q${at}`, { conversation_id, if_busy: 'enqueue' }))
    expectRefusal(await send(app, 'too much', { conversation_id, if_busy: 'enqueue' }), {
      status: 429,
      code: 4013,
      message: '20 chats are waiting for this conversation already: try again later',
    })
    await app.call('POST', '/v3/chat/cancel', { conversation_id, chat_id: created?.data.id })
    for (const stream of waiting) expect(eventNames(await stream.ended).at(-2)).toBe('conversation.chat.completed')
    expect((await contentsOf(app, conversation_id)).includes('too much')).toBe(false)
  })

  test('of a conversation that is deleted ends: its chats fail, and nothing waits for ever', async () => {
    const conversation_id = await begin(app, 'deleted')
    app.provider.script = [answers(['endless', wait(300)]), says('ok')]
    await using first = await openAs(app, 'a', { conversation_id })
    await first.until((frames) => deltaText(frames) !== '')
    await using second = await openAs(app, 'b', { conversation_id, if_busy: 'enqueue' })
    await second.until((frames) => frames.length > 0)
    await app.call('DELETE', `/v1/conversations/${conversation_id}`)
    expect(eventNames(await second.ended).at(-2)).toMatch(/failed|completed/)
    expect(eventNames(await first.ended).at(-2)).toBe('conversation.chat.completed')
  })
}

function keepsWhatCame(app: TestApp): void {
  test('ends as canceled with its text so far, and the next one sees it', async () => {
    const conversation_id = await begin(app, 'partial')
    app.provider.script = [saysForever('word ', { delayMs: 5 }), says('the end')]
    await using first = await openAs(app, 'a', { conversation_id })
    await first.until((frames) => deltaText(frames).length > 30)
    const { body } = await send(app, 'b', { conversation_id, if_busy: 'interrupt' })
    expect(body.message.content).toBe('the end')

    const frames = await first.ended
    const partial = deltaText(frames)
    expect(eventNames(frames).slice(-2)).toEqual(['conversation.chat.canceled', 'done'])
    expect(await contentsOf(app, conversation_id)).toEqual(['a', partial, 'b', 'the end'])
    expect(app.provider.lastRequest.body.messages.slice(-3).map((message) => message.content)).toEqual(['a', partial, 'b'])
    const written = app.provider.requests[0]?.tokensWritten
    await sleep(60)
    expect(app.provider.requests[0]).toMatchObject({ aborted: true, tokensWritten: written })
  })
}
