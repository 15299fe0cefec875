import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseLocation } from '../../src/db/database.ts'
import { outputOf, startProgram } from './child-program.ts'
import type { ChildProgram } from './child-program.ts'
import { createEmptyMariadb } from './empty-mariadb.ts'
import type { FakeProvider } from './fake-provider.ts'
import { freePort } from './free-port.ts'
import { cozePlusCommand } from './serve-process.ts'
import { createCalls } from './test-app.ts'
import type { TestApp } from './test-app.ts'
import type { TestDatabase } from './test-databases.ts'

/** The product as a process of its own that can be killed and started again on the same data; bot 123456 answers by the provider. */
export type KillableServer = AsyncDisposable &
  Pick<TestApp, 'url' | 'apiKey' | 'call'> & {
    location: DatabaseLocation
    /** SIGKILL: nothing of it can be tidied up. Resolves when it is gone. */
    kill(): Promise<void>
    /** Resolves when it serves. */
    start(): Promise<void>
    /** SIGTERM: live chats may end first. */
    stop(): Promise<void>
    /** Standard output of a command on the same data. */
    command(...args: string[]): Promise<string>
  }

export async function startKillableServer(provider: FakeProvider, database: TestDatabase['name'] = 'SQLite'): Promise<KillableServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'coze-plus-kill-'))
  const mariadb = database === 'MariaDB' ? await createEmptyMariadb() : undefined
  const env = {
    ...{ PORT: String(await freePort()), DATA_DIR: dataDir, MASTER_KEY: 'test master key', ADMIN_PASSWORD: 'correct horse' },
    ...{ OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: provider.baseUrl, OPENAI_MODEL: 'fake', LOG_LEVEL: 'warn' },
    ...(mariadb && { DATABASE_URL: mariadb.url }),
  }
  const serve = async (): Promise<ChildProgram> => {
    const started = startProgram(process.execPath, [cozePlusCommand, 'serve'], { env })
    await started.untilPrinted('is running at')
    return started
  }
  let program = await serve()
  await program.untilPrinted('/v3/chat')
  const apiKey = /API key +(\S+)/.exec(program.printed().stdout)?.[1]
  if (apiKey === undefined) throw new Error('the first start printed no key')

  return {
    ...createCalls({ url: `http://127.0.0.1:${env.PORT}`, apiKey, secrets: new Map() }),
    apiKey,
    location: mariadb ? { kind: 'mysql', url: mariadb.url } : { kind: 'sqlite', path: join(dataDir, 'coze-plus.db') },
    kill: async () => void (await program.stop('SIGKILL')),
    stop: async () => void (await program.stop()),
    command: (...args) => outputOf(process.execPath, [cozePlusCommand, ...args], { env }),
    async start() {
      program = await serve()
    },
    async [Symbol.asyncDispose]() {
      await program.stop('SIGKILL')
      await mariadb?.[Symbol.asyncDispose]()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
