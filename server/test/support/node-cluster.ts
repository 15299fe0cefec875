import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { startNginx } from '../guide/nginx-front.ts'
import type { NginxFront } from '../guide/nginx-front.ts'
import { outputOf, startProgram } from './child-program.ts'
import type { ChildProgram, Ended } from './child-program.ts'
import { answers, startFakeProvider } from './fake-provider.ts'
import type { FakeProvider } from './fake-provider.ts'
import { cannotRun, findPrograms } from './find-program.ts'
import { freePort } from './free-port.ts'
import { startMariadb } from './mariadb-server.ts'
import type { MariadbServer } from './mariadb-server.ts'
import { startRedis } from './redis-server.ts'
import type { RedisServer } from './redis-server.ts'
import { cozePlusCommand, repositoryRoot } from './serve-process.ts'
import { PASSWORD, createCalls } from './test-app.ts'
import type { TestApp } from './test-app.ts'

/** Several real servers on one MariaDB and one Redis of their own, behind a real nginx with the configuration of `deploy/`. */
export type NodeCluster = AsyncDisposable & {
  nodes: [ClusterNode, ClusterNode, ...ClusterNode[]]
  front: NginxFront
  mariadb: MariadbServer
  redis: RedisServer
  provider: FakeProvider
  apiKey: string
  /** Standard output of a command on the same data. */
  command(...args: string[]): Promise<string>
}

export type ClusterNode = Pick<TestApp, 'url' | 'apiKey' | 'call' | 'signIn'> & {
  /** Resolves when it serves. */
  start(): Promise<void>
  /** SIGTERM: live runs may end first. */
  stop(): Promise<Ended>
  /** SIGKILL: nothing of it can be tidied up. */
  kill(): Promise<void>
}

/** Two servers and what they stand on, on a machine that does other things too. */
export const STARTS_MS = 90_000

export const cannotRunCluster = (): boolean => cannotRun('mariadbd', 'redis-server', 'redis-cli', 'nginx', 'openssl')

/** Bot 123456 answers by the provider. Each node believes that it is on a machine of its own, where this machine can do that. */
export async function startNodeCluster(
  provided: Parameters<typeof startFakeProvider>[0] = answers(['ok']),
  { third = false } = {},
): Promise<NodeCluster> {
  await using started = new AsyncDisposableStack()
  const dataDir = await mkdtemp(join(tmpdir(), 'coze-plus-nodes-'))
  started.defer(() => rm(dataDir, { recursive: true, force: true }))
  const [provider, mariadb, redis] = await Promise.all([startFakeProvider(provided), startMariadb(), startRedis()])
  for (const each of [provider, mariadb, redis]) started.use(each)
  const env = {
    ...{ DATA_DIR: dataDir, MASTER_KEY: 'test master key', ADMIN_PASSWORD: PASSWORD, LOG_LEVEL: 'warn' },
    ...{ DATABASE_URL: mariadb.url(), REDIS_URL: redis.url, DRAIN_SECONDS: '20' },
    ...{ OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: provider.baseUrl, OPENAI_MODEL: 'fake' },
  }

  const first = await createNode('one', env)
  started.defer(first.dispose)
  const apiKey = await first.firstKey()
  const second = await createNode('two', env)
  const others = [second, ...(third ? [await createNode('three', env)] : [])]
  for (const other of others) started.defer(other.dispose)
  await Promise.all(others.map((other) => other.start()))
  const front = started.use(await startNginx(await siteFor([first, ...others].map(({ port }) => port)), first.port))

  const all = started.move()
  return {
    ...{ front, mariadb, redis, provider, apiKey },
    nodes: [first.callingWith(apiKey), second.callingWith(apiKey), ...others.slice(1).map((other) => other.callingWith(apiKey))],
    command: (...args) => outputOf(process.execPath, [cozePlusCommand, ...args], { env }),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

async function createNode(name: string, env: Record<string, string>) {
  const port = await freePort()
  let program: ChildProgram | undefined

  async function start(): Promise<void> {
    const serve = [process.execPath, cozePlusCommand, 'serve']
    const [command = '', ...args] = canNameMachines()
      ? ['unshare', '--uts', 'sh', '-c', `hostname ${name} && exec "$@"`, name, ...serve]
      : serve
    program = startProgram(command, args, { env: { ...env, PORT: String(port) } })
    await program.untilPrinted('is running at', STARTS_MS / 2)
  }

  const control: Pick<ClusterNode, 'start' | 'stop' | 'kill'> = {
    start,
    async stop() {
      if (!program) throw new Error('the node was never started')
      return program.stop()
    },
    kill: async () => void (await program?.stop('SIGKILL')),
  }
  return {
    ...{ port, start },
    async firstKey() {
      await start()
      await program?.untilPrinted('/v3/chat')
      const [, apiKey] = /API key +(\S+)/.exec(program?.printed().stdout ?? '') ?? []
      if (apiKey === undefined) throw new Error('the first start printed no key')
      return apiKey
    },
    callingWith: (apiKey: string): ClusterNode => ({
      ...control,
      ...createCalls({ url: `http://127.0.0.1:${port}`, apiKey, secrets: new Map() }),
      apiKey,
    }),
    dispose: async () => void (await program?.stop('SIGKILL')),
  }
}

/** To the servers they are two machines then, and a dead one is found by its silence alone. */
const canNameMachines = () => userInfo().uid === 0 && findPrograms('unshare').length > 0

/** What an operator copies, with the addresses of these nodes; one client here is as busy as a hundred. */
async function siteFor(ports: number[]): Promise<string> {
  const site = await readFile(join(repositoryRoot, 'deploy', 'nginx.conf'), 'utf8')
  const servers = /^( *server )10\.0\.0\.11:8888(.*\n) *server 10\.0\.0\.12:8888.*\n/m
  return site
    .replace(servers, (_all, before: string, after: string) => ports.map((port) => `${before}127.0.0.1:${port}${after}`).join(''))
    .replace('rate=100r/s', 'rate=10000r/s')
    .replace('burst=200', 'burst=10000')
}
