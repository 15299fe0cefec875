import { rowsTableName } from '../user-table.ts'
import { joinPieces, ownWords, sqlPiece } from './sql-piece.ts'
import type { SqlPiece, TypedPiece } from './sql-piece.ts'
import { sqlProblem } from './sql-problem.ts'
import { columnsOfStar, tableSource } from './sql-scope.ts'
import type { ScopeColumn, ScopeSource, SqlScope } from './sql-scope.ts'
import type { OrderItem, SelectItem, SelectPart, SelectStatement, SqlExpression, SqlLimit, TableSource } from './sql-tree.ts'
import { outputSource, writeExpression } from './write-expression.ts'
import type { Around, CommonTable, ExpressionPlace, OutputColumn, WrittenSelect } from './write-expression.ts'

export function writeSelect(select: SelectStatement, around: Around): WrittenSelect {
  const { common, piece: withPiece } = writeCommonTables(select, around)
  const inner = { ...around, common }
  const [first, ...others] = select.parts.map((part) => writePart(part, inner))
  if (!first) throw new Error('a select has a part')

  const united = others.map((other, index) => {
    if (other.columns.length !== first.columns.length) throw sqlProblem('the parts of a UNION have the same number of columns')
    return sqlPiece`${ownWords(select.parts[index + 1]?.keepsRepeats ? ' union all ' : ' union ')}${other.piece}`
  })
  // the rows of a union have its columns and no tables any more
  const scope = others.length > 0 ? { ...first.scope, sources: [], outputs: first.columns.map(toScopeColumn) } : first.scope
  const order = writeOrder(select.orderBy, { at: { around: inner, scope, outputs: 'first' }, columns: first.columns })
  const piece = sqlPiece`${withPiece}${joinPieces([first.piece, ...united], '')}${order}${writeLimit(select.limit)}`
  return { piece, columns: first.columns }
}

function writeCommonTables({ with: tables }: SelectStatement, around: Around) {
  const common = new Map(around.common)
  const written = tables.map(({ name, select }) => {
    const place = around.writer.nextAlias()
    const { piece, columns } = writeSelect(select, { ...around, common })
    common.set(name.toLowerCase(), { place, columns })
    return sqlPiece`${ownWords(place)} as (${piece})`
  })
  return { common, piece: tables.length > 0 ? sqlPiece`with ${joinPieces(written, ', ')} ` : ownWords('') }
}

type WrittenPart = WrittenSelect & { scope: SqlScope }

function writePart(part: SelectPart, around: Around): WrittenPart {
  const scope: SqlScope = { sources: [], outputs: [], outer: around.outer }
  const { piece: from, guard } = writeSources(part.from, { around, scope })
  const fields: ExpressionPlace = { around, scope, outputs: 'none' }
  const items = part.items.flatMap((item) => writeItem(item, fields))
  const columns = items.map(({ name, value }, index): OutputColumn => ({ label: `c${index}`, name, type: value.type }))
  scope.outputs = columns.filter((_column, index) => items[index]?.isNamed).map(toScopeColumn)

  const list = items.map(({ value }, index) => sqlPiece`${value} as ${ownWords(`c${index}`)}`)
  const grouped: ExpressionPlace = { around, scope, outputs: 'last' }
  const groups = part.groupBy.map((group) => writePosition(group, columns) ?? writeExpression(group, grouped))
  const where = allOf([guard, part.where && writeExpression(part.where, fields)])
  const piece = joinPieces(
    [
      sqlPiece`select ${ownWords(part.isDistinct ? 'distinct ' : '')}${joinPieces(list, ', ')}${from}`,
      where ? sqlPiece` where ${where}` : ownWords(''),
      groups.length > 0 ? sqlPiece` group by ${joinPieces(groups, ', ')}` : ownWords(''),
      part.having ? sqlPiece` having ${writeExpression(part.having, grouped)}` : ownWords(''),
    ],
    '',
  )
  return { piece, columns, scope }
}

const toScopeColumn = ({ label, name, type }: OutputColumn): ScopeColumn => ({ names: [name], text: label, type })

/** `isNamed`: other parts of the statement can use the name. */
type WrittenItem = { name: string; value: TypedPiece; isNamed: boolean }

function writeItem(item: SelectItem, at: ExpressionPlace): WrittenItem[] {
  if (item.kind === 'value') return [{ name: item.name, value: writeExpression(item.value, at), isNamed: item.alias !== undefined }]
  return columnsOfStar(at.scope, item.table).map(({ names, text, type }) => ({
    ...{ name: names[0] ?? '', value: { ...ownWords(text), type }, isNamed: false },
  }))
}

const MAX_SOURCES = 20

/** Adds them to the scope. The guard is that of the first one: those of the others are in their joins. */
function writeSources(
  sources: TableSource[],
  { around, scope }: { around: Around; scope: SqlScope },
): { piece: SqlPiece; guard?: SqlPiece } {
  if (sources.length > MAX_SOURCES) throw sqlProblem(`it joins more than ${MAX_SOURCES} tables`)
  const names = new Set<string>()
  let guard: SqlPiece | undefined
  const pieces = sources.map(({ join, source, alias, on }, index) => {
    const { piece, source: written, rowValue } = writeSource({ source, alias }, around)
    if (names.has(written.name.toLowerCase()))
      throw sqlProblem(`two tables are called ${written.name}: give one of them another name with AS`)
    names.add(written.name.toLowerCase())
    scope.sources.push(written)

    const watched = around.writer.guard?.(rowValue)
    if (index === 0) {
      guard = watched
      return sqlPiece` from ${piece}`
    }
    const condition = allOf([watched, on && writeExpression(on, { around, scope, outputs: 'none' })])
    return condition
      ? sqlPiece`${ownWords(join === 'left' ? ' left join ' : ' join ')}${piece} on ${condition}`
      : sqlPiece` cross join ${piece}`
  })
  return { piece: joinPieces(pieces, ''), guard }
}

type WrittenSource = { piece: SqlPiece; source: ScopeSource; rowValue: string }

function writeSource({ source, alias }: Pick<TableSource, 'source' | 'alias'>, around: Around): WrittenSource {
  const place = around.writer.nextAlias()
  if (source.kind === 'select') {
    // @NOTE a table in parentheses does not see its neighbours, as in both databases
    const { piece, columns } = writeSelect(source.select, around)
    return { piece: sqlPiece`(${piece}) as ${ownWords(place)}`, ...derived(alias ?? '', { place, columns }) }
  }
  const common = around.common.get(source.name.toLowerCase())
  if (common)
    return { piece: ownWords(`${common.place} as ${place}`), ...derived(alias ?? source.name, { place, columns: common.columns }) }

  const table = around.writer.findTable(source.name)
  return {
    piece: ownWords(`${rowsTableName(table)} as ${place}`),
    source: tableSource(table, { name: alias ?? source.name, place }),
    rowValue: `${place}.bstudio_id`,
  }
}

const derived = (name: string, table: CommonTable) => ({ source: outputSource(name, table), rowValue: `typeof(${table.place}.c0)` })

export function allOf(conditions: (SqlPiece | undefined)[]): SqlPiece | undefined {
  const present = conditions.filter((each) => each !== undefined)
  return present.length > 0 ? joinPieces(present, ' and ') : undefined
}

/** `ORDER BY 2` and `GROUP BY 2` name a column of the result by its place. */
function writePosition(expression: SqlExpression, columns: OutputColumn[]): SqlPiece | undefined {
  if (expression.kind !== 'literal' || typeof expression.value !== 'bigint') return undefined
  const column = columns[Number(expression.value) - 1]
  if (!column) throw sqlProblem(`the result has no column ${expression.value}`)
  return ownWords(column.label)
}

function writeOrder(items: OrderItem[], { at, columns }: { at: ExpressionPlace; columns: OutputColumn[] }): SqlPiece {
  return writeOrderBy(items, (value) => writePosition(value, columns) ?? writeExpression(value, at))
}

export function writeOrderBy(items: OrderItem[], write: (value: SqlExpression) => SqlPiece): SqlPiece {
  if (items.length === 0) return ownWords('')
  const pieces = items.map(({ value, isAscending }) => sqlPiece`${write(value)}${ownWords(isAscending ? ' asc' : ' desc')}`)
  return sqlPiece` order by ${joinPieces(pieces, ', ')}`
}

export function writeLimit(limit: SqlLimit | undefined): SqlPiece {
  if (!limit) return ownWords('')
  const count = sqlPiece` limit ${ownWords(digitsOf(limit.count))}`
  return limit.offset > 0 ? sqlPiece`${count} offset ${ownWords(digitsOf(limit.offset))}` : count
}

const digitsOf = (count: number): string => BigInt(count).toString()
