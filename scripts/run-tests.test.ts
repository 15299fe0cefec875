import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'

describe('npm test', () => {
  test('says last how many tests passed', async () => {
    const run = await runTests({ 'a.test.ts': `test('one', () => {}); test('two', () => {})` })
    expect(run).toEqual({ exitCode: 0, lastLine: '2 passed, 0 failed' })
  })

  test('counts over all files, and a file that does not load is a failure', async () => {
    const run = await runTests({
      'a.test.ts': `test('good', () => {}); test('bad', () => { throw new Error('no') })`,
      'b.test.ts': `test('good', () => {}); test.skip('later', () => {})`,
      'c.test.ts': `import './missing.ts'`,
    })
    expect(run).toEqual({ exitCode: 1, lastLine: '2 passed, 2 failed, 1 skipped' })
  })

  test('a hook that throws is a failure, although no test ran into it', async () => {
    const run = await runTests({ 'a.test.ts': `beforeAll(() => { throw new Error('no') }); test('never runs', () => {})` })
    expect(run.exitCode).toBe(1)
    expect(run.lastLine).toMatch(/^0 passed, 1 failed/)
  })

  test('an error that no test waits for is a failure', async () => {
    const run = await runTests({
      'a.test.ts': `test('good', async () => { void Promise.reject(new Error('lost')); await new Promise(setImmediate) })`,
    })
    expect(run).toEqual({ exitCode: 1, lastLine: '1 passed, 1 failed' })
  })

  test('a test that ends its process is a failure', async () => {
    const run = await runTests({
      'a.test.ts': `test('bye', () => process.kill(process.pid, 'SIGKILL'))`,
      'b.test.ts': `test('good', () => {})`,
    })
    expect(run.exitCode).toBe(1)
    expect(run.lastLine).toMatch(/^1 passed, [1-9]\d* failed$/)
  })

  test('a set-up that throws is a failure', async () => {
    const run = await runTests({
      'vitest.config.js': `export default { test: { globalSetup: './setup.ts' } }`,
      'setup.ts': `export default () => { throw new Error('no database') }`,
      'a.test.ts': `test('good', () => {})`,
    })
    expect(run.exitCode).toBe(1)
    expect(run.lastLine).toMatch(/^0 passed, [1-9]\d* failed/)
  })

  test('a runner that crashes is a failure', async () => {
    const run = await runTests({
      'vitest.config.js': `export default { test: { globalSetup: './setup.ts' } }`,
      'setup.ts': `export default () => process.kill(process.pid, 'SIGKILL')`,
      'a.test.ts': `test('good', () => {})`,
    })
    expect(run).toEqual({ exitCode: 1, lastLine: '0 passed, 1 failed' })
  })

  test('a clean-up that fails is a failure, although every test passed', async () => {
    const run = await runTests({
      'vitest.config.js': `export default { test: { globalSetup: './setup.ts' } }`,
      'setup.ts': `export default () => () => { throw new Error('database still runs') }`,
      'a.test.ts': `test('good', () => {})`,
    })
    expect(run).toEqual({ exitCode: 1, lastLine: '1 passed, 1 failed' })
  })

  test('no test is no success', async () => {
    expect(await runTests({})).toEqual({ exitCode: 1, lastLine: '0 passed, 1 failed' })
    expect(await runTests({ 'a.test.ts': `test.skip('later', () => {})` })).toEqual({
      exitCode: 1,
      lastLine: '0 passed, 0 failed, 1 skipped',
    })
  })
})

/** Runs `npm test` on a project of its own. */
async function runTests(files: Record<string, string>): Promise<{ exitCode: number | null; lastLine: string | undefined }> {
  const root = await mkdtemp(join(tmpdir(), 'coze-plus-tests-'))
  try {
    for (const [name, content] of Object.entries(files)) await writeFile(join(root, name), content)

    // what Vitest says to the workers of this run must not reach the run inside it
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(VITEST|VITE_|TEST$|NODE_ENV)/.test(name)))
    const script = join(import.meta.dirname, 'run-tests.ts')
    const child = spawn(process.execPath, [script, '--root', root, '--globals'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    const [stdout] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
    return { exitCode: child.exitCode, lastLine: stdout.trimEnd().split('\n').at(-1) }
  } finally {
    await rm(root, { recursive: true })
  }
}
