import { isRecord } from '../../lib/json-schema.ts'
import type { JsonSchema } from '../../lib/json-schema.ts'
import type { ServerOperation } from '../../tools/server-operation.ts'
import { toText } from '../values/value-text.ts'
import { fieldOf, isValueObject, parseValue } from '../values/value.ts'
import type { Value, ValueObject } from '../values/value.ts'

/**
 * Canvases know no places: what goes into path, query and the fields of the body is one list of arguments. An operation has its body
 * as one argument; here it is as canvases see it.
 */
export function toFlatSchema(operation: ServerOperation): JsonSchema {
  const body = bodySchemaOf(operation)
  const { body: _body, ...parameters } = propertiesOf(operation.parameters)
  if (!body || !isRecord(body.properties)) return operation.parameters

  const required = requiredOf(operation.parameters)
  const names = [...required.filter((name) => name !== 'body'), ...(required.includes('body') ? requiredOf(body) : [])]
  return { type: 'object', properties: { ...body.properties, ...parameters }, ...(names.length > 0 && { required: [...new Set(names)] }) }
}

/** The required arguments that are not there. */
export function findMissing(operation: ServerOperation, given: ValueObject): string[] {
  const isWhole = isValueObject(fieldOf(given, 'body'))
  const required = requiredOf(bodySchemaOf(operation) && isWhole ? operation.parameters : toFlatSchema(operation))
  // a body without declared fields is made of what is given
  return required.filter((name) => (fieldOf(given, name) ?? null) === null && !(name === 'body' && bodySchemaOf(operation)))
}

/**
 * As the operation takes them. Null is what is not given. A value becomes what the schema asks for where that changes only how it is
 * written, as `"5"` for 5; whether the rest fits is the server's to say.
 */
export function toArguments(operation: ServerOperation, given: ValueObject): Record<string, unknown> {
  const values = Object.entries(given).filter(([, value]) => value !== null)
  const args = fitAll(values, propertiesOf(operation.parameters))
  if (!operation.hasBody) return mapValues(args, (digits) => JSON.rawJSON(digits))

  const body = toBody(operation, values, fieldOf(args, 'body'))
  const outside = mapValues(args, String)
  return body === undefined ? outside : { ...outside, body: mapBigints(body, (digits) => JSON.rawJSON(digits)) }
}

/** A value that both a parameter and the body know goes to both. */
function toBody(operation: ServerOperation, values: [string, Value][], whole: Value | undefined): Value | undefined {
  const schema = bodySchemaOf(operation)
  const fields = propertiesOf(schema)
  if (!schema || (isValueObject(whole) && !Object.hasOwn(fields, 'body'))) return whole

  const parameters = propertiesOf(operation.parameters)
  const isInBody = (name: string) => Object.hasOwn(fields, name) || name === 'body' || !Object.hasOwn(parameters, name)
  const body = fitAll(
    values.filter(([name]) => isInBody(name)),
    fields,
  )
  return Object.keys(body).length > 0 || requiredOf(operation.parameters).includes('body') ? body : undefined
}

/** Of a body whose fields are arguments: that it is an object is known, or at least not excluded. */
function bodySchemaOf({ parameters, hasBody }: ServerOperation): JsonSchema | undefined {
  const schema = hasBody ? propertiesOf(parameters).body : undefined
  if (!isRecord(schema)) return undefined
  return schema.type === undefined || [schema.type].flat().includes('object') ? schema : undefined
}

const propertiesOf = (schema: JsonSchema | undefined): Record<string, unknown> => (isRecord(schema?.properties) ? schema.properties : {})
const requiredOf = (schema: JsonSchema): string[] => (Array.isArray(schema.required) ? schema.required.map(String) : [])

function fitAll(values: [string, Value][], schemas: Record<string, unknown>): ValueObject {
  return Object.fromEntries(values.map(([name, value]) => [name, fit(Object.hasOwn(schemas, name) ? schemas[name] : {}, value)]))
}

function fit(schema: unknown, value: Value): Value {
  const types: unknown[] = isRecord(schema) && schema.type !== undefined ? [schema.type].flat() : []
  if (types.length === 0 || hasType(value, types)) return value
  if (typeof value === 'string') {
    const parsed = tryParse(value)
    return parsed !== undefined && hasType(parsed, types) ? parsed : value
  }
  return types.includes('string') && typeof value !== 'object' ? toText(value) : value
}

function hasType(value: Value, types: unknown[]): boolean {
  if (value === null) return types.includes('null')
  if (Array.isArray(value)) return types.includes('array')
  if (typeof value === 'number' || typeof value === 'bigint') return types.includes('number') || types.includes('integer')
  return types.includes(typeof value)
}

function tryParse(text: string): Value | undefined {
  try {
    return parseValue(text)
  } catch {
    return undefined
  }
}

const mapValues = (values: ValueObject, write: (digits: string) => unknown): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, mapBigints(value, write)]))

/** JSON of integers that JavaScript would round. */
function mapBigints(value: Value, write: (digits: string) => unknown): unknown {
  if (typeof value === 'bigint') return write(value.toString())
  if (Array.isArray(value)) return value.map((each) => mapBigints(each, write))
  return isValueObject(value) ? mapValues(value, write) : value
}
