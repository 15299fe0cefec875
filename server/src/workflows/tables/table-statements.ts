import { NodeError, nodeErrors } from '../engine/node-error.ts'
import { toText } from '../values/value-text.ts'
import { parseValue } from '../values/value.ts'
import type { Value } from '../values/value.ts'
import { toBound } from './column-values.ts'
import type {
  CompareOperator,
  DeleteStatement,
  InsertStatement,
  SelectStatement,
  SqlExpression,
  SqlLiteral,
  UpdateStatement,
} from './sql/sql-tree.ts'
import { columnsOf, getColumn } from './user-table.ts'
import type { TableColumn, UserTable } from './user-table.ts'
import type { FieldValue, TableCondition, TableOperation, TableQuery, TableWhere } from './user-tables.ts'

/** What nodes ask for without SQL, as the statements that SQL is read into: both are written by the same hand. */

export function toSelect(table: UserTable, { where, fields, isDistinct, orderBy, limit }: TableQuery): SelectStatement {
  const columns = fields.length > 0 ? fields.map((field) => getColumn(table, field)) : columnsOf(table).filter(({ isSystem }) => !isSystem)
  const wanted = orderBy.map(({ field, isAscending }) => ({ value: columnOf(getColumn(table, field)), isAscending }))
  // rows in the order in which they were written, where nothing else is said
  const order = isDistinct ? wanted : [...wanted, { value: columnOf(getColumn(table, 'id')), isAscending: true }]
  return {
    kind: 'select',
    with: [],
    parts: [
      {
        ...{ keepsRepeats: true, isDistinct, groupBy: [] },
        items: columns.map((column) => ({ kind: 'value', name: column.name, value: columnOf(column) })),
        from: [{ join: 'inner', source: { kind: 'table', name: table.name } }],
        where: where && toExpression(table, where),
      },
    ],
    orderBy: order,
    limit: { count: limit, offset: 0 },
  }
}

export function toInsert(table: UserTable, values: FieldValue[]): InsertStatement {
  const columns = values.map(({ field }) => getColumn(table, field).name)
  return { kind: 'insert', table: table.name, columns, rows: [values.map(({ value }) => literal(toLiteral(value)))] }
}

export function toUpdate(table: UserTable, { where, values }: { where: TableWhere; values: FieldValue[] }): UpdateStatement {
  const assigned = values.map(({ field, value }) => ({ column: getColumn(table, field).name, value: literal(toLiteral(value)) }))
  return { kind: 'update', table: table.name, values: assigned, where: toExpression(table, where), orderBy: [] }
}

export function toDelete(table: UserTable, where: TableWhere): DeleteStatement {
  return { kind: 'delete', table: table.name, where: toExpression(table, where), orderBy: [] }
}

const columnOf = ({ name }: TableColumn): SqlExpression => ({ kind: 'column', name })
const literal = (value: SqlLiteral): SqlExpression => ({ kind: 'literal', value })

/** Lists and objects are kept as their JSON. */
const toLiteral = (value: Value): SqlLiteral => (typeof value === 'object' && value !== null ? toText(value) : value)

function toExpression(table: UserTable, { logic, conditions }: TableWhere): SqlExpression | undefined {
  const terms = conditions.map((condition) => toTerm(getColumn(table, condition.field), condition))
  return terms.length > 0 ? { kind: 'logic', operator: logic, terms } : undefined
}

const compared: Partial<Record<TableOperation, CompareOperator>> = {
  ...{ EQUAL: '=', NOT_EQUAL: '!=', GREATER_THAN: '>', LESS_THAN: '<', GREATER_EQUAL: '>=', LESS_EQUAL: '<=' },
}

/** A comparison with null is never true, as in SQL. */
function toTerm(column: TableColumn, { operation, value }: TableCondition): SqlExpression {
  const of = columnOf(column)
  switch (operation) {
    case 'IS_NULL':
    case 'IS_NOT_NULL':
      return { kind: 'is', of, what: 'null', isNegated: operation === 'IS_NOT_NULL' }
    case 'BE_TRUE':
    case 'BE_FALSE':
      return { kind: 'is', of, what: operation === 'BE_TRUE' ? 'true' : 'false', isNegated: false }
    case 'LIKE':
    case 'NOT_LIKE':
      return { kind: 'like', of, pattern: literal(toPattern(value)), isNegated: operation === 'NOT_LIKE' }
    case 'IN':
    case 'NOT_IN':
      return { kind: 'in', of, list: toList(value).map((each) => literal(toComparable(column, each))), isNegated: operation === 'NOT_IN' }
    default:
      return { kind: 'compare', operator: compared[operation] ?? '=', left: of, right: literal(toComparable(column, value)) }
  }
}

function toComparable({ name, type }: TableColumn, value: Value): SqlLiteral {
  const bound = value === '' && type !== 'text' ? null : toBound(value, type)
  if (bound !== undefined) return bound
  throw new NodeError(
    nodeErrors.executionFailed,
    `the field ${name} is of type ${type}: it cannot be compared with ${toText(value).slice(0, 100)}`,
  )
}

/** A text without a wildcard is looked for anywhere in the field. */
function toPattern(value: Value): string | null {
  if (value === null) return null
  const text = toText(value)
  return text.includes('%') ? text : `%${text}%`
}

/** Without a list the value is the only member; null stands for a list that is not there, in which nothing is and is not. */
function toList(value: Value): Value[] {
  if (Array.isArray(value)) return value
  const parsed = typeof value === 'string' && value.trimStart().startsWith('[') ? tryParse(value) : undefined
  return Array.isArray(parsed) ? parsed : [value]
}

function tryParse(text: string): Value | undefined {
  try {
    return parseValue(text)
  } catch {
    return undefined
  }
}
