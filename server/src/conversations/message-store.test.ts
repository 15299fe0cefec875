import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { testDatabases } from '../../test/support/test-databases.ts'
import type { Db } from '../db/database.ts'
import { listHistory, listMessages, listRunMessages, messageInsert } from './message-store.ts'
import type { Message, MessagePage } from './message-store.ts'

/** Of nine messages: what is asked for, and the answer. */
const PAGES_OF_THREE = [
  ['newest first, the first page', { order: 'desc' }, ['9', '8', '7'], true],
  ['newest first, the next page', { order: 'desc', afterId: '7' }, ['6', '5', '4'], true],
  ['newest first, the last page', { order: 'desc', afterId: '4' }, ['3', '2', '1'], false],
  ['newest first, back', { order: 'desc', beforeId: '4' }, ['7', '6', '5'], true],
  ['newest first, back to the first page', { order: 'desc', beforeId: '6' }, ['9', '8', '7'], false],
  ['oldest first, the first page', { order: 'asc' }, ['1', '2', '3'], true],
  ['oldest first, the next page', { order: 'asc', afterId: '6' }, ['7', '8', '9'], false],
  ['oldest first, back', { order: 'asc', beforeId: '5' }, ['2', '3', '4'], true],
  ['oldest first, before the first', { order: 'asc', beforeId: '1' }, [], false],
  ['newest first, after an id that is no message', { order: 'desc', afterId: '1000000' }, ['9', '8', '7'], true],
] as const

describe.each(testDatabases())('messages on $name', ({ open }) => {
  test('come back as they were stored, ids of 19 digits and all', async () => {
    await using db = await open()
    const message = draft({
      id: '1234567890123456789',
      runId: '9007199254740993',
      botId: '9223372036854775807',
      content: '你好 "quoted" \\n \0 🚀',
      reasoning: 'because',
      metaData: { 来源: '微信', empty: '' },
    })
    await insert(db, [message, draft({ id: '5', runId: undefined, botId: undefined })])

    expect((await list(db, { order: 'asc' })).messages[1]).toEqual(message)
    expect((await list(db, { order: 'asc' })).messages[0]).toMatchObject({ runId: undefined, botId: undefined, metaData: {} })
  })

  test('a list has questions and answers of one conversation, and of one chat if asked', async () => {
    await using db = await open()
    await insert(db, [
      draft({ id: '1', runId: '70' }),
      draft({ id: '2', runId: '70', role: 'assistant', type: 'answer' }),
      draft({ id: '3', runId: '70', role: 'assistant', type: 'verbose' }),
      draft({ id: '4', runId: '71' }),
      draft({ id: '5', conversationId: '999' }),
    ])

    expect(idsOf(await list(db, { order: 'asc' }))).toEqual(['1', '2', '4'])
    expect(idsOf(await list(db, { order: 'asc', runId: '70' }))).toEqual(['1', '2'])
    expect((await listRunMessages(db, '70')).map((message) => message.id)).toEqual(['2', '3'])
  })

  test('a page is the one next to the position it is asked for, in either direction', async () => {
    await using db = await open()
    await insert(db, numbers(9).map(String).map(question))
    for (const [what, page, ids, hasMore] of PAGES_OF_THREE) {
      const answer = await list(db, { limit: 3, ...page })
      expect([idsOf(answer), answer.hasMore], what).toEqual([ids, hasMore])
    }
  })

  test('paging forth gives every message once, in either order and with any page size', async () => {
    await using db = await open()
    await insert(db, numbers(20).map(String).map(question))
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('asc' as const, 'desc' as const), fc.integer({ min: 1, max: 25 }), async (order, limit) => {
        const seen = await pageThrough(db, { order, limit })

        expect(seen).toEqual(order === 'asc' ? numbers(20) : numbers(20).reverse())
      }),
      { numRuns: 10 },
    )
  })

  test('history is the newest questions of a section with their answers, oldest first', async () => {
    await using db = await open()
    const rounds = numbers(5).flatMap((round) =>
      [question(String(round * 10)), answer(String(round * 10 + 1))].map((each) => ({ ...each, runId: undefined })),
    )
    await insert(db, [
      ...rounds,
      draft({ id: '21000', sectionId: '2', runId: undefined }),
      draft({ id: '45', role: 'assistant', type: 'verbose' }),
    ])
    const history = async (wanted: Partial<Parameters<typeof listHistory>[1]>) =>
      (await listHistory(db, { conversationId: '1', sectionId: '1', beforeId: '1000', beforeRunId: '1000', rounds: 20, ...wanted })).map(
        ({ id }) => id,
      )

    expect(await history({})).toEqual(rounds.map((message) => message.id))
    expect(await history({ rounds: 2 })).toEqual(['40', '41', '50', '51'])
    expect(await history({ rounds: 2, beforeId: '50' })).toEqual(['30', '31', '40', '41'])
    expect(await history({ rounds: 0 })).toEqual([])
    expect(await history({ sectionId: '2', beforeId: '30000' })).toEqual(['21000'])
    expect(await history({ conversationId: '2' })).toEqual([])
  })

  test('an answer that is newer than a waiting question belongs to the run before it', async () => {
    await using db = await open()
    const first = [draft({ id: '11', runId: '10' }), draft({ id: '30', runId: '10', role: 'assistant', type: 'answer' })]
    const waiting = [draft({ id: '21', runId: '20' }), draft({ id: '26', runId: '25' })]
    await insert(db, [...first, ...waiting])
    const before = async (run: string, message: string) =>
      (await listHistory(db, { conversationId: '1', sectionId: '1', beforeId: message, beforeRunId: run, rounds: 20 })).map(({ id }) => id)

    expect(await before('20', '21')).toEqual(['11', '30'])
    expect(await before('25', '26')).toEqual(['11', '30', '21'])
  })

  test('rounds of many messages are read to their beginning, up to a limit', async () => {
    await using db = await open()
    const rounds = numbers(3).flatMap((round) => [question(`${round}0`), ...numbers(6).map((at) => answer(`${round}${at}`))])
    await insert(
      db,
      rounds.map((each) => ({ ...each, runId: undefined })),
    )
    const history = async (maxMessages: number) =>
      (await listHistory(db, { conversationId: '1', sectionId: '1', beforeId: '100', beforeRunId: '100', rounds: 2, maxMessages })).map(
        ({ id }) => Number(id),
      )

    expect(await history(14)).toEqual([...numbers(7).map((at) => 19 + at), ...numbers(7).map((at) => 29 + at)])
    expect(await history(9)).toEqual([25, 26, ...numbers(7).map((at) => 29 + at)])
    expect(await history(3)).toEqual([34, 35, 36])
  })

  test('questions that got no answer count as rounds too', async () => {
    await using db = await open()
    await insert(db, [question('1'), question('2'), answer('3'), question('4')])

    const history = await listHistory(db, { conversationId: '1', sectionId: '1', beforeId: '100', beforeRunId: '100', rounds: 2 })
    expect(history.map((message) => message.id)).toEqual(['2', '3', '4'])
  })
})

const numbers = (count: number) => Array.from({ length: count }, (_, at) => at + 1)
const idsOf = ({ messages }: { messages: Message[] }) => messages.map((message) => message.id)
const list = (db: Db, page: Partial<MessagePage>) => listMessages(db, '1', { order: 'desc', limit: 50, ...page })
const question = (id: string) => draft({ id })
const answer = (id: string) => draft({ id, role: 'assistant', type: 'answer' })

function draft(message: Partial<Message> & { id: string }): Message {
  return {
    ...{ conversationId: '1', sectionId: '1', runId: '7', botId: '8', role: 'user', type: 'question', content: 'hello' },
    ...{ contentType: 'text', reasoning: '', metaData: {}, createdAt: 1, updatedAt: 2 },
    ...message,
  }
}

async function insert(db: Db, messages: Message[]): Promise<void> {
  await db.insertInto('message').values(messages.map(messageInsert)).execute()
}

async function pageThrough(db: Db, page: Pick<MessagePage, 'order' | 'limit'>): Promise<number[]> {
  const seen: number[] = []
  for (let afterId: string | undefined; ;) {
    const { messages, hasMore } = await list(db, { ...page, afterId })
    seen.push(...messages.map((message) => Number(message.id)))
    afterId = messages.at(-1)?.id
    if (!hasMore) return seen
  }
}
