/** JSON as a canvas has it: numbers that JavaScript would change are kept as they are written. */
export type Json = null | boolean | string | number | ExactNumber | Json[] | JsonObject
export type JsonObject = { [key: string]: Json }

/** A number with more digits, or another spelling, than JavaScript gives back. */
export class ExactNumber {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber)

/** Throws a SyntaxError for what is no JSON. */
export function parseJsonText(text: string): Json {
  const marked = text.replace(TOKENS, (token) => (token.startsWith('"') || isPlain(token) ? token : JSON.stringify(MARK + token)))
  return JSON.parse(marked, (_key, value: unknown) =>
    typeof value === 'string' && value.startsWith(MARK) ? new ExactNumber(value.slice(MARK.length)) : value,
  ) as Json
}

/** The same values again, whatever their size; `indent` as of JSON.stringify. */
export function toJsonText(value: Json, indent = 0): string {
  const marked = JSON.stringify(value, (_key, each: unknown) => (each instanceof ExactNumber ? MARK + each.text : each), indent)
  return marked.replace(MARKED, '$1')
}

// texts are matched too, so that digits in them are not taken for numbers
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/g
// no text that people write begins like this
const MARK = '\u0000exactly:'
const MARKED = /"\\u0000exactly:(-?[\d.eE+-]+)"/g

const isPlain = (digits: string) => String(Number(digits)) === digits

/** The value below names and places, such as `inputs.branches.0`; names are found whatever their case, as the server does. */
export function readAt(value: Json | undefined, path: string): Json | undefined {
  let current = value
  for (const step of toSteps(path)) current = readStep(current, step)
  return current
}

/** A copy with that value; what is on the way to it is made. Undefined removes it. */
export function writeAt(object: JsonObject, path: string, value: Json | undefined): JsonObject {
  const written = writeSteps(object, toSteps(path), value)
  return isObject(written) ? written : object
}

export const textAt = (value: Json | undefined, path: string): string => toPlainText(readAt(value, path))
export const listAt = (value: Json | undefined, path: string): Json[] => {
  const found = readAt(value, path)
  return Array.isArray(found) ? found : []
}

/** A text or number as text; empty for anything else. */
export function toPlainText(value: Json | undefined): string {
  if (typeof value === 'string') return value
  if (value instanceof ExactNumber) return value.text
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''
}

const toSteps = (path: string): string[] => path.split(/[.[\]]+/).filter((step) => step !== '')

function readStep(value: Json | undefined, step: string): Json | undefined {
  if (Array.isArray(value)) return value[Number(step)]
  return isObject(value) ? value[keyOf(value, step)] : undefined
}

function writeSteps(current: Json | undefined, [step, ...rest]: string[], value: Json | undefined): Json | undefined {
  if (step === undefined) return value
  if (Array.isArray(current)) {
    const next = writeSteps(current[Number(step)], rest, value)
    return next === undefined ? current.toSpliced(Number(step), 1) : Object.assign([...current], { [Number(step)]: next })
  }
  const object = isObject(current) ? current : {}
  const key = keyOf(object, step)
  const next = writeSteps(object[key], rest, value)
  if (next !== undefined) return { ...object, [key]: next }
  return Object.fromEntries(Object.entries(object).filter(([name]) => name !== key))
}

/** As it is spelled here: exports hold `readonly` beside `readOnly`. */
function keyOf(object: JsonObject, name: string): string {
  if (Object.hasOwn(object, name)) return name
  return Object.keys(object).find((key) => key.toLowerCase() === name.toLowerCase()) ?? name
}
