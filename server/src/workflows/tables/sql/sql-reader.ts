import { sqlProblem } from './sql-problem.ts'
import type { SqlToken } from './sql-tokens.ts'
import type { SelectStatement, SqlLiteral } from './sql-tree.ts'

/** Walks along the tokens of a statement. */
export interface SqlReader {
  /** The next one, which stays. */
  peek(ahead?: number): SqlToken
  next(): SqlToken
  /** Whether the words came next, in any case; then they are taken. */
  take(...words: string[]): boolean
  takeSymbol(symbol: string): boolean
  expect(...words: string[]): void
  expectSymbol(symbol: string): void
  isWord(...words: string[]): boolean
  /** A name that is no keyword, or stands in backticks. */
  takeName(): string | undefined
  expectName(what: string): string
  /** The value of the next placeholder. */
  takeBound(): SqlLiteral
  /** Names a table of the statement. */
  note(tableName: string): void
  /** Every parameter must have found its placeholder: else a text that was put into the SQL has hidden one. */
  assertBoundUsed(): void
  /** The text of the statement from this token to the one that was taken last. */
  since(token: SqlToken): string
  /** Counts what makes the tree of a statement deep without being nested. */
  countOperator(): void
  /** Reads something that may hold its like, to a limited depth. */
  nested<T>(read: () => T): T
  /** Reads `SELECT …`. */
  select(): SelectStatement
}

const MAX_DEPTH = 30
/** SQLite takes trees of a depth of 1000. */
const MAX_OPERATORS = 900

type Source = {
  sql: string
  tokens: SqlToken[]
  bound: SqlLiteral[]
  tableNames: Set<string>
  readSelect: (reader: SqlReader) => SelectStatement
}

export function createSqlReader({ sql, tokens, bound, tableNames, readSelect }: Source): SqlReader {
  const end: SqlToken = { kind: 'end', text: '', start: sql.length, end: sql.length }
  let at = 0
  let depth = 0
  let operators = 0
  const parameters = createParameters(bound)

  const peek = (ahead = 0): SqlToken => tokens[at + ahead] ?? end
  const next = (): SqlToken => {
    const token = peek()
    at++
    return token
  }
  const isWordAt = (ahead: number, word: string) => peek(ahead).kind === 'word' && peek(ahead).text.toUpperCase() === word
  const take = (...words: string[]) => {
    if (!words.every((word, index) => isWordAt(index, word))) return false
    at += words.length
    return true
  }
  const takeSymbol = (symbol: string) => {
    if (peek().kind !== 'symbol' || peek().text !== symbol) return false
    at++
    return true
  }
  const takeName = () => {
    const { kind, text } = peek()
    const isName = kind === 'name' || (kind === 'word' && !keywords.has(text.toUpperCase()))
    return isName ? next().text : undefined
  }

  const reader: SqlReader = {
    ...{ peek, next, take, takeSymbol, takeName },
    expect(...words) {
      if (!take(...words)) throw unexpected(peek(), words.join(' '))
    },
    expectSymbol(symbol) {
      if (!takeSymbol(symbol)) throw unexpected(peek(), `"${symbol}"`)
    },
    isWord: (...words) => words.some((word) => isWordAt(0, word)),
    expectName: (what) => takeName() ?? raise(unexpected(peek(), what)),
    takeBound() {
      at++
      return parameters.take()
    },
    note: (tableName) => void tableNames.add(tableName),
    assertBoundUsed: parameters.assertUsed,
    since: ({ start }) => sql.slice(start, tokens[at - 1]?.end ?? start),
    countOperator() {
      if (++operators > MAX_OPERATORS) throw sqlProblem(`it has more than ${MAX_OPERATORS} operators: a list with IN has none`)
    },
    nested(read) {
      if (++depth > MAX_DEPTH) throw sqlProblem(`it is nested deeper than ${MAX_DEPTH} levels`)
      const result = read()
      depth--
      return result
    },
    select: () => reader.nested(() => readSelect(reader)),
  }
  return reader
}

function createParameters(bound: SqlLiteral[]) {
  let used = 0
  return {
    take(): SqlLiteral {
      const value = bound[used++]
      if (value === undefined) throw sqlProblem('it has more placeholders than parameters: a "?" can stand in quotes only')
      return value
    },
    assertUsed() {
      if (used < bound.length) throw sqlProblem('it has fewer placeholders than parameters: one of them stands in quotes')
    },
  }
}

export function unexpected({ kind, text, start }: SqlToken, wanted: string): Error {
  const found = kind === 'end' ? 'its end' : `${JSON.stringify(text.slice(0, 50))}, character ${start + 1}`
  return sqlProblem(`${wanted} is expected at ${found}`)
}

function raise(error: Error): never {
  throw error
}

/** Not taken for names, unless they stand in backticks. */
const keywords = new Set(
  `ALL AND AS ASC BETWEEN BY CASE CAST CROSS DELETE DESC DISTINCT ELSE END EXISTS FALSE FOR FROM GROUP HAVING IN INNER INSERT INTO IS JOIN LEFT LIKE
  LIMIT LOCK NATURAL NOT NULL OFFSET ON OR ORDER OUTER OUTFILE DUMPFILE OVER PROCEDURE RECURSIVE REGEXP RETURNING RIGHT RLIKE SELECT SET THEN TRUE UNION
  UPDATE USING VALUES WHEN WHERE WINDOW WITH XOR INTERSECT EXCEPT COLLATE DIV MOD INTERVAL BINARY STRAIGHT_JOIN FULL FORCE USE IGNORE PARTITION`.split(
    /\s+/,
  ),
)
