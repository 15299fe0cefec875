import { toStored } from '../column-values.ts'
import { columnsOf, findColumn, rowsTableName, unknownField } from '../user-table.ts'
import type { TableColumn, UserTable } from '../user-table.ts'
import { boundPiece, joinPieces, ownWords, sqlPiece } from './sql-piece.ts'
import type { SqlPiece } from './sql-piece.ts'
import { sqlProblem } from './sql-problem.ts'
import { targetSource } from './sql-scope.ts'
import type { SqlScope } from './sql-scope.ts'
import type { DeleteStatement, InsertStatement, SqlExpression, SqlStatement, UpdateStatement } from './sql-tree.ts'
import { writeExpression } from './write-expression.ts'
import type { Around, ExpressionPlace, OutputColumn, SqlWriter } from './write-expression.ts'
import { allOf, writeLimit, writeOrderBy, writeSelect } from './write-select.ts'

/** A statement as the database gets it, and what comes of it. */
export type WrittenStatement = { piece: SqlPiece } & (
  { kind: 'rows'; columns: OutputColumn[] } | { kind: 'inserted'; rowIds: string[] } | { kind: 'changed' }
)

/** `nextId` and `endUser` are for new rows. */
export type StatementWriter = Omit<SqlWriter, 'writeSelect'> & { nextId: () => string; endUser: string }

const MAX_PARAMETERS = 30_000
const MAX_BOUND_CHARS = 1_000_000

/** Every name is looked up among the owner's tables and written as ours, every text is bound. Throws a NodeError. */
export function writeStatement(statement: SqlStatement, writer: StatementWriter): WrittenStatement {
  const written = write(statement, writer)
  const { values } = written.piece
  const chars = values.reduce<number>((sum, value) => sum + (typeof value === 'string' ? value.length : 0), 0)
  if (chars > MAX_BOUND_CHARS) throw sqlProblem(`its values have more than ${MAX_BOUND_CHARS} characters together`)
  if (values.length > MAX_PARAMETERS) throw sqlProblem(`it has more than ${MAX_PARAMETERS} values: do it in several steps`)
  return written
}

function write(statement: SqlStatement, writer: StatementWriter): WrittenStatement {
  const around: Around = { writer: { ...writer, writeSelect }, common: new Map() }
  switch (statement.kind) {
    case 'select':
      return { kind: 'rows', ...writeSelect(statement, around) }
    case 'insert':
      return writeInsert(statement, { around, writer })
    case 'update':
      return { kind: 'changed', piece: writeUpdate(statement, around) }
    case 'delete':
      return { kind: 'changed', piece: writeDelete(statement, around) }
  }
}

const nowhere: SqlScope = { sources: [], outputs: [] }

function writeInsert(statement: InsertStatement, { around, writer }: { around: Around; writer: StatementWriter }): WrittenStatement {
  const table = writer.findTable(statement.table)
  const columns = insertedColumns(statement, table)
  const rowIds = statement.rows.map(() => writer.nextId())
  const rows = statement.rows.map((row, index) => {
    if (row.length !== columns.length) throw sqlProblem(`row ${index + 1} has ${row.length} values for ${columns.length} fields`)
    const values = columns.map((column, at) => writeAssigned(column, row[at], { around, scope: nowhere, outputs: 'none' }))
    const system = [boundPiece(BigInt(rowIds[index] ?? 0)), boundPiece(writer.endUser), boundPiece(writer.now)]
    return sqlPiece`(${joinPieces([...system, ...values], ', ')})`
  })
  const names = ['bstudio_id', 'bstudio_connector_uid', 'bstudio_create_time', ...columns.map(({ column }) => column)]
  const into = ownWords(`insert into ${rowsTableName(table)} (${names.join(', ')}) values `)
  return { kind: 'inserted', piece: sqlPiece`${into}${joinPieces(rows, ', ')}`, rowIds }
}

function insertedColumns({ columns: names }: InsertStatement, table: UserTable): TableColumn[] {
  const columns = names ? names.map((name) => ownColumn(table, name)) : columnsOf(table).filter(({ isSystem }) => !isSystem)
  assertDistinct(columns)
  const missing = columnsOf(table).find((column) => column.isRequired && !columns.some(({ id }) => id === column.id))
  if (missing) throw sqlProblem(`the field ${missing.name} is required: give it a value`)
  return columns
}

function assertDistinct(columns: TableColumn[]): void {
  const repeated = columns.find(({ id }, index) => columns.findIndex((column) => column.id === id) !== index)
  if (repeated) throw sqlProblem(`the field ${repeated.name} is there twice`)
}

/** A field that may be written. */
function ownColumn(table: UserTable, name: string): TableColumn {
  const column = findColumn(table, name)
  if (!column) throw unknownField(name, table)
  if (column.isSystem) throw sqlProblem(`${column.name} is kept by the server: it cannot be written`)
  return column
}

/** A plain value is checked against the field, what is computed is left to the database. */
function writeAssigned(column: TableColumn, value: SqlExpression = { kind: 'literal', value: null }, at: ExpressionPlace): SqlPiece {
  return value.kind === 'literal' ? boundPiece(toStored(column, value.value)) : writeExpression(value, at)
}

function writeUpdate(statement: UpdateStatement, around: Around): SqlPiece {
  const { table, at } = targetOf(statement, around)
  const columns = statement.values.map(({ column }) => ownColumn(table, column))
  assertDistinct(columns)
  const values = statement.values.map(({ value }, index) => {
    const column = columns[index] ?? ownColumn(table, '')
    return sqlPiece`${ownWords(column.column)} = ${writeAssigned(column, value, at)}`
  })
  return sqlPiece`${ownWords(`update ${rowsTableName(table)} set `)}${joinPieces(values, ', ')}${writeRest(statement, { table, at })}`
}

function writeDelete(statement: DeleteStatement, around: Around): SqlPiece {
  const { table, at } = targetOf(statement, around)
  return sqlPiece`${ownWords(`delete from ${rowsTableName(table)}`)}${writeRest(statement, { table, at })}`
}

type Target = { table: UserTable; at: ExpressionPlace }

function targetOf({ table: name, alias }: UpdateStatement | DeleteStatement, around: Around): Target {
  const table = around.writer.findTable(name)
  return { table, at: { around, scope: { sources: [targetSource(table, alias ?? name)], outputs: [] }, outputs: 'none' } }
}

function writeRest({ where, orderBy, limit }: UpdateStatement | DeleteStatement, { table, at }: Target): SqlPiece {
  if (limit && limit.offset > 0) throw sqlProblem('UPDATE and DELETE take LIMIT without OFFSET')
  const guard = at.around.writer.guard?.(`${rowsTableName(table)}.bstudio_id`)
  const condition = allOf([guard, where && writeExpression(where, at)])
  const filter = condition ? sqlPiece` where ${condition}` : ownWords('')
  // which rows come first matters only where not all of them are taken
  return limit ? sqlPiece`${filter}${writeOrderBy(orderBy, (value) => writeExpression(value, at))}${writeLimit(limit)}` : filter
}
