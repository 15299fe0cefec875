import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { outputOf, runProgram } from '../../test/support/child-program.ts'
import { cozePlusCommand } from '../../test/support/serve-process.ts'
import { createKeySecret } from '../accounts/api-key-secret.ts'

const key = createKeySecret()
const masked = `pat_****${key.slice(-4)}`
const scan = (...args: string[]) => runProgram(process.execPath, [cozePlusCommand, 'scan', ...args])
let root = ''

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'coze-plus-scan-'))
  await mkdir(join(root, '.config', 'deep'), { recursive: true })
  await mkdir(join(root, 'clean'))
  await writeFile(join(root, '.config', 'deep', '.env'), `# mine\nCOZE_KEY=${key}\n`)
  await writeFile(join(root, 'notes.md'), `é ${key} and ${key}`)
  await writeFile(join(root, 'picture.png'), `\u0000${key}`)
  await writeFile(join(root, 'large.log'), key)
  await truncate(join(root, 'large.log'), 51 * 1024 * 1024)
  await writeFile(join(root, 'clean', 'a.txt'), `${key.slice(0, -1)}!`)
  await symlink('..', join(root, 'clean', 'loop'))
})

afterAll(async () => rm(root, { recursive: true }))

test('keys in files of a folder, hidden ones too, are named without being shown', async () => {
  const { exitCode, stdout, stderr } = await scan(root)
  expect(exitCode).toBe(1)
  expect(stdout.split('\n').slice(0, 3)).toEqual([
    `${root}/.config/deep/.env:2:10 ${masked}`,
    ...[`${root}/notes.md:1:4 ${masked}`, `${root}/notes.md:1:62 ${masked}`],
  ])
  expect(stdout).toContain('3 keys in 3 files')
  expect(stdout + stderr).not.toContain(key)
  expect(stderr).toBe(`${root}/large.log: not read, it has more than 50 MB\n`)
})

test('as JSON, and nothing where nothing is', async () => {
  const { exitCode, stdout } = await scan('--json', join(root, '.config'), join(root, 'clean', 'a.txt'))
  expect(exitCode).toBe(1)
  expect(JSON.parse(stdout)).toEqual({
    found: [{ path: `${root}/.config/deep/.env`, line: 2, column: 10, key: masked }],
    files: 2,
    notes: [],
  })
  expect(await outputOf(process.execPath, [cozePlusCommand, 'scan', join(root, 'clean')])).toBe('No keys in 1 file.\n')
})

test('standard input, for a hook before a commit', async () => {
  const child = spawn(process.execPath, [cozePlusCommand, 'scan', '-'], { stdio: ['pipe', 'pipe', 'ignore'] })
  child.stdin.end(`+ token: ${key}\n`)
  expect(await text(child.stdout)).toContain(`standard input:1:10 ${masked}`)
})

test('a path that is not there is said', async () => {
  expect(await scan(join(root, 'nowhere'))).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('there is no file or folder') })
})
