import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, inject } from 'vitest'
import type { z } from 'zod'
import { createKey } from '../../src/accounts/api-keys.ts'
import { createUser } from '../../src/accounts/users.ts'
import { createApp } from '../../src/app.ts'
import { botConfigSchema } from '../../src/bots/bot-config.ts'
import type { BotProfile } from '../../src/bots/bot-config.ts'
import { createBot, publishBot } from '../../src/bots/bots.ts'
import { loadConfig } from '../../src/config.ts'
import { openCore } from '../../src/core.ts'
import type { Core } from '../../src/core.ts'
import type { Db } from '../../src/db/database.ts'
import type { HttpServer } from '../../src/http/http-server.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { saveModel } from '../../src/models/model-store.ts'
import { says, startFakeProvider } from './fake-provider.ts'
import type { FakeProvider, Script } from './fake-provider.ts'
import { freePort } from './free-port.ts'
import type { TestDatabase } from './test-databases.ts'

/**
 * The real product in this process: its own port, data directory and database, a scripted model
 * provider behind it, one user with one key and one published bot (id 123456) on that provider.
 */
export type TestApp = AsyncDisposable & {
  url: string
  port: number
  core: Core
  http: HttpServer
  provider: FakeProvider
  /** The first user's key and bot. */
  apiKey: string
  userId: string
  botId: string
  /** Users are user1@example.com and so on; all have PASSWORD. The second one must never see anything of the first. */
  makeUser(): Promise<TestUser>
  makeKey(userId: string, expireMs?: number): Promise<{ keyId: string; apiKey: string }>
  makeBot(
    userId: string,
    bot?: { id?: string; profile?: Partial<BotProfile>; config?: z.input<typeof botConfigSchema>; published?: boolean },
  ): Promise<string>
  /** A call with the first user's key. */
  call(method: string, path: string, body?: unknown, options?: CallOptions): Promise<Reply>
  /** The Cookie header of a user who has signed in; no user: the first. */
  signIn(email?: string): Promise<string>
  /** Lines the server has logged so far. */
  readonly logs: string[]
  /** Texts of the refusals that `call` has seen so far. */
  readonly refusals: string[]
  /** What must never be seen outside, by the name to report it with. */
  readonly secrets: Map<string, string>
  /** Everything of the server ends; its data stay until it is disposed of. */
  stop(): Promise<void>
  dataDir: string
}

export type TestUser = { userId: string; email: string; keyId: string; apiKey: string }

/** An empty `apiKey` sends none. */
export type CallOptions = { apiKey?: string; headers?: Record<string, string>; signal?: AbortSignal }
export type Reply = { status: number; headers: Headers; text: string; body: Json }
/** What a server answered: asserted on, not parsed. */
export type Json = ReturnType<typeof JSON.parse>

export type TestAppOptions = {
  database?: TestDatabase['name']
  script?: Script
  clock?: Clock
  env?: Record<string, string>
  /** Stands between the product and its database. */
  watch?: (db: Db) => Db
}

export const PASSWORD = 'correct-horse-battery-staple'
export const PROVIDER_KEY = 'sk-test-provider-secret'
const MASTER_KEY = 'the-master-key-of-this-test'

export async function startTestApp({
  database = 'SQLite',
  script,
  clock,
  env = {},
  watch = (db) => db,
}: TestAppOptions = {}): Promise<TestApp> {
  const dataDir = await mkdtemp(join(tmpdir(), 'coze-plus-test-'))
  const port = await freePort()
  const provider = await startFakeProvider(script)
  const databaseUrl = database === 'MariaDB' ? await askDoor('POST') : undefined
  const logs: string[] = []
  const config = loadConfig({
    PORT: String(port),
    DATA_DIR: dataDir,
    MASTER_KEY,
    DRAIN_SECONDS: '2',
    ...(databaseUrl && { DATABASE_URL: databaseUrl }),
    ...env,
  })
  const logger = pino({ level: config.logLevel }, { write: (line: string) => void logs.push(line) })
  const opened = await openCore(config, { logger, clock })
  const core = { ...opened, db: watch(opened.db) }
  const product = await createApp(core)
  await product.http.listen({ host: '127.0.0.1', port })

  const secrets = new Map(Object.entries({ password: PASSWORD, 'provider key': PROVIDER_KEY, 'master key': MASTER_KEY }))
  const makers = createMakers(core, secrets)
  await saveModel(core, { name: 'scripted', protocol: 'openai', baseUrl: provider.baseUrl, apiKey: PROVIDER_KEY, providerModel: 'fake' })
  const { userId, apiKey } = await makers.makeUser()
  const botId = await makers.makeBot(userId, { id: '123456' })
  const stop = onlyOnce(async () => {
    await product.close()
    await core.close()
  })

  return {
    ...{ port, core, http: product.http, provider, apiKey, userId, botId, logs, dataDir, secrets, stop },
    ...makers,
    ...createCalls({ url: `http://127.0.0.1:${port}`, apiKey, secrets }),
    async [Symbol.asyncDispose]() {
      await stop()
      await provider.close()
      await rm(dataDir, { recursive: true, force: true })
      if (databaseUrl) await askDoor('DELETE', databaseUrl)
    },
  }
}

/** One app for all tests of a `describe`; each test begins with the provider's default script and no requests noted. */
export function useTestApp(options: TestAppOptions): TestApp {
  let app: TestApp | undefined
  beforeAll(async () => {
    app = await startTestApp(options)
  })
  beforeEach(() => {
    if (!app) return
    app.provider.script = options.script ?? says('Hello', ' there')
    app.provider.requests.length = 0
  })
  afterAll(async () => app?.[Symbol.asyncDispose]())

  // the app is there only when the first test runs; tests are written as if it were there already
  return new Proxy({} as TestApp, {
    get(_, name) {
      if (!app) throw new Error('the app is there only inside of a test')
      return Reflect.get(app, name) as unknown
    },
  })
}

function createMakers(core: Core, secrets: Map<string, string>): Pick<TestApp, 'makeUser' | 'makeKey' | 'makeBot'> {
  let users = 0
  const makeKey: TestApp['makeKey'] = async (userId, expire = 0) => {
    const { key, secret } = await createKey({ ...core, forgetKey: () => undefined }, { userId }, { name: 'test', expiry: { expire } })
    secrets.set(`API key ${key.id}`, secret)
    return { keyId: key.id, apiKey: secret }
  }
  return {
    makeKey,
    async makeUser() {
      const email = `user${++users}@example.com`
      const user = await createUser(core, { email, password: PASSWORD })
      return { userId: user.id, email, ...(await makeKey(user.id)) }
    },
    async makeBot(userId, { id, profile: face = {}, config = {}, published = true } = {}) {
      const profile = { name: '客服助手', description: '智能客服机器人,可以回答常见问题', iconUrl: 'https://example.com/icon.png', ...face }
      const draft = botConfigSchema.parse({ prompt: '你是一个专业的客服助手', model: 'scripted', ...config })
      const bot = await createBot(core, { userId }, { id, ...profile, config: draft })
      if (published) await publishBot(core, { userId }, { botId: bot.id, version: '1.0.0' })
      return bot.id
    },
  }
}

type Caller = { url: string; apiKey: string; secrets: Map<string, string> }

export function createCalls({ url, apiKey, secrets }: Caller): Pick<TestApp, 'url' | 'call' | 'signIn' | 'refusals'> {
  const refusals: string[] = []
  const call: TestApp['call'] = async (method, path, ...[body, options]) => {
    const reply = await send(`${url}${path}`, { method, body, apiKey, ...options })
    if (reply.status >= 400) refusals.push(reply.text)
    return reply
  }
  return {
    url,
    call,
    refusals,
    async signIn(email = 'user1@example.com') {
      const { headers } = await call('POST', '/api/console/sign-in', { email, password: PASSWORD }, { apiKey: '' })
      const cookie = headers.getSetCookie()[0]?.split(';')[0] ?? ''
      secrets.set(`session of ${email}`, cookie.slice(cookie.indexOf('=') + 1))
      return cookie
    },
  }
}

async function send(
  url: string,
  { method, body, apiKey, headers, signal }: { method: string; body?: unknown } & CallOptions,
): Promise<Reply> {
  const isRaw = typeof body === 'string' || body instanceof Uint8Array || body instanceof FormData
  const json = body !== undefined && !(body instanceof FormData)
  const response = await fetch(url, {
    method,
    signal,
    headers: { ...(apiKey && { authorization: `Bearer ${apiKey}` }), ...(json && { 'content-type': 'application/json' }), ...headers },
    body: body === undefined ? undefined : isRaw ? (body as string) : JSON.stringify(body),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, body: parseLoosely(text) }
}

function parseLoosely(text: string): Json {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function onlyOnce(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => (done ??= work())
}

async function askDoor(method: 'POST' | 'DELETE', body?: string): Promise<string> {
  const response = await fetch(inject('mariadbDoor'), { method, body })
  const text = await response.text()
  if (!response.ok) throw new Error(`no test database: ${text}`)
  return text
}
