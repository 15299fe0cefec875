import { sql } from 'kysely'
import type { Db, DialectName } from '../database.ts'
import { exactText, finishTable, longText } from '../schema-words.ts'
import type { MigrationStep } from './index.ts'

export const createAccounts: MigrationStep = async (db, dialect) => {
  await createUsers(db, dialect)
  await createUserSessions(db, dialect)
  await createUserAccounts(db, dialect)
  await createUserVerifications(db, dialect)
  await sql.raw(dialect === 'mysql' ? API_KEY_MYSQL : API_KEY_SQLITE).execute(db)
  if (dialect === 'sqlite') {
    await db.schema.createIndex('api_key_user_id').on('api_key').column('user_id').execute()
    await db.schema.createIndex('api_key_expired_status').on('api_key').columns(['expired_at', 'status']).execute()
    await db.schema.createIndex('api_key_last_used').on('api_key').column('last_used_at').execute()
  }
}

/** Column for column the table of the guide, with the indexes it has and recommends; `secret_hash` and `last_four` are ours. */
const API_KEY_MYSQL = `CREATE TABLE api_key (
  id bigint unsigned NOT NULL AUTO_INCREMENT COMMENT 'Primary Key ID',
  api_key varchar(255) NOT NULL DEFAULT '' COMMENT 'API Key hash (MD5)',
  name varchar(255) NOT NULL DEFAULT '' COMMENT 'API Key Name',
  status tinyint NOT NULL DEFAULT 0 COMMENT '0:normal, 1:deleted',
  user_id bigint NOT NULL DEFAULT 0 COMMENT 'API Key Owner',
  expired_at bigint NOT NULL DEFAULT 0 COMMENT 'Expired Time (ms), 0:never',
  created_at bigint unsigned NOT NULL DEFAULT 0 COMMENT 'Create Time (ms)',
  updated_at bigint unsigned NOT NULL DEFAULT 0 COMMENT 'Update Time (ms)',
  last_used_at bigint NOT NULL DEFAULT 0 COMMENT 'Last Used Time (ms)',
  ak_type tinyint NOT NULL DEFAULT 0 COMMENT 'API Key Type',
  secret_hash varchar(64) NOT NULL DEFAULT '' COMMENT 'HMAC-SHA-256 of the key',
  last_four varchar(4) NOT NULL DEFAULT '' COMMENT 'End of the key, for lists',
  PRIMARY KEY (id),
  UNIQUE KEY uniq_key (api_key),
  KEY idx_user_id (user_id),
  KEY idx_expired_status (expired_at, status),
  KEY idx_last_used (last_used_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci`

const API_KEY_SQLITE = `CREATE TABLE api_key (
  id integer PRIMARY KEY AUTOINCREMENT,
  api_key varchar(255) NOT NULL DEFAULT '' UNIQUE,
  name varchar(255) NOT NULL DEFAULT '',
  status tinyint NOT NULL DEFAULT 0,
  user_id bigint NOT NULL DEFAULT 0,
  expired_at bigint NOT NULL DEFAULT 0,
  created_at bigint NOT NULL DEFAULT 0,
  updated_at bigint NOT NULL DEFAULT 0,
  last_used_at bigint NOT NULL DEFAULT 0,
  ak_type tinyint NOT NULL DEFAULT 0,
  secret_hash varchar(64) NOT NULL DEFAULT '',
  last_four varchar(4) NOT NULL DEFAULT ''
)`

const timeOf = (dialect: DialectName) => (dialect === 'mysql' ? sql`datetime(3)` : sql`text`)

/** Users and the three tables after it are better-auth's, with our names: what it may write, they must be able to hold. */
async function createUsers(db: Db, dialect: DialectName): Promise<void> {
  await finishTable(
    createNumbered(db, dialect, 'user')
      .addColumn('name', 'varchar(255)', (c) => c.notNull())
      .addColumn('email', exactText(dialect, 255), (c) => c.notNull().unique())
      .addColumn('email_verified', 'boolean', (c) => c.notNull().defaultTo(false))
      .addColumn('image', longText(dialect))
      .addColumn('role', 'varchar(20)', (c) => c.notNull().defaultTo('user'))
      .addColumn('created_at', timeOf(dialect), (c) => c.notNull())
      .addColumn('updated_at', timeOf(dialect), (c) => c.notNull()),
    dialect,
  ).execute()
}

async function createUserSessions(db: Db, dialect: DialectName): Promise<void> {
  await finishTable(
    createNumbered(db, dialect, 'user_session')
      .addColumn('user_id', 'bigint', (c) => c.notNull())
      .addColumn('token', exactText(dialect, 255), (c) => c.notNull().unique())
      .addColumn('ip_address', 'varchar(255)')
      .addColumn('user_agent', longText(dialect))
      .addColumn('expires_at', timeOf(dialect), (c) => c.notNull())
      .addColumn('created_at', timeOf(dialect), (c) => c.notNull())
      .addColumn('updated_at', timeOf(dialect), (c) => c.notNull()),
    dialect,
  ).execute()
  await db.schema.createIndex('user_session_user').on('user_session').column('user_id').execute()
  await db.schema.createIndex('user_session_expiry').on('user_session').column('expires_at').execute()
}

async function createUserAccounts(db: Db, dialect: DialectName): Promise<void> {
  await finishTable(
    createNumbered(db, dialect, 'user_account')
      .addColumn('user_id', 'bigint', (c) => c.notNull())
      .addColumn('account_id', exactText(dialect, 255), (c) => c.notNull())
      .addColumn('provider_id', exactText(dialect, 100), (c) => c.notNull())
      .addColumn('password', 'varchar(255)')
      .addColumn('access_token', longText(dialect))
      .addColumn('refresh_token', longText(dialect))
      .addColumn('id_token', longText(dialect))
      .addColumn('access_token_expires_at', timeOf(dialect))
      .addColumn('refresh_token_expires_at', timeOf(dialect))
      .addColumn('scope', longText(dialect))
      .addColumn('created_at', timeOf(dialect), (c) => c.notNull())
      .addColumn('updated_at', timeOf(dialect), (c) => c.notNull())
      .addUniqueConstraint('user_account_at_provider', ['provider_id', 'account_id']),
    dialect,
  ).execute()
  await db.schema.createIndex('user_account_user').on('user_account').column('user_id').execute()
}

async function createUserVerifications(db: Db, dialect: DialectName): Promise<void> {
  await finishTable(
    createNumbered(db, dialect, 'user_verification')
      .addColumn('identifier', exactText(dialect, 255), (c) => c.notNull())
      .addColumn('value', longText(dialect), (c) => c.notNull())
      .addColumn('expires_at', timeOf(dialect), (c) => c.notNull())
      .addColumn('created_at', timeOf(dialect), (c) => c.notNull())
      .addColumn('updated_at', timeOf(dialect), (c) => c.notNull()),
    dialect,
  ).execute()
  await db.schema.createIndex('user_verification_identifier').on('user_verification').column('identifier').execute()
}

/** @NOTE SQLite counts up only a column whose type is exactly INTEGER. */
function createNumbered<T extends string>(db: Db, dialect: DialectName, name: T) {
  return db.schema
    .createTable(name)
    .addColumn('id', dialect === 'mysql' ? 'bigint' : 'integer', (c) => c.notNull().primaryKey().autoIncrement())
}
