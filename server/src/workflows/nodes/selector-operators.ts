import { NodeError, nodeErrors } from '../engine/node-error.ts'
import { printPart } from '../values/template.ts'
import type { ValueType } from '../values/value-type.ts'
import { isValueObject } from '../values/value.ts'
import type { Value } from '../values/value.ts'

/** One side of a comparison. What is not there is null. */
export type Operand = { value: Value; type?: ValueType }

export type Operator = {
  /** It looks at the left side only; the right one must be null. */
  isUnary: boolean
  /** Throws a NodeError for operands that cannot be compared. */
  holds(left: Operand, right: Operand): boolean
}

/** By its number in canvases. */
export const findOperator = (code: number): Operator | undefined => operators.get(code)

const binary = (holds: Operator['holds']): Operator => ({ isUnary: false, holds })
const not =
  (holds: Operator['holds']): Operator['holds'] =>
  (left, right) =>
    !holds(left, right)

function unary(holds: (left: Value) => boolean): Operator {
  return {
    isUnary: true,
    holds(left, right) {
      if (right.value !== null) throw refuse('this operator takes nothing on the right side', right)
      return holds(left.value)
    },
  }
}

const ordering = (fits: (order: number) => boolean) => binary((left, right) => fits(compare(left, right)))

/** `ofNull`: what holds for null on the left. */
function length(fits: (length: number, limit: number | bigint) => boolean, ofNull: (limit: number | bigint) => boolean): Operator {
  return binary((left, right) => {
    const limit = requireInteger(right)
    return left.value === null ? ofNull(limit) : fits(lengthOf(left), limit)
  })
}

const operators = new Map<number, Operator>([
  [1, binary(isEqual)],
  [2, binary(not(isEqual))],
  [
    3,
    length(
      (size, limit) => size > limit,
      () => false,
    ),
  ],
  [
    4,
    length(
      (size, limit) => size >= limit,
      (limit) => Number(limit) === 0,
    ),
  ],
  [
    5,
    length(
      (size, limit) => size < limit,
      (limit) => Number(limit) !== 0,
    ),
  ],
  [
    6,
    length(
      (size, limit) => size <= limit,
      () => true,
    ),
  ],
  [7, binary((left, right) => left.value !== null && contains(left, right))],
  [8, binary((left, right) => left.value !== null && !contains(left, right))],
  [9, unary(isEmpty)],
  [10, unary((value) => !isEmpty(value))],
  [11, unary((value) => requireBoolean(value) ?? false)],
  [12, unary((value) => !(requireBoolean(value) ?? false))],
  [13, ordering((order) => order > 0)],
  [14, ordering((order) => order >= 0)],
  [15, ordering((order) => order < 0)],
  [16, ordering((order) => order <= 0)],
])

type Kind = 'null' | 'string' | 'integer' | 'number' | 'boolean' | 'list' | 'object'

function kindOf({ value, type }: Operand): Kind {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'list'
  if (isValueObject(value)) return 'object'
  if (typeof value === 'string') return 'string'
  return typeof value === 'boolean' ? 'boolean' : numberKindOf(value, type)
}

/** @NOTE 3 as an integer and 3 as a number are different things here: the declared type tells them apart, where there is one */
function numberKindOf(value: number | bigint, type: ValueType | undefined): Kind {
  if (type?.kind === 'integer' || type?.kind === 'number') return type.kind
  return typeof value === 'bigint' || Number.isInteger(value) ? 'integer' : 'number'
}

function isEqual(left: Operand, right: Operand): boolean {
  const kind = kindOf(left)
  if (kind === 'list' || kind === 'object') throw refuse('lists and objects cannot be compared', left)
  if (left.value === null || right.value === null) return left.value === right.value
  if (kind !== 'string' && kind !== kindOf(right)) throw refuse(`${describe(left)} can only be compared with another ${kind}`, right)
  return left.value === right.value
}

/** Null comes before all numbers. */
function compare(left: Operand, right: Operand): number {
  for (const side of [left, right])
    if (!['null', 'integer', 'number'].includes(kindOf(side))) throw refuse('only numbers have an order', side)

  if (left.value === null || right.value === null) return Number(left.value !== null) - Number(right.value !== null)
  return Number(left.value > right.value) - Number(left.value < right.value)
}

function lengthOf(operand: Operand): number {
  const { value } = operand
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (Array.isArray(value)) return value.length
  throw refuse('only texts and lists have a length', operand)
}

function requireInteger(operand: Operand): number | bigint {
  const { value } = operand
  if ((typeof value === 'number' || typeof value === 'bigint') && kindOf(operand) === 'integer') return value
  throw refuse('a length can only be compared with an integer', operand)
}

/** A text in a text, an element in a list, the name of a field in an object. */
function contains(left: Operand, right: Operand): boolean {
  const { value } = left
  if (Array.isArray(value)) return hasElement(value, left.type, right)
  if (typeof value !== 'string' && !isValueObject(value)) throw refuse('only texts, lists and objects contain anything', left)
  if (typeof right.value !== 'string') throw refuse(`${describe(left)} can only contain a text`, right)
  return typeof value === 'string' ? value.includes(right.value) : Object.hasOwn(value, right.value)
}

function hasElement(list: Value[], type: ValueType | undefined, wanted: Operand): boolean {
  const kind = kindOf(wanted)
  if (kind === 'list' || kind === 'object') throw refuse('lists and objects cannot be compared with the elements of a list', wanted)
  const element = type?.kind === 'list' ? type.element : undefined
  return list.some((value) => value === wanted.value && kindOf({ value, type: element }) === kind)
}

function isEmpty(value: Value): boolean {
  if (Array.isArray(value)) return value.length === 0
  if (isValueObject(value)) return Object.keys(value).length === 0
  return value === 'None' || !value
}

function requireBoolean(value: Value): boolean | null {
  if (value === null || typeof value === 'boolean') return value
  throw refuse('only a boolean is true or false', { value })
}

const refuse = (reason: string, wrong: Operand): NodeError =>
  new NodeError(nodeErrors.executionFailed, `the condition cannot be decided: ${reason}; this is ${describe(wrong)}`)

function describe(operand: Operand): string {
  const kind = kindOf(operand)
  if (kind === 'null') return 'null'
  return `${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}: ${printPart(operand.value).slice(0, 50)}`
}
