import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { pino } from 'pino'
import { inject } from 'vitest'
import { createKey } from '../../src/accounts/api-keys.ts'
import { createUser } from '../../src/accounts/users.ts'
import { createApp } from '../../src/app.ts'
import { botConfigSchema } from '../../src/bots/bot-config.ts'
import { createBot, publishBot } from '../../src/bots/bots.ts'
import type { z } from 'zod'
import { loadConfig } from '../../src/config.ts'
import { openCore } from '../../src/core.ts'
import type { Core } from '../../src/core.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { saveModel } from '../../src/models/model-store.ts'
import { startFakeProvider } from './fake-provider.ts'
import type { FakeProvider, Script } from './fake-provider.ts'
import type { TestDatabase } from './test-databases.ts'

/**
 * The real product in this process: its own port, data directory and database, a scripted model
 * provider behind it, one user with one key and one published bot (id 123456) on that provider.
 */
export type TestApp = AsyncDisposable & {
  url: string
  core: Core
  provider: FakeProvider
  /** The first user's key and bot. */
  apiKey: string
  userId: string
  botId: string
  /** A second user, who must never see anything of the first. */
  makeUser(): Promise<{ userId: string; apiKey: string }>
  makeKey(userId: string, expireMs?: number): Promise<{ keyId: string; apiKey: string }>
  makeBot(userId: string, bot?: { id?: string; config?: z.input<typeof botConfigSchema>; published?: boolean }): Promise<string>
  /** A call with the first user's key. */
  call(method: string, path: string, body?: unknown, options?: CallOptions): Promise<Reply>
  /** Lines the server has logged so far. */
  readonly logs: string[]
  /** Everything of the server ends; the data stay for `startTestApp({ dataDir })`. */
  stop(): Promise<void>
  dataDir: string
}

export type CallOptions = { apiKey?: string; headers?: Record<string, string>; signal?: AbortSignal }
export type Reply = { status: number; headers: Headers; text: string; body: any }

export type TestAppOptions = {
  database?: TestDatabase['name']
  script?: Script
  clock?: Clock
  env?: Record<string, string>
}

export async function startTestApp({ database = 'SQLite', script, clock, env = {} }: TestAppOptions = {}): Promise<TestApp> {
  const dataDir = await mkdtemp(join(tmpdir(), 'coze-plus-test-'))
  const port = await freePort()
  const provider = await startFakeProvider(script)
  const databaseUrl = database === 'MariaDB' ? await newMariadb() : undefined
  const logs: string[] = []
  const logger = pino({ level: 'info' }, { write: (line: string) => void logs.push(line) })
  const config = loadConfig({
    PORT: String(port),
    DATA_DIR: dataDir,
    MASTER_KEY: 'test master key',
    DRAIN_SECONDS: '2',
    ...(databaseUrl && { DATABASE_URL: databaseUrl }),
    ...env,
  })
  const core = await openCore(config, { logger, clock })
  const app = await createApp(core)
  await app.http.listen({ host: '127.0.0.1', port })

  const makers = createMakers(core)
  await saveModel(core, { name: 'scripted', protocol: 'openai', baseUrl: provider.baseUrl, apiKey: 'sk-test-provider-secret', providerModel: 'fake' })
  const { userId, apiKey } = await makers.makeUser()
  const botId = await makers.makeBot(userId, { id: '123456' })
  const url = `http://127.0.0.1:${port}`
  let running = true
  const stop = async () => {
    if (!running) return
    running = false
    await app.close()
    await core.close()
  }

  return {
    ...{ url, core, provider, apiKey, userId, botId, logs, dataDir, stop },
    ...makers,
    call: (method, path, body, options = {}) => call(url, { method, path, body, apiKey, ...options }),
    async [Symbol.asyncDispose]() {
      await stop()
      await provider.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

function createMakers(core: Core): Pick<TestApp, 'makeUser' | 'makeKey' | 'makeBot'> {
  let users = 0
  const makeKey: TestApp['makeKey'] = async (userId, expire = 0) => {
    const { key, secret } = await createKey({ ...core, forgetKey: () => undefined }, { userId }, { name: 'test', expiry: { expire } })
    return { keyId: key.id, apiKey: secret }
  }
  return {
    makeKey,
    async makeUser() {
      const user = await createUser(core, { email: `user${++users}@example.com`, password: 'correct horse' })
      return { userId: user.id, apiKey: (await makeKey(user.id)).apiKey }
    },
    async makeBot(userId, { id, config = {}, published = true } = {}) {
      const profile = { name: '客服助手', description: '智能客服机器人,可以回答常见问题', iconUrl: 'https://example.com/icon.png' }
      const bot = await createBot(core, { userId }, { id, ...profile, config: botConfigSchema.parse({ prompt: '你是一个专业的客服助手', model: 'scripted', ...config }) })
      if (published) await publishBot(core, { userId }, { botId: bot.id, version: '1.0.0' })
      return bot.id
    },
  }
}

async function call(url: string, { method, path, body, apiKey, headers, signal }: { method: string; path: string; body?: unknown } & CallOptions): Promise<Reply> {
  const isRaw = typeof body === 'string' || body instanceof Uint8Array
  const response = await fetch(`${url}${path}`, {
    method,
    signal,
    headers: { ...(apiKey && { authorization: `Bearer ${apiKey}` }), ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    body: body === undefined ? undefined : isRaw ? (body as string) : JSON.stringify(body),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, body: parseLoosely(text) }
}

function parseLoosely(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function newMariadb(): Promise<string> {
  const response = await fetch(inject('mariadbDoor'), { method: 'POST' })
  return response.text()
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}
