import { isRecord } from '../lib/json-schema.ts'
import type { JsonSchema } from '../lib/json-schema.ts'

/** The value, or what its `$ref` leads to within the document; undefined when that is nowhere. Siblings of a `$ref` come with it. */
export function followRef(document: JsonSchema, value: unknown): Record<string, unknown> | undefined {
  let at = value
  for (let hops = 0; hops < MAX_HOPS; hops++) {
    if (!isRecord(at)) return undefined
    if (typeof at.$ref !== 'string') return at
    const { $ref, ...siblings } = at
    const target = findTarget(document, $ref)
    at = isRecord(target) ? { ...target, ...siblings } : undefined
  }
  return undefined
}

/** Every `$ref` that does not lead to a place in the document. */
export function findBrokenRefs(document: JsonSchema): string[] {
  const broken = new Set<string>()
  const walk = (value: unknown, depth: number): void => {
    if (typeof value !== 'object' || value === null) return
    if (depth > MAX_DOCUMENT_DEPTH) return void broken.add('the document is nested too deeply')
    if (Array.isArray(value)) return value.forEach((each) => walk(each, depth + 1))
    if (!isRecord(value)) return
    const { $ref } = value
    if (typeof $ref === 'string' && !$ref.startsWith('#'))
      broken.add(`${$ref.slice(0, 200)}: references are followed within the document only`)
    else if (typeof $ref === 'string' && findTarget(document, $ref) === undefined) broken.add(`${$ref.slice(0, 200)} leads nowhere`)
    for (const [key, each] of Object.entries(value)) if (!isData(key)) walk(each, depth + 1)
  }
  walk(document, 0)
  return [...broken]
}

/**
 * The schema in one piece, as models take it: references are put in place, and one that leads back to itself ends in "anything".
 * Keywords that say nothing about arguments are left out, and so is what only answers have (`readOnly`).
 */
export function inlineSchema(document: JsonSchema, schema: unknown): JsonSchema {
  // @NOTE a chain of schemas that each name the next one twice doubles with every step: the whole has a limit, not only its depth
  return inline({ document, budget: { left: MAX_CHARACTERS }, within: [], depth: 0 }, schema)
}

const MAX_HOPS = 20
const MAX_CHARACTERS = 50_000
const MAX_DEPTH = 20
const MAX_DOCUMENT_DEPTH = 200

/** Below these is anything, not schemas. */
const isData = (key: string) => ['example', 'examples', 'default', 'enum', 'const'].includes(key) || key.startsWith('x-')

type Inlining = { document: JsonSchema; budget: { left: number }; within: string[]; depth: number }

function inline(work: Inlining, schema: unknown): JsonSchema {
  if (schema === false) return { not: {} }
  if (!isRecord(schema) || work.depth > MAX_DEPTH || work.budget.left <= 0) return {}

  const { $ref } = schema
  if (typeof $ref === 'string' && work.within.includes($ref)) return { description: 'the same again' }
  const resolved = followRef(work.document, schema) ?? {}
  const plain = copyPlain(resolved)
  work.budget.left -= JSON.stringify([plain, Object.keys(resolved.properties ?? {})]).length
  const within = typeof $ref === 'string' ? [...work.within, $ref] : work.within
  return { ...plain, ...inlineParts({ ...work, within, depth: work.depth + 1 }, resolved) }
}

const PLAIN = [
  ...['type', 'format', 'title', 'description', 'enum', 'const', 'default', 'required', 'pattern', 'minLength', 'maxLength'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minItems', 'maxItems', 'uniqueItems'],
  ...['minProperties', 'maxProperties'],
]

function copyPlain(schema: JsonSchema): JsonSchema {
  const copy = Object.fromEntries(PLAIN.filter((key) => schema[key] !== undefined).map((key) => [key, schema[key]]))
  return { ...copy, ...translateOld(schema) }
}

/** What OpenAPI 3.0 says in words of its own; undefined takes a keyword away. */
function translateOld(schema: JsonSchema): JsonSchema {
  const words: JsonSchema = {}
  const { nullable, type, enum: values } = schema
  if (nullable === true && typeof type === 'string') words.type = [type, 'null']
  if (nullable === true && Array.isArray(values)) words.enum = [...new Set<unknown>(values).add(null)]
  if (typeof schema.exclusiveMinimum === 'boolean') words.exclusiveMinimum = schema.exclusiveMinimum ? schema.minimum : undefined
  if (typeof schema.exclusiveMaximum === 'boolean') words.exclusiveMaximum = schema.exclusiveMaximum ? schema.maximum : undefined
  return words
}

function inlineParts(work: Inlining, schema: JsonSchema): JsonSchema {
  const parts: JsonSchema = {}
  for (const key of ['anyOf', 'oneOf', 'allOf', 'prefixItems']) {
    const list = schema[key]
    if (Array.isArray(list) && list.length > 0) parts[key] = list.map((part: unknown) => inline(work, part))
  }
  for (const key of ['items', 'not']) if (schema[key] !== undefined) parts[key] = inline(work, schema[key])
  const { additionalProperties } = schema
  if (additionalProperties !== undefined)
    parts.additionalProperties = typeof additionalProperties === 'boolean' ? additionalProperties : inline(work, additionalProperties)

  if (!isRecord(schema.properties)) return parts
  const writable = Object.entries(schema.properties).filter(([, part]) => followRef(work.document, part)?.readOnly !== true)
  parts.properties = Object.fromEntries(writable.map(([name, part]) => [name, inline(work, part)]))
  if (Array.isArray(schema.required)) {
    const hidden = Object.keys(schema.properties).filter((name) => !writable.some(([kept]) => kept === name))
    parts.required = schema.required.filter((name) => !hidden.includes(String(name)))
  }
  return parts
}

function findTarget(document: JsonSchema, ref: string): unknown {
  if (!ref.startsWith('#')) return undefined
  const steps = ref.slice(1).split('/').slice(1)
  return steps.reduce<unknown>((at, step) => {
    const key = decode(step).replaceAll('~1', '/').replaceAll('~0', '~')
    if (Array.isArray(at)) return at.find((_each, index) => String(index) === key)
    return isRecord(at) && Object.hasOwn(at, key) ? at[key] : undefined
  }, document)
}

function decode(step: string): string {
  try {
    return decodeURIComponent(step)
  } catch {
    return step
  }
}
