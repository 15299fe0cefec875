import { finishTable, longText } from '../schema-words.ts'
import type { MigrationStep } from './index.ts'

export const createRuns: MigrationStep = async (db, dialect) => {
  await finishTable(
    db.schema
      .createTable('run')
      .addColumn('id', 'bigint', (c) => c.notNull().primaryKey())
      .addColumn('owner_id', 'bigint', (c) => c.notNull())
      .addColumn('key_id', 'bigint')
      .addColumn('bot_id', 'bigint', (c) => c.notNull())
      .addColumn('bot_version_id', 'bigint', (c) => c.notNull())
      .addColumn('conversation_id', 'bigint', (c) => c.notNull())
      .addColumn('section_id', 'bigint', (c) => c.notNull())
      .addColumn('end_user', 'varchar(255)', (c) => c.notNull())
      .addColumn('status', 'varchar(20)', (c) => c.notNull())
      .addColumn('meta_data', longText(dialect), (c) => c.notNull())
      .addColumn('answer_id', 'bigint', (c) => c.notNull())
      .addColumn('input_tokens', 'bigint', (c) => c.notNull().defaultTo(0))
      .addColumn('output_tokens', 'bigint', (c) => c.notNull().defaultTo(0))
      .addColumn('error_code', 'varchar(50)', (c) => c.notNull().defaultTo(''))
      .addColumn('error_message', 'varchar(1000)', (c) => c.notNull().defaultTo(''))
      .addColumn('client_style', 'varchar(10)', (c) => c.notNull())
      .addColumn('message_meta', longText(dialect), (c) => c.notNull())
      .addColumn('saves_history', 'integer', (c) => c.notNull())
      .addColumn('callback_url', 'varchar(2000)', (c) => c.notNull())
      .addColumn('waiting', longText(dialect), (c) => c.notNull())
      .addColumn('worker_token', 'varchar(40)', (c) => c.notNull())
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('started_at', 'bigint', (c) => c.notNull())
      .addColumn('finished_at', 'bigint', (c) => c.notNull().defaultTo(0)),
    dialect,
  ).execute()
  await db.schema.createIndex('run_of_conversation').on('run').columns(['conversation_id', 'id']).execute()
  await db.schema.createIndex('run_status').on('run').columns(['status', 'worker_token']).execute()

  await finishTable(
    db.schema
      .createTable('journal_segment')
      .addColumn('run_id', 'bigint', (c) => c.notNull())
      .addColumn('first_seq', 'integer', (c) => c.notNull())
      .addColumn('last_seq', 'integer', (c) => c.notNull())
      .addColumn('events', longText(dialect), (c) => c.notNull())
      .addColumn('ends_run', 'integer', (c) => c.notNull())
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('journal_segment_key', ['run_id', 'first_seq']),
    dialect,
  ).execute()

  await finishTable(
    db.schema
      .createTable('worker')
      .addColumn('id', 'integer', (c) => c.notNull().primaryKey())
      .addColumn('token', 'varchar(40)', (c) => c.notNull())
      .addColumn('host', 'varchar(255)', (c) => c.notNull())
      .addColumn('pid', 'bigint', (c) => c.notNull())
      .addColumn('expires_at', 'bigint', (c) => c.notNull()),
    dialect,
  ).execute()
}
