import type { CompiledQuery, Insertable } from 'kysely'
import { LRUCache } from 'lru-cache'
import type { Db } from './database.ts'
import type { Tables } from './tables.ts'

type Row = Insertable<Tables[keyof Tables]>
export type InsertRows = (tx: Db, table: keyof Tables, rows: Row[]) => Promise<unknown>

const STATEMENTS_KEPT = 500

/** Inserts rows by statements that are built once for a table and a number of rows: building one costs more than running it. For one database. */
export function createRowInserts(): InsertRows {
  const statements = new LRUCache<string, CompiledQuery>({ max: STATEMENTS_KEPT })

  return (tx, table, rows) => {
    const columns = sharedColumns(rows)
    if (!columns) return tx.insertInto(table).values(rows).execute()

    const shape = `${table} ${rows.length} ${columns.join(' ')}`
    const known = statements.get(shape) ?? tx.insertInto(table).values(rows).compile()
    statements.set(shape, known)
    return tx.executeQuery({ ...known, parameters: rows.flatMap((row) => Object.values<unknown>(row)) })
  }
}

/** Undefined where rows differ in them, or a value is more than a value: an expression, or the column's default. */
function sharedColumns(rows: Row[]): string[] | undefined {
  const [first = {}, ...others] = rows
  const columns = Object.keys(first)
  if (!Object.values<unknown>(first).every(isPlain)) return undefined
  return others.every((row) => hasColumns(row, columns)) ? columns : undefined
}

function hasColumns(row: Row, columns: string[]): boolean {
  let at = 0
  for (const [column, value] of Object.entries<unknown>(row)) if (column !== columns[at++] || !isPlain(value)) return false
  return at === columns.length
}

const isPlain = (value: unknown) => typeof value === 'string' || typeof value === 'number' || value === null
