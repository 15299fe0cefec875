import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEmptyMariadb } from '../support/empty-mariadb.ts'
import { startFakeProvider } from '../support/fake-provider.ts'
import type { FakeProvider, Script } from '../support/fake-provider.ts'
import { startServe } from '../support/serve-process.ts'
import type { ServeProcess } from '../support/serve-process.ts'
import type { TestDatabase } from '../support/test-databases.ts'

/** The product as a reader of the guide has it: it serves, bot 123456 is published, and there is a key. */
export type GuideProduct = AsyncDisposable & {
  server: ServeProcess
  /** The model behind the bot. */
  provider: FakeProvider
  key: { id: string; secret: string }
  /** The value of a Cookie header of somebody who is signed in to the console. */
  signIn(): Promise<string>
}

export type GuideProductOptions = { database?: TestDatabase['name']; script?: Script }

export async function startGuideProduct({ database = 'SQLite', script }: GuideProductOptions = {}): Promise<GuideProduct> {
  await using started = new AsyncDisposableStack()
  const provider = started.use(await startFakeProvider(script))
  const mariadb = database === 'MariaDB' ? started.use(await createEmptyMariadb()) : undefined
  const server = started.use(await startServe({ UPSTREAM_KEY: 'sk-test', ...(mariadb && { DATABASE_URL: mariadb.url }) }))

  await applyManifest(server, provider)
  const made = JSON.parse(await server.command('keys', 'create', '--email', 'admin@example.com', '--name', 'guide', '--json'))
  const all = started.move()
  return {
    server,
    provider,
    key: { id: made.id, secret: made.api_key },
    signIn: () => signIn(server.url),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

async function applyManifest(server: ServeProcess, provider: FakeProvider): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'coze-plus-manifest-'))
  const path = join(dir, 'manifest.yaml')
  await writeFile(path, manifest(provider.baseUrl))
  await server.command('apply', '-f', path)
  await rm(dir, { recursive: true })
}

const manifest = (modelUrl: string) => `
models:
  - name: scripted
    protocol: openai
    base_url: ${modelUrl}
    api_key: \${UPSTREAM_KEY}
    model: fake
bots:
  - id: 123456
    owner: admin@example.com
    name: 客服助手
    description: 智能客服机器人,可以回答常见问题
    icon_url: https://example.com/icon.png
    prompt: 你是一个专业的客服助手
    model: scripted
    publish: { version: 1.0.0 }
`

async function signIn(url: string): Promise<string> {
  const response = await fetch(`${url}/api/console/sign-in`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'admin@example.com', password: 'correct horse' }),
  })
  const cookies = response.headers.getSetCookie().map((cookie) => cookie.split(';', 1)[0])
  if (cookies.length === 0) throw new Error(`cannot sign in: ${await response.text()}`)
  return cookies.join('; ')
}
