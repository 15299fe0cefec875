import { sql } from 'kysely'
import { dialectOf } from '../../src/db/database.ts'
import type { Db } from '../../src/db/database.ts'
import { tablesOf } from './database-rows.ts'

/** Rows made from what the schema itself says, so that a new table or column needs no line here. */

type Row = Record<string, unknown>
type Column = { name: string; type: string; length: number; isNullable: boolean; isCounted: boolean }

/** Puts two rows into every table: one with a value in every column, as large as it takes, and one with null wherever that may be. */
export async function fillTables(db: Db, seed: number): Promise<void> {
  for (const table of await dataTablesOf(db)) {
    const columns = await columnsOf(db, table)
    for (const [at, withNulls] of [false, true].entries()) {
      const values = columns.map((column) => (withNulls && column.isNullable ? null : valueFor(column, seed * 2 + at)))
      await sql`insert into ${sql.table(table)} (${sql.join(columns.map(({ name }) => sql.ref(name)))}) values (${sql.join(values)})`.execute(
        db,
      )
    }
  }
}

/** Every row of every table. */
export async function readAllRows(db: Db): Promise<Map<string, Row[]>> {
  const rows = new Map<string, Row[]>()
  for (const table of await dataTablesOf(db)) rows.set(table, (await sql<Row>`select * from ${sql.table(table)}`.execute(db)).rows)
  return rows
}

/** Each row of `before` that is not in `after` with all the values that it had, in words. */
export function lostRows(before: Map<string, Row[]>, after: Map<string, Row[]>): string[] {
  return [...before].flatMap(([table, rows]) => {
    const left = after.get(table)
    if (!left) return [`the table ${table}`]
    const names = Object.keys(rows[0] ?? {})
    const there = new Set(left.map((row) => toText(row, names)))
    return rows.map((row) => toText(row, names)).flatMap((row) => (there.has(row) ? [] : [`${table} ${row.slice(0, 300)}`]))
  })
}

const toText = (row: Row, names: string[]) => JSON.stringify(names.map((name) => row[name] ?? (name in row ? null : 'no such column')))

const dataTablesOf = async (db: Db) => (await tablesOf(db)).filter((name) => !/^(kysely|sqlite)_/.test(name)).toSorted()

/** That many short rows in every table. */
export async function crowdTables(db: Db, count: number): Promise<void> {
  const seeds = Array.from({ length: count }, (_, at) => at + FIRST_OF_CROWD)
  for (const table of await dataTablesOf(db)) {
    const columns = await columnsOf(db, table)
    const names = sql.join(columns.map(({ name }) => sql.ref(name)))
    const rowOf = (seed: number) =>
      sql`(${sql.join(columns.map((column) => valueFor({ ...column, length: Math.min(column.length, 32) }, seed)))})`
    for (let at = 0; at < count; at += ROWS_AT_ONCE)
      await sql`insert into ${sql.table(table)} (${names}) values ${sql.join(seeds.slice(at, at + ROWS_AT_ONCE).map(rowOf))}`.execute(db)
  }
}

const ROWS_AT_ONCE = 250
// ids that nothing else has
const FIRST_OF_CROWD = 1_000_001

async function columnsOf(db: Db, table: string): Promise<Column[]> {
  if (dialectOf(db) === 'sqlite') {
    const { rows } = await sql<{ name: string; type: string; notnull: number }>`select * from pragma_table_info(${table})`.execute(db)
    return rows.map(({ name, type, notnull }) => ({
      ...{ name, type: type.toLowerCase(), length: Number(/\d+/.exec(type)?.[0] ?? 0), isNullable: notnull === 0 && name !== 'id' },
      isCounted: type.toLowerCase() === 'integer' && name === 'id',
    }))
  }
  const { rows } = await sql<{ name: string; type: string; length: number | null; nullable: string; extra: string }>`
    select column_name as name, data_type as type, character_maximum_length as length, is_nullable as nullable, extra as extra
    from information_schema.columns where table_schema = database() and table_name = ${table} order by ordinal_position`.execute(db)
  return rows.map(({ name, type, length, nullable, extra }) => ({
    ...{ name, type, length: length ?? 0, isNullable: nullable === 'YES', isCounted: extra.includes('auto_increment') },
  }))
}

/** Different for each seed, so that nothing that is unique is there twice. */
function valueFor({ type, length, isCounted, name }: Column, seed: number): string | number {
  // @NOTE times of better-auth: text on SQLite, DATETIME on MariaDB
  if (/^datetime/.test(type) || (type === 'text' && /_at$/.test(name))) return `2099-01-31 12:34:${String(seed % 60).padStart(2, '0')}.789`
  if (/^(tinyint|boolean)/.test(type)) return seed % 2
  if (isCounted || /^int/.test(type)) return seed
  // exact in SQL, and no longer in a JavaScript number
  if (/^bigint/.test(type)) return String(9_007_199_254_740_993n + BigInt(seed))
  const start = `${seed} 你好 " ' \\ \n`
  if (/^varchar/.test(type)) return start.padEnd(length, 'ü').slice(0, length)
  // sometimes more than MySQL's TEXT takes
  return `${start} 😀${'x'.repeat(seed % 16 === 0 && seed < 1_000 ? 70_000 : 0)}`
}
