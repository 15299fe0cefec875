import { exactText, finishTable } from '../schema-words.ts'
import type { MigrationStep } from './index.ts'

/** Who did what: rows that are only ever added, each sealed with the one before it. */
export const createAudit: MigrationStep = async (db, dialect) => {
  await finishTable(
    db.schema
      .createTable('audit_entry')
      // its place in the chain: 1, 2, 3, …
      .addColumn('id', 'bigint', (c) => c.notNull().primaryKey())
      .addColumn('at', 'bigint', (c) => c.notNull())
      .addColumn('actor_kind', exactText(dialect, 20), (c) => c.notNull())
      .addColumn('actor_user_id', 'bigint')
      .addColumn('key_id', 'bigint')
      .addColumn('address', exactText(dialect, 200), (c) => c.notNull())
      .addColumn('action', exactText(dialect, 50), (c) => c.notNull())
      .addColumn('target_kind', exactText(dialect, 50), (c) => c.notNull())
      .addColumn('target_id', exactText(dialect, 100), (c) => c.notNull())
      .addColumn('details', exactText(dialect, 2000), (c) => c.notNull())
      .addColumn('prev_hash', exactText(dialect, 64), (c) => c.notNull().unique())
      .addColumn('hash', exactText(dialect, 64), (c) => c.notNull()),
    dialect,
  ).execute()
  await db.schema.createIndex('audit_entry_actor').on('audit_entry').columns(['actor_user_id', 'id']).execute()
  await db.schema.createIndex('audit_entry_action').on('audit_entry').columns(['action', 'id']).execute()
  await db.schema.createIndex('audit_entry_at').on('audit_entry').columns(['at', 'id']).execute()

  // one row: how long the chain is and how it ends, so that a missing end is seen
  await finishTable(
    db.schema
      .createTable('audit_head')
      .addColumn('id', 'integer', (c) => c.notNull().primaryKey())
      .addColumn('entries', 'bigint', (c) => c.notNull())
      .addColumn('hash', exactText(dialect, 64), (c) => c.notNull())
      .addColumn('seal', exactText(dialect, 64), (c) => c.notNull()),
    dialect,
  ).execute()
  await db.insertInto('audit_head').values({ id: 1, entries: 0, hash: '', seal: '' }).execute()
}
