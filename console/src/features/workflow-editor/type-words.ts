import { isObject, readAt, toPlainText, writeAt } from './canvas-json.ts'
import type { Json, JsonObject } from './canvas-json.ts'

/** A canvas's types as one word each: `integer`, `image`, `list:string`. */
const FILE_WORDS = ['file', 'image', 'doc', 'code', 'ppt', 'txt', 'excel', 'audio', 'zip', 'video', 'svg', 'voice']
const PLAIN_WORDS = ['string', 'integer', 'float', 'boolean', 'time', 'object', ...FILE_WORDS]
const TIME = 10_000

/** What may be chosen, plain ones first. */
export const typeWords = [...PLAIN_WORDS, ...PLAIN_WORDS.map((word) => `list:${word}`)]

/** Of anything with `type`, `assistType` and `schema`. A list that does not say of what is `list`. */
export function toTypeWord(typed: Json | undefined): string {
  const type = toPlainText(readAt(typed, 'type'))
  if (type === 'list') {
    const element = readAt(typed, 'schema')
    return isObject(element) ? `list:${toTypeWord(element)}` : 'list'
  }
  const assist = Number(toPlainText(readAt(typed, 'assistType')))
  if (type === 'string' && assist === TIME) return 'time'
  return (type === 'string' ? FILE_WORDS[assist - 1] : undefined) ?? (type === '' ? 'string' : type)
}

/** The same thing as that type. Fields of objects are kept where the new type has some too. */
export function withType(typed: JsonObject, word: string): JsonObject {
  const [outer = '', element] = word.split(':')
  const { type, assistType, schema } = element === undefined ? plainType(outer, readAt(typed, 'schema')) : listType(element, typed)
  return writeAt(writeAt(writeAt(typed, 'type', type), 'assistType', assistType), 'schema', schema)
}

type TypeJson = { type: string; assistType?: number; schema?: Json }

function plainType(word: string, schema: Json | undefined): TypeJson {
  if (word === 'object') return { type: 'object', schema: fieldsIn(schema) }
  if (word === 'list') return { type: 'list' }
  if (word === 'time') return { type: 'string', assistType: TIME }
  const file = FILE_WORDS.indexOf(word)
  return file >= 0 ? { type: 'string', assistType: file + 1 } : { type: word }
}

function listType(element: string, typed: JsonObject): TypeJson {
  const { type, assistType, schema } = plainType(element, readAt(typed, 'schema'))
  return { type: 'list', schema: { type, ...(assistType !== undefined && { assistType }), ...(schema !== undefined && { schema }) } }
}

/** Of an object, or of the objects in a list. */
function fieldsIn(schema: Json | undefined): Json[] {
  if (Array.isArray(schema)) return schema
  const inner = readAt(schema, 'schema')
  return Array.isArray(inner) ? inner : []
}

/** Only what says the type. */
export function typeOf(typed: Json | undefined): JsonObject {
  const parts = ['type', 'assistType', 'schema'].flatMap((name) => {
    const value = readAt(typed, name)
    return value === undefined || value === null ? [] : [[name, value] as const]
  })
  return parts.length === 0 ? { type: 'string' } : Object.fromEntries(parts)
}
