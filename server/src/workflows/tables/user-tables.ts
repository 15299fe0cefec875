import type { Value, ValueObject } from '../values/value.ts'

/**
 * The databases of the workflow's owner, by the ids of canvases; what belongs to another user does not exist. Fields are named by
 * their ids or names. Methods reject with a NodeError; each is one statement, done completely or not at all.
 */
export interface UserTables {
  /** SQL in the builder's names, with `?` for each bound text. It reaches the owner's own tables and nothing else. */
  execute(tableId: string, sql: string, bound: string[]): Promise<TableResult>
  query(tableId: string, query: TableQuery): Promise<TableResult>
  /** The result's row has the `id` of the new row. */
  insert(tableId: string, values: FieldValue[]): Promise<TableResult>
  update(tableId: string, change: { where: TableWhere; values: FieldValue[] }): Promise<TableResult>
  delete(tableId: string, where: TableWhere): Promise<TableResult>
}

export type TableQuery = {
  where?: TableWhere
  /** Empty: all of them. */
  fields: string[]
  isDistinct: boolean
  orderBy: { field: string; isAscending: boolean }[]
  limit: number
}

export type TableWhere = { logic: 'and' | 'or'; conditions: TableCondition[] }

/** `value` is of no use to the operations without a right side. For `IN` and `NOT_IN` it is a list. */
export type TableCondition = { field: string; operation: TableOperation; value: Value }

export const tableOperations = [
  ...(['EQUAL', 'NOT_EQUAL', 'GREATER_THAN', 'LESS_THAN', 'GREATER_EQUAL', 'LESS_EQUAL', 'IN', 'NOT_IN', 'LIKE', 'NOT_LIKE'] as const),
  ...(['IS_NULL', 'IS_NOT_NULL', 'BE_TRUE', 'BE_FALSE'] as const),
] as const
export type TableOperation = (typeof tableOperations)[number]

const unaryOperations: ReadonlySet<TableOperation> = new Set(['IS_NULL', 'IS_NOT_NULL', 'BE_TRUE', 'BE_FALSE'])
export const isUnaryOperation = (operation: TableOperation): boolean => unaryOperations.has(operation)

export type FieldValue = { field: string; value: Value }

/** Rows by the fields' names, of the fields' types. `rowCount` is how many were read or written; `isCut` when there are more to read. */
export type TableResult = { rows: ValueObject[]; rowCount: number; isCut: boolean }
