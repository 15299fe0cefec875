import type { DialectName } from '../../../db/database.ts'
import type { UserTable } from '../user-table.ts'
import { commonType, writeCall } from './sql-functions.ts'
import { fitLiteral, joinPieces, literalPiece, ownWords, sqlPiece } from './sql-piece.ts'
import type { SqlPiece, SqlType, TypedPiece } from './sql-piece.ts'
import { sqlProblem } from './sql-problem.ts'
import { resolveColumn } from './sql-scope.ts'
import type { OutputUse, ScopeColumn, ScopeSource, SqlScope } from './sql-scope.ts'
import type { SelectStatement, SqlExpression } from './sql-tree.ts'

/** What a statement is written with. */
export type SqlWriter = {
  dialect: DialectName
  /** The time, as texts of the database have it. */
  now: string
  /** Throws a NodeError when the owner has no such table. */
  findTable(name: string): UserTable
  /** A new alias of ours. */
  nextAlias(): string
  /** True for every row, until the statement has used up its time, given a column of it; undefined where the database watches that itself. */
  guard?: (rowValue: string) => SqlPiece
  writeSelect(select: SelectStatement, around: Around): WrittenSelect
}

/** What a subquery sees of the statement around it. `common` are tables that the statement has made WITH. */
export type Around = { writer: SqlWriter; outer?: SqlScope; common: ReadonlyMap<string, CommonTable> }
export type CommonTable = { place: string; columns: OutputColumn[] }
export type WrittenSelect = { piece: SqlPiece; columns: OutputColumn[] }
/** `label` is ours, the name the builder's. */
export type OutputColumn = { label: string; name: string; type: SqlType }

/** Where an expression stands. */
export type ExpressionPlace = { around: Around; scope: SqlScope; outputs: OutputUse }

export function outputSource(name: string, { place, columns }: CommonTable): ScopeSource {
  return {
    name,
    columns: columns.map(({ label, name: shown, type }): ScopeColumn => ({ names: [shown], text: `${place}.${label}`, type })),
  }
}

export function writeExpression(expression: SqlExpression, at: ExpressionPlace): TypedPiece {
  switch (expression.kind) {
    case 'literal':
      return literalPiece(expression.value)
    case 'column': {
      const { text, type } = resolveColumn(at.scope, expression, at.outputs)
      return { ...ownWords(text), type }
    }
    case 'call': {
      const { dialect, now } = at.around.writer
      return writeCall({ ...expression, args: writeAll(expression.args, at) }, { dialect, now })
    }
    case 'arithmetic':
    case 'negative':
      return writeArithmetic(expression, at)
    case 'case':
      return writeCase(expression, at)
    case 'cast':
      return writeCast(expression, at)
    case 'select':
      return writeScalar(expression.select, at)
    default:
      return { ...writeTruth(expression, at), type: 'integer' }
  }
}

const writeAll = (expressions: SqlExpression[], at: ExpressionPlace): TypedPiece[] => expressions.map((each) => writeExpression(each, at))

type Kind<K extends SqlExpression['kind']> = SqlExpression & { kind: K }

function writeArithmetic(expression: Kind<'arithmetic' | 'negative'>, at: ExpressionPlace): TypedPiece {
  if (expression.kind === 'negative') {
    const of = writeExpression(expression.of, at)
    return { ...sqlPiece`(- ${of})`, type: of.type }
  }
  const left = writeExpression(expression.left, at)
  const right = writeExpression(expression.right, at)
  // both databases divide to fractions then, and as doubles
  if (expression.operator === '/') return { ...sqlPiece`((${left} + 0e0) / ${right})`, type: 'float' }
  return { ...sqlPiece`(${left} ${ownWords(expression.operator)} ${right})`, type: numericType([left, right]) }
}

function numericType(pieces: TypedPiece[]): SqlType {
  const isWhole = pieces.every(({ type }) => type === 'integer' || type === 'boolean')
  return isWhole ? 'integer' : 'float'
}

function writeCase({ of, branches, otherwise }: Kind<'case'>, at: ExpressionPlace): TypedPiece {
  const subject = of && writeExpression(of, at)
  const results: TypedPiece[] = []
  const written = branches.map(({ when, then }) => {
    const condition = writeExpression(when, at)
    const result = writeExpression(then, at)
    results.push(result)
    return sqlPiece`when ${subject ? fitLiteral(condition, subject.type) : condition} then ${result}`
  })
  const last = otherwise ? writeExpression(otherwise, at) : literalPiece(null)
  const body = sqlPiece`${joinPieces(written, ' ')} else ${last} end`
  return { ...(subject ? sqlPiece`(case ${subject} ${body})` : sqlPiece`(case ${body})`), type: commonType([...results, last]) }
}

function writeCast({ of, to }: Kind<'cast'>, at: ExpressionPlace): TypedPiece {
  const piece = writeExpression(of, at)
  if (to === 'float') return { ...sqlPiece`(${piece} + 0e0)`, type: to }
  const words = { sqlite: { integer: 'integer', text: 'text' }, mysql: { integer: 'signed', text: 'char' } }
  return { ...sqlPiece`cast(${piece} as ${ownWords(words[at.around.writer.dialect][to])})`, type: to }
}

function writeScalar(select: SelectStatement, at: ExpressionPlace): TypedPiece {
  const { piece, type } = writeSubquery(select, at)
  return { ...sqlPiece`(${piece})`, type }
}

function writeSubquery(select: SelectStatement, at: ExpressionPlace): { piece: SqlPiece; type: SqlType } {
  const { piece, columns } = at.around.writer.writeSelect(select, { ...at.around, outer: at.scope })
  const [column, second] = columns
  if (!column || second) throw sqlProblem('a SELECT that is compared, or stands for a value, gives one column')
  return { piece, type: column.type }
}

type Truth = Kind<'compare' | 'logic' | 'not' | 'is' | 'in' | 'between' | 'like' | 'exists'>

/** What is true, false or null. */
function writeTruth(expression: Truth, at: ExpressionPlace): SqlPiece {
  switch (expression.kind) {
    case 'logic': {
      const separator = expression.operator === 'and' ? ' and ' : ' or '
      return sqlPiece`(${joinPieces(writeAll(expression.terms, at), separator)})`
    }
    case 'not':
      return sqlPiece`(not ${writeExpression(expression.of, at)})`
    case 'is':
      return sqlPiece`(${writeExpression(expression.of, at)} is ${ownWords(`${expression.isNegated ? 'not ' : ''}${expression.what}`)})`
    case 'exists':
      return sqlPiece`exists (${at.around.writer.writeSelect(expression.select, { ...at.around, outer: at.scope }).piece})`
    case 'compare':
      return writeCompare(expression, at)
    case 'in':
      return writeIn(expression, at)
    case 'between':
      return writeBetween(expression, at)
    case 'like':
      return writeLike(expression, at)
  }
}

function writeCompare({ operator, left, right }: Kind<'compare'>, at: ExpressionPlace): SqlPiece {
  const one = writeExpression(left, at)
  const other = writeExpression(right, at)
  return sqlPiece`(${fitLiteral(one, other.type)} ${ownWords(operator)} ${fitLiteral(other, one.type)})`
}

function writeIn({ of, list, isNegated }: Kind<'in'>, at: ExpressionPlace): SqlPiece {
  const subject = writeExpression(of, at)
  const words = ownWords(isNegated ? 'not in' : 'in')
  if (!Array.isArray(list)) return sqlPiece`(${subject} ${words} (${writeSubquery(list, at).piece}))`
  if (list.length === 0) return ownWords(isNegated ? '(1 = 1)' : '(1 = 0)')

  const members = writeAll(list, at).map((member) => fitLiteral(member, subject.type))
  return sqlPiece`(${subject} ${words} (${joinPieces(members, ', ')}))`
}

function writeBetween({ of, low, high, isNegated }: Kind<'between'>, at: ExpressionPlace): SqlPiece {
  const subject = writeExpression(of, at)
  const [from, to] = [low, high].map((limit) => fitLiteral(writeExpression(limit, at), subject.type))
  return sqlPiece`(${subject} ${ownWords(isNegated ? 'not between' : 'between')} ${from ?? subject} and ${to ?? subject})`
}

/** Case does not matter; a backslash takes the meaning from % and _. */
function writeLike({ of, pattern, isNegated }: Kind<'like'>, at: ExpressionPlace): SqlPiece {
  const subject = writeExpression(of, at)
  const wanted = fitLiteral(writeExpression(pattern, at), 'text')
  const words = ownWords(isNegated ? 'not like' : 'like')
  if (at.around.writer.dialect === 'sqlite') return sqlPiece`(${subject} ${words} ut_short(${wanted}) escape '\\')`
  return sqlPiece`(lower(${subject}) ${words} lower(${wanted}))`
}
