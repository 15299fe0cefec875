import { rm, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { outputOf, startProgram } from './child-program.ts'
import type { ChildProgram } from './child-program.ts'
import { requireProgram } from './find-program.ts'
import { freePort } from './free-port.ts'

/** A Redis of its own: own port on 127.0.0.1, nothing on disk. Whoever stops it has an empty one after `start`. */
export type RedisServer = AsyncDisposable & {
  url: string
  /** Starts it again, on the same port, after `kill`. */
  start(): Promise<void>
  /** As when the machine loses it: no goodbye to its clients. */
  kill(): Promise<void>
  /** Runs a command as `redis-cli` does; answers what it prints. */
  call(...command: string[]): Promise<string>
}

export type RedisOptions = { password?: string }

/** The caller disposes of it. For `describe.skipIf(cannotRun('redis-server', 'redis-cli'))`. */
export async function startRedis({ password = '' }: RedisOptions = {}): Promise<RedisServer> {
  const dir = await mkdtemp(join(tmpdir(), 'coze-plus-redis-'))
  const port = await freePort()
  const place = ['--bind', '127.0.0.1', '--port', String(port), '--dir', dir]
  let program: ChildProgram | undefined

  async function start(): Promise<void> {
    program = startProgram(requireProgram('redis-server'), [...place, '--save', '', '--appendonly', 'no', '--requirepass', password])
    await program.untilPrinted('Ready to accept connections')
  }

  await start()
  return {
    url: `redis://${password === '' ? '' : `:${password}@`}127.0.0.1:${port}`,
    start,
    async kill() {
      await program?.stop('SIGKILL')
    },
    async call(...command) {
      const args = ['-h', '127.0.0.1', '-p', String(port), '--no-auth-warning', ...(password === '' ? [] : ['-a', password]), ...command]
      return (await outputOf(requireProgram('redis-cli'), args)).trim()
    },
    async [Symbol.asyncDispose]() {
      await program?.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}
