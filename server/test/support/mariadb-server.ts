import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { mkdtemp, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { createConnection } from 'mysql2/promise'

/** A MariaDB of its own: own data, own port on 127.0.0.1, user root without a password. Committed data survives `kill` and `start`. */
export type MariadbServer = AsyncDisposable & {
  port: number
  /** Such as mysql://root@127.0.0.1:40001/coze_plus; that database is there and empty. */
  url(database?: string): string
  /** Another one, empty; answers its url. */
  createDatabase(name: string): Promise<string>
  /** Starts it again, on the same port with the same data, after `stop` or `kill`. */
  start(): Promise<void>
  /** A clean shutdown. */
  stop(): Promise<void>
  /** As when the machine loses it: no goodbye to its clients. */
  kill(): Promise<void>
}

/** False where MariaDB is not installed. */
export function hasMariadb(): boolean {
  return findProgram('mariadbd') !== undefined && findProgram('mariadb-install-db') !== undefined
}

/** The caller disposes of it; that stops it and removes its data. `flags` of mariadbd count more than what makes tests quick. */
export async function startMariadb(flags: string[] = []): Promise<MariadbServer> {
  const dir = await mkdtemp(join(tmpdir(), 'coze-plus-mariadb-'))
  const removeDir = () => rmSync(dir, { recursive: true, force: true })
  const port = await freePort()
  const child = createChild(dir, { port, flags })
  const start = async () => {
    child.spawn()
    await waitUntilReady(child, port)
  }

  try {
    await installSystemTables(dir)
    await start()
    await createEmptyDatabase(port, EMPTY_DATABASE)
  } catch (cause) {
    await child.end('SIGKILL')
    removeDir()
    throw cause
  }
  const url = (database = EMPTY_DATABASE) => `mysql://root@127.0.0.1:${port}/${database}`
  return {
    port,
    url,
    async createDatabase(name) {
      await createEmptyDatabase(port, name)
      return url(name)
    },
    start,
    stop: () => child.end('SIGTERM'),
    kill: () => child.end('SIGKILL'),
    async [Symbol.asyncDispose]() {
      await child.end('SIGTERM')
      removeDir()
    },
  }
}

const EMPTY_DATABASE = 'coze_plus'
const START_TIMEOUT_MS = 30_000
const STOP_TIMEOUT_MS = 10_000
const BIN_DIRS = ['/usr/sbin', '/usr/local/sbin', '/usr/bin', '/usr/local/bin', '/usr/local/mysql/bin']

/** @NOTE Every MariaDB program must start with this, or it reads the configuration of a server installed on the machine. */
const NO_DEFAULTS = '--no-defaults'
// a server that runs as root wants to be told that this is meant
const AS_USER = userInfo().uid === 0 ? ['--user=root'] : []

async function installSystemTables(dir: string): Promise<void> {
  const args = [
    NO_DEFAULTS,
    ...AS_USER,
    `--datadir=${join(dir, 'data')}`,
    `--tmpdir=${dir}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
  ]
  await promisify(execFile)(requireProgram('mariadb-install-db'), args, { timeout: START_TIMEOUT_MS })
}

function createChild(dir: string, { port, flags }: { port: number; flags: string[] }) {
  let process_: ChildProcess | undefined
  const isRunning = () => process_ !== undefined && process_.exitCode === null && process_.signalCode === null
  const killAtExit = () => process_?.kill('SIGKILL')

  return {
    isRunning,
    log: () => readFile(join(dir, 'error.log'), 'utf8'),
    spawn() {
      const all = [NO_DEFAULTS, ...AS_USER, ...placeFlags(dir, port), ...SPEED_FLAGS, ...flags]
      process_ = spawn(requireProgram('mariadbd'), all, { stdio: 'ignore' })
      process_.once('error', () => undefined)
      process.once('exit', killAtExit)
    },
    async end(signal: 'SIGTERM' | 'SIGKILL') {
      process.removeListener('exit', killAtExit)
      const ended = process_
      if (!ended || !isRunning()) return

      const exit = new Promise((resolve) => ended.once('exit', resolve))
      const impatience = setTimeout(() => ended.kill('SIGKILL'), STOP_TIMEOUT_MS)
      ended.kill(signal)
      await exit
      clearTimeout(impatience)
    },
  }
}

function placeFlags(dir: string, port: number): string[] {
  return [
    `--datadir=${join(dir, 'data')}`,
    // @NOTE a server that starts deletes what others have in a temp folder that they share
    `--tmpdir=${dir}`,
    `--socket=${join(dir, 'socket')}`,
    `--pid-file=${join(dir, 'pid')}`,
    `--log-error=${join(dir, 'error.log')}`,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    '--skip-name-resolve',
  ]
}

/** No waiting for the disk; `2` still hands every commit to the system, so it survives a killed server. */
const SPEED_FLAGS = [
  '--innodb-flush-log-at-trx-commit=2',
  '--loose-innodb-flush-method=nosync',
  '--loose-sync-frm=0',
  '--innodb-buffer-pool-size=64M',
  '--innodb-log-file-size=16M',
  '--max-connections=300',
]

async function waitUntilReady(child: ReturnType<typeof createChild>, port: number): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS
  while (child.isRunning() && Date.now() < deadline) {
    const answers = await createConnection({ host: '127.0.0.1', port, user: 'root', connectTimeout: 1_000 }).then(
      (connection) => connection.end().then(() => true),
      () => false,
    )
    if (answers) return
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
  throw new Error(`mariadbd does not start:\n${await child.log().catch(() => '(no log)')}`)
}

async function createEmptyDatabase(port: number, name: string): Promise<void> {
  const connection = await createConnection({ host: '127.0.0.1', port, user: 'root' })
  await connection.query('create database ??', [name])
  await connection.end()
}

function requireProgram(name: string): string {
  const path = findProgram(name)
  if (path === undefined) throw new Error(`${name} is not installed`)
  return path
}

function findProgram(name: string): string | undefined {
  const dirs = [...(process.env.PATH ?? '').split(delimiter), ...BIN_DIRS]
  return dirs.map((dir) => join(dir, name)).find((path) => existsSync(path))
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}
