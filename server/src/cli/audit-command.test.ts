import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { outputOf, runProgram } from '../../test/support/child-program.ts'
import { cozePlusCommand } from '../../test/support/serve-process.ts'
import { openDatabase } from '../db/database.ts'

const EMAIL = 'owner@example.com'
const PASSWORD = 'correct horse'
const env = { DATA_DIR: '', MASTER_KEY: 'test master key' }
const run = (...args: string[]) => outputOf(process.execPath, [cozePlusCommand, ...args], { env })
const fails = (...args: string[]) => runProgram(process.execPath, [cozePlusCommand, ...args], { env })
const listJson = async (...args: string[]) => JSON.parse(await run('audit', 'list', '--json', ...args)) as Record<string, unknown>[]

beforeAll(async () => {
  env.DATA_DIR = await mkdtemp(join(tmpdir(), 'coze-plus-audit-'))
})

afterAll(async () => rm(env.DATA_DIR, { recursive: true }))

test('commands are recorded with who ran them, and without what is secret', { timeout: 120_000 }, async () => {
  await run('users', 'create', '--email', EMAIL, '--password', PASSWORD)
  const key = JSON.parse(await run('keys', 'create', '--email', EMAIL, '--name', 'ci', '--json')) as { id: string; api_key: string }
  const manifest = join(env.DATA_DIR, 'manifest.yaml')
  await writeFile(
    manifest,
    `bots:\n  - { id: 77, owner: ${EMAIL}, name: shop, prompt: the recipe, model: demo, publish: { version: 1.0.0 } }\n`,
  )
  await run('apply', '-f', manifest)
  await run('bots', 'unpublish', '77')
  await run('keys', 'revoke', key.id)

  const entries = (await listJson()).reverse()
  expect(entries.map(({ action, target_id }) => `${String(action)} ${String(target_id)}`)).toEqual([
    ...['user.create 1', `key.create ${key.id}`, 'agent.create 77', 'agent.publish 77', 'agent.unpublish 77', `key.delete ${key.id}`],
  ])
  expect(entries[3]).toMatchObject({
    actor_kind: 'command',
    actor_user_id: null,
    address: expect.stringMatching(/^.+@.+$/),
    details: { version: '1.0.0' },
  })
  const text = JSON.stringify(entries)
  for (const secret of [PASSWORD, key.api_key, 'recipe']) expect(text).not.toContain(secret)
  expect(await run('audit', 'list', '--action', 'agent.', '--limit', '2')).toMatch(
    /^ID +AT +ACTION .*\n5 .*agent.unpublish.*\n4 .*agent.publish/,
  )
})

test('verify says that the log is whole, or which entry is not, and ends with 1', { timeout: 120_000 }, async () => {
  expect(JSON.parse(await run('audit', 'verify', '--json'))).toEqual({
    whole: true,
    entries: 6,
    hash: expect.stringMatching(/^[0-9a-f]{64}$/),
  })

  const db = await openDatabase({ kind: 'sqlite', path: join(env.DATA_DIR, 'coze-plus.db') })
  await db.updateTable('audit_entry').set({ address: 'somebody@else' }).where('id', '=', '4').execute()
  await db.destroy()
  expect(await fails('audit', 'verify')).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(/^BROKEN: entry 4 /) })
})

test.each([
  [['--actor', 'x'], 'is no user id'],
  [['--since', 'x'], '--since must be a time'],
  [['--limit', '0'], '--limit must be a number'],
])('list %j says what is wrong', async (args, message) => {
  expect(await fails('audit', 'list', ...args)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(message) })
})
