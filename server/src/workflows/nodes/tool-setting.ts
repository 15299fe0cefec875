import { isRecord } from '../../lib/json-schema.ts'
import type { JsonSchema } from '../../lib/json-schema.ts'
import { fieldOf, isValueObject, parseValue } from '../values/value.ts'
import type { Value, ValueObject } from '../values/value.ts'

/** What the builder decided about a model's tool (`fc_setting`): parameters it does not see, values for them, results it does not get. */
export type ToolSetting = { request: ParamSetting[]; response: ParamSetting[] }

export type ParamSetting = {
  name: string
  isHidden: boolean
  /** Stands in where the model gives nothing. */
  default?: Value
  fields: ParamSetting[]
}

export function parseToolSetting(raw: unknown): ToolSetting {
  if (!isRecord(raw)) return { request: [], response: [] }
  return { request: parseParams(raw.request_params), response: parseParams(raw.response_params) }
}

function parseParams(raw: unknown): ParamSetting[] {
  const params = Array.isArray(raw) ? raw.filter(isRecord) : []
  return params.map((param) => ({
    name: String(param.name),
    isHidden: param.local_disable === true || param.global_disable === true,
    default: parseDefault(param.local_default),
    fields: parseElement(param.sub_parameters),
  }))
}

function parseDefault(raw: unknown): Value | undefined {
  return raw === null || raw === '' ? undefined : (raw as Value | undefined)
}

/** A list has one parameter, which describes its elements. */
function parseElement(raw: unknown): ParamSetting[] {
  const params = parseParams(raw)
  const [only] = params
  return params.length === 1 && only?.name === ARRAY_ITEM ? only.fields : params
}

const ARRAY_ITEM = '[Array Item]'

/** The arguments as the model is to see them: hidden ones are gone, those with a default may be left out. */
export function visibleSchema(schema: JsonSchema, params: ParamSetting[]): JsonSchema {
  if (params.length === 0) return schema
  if (isRecord(schema.items)) return { ...schema, items: visibleSchema(schema.items, params) }
  if (!isRecord(schema.properties)) return schema

  const settings = new Map(params.map((param) => [param.name, param]))
  const properties = Object.entries(schema.properties).filter(([name]) => settings.get(name)?.isHidden !== true)
  const required = Array.isArray(schema.required) ? schema.required.map(String) : []
  return {
    ...schema,
    properties: Object.fromEntries(
      properties.map(([name, property]) => [name, isRecord(property) ? visibleProperty(property, settings.get(name)) : property]),
    ),
    required: required.filter((name) => !settings.get(name)?.isHidden && settings.get(name)?.default === undefined),
  }
}

function visibleProperty(property: JsonSchema, param: ParamSetting | undefined): JsonSchema {
  if (!param) return property
  const visible = visibleSchema(property, param.fields)
  const value = param.default === undefined ? undefined : readDefault(param.default, property)
  const isPlain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  return isPlain ? { ...visible, default: value } : visible
}

/** Completes what the model gave; what is hidden from it, it cannot give. `schema` is the whole one. */
export function withDefaults(args: ValueObject, schema: JsonSchema, params: ParamSetting[]): ValueObject {
  const complete = { ...args }
  for (const param of params) {
    const property = propertyOf(schema, param.name)
    const value = completeValue(param.isHidden ? undefined : fieldOf(args, param.name), property, param)
    if (value === undefined) Reflect.deleteProperty(complete, param.name)
    else Object.defineProperty(complete, param.name, { value, enumerable: true, configurable: true, writable: true })
  }
  return complete
}

function completeValue(given: Value | undefined, property: JsonSchema, param: ParamSetting): Value | undefined {
  const value = given ?? (param.default === undefined ? given : readDefault(param.default, property))
  if (param.fields.length === 0) return value

  const { items } = property
  if (Array.isArray(value) && isRecord(items))
    return value.map((each) => (isValueObject(each) ? withDefaults(each, items, param.fields) : each))
  if (isValueObject(value)) return withDefaults(value, property, param.fields)
  if (value !== undefined || property.type !== 'object') return value
  const object = withDefaults({}, property, param.fields)
  return Object.keys(object).length > 0 ? object : undefined
}

function propertyOf(schema: JsonSchema, name: string): JsonSchema {
  const properties = isRecord(schema.properties) ? schema.properties : {}
  const property = Object.hasOwn(properties, name) ? properties[name] : undefined
  return isRecord(property) ? property : {}
}

/** The canvas has it as text, whatever its type. */
function readDefault(value: Value, property: JsonSchema): Value {
  if (typeof value !== 'string' || property.type === 'string' || property.type === undefined) return value
  try {
    return parseValue(value)
  } catch {
    return value
  }
}

/** A result without the fields that the model is not to get. */
export function visibleResult(value: Value, params: ParamSetting[]): Value {
  if (params.length === 0) return value
  if (Array.isArray(value)) return value.map((each) => visibleResult(each, params))
  if (!isValueObject(value)) return value

  const settings = new Map(params.map((param) => [param.name, param]))
  const entries = Object.entries(value).filter(([name]) => settings.get(name)?.isHidden !== true)
  return Object.fromEntries(entries.map(([name, each]) => [name, visibleResult(each, settings.get(name)?.fields ?? [])]))
}
