import { exactText, finishTable, longText } from '../schema-words.ts'
import type { MigrationStep } from './index.ts'

/** Only what the tables are: those with the rows are made when they are first used. */
export const createUserTableDefinitions: MigrationStep = async (db, dialect) => {
  await finishTable(
    db.schema
      .createTable('user_table')
      .addColumn('id', 'bigint', (c) => c.notNull().primaryKey())
      .addColumn('owner_id', 'bigint', (c) => c.notNull())
      .addColumn('name', exactText(dialect, 255), (c) => c.notNull())
      .addColumn('description', longText(dialect), (c) => c.notNull())
      .addColumn('fields', longText(dialect), (c) => c.notNull())
      .addColumn('revision', 'integer', (c) => c.notNull())
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('updated_at', 'bigint', (c) => c.notNull()),
    dialect,
  ).execute()
  await db.schema.createIndex('user_table_owner').on('user_table').columns(['owner_id', 'id']).execute()
}
