import { exactText, finishTable, longText } from '../schema-words.ts'
import type { MigrationStep } from './index.ts'

export const createAppConversations: MigrationStep = async (db, dialect) => {
  // null in apps that are older than the column
  await db.schema.alterTable('app').addColumn('conversations', longText(dialect)).execute()

  await finishTable(
    db.schema
      .createTable('app_conversation')
      .addColumn('conversation_id', 'bigint', (c) => c.notNull().primaryKey())
      .addColumn('app_id', 'bigint', (c) => c.notNull())
      .addColumn('end_user', exactText(dialect, 255), (c) => c.notNull())
      .addColumn('name', exactText(dialect, 255), (c) => c.notNull())
      .addColumn('name_key', exactText(dialect, 64), (c) => c.notNull())
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('updated_at', 'bigint', (c) => c.notNull())
      .addUniqueConstraint('app_conversation_name', ['app_id', 'name_key']),
    dialect,
  ).execute()
  await db.schema
    .createIndex('app_conversation_of_end_user')
    .on('app_conversation')
    .columns(['app_id', 'end_user', 'conversation_id'])
    .execute()
}
