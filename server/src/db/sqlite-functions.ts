import type { Database } from 'better-sqlite3'

/** How long a statement of a user may keep the thread: nothing else runs meanwhile. */
const MAX_STATEMENT_MS = 2_000
const MAX_TEXT_CHARS = 1_000_000
/** Looking for a text takes as long as both texts together are long, multiplied. */
const MAX_SEARCHED_CHARS = 1_000

/** What the functions below say when a statement goes too far. */
export const SQLITE_OVERTIME = 'the statement takes too long'
export const SQLITE_OVERSIZE = 'a text becomes too long'

/**
 * Functions for the statements of users. SQLite has neither a limit of time nor one of size that could be set, and it runs on
 * the thread of the server: `ut_within(anything, statement)` is called for each row that is looked at and ends the statement
 * when its time is over; texts that are put together cannot grow without bounds, and `ut_short(text)` is what may be looked for.
 */
export function addUserFunctions(database: Database): void {
  let current = { statement: 0, startedAt: 0 }
  const isolated = { directOnly: true, safeIntegers: false }

  database.function('ut_within', { ...isolated, deterministic: false }, (_row: unknown, statement: number) => {
    const now = performance.now()
    if (statement !== current.statement) current = { statement, startedAt: now }
    if (now - current.startedAt > MAX_STATEMENT_MS) throw new Error(SQLITE_OVERTIME)
    return 1
  })

  database.function('ut_concat', { ...isolated, safeIntegers: true, deterministic: true, varargs: true }, (...parts: unknown[]) => {
    if (parts.includes(null)) return null
    const texts = parts.map(String)
    assertLength(texts.reduce((sum, text) => sum + text.length, 0))
    return texts.join('')
  })

  database.function('ut_short', { ...isolated, safeIntegers: true, deterministic: true }, (text: unknown) => {
    if (typeof text === 'string' && text.length > MAX_SEARCHED_CHARS) throw new Error(SQLITE_OVERSIZE)
    return text
  })

  database.function('ut_replace', { ...isolated, safeIntegers: true, deterministic: true, varargs: true }, (...parts: unknown[]) => {
    if (parts.includes(null)) return null
    const [text = '', searched = '', put = ''] = parts.map(String)
    if (searched === '') return text
    const count = text.split(searched).length - 1
    assertLength(text.length + count * (put.length - searched.length))
    return text.replaceAll(searched, () => put)
  })
}

function assertLength(chars: number): void {
  if (chars > MAX_TEXT_CHARS) throw new Error(SQLITE_OVERSIZE)
}
