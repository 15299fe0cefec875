import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { outputOf, runProgram } from '../../test/support/child-program.ts'
import { cozePlusCommand } from '../../test/support/serve-process.ts'

const env = { DATA_DIR: '', MASTER_KEY: 'test master key' }
const run = (...args: string[]) => outputOf(process.execPath, [cozePlusCommand, 'keys', ...args], { env })
const json = async (...args: string[]): Promise<Record<string, unknown>> => JSON.parse(await run(...args, '--json'))
const fails = async (...args: string[]) => {
  const { exitCode, stderr } = await runProgram(process.execPath, [cozePlusCommand, 'keys', ...args], { env })
  return { exitCode, stderr }
}

beforeAll(async () => {
  env.DATA_DIR = await mkdtemp(join(tmpdir(), 'coze-plus-keys-'))
  await outputOf(process.execPath, [cozePlusCommand, 'users', 'create', '--email', 'owner@example.com', '--password', 'correct horse'], {
    env,
  })
}, 120_000)

afterAll(() => rm(env.DATA_DIR, { recursive: true }))

test('a key is made with limits, shown, changed, disabled, enabled and rotated', { timeout: 180_000 }, async () => {
  const limits = ['--actions', 'chat,read', '--bots', '1,2', '--allow', '10.0.0.1/8', '--rpm', '60', '--concurrent', '5']
  const policy = {
    actions: ['chat', 'read'],
    bot_ids: ['1', '2'],
    allowed_cidrs: ['10.0.0.0/8'],
    requests_per_minute: 60,
    concurrent_runs: 5,
  }
  const made = await json('create', '--email', 'owner@example.com', '--name', 'shop', ...limits)
  expect(made).toMatchObject({ name: 'shop', policy })
  const id = String(made['id'])
  expect(await json('show', id)).toMatchObject({ id, name: 'shop', policy, disabled: false, old_secrets: [] })

  const changed = await json('update', id, '--name', 'store', '--rpm', 'any', '--bots', 'none', '--tokens-per-day', '1000')
  const { requests_per_minute: _, ...rest } = policy
  expect(changed).toMatchObject({ name: 'store', policy: { ...rest, bot_ids: [], tokens_per_day: 1_000 } })
  expect(changed['policy']).not.toHaveProperty('requests_per_minute')

  expect(await json('disable', id)).toMatchObject({ disabled: true })
  expect(await run('enable', id)).toMatch(/^disabled: false$/m)
  const rotated = await json('rotate', id, '--overlap-seconds', '60')
  expect(rotated).toMatchObject({ id, old_secrets: [{ last4: String(made['api_key']).slice(-4) }] })
  expect(rotated['api_key']).not.toBe(made['api_key'])
  expect(await run('show', id)).toMatch(/^old secret \*\*\*\*\w{4}: valid until \d{4}-.*, last used never$/m)

  const audit = await outputOf(process.execPath, [cozePlusCommand, 'audit', 'list', '--action', 'key.', '--json'], { env })
  const entries: { action: string; details: object }[] = JSON.parse(audit)
  const deeds = entries.map(({ action, details }) => [action, 'disabled' in details ? details.disabled : undefined])
  const switched = [true, false].map((disabled) => ['key.update', disabled])
  expect(deeds.toReversed()).toEqual([['key.create', undefined], ['key.update', undefined], ...switched, ['key.rotate', undefined]])
})

test('what is wrong is said in one line', { timeout: 120_000 }, async () => {
  for (const [args, message] of [
    [['show', 'abc'], 'abc is no key id'],
    [['disable', '404'], 'api key not found'],
    [['create', '--email', 'owner@example.com', '--name', 'x', '--actions', 'fly'], '--actions must be a list of one or more of'],
  ] as const) {
    expect(await fails(...args)).toEqual({ exitCode: 1, stderr: expect.stringMatching(new RegExp(`^coze-plus: ${message}.*\n$`)) })
  }
})
