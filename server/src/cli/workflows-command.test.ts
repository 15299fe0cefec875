import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { outputOf, runProgram } from '../../test/support/child-program.ts'
import { drawCanvas } from '../../test/support/canvas-builder.ts'
import { cozePlusCommand } from '../../test/support/serve-process.ts'
import { calls, passOn } from '../../test/support/workflow-house.ts'

const ID = '7498668117704163337'
const env = { DATA_DIR: '', MASTER_KEY: 'test master key' }
const run = (...args: string[]) => outputOf(process.execPath, [cozePlusCommand, ...args], { env })
const fails = async (...args: string[]) => {
  const { exitCode, stdout, stderr } = await runProgram(process.execPath, [cozePlusCommand, ...args], { env })
  return { exitCode, stdout, stderr }
}
const json = async (...args: string[]): Promise<unknown> => JSON.parse(await run(...args, '--json'))

async function apply(workflows: object[]): Promise<string> {
  return run('apply', '-f', await write('manifest.json', { workflows }))
}

async function write(name: string, content: unknown): Promise<string> {
  const path = join(env.DATA_DIR, name)
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

beforeAll(async () => {
  env.DATA_DIR = await mkdtemp(join(tmpdir(), 'coze-plus-workflows-'))
  await run('users', 'create', '--email', 'owner@example.com', '--password', 'correct horse')
})

afterAll(() => rm(env.DATA_DIR, { recursive: true }))

test('apply says what became of workflows, and publish, versions, rollback and unpublish follow', { timeout: 60_000 }, async () => {
  expect(await run('workflows', 'list')).toContain('There are no workflows yet')
  expect(await apply([{ id: ID, name: 'greet', canvas: passOn('one') }])).toBe(`workflow greet (${ID}): created\n`)
  expect(await run('workflows', 'versions', ID)).toContain('Nothing is published yet')

  expect(await run('workflows', 'publish', ID, '--note', 'the first')).toBe('Published greet v0.0.1.\n')
  await apply([{ id: ID, name: 'greet', canvas: passOn('two') }])
  expect(await json('workflows', 'list')).toEqual([
    { id: ID, name: 'greet', mode: 'workflow', owner_id: '1', state: 'published v0.0.1, draft differs' },
  ])
  expect(await run('workflows', 'publish', ID, '--version', 'v1.0.0')).toBe('Published greet v1.0.0.\n')
  expect(await json('workflows', 'versions', ID)).toMatchObject([
    { version: 'v1.0.0', live: 'live', note: '' },
    { version: 'v0.0.1', live: '', note: 'the first' },
  ])

  expect(await run('workflows', 'rollback', ID, 'v0.0.1')).toBe('greet is at v0.0.1 again.\n')
  expect(await run('workflows', 'list')).toMatch(/greet +workflow +1 +published v0\.0\.1, draft differs/)
  expect(await run('workflows', 'unpublish', ID)).toBe('Unpublished greet.\n')
  expect(await run('workflows', 'list')).toMatch(/greet +workflow +1 +draft$/m)
})

test('a workflow or version that there is not is said to be none', { timeout: 60_000 }, async () => {
  await apply([{ id: 5, name: 'alone', canvas: passOn() }])
  for (const id of ['404', 'abc', '9'.repeat(30)]) {
    expect(await fails('workflows', 'publish', id)).toEqual({
      ...{ exitCode: 1, stdout: '' },
      stderr: `coze-plus: there is no workflow ${id}: see \`coze-plus workflows list\`\n`,
    })
  }
  expect(await fails('workflows', 'rollback', '5', 'v9')).toMatchObject({
    exitCode: 1,
    stderr: 'coze-plus: workflow 5 has no version v9\n',
  })
  expect(await fails('workflows', 'publish', '5', '--version', 'published')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('must have 1 to 50 letters'),
  })
})

test('validate and apply print every issue and end with 1', { timeout: 60_000 }, async () => {
  const good = await write('good.json', passOn())
  const unconnected = await write('unconnected.json', drawCanvas().entry({}).exit({}).build())
  const lost = await write('lost.json', calls('404'))
  const noJson = await write('no.json', '{')

  expect(await run('workflows', 'validate', good)).toBe(`${good} has no issues.\n`)
  expect(await fails('workflows', 'validate', unconnected)).toEqual({
    ...{ exitCode: 1, stdout: '' },
    stderr: `coze-plus: the canvas has issues:\n  workflow ${unconnected}, node 100001 "start": node "start" not connected\n`,
  })
  expect((await fails('workflows', 'validate', lost)).stderr).toContain(
    'node 101 "call", inputs.workflowId: the workflow 404 does not exist',
  )
  expect(await fails('workflows', 'validate', noJson)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('is not valid JSON') })
  expect(await fails('workflows', 'validate', '/nowhere')).toMatchObject({ exitCode: 1, stderr: 'coze-plus: the file cannot be read\n' })

  const manifest = await write('bad.json', {
    workflows: [
      { id: 71, name: 'a', canvas: './unconnected.json' },
      { id: 72, name: 'b', canvas: './lost.json' },
    ],
  })
  const { exitCode, stdout, stderr } = await fails('apply', '-f', manifest)
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
  expect(stderr).toBe(
    [
      'coze-plus: the manifest cannot be applied, nothing was changed: its canvases have issues',
      '  workflow a (71), node 100001 "start": node "start" not connected',
      '  workflow b (72), node 101 "call", inputs.workflowId: the workflow 404 does not exist\n',
    ].join('\n'),
  )
  expect(await run('workflows', 'list')).not.toMatch(/^71 /m)
})

test('the program still tells its own version', async () => {
  expect(await run('--version')).toMatch(/^\d+\.\d+\.\d+/)
})
