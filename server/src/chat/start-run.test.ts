import { describe, expect, test } from 'vitest'
import { ADA, BOB, DONE, asking, openChatHouse, sayAndWait } from '../../test/support/chat-house.ts'
import type { ChatHouse } from '../../test/support/chat-house.ts'
import { testDatabases } from '../../test/support/test-databases.ts'
import { createBot, publishBot, unpublishBot } from '../bots/bots.ts'
import { botConfigSchema } from '../bots/bot-config.ts'
import { createConversation, getConversation } from '../conversations/conversations.ts'
import { claimConversation } from '../conversations/conversation-store.ts'
import type { Db } from '../db/database.ts'
import { startRun } from './start-run.ts'
import { findRun } from './run-store.ts'

const BUSY = expect.objectContaining({ code: 'conversation_busy' })
const NOT_FOUND = expect.objectContaining({ code: 'not_found' })

describe.each(testDatabases())('a chat on $name', ({ open }) => {
  test('stores the question and the run at once, and the answer when it is there', async () => {
    await using db = await open()
    const house = await openChatHouse(db)
    const { run, finished } = await house.ask('你好 🚀', { endUser: 'user_1', metaData: { a: 'b' } })

    expect(await findRun(db, run.id)).toEqual(run)
    expect(run).toMatchObject({ status: 'in_progress', ownerId: '1', keyId: '7', endUser: 'user_1', metaData: { a: 'b' }, finishedAt: 0 })
    expect(await house.messages(run.conversationId)).toEqual(['user: 你好 🚀'])

    const { run: ended, answer } = await finished
    expect(await findRun(db, run.id)).toEqual(ended)
    expect(ended).toMatchObject({ status: 'completed', usage: DONE.usage, finishedAt: house.time.now, error: undefined })
    expect(answer).toMatchObject({ id: run.answerId, type: 'answer', content: 'ok' })
    expect(await house.messages(run.conversationId)).toEqual(['user: 你好 🚀', 'assistant: ok'])
    expect(await getConversation(house.deps, ADA, run.conversationId)).toMatchObject({ botId: house.botId, endUser: 'user_1' })
    expect(house.errors).toEqual([])
  })

  test('goes on with a conversation, and the model sees what was said', async () => {
    await using db = await open()
    const house = await openChatHouse(db)
    const first = await house.ask('one')
    await first.finished
    const { conversationId } = first.run
    await (
      await house.ask('two', { conversationId })
    ).finished
    // no new message: the conversation speaks for itself
    await (
      await house.ask('', { conversationId, messages: [] })
    ).finished

    expect(house.model.requests.map((request) => request.messages.map(({ content }) => content))).toEqual([
      ['Be kind.', 'one'],
      ['Be kind.', 'one', 'ok', 'two'],
      ['Be kind.', 'one', 'ok', 'two', 'ok'],
    ])
    expect(await house.messages(conversationId)).toEqual(['user: one', 'assistant: ok', 'user: two', 'assistant: ok', 'assistant: ok'])
  })

  test('is one at a time in a conversation: of many that come together one runs, and nothing of the others is stored', async () => {
    await using db = await open()
    const house = await openChatHouse(db)
    const { id: conversationId } = await createConversation(house.deps, ADA, { messages: [] })
    house.model.script = sayAndWait('…')
    const texts = ['a', 'b', 'c', 'd', 'e']
    const results = await Promise.allSettled(texts.map((text) => house.ask(text, { conversationId })))
    await expect(house.ask('later', { conversationId })).rejects.toEqual(BUSY)

    expect(results.filter((result) => result.status === 'rejected').map(({ reason }) => reason as unknown)).toEqual([
      BUSY,
      BUSY,
      BUSY,
      BUSY,
    ])
    expect([(await house.messages(conversationId)).length, await countRuns(db), house.model.requests.length]).toEqual([1, 1, 1])

    const [started] = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    await house.deps.liveRuns.stop(started?.run.id ?? '', 'canceled')
    house.model.script = async () => DONE
    await (
      await house.ask('now', { conversationId })
    ).finished
  })

  test('an id of the caller’s own choice makes a conversation once and names it from then on', async () => {
    await using db = await open()
    const house = await openChatHouse(db)
    house.model.script = sayAndWait('…')
    const results = await Promise.allSettled(['a', 'b', 'c'].map((text) => house.ask(text, { conversationId: 'conv_789' })))
    const started = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    expect(started).toHaveLength(1)
    expect(results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))).toEqual([BUSY, BUSY])
    await house.deps.liveRuns.stop(started[0]?.run.id ?? '', 'canceled')

    house.model.script = async () => DONE
    const again = await house.ask('again', { conversationId: 'conv_789' })
    expect(again.run.conversationId).toBe(started[0]?.run.conversationId)
    expect(await countRuns(db)).toBe(2)
    await again.finished
  })
})

describe('a chat that is refused', () => {
  test.each<[string, (house: ChatHouse) => Promise<unknown>, string]>([
    ['without a message', (house) => house.ask('', { messages: [] }), 'invalid_request'],
    ['with a bot nobody has', (house) => house.ask('x', { botId: '404' }), 'not_found'],
    ['with another’s bot', (house) => startRun(house.deps, BOB, asking(house.botId, 'x')), 'not_found'],
    ['with a bot that was unpublished', askUnpublished, 'not_found'],
    ['in a conversation nobody has', (house) => house.ask('x', { conversationId: '404' }), 'not_found'],
    ['in another’s conversation', askInForeign, 'not_found'],
    ['in another bot’s conversation', askInOtherBots, 'not_found'],
    ['in another end user’s conversation', askAsOtherUser, 'not_found'],
    ['with a file nobody has', (house) => house.ask('x', withFile('56')), 'not_found'],
  ])('%s leaves nothing behind', async (...[, act, code]) => {
    await using db = await openMemory()
    const house = await openChatHouse(db)

    await expect(act(house)).rejects.toEqual(expect.objectContaining({ code }))
    const questions = await db.selectFrom('message').select('id').execute()
    expect([questions.length, await countRuns(db), house.model.requests.length, house.deps.liveRuns.count]).toEqual([0, 0, 0, 0])
  })
})

test('as many chats as the server takes, and not one more until one has ended', async () => {
  await using db = await openMemory()
  const house = await openChatHouse(db, { maxRuns: 2 })
  house.model.script = sayAndWait('…')
  const [first] = [await house.ask('1'), await house.ask('2')]
  await expect(house.ask('3')).rejects.toEqual(expect.objectContaining({ code: 'rate_limited' }))
  expect(await countRuns(db)).toBe(2)

  await house.deps.liveRuns.stop(first.run.id, 'canceled')
  expect(await house.ask('4')).toMatchObject({ run: { status: 'in_progress' } })
})

test('a question that cannot be stored is not put to the model', async () => {
  await using db = await openMemory()
  const gone = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  const house = await openChatHouse(db, { commits: { write: () => Promise.reject(gone), idle: async () => undefined } })

  await expect(house.ask('hello')).rejects.toBe(gone)
  expect([house.model.requests.length, house.deps.liveRuns.count]).toEqual([0, 0])
})

test('a chat that cannot be made ready is not stored: it would hold its conversation', async () => {
  await using db = await openMemory()
  const house = await openChatHouse(db, { bot: { variables: [{ name: 'city' }] } })
  const { id: conversationId } = await createConversation(house.deps, ADA, { messages: [] })
  const gone = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  const deps = { ...house.deps, findVariables: () => Promise.reject(gone) }

  await expect(startRun(deps, ADA, { ...asking(house.botId, 'x'), conversationId, endUser: 'u' })).rejects.toBe(gone)
  expect([await countRuns(db), await house.messages(conversationId)]).toEqual([0, []])
  await (
    await house.ask('x', { conversationId })
  ).finished
})

test('a conversation whose end user is not known yet takes any', async () => {
  await using db = await openMemory()
  const house = await openChatHouse(db)
  const { id: conversationId } = await createConversation(house.deps, ADA, { messages: [] })
  await (
    await house.ask('x', { conversationId, endUser: 'b' })
  ).finished

  expect(house.model.requests[0]?.endUser).toBe('b')
})

test('a file of the caller reaches the model', async () => {
  await using db = await openMemory()
  const house = await openChatHouse(db)
  await (
    await house.ask('x', withFile('55'))
  ).finished

  expect(house.model.requests[0]?.messages.at(-1)?.content).toEqual([
    { type: 'text', text: 'what is it?' },
    { type: 'image', url: 'data:image/png;base64,AA' },
  ])
})

test('a conversation that another server is chatting in is busy here', async () => {
  await using db = await openMemory()
  const house = await openChatHouse(db)
  const { id: conversationId } = await createConversation(house.deps, ADA, { messages: [] })
  await claimConversation(db, conversationId, { runId: '99', now: 1 })

  await expect(house.ask('x', { conversationId })).rejects.toEqual(BUSY)
  await expect(house.ask('x', { conversationId: '404' })).rejects.toEqual(NOT_FOUND)
})

const countRuns = async (db: Db) => (await db.selectFrom('run').select('id').execute()).length

function withFile(fileId: string) {
  const parts = [
    { type: 'text', text: 'what is it?' },
    { type: 'image', file_id: fileId },
  ]
  return { messages: [{ role: 'user', content: JSON.stringify(parts), contentType: 'object_string' } as const] }
}

async function askUnpublished(house: ChatHouse) {
  await unpublishBot(house.deps, ADA, house.botId)
  return house.ask('x')
}

async function askInForeign(house: ChatHouse) {
  const { id: conversationId } = await createConversation(house.deps, BOB, { externalId: 'conv_b', messages: [] })
  return house.ask('x', { conversationId })
}

async function askInOtherBots(house: ChatHouse) {
  const other = await createBot(house.deps, ADA, { name: 'o', description: '', iconUrl: '', config: botConfigSchema.parse({}) })
  await publishBot(house.deps, ADA, { botId: other.id })
  const { id: conversationId } = await createConversation(house.deps, ADA, { botId: other.id, messages: [] })
  return house.ask('x', { conversationId })
}

async function askAsOtherUser(house: ChatHouse) {
  const { id: conversationId } = await createConversation(house.deps, ADA, { endUser: 'a', messages: [] })
  return house.ask('x', { conversationId, endUser: 'b' })
}

function openMemory() {
  const [sqlite] = testDatabases()
  if (!sqlite) throw new Error('no database')
  return sqlite.open()
}
