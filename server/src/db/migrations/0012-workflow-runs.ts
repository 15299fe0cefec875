import { exactText, finishTable, longText } from '../schema-words.ts'
import type { MigrationStep } from './index.ts'

export const createWorkflowRuns: MigrationStep = async (db, dialect) => {
  await finishTable(
    db.schema
      .createTable('workflow_run')
      .addColumn('id', 'bigint', (c) => c.notNull().primaryKey())
      .addColumn('owner_id', 'bigint', (c) => c.notNull())
      .addColumn('key_id', 'bigint')
      .addColumn('workflow_id', 'bigint', (c) => c.notNull())
      .addColumn('version', exactText(dialect, 50), (c) => c.notNull())
      .addColumn('only_node', 'varchar(100)', (c) => c.notNull())
      .addColumn('app_id', 'bigint')
      .addColumn('bot_id', 'bigint')
      .addColumn('end_user', 'varchar(255)', (c) => c.notNull())
      .addColumn('connector_id', 'varchar(30)', (c) => c.notNull())
      .addColumn('mode', 'varchar(10)', (c) => c.notNull())
      .addColumn('status', 'varchar(20)', (c) => c.notNull())
      .addColumn('input', longText(dialect), (c) => c.notNull())
      .addColumn('output', longText(dialect), (c) => c.notNull())
      .addColumn('is_answer', 'integer', (c) => c.notNull())
      .addColumn('input_tokens', 'bigint', (c) => c.notNull().defaultTo(0))
      .addColumn('output_tokens', 'bigint', (c) => c.notNull().defaultTo(0))
      .addColumn('error_code', 'bigint', (c) => c.notNull().defaultTo(0))
      .addColumn('error_message', 'varchar(1000)', (c) => c.notNull().defaultTo(''))
      .addColumn('waiting_events', longText(dialect), (c) => c.notNull())
      .addColumn('answer', longText(dialect), (c) => c.notNull())
      .addColumn('chat', longText(dialect), (c) => c.notNull())
      .addColumn('conversation_id', 'bigint')
      .addColumn('on_crash', 'varchar(10)', (c) => c.notNull())
      .addColumn('recoveries', 'integer', (c) => c.notNull().defaultTo(0))
      .addColumn('log_id', 'varchar(64)', (c) => c.notNull())
      .addColumn('worker_token', 'varchar(40)', (c) => c.notNull())
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('updated_at', 'bigint', (c) => c.notNull())
      .addColumn('finished_at', 'bigint', (c) => c.notNull().defaultTo(0)),
    dialect,
  ).execute()
  await db.schema.createIndex('workflow_run_of').on('workflow_run').columns(['workflow_id', 'id']).execute()
  await db.schema.createIndex('workflow_run_status').on('workflow_run').columns(['status', 'worker_token']).execute()
  await db.schema.createIndex('workflow_run_conversation').on('workflow_run').columns(['conversation_id', 'status']).execute()
  await createNodeRuns(db, dialect)
}

const createNodeRuns: MigrationStep = async (db, dialect) => {
  await finishTable(
    db.schema
      .createTable('workflow_node_run')
      .addColumn('run_id', 'bigint', (c) => c.notNull())
      .addColumn('path', exactText(dialect, 700), (c) => c.notNull())
      .addColumn('ordinal', 'integer', (c) => c.notNull())
      .addColumn('node_id', 'varchar(100)', (c) => c.notNull())
      .addColumn('node_type', 'varchar(10)', (c) => c.notNull())
      .addColumn('title', longText(dialect), (c) => c.notNull())
      .addColumn('state', 'varchar(10)', (c) => c.notNull())
      .addColumn('inputs', longText(dialect), (c) => c.notNull())
      .addColumn('outputs', longText(dialect), (c) => c.notNull())
      .addColumn('port', 'varchar(100)', (c) => c.notNull())
      .addColumn('waiting_events', longText(dialect), (c) => c.notNull())
      .addColumn('saved', longText(dialect), (c) => c.notNull())
      .addColumn('warnings', longText(dialect), (c) => c.notNull())
      .addColumn('input_tokens', 'bigint', (c) => c.notNull())
      .addColumn('output_tokens', 'bigint', (c) => c.notNull())
      .addColumn('attempts', 'integer', (c) => c.notNull())
      .addColumn('error_code', 'bigint', (c) => c.notNull())
      .addColumn('error_message', longText(dialect), (c) => c.notNull())
      .addColumn('started_at', 'bigint', (c) => c.notNull())
      .addColumn('finished_at', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('workflow_node_run_key', ['run_id', 'path']),
    dialect,
  ).execute()
  await db.schema.createIndex('workflow_node_run_order').on('workflow_node_run').columns(['run_id', 'ordinal']).execute()
}
