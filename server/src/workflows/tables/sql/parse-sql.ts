import { parseExpression, parseExpressions } from './parse-expression.ts'
import { sqlProblem } from './sql-problem.ts'
import { createSqlReader, unexpected } from './sql-reader.ts'
import type { SqlReader } from './sql-reader.ts'
import { readSqlTokens } from './sql-tokens.ts'
import type {
  DeleteStatement,
  InsertStatement,
  OrderItem,
  SelectItem,
  SelectPart,
  SelectStatement,
  SqlExpression,
  SqlLimit,
  SqlLiteral,
  SqlStatement,
  TableSource,
  UpdateStatement,
} from './sql-tree.ts'

/**
 * One SELECT, INSERT, UPDATE or DELETE in the words of MySQL, with `?` for each of `bound`. What is not in the grammar of this file
 * and of `parse-expression.ts` cannot be run: there is no list of what is forbidden. `tableNames` are all that it reads from or
 * writes to, as they are written, with those that it makes WITH. Throws a NodeError.
 */
export function parseSql(sql: string, bound: SqlLiteral[]): { statement: SqlStatement; tableNames: string[] } {
  const tableNames = new Set<string>()
  const reader = createSqlReader({ sql, tokens: readSqlTokens(sql), bound, tableNames, readSelect: parseSelect })
  const statement = parseStatement(reader)
  if (reader.peek().kind !== 'end') throw unexpected(reader.peek(), 'the end of the statement')
  reader.assertBoundUsed()
  return { statement, tableNames: [...tableNames] }
}

function parseStatement(reader: SqlReader): SqlStatement {
  if (reader.isWord('SELECT', 'WITH')) return reader.select()
  if (reader.take('INSERT', 'INTO')) return parseInsert(reader)
  if (reader.take('UPDATE')) return parseUpdate(reader)
  if (reader.take('DELETE', 'FROM')) return parseDelete(reader)
  throw unexpected(reader.peek(), 'SELECT, INSERT INTO, UPDATE or DELETE FROM')
}

const MAX_PARTS = 50

function parseSelect(reader: SqlReader): SelectStatement {
  const common = reader.take('WITH') ? parseCommonTables(reader) : []
  const parts = [parsePart(reader, { keepsRepeats: true })]
  while (reader.take('UNION')) {
    const keepsRepeats = reader.take('ALL')
    if (!keepsRepeats) reader.take('DISTINCT')
    parts.push(parsePart(reader, { keepsRepeats }))
    if (parts.length > MAX_PARTS) throw sqlProblem(`it unites more than ${MAX_PARTS} parts`)
  }
  return { kind: 'select', with: common, parts, orderBy: parseOrderBy(reader), limit: parseLimit(reader) }
}

function parseCommonTables(reader: SqlReader): SelectStatement['with'] {
  if (reader.isWord('RECURSIVE')) throw sqlProblem('WITH RECURSIVE is not taken: use a loop of the workflow')
  const tables: SelectStatement['with'] = []
  do {
    const name = reader.expectName('a name')
    reader.expect('AS')
    reader.expectSymbol('(')
    tables.push({ name, select: reader.select() })
    reader.expectSymbol(')')
  } while (reader.takeSymbol(','))
  return tables
}

function parsePart(reader: SqlReader, { keepsRepeats }: { keepsRepeats: boolean }): SelectPart {
  reader.expect('SELECT')
  const isDistinct = reader.take('DISTINCT')
  if (!isDistinct) reader.take('ALL')
  const items = [parseItem(reader)]
  while (reader.takeSymbol(',')) items.push(parseItem(reader))
  return {
    ...{ keepsRepeats, isDistinct, items },
    from: reader.take('FROM') ? parseSources(reader) : [],
    where: parseWhere(reader),
    groupBy: reader.take('GROUP', 'BY') ? parseExpressions(reader) : [],
    having: reader.take('HAVING') ? parseExpression(reader) : undefined,
  }
}

function parseItem(reader: SqlReader): SelectItem {
  if (reader.takeSymbol('*')) return { kind: 'all' }
  const first = reader.peek()
  if (reader.peek(1).text === '.' && reader.peek(2).kind === 'symbol' && reader.peek(2).text === '*') {
    const table = reader.expectName('a table')
    reader.next()
    reader.next()
    return { kind: 'all', table }
  }
  const value = parseExpression(reader)
  const written = value.kind === 'column' ? value.name : reader.since(first)
  const alias = parseAlias(reader)
  return { kind: 'value', value, name: alias ?? written, alias }
}

/** `AS` may be left out, and before a text it may not. */
function parseAlias(reader: SqlReader): string | undefined {
  if (!reader.take('AS')) return reader.takeName()
  return reader.peek().kind === 'text' ? reader.next().text : reader.expectName('a name')
}

function parseSources(reader: SqlReader): TableSource[] {
  const sources = [parseSource(reader, 'inner')]
  for (;;) {
    const join = parseJoin(reader)
    if (!join) return sources
    const source = parseSource(reader, join)
    const on = reader.take('ON') ? parseExpression(reader) : undefined
    if (join === 'left' && !on) throw unexpected(reader.peek(), 'ON')
    sources.push({ ...source, on })
  }
}

function parseJoin(reader: SqlReader): TableSource['join'] | undefined {
  if (reader.takeSymbol(',') || reader.take('JOIN') || reader.take('INNER', 'JOIN') || reader.take('CROSS', 'JOIN')) return 'inner'
  if (reader.take('LEFT', 'JOIN') || reader.take('LEFT', 'OUTER', 'JOIN')) return 'left'
  if (reader.isWord('RIGHT', 'FULL', 'NATURAL', 'STRAIGHT_JOIN')) throw sqlProblem('of joins JOIN, LEFT JOIN and CROSS JOIN are taken')
  return undefined
}

function parseSource(reader: SqlReader, join: TableSource['join']): TableSource {
  if (!reader.takeSymbol('(')) return { join, source: { kind: 'table', name: parseTableName(reader) }, alias: parseAlias(reader) }

  const select = reader.select()
  reader.expectSymbol(')')
  const alias = parseAlias(reader)
  if (alias === undefined) throw unexpected(reader.peek(), 'a name for the table in parentheses')
  return { join, source: { kind: 'select', select }, alias }
}

function parseTableName(reader: SqlReader): string {
  const name = reader.expectName('the name of a database')
  if (reader.takeSymbol('.')) throw sqlProblem('tables have no schema in front of their names')
  reader.note(name)
  return name
}

const parseWhere = (reader: SqlReader): SqlExpression | undefined => (reader.take('WHERE') ? parseExpression(reader) : undefined)

function parseOrderBy(reader: SqlReader): OrderItem[] {
  if (!reader.take('ORDER', 'BY')) return []
  const items: OrderItem[] = []
  do {
    const value = parseExpression(reader)
    const isAscending = !reader.take('DESC')
    if (isAscending) reader.take('ASC')
    items.push({ value, isAscending })
  } while (reader.takeSymbol(','))
  return items
}

function parseLimit(reader: SqlReader): SqlLimit | undefined {
  if (!reader.take('LIMIT')) return undefined
  const first = parseCount(reader)
  if (reader.take('OFFSET')) return { count: first, offset: parseCount(reader) }
  return reader.takeSymbol(',') ? { offset: first, count: parseCount(reader) } : { count: first, offset: 0 }
}

const MAX_COUNT = 2 ** 31 - 1

/** A whole number, or a parameter that is one. */
function parseCount(reader: SqlReader): number {
  const token = reader.peek()
  const value = token.kind === 'placeholder' ? reader.takeBound() : reader.next().text
  const count = /^\d{1,15}$/.test(String(value).trim()) && token.kind !== 'text' ? Number(value) : NaN
  if (Number.isNaN(count)) throw sqlProblem(`LIMIT and OFFSET take whole numbers, not ${JSON.stringify(String(value).slice(0, 50))}`)
  return Math.min(count, MAX_COUNT)
}

function parseInsert(reader: SqlReader): InsertStatement {
  const table = parseTableName(reader)
  const columns = reader.takeSymbol('(') ? parseNames(reader) : undefined
  if (reader.isWord('SELECT', 'WITH')) throw sqlProblem('INSERT … SELECT is not taken: read the rows in one node, insert them in another')
  if (!reader.take('VALUES')) reader.expect('VALUE')

  const rows: SqlExpression[][] = []
  do {
    reader.expectSymbol('(')
    rows.push(parseExpressions(reader))
    reader.expectSymbol(')')
  } while (reader.takeSymbol(','))
  return { kind: 'insert', table, columns, rows }
}

function parseNames(reader: SqlReader): string[] {
  const names = [reader.expectName('a field')]
  while (reader.takeSymbol(',')) names.push(reader.expectName('a field'))
  reader.expectSymbol(')')
  return names
}

function parseUpdate(reader: SqlReader): UpdateStatement {
  const target = { table: parseTableName(reader), alias: parseAlias(reader) }
  reader.expect('SET')
  const values: UpdateStatement['values'] = []
  do {
    values.push({ column: parseSetColumn(reader), value: parseAssigned(reader) })
  } while (reader.takeSymbol(','))
  return { kind: 'update', ...target, values, ...parseRest(reader) }
}

/** `field`, or `table.field`: there is only one table. */
function parseSetColumn(reader: SqlReader): string {
  const name = reader.expectName('a field')
  return reader.takeSymbol('.') ? reader.expectName('a field') : name
}

function parseAssigned(reader: SqlReader): SqlExpression {
  reader.expectSymbol('=')
  return parseExpression(reader)
}

function parseDelete(reader: SqlReader): DeleteStatement {
  return { kind: 'delete', table: parseTableName(reader), alias: parseAlias(reader), ...parseRest(reader) }
}

const parseRest = (reader: SqlReader) => ({ where: parseWhere(reader), orderBy: parseOrderBy(reader), limit: parseLimit(reader) })
