import SqliteDatabase from 'better-sqlite3'
import { CompiledQuery, SqliteAdapter, SqliteDialect, SqliteDriver } from 'kysely'
import type { DatabaseConnection, Dialect, Driver, SqliteStatement } from 'kysely'
import { LRUCache } from 'lru-cache'
import { addUserFunctions } from './sqlite-functions.ts'

/**
 * SQLite for Kysely with what a server needs: WAL, every transaction takes the write lock when it
 * begins (so a later upgrade cannot fail), statements are prepared once, 64-bit integers stay exact.
 */
export function createSqliteDialect(path: string): Dialect {
  const database = new SqliteDatabase(path)
  database.defaultSafeIntegers(true)
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = NORMAL')
  database.pragma('foreign_keys = ON')
  database.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`)
  addUserFunctions(database)
  return new (class extends SqliteDialect {
    override createDriver(): Driver {
      return new ImmediateDriver({ database: cachingStatements(database) }, () => database.inTransaction)
    }
    override createAdapter(): SqliteAdapter {
      return new TransactionalAdapter()
    }
  })({ database })
}

// @NOTE better-sqlite3 waits on the event loop's thread, so the wait is short; callers that can wait longer retry
const BUSY_TIMEOUT_MS = 200
const STATEMENTS_KEPT = 500

class ImmediateDriver extends SqliteDriver {
  readonly #isInTransaction: () => boolean

  constructor(config: ConstructorParameters<typeof SqliteDriver>[0], isInTransaction: () => boolean) {
    super(config)
    this.#isInTransaction = isInTransaction
  }

  // @NOTE SQLite has rolled back by itself when the disk is full: to do it again would hide why
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#isInTransaction()) await super.rollbackTransaction(connection)
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }
}

class TransactionalAdapter extends SqliteAdapter {
  // all migrations run in one transaction: two processes that start together cannot both apply them
  override get supportsTransactionalDdl() {
    return true
  }
}

function cachingStatements(database: SqliteDatabase.Database) {
  const statements = new LRUCache<string, SqliteStatement>({ max: STATEMENTS_KEPT })
  return {
    close: () => database.close(),
    prepare(sql: string): SqliteStatement {
      const known = statements.get(sql)
      if (known) return known

      const statement = exactIntegers(database.prepare(sql))
      statements.set(sql, statement)
      return statement
    },
  }
}

/** BigInt out of SQLite becomes a number where that is exact and a digit string where it is not, as mysql2 does. */
function exactIntegers(statement: SqliteDatabase.Statement): SqliteStatement {
  return {
    reader: statement.reader,
    all: (parameters) => statement.all(parameters).map(exactRow),
    run: (parameters) => statement.run(parameters),
    *iterate(parameters) {
      for (const row of statement.iterate(parameters)) yield exactRow(row)
    },
  }
}

function exactRow(row: unknown): unknown {
  if (typeof row !== 'object' || row === null) return row

  const exact: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(row)) exact[name] = typeof value === 'bigint' ? exactInteger(value) : value
  return exact
}

function exactInteger(value: bigint): number | string {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value.toString()
}
