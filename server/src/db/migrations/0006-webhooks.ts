import { exactText, finishTable, longText } from '../schema-words.ts'
import type { MigrationStep } from './index.ts'

export const createWebhooks: MigrationStep = async (db, dialect) => {
  await finishTable(
    db.schema
      .createTable('webhook_delivery')
      .addColumn('id', 'bigint', (c) => c.notNull().primaryKey())
      .addColumn('owner_id', 'bigint', (c) => c.notNull())
      .addColumn('run_id', 'bigint', (c) => c.notNull())
      .addColumn('event_id', 'bigint', (c) => c.notNull())
      .addColumn('event_type', 'varchar(50)', (c) => c.notNull())
      .addColumn('url', 'varchar(2000)', (c) => c.notNull())
      .addColumn('host', exactText(dialect, 300), (c) => c.notNull())
      .addColumn('status', 'varchar(20)', (c) => c.notNull())
      .addColumn('attempts', 'integer', (c) => c.notNull().defaultTo(0))
      .addColumn('next_attempt_at', 'bigint', (c) => c.notNull())
      .addColumn('last_error', 'varchar(500)', (c) => c.notNull().defaultTo(''))
      .addColumn('last_status', 'integer', (c) => c.notNull().defaultTo(0))
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('delivered_at', 'bigint', (c) => c.notNull().defaultTo(0))
      // the last column: what is found by the others does not read through it
      .addColumn('payload', longText(dialect), (c) => c.notNull()),
    dialect,
  ).execute()
  // all that choosing what to send next asks for: a receiver's long queue is skipped without touching its rows
  await db.schema
    .createIndex('webhook_delivery_due')
    .on('webhook_delivery')
    .columns(['status', 'next_attempt_at', 'host', 'owner_id'])
    .execute()
  await db.schema.createIndex('webhook_delivery_owner').on('webhook_delivery').columns(['owner_id', 'id']).execute()
}
