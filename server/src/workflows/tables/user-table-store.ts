import { sql } from 'kysely'
import type { Selectable } from 'kysely'
import { orConflict } from '../../db/database.ts'
import type { Db } from '../../db/database.ts'
import type { UserTableDefinitionTable } from '../../db/tables.ts'
import { userFieldsSchema } from './user-table.ts'
import type { UserTable } from './user-table.ts'

/** What users' tables are; their rows are in `user-row-store.ts`. */

export async function findUserTable(db: Db, tableId: string): Promise<UserTable | undefined> {
  const row = await db.selectFrom('user_table').selectAll().where('id', '=', tableId).executeTakeFirst()
  return row && toUserTable(row)
}

/** The oldest of that name. */
export async function findUserTableByName(db: Db, ownerId: string, name: string): Promise<UserTable | undefined> {
  const row = await db
    .selectFrom('user_table')
    .selectAll()
    .where('owner_id', '=', ownerId)
    .where('name', '=', name)
    .orderBy('id')
    .limit(1)
    .executeTakeFirst()
  return row && toUserTable(row)
}

/** Those that have the name in any case, oldest first. */
export async function listUserTablesNamed(db: Db, ownerId: string, name: string): Promise<UserTable[]> {
  const wanted = name.toLowerCase()
  const rows = await db
    .selectFrom('user_table')
    .selectAll()
    .where('owner_id', '=', ownerId)
    // @NOTE SQLite knows the small letters of A to Z only
    .where((eb) => eb.or([eb(sql<string>`lower(name)`, '=', wanted), eb('name', '=', name)]))
    .orderBy('id')
    .limit(MOST_NAMESAKES)
    .execute()
  return rows.map(toUserTable)
}

const MOST_NAMESAKES = 10

/** Throws `conflict` when the id is taken. */
export async function insertUserTable(db: Db, table: UserTable): Promise<void> {
  const insertion = db
    .insertInto('user_table')
    .values({ id: table.id, owner_id: table.ownerId, created_at: table.createdAt, ...changeable(table) })
    .execute()
  await orConflict(insertion, `database id ${table.id} is taken`)
}

export async function updateUserTable(db: Db, table: UserTable): Promise<void> {
  await db.updateTable('user_table').set(changeable(table)).where('id', '=', table.id).execute()
}

function changeable({ name, description, fields, revision, updatedAt }: UserTable) {
  return { name, description, fields: JSON.stringify(fields), revision, updated_at: updatedAt }
}

function toUserTable(row: Selectable<UserTableDefinitionTable>): UserTable {
  return {
    id: String(row.id),
    ownerId: String(row.owner_id),
    name: row.name,
    description: row.description,
    fields: userFieldsSchema.parse(JSON.parse(row.fields)),
    revision: row.revision,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}
