import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { ADA, DONE, openChatHouse, sayAndWait } from '../../test/support/chat-house.ts'
import type { ChatHouse, Script } from '../../test/support/chat-house.ts'
import { testDatabases } from '../../test/support/test-databases.ts'
import { createConversation, deleteConversation } from '../conversations/conversations.ts'
import type { Db } from '../db/database.ts'
import { findRun } from './run-store.ts'

/** A conversation in which a chat is running that does not end by itself. */
async function openBusy(db: Db) {
  const house = await openChatHouse(db)
  const { id: conversationId } = await createConversation(house.deps, ADA, { messages: [] })
  house.model.script = byQuestion({ long: sayAndWait('half') })
  const running = await house.ask('long', { conversationId })
  const ask = (text: string, ifBusy: 'enqueue' | 'interrupt') => house.ask(text, { conversationId, ifBusy })
  return { house, conversationId, running, ask, end: () => house.deps.liveRuns.stop(running.run.id, 'canceled') }
}

describe.each(testDatabases())('chats that queue for a conversation on $name', ({ open }) => {
  test('run one after the other, in the order in which they came', async () => {
    await using db = await open()
    const { house, conversationId, ask, end } = await openBusy(db)
    const queued = [await ask('one', 'enqueue'), await ask('two', 'enqueue'), await ask('three', 'enqueue')]
    expect(queued.map(({ run }) => run.status)).toEqual(['created', 'created', 'created'])
    expect(await findRun(db, queued[0]?.run.id ?? '')).toMatchObject({ status: 'created' })
    await sleep(120)
    expect(house.model.requests).toHaveLength(1)

    await end()
    const finished = await Promise.all(queued.map((each) => each.finished))
    expect(finished.map(({ run }) => run.status)).toEqual(['completed', 'completed', 'completed'])
    expect(house.model.requests.map(({ messages }) => messages.at(-1)?.content)).toEqual(['long', 'one', 'two', 'three'])
    expect((await house.messages(conversationId)).filter((line) => line.startsWith('assistant'))).toEqual([
      ...['assistant: half', 'assistant: to one', 'assistant: to two', 'assistant: to three'],
    ])
    expect((await house.events(queued[1]?.run.id ?? '')).map(({ type }) => type).slice(0, 3)).toEqual([
      ...['run_created', 'run_started', 'answer_delta'],
    ])
  })

  test('may be canceled while they wait, and the next one takes their place', async () => {
    await using db = await open()
    const { house, ask, end } = await openBusy(db)
    const [first, second] = [await ask('one', 'enqueue'), await ask('two', 'enqueue')]
    await house.deps.liveRuns.stop(first.run.id, 'canceled')
    await end()

    expect(await first.finished).toMatchObject({ run: { status: 'canceled' }, answer: undefined })
    expect(await second.finished).toMatchObject({ run: { status: 'completed' } })
    expect(house.model.requests.map(({ messages }) => messages.at(-1)?.content)).toEqual(['long', 'two'])
  })

  test('do not wait for a conversation that is gone', async () => {
    await using db = await open()
    const { house, conversationId, ask, end } = await openBusy(db)
    const queued = await ask('one', 'enqueue')
    await deleteConversation(house.deps, ADA, conversationId)
    await end()

    expect(await queued.finished).toMatchObject({ run: { status: 'failed', error: { code: 'not_found' } } })
  })
})

describe('a queue', () => {
  test('has an end', async () => {
    await using db = await openMemory()
    const { ask, end, house } = await openBusy(db)
    const queued = []
    for (let number = 0; number < 20; number++) queued.push(await ask(`${number}`, 'enqueue'))
    await expect(ask('too many', 'enqueue')).rejects.toEqual(expect.objectContaining({ code: 'rate_limited' }))

    await end()
    await queued[0]?.finished
    const next = await ask('now', 'enqueue')
    await house.deps.liveRuns.drain(0)
    expect(await next.finished).toMatchObject({ run: { status: 'failed', error: { code: 'interrupted' } } })
  })

  test('of nobody is no wait', async () => {
    await using db = await openMemory()
    const house = await openChatHouse(db)
    const { id: conversationId } = await createConversation(house.deps, ADA, { messages: [] })

    expect(await (await house.ask('hi', { conversationId, ifBusy: 'enqueue' })).finished).toMatchObject({ run: { status: 'completed' } })
  })
})

describe.each(testDatabases())('a chat that interrupts on $name', ({ open }) => {
  test('takes the place of the one that runs, whose text is kept', async () => {
    await using db = await open()
    const { house, conversationId, running, ask } = await openBusy(db)
    await sleep(5)
    const next = await ask('now', 'interrupt')

    expect(await running.finished).toMatchObject({ run: { status: 'canceled' }, answer: { content: 'half' } })
    expect(await next.finished).toMatchObject({ run: { status: 'completed' } })
    expect(await house.messages(conversationId)).toEqual(['user: long', 'assistant: half', 'user: now', 'assistant: to now'])
  })

  test('where nothing runs is a chat like any other', async () => {
    await using db = await open()
    const house = await openChatHouse(db)
    const { id: conversationId } = await createConversation(house.deps, ADA, { messages: [] })

    expect(await (await house.ask('hi', { conversationId, ifBusy: 'interrupt' })).finished).toMatchObject({ run: { status: 'completed' } })
  })
})

/** Answers "to <question>", or as the named question wants. */
function byQuestion(scripts: Record<string, Script>): ChatHouse['model']['script'] {
  return async (options, request) => {
    const content = request.messages.at(-1)?.content
    const text = typeof content === 'string' ? content : ''
    const script = scripts[text]
    if (script) return script(options, request)
    options.onChunk({ type: 'text', text: `to ${text}` })
    return DONE
  }
}

function openMemory() {
  const [sqlite] = testDatabases()
  if (!sqlite) throw new Error('no database')
  return sqlite.open()
}
