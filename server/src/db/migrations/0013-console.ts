import type { MigrationStep } from './index.ts'

/** What the console asks that the API does not: who used what and when, and accounts that are closed. */
export const extendForConsole: MigrationStep = async (db) => {
  // null in runs that have not begun to answer, or are older than the column
  await db.schema.alterTable('run').addColumn('first_token_ms', 'bigint').execute()
  await db.schema.alterTable('workflow_run').addColumn('chat_run_id', 'bigint').execute()
  await db.schema
    .alterTable('user')
    .addColumn('disabled_at', 'bigint', (c) => c.notNull().defaultTo(0))
    .execute()

  // ids are ordered in time: a range of time is a range of them
  await db.schema.createIndex('run_of_owner').on('run').columns(['owner_id', 'id']).execute()
  await db.schema.createIndex('run_of_bot').on('run').columns(['bot_id', 'id']).execute()
  await db.schema.createIndex('workflow_run_of_owner').on('workflow_run').columns(['owner_id', 'id']).execute()
  await db.schema.createIndex('conversation_of_owner').on('conversation').columns(['owner_id', 'deleted_at', 'id']).execute()
}
