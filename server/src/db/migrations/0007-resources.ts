import { exactText, finishTable, longText } from '../schema-words.ts'
import type { MigrationStep } from './index.ts'

export const createResources: MigrationStep = async (db, dialect) => {
  await finishTable(
    db.schema
      .createTable('message_feedback')
      .addColumn('message_id', 'bigint', (c) => c.notNull().primaryKey())
      .addColumn('feedback_type', 'varchar(10)', (c) => c.notNull())
      .addColumn('reason_types', longText(dialect), (c) => c.notNull())
      .addColumn('comment', longText(dialect), (c) => c.notNull())
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('updated_at', 'bigint', (c) => c.notNull()),
    dialect,
  ).execute()

  await finishTable(
    db.schema
      .createTable('app')
      .addColumn('id', 'bigint', (c) => c.notNull().primaryKey())
      .addColumn('owner_id', 'bigint', (c) => c.notNull())
      .addColumn('name', 'varchar(255)', (c) => c.notNull())
      .addColumn('description', longText(dialect), (c) => c.notNull())
      .addColumn('icon_url', 'varchar(2000)', (c) => c.notNull())
      .addColumn('version', 'varchar(50)', (c) => c.notNull())
      .addColumn('variables', longText(dialect), (c) => c.notNull())
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('updated_at', 'bigint', (c) => c.notNull()),
    dialect,
  ).execute()
  await db.schema.createIndex('app_owner').on('app').columns(['owner_id', 'id']).execute()

  await finishTable(
    db.schema
      .createTable('end_user_variable')
      .addColumn('owner_id', 'bigint', (c) => c.notNull())
      .addColumn('holder', 'varchar(10)', (c) => c.notNull())
      .addColumn('holder_id', 'bigint', (c) => c.notNull())
      .addColumn('end_user', exactText(dialect, 255), (c) => c.notNull())
      .addColumn('name', exactText(dialect, 100), (c) => c.notNull())
      .addColumn('value', longText(dialect), (c) => c.notNull())
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('updated_at', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('end_user_variable_key', ['owner_id', 'holder', 'holder_id', 'end_user', 'name']),
    dialect,
  ).execute()
}
