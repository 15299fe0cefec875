import { describe, expect, test } from 'vitest'
import { testDatabases } from '../../../test/support/test-databases.ts'
import { saveApp } from '../../bots/apps.ts'
import { clearConversation, deleteConversation, getConversation, listOwnMessages } from '../../conversations/conversations.ts'
import { createMessage } from '../../conversations/messages.ts'
import type { Db } from '../../db/database.ts'
import { createSnowflake } from '../../lib/snowflake.ts'
import {
  deleteAppConversation,
  findOwnAppConversation,
  findOwnAppConversationById,
  getOrCreateAppConversation,
  isDeclaredConversation,
  listOwnAppConversations,
  renameAppConversation,
  renewAppConversation,
} from './app-conversations.ts'

const OWNER = { userId: '1' }
const STRANGER = { userId: '2' }
const NOT_FOUND = expect.objectContaining({ code: 'not_found' })
const REFUSED = expect.objectContaining({ code: 'invalid_request' })
const APP = '700001'
const NOBODY = { appId: APP, endUser: '' }
const ADA = { appId: APP, endUser: 'ada' }

async function settle(db: Db) {
  const clock = () => Date.UTC(2026, 0, 1)
  const deps = { db, clock, nextId: createSnowflake(1, clock) }
  const faces = { description: '', iconUrl: '', version: '1.0.0', variables: [] }
  await saveApp(deps, OWNER, { id: APP, name: 'shop', ...faces, conversations: ['orders', 'returns'] })
  await saveApp(deps, OWNER, { id: '700002', name: 'other', ...faces, conversations: [] })
  return deps
}

type Deps = Awaited<ReturnType<typeof settle>>
const make = async (deps: Deps, name: string, scope = NOBODY) =>
  (await getOrCreateAppConversation(deps, OWNER, { ...scope, name })).conversationId

describe.each(testDatabases())('conversations of an app on $name', ({ open }) => {
  test('a name is a conversation of the API from its first use on', async () => {
    await using db = await open()
    const deps = await settle(db)
    const wanted = { ...ADA, name: '订单 🚀' }

    expect(await findOwnAppConversation(deps, OWNER, wanted)).toBeUndefined()
    const made = await getOrCreateAppConversation(deps, OWNER, wanted)
    expect(made.isExisted).toBe(false)
    expect(await getOrCreateAppConversation(deps, OWNER, wanted)).toEqual({ ...made, isExisted: true })

    await createMessage(deps, OWNER, { conversationId: made.conversationId, input: { role: 'user', content: 'hi', contentType: 'text' } })
    const { messages } = await listOwnMessages(deps, OWNER, { conversationId: made.conversationId, order: 'asc', limit: 10 })
    expect(messages.map(({ content }) => content)).toEqual(['hi'])
    expect(await getConversation(deps, OWNER, made.conversationId)).toMatchObject({ name: '订单 🚀', endUser: 'ada', botId: undefined })
  })

  test('twenty that ask for one name at once get one conversation', async () => {
    await using db = await open()
    const deps = await settle(db)
    const made = await Promise.all(Array.from({ length: 20 }, () => getOrCreateAppConversation(deps, OWNER, { ...ADA, name: 'talk' })))

    expect(new Set(made.map(({ conversationId }) => conversationId)).size).toBe(1)
    expect(made.filter(({ isExisted }) => !isExisted)).toHaveLength(1)
    expect(await listOwnAppConversations(deps, OWNER, ADA)).toEqual([{ ...ADA, name: 'talk', conversationId: made[0]?.conversationId }])
    const rows = await db.selectFrom('conversation').select('id').where('deleted_at', '=', 0).execute()
    expect(rows).toHaveLength(1)
  })

  test('names are told apart to the letter, and so are end users and apps', async () => {
    await using db = await open()
    const deps = await settle(db)
    const ids = [
      await make(deps, 'talk'),
      await make(deps, 'Talk'),
      await make(deps, 'talk '),
      await make(deps, ' talk'),
      await make(deps, 'tàlk'),
      await make(deps, 'talk', ADA),
      await make(deps, 'talk', { appId: APP, endUser: 'ada ' }),
      await make(deps, 'talk', { appId: '700002', endUser: '' }),
    ]

    expect(new Set(ids).size).toBe(ids.length)
    expect(await listOwnAppConversations(deps, OWNER, ADA)).toEqual([{ ...ADA, name: 'talk', conversationId: ids[5] }])
  })

  test('what cannot be a name is refused, and what belongs to another user does not exist', async () => {
    await using db = await open()
    const deps = await settle(db)
    await make(deps, 'a'.repeat(255))

    for (const name of ['', 'a'.repeat(256), 'x'.repeat(10_000)]) await expect(make(deps, name), name.slice(0, 5)).rejects.toEqual(REFUSED)
    expect(await findOwnAppConversation(deps, OWNER, { ...NOBODY, name: 'x'.repeat(10_000) })).toBeUndefined()

    const talk = { ...NOBODY, name: 'talk' }
    const conversationId = await make(deps, 'talk')
    const attempts = [
      getOrCreateAppConversation(deps, STRANGER, talk),
      findOwnAppConversation(deps, STRANGER, talk),
      findOwnAppConversationById(deps, STRANGER, { ...NOBODY, conversationId }),
      renewAppConversation(deps, STRANGER, talk),
      renameAppConversation(deps, STRANGER, { ...talk, newName: 'mine' }),
      deleteAppConversation(deps, STRANGER, talk),
      listOwnAppConversations(deps, STRANGER, NOBODY),
      getOrCreateAppConversation(deps, OWNER, { ...talk, appId: '999' }),
    ]
    for (const outcome of await Promise.allSettled(attempts)) expect(outcome).toEqual({ status: 'rejected', reason: NOT_FOUND })
    expect(await findOwnAppConversation(deps, OWNER, talk)).toMatchObject({ conversationId })
  })

  test('by its id a conversation is found in its own app, and not by another end user', async () => {
    await using db = await open()
    const deps = await settle(db)
    const [adas, anybodys] = [await make(deps, 'talk', ADA), await make(deps, 'open')]
    const find = (conversationId: string, endUser: string, appId = APP) =>
      findOwnAppConversationById(deps, OWNER, { appId, endUser, conversationId })

    expect(await find(adas, 'ada')).toEqual({ ...ADA, name: 'talk', conversationId: adas })
    expect(await find(adas, '')).toMatchObject({ name: 'talk' })
    expect(await find(anybodys, 'bob')).toMatchObject({ name: 'open' })
    expect(await find(adas, 'bob')).toBeUndefined()
    expect(await find(adas, 'ada', '700002')).toBeUndefined()
    expect(await find('123', 'ada')).toBeUndefined()
  })

  test('a conversation that was deleted by itself frees its name, for one of many', async () => {
    await using db = await open()
    const deps = await settle(db)
    const before = await make(deps, 'talk')
    await deleteConversation(deps, OWNER, before)

    expect(await findOwnAppConversation(deps, OWNER, { ...NOBODY, name: 'talk' })).toBeUndefined()
    expect(await findOwnAppConversationById(deps, OWNER, { ...NOBODY, conversationId: before })).toBeUndefined()
    expect(await listOwnAppConversations(deps, OWNER, NOBODY)).toEqual([])

    const made = await Promise.all(Array.from({ length: 10 }, () => getOrCreateAppConversation(deps, OWNER, { ...NOBODY, name: 'talk' })))
    expect(new Set(made.map(({ conversationId }) => conversationId)).size).toBe(1)
    expect(made[0]?.conversationId).not.toBe(before)
    expect(made.filter(({ isExisted }) => !isExisted)).toHaveLength(1)
  })

  test('a name that is renewed leads to a new conversation, the one before stays readable', async () => {
    await using db = await open()
    const deps = await settle(db)
    const first = await renewAppConversation(deps, OWNER, { ...NOBODY, name: 'orders' })
    const second = await renewAppConversation(deps, OWNER, { ...NOBODY, name: 'orders' })

    expect(second.conversationId).not.toBe(first.conversationId)
    expect(await make(deps, 'orders')).toBe(second.conversationId)
    expect(await getConversation(deps, OWNER, first.conversationId)).toMatchObject({ name: 'orders' })
    await expect(renewAppConversation(deps, OWNER, { ...NOBODY, name: '' })).rejects.toEqual(REFUSED)
  })

  test('a rename keeps the conversation, and both the name and the API show the new one', async () => {
    await using db = await open()
    const deps = await settle(db)
    const conversationId = await make(deps, 'old')

    expect(await renameAppConversation(deps, OWNER, { ...NOBODY, name: 'old', newName: '新 🚀' })).toEqual({
      kind: 'renamed',
      conversationId,
    })
    expect(await findOwnAppConversation(deps, OWNER, { ...NOBODY, name: 'old' })).toBeUndefined()
    expect(await make(deps, '新 🚀')).toBe(conversationId)
    expect(await getConversation(deps, OWNER, conversationId)).toMatchObject({ name: '新 🚀' })
  })

  test('a rename to a name in use, or declared, changes nothing', async () => {
    await using db = await open()
    const deps = await settle(db)
    const [one, other, returns] = [await make(deps, 'one'), await make(deps, 'other'), await make(deps, 'returns')]
    const rename = (name: string, newName: string) => renameAppConversation(deps, OWNER, { ...NOBODY, name, newName })

    expect(await rename('one', 'other')).toEqual({ kind: 'taken', conversationId: other })
    expect(await rename('one', 'one')).toEqual({ kind: 'taken', conversationId: one })
    expect(await rename('one', 'returns')).toEqual({ kind: 'taken', conversationId: returns })
    expect(await rename('one', 'orders')).toEqual({ kind: 'taken', conversationId: undefined })
    expect(await rename('one', 'Default')).toEqual({ kind: 'taken', conversationId: undefined })
    expect(await rename('nothing', 'new')).toEqual({ kind: 'unknown' })
    for (const name of ['Default', 'orders', 'returns']) expect(await rename(name, 'new')).toEqual({ kind: 'declared' })
    await expect(rename('one', '')).rejects.toEqual(REFUSED)
    expect(await make(deps, 'one')).toBe(one)
  })

  test('of renames to one name at once one is done', async () => {
    await using db = await open()
    const deps = await settle(db)
    const names = ['a', 'b', 'c', 'd', 'e']
    for (const name of names) await make(deps, name)

    const changes = await Promise.all(names.map((name) => renameAppConversation(deps, OWNER, { ...NOBODY, name, newName: 'top' })))

    const winner = await make(deps, 'top')
    expect(changes.filter(({ kind }) => kind === 'renamed')).toEqual([{ kind: 'renamed', conversationId: winner }])
    for (const change of changes.filter(({ kind }) => kind !== 'renamed')) expect(change).toEqual({ kind: 'taken', conversationId: winner })
    expect(await listOwnAppConversations(deps, OWNER, NOBODY)).toHaveLength(names.length)
  })

  test('one that is deleted is gone from the API too, a declared one cannot be', async () => {
    await using db = await open()
    const deps = await settle(db)
    const conversationId = await make(deps, 'talk')
    const remove = (name: string) => deleteAppConversation(deps, OWNER, { ...NOBODY, name })

    expect(await remove('talk')).toEqual({ kind: 'deleted', conversationId })
    await expect(clearConversation(deps, OWNER, conversationId)).rejects.toEqual(NOT_FOUND)
    expect(await remove('talk')).toEqual({ kind: 'unknown' })
    expect(await remove('orders')).toEqual({ kind: 'declared' })
    expect(await make(deps, 'talk')).not.toBe(conversationId)
  })

  test('the list has what is there, the declared ones first', async () => {
    await using db = await open()
    const deps = await settle(db)
    expect(await listOwnAppConversations(deps, OWNER, NOBODY)).toEqual([])

    for (const name of ['zebra', 'returns', 'ant', 'orders', 'Default']) await make(deps, name)
    const listed = await listOwnAppConversations(deps, OWNER, NOBODY)
    expect(listed.map(({ name }) => name)).toEqual(['Default', 'orders', 'returns', 'zebra', 'ant'])
    expect(listed[3]).toEqual({ ...NOBODY, name: 'zebra', conversationId: await make(deps, 'zebra') })
  })
})

test('every app declares Default', () => {
  expect(isDeclaredConversation({ conversations: [] }, 'Default')).toBe(true)
  expect(isDeclaredConversation({ conversations: ['a'] }, 'a')).toBe(true)
  expect(isDeclaredConversation({ conversations: ['a'] }, 'default')).toBe(false)
})
