import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { outputOf, runProgram, startProgram } from '../support/child-program.ts'
import { cannotRun, findPrograms, requireProgram } from '../support/find-program.ts'
import { cozePlusCommand, repositoryRoot } from '../support/serve-process.ts'
import { freePort } from '../support/free-port.ts'

describe.skipIf(cannotRun('bash', 'curl'))('somebody who has just installed it', () => {
  test('starts it, runs the line that it prints, and has an answer; the next start shows no secret', async () => {
    await using folder = await createFolder()
    const env = { DATA_DIR: folder.path, PORT: String(await freePort()) }
    await using first = await startAsNpmDoes(env)
    // its last words
    await first.untilPrinted('"query"')
    const welcome = first.printed().stdout
    const secret = /\bpat_\w+/.exec(welcome)?.[0] ?? 'no key'
    const password = /admin@example\.com +(\S+)/.exec(welcome)?.[1] ?? 'no password'

    const answer = JSON.parse(await outputOf(requireProgram('bash'), ['-c', curlLine(welcome)]))
    expect(answer).toMatchObject({ code: 0, message: { role: 'assistant', content: expect.stringMatching(/demo/i) } })
    expect(await signIn(env.PORT, password)).toBe(200)

    const stoppedAt = performance.now()
    expect(await first.stop()).toMatchObject({ exitCode: 0, stderr: '' })
    expect(performance.now() - stoppedAt).toBeLessThan(5_000)

    await using second = await startAsNpmDoes(env)
    await outputOf(requireProgram('bash'), ['-c', curlLine(welcome)])
    const { stdout, stderr } = await second.stop()
    expect(stdout).toContain('is running at')
    expect(stdout + stderr).not.toMatch(/pat_|password|curl/)
    expect(stdout).not.toContain(secret)
    expect(stdout).not.toContain(password)
  })

  test('reads what the first start has made even when the port is taken', async () => {
    await using folder = await createFolder()
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const address = taken.address()
    const port = typeof address === 'object' && address ? String(address.port) : ''
    const { exitCode, stdout, stderr } = await serve({ DATA_DIR: folder.path, PORT: port })
    taken.close()

    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/pat_\w{40,}/)
    expect(stderr).toMatch(/^coze-plus: .*\n$/)
    expect(stderr).toContain(port)
  })
})

describe('a setting that cannot be used stops the start with one line that names it', () => {
  test.each([
    ['PORT', { PORT: 'eighty' }],
    ['LOG_LEVEL', { LOG_LEVEL: 'loud' }],
    ['DATABASE_URL', { DATABASE_URL: 'postgres://me:secret@127.0.0.1/db' }],
    ['MASTER_KEY', { DATABASE_URL: 'mysql://root@127.0.0.1:1/db' }],
  ])('%s', async (name, env) => {
    await using folder = await createFolder()
    const { exitCode, stdout, stderr } = await serve({ DATA_DIR: folder.path, ...env })

    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    expect(stderr).toMatch(new RegExp(`^[^\\n]*\\b${name}\\b[^\\n]*\\n$`))
    expect(stderr).not.toContain('secret')
  })
})

const oldNode = await findOldNode()

describe.skipIf(oldNode === undefined)('under the old Node of this machine', () => {
  const node = oldNode ?? ''

  test('the server runs all the same, and ends when asked to', async () => {
    await using folder = await createFolder()
    const env = { DATA_DIR: folder.path, PORT: String(await freePort()) }
    await using server = startProgram(node, [cozePlusCommand, 'serve'], { env })
    await server.untilPrinted('is running at')

    expect((await fetch(`http://127.0.0.1:${env.PORT}/healthz`)).status).toBe(200)
    expect(await server.stop()).toMatchObject({ exitCode: 0, stderr: '' })
    await expect(fetch(`http://127.0.0.1:${env.PORT}/healthz`)).rejects.toThrow()
  })

  test('without npm ci, one line says what to do', async () => {
    await using folder = await createFolder()
    const bin = join(folder.path, 'server', 'bin')
    await mkdir(bin, { recursive: true })
    await writeFile(join(folder.path, 'server', 'package.json'), '{ "type": "module" }')
    await cp(cozePlusCommand, join(bin, 'coze-plus.js'))
    const { exitCode, stdout, stderr } = await runProgram(node, [join(bin, 'coze-plus.js'), 'serve'])

    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    expect(stderr).toMatch(/^coze-plus needs Node 22\.18 or newer.*npm ci.*\n$/)
  })
})

/** `npm start`, without npm: that looks for news of itself in the network. */
async function startAsNpmDoes(env: Record<string, string>) {
  const { scripts } = JSON.parse(await readFile(join(repositoryRoot, 'package.json'), 'utf8'))
  const path = [join(repositoryRoot, 'node_modules', '.bin'), process.env.PATH].join(delimiter)
  const program = startProgram('sh', ['-c', `exec ${scripts.start}`], { cwd: repositoryRoot, env: { ...env, PATH: path } })
  await program.untilPrinted('is running at')
  return program
}

const serve = (env: Record<string, string>) => runProgram(process.execPath, [cozePlusCommand, 'serve'], { env })

/** The command with the lines that go on with it, as a person copies it. */
function curlLine(printed: string): string {
  const command = /^curl (?:.*\\\n)*.*$/m.exec(printed)?.[0]
  if (command === undefined) throw new Error(`no curl line in:\n${printed}`)
  return command
}

async function signIn(port: string, password: string): Promise<number> {
  const body = JSON.stringify({ email: 'admin@example.com', password })
  const headers = { 'content-type': 'application/json' }
  return (await fetch(`http://127.0.0.1:${port}/api/console/sign-in`, { method: 'POST', headers, body })).status
}

async function createFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'coze-plus-first-start-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** One that cannot run TypeScript. */
async function findOldNode(): Promise<string | undefined> {
  for (const node of findPrograms('node')) {
    const { stdout } = await runProgram(node, ['--version'])
    const major = Number(/^v(\d+)\./.exec(stdout)?.[1])
    if (major >= 14 && major < 22) return node
  }
  return undefined
}
