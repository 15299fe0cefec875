import { exactText, finishTable, longText } from '../schema-words.ts'
import type { MigrationStep } from './index.ts'

export const createConversations: MigrationStep = async (db, dialect) => {
  await finishTable(
    db.schema
      .createTable('conversation')
      .addColumn('id', 'bigint', (c) => c.notNull().primaryKey())
      .addColumn('owner_id', 'bigint', (c) => c.notNull())
      .addColumn('bot_id', 'bigint')
      .addColumn('external_id', exactText(dialect, 100))
      .addColumn('end_user', exactText(dialect, 255), (c) => c.notNull())
      .addColumn('connector_id', 'bigint', (c) => c.notNull())
      .addColumn('name', 'varchar(255)', (c) => c.notNull())
      .addColumn('meta_data', longText(dialect), (c) => c.notNull())
      .addColumn('section_id', 'bigint', (c) => c.notNull())
      .addColumn('active_run_id', 'bigint')
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('updated_at', 'bigint', (c) => c.notNull())
      .addColumn('deleted_at', 'bigint', (c) => c.notNull().defaultTo(0))
      .addUniqueConstraint('conversation_external_id', ['owner_id', 'external_id']),
    dialect,
  ).execute()
  // ids are ordered in time, so the id is the order of creation
  await db.schema.createIndex('conversation_of_bot').on('conversation').columns(['owner_id', 'bot_id', 'deleted_at', 'id']).execute()
  await db.schema
    .createIndex('conversation_of_end_user')
    .on('conversation')
    .columns(['owner_id', 'bot_id', 'end_user', 'deleted_at', 'id'])
    .execute()

  await finishTable(
    db.schema
      .createTable('message')
      .addColumn('id', 'bigint', (c) => c.notNull().primaryKey())
      .addColumn('conversation_id', 'bigint', (c) => c.notNull())
      .addColumn('section_id', 'bigint', (c) => c.notNull())
      .addColumn('run_id', 'bigint')
      .addColumn('bot_id', 'bigint')
      .addColumn('role', 'varchar(20)', (c) => c.notNull())
      .addColumn('type', 'varchar(30)', (c) => c.notNull())
      .addColumn('content', longText(dialect), (c) => c.notNull())
      .addColumn('content_type', 'varchar(30)', (c) => c.notNull())
      .addColumn('reasoning', longText(dialect), (c) => c.notNull())
      .addColumn('meta_data', longText(dialect), (c) => c.notNull())
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('updated_at', 'bigint', (c) => c.notNull()),
    dialect,
  ).execute()
  await db.schema.createIndex('message_of_conversation').on('message').columns(['conversation_id', 'id']).execute()
  await db.schema.createIndex('message_of_run').on('message').columns(['run_id', 'id']).execute()

  await finishTable(
    db.schema
      .createTable('file')
      .addColumn('id', 'bigint', (c) => c.notNull().primaryKey())
      .addColumn('owner_id', 'bigint', (c) => c.notNull())
      .addColumn('name', 'varchar(255)', (c) => c.notNull())
      .addColumn('size_bytes', 'bigint', (c) => c.notNull())
      .addColumn('mime', 'varchar(255)', (c) => c.notNull())
      .addColumn('object_key', 'varchar(255)', (c) => c.notNull())
      .addColumn('created_at', 'bigint', (c) => c.notNull()),
    dialect,
  ).execute()
  await db.schema.createIndex('file_owner').on('file').columns(['owner_id', 'id']).execute()
}
