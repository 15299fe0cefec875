import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { dialectOf } from '../../src/db/database.ts'
import type { Db } from '../../src/db/database.ts'
import type { TestApp } from './test-app.ts'

/** To be called last in a `describe`: what its tests did has brought no secret to where somebody could find it. */
export function keepsItsSecrets(app: TestApp): void {
  test('no secret has got into logs, metrics, error bodies or the database', async () => {
    const places = await readPlaces(app)
    // what is there must be found, or the search would prove nothing
    expect(places.database).toContain('user1@example.com')
    expect(places.logs).toContain('"endpoint":"/')
    expect(places.metrics).toContain('http_requests_total')

    const found = [...app.secrets].flatMap(([name, secret]) =>
      Object.entries(places).flatMap(([place, text]) => (text.includes(secret) ? [`${name} in ${place}`] : [])),
    )
    expect(found).toEqual([])
  })
}

async function readPlaces(app: TestApp): Promise<Record<'logs' | 'metrics' | 'refusals' | 'database', string>> {
  const metrics = await app.call('GET', '/metrics')
  return {
    logs: app.logs.join(''),
    metrics: metrics.text,
    refusals: app.refusals.join('\n'),
    database: dialectOf(app.core.db) === 'sqlite' ? await readFiles(app.dataDir) : await readTables(app.core.db),
  }
}

/** Every byte on disk, also of rows that were deleted and of uploads. */
async function readFiles(dir: string): Promise<string> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => readFile(join(entry.parentPath, entry.name), 'latin1'))
  return (await Promise.all(files)).join('\n')
}

async function readTables(db: Db): Promise<string> {
  const { rows } = await sql<{
    name: string
  }>`select table_name as name from information_schema.tables where table_schema = database()`.execute(db)
  const tables = await Promise.all(rows.map(({ name }) => sql`select * from ${sql.table(name)}`.execute(db)))
  return JSON.stringify(tables.map((table) => table.rows))
}
