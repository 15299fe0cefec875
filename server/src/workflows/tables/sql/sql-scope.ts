import { columnsOf, rowsTableName } from '../user-table.ts'
import type { UserTable } from '../user-table.ts'
import { sqlProblem } from './sql-problem.ts'
import type { SqlType } from './sql-piece.ts'

/** The names that an expression may use, and what they are in the database. */
export type SqlScope = {
  sources: ScopeSource[]
  /** Columns of the result, by the names that the builder gave them. */
  outputs: ScopeColumn[]
  /** Around a subquery. */
  outer?: SqlScope
}

export type ScopeSource = { name: string; columns: ScopeColumn[] }

/** `text` is ours. System columns have two names. */
export type ScopeColumn = { names: string[]; text: string; type: SqlType }

/** Which names of result columns an expression sees: none, or such that are preferred to fields, or the other way round. */
export type OutputUse = 'none' | 'first' | 'last'

/** `place` is the alias under which the rows stand in the SQL. */
export function tableSource(table: UserTable, { name, place }: { name: string; place: string }): ScopeSource {
  const columns = columnsOf(table).map(({ name: shown, column, type, isSystem }) => ({
    ...{ names: isSystem ? [shown, column] : [shown], text: `${place}.${column}`, type },
  }))
  return { name, columns }
}

/** For statements that change rows: the table stands under its own name. */
export const targetSource = (table: UserTable, name: string): ScopeSource => tableSource(table, { name, place: rowsTableName(table) })

const isSame = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase()

type WantedColumn = { table?: string; name: string }

/** From the innermost scope outwards. Throws a NodeError. */
export function resolveColumn(scope: SqlScope, wanted: WantedColumn, use: OutputUse): ScopeColumn {
  const output =
    wanted.table === undefined && use !== 'none'
      ? scope.outputs.find(({ names }) => names.some((name) => isSame(name, wanted.name)))
      : undefined
  if (output && use === 'first') return output

  const [found, second] = columnsNamed(scope, wanted)
  if (second) throw sqlProblem(`the field ${wanted.name} is in several tables: write the table's name in front of it`)
  if (found) return found
  if (output) return output
  if (scope.outer) return resolveColumn(scope.outer, wanted, 'none')
  throw noSuchColumn(scope, wanted)
}

function columnsNamed({ sources }: SqlScope, { table, name }: WantedColumn): ScopeColumn[] {
  return sources
    .filter((source) => table === undefined || isSame(source.name, table))
    .flatMap(({ columns }) => columns.filter(({ names }) => names.some((each) => isSame(each, name))))
}

function noSuchColumn({ sources }: SqlScope, { table, name }: WantedColumn): Error {
  const shown = JSON.stringify(table === undefined ? name : `${table}.${name}`)
  const known = sources.map((source) => `${source.name} (${source.columns.map(({ names }) => names[0]).join(', ')})`)
  return sqlProblem(
    `there is no field ${shown}. Texts stand in single quotes, fields are defined in the manifest's databases:. There is ${known.join(', ') || 'no table'}`,
  )
}

/** The columns that a star stands for. Throws a NodeError when there is no such table. */
export function columnsOfStar({ sources }: SqlScope, table: string | undefined): ScopeColumn[] {
  const starred = sources.filter(({ name }) => table === undefined || isSame(name, table))
  if (starred.length === 0)
    throw sqlProblem(table === undefined ? 'a star needs a table' : `the statement has no table ${JSON.stringify(table)}`)
  return starred.flatMap(({ columns }) => columns)
}
