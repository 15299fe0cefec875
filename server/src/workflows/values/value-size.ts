import { storeValue } from './value.ts'
import type { Value } from './value.ts'

/**
 * Of the JSON of one value that is kept: one row of it is taken by every database as it is installed, in any script. A MariaDB hangs
 * up on more than 16 MB, and a character may need three bytes.
 */
export const MAX_CHARS = 5_000_000
/** What is kept lies a few levels deeper in the records of passes, and has to be read again by `parseValue`. */
const MAX_DEPTH = 500

/** Why the value cannot be kept; undefined for one that can. */
export function findExcess(value: Value): string | undefined {
  const least = leastChars(value)
  // none of them needs more than six when it is escaped
  const fits = least <= MAX_CHARS && (least * 6 <= MAX_CHARS || storeValue(value).length <= MAX_CHARS)
  return fits ? undefined : `is larger than ${MAX_CHARS} characters of JSON, or nested deeper than ${MAX_DEPTH} levels`
}

/** How many characters its JSON has at least: nothing is counted twice for being escaped. More than `MAX_CHARS` are not counted to their end. */
export function leastChars(value: Value, depth = 0): number {
  if (typeof value === 'string') return value.length + 2
  if (typeof value !== 'object' || value === null) return String(value).length
  if (depth === MAX_DEPTH) return Number.POSITIVE_INFINITY

  let chars = 2
  if (Array.isArray(value)) {
    for (const each of value) {
      chars += leastChars(each, depth + 1) + 1
      if (chars > MAX_CHARS) break
    }
    return chars
  }
  for (const name of Object.keys(value)) {
    chars += name.length + 4 + leastChars(value[name] ?? null, depth + 1)
    if (chars > MAX_CHARS) break
  }
  return chars
}
