import { access, constants } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { Command } from 'commander'
import { pingRedis } from '../cluster/redis-ping.ts'
import { loadConfig } from '../config.ts'
import type { Config } from '../config.ts'
import { openDatabase } from '../db/database.ts'
import { openObjectStore } from '../files/open-object-store.ts'
import { listPendingMigrations } from '../db/migrate.ts'
import { print, printJson } from './command-core.ts'

type Finding = { check: string; ok: boolean; detail: string }

/** Looks at everything a start needs and says what to do about what is wrong. Changes nothing. */
export const doctorCommand = () =>
  new Command('doctor')
    .description('Check that the server can start and work')
    .option('--json')
    .action(async (options: { json?: boolean }) => {
      const findings = await examine()
      if (options.json) printJson(findings)
      else for (const { check, ok, detail } of findings) print(`${ok ? 'ok  ' : 'FAIL'}  ${check}: ${detail}`)
      if (findings.some((finding) => !finding.ok)) process.exitCode = 1
    })

async function examine(): Promise<Finding[]> {
  const node = { check: 'Node.js', ok: isNewEnough(process.versions.node), detail: `${process.versions.node}, needs 22.18 or later` }
  let config: Config | undefined
  const settings = await finding('settings', async () => {
    config = loadConfig()
    return `${config.database.kind} database, data in ${config.dataDir}`
  })
  if (!config) return [node, settings]
  return [
    node,
    settings,
    await checkDirectory(config),
    await checkDatabase(config),
    ...(await checkShared(config)),
    await checkPort(config),
  ]
}

/** `look` answers what it found, or throws what is wrong. */
async function finding(check: string, look: () => Promise<string>): Promise<Finding> {
  try {
    return { check, ok: true, detail: await look() }
  } catch (cause) {
    return { check, ok: false, detail: cause instanceof Error ? cause.message : String(cause) }
  }
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > 22 || (major === 22 && minor >= 18)
}

const checkDirectory = ({ dataDir }: Config) =>
  finding('data directory', async () => {
    await access(dataDir, constants.R_OK | constants.W_OK)
    return `${dataDir} can be written`
  })

const checkDatabase = ({ database }: Config) =>
  finding('database', async () => {
    const db = await openDatabase(database)
    try {
      const pending = await listPendingMigrations(db)
      return pending.length === 0
        ? 'reachable, schema up to date'
        : `reachable, ${pending.length} migrations to apply: \`coze-plus migrate\` or a start does it`
    } finally {
      await db.destroy()
    }
  })

/** What nodes share beside the database. */
async function checkShared({ redisUrl, s3, dataDir }: Config): Promise<Finding[]> {
  const redis = redisUrl === undefined ? [] : [await finding('Redis', async () => `reachable, ${(await pingRedis(redisUrl)).version}`)]
  if (!s3) return redis

  const bucket = finding('files', async () => {
    const objects = await openObjectStore({ s3, dataDir })
    try {
      await objects.check()
      return `bucket ${s3.bucket} can be reached`
    } catch (cause) {
      throw new Error(`bucket ${s3.bucket} cannot be reached: check S3_ENDPOINT, S3_REGION, the keys and what they allow`, { cause })
    } finally {
      objects.close()
    }
  })
  return [...redis, await bucket]
}

/** A port that answers is taken, by this server or another program: both are worth knowing, neither is wrong. */
const checkPort = ({ host, port }: Config) =>
  finding('port', async () => {
    const taken = await new Promise<boolean>((resolve) => {
      const socket = createConnection({ host, port, timeout: 1_000 })
      socket.once('connect', () => (socket.destroy(), resolve(true)))
      socket.once('error', () => resolve(false))
      socket.once('timeout', () => (socket.destroy(), resolve(false)))
    })
    return taken ? `${host}:${port} is in use: a server is running there` : `${host}:${port} is free`
  })
