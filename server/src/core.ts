import { mkdir } from 'node:fs/promises'
import { pino, stdSerializers } from 'pino'
import type { Logger } from 'pino'
import type { Config } from './config.ts'
import { openDatabase } from './db/database.ts'
import type { Db } from './db/database.ts'
import { migrate } from './db/migrate.ts'
import { takeWorkerLease } from './db/worker-lease.ts'
import type { WorkerLease } from './db/worker-lease.ts'
import { systemClock } from './lib/clock.ts'
import type { Clock } from './lib/clock.ts'
import { createSecretBox } from './lib/secret-box.ts'
import type { SecretBox } from './lib/secret-box.ts'
import { createSnowflake } from './lib/snowflake.ts'
import type { NextId } from './lib/snowflake.ts'

/** What the server and every command stand on: the migrated database, ids, secrets, the log. */
export type Core = {
  config: Config
  db: Db
  clock: Clock
  nextId: NextId
  secrets: SecretBox
  logger: Logger
  /** Names this life of this process in the database. */
  workerToken: string
  close(): Promise<void>
}

export type CoreOverrides = { clock?: Clock; logger?: Logger }

export async function openCore(config: Config, overrides: CoreOverrides = {}): Promise<Core> {
  const clock = overrides.clock ?? systemClock
  const logger = withoutStatements(overrides.logger ?? pino({ level: config.logLevel }))
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 })
  const db = await openDatabase(config.database)
  try {
    await migrate(db)
    const lease = await takeWorkerLease({ db, clock, onError: (cause) => logger.error({ err: cause }, 'worker lease') })
    return {
      config,
      db,
      clock,
      nextId: idsOf(lease, clock),
      secrets: createSecretBox(config.masterKey),
      logger,
      workerToken: lease.token,
      async close() {
        await lease.release().catch((cause: unknown) => logger.error({ err: cause }, 'worker lease'))
        await db.destroy()
      },
    }
  } catch (cause) {
    await db.destroy()
    throw cause
  }
}

/** With another worker number they are another line of ids. */
function idsOf(lease: WorkerLease, clock: Clock): NextId {
  let { workerId } = lease
  let next = createSnowflake(workerId, clock)
  return () => {
    if (lease.workerId !== workerId) {
      workerId = lease.workerId
      next = createSnowflake(workerId, clock)
    }
    return next()
  }
}

/** @NOTE an error of the MySQL driver brings its whole statement along, with all that users have said in it */
function withoutStatements(logger: Logger): Logger {
  const err = stdSerializers.wrapErrorSerializer((error) => ({ ...error, sql: undefined }))
  return logger.child({}, { serializers: { err } })
}
