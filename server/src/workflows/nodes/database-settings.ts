import { isRecord } from '../../lib/json-schema.ts'
import type { CanvasNode } from '../canvas/canvas-document.ts'
import { CanvasProblem } from '../canvas/canvas-problem.ts'
import { parseBinding } from '../canvas/canvas-values.ts'
import type { Binding } from '../engine/graph.ts'
import { isUnaryOperation, tableOperations } from '../tables/user-tables.ts'
import type { FieldValue, TableOperation, TableWhere } from '../tables/user-tables.ts'
import type { ValueObject } from '../values/value.ts'

/** What the nodes of databases have in common in their settings. */

export function parseTableId({ inputs }: CanvasNode): string {
  const at = 'inputs.databaseInfoList[0].databaseInfoID'
  const first: unknown = Array.isArray(inputs.databaseInfoList) ? inputs.databaseInfoList[0] : undefined
  return parseDigits(isRecord(first) ? first.databaseInfoID : undefined, at)
}

/** An id of a table, or the id or name of a field. */
function parseDigits(raw: unknown, at: string): string {
  if (typeof raw === 'number' && !Number.isSafeInteger(raw))
    throw new CanvasProblem(at, 'has too many digits for a number: it must be text')
  const id = typeof raw === 'number' || typeof raw === 'bigint' ? String(raw) : raw
  if (typeof id !== 'string' || id === '') throw new CanvasProblem(at, 'must name a database or a field: choose one')
  return id
}

/** A part of the settings such as `selectParam`. */
export function parseSection({ inputs }: CanvasNode, name: string): Record<string, unknown> {
  const section = inputs[name]
  if (!isRecord(section)) throw new CanvasProblem(`inputs.${name}`, 'must be there')
  return section
}

/** Conditions without their values: those are inputs, for the operations that have one. */
export type WhereSettings = { logic: 'and' | 'or'; conditions: { field: string; operation: TableOperation; input?: string }[] }
type Parsed<T> = { settings: T; inputs: Binding[] }

/** Absent or without conditions: undefined. */
export function parseWhere(raw: unknown, at: string): Parsed<WhereSettings | undefined> {
  const list = isRecord(raw) ? (raw.conditionList ?? []) : []
  if (!Array.isArray(list)) throw new CanvasProblem(`${at}.conditionList`, 'must be a list of conditions')
  if (!isRecord(raw) || list.length === 0) return { settings: undefined, inputs: [] }

  const parsed = list.map((condition: unknown, index) => parseCondition(condition, { index, at: `${at}.conditionList[${index}]` }))
  return {
    settings: { logic: parseLogic(raw.logic, `${at}.logic`), conditions: parsed.map(({ settings }) => settings) },
    inputs: parsed.flatMap(({ inputs }) => inputs),
  }
}

/** For changes: without a condition they would reach every row. */
export function parseNeededWhere(raw: unknown, at: string): Parsed<WhereSettings> {
  const { settings, inputs } = parseWhere(raw, at)
  if (!settings) throw new CanvasProblem(at, 'must have a condition: without one every row would be changed')
  return { settings, inputs }
}

function parseLogic(raw: unknown, at: string): 'and' | 'or' {
  if (raw === undefined || raw === null || raw === '' || raw === 'AND') return 'and'
  if (raw === 'OR') return 'or'
  throw new CanvasProblem(at, 'must be AND or OR')
}

/** Three params, of which the last may be null. */
function parseCondition(raw: unknown, { index, at }: { index: number; at: string }): Parsed<WhereSettings['conditions'][number]> {
  if (!Array.isArray(raw)) throw new CanvasProblem(at, 'must be a list of left, operation and right')
  const paramOf = (name: string): unknown => raw.find((param: unknown) => isRecord(param) && param.name === name)

  const field = parseDigits(parseLiteral(paramOf('left'), `${at}.left`), `${at}.left`)
  const word = parseLiteral(paramOf('operation'), `${at}.operation`)
  const operation = tableOperations.find((each) => each === word)
  if (!operation) throw new CanvasProblem(`${at}.operation`, `must be one of ${tableOperations.join(', ')}`)
  if (isUnaryOperation(operation)) return { settings: { field, operation }, inputs: [] }

  const right = paramOf('right')
  if (right === undefined) throw new CanvasProblem(`${at}.right`, `must be there: ${operation} compares the field with it`)
  const input = `__condition_right_${index}`
  return { settings: { field, operation, input }, inputs: [{ ...parseBinding(right, `${at}.right`), name: input }] }
}

/** The text of a param that is not computed. */
function parseLiteral(param: unknown, at: string): unknown {
  const { source } = parseBinding(param, at)
  if (source.from !== 'literal') throw new CanvasProblem(at, 'must be written into the node, not computed')
  return source.value
}

export function toWhere({ logic, conditions }: WhereSettings, inputs: ValueObject): TableWhere {
  const values = conditions.map(({ field, operation, input }) => ({
    ...{ field, operation, value: input === undefined ? null : (inputs[input] ?? null) },
  }))
  return { logic, conditions: values }
}

/** Fields that are written: pairs of params, a field's id and its value. The values are inputs. */
export function parseFieldInfo(raw: unknown, at: string): Parsed<string[]> {
  if (!Array.isArray(raw) || raw.length === 0) throw new CanvasProblem(at, 'must have at least one field with its value')
  const parsed = raw.map((pair: unknown, index) => {
    const place = `${at}[${index}]`
    if (!Array.isArray(pair)) throw new CanvasProblem(place, 'must be a pair of fieldID and fieldValue')
    const paramOf = (name: string): unknown => pair.find((param: unknown) => isRecord(param) && param.name === name)
    const field = parseDigits(parseLiteral(paramOf('fieldID'), `${place}.fieldID`), `${place}.fieldID`)
    return { field, input: { ...parseBinding(paramOf('fieldValue'), `${place}.fieldValue`), name: inputOfField(field) } }
  })
  return { settings: parsed.map(({ field }) => field), inputs: parsed.map(({ input }) => input) }
}

const inputOfField = (field: string): string => `__setting_field_${field}`

export const toFieldValues = (fields: string[], inputs: ValueObject): FieldValue[] =>
  fields.map((field) => ({ field, value: inputs[inputOfField(field)] ?? null }))

/** `fieldID` in lists of fields, where it is a number or a text. */
export function parseFieldId(raw: unknown, at: string): string {
  if (!isRecord(raw)) throw new CanvasProblem(at, 'must be a field')
  return parseDigits(raw.fieldID, `${at}.fieldID`)
}
