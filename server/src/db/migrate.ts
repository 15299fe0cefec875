import { Migrator } from 'kysely/migration'
import { dialectOf } from './database.ts'
import type { Db } from './database.ts'
import { migrations } from './migrations/index.ts'

/** Brings the schema up to date under a lock; safe when several processes start at once. Answers the names applied. */
export async function migrate(db: Db): Promise<string[]> {
  const { error, results } = await createMigrator(db).migrateToLatest()
  if (error) throw error instanceof Error ? error : new Error('migration failed', { cause: error })
  return (results ?? []).map((result) => result.migrationName)
}

/** Names of the steps that this version has and the database has not. */
export async function listPendingMigrations(db: Db): Promise<string[]> {
  const known = await createMigrator(db).getMigrations()
  return known.filter((migration) => !migration.executedAt).map((migration) => migration.name)
}

/** For tests, that leave a database as an older version did. */
export function createMigrator(db: Db): Migrator {
  const dialect = dialectOf(db)
  return new Migrator({
    db,
    provider: {
      getMigrations: async () =>
        Object.fromEntries(Object.entries(migrations).map(([name, up]) => [name, { up: (on: Db) => up(on, dialect) }])),
    },
  })
}
