import { inject } from 'vitest'
import type { Db } from '../../src/db/database.ts'
import { openDatabase } from '../../src/db/database.ts'
import { migrate } from '../../src/db/migrate.ts'
import { hasMariadb } from './mariadb-server.ts'

export { startMariadb } from './mariadb-server.ts'

export type TestDatabase = {
  name: 'SQLite' | 'MariaDB'
  /** A new, migrated, empty database; `await using` closes it (and drops it). */
  open(): Promise<Db & AsyncDisposable>
}

/**
 * For `describe.each(testDatabases())('… on $name', ({ open }) => …)`: in-memory SQLite and the private
 * MariaDB of this run. Where MariaDB is not installed it is left out, except in CI, where that is a failure.
 */
export function testDatabases(): TestDatabase[] {
  const sqlite: TestDatabase = { name: 'SQLite', open: openMemory }
  const mariadb: TestDatabase = { name: 'MariaDB', open: openMariadb }
  return hasMariadb() || process.env.CI ? [sqlite, mariadb] : [sqlite]
}

async function openMemory(): Promise<Db & AsyncDisposable> {
  const db = await openDatabase({ kind: 'sqlite', path: ':memory:' })
  await migrate(db)
  return db
}

async function openMariadb(): Promise<Db & AsyncDisposable> {
  const url = await askDoor('POST')
  const db = await openDatabase({ kind: 'mysql', url })
  return Object.assign(db, {
    async [Symbol.asyncDispose]() {
      await db.destroy()
      await askDoor('DELETE', url)
    },
  })
}

async function askDoor(method: 'POST' | 'DELETE', body?: string): Promise<string> {
  const response = await fetch(inject('mariadbDoor'), { method, body })
  const text = await response.text()
  if (!response.ok) throw new Error(`no test database: ${text}`)
  return text
}
