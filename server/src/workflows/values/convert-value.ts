import { stripFileName } from './file-url-name.ts'
import { toText } from './value-text.ts'
import type { Field, ValueType } from './value-type.ts'
import { fieldOf, isValueObject, parseValue } from './value.ts'
import type { Value, ValueObject } from './value.ts'

/** `missing` are the paths of required fields that are not there, not even as null; whether that is an error is the caller's to say. */
export type Conversion = { value: Value; warnings: string[]; missing: string[] }

/**
 * To a declared type, as far as it goes. What cannot be converted becomes null (a list empty), with a warning; a list's
 * elements with a warning are left out, unless they are objects. Null is a value of every type.
 */
export function convertValue(value: Value, type: ValueType): Conversion {
  const notes = createNotes({})
  return { value: convert(value, type, { path: '', notes }), ...summaryOf(notes) }
}

export type FieldConversion = { values: ValueObject; warnings: string[]; missing: string[] }

/** Fields that are not declared pass as they are, or are left out here and in objects with declared fields. */
export function convertFields(values: ValueObject, fields: Field[], options: { dropsUnknown?: boolean } = {}): FieldConversion {
  const notes = createNotes(options)
  return { values: convertEntries(values, fields, { path: '', notes }), ...summaryOf(notes) }
}

/** The names that files have in their URLs, by the URLs that conversion leaves of them. */
export function collectFileNames(values: ValueObject, fields: Field[]): Map<string, string> {
  const notes = createNotes({})
  convertEntries(values, fields, { path: '', notes })
  return notes.fileNames
}

/**
 * The content of a literal: texts are read as what they stand for, lists and objects may be JSON or its text. Throws an
 * Error with the reason when there is nothing that can be read.
 */
export function convertLiteral(content: Value, type?: ValueType): Value {
  if (content === null) throw new Error('a literal needs a value, not null')
  if (!type) return content
  if (type.kind === 'list' || type.kind === 'object') return convertLiteralJson(content, type.kind)
  // a file keeps its name for now: converting the inputs of the node takes it out
  if (type.kind === 'file') return toText(content)

  const { value, warnings } = convertValue(content, type)
  if (warnings.length > 0) throw new Error(`a literal of the type ${type.kind} cannot be ${describe(content)}`)
  return value
}

function convertLiteralJson(content: Value, kind: 'list' | 'object'): Value {
  const value = typeof content === 'string' ? tryParse(content) : content
  const fits = kind === 'list' ? Array.isArray(value) : isValueObject(value)
  if (value === undefined || !fits) throw new Error(`a literal of the type ${kind} must be JSON of that type, not ${describe(content)}`)
  return value
}

function describe(content: Value): string {
  const text = typeof content === 'string' ? JSON.stringify(content) : toText(content)
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}

type Notes = {
  dropsUnknown: boolean
  warnings: string[]
  warningCount: number
  missing: string[]
  fileNames: Map<string, string>
}

const MAX_NOTES = 50

const createNotes = (options: { dropsUnknown?: boolean }): Notes => ({
  ...{ dropsUnknown: options.dropsUnknown ?? false, warnings: [], warningCount: 0, missing: [], fileNames: new Map() },
})

function summaryOf({ warnings, warningCount, missing }: Notes): { warnings: string[]; missing: string[] } {
  const more = warningCount - warnings.length
  return { warnings: more > 0 ? [...warnings, `and ${more} more`] : warnings, missing }
}

type ScalarKind = Exclude<ValueType['kind'], 'object' | 'list' | 'file'>
type Place = { path: string; notes: Notes }

function convert(value: Value, type: ValueType, at: Place): Value {
  if (value === null) return null
  switch (type.kind) {
    case 'object':
      return convertObject(value, type.fields ?? [], at)
    case 'list':
      return convertList(value, type.element, at)
    case 'file':
      return convertFile(toText(value), at)
    default:
      return convertScalar(value, type.kind, at)
  }
}

function convertScalar(value: Value, kind: ScalarKind, at: Place): Value {
  switch (kind) {
    case 'string':
    case 'time':
      return toText(value)
    case 'integer':
      return toInteger(value) ?? refuse('an integer', at)
    case 'number':
      return toNumber(value) ?? refuse('a number', at)
    case 'boolean':
      return toBoolean(value) ?? refuse('a boolean', at)
  }
}

function refuse(wanted: string, { path, notes }: Place): null {
  notes.warningCount++
  if (notes.warnings.length < MAX_NOTES) notes.warnings.push(`${path === '' ? 'the value' : path} is not ${wanted}`)
  return null
}

function convertFile(text: string, { notes }: Place): string {
  const { url, name } = stripFileName(text)
  if (name !== undefined) notes.fileNames.set(url, name)
  return url
}

const MIN_INTEGER = -(2n ** 63n)
const MAX_INTEGER = 2n ** 63n - 1n

function toInteger(value: Value): number | bigint | undefined {
  if (typeof value === 'bigint') return limitInteger(value)
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value + 0 : limitInteger(truncate(value))
  // the zeros apart, so that no more digits are read than an integer can have
  const digits = typeof value === 'string' ? /^([+-]?)0*(\d{1,19})$/.exec(value) : null
  return digits ? limitInteger(BigInt(`${digits[1] === '-' ? '-' : ''}${digits[2]}`)) : undefined
}

const truncate = (value: number): bigint | undefined => (Number.isFinite(value) ? BigInt(Math.trunc(value)) : undefined)

function limitInteger(value: bigint | undefined): number | bigint | undefined {
  if (value === undefined || value < MIN_INTEGER || value > MAX_INTEGER) return undefined
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

const decimal = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/

function toNumber(value: Value): number | undefined {
  const isNumeric = typeof value === 'number' || typeof value === 'bigint' || (typeof value === 'string' && decimal.test(value))
  const number = isNumeric ? Number(value) : NaN
  return Number.isFinite(number) ? number + 0 : undefined
}

const booleans = new Map([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((text): [string, boolean] => [text, true]),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((text): [string, boolean] => [text, false]),
])

function toBoolean(value: Value): boolean | undefined {
  if (typeof value === 'boolean') return value
  return typeof value === 'string' ? booleans.get(value) : undefined
}

function convertObject(value: Value, fields: Field[], at: Place): Value {
  const object = typeof value === 'string' ? tryParse(value) : value
  if (object === null) return null
  if (!isValueObject(object)) return refuse('an object', at)
  return fields.length === 0 ? object : convertEntries(object, fields, at)
}

function convertEntries(values: ValueObject, fields: Field[], { path, notes }: Place): ValueObject {
  const types = new Map(fields.map(({ name, type }) => [name, type]))
  const placeOf = (name: string): Place => ({ path: path === '' ? name : `${path}.${name}`, notes })

  for (const { name, required } of fields)
    if (required && fieldOf(values, name) === undefined && notes.missing.length < MAX_NOTES) notes.missing.push(placeOf(name).path)

  const entries = Object.entries(values).filter(([name]) => !notes.dropsUnknown || types.has(name))
  return Object.fromEntries(
    entries.map(([name, value]) => {
      const type = types.get(name)
      return [name, type ? convert(value, type, placeOf(name)) : value]
    }),
  )
}

function convertList(value: Value, element: ValueType | undefined, at: Place): Value {
  const list = typeof value === 'string' ? tryParse(value) : value
  if (list === null) return null
  if (!Array.isArray(list)) {
    refuse('a list', at)
    return []
  }
  return element ? convertElements(list, element, at) : list
}

function convertElements(list: Value[], element: ValueType, { path, notes }: Place): Value[] {
  const converted: Value[] = []
  for (const [index, each] of list.entries()) {
    const before = notes.warningCount
    const value = convert(each, element, { path: `${path}[${index}]`, notes })
    if (notes.warningCount === before || element.kind === 'object') converted.push(value)
  }
  return converted
}

/** Undefined for what is no JSON. */
function tryParse(text: string): Value | undefined {
  try {
    return parseValue(text)
  } catch {
    return undefined
  }
}
