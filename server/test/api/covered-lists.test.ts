import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { listKeys } from '../../src/accounts/api-keys.ts'
import { countQueuedRuns, hasEarlierQueuedRun, runInsert } from '../../src/chat/run-store.ts'
import { browseConversations, countBrowsed } from '../../src/conversations/conversation-browse-store.ts'
import { conversationInsert, listConversations, PREVIEW_CONNECTOR_ID } from '../../src/conversations/conversation-store.ts'
import { listAllMessages, messageInsert } from '../../src/conversations/message-store.ts'
import { dialectOf } from '../../src/db/database.ts'
import type { Db } from '../../src/db/database.ts'
import { explainStatement, noteStatements } from '../support/explained-statements.ts'
import { testDatabases } from '../support/test-databases.ts'

describe.each(testDatabases())('a list far into what is stored, on $name,', ({ open }) => {
  test('passes what it skips and counts in an index', async () => {
    await using db = await open()
    await fill(db)
    const page = { offset: 700, limit: 5, order: 'desc' } as const
    const wanted = { ownerId: OWNER, botId: BOT, endUser: undefined, connectorId: undefined }

    expect(await passedIn(db, (noted) => listConversations(noted, wanted, page))).toEqual(['conversation_of_bot'])
    expect(await passedIn(db, (noted) => listConversations(noted, { ...wanted, endUser: 'ada' }, page))).toEqual([
      'conversation_of_end_user',
    ])
    expect(await passedIn(db, (noted) => countBrowsed(noted, { ownerId: OWNER, isPreview: false }))).toEqual(['conversation_of_owner'])
    expect(await passedIn(db, (noted) => listAllMessages(noted, '1', page))).toEqual(['message_of_conversation'])
    const keys = (noted: Db) => listKeys({ db: noted, clock: () => 0 }, { userId: OWNER }, { page: 100, size: 5 })
    expect(await passedIn(db, keys)).toEqual(['api_key_live', 'api_key_live'])
  })

  test('leaves the queue of a conversation as quick to find as in an empty one', async () => {
    await using db = await open()
    await fill(db)

    expect(await countQueuedRuns(db, '1')).toBe(1)
    expect(await hasEarlierQueuedRun(db, '1', '900')).toBe(true)
    expect(await hasEarlierQueuedRun(db, '1', String(ROWS))).toBe(false)
    expect(await passedIn(db, (noted) => countQueuedRuns(noted, '1'))).toEqual(['run_status'])
    expect(await passedIn(db, (noted) => hasEarlierQueuedRun(noted, '1', '900'))).toEqual(['run_status'])
  })

  test('has the rows of that page, in order', async () => {
    await using db = await open()
    await fill(db)
    const wanted = { ownerId: OWNER, botId: BOT, endUser: undefined, connectorId: undefined }

    const newest = await listConversations(db, wanted, { offset: 700, limit: 3, order: 'desc' })
    expect(newest.map(({ id }) => id)).toEqual(['100', '99', '98'])
    const oldest = await listConversations(db, wanted, { offset: 700, limit: 3, order: 'asc' })
    expect(oldest.map(({ id }) => id)).toEqual(['701', '702', '703'])
    const previews = await listConversations(db, { ...wanted, connectorId: PREVIEW_CONNECTOR_ID }, { offset: 0, limit: 3, order: 'desc' })
    expect(previews.map(({ id }) => id)).toEqual(['801'])
    const browsed = await browseConversations(db, { ownerId: OWNER, isPreview: false }, { offset: 798, limit: 5 })
    expect(browsed.map(({ id }) => id)).toEqual(['2', '1'])
    const messages = await listAllMessages(db, '1', { offset: 700, limit: 2, order: 'asc' })
    expect(messages.map(({ id }) => id)).toEqual(['701', '702'])
    const { keys, total, hasMore } = await listKeys({ db, clock: () => 0 }, { userId: OWNER }, { page: 267, size: 3 })
    expect([keys.map(({ id }) => id), total, hasMore]).toEqual([['2', '1'], 800, false])
  })
})

const OWNER = '1'
const BOT = '70'
const ROWS = 800

/** The indexes that give all that is asked of the rows they lead to. */
async function passedIn(db: Db, work: (noted: Db) => Promise<unknown>): Promise<string[]> {
  const { noted, statements } = noteStatements(db)
  await work(noted)
  const plans = []
  for (const statement of statements) plans.push(...(await explainStatement(db, statement)))
  return plans.flatMap((line) => {
    const [, sqlite, mysql] = / COVERING INDEX (\w+)|, key (\w+), .*Using index\b/.exec(line) ?? []
    const name = sqlite ?? mysql ?? ''
    return /^(conversation_|message_|api_key_live$|run_)/.test(name) ? [name] : []
  })
}

async function fill(db: Db): Promise<void> {
  const ids = Array.from({ length: ROWS }, (_, at) => String(at + 1))
  const conversation = {
    ...{ ownerId: OWNER, botId: BOT, externalId: undefined, endUser: 'ada', connectorId: '1024', name: '', metaData: {} },
    ...{ sectionId: '1', createdAt: 1, updatedAt: 1 },
  }
  const message = {
    ...({ conversationId: '1', sectionId: '1', runId: undefined, botId: BOT, role: 'user', type: 'question', content: 'hello' } as const),
    ...({ contentType: 'text', reasoning: '', metaData: {}, createdAt: 1, updatedAt: 1 } as const),
  }
  const preview = { ...conversation, id: String(ROWS + 1), connectorId: PREVIEW_CONNECTOR_ID }
  const conversations = [...ids.map((id) => ({ ...conversation, id })), preview]
  await db
    .insertInto('conversation')
    .values(conversations.map((each) => conversationInsert(each)))
    .execute()
  await db
    .insertInto('message')
    .values(ids.map((id) => messageInsert({ ...message, id })))
    .execute()
  const key = { name: '', user_id: OWNER, expired_at: 0, created_at: 1, updated_at: 1 }
  await db
    .insertInto('api_key')
    .values(ids.map((id) => ({ ...key, id, api_key: id })))
    .execute()
  const run = {
    ...{ ownerId: OWNER, keyId: undefined, botId: BOT, botVersionId: '1', conversationId: '1', sectionId: '1', endUser: '', answerId: '1' },
    ...{ metaData: {}, usage: { inputTokens: 0, outputTokens: 0 }, error: undefined, clientStyle: 'sdk', messageMeta: {} },
    ...{ savesHistory: true, callbackUrl: undefined, requiredCalls: [], workerToken: '', createdAt: 1, finishedAt: 1, firstTokenMs: 1 },
  }
  const statusOf = (id: string) => (id === String(ROWS) ? 'created' : 'completed')
  await db
    .insertInto('run')
    .values(ids.map((id) => runInsert({ ...run, id, status: statusOf(id) })))
    .execute()
  if (dialectOf(db) === 'mysql') await sql`analyze table conversation, message, api_key, run`.execute(db)
}
