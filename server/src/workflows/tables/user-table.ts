import { z } from 'zod'
import { NodeError, nodeErrors } from '../engine/node-error.ts'

/** A table as its owner has defined it: Coze's word is database. */
export type UserTable = {
  id: string
  ownerId: string
  name: string
  description: string
  fields: UserField[]
  /** Grows when fields change in a way that the rows cannot follow. */
  revision: number
  createdAt: number
  updatedAt: number
}

export const fieldTypes = ['text', 'integer', 'float', 'boolean', 'time'] as const
export type FieldType = (typeof fieldTypes)[number]

export const userFieldsSchema = z.array(
  z.object({ id: z.string(), name: z.string(), type: z.enum(fieldTypes), required: z.boolean(), description: z.string() }),
)
/** The id is a number as text, unique in its table. */
export type UserField = z.infer<typeof userFieldsSchema>[number]

/** A column of the rows. Names and ids of those that the server keeps by itself cannot be used for fields. */
export type TableColumn = { id: string; name: string; type: FieldType; column: string; isRequired: boolean; isSystem: boolean }

/** As Coze has them: the row's id, the end user whose run has written it, the time of that. */
export const systemColumns: TableColumn[] = [
  { id: '102', name: 'id', type: 'integer', column: 'bstudio_id', isRequired: false, isSystem: true },
  { id: '101', name: 'uuid', type: 'text', column: 'bstudio_connector_uid', isRequired: false, isSystem: true },
  { id: '103', name: 'bstudio_create_time', type: 'time', column: 'bstudio_create_time', isRequired: false, isSystem: true },
]

/** 104 is Coze's connector, which rows do not have here. */
export const reservedFieldIds = [...systemColumns.map(({ id }) => id), '104']
export const reservedFieldNames = systemColumns.flatMap(({ name, column }) => [name, column])

/** What its rows are kept under: of its id alone, so that no text of a user becomes SQL. */
export const rowsTableName = (table: Pick<UserTable, 'id' | 'revision'>): string => `ut_${digitsOnly(table.id)}_${table.revision}`

export function columnsOf(table: Pick<UserTable, 'fields'>): TableColumn[] {
  const own = table.fields.map(({ id, name, type, required }) => ({
    ...{ id, name, type, column: `f_${digitsOnly(id)}`, isRequired: required, isSystem: false },
  }))
  return [...own, ...systemColumns]
}

function digitsOnly(id: string): string {
  if (!/^\d{1,19}$/.test(id)) throw new Error(`not an id: ${JSON.stringify(id)}`)
  return id
}

/** By id or name. Names are found in any case. */
export function findColumn(table: UserTable, idOrName: string): TableColumn | undefined {
  const wanted = idOrName.toLowerCase()
  return columnsOf(table).find(
    ({ id, name, column, isSystem }) => id === idOrName || name.toLowerCase() === wanted || (isSystem && column === wanted),
  )
}

export function getColumn(table: UserTable, idOrName: string): TableColumn {
  const column = findColumn(table, idOrName)
  if (!column) throw unknownField(idOrName, table)
  return column
}

export function unknownField(idOrName: string, { id, name, fields }: UserTable): NodeError {
  const known = fields.map((field) => `${field.name} (${field.id})`).join(', ')
  return new NodeError(
    nodeErrors.executionFailed,
    `database ${name} (${id}) has no field ${JSON.stringify(idOrName)}: define it in the manifest's databases:. It has ${known || 'no fields'}`,
  )
}

export function unknownTable(idOrName: string): NodeError {
  return new NodeError(
    nodeErrors.executionFailed,
    `there is no database ${JSON.stringify(idOrName)}: define it in the manifest's databases:, with this id and owned by the owner of the workflow`,
  )
}
