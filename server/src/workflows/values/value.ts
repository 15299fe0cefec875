/**
 * What flows between nodes: JSON, with integers that JavaScript would round kept as bigint.
 * `undefined` never occurs inside: what is missing is absent.
 */
export type Value = string | number | bigint | boolean | null | Value[] | ValueObject
export type ValueObject = { [name: string]: Value }

declare global {
  interface JSON {
    /** Newer than the library of types: a text that is put into the JSON as it is. */
    rawJSON(text: string): unknown
  }
}

export const isValueObject = (value: Value | undefined): value is ValueObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Undefined where there is no such field of its own: names such as `constructor` are only names. */
export const fieldOf = (object: ValueObject, name: string): Value | undefined => (Object.hasOwn(object, name) ? object[name] : undefined)

/** JSON text to a value. Throws a SyntaxError, also for what is nested so deeply that nobody could walk it. */
export function parseValue(text: string): Value {
  if (text.length > MAX_DEPTH) assertDepth(text)
  return (/\d{16}/.test(text) ? JSON.parse(text, keepInteger) : JSON.parse(text)) as Value
}

const MAX_DEPTH = 1000

/** Brackets within texts do not count. */
function assertDepth(text: string): void {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '"') at = endOfText(text, at)
    else if (char === '[' || char === '{') depth++
    else if (char === ']' || char === '}') depth--
    if (depth > MAX_DEPTH) throw new SyntaxError(`the JSON is nested deeper than ${MAX_DEPTH} levels`)
  }
}

/** The place of the closing quote, or the end of it all. */
function endOfText(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at
  }
  return text.length
}

function keepInteger(_name: string, value: unknown, context?: { source?: string }): unknown {
  const isRounded = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
  return isRounded && context?.source !== undefined && /^-?\d+$/.test(context.source) ? BigInt(context.source) : value
}

/** Compact JSON text with sorted keys: one text for one value, whatever made it. `<`, `>`, `&` stay as they are. */
export function printValue(value: Value): string {
  return JSON.stringify(sortKeys(value))
}

/** As above, safe to stand in HTML: the way the original prints the result of a run. */
export function printEscapedValue(value: Value): string {
  return printValue(value).replace(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`)
}

/** Key order as it is: for what is only stored. */
export function storeValue(value: Value): string {
  return JSON.stringify(value, (_name, each: unknown) => (typeof each === 'bigint' ? JSON.rawJSON(each.toString()) : each))
}

function sortKeys(value: Value): unknown {
  if (typeof value === 'bigint') return JSON.rawJSON(value.toString())
  if (Array.isArray(value)) return value.map(sortKeys)
  if (!isValueObject(value)) return value

  const names = Object.keys(value).sort()
  return Object.fromEntries(names.map((name) => [name, sortKeys(value[name] ?? null)]))
}
