import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { outputOf, startProgram } from './child-program.ts'
import type { ChildProgram } from './child-program.ts'
import { freePort } from './free-port.ts'

/** The product as an operator runs it: a process of its own, told what to do by variables and commands only. */
export type ServeProcess = AsyncDisposable & {
  url: string
  port: number
  program: ChildProgram
  /** Standard output of another command on the same data, such as `keys list`. */
  command(...args: string[]): Promise<string>
}

export const repositoryRoot = join(import.meta.dirname, '..', '..', '..')
export const cozePlusCommand = join(repositoryRoot, 'server', 'bin', 'coze-plus.js')

/** The first administrator is `admin@example.com` with the password `correct horse`. */
export async function startServe(env: Record<string, string> = {}): Promise<ServeProcess> {
  const dataDir = await mkdtemp(join(tmpdir(), 'coze-plus-serve-'))
  const port = await freePort()
  const settings = { PORT: String(port), DATA_DIR: dataDir, MASTER_KEY: 'test master key', ADMIN_PASSWORD: 'correct horse', ...env }
  const program = startProgram(process.execPath, [cozePlusCommand, 'serve'], { env: settings })
  const dispose = async () => {
    await program.stop()
    await rm(dataDir, { recursive: true, force: true })
  }

  try {
    await program.untilPrinted('is running at')
  } catch (cause) {
    await dispose()
    throw cause
  }
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    program,
    command: (...args) => outputOf(process.execPath, [cozePlusCommand, ...args], { env: settings }),
    [Symbol.asyncDispose]: dispose,
  }
}
