import type { Field, ValueType } from './value-type.ts'
import { fieldOf, isValueObject } from './value.ts'
import type { Value, ValueObject } from './value.ts'

/** What stands for a value that is not there. */
export function zeroOf(type: ValueType): Value {
  switch (type.kind) {
    case 'integer':
    case 'number':
      return 0
    case 'boolean':
      return false
    case 'object':
    case 'list':
      return null
    default:
      return ''
  }
}

/**
 * For inputs: what is missing or null gets the zero of its type, an object with declared fields that is missing gets them as
 * null. Inside of objects all becomes null that is missing. Without a declared type, null stands for what is missing.
 */
export function fillZeros(values: ValueObject, fields: { name: string; type?: ValueType }[]): ValueObject {
  const entries = fields.map(({ name, type }): [string, Value] => [name, fillInput(fieldOf(values, name), type)])
  return withEntries(values, entries)
}

/** For outputs: what is missing becomes null. `missing` are the paths of those that are required, null by now as well. */
export function fillNulls(values: ValueObject, fields: Field[]): { values: ValueObject; missing: string[] } {
  const missing: string[] = []
  return { values: fillFields(values, fields, { path: '', missing, zerosInLists: false }), missing }
}

function fillInput(value: Value | undefined, type: ValueType | undefined): Value {
  if (!type) return value ?? null
  if (value === undefined) return type.kind === 'object' && type.fields?.length ? fillFields({}, type.fields, inputs) : zeroOf(type)
  return value === null ? zeroOf(type) : fillInside(value, type, inputs)
}

type Filling = {
  path: string
  /** Takes the paths of required fields; without it nobody wants to know. */
  missing?: string[]
  /** Whether null in a list becomes the zero of its type. */
  zerosInLists: boolean
}

const inputs: Filling = { path: '', zerosInLists: true }

function fillFields(values: ValueObject, fields: Field[], filling: Filling): ValueObject {
  const entries = fields.map((field): [string, Value] => {
    const path = filling.path === '' ? field.name : `${filling.path}.${field.name}`
    return [field.name, fillField(fieldOf(values, field.name), field, { ...filling, path })]
  })
  return withEntries(values, entries)
}

function fillField(value: Value | undefined, { type, required }: Field, filling: Filling): Value {
  if (value !== undefined) return fillInside(value, type, filling)
  if (required) filling.missing?.push(filling.path)
  // the fields of an object that may be missing are not missed
  return type.kind === 'object' && type.fields?.length ? fillFields({}, type.fields, { ...filling, missing: undefined }) : null
}

function fillInside(value: Value, type: ValueType, filling: Filling): Value {
  if (type.kind === 'object' && type.fields && isValueObject(value)) return fillFields(value, type.fields, filling)
  if (type.kind !== 'list' || !type.element || !Array.isArray(value)) return value

  const { element } = type
  return value.map((each, index) => {
    if (each === null) return filling.zerosInLists ? zeroOf(element) : null
    return fillInside(each, element, { ...filling, path: `${filling.path}[${index}]` })
  })
}

const withEntries = (values: ValueObject, entries: [string, Value][]): ValueObject =>
  Object.fromEntries([...Object.entries(values), ...entries])
