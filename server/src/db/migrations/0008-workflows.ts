import { exactText, finishTable, longText } from '../schema-words.ts'
import type { MigrationStep } from './index.ts'

export const createWorkflows: MigrationStep = async (db, dialect) => {
  await finishTable(
    db.schema
      .createTable('workflow')
      .addColumn('id', 'bigint', (c) => c.notNull().primaryKey())
      .addColumn('owner_id', 'bigint', (c) => c.notNull())
      .addColumn('app_id', 'bigint')
      .addColumn('name', 'varchar(255)', (c) => c.notNull())
      .addColumn('description', longText(dialect), (c) => c.notNull())
      .addColumn('icon_url', 'varchar(2000)', (c) => c.notNull())
      .addColumn('mode', 'varchar(10)', (c) => c.notNull())
      .addColumn('on_crash', 'varchar(10)', (c) => c.notNull())
      .addColumn('canvas', longText(dialect), (c) => c.notNull())
      .addColumn('role', longText(dialect), (c) => c.notNull())
      .addColumn('live_version_id', 'bigint')
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('updated_at', 'bigint', (c) => c.notNull()),
    dialect,
  ).execute()
  await db.schema.createIndex('workflow_owner').on('workflow').columns(['owner_id', 'id']).execute()

  await finishTable(
    db.schema
      .createTable('workflow_version')
      .addColumn('id', 'bigint', (c) => c.notNull().primaryKey())
      .addColumn('workflow_id', 'bigint', (c) => c.notNull())
      .addColumn('version', exactText(dialect, 50), (c) => c.notNull())
      .addColumn('note', longText(dialect), (c) => c.notNull())
      .addColumn('name', 'varchar(255)', (c) => c.notNull())
      .addColumn('description', longText(dialect), (c) => c.notNull())
      .addColumn('icon_url', 'varchar(2000)', (c) => c.notNull())
      .addColumn('mode', 'varchar(10)', (c) => c.notNull())
      .addColumn('on_crash', 'varchar(10)', (c) => c.notNull())
      .addColumn('canvas', longText(dialect), (c) => c.notNull())
      .addColumn('role', longText(dialect), (c) => c.notNull())
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addUniqueConstraint('workflow_version_name', ['workflow_id', 'version']),
    dialect,
  ).execute()
}
