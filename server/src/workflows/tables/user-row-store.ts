import { CompiledQuery, SelectQueryNode, sql } from 'kysely'
import { dialectOf } from '../../db/database.ts'
import type { Db } from '../../db/database.ts'
import { finishTable } from '../../db/schema-words.ts'
import { columnsOf, rowsTableName } from './user-table.ts'
import type { FieldType, UserTable } from './user-table.ts'
import type { SqlPiece } from './sql/sql-piece.ts'

/** The rows of users' tables: one table of the database for each, whose names are made of ids. */

/** Which product answers: they differ in collations and in limits of time. */
export type ServerKind = 'sqlite' | 'mariadb' | 'mysql'

export async function findServerKind(db: Db): Promise<ServerKind> {
  if (dialectOf(db) === 'sqlite') return 'sqlite'
  const { rows } = await sql<{ version: string }>`select version() as version`.execute(db)
  return /mariadb/i.test(rows[0]?.version ?? '') ? 'mariadb' : 'mysql'
}

/** Makes the table, or the columns that it does not have yet; several may do so at the same time. */
export async function createRowsTable(db: Db, table: UserTable, server: ServerKind): Promise<void> {
  const name = rowsTableName(table)
  await startRowsTable(db, name, server)

  const missing = async () => {
    const present = new Set(await listColumns(db, name))
    return columnsOf(table).filter(({ column }) => !present.has(column))
  }
  for (const { column, type } of await missing()) {
    try {
      await db.schema.alterTable(name).addColumn(column, columnType(type, server)).execute()
    } catch (cause) {
      if ((await missing()).some((each) => each.column === column)) throw cause
    }
  }
}

async function startRowsTable(db: Db, name: string, server: ServerKind): Promise<void> {
  const table = db.schema
    .createTable(name)
    .ifNotExists()
    .addColumn('bstudio_id', server === 'sqlite' ? 'integer' : 'bigint', (c) => c.notNull().primaryKey())
    .addColumn('bstudio_connector_uid', columnType('text', server), (c) => c.notNull())
    .addColumn('bstudio_create_time', columnType('time', server), (c) => c.notNull())
  // without STRICT, SQLite keeps any value in any column
  await (server === 'sqlite' ? table.modifyEnd(sql`strict`) : finishTable(table, 'mysql')).execute()
}

function columnType(type: FieldType, server: ServerKind) {
  if (server === 'sqlite') return sql.raw({ text: 'text', integer: 'integer', float: 'real', boolean: 'integer', time: 'text' }[type])

  // compared byte by byte, blanks at the end included: as SQLite does
  const exact = `character set utf8mb4 collate ${server === 'mariadb' ? 'utf8mb4_nopad_bin' : 'utf8mb4_0900_bin'}`
  return sql.raw({ text: `longtext ${exact}`, integer: 'bigint', float: 'double', boolean: 'tinyint', time: `varchar(40) ${exact}` }[type])
}

/** None where there is no such table. */
async function listColumns(db: Db, name: string): Promise<string[]> {
  const query =
    dialectOf(db) === 'sqlite'
      ? sql<{ name: string }>`select name from pragma_table_info(${name})`
      : sql<{
          name: string
        }>`select column_name as name from information_schema.columns where table_schema = database() and table_name = ${name}`
  const { rows } = await query.execute(db)
  return rows.map((row) => row.name)
}

/** Safe within a transaction: it makes nothing. */
export async function hasRows(db: Db, table: Pick<UserTable, 'id' | 'revision'>): Promise<boolean> {
  const name = rowsTableName(table)
  if ((await listColumns(db, name)).length === 0) return false
  const { rows } = await sql`select 1 from ${sql.table(name)} limit 1`.execute(db)
  return rows.length > 0
}

/** Ends what an earlier revision has left; rows that came in at the last moment are never thrown away. */
export async function dropEmptyRowsTable(db: Db, table: Pick<UserTable, 'id' | 'revision'>): Promise<void> {
  if (!(await hasRows(db, table))) await db.schema.dropTable(rowsTableName(table)).ifExists().execute()
}

export type ReadLimits = { rows: number; chars: number }
export type ReadRows = { rows: Record<string, unknown>[]; isCut: boolean; isTooLarge: boolean }

const MAX_STATEMENT_SECONDS = 5

/** Rows are counted and measured as they come, so that a large result never stands in memory. */
export async function readRows(
  db: Db,
  { piece, server, limits }: { piece: SqlPiece; server: ServerKind; limits: ReadLimits },
): Promise<ReadRows> {
  const text =
    server === 'mysql' ? piece.text.replace(/^select /, `select /*+ max_execution_time(${MAX_STATEMENT_SECONDS}000) */ `) : piece.text
  // @NOTE SQLite streams only what says that it is a SELECT
  const query = { ...CompiledQuery.raw(withTimeLimit(text, server), piece.values), query: SelectQueryNode.create() }
  const rows: Record<string, unknown>[] = []
  let count = 0
  let chars = 0
  // what is too much is read all the same: a connection that is left in the middle cannot be used again
  for await (const { rows: chunk } of db.getExecutor().stream<Record<string, unknown>>(query, 1)) {
    for (const row of chunk) {
      chars += charsOf(row)
      if (++count <= limits.rows && chars <= limits.chars) rows.push(row)
    }
  }
  return { rows, isCut: count > limits.rows, isTooLarge: chars > limits.chars }
}

const CHARS_OF_NUMBER = 8

function charsOf(row: Record<string, unknown>): number {
  return Object.values(row).reduce<number>((sum, value) => sum + (typeof value === 'string' ? value.length : CHARS_OF_NUMBER), 0)
}

/** How many rows it has changed. */
export async function writeRows(db: Db, { piece, server }: { piece: SqlPiece; server: ServerKind }): Promise<number> {
  const { numAffectedRows } = await db.executeQuery(CompiledQuery.raw(withTimeLimit(piece.text, server), piece.values))
  return Number(numAffectedRows ?? 0)
}

/** MySQL has a limit for reading only, and SQLite's is in the statement. */
const withTimeLimit = (text: string, server: ServerKind): string =>
  server === 'mariadb' ? `set statement max_statement_time = ${MAX_STATEMENT_SECONDS} for ${text}` : text
