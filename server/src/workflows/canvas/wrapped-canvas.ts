import { fieldOf, isValueObject, parseValue, storeValue } from '../values/value.ts'
import type { Value } from '../values/value.ts'

/**
 * The text of the canvas in what a person has copied: the canvas itself, or an answer of Coze Studio with the canvas in it, such as
 * `{"data":{"workflow":{"schema_json":"…"}}}`. Any other text comes back as it is, for others to say what is wrong with it.
 */
export function unwrapCanvas(text: string): string {
  const value = tryParse(text)
  if (value === undefined || isCanvas(value)) return text
  const found = findCanvas(value, 0)
  return found === undefined ? text : storeValue(found)
}

const WRAPPERS = ['data', 'workflow', 'schema_json', 'schema', 'canvas']
const MAX_DEPTH = 6

function findCanvas(value: Value, depth: number): Value | undefined {
  if (isCanvas(value)) return value
  if (depth === MAX_DEPTH) return undefined
  if (typeof value === 'string') {
    const inner = tryParse(value)
    return isValueObject(inner) ? findCanvas(inner, depth + 1) : undefined
  }
  if (!isValueObject(value)) return undefined
  for (const name of WRAPPERS) {
    const inner = fieldOf(value, name)
    const found = inner === undefined ? undefined : findCanvas(inner, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}

const isCanvas = (value: Value): boolean => isValueObject(value) && Array.isArray(fieldOf(value, 'nodes'))

function tryParse(text: string): Value | undefined {
  try {
    return parseValue(text)
  } catch {
    return undefined
  }
}
