import { hash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { hashPassword } from '../../src/accounts/password-hash.ts'
import { createApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import { openCore } from '../../src/core.ts'
import { openDatabase } from '../../src/db/database.ts'
import type { Db } from '../../src/db/database.ts'
import { createMigrator } from '../../src/db/migrate.ts'
import { createEmptyMariadb } from '../support/empty-mariadb.ts'
import { createCalls } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'
import { brackets } from '../support/workflow-app.ts'

/** Promise 20: what an older version has written, the newest one serves: keys, agents, conversations, workflows, accounts. */

/** Before conversations of apps, first tokens, closed accounts, policies of keys and the audit log. */
const OLD_STEP = '0010-user-tables'
const API_KEY = `pat_${'0123456789abcdef'.repeat(4)}`
const PASSWORD = 'of the old installation'
const LONG_ID = '9007199254740993001'
const THEN = 1_700_000_000_000

describe.each(testDatabases())('an installation of long ago on $name', ({ name }) => {
  test('is served by the newest version with all that was in it', async () => {
    await using place = await makePlace(name)
    await writeOldInstallation(place.config)
    await using server = await serve(place.config)
    const { call } = server
    const dataOf = async (path: string, body?: object) => {
      const reply = await call(body ? 'POST' : 'GET', path, body)
      expect(reply.status, reply.text).toBe(200)
      return reply.body.data
    }

    expect(await dataOf('/v1/bots/123456')).toMatchObject({ bot_id: '123456', name: 'Old friend', prompt_info: { prompt: 'Be kind' } })
    const listed = await dataOf(`/v1/conversation/message/list?conversation_id=${LONG_ID}`, {})
    expect(listed.map((each: { content: string }) => each.content)).toEqual(['It is ten 😀', 'What time is it?'])
    expect(await dataOf(`/v3/chat/retrieve?conversation_id=${LONG_ID}&chat_id=501`)).toMatchObject({
      ...{ status: 'completed', usage: { input_count: 7, output_count: 3 } },
    })
    expect(await dataOf('/v1/apps/700001')).toMatchObject({ name: 'Old shop', variables: [{ keyword: 'region', default_value: 'eu' }] })
    const variables = await dataOf('/v1/variables?bot_id=123456&connector_uid=u1')
    expect(variables.items).toMatchObject([{ keyword: 'city', value: '杭州' }])
    expect(JSON.parse(await dataOf('/v1/workflow/run', { workflow_id: '880001', parameters: { word: 'w' } }))).toMatchObject({
      said: '<w>',
    })

    const again = await call('POST', '/v3/chat', { bot_id: 123456, query: 'And now?', conversation_id: LONG_ID })
    expect([again.status, again.body.data.status], again.text).toEqual([200, 'completed'])
    const credentials = { email: 'old@example.com', password: PASSWORD }
    const { headers } = await call('POST', '/api/console/sign-in', credentials, { apiKey: '' })
    const cookie = headers.getSetCookie()[0]?.split(';')[0] ?? ''
    const keys = await call('GET', '/api/permission_api/pat/list_personal_access_tokens', undefined, { apiKey: '', headers: { cookie } })
    expect(keys.text).toContain('"An old key"')
    expect(server.logs.filter((line) => JSON.parse(line).level >= 50)).toEqual([])
  })
})

type Config = ReturnType<typeof loadConfig>

async function makePlace(name: 'SQLite' | 'MariaDB'): Promise<{ config: Config } & AsyncDisposable> {
  const dataDir = await mkdtemp(join(tmpdir(), 'coze-plus-old-'))
  const mariadb = name === 'MariaDB' ? await createEmptyMariadb() : undefined
  const config = loadConfig({ PORT: '0', DATA_DIR: dataDir, MASTER_KEY: 'old', ...(mariadb && { DATABASE_URL: mariadb.url }) })
  return {
    config,
    async [Symbol.asyncDispose]() {
      await mariadb?.[Symbol.asyncDispose]()
      await rm(dataDir, { recursive: true })
    },
  }
}

async function serve(config: Config) {
  const logs: string[] = []
  const core = await openCore(config, { logger: pino({ level: 'info' }, { write: (line: string) => void logs.push(line) }) })
  const app = await createApp(core)
  const url = await app.http.listen({ host: '127.0.0.1', port: 0 })
  return {
    ...{ logs, ...createCalls({ url, apiKey: API_KEY, secrets: new Map() }) },
    async [Symbol.asyncDispose]() {
      await app.close()
      await core.close()
    },
  }
}

type Row = Record<string, string | number | null>

/** In SQL of then: what the code of today would write is not what is there. */
async function writeOldInstallation({ database }: Config): Promise<void> {
  const db = await openDatabase(database)
  await createMigrator(db).migrateTo(OLD_STEP)
  for (const [table, row] of [...accountRows(await hashPassword(PASSWORD)), ...productRows, ...chatRows]) await insert(db, table, row)
  await db.destroy()
}

async function insert(db: Db, table: string, row: Row): Promise<void> {
  const names = Object.keys(row).map((name) => sql.ref(name))
  await sql`insert into ${sql.table(table)} (${sql.join(names)}) values (${sql.join(Object.values(row))})`.execute(db)
}

const times = { created_at: THEN, updated_at: THEN }
const face = { description: '', icon_url: '' }

function accountRows(password: string): [string, Row][] {
  const then = { created_at: '2023-11-14 22:13:20.000', updated_at: '2023-11-14 22:13:20.000' }
  return [
    ['user', { id: 41, name: 'old', email: 'old@example.com', email_verified: 0, role: 'user', ...then }],
    ['user_account', { id: 51, user_id: 41, account_id: '41', provider_id: 'credential', password, ...then }],
    ['api_key', { id: 61, api_key: hash('md5', API_KEY, 'hex'), name: 'An old key', user_id: 41, ...times }],
  ]
}

const bot = { name: 'Old friend', ...face }
const botConfig = JSON.stringify({ prompt: 'Be kind', model: 'old', variables: [{ name: 'city', default: '' }] })
const workflow = { name: 'old_flow', ...face, mode: 'workflow', on_crash: 'resume', canvas: JSON.stringify(brackets()), role: '{}' }
const appVariables = [{ name: 'region', type: 'string', default: 'eu', description: '' }]

const productRows: [string, Row][] = [
  ['model', { id: 71, name: 'old', protocol: 'demo', base_url: '', api_key_sealed: '', provider_model: 'demo', ...times }],
  ['bot', { id: 123456, owner_id: 41, ...bot, draft: botConfig, live_version_id: 81, ...times }],
  ['bot_version', { id: 81, bot_id: 123456, version: '1.0.0', note: '', ...bot, config: botConfig, created_at: THEN }],
  ['app', { id: 700001, owner_id: 41, name: 'Old shop', ...face, version: '1', variables: JSON.stringify(appVariables), ...times }],
  ['workflow', { id: 880001, owner_id: 41, app_id: null, ...workflow, live_version_id: 880002, ...times }],
  ['workflow_version', { id: 880002, workflow_id: 880001, version: 'v0.0.1', note: '', ...workflow, created_at: THEN }],
]

const said = {
  conversation_id: LONG_ID,
  section_id: 401,
  run_id: 501,
  bot_id: 123456,
  content_type: 'text',
  reasoning: '',
  meta_data: '{}',
}
const chatRows: [string, Row][] = [
  [
    'conversation',
    {
      ...{ id: LONG_ID, owner_id: 41, bot_id: 123456, external_id: null, end_user: 'u1', connector_id: 1024, name: '' },
      ...{ meta_data: '{}', section_id: 401, active_run_id: null, ...times },
    },
  ],
  ['message', { id: 301, ...said, role: 'user', type: 'question', content: 'What time is it?', ...times }],
  ['message', { id: 302, ...said, role: 'assistant', type: 'answer', content: 'It is ten 😀', ...times }],
  [
    'run',
    {
      ...{ id: 501, owner_id: 41, key_id: 61, bot_id: 123456, bot_version_id: 81, conversation_id: LONG_ID, section_id: 401 },
      ...{ end_user: 'u1', status: 'completed', meta_data: '{}', answer_id: 302, input_tokens: 7, output_tokens: 3 },
      ...{ client_style: 'sdk', message_meta: '{}', saves_history: 1, callback_url: '', waiting: '', worker_token: 'gone' },
      ...{ created_at: THEN, started_at: THEN, finished_at: THEN + 1 },
    },
  ],
  ['end_user_variable', { owner_id: 41, holder: 'bot', holder_id: 123456, end_user: 'u1', name: 'city', value: '杭州', ...times }],
]
