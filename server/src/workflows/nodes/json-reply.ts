import { isValueObject, parseValue } from '../values/value.ts'
import type { ValueObject } from '../values/value.ts'

/**
 * The JSON object in what a model said: alone, in a code fence, behind the word `json`, or within other text. Undefined when
 * there is none.
 */
export function findJsonObject(text: string): ValueObject | undefined {
  const stripped = stripFence(withoutThoughts(text).trim())
  const start = Math.max(stripped.indexOf('{'), 0)
  const upTo = (end: number) => parseJsonObject(stripped.slice(start, end + 1))
  return parseJsonObject(stripped) ?? upTo(stripped.lastIndexOf('}')) ?? upTo(stripped.indexOf('}', start))
}

/** Undefined for what is not the JSON of an object, or is nested deeper than anybody means it. */
export function parseJsonObject(text: string): ValueObject | undefined {
  if (isTooDeep(text)) return undefined
  try {
    const value = parseValue(text)
    return isValueObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Some models put their thoughts before the answer, braces and all. */
const withoutThoughts = (text: string) => text.slice(text.lastIndexOf(THOUGHT) < 0 ? 0 : text.lastIndexOf(THOUGHT) + THOUGHT.length)
const THOUGHT = '</think>'

function stripFence(text: string): string {
  const opened = text.startsWith(FENCE) ? text.slice(FENCE.length).trimStart() : text
  const unnamed = opened.slice(0, WORD.length).toLowerCase() === WORD ? opened.slice(WORD.length) : opened
  return unnamed.endsWith(FENCE) ? unnamed.slice(0, -FENCE.length) : unnamed
}

const FENCE = '```'
const WORD = 'json'

const MAX_DEPTH = 200

/** What walks a value later takes a step for each level: a hostile text could have a million. */
function isTooDeep(text: string): boolean {
  let depth = 0
  let isText = false
  for (let at = 0; at < text.length && depth <= MAX_DEPTH; at++) {
    const char = text[at]
    if (char === '"') isText = !isText
    else if (isText) at += char === '\\' ? 1 : 0
    else if (char === '{' || char === '[') depth++
    else if (char === '}' || char === ']') depth--
  }
  return depth > MAX_DEPTH
}
