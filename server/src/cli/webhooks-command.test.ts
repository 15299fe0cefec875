import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { outputOf, runProgram } from '../../test/support/child-program.ts'
import { cozePlusCommand } from '../../test/support/serve-process.ts'
import { openDatabase } from '../db/database.ts'
import type { Db } from '../db/database.ts'
import { createSecretBox } from '../lib/secret-box.ts'
import { webhookSecretOf } from '../webhooks/webhook-signature.ts'
import { updateDelivered, webhookInsert } from '../webhooks/webhook-store.ts'

const EMAIL = 'owner@example.com'
const URL = 'https://receiver.example/hook?token=of-the-owner'
const env = { DATA_DIR: '', MASTER_KEY: 'test master key' }
const run = (...args: string[]) => outputOf(process.execPath, [cozePlusCommand, ...args], { env })
const fails = (...args: string[]) => runProgram(process.execPath, [cozePlusCommand, ...args], { env })
const listJson = async (...args: string[]) => JSON.parse(await run('webhooks', 'list', '--json', ...args)) as Record<string, unknown>[]

let db: Db
let userId = ''

beforeAll(async () => {
  env.DATA_DIR = await mkdtemp(join(tmpdir(), 'coze-plus-webhooks-'))
  userId = JSON.parse(await run('users', 'create', '--email', EMAIL, '--password', 'correct horse', '--json')).id
  db = await openDatabase({ kind: 'sqlite', path: join(env.DATA_DIR, 'coze-plus.db') })
  const clock = () => Date.UTC(2026, 0, 1)
  const row = (id: string, ownerId: string) => ({
    ...webhookInsert({ nextId: () => id, clock }, { ownerId, runId: '5', url: URL, type: 'chat.failed', data: { messages: [] } }),
    event_id: '77',
  })
  await db
    .insertInto('webhook_delivery')
    .values([row('100', userId), row('200', '999')])
    .execute()
  await updateDelivered(db, '200', { lastStatus: 202, now: clock() })
})

afterAll(async () => {
  await db.destroy()
  await rm(env.DATA_DIR, { recursive: true })
})

test('prints the secret of one user, with which their webhooks are signed', async () => {
  const secret = webhookSecretOf(createSecretBox(env.MASTER_KEY), userId)

  expect(await run('webhooks', 'secret', '--email', EMAIL)).toBe(`${secret}\n`)
  expect(JSON.parse(await run('webhooks', 'secret', '--email', EMAIL, '--json'))).toEqual({ user_id: userId, webhook_secret: secret })
  const unknown = await fails('webhooks', 'secret', '--email', 'nobody@example.com')
  expect(unknown).toMatchObject({ exitCode: 1, stdout: '', stderr: 'coze-plus: there is no user nobody@example.com\n' })
})

test('lists deliveries for the eyes without the tokens of their addresses, and whole for programs', async () => {
  const table = await run('webhooks', 'list')
  expect(table).toMatch(/^200 +chat\.failed +5 +receiver\.example +delivered .*\n100 +chat\.failed +5 +receiver\.example +pending/m)
  expect(table).not.toContain('of-the-owner')

  expect(await listJson('--status', 'delivered')).toMatchObject([
    { id: '200', event_id: '77', url: URL, last_status: 202, next_attempt_at: null },
  ])
  expect(await listJson('--email', EMAIL)).toMatchObject([{ id: '100', owner_id: userId, status: 'pending', delivered_at: 0 }])
  expect(await run('webhooks', 'list', '--status', 'failed')).toBe('There are no such deliveries.\n')
  expect(await fails('webhooks', 'list', '--status', 'lost')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('Allowed choices'),
  })
})

test('replays an event under its old id, and says what there is not', async () => {
  const { id } = JSON.parse(await run('webhooks', 'replay', '200', '--json'))
  expect(await listJson('--status', 'pending')).toMatchObject([{ id, event_id: '77', owner_id: '999', attempts: 0 }, { id: '100' }])

  for (const wrong of ['12345', 'abc', '9'.repeat(30)]) {
    const { exitCode, stderr } = await fails('webhooks', 'replay', wrong)
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: `coze-plus: there is no delivery ${wrong}: see \`coze-plus webhooks list\`\n`,
    })
  }
})
