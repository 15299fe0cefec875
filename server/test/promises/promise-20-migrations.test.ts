import { createHash } from 'node:crypto'
import { DummyDriver, Kysely, MysqlAdapter, MysqlIntrospector, MysqlQueryCompiler } from 'kysely'
import { SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import { describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/db/database.ts'
import type { Db, DialectName } from '../../src/db/database.ts'
import { createMigrator, migrate } from '../../src/db/migrate.ts'
import { migrations } from '../../src/db/migrations/index.ts'
import type { MigrationStep } from '../../src/db/migrations/index.ts'
import type { Tables } from '../../src/db/tables.ts'
import { createEmptyMariadb } from '../support/empty-mariadb.ts'
import { fillTables, lostRows, readAllRows } from '../support/schema-rows.ts'
import { testDatabases } from '../support/test-databases.ts'
import { releasedMigrations } from './released-migrations.ts'

/** Promise 20: an upgrade never loses data. Every schema that there was goes forward to the newest with all its rows. */

const STEPS = Object.keys(migrations)

test.each(STEPS)('on SQLite, from %s to the newest, nothing is lost', async (step) => {
  const db = await openDatabase({ kind: 'sqlite', path: ':memory:' })
  await createMigrator(db).migrateTo(step)
  await fillTables(db, 8)
  const before = await readAllRows(db)

  expect(await migrate(db)).toEqual(STEPS.slice(STEPS.indexOf(step) + 1))
  expect(lostRows(before, await readAllRows(db))).toEqual([])
  await db.destroy()
})

/** Steps cost a second here, so each is done once: rows of every step go through all that come after it. */
test.skipIf(testDatabases().length === 1)('on MariaDB, rows of every step are there after each one that follows', async () => {
  await using database = await createEmptyMariadb()
  const db = await openDatabase({ kind: 'mysql', url: database.url })
  const migrator = createMigrator(db)
  for (const [at, step] of STEPS.entries()) {
    const before = await readAllRows(db)
    const { error } = await migrator.migrateTo(step)
    expect(error).toBeUndefined()
    expect.soft(lostRows(before, await readAllRows(db)), `lost by ${step}`).toEqual([])
    await fillTables(db, at + 1)
  }
  expect((await readAllRows(db)).get('user')).toHaveLength(2 * STEPS.length)
  await db.destroy()
})

test('what is lost would be seen', async () => {
  const db = await openDatabase({ kind: 'sqlite', path: ':memory:' })
  await migrate(db)
  await fillTables(db, 8)
  const before = await readAllRows(db)
  await db.schema.alterTable('message').dropColumn('reasoning').execute()
  await db.updateTable('run').set({ end_user: 'other' }).where('meta_data', 'like', '16 %').execute()
  await db.deleteFrom('file').execute()
  await db.schema.dropTable('plugin').execute()

  const lost = lostRows(before, await readAllRows(db)).map((each) => each.split(' ["')[0]?.split(' [')[0])
  expect(lost).toEqual(['file', 'file', 'message', 'message', 'the table plugin', 'run'])
  await db.destroy()
})

describe('a released step never changes', () => {
  test.each(Object.entries(migrations))('%s', async (name, step) => {
    const hash = await hashOf(step)
    const released = releasedMigrations[name]
    if (released === undefined) expect.fail(`${name} is new: add '${name}': '${hash}' to released-migrations.ts`)
    if (released !== hash)
      expect.fail(
        `${name} does other SQL than the step that installations have gone through: put it back, and write a new step for the change.` +
          ` Only for one that no release has: its hash is now ${hash}`,
      )
  })

  test('none goes away, and new ones come last', () => {
    expect(STEPS.filter((name) => name in releasedMigrations)).toEqual(Object.keys(releasedMigrations))
    expect(STEPS).toEqual(STEPS.toSorted())
  })
})

/** Of all that a step says to a database of either kind, in order. */
async function hashOf(step: MigrationStep): Promise<string> {
  const said = [await statementsOf(step, 'sqlite'), await statementsOf(step, 'mysql')]
  return createHash('sha256').update(JSON.stringify(said)).digest('hex').slice(0, 32)
}

async function statementsOf(step: MigrationStep, dialect: DialectName): Promise<unknown[]> {
  const statements: unknown[] = []
  const parts =
    dialect === 'mysql'
      ? { adapter: new MysqlAdapter(), compiler: new MysqlQueryCompiler(), Introspector: MysqlIntrospector }
      : { adapter: new SqliteAdapter(), compiler: new SqliteQueryCompiler(), Introspector: SqliteIntrospector }
  const silent: Db = new Kysely<Tables>({
    dialect: {
      createAdapter: () => parts.adapter,
      createDriver: () => new DummyDriver(),
      createQueryCompiler: () => parts.compiler,
      createIntrospector: (db) => new parts.Introspector(db),
    },
    log: ({ query }) => void statements.push([query.sql, query.parameters]),
  })
  await step(silent, dialect)
  return statements
}
