import { sqlProblem } from './sql-problem.ts'

/**
 * `word` is a keyword or a name, `name` one in backticks, which is never a keyword. `text` of a text is what it says, of all
 * others what is written.
 */
export type SqlToken = {
  kind: 'word' | 'name' | 'text' | 'number' | 'placeholder' | 'symbol' | 'end'
  text: string
  start: number
  end: number
}

const MAX_CHARS = 100_000
const MAX_TOKENS = 20_000

/**
 * The words of one statement of MySQL. Comments, variables, several statements and all else that is not needed to read and write
 * rows has no token here. Throws a NodeError.
 */
export function readSqlTokens(sql: string): SqlToken[] {
  if (sql.length > MAX_CHARS) throw sqlProblem(`it has more than ${MAX_CHARS} characters; give long values as '{{parameters}}'`)

  const tokens: SqlToken[] = []
  for (let at = skipBlanks(sql, 0); at < sql.length; at = skipBlanks(sql, tokens.at(-1)?.end ?? at)) {
    if (sql[at] === ';' && sql.slice(at + 1).trim() === '') break
    tokens.push(readToken(sql, at))
    if (tokens.length > MAX_TOKENS) throw sqlProblem(`it has more than ${MAX_TOKENS} words`)
  }
  return [...tokens, { kind: 'end', text: '', start: sql.length, end: sql.length }]
}

function skipBlanks(sql: string, from: number): number {
  let at = from
  while (at < sql.length && /\s/.test(sql[at] ?? '')) at++
  return at
}

function readToken(sql: string, start: number): SqlToken {
  const char = sql[start] ?? ''
  if (char === "'" || char === '"') return readText(sql, start)
  if (char === '`') return readName(sql, start)
  if (char === '?') return { kind: 'placeholder', text: char, start, end: start + 1 }
  return readBy(sql, start) ?? refuse(sql, start)
}

const shapes: [SqlToken['kind'], RegExp][] = [
  ['word', /[\p{L}_][\p{L}\p{N}_]*/uy],
  ['number', /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\p{L}\p{N}_.])/uy],
  // two minus signs and a slash with a star are comments
  ['symbol', /<=|>=|<>|!=|&&|-(?!-)|\/(?!\*)|[=<>+*%(),.]/y],
]

function readBy(sql: string, start: number): SqlToken | undefined {
  for (const [kind, shape] of shapes) {
    shape.lastIndex = start
    const [text] = shape.exec(sql) ?? []
    if (text !== undefined) return { kind, text, start, end: start + text.length }
  }
  return undefined
}

function refuse(sql: string, at: number): never {
  const rest = sql.slice(at, at + 20)
  if (/^(?:--|#|\/\*)/.test(rest)) throw sqlProblem('comments are not taken')
  if (rest.startsWith(';')) throw sqlProblem('only one statement is taken')
  if (rest.startsWith('||')) throw sqlProblem('|| is not taken: write OR, or CONCAT for texts')
  if (rest.startsWith('{{')) throw sqlProblem(`${sql.slice(at, at + 100).split('}}')[0] ?? ''}}} is no input of the node`)
  throw sqlProblem(`${JSON.stringify(rest)} is not understood, at character ${at + 1}`)
}

function readName(sql: string, start: number): SqlToken {
  const close = sql.indexOf('`', start + 1)
  const text = sql.slice(start + 1, close)
  if (close < 0 || text === '' || sql[close + 1] === '`') throw sqlProblem(`a name in backticks does not end, at character ${start + 1}`)
  return { kind: 'name', text, start, end: close + 1 }
}

const escapes: Record<string, string> = { n: '\n', t: '\t', r: '\r', b: '\b', 0: '\0', Z: '\u001a' }

/** As MySQL reads it: a doubled quote is one, a backslash escapes; before % and _ it stays, for LIKE. */
function readText(sql: string, start: number): SqlToken {
  const quote = sql[start]
  let text = ''
  for (let at = start + 1; at < sql.length; at++) {
    const char = sql[at] ?? ''
    if (char === quote && sql[at + 1] !== quote) return { kind: 'text', text, start, end: at + 1 }
    if (char === quote) {
      text += sql[++at] ?? ''
    } else if (char === '\\') {
      const escaped = sql[++at] ?? ''
      text += escaped === '%' || escaped === '_' ? `\\${escaped}` : (escapes[escaped] ?? escaped)
    } else text += char
  }
  throw sqlProblem(`a text in quotes does not end, at character ${start + 1}`)
}
