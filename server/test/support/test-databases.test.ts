import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { migrate } from '../../src/db/migrate.ts'
import { openDatabase } from '../../src/db/database.ts'
import { startMariadb, testDatabases } from './test-databases.ts'

describe.each(testDatabases())('a test database on $name', ({ open }) => {
  test('is migrated, empty and nobody else’s', async () => {
    await using one = await open()
    await using other = await open()
    await one
      .insertInto('api_key')
      .values({ api_key: 'a', name: '一', user_id: '1', expired_at: 0, created_at: 1, updated_at: 1 })
      .execute()

    expect(await migrate(one)).toEqual([])
    expect(await one.selectFrom('api_key').select(['name', 'user_id']).execute()).toEqual([{ name: '一', user_id: 1 }])
    expect(await other.selectFrom('api_key').selectAll().execute()).toEqual([])
  })
})

test.skipIf(testDatabases().length === 1)('a MariaDB of one’s own keeps committed rows over a kill', async () => {
  await using server = await startMariadb()
  const db = await openDatabase({ kind: 'mysql', url: server.url() })
  await sql`create table test_row (id int)`.execute(db)
  await sql`insert into test_row values (7)`.execute(db)

  await server.kill()
  await expect(sql`select 1`.execute(db)).rejects.toThrow()
  await server.start()

  expect((await sql`select id from test_row`.execute(db)).rows).toEqual([{ id: 7 }])
  await db.destroy()
})
