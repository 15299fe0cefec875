import { exactText, finishTable, longText } from '../schema-words.ts'
import type { MigrationStep } from './index.ts'

export const createBots: MigrationStep = async (db, dialect) => {
  await finishTable(
    db.schema
      .createTable('model')
      .addColumn('id', 'bigint', (c) => c.notNull().primaryKey())
      .addColumn('name', exactText(dialect, 100), (c) => c.notNull().unique())
      .addColumn('protocol', 'varchar(20)', (c) => c.notNull())
      .addColumn('base_url', 'varchar(1000)', (c) => c.notNull())
      .addColumn('api_key_sealed', 'varchar(2000)', (c) => c.notNull())
      .addColumn('provider_model', 'varchar(200)', (c) => c.notNull())
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('updated_at', 'bigint', (c) => c.notNull()),
    dialect,
  ).execute()

  await finishTable(
    db.schema
      .createTable('bot')
      .addColumn('id', 'bigint', (c) => c.notNull().primaryKey())
      .addColumn('owner_id', 'bigint', (c) => c.notNull())
      .addColumn('name', 'varchar(255)', (c) => c.notNull())
      .addColumn('description', longText(dialect), (c) => c.notNull())
      .addColumn('icon_url', 'varchar(2000)', (c) => c.notNull())
      .addColumn('draft', longText(dialect), (c) => c.notNull())
      .addColumn('live_version_id', 'bigint')
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('updated_at', 'bigint', (c) => c.notNull()),
    dialect,
  ).execute()
  await db.schema.createIndex('bot_owner').on('bot').columns(['owner_id', 'id']).execute()

  await finishTable(
    db.schema
      .createTable('bot_version')
      .addColumn('id', 'bigint', (c) => c.notNull().primaryKey())
      .addColumn('bot_id', 'bigint', (c) => c.notNull())
      .addColumn('version', exactText(dialect, 50), (c) => c.notNull())
      .addColumn('note', longText(dialect), (c) => c.notNull())
      .addColumn('name', 'varchar(255)', (c) => c.notNull())
      .addColumn('description', longText(dialect), (c) => c.notNull())
      .addColumn('icon_url', 'varchar(2000)', (c) => c.notNull())
      .addColumn('config', longText(dialect), (c) => c.notNull())
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addUniqueConstraint('bot_version_name', ['bot_id', 'version']),
    dialect,
  ).execute()
}
