import { NodeError, nodeErrors } from '../engine/node-error.ts'
import { convertValue } from '../values/convert-value.ts'
import { toText } from '../values/value-text.ts'
import type { Value } from '../values/value.ts'
import type { FieldType, TableColumn } from './user-table.ts'

/** As both databases take it: integers are bigint, so that they are exact, booleans are 0 and 1, times are UTC texts. */
export type BoundValue = string | number | bigint | null

/** What a field keeps of a value. Throws a NodeError when it is none of the field's type. */
export function toStored({ name, type, isRequired }: TableColumn, value: Value): BoundValue {
  const isEmpty = value === null || (value === '' && type !== 'text')
  if (isEmpty && isRequired) throw new NodeError(nodeErrors.executionFailed, `the field ${name} is required: it cannot be empty`)
  if (isEmpty) return null

  const stored = toBound(value, type)
  if (stored === undefined)
    throw new NodeError(nodeErrors.executionFailed, `the field ${name} takes ${wanted[type]}, not ${describe(value)}`)
  return stored
}

const wanted: Record<FieldType, string> = {
  text: 'a text',
  integer: 'a whole number of at most 64 bits',
  float: 'a number',
  boolean: 'true or false',
  time: 'a time such as 2026-01-31 18:30:00',
}

/** As a value of that type; undefined when it is none. */
export function toBound(value: Value, type: FieldType): BoundValue | undefined {
  if (value === null) return null
  switch (type) {
    case 'text':
      return toText(value)
    case 'time':
      return toTime(value)
    case 'boolean':
      return toBit(value)
    case 'integer':
    case 'float':
      return toNumber(value, type)
  }
}

function toNumber(value: Value, type: 'integer' | 'float'): BoundValue | undefined {
  const trimmed = typeof value === 'string' ? value.trim() : value
  const { value: number } = convertValue(trimmed, { kind: type === 'integer' ? 'integer' : 'number' })
  if (typeof number !== 'number' && typeof number !== 'bigint') return undefined
  return type === 'integer' ? BigInt(number) : Number(number)
}

function toBit(value: Value): bigint | undefined {
  const { value: boolean } = convertValue(typeof value === 'number' || typeof value === 'bigint' ? String(value) : value, {
    kind: 'boolean',
  })
  return typeof boolean === 'boolean' ? BigInt(boolean) : undefined
}

const timePattern = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?)?$/i

/** A date or time as people and programs write it, to `YYYY-MM-DD HH:MM:SS` in UTC; one without a zone is in UTC already. */
function toTime(value: Value): string | undefined {
  const match = typeof value === 'string' ? timePattern.exec(value.trim()) : null
  if (!match) return undefined
  const [, date = '', minutes = '00:00', seconds = '00', zone = 'Z'] = match
  const digits = zone.replace(':', '')
  const iso = `${date}T${minutes}:${seconds}${digits.length === 5 ? `${digits.slice(0, 3)}:${digits.slice(3)}` : 'Z'}`
  const ms = Date.parse(iso)
  // 31 February is rolled over by some parsers: the date must come back as it was
  if (Number.isNaN(ms) || !isSameDay(date)) return undefined
  return printTime(ms)
}

const isSameDay = (date: string): boolean => new Date(`${date}T00:00:00Z`).toISOString().startsWith(date)

export const printTime = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace('T', ' ')

/** What a database gave for a column; `unknown` for what SQL has computed. */
export function fromStored(raw: unknown, type: FieldType | 'unknown'): Value {
  const value = parseRaw(raw)
  if (value === null) return null
  switch (type) {
    case 'boolean':
      return Number(value) !== 0
    case 'integer':
    case 'float':
      return convertValue(value, { kind: type === 'integer' ? 'integer' : 'number' }).value
    case 'text':
    case 'time':
      return toText(value)
    case 'unknown':
      return value
  }
}

/** @NOTE what MySQL computes from binary text comes as bytes */
function parseRaw(raw: unknown): string | number | null {
  if (raw === null || raw === undefined) return null
  if (typeof raw === 'string' || typeof raw === 'number') return raw
  if (raw instanceof Uint8Array) return Buffer.from(raw).toString('utf8')
  throw new TypeError(`a database does not give a ${typeof raw} for a column`)
}

function describe(value: Value): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : toText(value)
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}
