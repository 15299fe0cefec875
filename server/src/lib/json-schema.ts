/**
 * The part of JSON Schema that is checked where a schema comes from outside (a tool's parameters) and where a model's arguments are
 * held against it. It is no validator: what it does not know it lets pass.
 */
export type JsonSchema = Record<string, unknown>

/** What makes this unusable as the schema of an object with arguments; undefined when it can be shown to a model. */
export function findSchemaProblem(schema: unknown): string | undefined {
  if (!isRecord(schema)) return 'the schema must be an object'
  if (schema.type !== undefined && schema.type !== 'object') return 'the schema must have the type object'
  return findProblem(schema, 'schema', 0)
}

/** Where the value is not what the schema says, in words for the one who wrote it; undefined when it fits. */
export function findValueProblem(schema: unknown, value: unknown, path: string): string | undefined {
  if (!isRecord(schema)) return undefined

  const types = [schema.type].flat().filter((type) => typeof type === 'string')
  if (types.length > 0 && !types.some((type) => hasType(value, type))) return `${path} must be ${types.join(' or ')}, not ${nameOf(value)}`
  if (Array.isArray(schema.enum) && !schema.enum.some((each) => isSame(each, value)))
    return `${path} must be one of ${JSON.stringify(schema.enum).slice(0, 500)}`
  if (Array.isArray(value)) return firstOf(value, (item, at) => findValueProblem(schema.items, item, `${path}[${at}]`))
  return isRecord(value) ? findPropertyProblem(schema, value, path) : undefined
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const TYPES = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null']
const MAX_DEPTH = 40

function findProblem(schema: unknown, path: string, depth: number): string | undefined {
  if (typeof schema === 'boolean') return undefined
  if (!isRecord(schema)) return `${path} must be a schema, not ${nameOf(schema)}`
  if (depth > MAX_DEPTH) return `${path} is nested too deeply`
  return findKeywordProblem(schema, path) ?? firstOf(partsOf(schema, path), ([part, at]) => findProblem(part, at, depth + 1))
}

function findKeywordProblem(schema: JsonSchema, path: string): string | undefined {
  const wrong = Object.entries(shapes).find(([key, { fits }]) => schema[key] !== undefined && !fits(schema[key]))
  return wrong && `${path}.${wrong[0]} must be ${wrong[1].wanted}`
}

const isTypeName = (type: unknown) => typeof type === 'string' && TYPES.includes(type)
const isFilledList = (value: unknown): value is unknown[] => Array.isArray(value) && value.length > 0
const isText = (value: unknown) => typeof value === 'string'

const schemas = { wanted: 'an object of schemas', fits: isRecord }
const schemaList = { wanted: 'a list of schemas', fits: isFilledList }
const shapes: Record<string, { wanted: string; fits: (value: unknown) => boolean }> = {
  type: { wanted: `one of ${TYPES.join(', ')}`, fits: (type) => (isFilledList(type) ? type.every(isTypeName) : isTypeName(type)) },
  required: { wanted: 'a list of names', fits: (names) => Array.isArray(names) && names.every(isText) },
  enum: { wanted: 'a list of values', fits: isFilledList },
  $ref: { wanted: 'a place within the schema, such as #/$defs/name', fits: (ref) => typeof ref === 'string' && ref.startsWith('#') },
  ...{ properties: schemas, patternProperties: schemas, $defs: schemas, definitions: schemas },
  ...{ anyOf: schemaList, oneOf: schemaList, allOf: schemaList },
}

/** The schemas within a schema and where they are. */
function partsOf(schema: JsonSchema, path: string): [unknown, string][] {
  const single = ['items', 'additionalProperties', 'not'].filter((key) => schema[key] !== undefined && !Array.isArray(schema[key]))
  const maps = ['properties', 'patternProperties', '$defs', 'definitions']
  const lists = ['anyOf', 'oneOf', 'allOf', 'prefixItems', 'items']
  return [
    ...single.map((key): [unknown, string] => [schema[key], `${path}.${key}`]),
    ...maps.flatMap((key) => Object.entries(schema[key] ?? {}).map(([name, part]): [unknown, string] => [part, `${path}.${key}.${name}`])),
    ...lists.flatMap((key) => {
      const list = schema[key]
      return Array.isArray(list) ? list.map((part: unknown, at): [unknown, string] => [part, `${path}.${key}[${at}]`]) : []
    }),
  ]
}

function findPropertyProblem(schema: JsonSchema, value: Record<string, unknown>, path: string): string | undefined {
  const required = Array.isArray(schema.required) ? schema.required.map(String) : []
  const missing = required.filter((name) => !Object.hasOwn(value, name))
  if (missing.length > 0) return `${path} lacks ${missing.join(', ')}`
  if (!isRecord(schema.properties)) return undefined

  const { properties } = schema
  return firstOf(Object.entries(value), ([name, each]) => {
    // models write null for what they leave out
    if (!Object.hasOwn(properties, name) || (each === null && !required.includes(name))) return undefined
    return findValueProblem(properties[name], each, `${path}.${name}`)
  })
}

const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other)

function hasType(value: unknown, type: string): boolean {
  if (type === 'integer') return Number.isInteger(value)
  return nameOf(value) === type || !TYPES.includes(type)
}

function nameOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

function firstOf<T>(items: T[], find: (item: T, at: number) => string | undefined): string | undefined {
  for (const [at, item] of items.entries()) {
    const found = find(item, at)
    if (found !== undefined) return found
  }
  return undefined
}
