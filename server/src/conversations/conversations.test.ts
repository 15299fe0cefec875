import { describe, expect, test } from 'vitest'
import { testDatabases } from '../../test/support/test-databases.ts'
import type { Db } from '../db/database.ts'
import { isDuplicate } from '../db/database.ts'
import { createSnowflake } from '../lib/snowflake.ts'
import { claimConversation, conversationInsert, findConversation, releaseConversation } from './conversation-store.ts'
import {
  clearConversation,
  createConversation,
  deleteConversation,
  draftConversation,
  findOwnConversation,
  getConversation,
  listOwnConversations,
  listOwnMessages,
  renameConversation,
} from './conversations.ts'
import type { InputMessage, NewConversation } from './conversations.ts'

const ADA = { userId: '1' }
const BOB = { userId: '2' }
const NOW = Date.UTC(2026, 0, 1)
const NOT_FOUND = expect.objectContaining({ code: 'not_found' })

function depsFor(db: Db) {
  const time = { now: NOW }
  const clock = () => ++time.now
  return { db, clock, time, nextId: createSnowflake(1, clock) }
}

const make = (deps: ReturnType<typeof depsFor>, request: NewConversation & { messages?: InputMessage[] } = {}) =>
  createConversation(deps, ADA, { messages: [], ...request })

describe.each(testDatabases())('conversations on $name', ({ open }) => {
  test('one that is made can be read, with the messages it was made with', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const metaData = { 来源: '微信' }
    const messages = [
      { role: 'user', content: 'hi', contentType: 'text', metaData },
      { role: 'assistant', content: '你好', contentType: 'text' },
    ] as const
    const made = await make(deps, { botId: '1234567890123456789', endUser: 'ü_1', name: '客服', metaData, messages: [...messages] })

    expect(await getConversation(deps, ADA, made.id)).toEqual(made)
    expect(made).toMatchObject({ ownerId: '1', botId: '1234567890123456789', connectorId: '1024', endUser: 'ü_1', name: '客服', metaData })
    const page = await listOwnMessages(deps, ADA, { conversationId: made.id, order: 'asc', limit: 10 })
    expect(page.messages.map(({ role, type, content }) => [role, type, content])).toEqual([
      ['user', 'question', 'hi'],
      ['assistant', 'answer', '你好'],
    ])
    expect(page.messages[0]).toMatchObject({ metaData, botId: made.botId, runId: undefined, sectionId: made.sectionId })
  })

  test('somebody else’s does not exist', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const { id } = await make(deps)

    expect(await findOwnConversation(deps, BOB, id)).toBeUndefined()
    await expect(getConversation(deps, BOB, id)).rejects.toEqual(NOT_FOUND)
    await expect(renameConversation(deps, BOB, { conversationId: id, name: 'mine' })).rejects.toEqual(NOT_FOUND)
    await expect(clearConversation(deps, BOB, id)).rejects.toEqual(NOT_FOUND)
    await expect(deleteConversation(deps, BOB, id)).rejects.toEqual(NOT_FOUND)
    await expect(listOwnMessages(deps, BOB, { conversationId: id, order: 'asc', limit: 10 })).rejects.toEqual(NOT_FOUND)
    expect(await getConversation(deps, ADA, id)).toMatchObject({ id, name: '' })
  })

  test('a name can be changed, an empty one changes nothing', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const { id, updatedAt } = await make(deps)
    const renamed = await renameConversation(deps, ADA, { conversationId: id, name: '新名字' })
    await renameConversation(deps, ADA, { conversationId: id, name: '' })

    expect(await getConversation(deps, ADA, id)).toEqual(renamed)
    expect([renamed.name, renamed.updatedAt > updatedAt]).toEqual(['新名字', true])
  })

  test('clearing starts a new section and keeps the messages', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const made = await make(deps, { messages: [{ role: 'user', content: 'hi', contentType: 'text' }] })
    const cleared = await clearConversation(deps, ADA, made.id)

    expect(cleared.sectionId).not.toBe(made.sectionId)
    expect(await getConversation(deps, ADA, made.id)).toEqual(cleared)
    expect((await listOwnMessages(deps, ADA, { conversationId: made.id, order: 'asc', limit: 10 })).messages).toHaveLength(1)
  })

  test('one that is deleted is gone for its owner too, and out of the list', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const [gone, left] = [await make(deps, { botId: '5' }), await make(deps, { botId: '5' })]
    await deleteConversation(deps, ADA, gone.id)

    await expect(getConversation(deps, ADA, gone.id)).rejects.toEqual(NOT_FOUND)
    await expect(deleteConversation(deps, ADA, gone.id)).rejects.toEqual(NOT_FOUND)
    const { conversations } = await listOwnConversations(deps, ADA, { botId: '5', page: 1, size: 10, order: 'asc' })
    expect(conversations).toEqual([left])
  })

  test('lists are of one bot, in pages, by end user and connector, in both orders', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const made: string[] = []
    for (const endUser of ['a', 'b', 'a', 'b', 'a']) made.push((await make(deps, { botId: '5', endUser })).id)
    await make(deps, { botId: '6' })
    const other = await make(deps, { botId: '5', connectorId: '999' })
    await createConversation(deps, BOB, { botId: '5', messages: [] })
    const list = async (request: Partial<Parameters<typeof listOwnConversations>[2]>) => {
      const answer = await listOwnConversations(deps, ADA, { botId: '5', connectorId: '1024', page: 1, size: 2, order: 'asc', ...request })
      return [...answer.conversations.map(({ id }) => made.indexOf(id)), answer.hasMore]
    }

    expect(await list({})).toEqual([0, 1, true])
    expect(await list({ page: 3 })).toEqual([4, false])
    expect(await list({ page: 4 })).toEqual([false])
    expect(await list({ order: 'desc' })).toEqual([4, 3, true])
    expect(await list({ endUser: 'a', size: 3 })).toEqual([0, 2, 4, false])
    expect(await list({ endUser: 'A' })).toEqual([false])
    expect(await listOwnConversations(deps, ADA, { botId: '5', connectorId: '999', page: 1, size: 9, order: 'asc' })).toEqual({
      conversations: [other],
      hasMore: false,
    })
  })
})

describe.each(testDatabases())('ids of the caller’s own choice on $name', ({ open }) => {
  test('name one conversation for each owner, byte for byte', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const mine = await make(deps, { externalId: 'conv_é' })
    const theirs = await createConversation(deps, BOB, { externalId: 'conv_é', messages: [] })
    const other = await make(deps, { externalId: 'CONV_É' })

    expect(await getConversation(deps, ADA, 'conv_é')).toEqual(mine)
    expect(await getConversation(deps, BOB, 'conv_é')).toEqual(theirs)
    expect(await getConversation(deps, ADA, 'CONV_É')).toEqual(other)
    expect(await findOwnConversation(deps, ADA, 'conv_e')).toBeUndefined()
    expect(isDuplicate(await make(deps, { externalId: 'conv_é' }).catch((cause: unknown) => cause))).toBe(true)
  })

  test('are free again when the conversation is deleted, as often as one likes', async () => {
    await using db = await open()
    const deps = depsFor(db)
    for (let round = 0; round < 3; round++) {
      const made = await make(deps, { externalId: 'conv_1' })
      expect(await getConversation(deps, ADA, 'conv_1')).toEqual(made)
      await deleteConversation(deps, ADA, 'conv_1')
      expect(await findOwnConversation(deps, ADA, 'conv_1')).toBeUndefined()
    }
  })
})

describe.each(testDatabases())('the chat that runs in a conversation on $name', ({ open }) => {
  test('is one at a time, however many ask together', async () => {
    await using db = await open()
    const { id } = await make(depsFor(db))
    const claims = await Promise.all(['11', '12', '13', '14'].map((runId) => claimConversation(db, id, { runId, now: NOW })))

    expect(claims.filter(Boolean)).toHaveLength(1)
    expect(await claimConversation(db, id, { runId: '15', now: NOW })).toBe(false)
  })

  test('frees it when it ends, and a late end of another frees nothing', async () => {
    await using db = await open()
    const { id } = await make(depsFor(db))
    const claim = (runId: string) => claimConversation(db, id, { runId, now: NOW + 5_000 })
    expect(await claim('11')).toBe(true)
    expect(await findConversation(db, id)).toMatchObject({ updatedAt: NOW + 5_000 })

    await releaseConversation(db, id, '12')
    expect(await claim('13')).toBe(false)
    await releaseConversation(db, id, '11')
    expect(await claim('13')).toBe(true)
  })

  test('cannot start in one that is deleted or was never there', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const { id } = await make(deps)
    await deleteConversation(deps, ADA, id)

    expect(await claimConversation(db, id, { runId: '11', now: NOW })).toBe(false)
    expect(await claimConversation(db, '404', { runId: '11', now: NOW })).toBe(false)
  })

  test('holds a new conversation from its first moment', async () => {
    await using db = await open()
    const draft = draftConversation(depsFor(db), ADA, {})
    await db.insertInto('conversation').values(conversationInsert(draft, '11')).execute()

    expect(await claimConversation(db, draft.id, { runId: '12', now: NOW })).toBe(false)
  })
})
