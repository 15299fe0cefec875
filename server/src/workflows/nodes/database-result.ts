import type { NodeResult, NodeRun } from '../engine/node-type.ts'
import type { TableResult } from '../tables/user-tables.ts'
import { convertValue } from '../values/convert-value.ts'
import { toText } from '../values/value-text.ts'
import type { Field, ValueType } from '../values/value-type.ts'
import { fieldOf } from '../values/value.ts'
import type { Value, ValueObject } from '../values/value.ts'

/** Rows as the node declares them: with its properties and their types, or as they are, all texts, where it declares none. */
export function toDatabaseResult({ node, warn }: Pick<NodeRun, 'node' | 'warn'>, { rows, rowCount, isCut }: TableResult): NodeResult {
  if (isCut) warn(`there are more rows: only the first ${rowCount} were read`)
  const properties = declaredProperties(node.outputs)
  const warnings = new Set<string>()
  const outputList = rows.map((row) => (properties.length > 0 ? toDeclared(row, properties, warnings) : toTexts(row)))
  for (const warning of warnings) warn(warning)
  return { kind: 'done', outputs: { outputList, rowNum: rowCount } }
}

function declaredProperties(outputs: Field[]): Field[] {
  const type = outputs.find(({ name }) => name === 'outputList')?.type
  return type?.kind === 'list' && type.element?.kind === 'object' ? (type.element.fields ?? []) : []
}

function toTexts(row: ValueObject): ValueObject {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, toText(value)]))
}

function toDeclared(row: ValueObject, properties: Field[], warnings: Set<string>): ValueObject {
  return Object.fromEntries(
    properties.map(({ name, type }) => {
      const converted = convertValue(asDatabasesDo(fieldOf(row, name) ?? null, type), type)
      if (converted.warnings.length > 0) warnings.add(`outputList.${name}: ${converted.warnings.join('; ')}`)
      return [name, converted.value]
    }),
  )
}

/** A boolean is a number, and a number a boolean. */
function asDatabasesDo(value: Value, { kind }: ValueType): Value {
  if (typeof value === 'boolean' && (kind === 'integer' || kind === 'number')) return Number(value)
  return typeof value === 'number' && kind === 'boolean' ? value !== 0 : value
}
