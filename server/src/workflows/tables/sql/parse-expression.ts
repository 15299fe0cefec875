import { sqlProblem } from './sql-problem.ts'
import type { SqlReader } from './sql-reader.ts'
import { unexpected } from './sql-reader.ts'
import { arithmeticOperators, compareOperators } from './sql-tree.ts'
import type { ArithmeticOperator, CastType, SqlExpression } from './sql-tree.ts'

/** From `OR`, which binds least, down to single values. */
export function parseExpression(reader: SqlReader): SqlExpression {
  return reader.nested(() => parseLogic(reader, 'or'))
}

function parseLogic(reader: SqlReader, operator: 'and' | 'or'): SqlExpression {
  const readTerm = () => (operator === 'or' ? parseLogic(reader, 'and') : parseNot(reader))
  const first = readTerm()
  const terms = [first]
  while (operator === 'or' ? reader.take('OR') : reader.take('AND') || reader.takeSymbol('&&')) {
    reader.countOperator()
    terms.push(readTerm())
  }
  return terms.length === 1 ? first : { kind: 'logic', operator, terms }
}

function parseNot(reader: SqlReader): SqlExpression {
  return reader.take('NOT') ? { kind: 'not', of: reader.nested(() => parseNot(reader)) } : parseComparison(reader)
}

function parseComparison(reader: SqlReader): SqlExpression {
  let left = parseSum(reader)
  for (;;) {
    const compared = parsePredicate(reader, left) ?? parseCompare(reader, left)
    if (!compared) return left
    reader.countOperator()
    left = compared
  }
}

function parseCompare(reader: SqlReader, left: SqlExpression): SqlExpression | undefined {
  const symbol = reader.takeSymbol('<>') ? '!=' : undefined
  const operator = symbol ?? compareOperators.find((each) => reader.takeSymbol(each))
  return operator && { kind: 'compare', operator, left, right: parseSum(reader) }
}

function parsePredicate(reader: SqlReader, of: SqlExpression): SqlExpression | undefined {
  if (reader.take('IS')) return parseIs(reader, of)
  const isNegated = reader.take('NOT')
  if (reader.take('IN')) return { kind: 'in', of, list: parseInList(reader), isNegated }
  if (reader.take('LIKE')) return { kind: 'like', of, pattern: parseSum(reader), isNegated }
  if (reader.take('BETWEEN')) {
    const low = parseSum(reader)
    reader.expect('AND')
    return { kind: 'between', of, low, high: parseSum(reader), isNegated }
  }
  if (isNegated) throw unexpected(reader.peek(), 'IN, LIKE or BETWEEN')
  return undefined
}

function parseIs(reader: SqlReader, of: SqlExpression): SqlExpression {
  const isNegated = reader.take('NOT')
  const what = (['NULL', 'TRUE', 'FALSE'] as const).find((word) => reader.take(word))
  if (!what) throw unexpected(reader.peek(), 'NULL, TRUE or FALSE')
  return { kind: 'is', of, what: (['null', 'true', 'false'] as const).find((each) => each === what.toLowerCase()) ?? 'null', isNegated }
}

function parseInList(reader: SqlReader) {
  reader.expectSymbol('(')
  const list = reader.isWord('SELECT', 'WITH') ? reader.select() : parseExpressions(reader)
  reader.expectSymbol(')')
  return list
}

/** One or more, with commas. */
export function parseExpressions(reader: SqlReader): SqlExpression[] {
  const list = [parseExpression(reader)]
  while (reader.takeSymbol(',')) list.push(parseExpression(reader))
  return list
}

const sums: readonly ArithmeticOperator[] = ['+', '-']
const products = arithmeticOperators.filter((each) => !sums.includes(each))

const parseSum = (reader: SqlReader): SqlExpression => parseArithmetic(reader, { operators: sums, readOperand: parseProduct })
const parseProduct = (reader: SqlReader): SqlExpression => parseArithmetic(reader, { operators: products, readOperand: parseSign })

type Level = { operators: readonly ArithmeticOperator[]; readOperand: (reader: SqlReader) => SqlExpression }

function parseArithmetic(reader: SqlReader, { operators, readOperand }: Level): SqlExpression {
  let left = readOperand(reader)
  for (;;) {
    const operator = operators.find((each) => reader.takeSymbol(each))
    if (!operator) return left
    reader.countOperator()
    left = { kind: 'arithmetic', operator, left, right: readOperand(reader) }
  }
}

function parseSign(reader: SqlReader): SqlExpression {
  if (reader.takeSymbol('+')) return reader.nested(() => parseSign(reader))
  if (!reader.takeSymbol('-')) return parseOperand(reader)
  const of = reader.nested(() => parseSign(reader))
  const isNumber = of.kind === 'literal' && (typeof of.value === 'number' || typeof of.value === 'bigint')
  return isNumber ? { kind: 'literal', value: -Number(of.value) } : { kind: 'negative', of }
}

function parseOperand(reader: SqlReader): SqlExpression {
  const token = reader.peek()
  switch (token.kind) {
    case 'text':
      return { kind: 'literal', value: reader.next().text }
    case 'number':
      return { kind: 'literal', value: parseNumber(reader.next().text) }
    case 'placeholder':
      return { kind: 'literal', value: reader.takeBound() }
    case 'symbol':
      return parseParentheses(reader)
    default:
      return parseWord(reader)
  }
}

/** Whole numbers of 64 bits are exact. */
function parseNumber(text: string): number | bigint {
  const isWhole = /^\d{1,19}$/.test(text) && BigInt(text) < 2n ** 63n
  const number = isWhole ? BigInt(text) : Number(text)
  if (typeof number === 'number' && !Number.isFinite(number)) throw sqlProblem(`${text.slice(0, 50)} is too large for a number`)
  return number
}

function parseParentheses(reader: SqlReader): SqlExpression {
  reader.expectSymbol('(')
  const inner: SqlExpression = reader.isWord('SELECT', 'WITH') ? { kind: 'select', select: reader.select() } : parseExpression(reader)
  reader.expectSymbol(')')
  return inner
}

function parseWord(reader: SqlReader): SqlExpression {
  if (reader.take('NULL')) return { kind: 'literal', value: null }
  if (reader.take('TRUE')) return { kind: 'literal', value: true }
  if (reader.take('FALSE')) return { kind: 'literal', value: false }
  if (reader.take('CASE')) return parseCase(reader)
  if (reader.take('CAST')) return parseCast(reader)
  if (reader.take('EXISTS')) return parseExists(reader)

  const isCall = reader.peek().kind === 'word' && reader.peek(1).kind === 'symbol' && reader.peek(1).text === '('
  return isCall ? parseCall(reader) : parseColumn(reader)
}

function parseColumn(reader: SqlReader): SqlExpression {
  const name = reader.expectName('a value')
  if (!reader.takeSymbol('.')) return nowWords.has(name.toUpperCase()) ? callOf(name) : { kind: 'column', name }
  return { kind: 'column', table: name, name: reader.expectName('a field') }
}

/** Functions that MySQL lets stand without parentheses. */
const nowWords = new Set(['CURRENT_TIMESTAMP', 'CURRENT_DATE', 'LOCALTIMESTAMP', 'UTC_TIMESTAMP'])
const callOf = (name: string): SqlExpression => ({ kind: 'call', name: name.toUpperCase(), args: [], isDistinct: false, isStar: false })

function parseCall(reader: SqlReader): SqlExpression {
  const name = reader.next().text.toUpperCase()
  reader.expectSymbol('(')
  const isDistinct = reader.take('DISTINCT')
  const isStar = reader.takeSymbol('*')
  const args = isStar || reader.takeSymbol(')') ? [] : parseExpressions(reader)
  if (isStar || args.length > 0) reader.expectSymbol(')')
  return { kind: 'call', name, args, isDistinct, isStar }
}

function parseCase(reader: SqlReader): SqlExpression {
  const of = reader.isWord('WHEN') ? undefined : parseExpression(reader)
  const branches: { when: SqlExpression; then: SqlExpression }[] = []
  while (reader.take('WHEN')) {
    const when = parseExpression(reader)
    reader.expect('THEN')
    branches.push({ when, then: parseExpression(reader) })
  }
  if (branches.length === 0) throw unexpected(reader.peek(), 'WHEN')
  const otherwise = reader.take('ELSE') ? parseExpression(reader) : undefined
  reader.expect('END')
  return { kind: 'case', of, branches, otherwise }
}

const castTypes: Record<string, CastType> = {
  SIGNED: 'integer',
  UNSIGNED: 'integer',
  INTEGER: 'integer',
  DOUBLE: 'float',
  FLOAT: 'float',
  CHAR: 'text',
}

function parseCast(reader: SqlReader): SqlExpression {
  reader.expectSymbol('(')
  const of = parseExpression(reader)
  reader.expect('AS')
  const to = castTypes[reader.peek().text.toUpperCase()]
  if (!to) throw unexpected(reader.peek(), `a type (${Object.keys(castTypes).join(', ')})`)
  reader.next()
  if (to === 'integer') reader.take('INTEGER')
  reader.expectSymbol(')')
  return { kind: 'cast', of, to }
}

function parseExists(reader: SqlReader): SqlExpression {
  reader.expectSymbol('(')
  const select = reader.select()
  reader.expectSymbol(')')
  return { kind: 'exists', select }
}
