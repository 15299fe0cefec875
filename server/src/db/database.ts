import { Kysely, MysqlAdapter, sql } from 'kysely'
import type { InsertObject } from 'kysely'
import { AppError } from '../lib/app-error.ts'
import { createMysqlDialect } from './mysql-dialect.ts'
import { createSqliteDialect } from './sqlite-dialect.ts'
import type { Tables } from './tables.ts'

/** The database, or a transaction on it: store functions take either. */
export type Db = Kysely<Tables>
export type DialectName = 'sqlite' | 'mysql'
export type DatabaseLocation = { kind: 'sqlite'; path: string } | { kind: 'mysql'; url: string }

export async function openDatabase(location: DatabaseLocation): Promise<Db> {
  const dialect = location.kind === 'mysql' ? await createMysqlDialect(location.url) : createSqliteDialect(location.path)
  return new Kysely<Tables>({ dialect })
}

/** Throws when the database does not answer. */
export async function pingDatabase(db: Db): Promise<void> {
  await sql`select 1`.execute(db)
}

/** What database this is, for its operator. */
export async function describeDatabase(db: Db): Promise<{ kind: 'SQLite' | 'MariaDB' | 'MySQL'; version: string }> {
  if (dialectOf(db) === 'sqlite') {
    const { rows } = await sql<{ version: string }>`select sqlite_version() as version`.execute(db)
    return { kind: 'SQLite', version: rows[0]?.version ?? '' }
  }
  const { rows } = await sql<{ version: string }>`select version() as version`.execute(db)
  const version = rows[0]?.version ?? ''
  return { kind: /mariadb/i.test(version) ? 'MariaDB' : 'MySQL', version: version.replace(/-.*$/, '') }
}

/** Runs the work in a transaction, or in the one that it is already in. */
export function inTransaction<T>(db: Db, work: (tx: Db) => Promise<T>): Promise<T> {
  return db.isTransaction ? work(db) : db.transaction().execute(work)
}

export function dialectOf(db: Db): DialectName {
  return db.getExecutor().adapter instanceof MysqlAdapter ? 'mysql' : 'sqlite'
}

/** Inserts the row, or writes `changes` into the row that has the same `keys`. */
export async function upsert<T extends keyof Tables & string>(
  db: Db,
  table: T,
  { row, keys, changes }: { row: InsertObject<Tables, T>; keys: (keyof Tables[T] & string)[]; changes: Partial<InsertObject<Tables, T>> },
): Promise<void> {
  const insert = db.insertInto(table).values(row)
  // the builders' generic parameters cannot follow a table name that is itself a parameter
  const query =
    dialectOf(db) === 'mysql'
      ? insert.onDuplicateKeyUpdate(changes as never)
      : insert.onConflict((on) => on.columns(keys).doUpdateSet(changes as never))
  await query.execute()
}

/** True when the database cannot be reached or is locked by another process: worth trying again later. */
export function isDatabaseUnavailable(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false

  const code = 'code' in cause ? String(cause.code) : ''
  return UNAVAILABLE.has(code) || /^SQLITE_(BUSY|IOERR)/.test(code) || /pool is closed|closed state/i.test(cause.message)
}

const UNAVAILABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'ER_SERVER_SHUTDOWN',
  'ER_CON_COUNT_ERROR',
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_LOCK_DEADLOCK',
  'ER_CONNECTION_KILLED',
  'SQLITE_LOCKED',
  'SQLITE_FULL',
  'ER_DISK_FULL',
  'ER_RECORD_FILE_FULL',
])

/** Rejects with `conflict` in these words where a row with the same unique key is there already. */
export async function orConflict<T>(insertion: Promise<T>, message: string): Promise<T> {
  try {
    return await insertion
  } catch (cause) {
    throw isDuplicate(cause) ? new AppError('conflict', message, { cause }) : cause
  }
}

/** True when a row with the same unique key is there already. */
export function isDuplicate(cause: unknown): boolean {
  if (!(cause instanceof Error) || !('code' in cause)) return false
  return cause.code === 'ER_DUP_ENTRY' || cause.code === 'SQLITE_CONSTRAINT_UNIQUE' || cause.code === 'SQLITE_CONSTRAINT_PRIMARYKEY'
}
