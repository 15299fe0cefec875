import { exactText, finishTable } from '../schema-words.ts'
import type { MigrationStep } from './index.ts'

export const createIdempotency: MigrationStep = async (db, dialect) => {
  await finishTable(
    db.schema
      .createTable('idempotency')
      .addColumn('scope', exactText(dialect, 50), (c) => c.notNull())
      .addColumn('idempotency_key', exactText(dialect, 255), (c) => c.notNull())
      .addColumn('request_hash', exactText(dialect, 64), (c) => c.notNull())
      .addColumn('result_id', 'bigint', (c) => c.notNull())
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('idempotency_key_of_scope', ['scope', 'idempotency_key']),
    dialect,
  ).execute()
  await db.schema.createIndex('idempotency_age').on('idempotency').column('created_at').execute()
}
