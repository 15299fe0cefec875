import { describe, expect, test } from 'vitest'
import { deleteIdempotencyBefore } from '../../src/db/idempotency-store.ts'
import { deleteJournalsBelow } from '../../src/journal/journal-store.ts'
import { deleteDeliveriesBelow } from '../../src/webhooks/webhook-store.ts'
import { deleteNodeRunsBelow } from '../../src/workflows/runs/node-run-store.ts'
import { openAdminConsole, openConsole } from '../support/console-client.ts'
import { tablesOf } from '../support/database-rows.ts'
import { createQueryNotes, fullScansOf, refreshStatistics } from '../support/query-plans.ts'
import { callsOf, harm, send } from '../support/reference-calls.ts'
import { crowdTables } from '../support/schema-rows.ts'
import { settle } from '../support/settled-user.ts'
import { useTestApp } from '../support/test-app.ts'
import type { TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

/**
 * What grows stays quick: on tables with many rows, every statement that the routes of the API and the pages of the console make goes
 * by an index. The plans are the databases' own.
 */

/** Few rows in every installation; of what is to be stopped there are rows for seconds. */
const SMALL = /^(model|worker|audit_head|stop_request)$/
/** The administrators' list of accounts, which is searched by parts of names. */
const ACCOUNTS = /from .user.( where \(lower\(| order by .id. limit|$)/

describe.each(testDatabases())('on $name', ({ name }) => {
  const notes = createQueryNotes()
  const app = useTestApp({ database: name, watch: notes.watch })

  test('no statement reads a table from its beginning to its end', { timeout: 60_000 }, async () => {
    await crowdTables(app.core.db, 2_000)
    const tables = await tablesOf(app.core.db)
    await refreshStatistics(app.core.db, tables)
    notes.queries.clear()
    await callEverything(app)
    const queries = [...notes.queries.values()].filter(({ sql }) => /^(select|update|delete|with)/i.test(sql) && !ACCOUNTS.test(sql))
    expect(queries.length).toBeGreaterThan(100)

    for (const query of queries) {
      const scans = (await fullScansOf(app.core.db, query, tables)).filter((table) => !SMALL.test(table))
      expect.soft(scans, query.sql).toEqual([])
    }
  })
})

async function callEverything(app: TestApp): Promise<void> {
  const ids = await settle(app, { userId: app.userId, apiKey: app.apiKey, mark: 'mine', appId: '700001' })
  const cookie = await app.signIn()
  const calls = (await callsOf(app, ids)).toSorted((a, b) => harm(a) - harm(b))
  const [user, admin] = await Promise.all([openConsole(app), openAdminConsole(app)])
  for (const path of PAGES) expect((await user.get(path)).status, path).toBe(200)
  for (const path of ADMIN_PAGES) expect((await admin.get(path)).status, path).toBe(200)
  for (const path of LISTS) expect.soft((await app.call('GET', path)).status, path).toBe(200)
  const messages = `/v1/conversation/message/list?conversation_id=${ids['conversation_id']}`
  for (const way of [{}, { before_id: ids['message_id'] }, { after_id: ids['message_id'] }, { chat_id: ids['chat_id'], order: 'asc' }])
    expect((await app.call('POST', messages, way)).status).toBe(200)
  for (const each of calls) expect((await send(app, each, { apiKey: app.apiKey, cookie })).status).toBeLessThan(500)
  await cleanUp(app)
}

const MONTH = `from=${Date.now() - 30 * 86_400_000}&to=${Date.now() + 86_400_000}`

const PAGES = [
  ...['me', 'state', 'agents', 'agents?search=mine', 'workflows', 'workflows?search=mine', 'node-types', 'models'],
  ...[`usage?${MONTH}`, `usage?${MONTH}&kind=workflow`, `usage?${MONTH}&agent_id=123456`, `usage.csv?${MONTH}&by=key`],
  ...[
    'conversations',
    'conversations?search=mine',
    'conversations?kind=test',
    'conversations?agent_id=123456',
    'conversations?end_user=u1',
  ],
  ...['end-users', 'end-users?search=u', 'end-users?agent_id=123456'],
]

const ADMIN_PAGES = ['status', 'users', 'users?search=user1', 'audit', 'audit?action=agent.', 'audit?actor=1', 'audit?from=1&to=2']

const SECONDS = `from=${Math.floor(Date.now() / 1000) - 86_400}&to=${Math.floor(Date.now() / 1000)}`

const LISTS = [
  ...['/v1/users/me', '/v1/workspaces', '/v1/bots', '/v1/models', '/v1/workflows', '/v1/apps', '/v1/api_keys'],
  ...['/v1/conversations?bot_id=123456', '/v1/conversations?bot_id=123456&user_id=u1', `/v1/usage?${SECONDS}`],
  `/v1/usage?${SECONDS}&group=workflow&kind=workflow`,
]

/** What the server does every minute. */
async function cleanUp({ core: { db } }: TestApp): Promise<void> {
  await deleteJournalsBelow(db, { runId: '1', before: 1, limit: 10 })
  await deleteDeliveriesBelow(db, '1', 10)
  await deleteNodeRunsBelow(db, '1', 10)
  await deleteIdempotencyBefore(db, 1)
}
