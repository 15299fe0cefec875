import type { OperationAnswer } from '../../tools/server-operation.ts'
import { parseValue } from '../values/value.ts'
import type { Value } from '../values/value.ts'

/** Its JSON; nothing is an object without fields, and any other text is the field `output` of one. */
export function parseAnswer({ text, isJson }: OperationAnswer): Value {
  if (text.trim() === '') return {}
  // plenty of servers call their JSON text; a number or a word is not meant as JSON there
  if (!isJson && !/^\s*[[{]/.test(text)) return { output: text }
  try {
    return parseValue(text)
  } catch {
    return { output: text }
  }
}
