import { finishTable, longText } from '../schema-words.ts'
import type { MigrationStep } from './index.ts'

export const createPlugins: MigrationStep = async (db, dialect) => {
  await finishTable(
    db.schema
      .createTable('plugin')
      .addColumn('id', 'bigint', (c) => c.notNull().primaryKey())
      .addColumn('owner_id', 'bigint', (c) => c.notNull())
      .addColumn('name', 'varchar(255)', (c) => c.notNull())
      .addColumn('description', longText(dialect), (c) => c.notNull())
      .addColumn('icon_url', 'varchar(2000)', (c) => c.notNull())
      .addColumn('tool', longText(dialect), (c) => c.notNull())
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('updated_at', 'bigint', (c) => c.notNull()),
    dialect,
  ).execute()
}
