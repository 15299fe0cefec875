import { LRUCache } from 'lru-cache'
import type { Principal } from '../../accounts/principal.ts'
import { dialectOf } from '../../db/database.ts'
import type { Db } from '../../db/database.ts'
import { pause } from '../../lib/background.ts'
import type { Clock } from '../../lib/clock.ts'
import type { NextId } from '../../lib/snowflake.ts'
import { NodeError, nodeErrors } from '../engine/node-error.ts'
import { fromStored, printTime } from './column-values.ts'
import { parseSql } from './sql/parse-sql.ts'
import { boundPiece, ownWords, sqlPiece } from './sql/sql-piece.ts'
import { sqlProblem } from './sql/sql-problem.ts'
import type { SqlStatement } from './sql/sql-tree.ts'
import { writeStatement } from './sql/write-statement.ts'
import type { WrittenStatement } from './sql/write-statement.ts'
import { isCollision, toNodeError } from './table-failure.ts'
import { toDelete, toInsert, toSelect, toUpdate } from './table-statements.ts'
import { createRowsTable, dropEmptyRowsTable, findServerKind, readRows, writeRows } from './user-row-store.ts'
import type { ServerKind } from './user-row-store.ts'
import { findUserTable, listUserTablesNamed } from './user-table-store.ts'
import { unknownTable } from './user-table.ts'
import type { UserTable } from './user-table.ts'
import type { TableResult, UserTables } from './user-tables.ts'

export type UserTableDeps = { db: Db; clock: Clock; nextId: NextId }

/** Gives each run the tables of its owner. One for the life of the process: it knows which tables have been made. */
export interface UserTableHouse {
  /** `endUser` is noted in the rows that are written; rows are there for all end users. */
  open(who: Principal, options: { endUser: string }): UserTables
}

/** The most that one statement gives back. */
export const MAX_ROWS = 1_000
export const MAX_RESULT_CHARS = 1_000_000

const KNOWN_TABLES = 10_000

export function createUserTableHouse(deps: UserTableDeps): UserTableHouse {
  const house: House = { ...deps, made: new LRUCache({ max: KNOWN_TABLES }), server: undefined, statements: 0 }
  return {
    open(who, { endUser }) {
      const opened = { ownerId: who.userId, endUser }
      const run = async (tableId: string, toStatement: (table: UserTable) => SqlStatement) => {
        const table = await getOwnTable(house, opened, tableId)
        const statement = toStatement(table)
        return runStatement(house, { ...opened, statement, tables: [table] })
      }
      return {
        query: (tableId, query) => run(tableId, (table) => toSelect(table, { ...query, limit: Math.min(query.limit, MAX_ROWS + 1) })),
        insert: (tableId, values) => run(tableId, (table) => toInsert(table, values)),
        update: (tableId, change) => run(tableId, (table) => toUpdate(table, change)),
        delete: (tableId, where) => run(tableId, (table) => toDelete(table, where)),
        async execute(tableId, sql, bound) {
          const table = await getOwnTable(house, opened, tableId)
          const { statement, tableNames } = parseSql(sql, bound)
          const others = await findNamedTables(
            house,
            opened,
            tableNames.filter((name) => !isNamed(table, name)),
          )
          return runStatement(house, { ...opened, statement: withMostRows(statement), tables: [table, ...others] })
        },
      }
    },
  }
}

type House = UserTableDeps & {
  /** Under what the fields of a table were when its rows got their place. */
  made: LRUCache<string, string>
  /** Found out at the first statement. */
  server: ServerKind | undefined
  statements: number
}
type Opened = { ownerId: string; endUser: string }

async function getOwnTable({ db }: House, { ownerId }: Opened, tableId: string): Promise<UserTable> {
  const table = /^\d{1,19}$/.test(tableId) ? await findUserTable(db, tableId) : undefined
  if (table?.ownerId !== ownerId) throw unknownTable(tableId)
  return table
}

const MAX_TABLES = 20

/** Those of the owner that a statement names beside the node's own. A name without one may be made WITH. */
async function findNamedTables({ db }: House, { ownerId }: Opened, names: string[]): Promise<UserTable[]> {
  if (names.length > MAX_TABLES) throw sqlProblem(`it names more than ${MAX_TABLES} tables`)
  const found = await Promise.all(names.map((name) => listUserTablesNamed(db, ownerId, name)))
  return found.flatMap(([first, second]) => {
    if (second) throw sqlProblem(`there are several databases called ${JSON.stringify(second.name)}: give them different names`)
    return first ? [first] : []
  })
}

const isNamed = (table: UserTable, name: string): boolean => table.name.toLowerCase() === name.toLowerCase()

/** One more than may be given back, to know that there are more. */
function withMostRows(statement: SqlStatement): SqlStatement {
  if (statement.kind !== 'select') return statement
  const { count, offset } = statement.limit ?? { count: MAX_ROWS + 1, offset: 0 }
  return { ...statement, limit: { count: Math.min(count, MAX_ROWS + 1), offset } }
}

async function runStatement(house: House, request: Opened & { statement: SqlStatement; tables: UserTable[] }): Promise<TableResult> {
  const { db, clock, nextId } = house
  const written = writeStatement(request.statement, {
    ...{ dialect: dialectOf(db), now: printTime(clock()), nextId, endUser: request.endUser },
    findTable: (name) => request.tables.find((table) => isNamed(table, name)) ?? raise(noTableNamed(name, request.tables)),
    nextAlias: createAliases(),
    guard: dialectOf(db) === 'sqlite' ? createGuard(++house.statements) : undefined,
  })
  try {
    const server = (house.server ??= await findServerKind(db))
    for (const table of request.tables) await whenFree(() => prepareRows(house, table, server))
    return await whenFree(() => execute(db, { written, server }))
  } catch (cause) {
    throw toNodeError(cause)
  }
}

const noTableNamed = (name: string, [own]: UserTable[]): Error =>
  sqlProblem(
    `there is no database called ${JSON.stringify(name)}: define it in the manifest's databases:. The node's own is called ${own?.name ?? ''}`,
  )

function createAliases(): () => string {
  let count = 0
  return () => `t${count++}`
}

/** @NOTE of something that differs from row to row: SQLite computes once what it finds to be always the same, such as `id is null`. */
const createGuard = (statement: number) => (rowValue: string) =>
  sqlPiece`ut_within(${ownWords(rowValue)}, ${boundPiece(BigInt(statement))})`

function raise(error: Error): never {
  throw error
}

/** @NOTE creating a table ends a transaction in MySQL, so it is not done where tables are defined but here, when rows are needed. */
async function prepareRows({ db, made }: House, table: UserTable, server: ServerKind): Promise<void> {
  const wanted = `${table.revision} ${table.fields.map(({ id }) => id).join(' ')}`
  if (made.get(table.id) === wanted) return

  await createRowsTable(db, table, server)
  if (table.revision > 1) await dropEmptyRowsTable(db, { id: table.id, revision: table.revision - 1 })
  made.set(table.id, wanted)
}

const ATTEMPTS = 5

/** A statement that collided with another has done nothing and can be done again. */
async function whenFree<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (cause) {
      if (attempt === ATTEMPTS || !isCollision(cause)) throw cause
      await pause(20 * attempt)
    }
  }
}

async function execute(db: Db, { written, server }: { written: WrittenStatement; server: ServerKind }): Promise<TableResult> {
  const { piece } = written
  if (written.kind !== 'rows') {
    const rowCount = await writeRows(db, { piece, server })
    const rows = written.kind === 'inserted' ? written.rowIds.map((id) => ({ id: fromStored(id, 'integer') })) : []
    return { rows, rowCount, isCut: false }
  }
  const { rows, isCut, isTooLarge } = await readRows(db, { piece, server, limits: { rows: MAX_ROWS, chars: MAX_RESULT_CHARS } })
  if (isTooLarge)
    throw new NodeError(nodeErrors.executionFailed, `the rows have more than ${MAX_RESULT_CHARS} characters: read fewer rows or fields`)
  const values = rows.map((row) => Object.fromEntries(written.columns.map(({ label, name, type }) => [name, fromStored(row[label], type)])))
  return { rows: values, rowCount: values.length, isCut }
}
