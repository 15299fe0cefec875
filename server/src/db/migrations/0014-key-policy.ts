import { exactText, finishTable, longText } from '../schema-words.ts'
import type { MigrationStep } from './index.ts'

/** What a key may do and how much, the secrets it had before, and what it has used of its budget. */
export const extendKeys: MigrationStep = async (db, dialect) => {
  // null: the key may do what its owner may
  await db.schema.alterTable('api_key').addColumn('policy', longText(dialect)).execute()
  await db.schema
    .alterTable('api_key')
    .addColumn('disabled_at', 'bigint', (c) => c.notNull().defaultTo(0))
    .execute()
  // the key by which it was made over the API; null for one that a person has made
  await db.schema.alterTable('api_key').addColumn('maker_key_id', 'bigint').execute()
  await db.schema.createIndex('api_key_maker').on('api_key').columns(['maker_key_id', 'id']).execute()

  await finishTable(
    db.schema
      .createTable('api_key_old_secret')
      .addColumn('md5', exactText(dialect, 32), (c) => c.notNull().primaryKey())
      .addColumn('key_id', 'bigint', (c) => c.notNull())
      .addColumn('secret_hash', 'varchar(64)', (c) => c.notNull())
      .addColumn('last_four', 'varchar(4)', (c) => c.notNull())
      .addColumn('valid_until', 'bigint', (c) => c.notNull())
      .addColumn('last_used_at', 'bigint', (c) => c.notNull().defaultTo(0)),
    dialect,
  ).execute()
  await db.schema.createIndex('api_key_old_secret_key').on('api_key_old_secret').columns(['key_id', 'valid_until']).execute()

  await finishTable(
    db.schema
      .createTable('key_tokens')
      .addColumn('key_id', 'bigint', (c) => c.notNull())
      .addColumn('day', 'integer', (c) => c.notNull())
      .addColumn('tokens', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('key_tokens_of_day', ['key_id', 'day']),
    dialect,
  ).execute()
}
