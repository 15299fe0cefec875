import type { JsonSchema } from '../../lib/json-schema.ts'
import type { Field, ValueType } from '../values/value-type.ts'

/** Declared fields as the JSON Schema of an object, to show to a model. */
export function toObjectSchema(fields: Field[]): JsonSchema {
  const required = fields.filter((field) => field.required).map((field) => field.name)
  return {
    type: 'object',
    properties: Object.fromEntries(fields.map((field) => [field.name, toFieldSchema(field)])),
    ...(required.length > 0 && { required }),
  }
}

function toFieldSchema({ type, description }: Field): JsonSchema {
  return { ...toSchema(type), ...(description !== '' && { description }) }
}

function toSchema(type: ValueType): JsonSchema {
  switch (type.kind) {
    case 'object':
      return type.fields ? toObjectSchema(type.fields) : { type: 'object' }
    case 'list':
      return type.element ? { type: 'array', items: toSchema(type.element) } : { type: 'array' }
    case 'file':
      return { type: 'string', format: 'uri' }
    case 'time':
    case 'string':
      return { type: 'string' }
    default:
      return { type: type.kind }
  }
}
