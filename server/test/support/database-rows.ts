import { sql } from 'kysely'
import { dialectOf } from '../../src/db/database.ts'
import type { Db } from '../../src/db/database.ts'

/** Every row, of whatever table, that is this user's or has this text in it; when a key was last used is left out. */
export async function rowsOf(db: Db, { userId, mark }: { userId: string; mark: string }): Promise<string[]> {
  const found: string[] = []
  for (const table of await tablesOf(db)) {
    const { rows } = await sql<Record<string, unknown>>`select * from ${sql.table(table)}`.execute(db)
    for (const row of rows) {
      const { last_used_at: _, ...lasting } = row
      const text = JSON.stringify(lasting, (_name, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
      const isTheirs = [row['owner_id'], row['user_id'], row['userId']].map(String).includes(userId)
      if (isTheirs || text.includes(mark)) found.push(`${table} ${text}`)
    }
  }
  return found.toSorted()
}

export async function tablesOf(db: Db): Promise<string[]> {
  const { rows } =
    dialectOf(db) === 'sqlite'
      ? await sql<{ name: string }>`select name from sqlite_master where type = 'table'`.execute(db)
      : await sql<{ name: string }>`select table_name as name from information_schema.tables where table_schema = database()`.execute(db)
  return rows.map(({ name }) => name)
}
