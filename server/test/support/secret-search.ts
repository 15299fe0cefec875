import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { dialectOf } from '../../src/db/database.ts'
import type { Db } from '../../src/db/database.ts'
import { tablesOf } from './database-rows.ts'
import type { TestApp } from './test-app.ts'

/** To be called last in a `describe`: what its tests did has brought no secret to where somebody could find it. */
export function keepsItsSecrets(app: TestApp): void {
  test('no secret has got into logs, metrics, error bodies or the database', async () => {
    const places = await readPlaces(app)
    // what is there must be found, or the search would prove nothing
    expect(places.database).toContain('user1@example.com')
    expect(places.logs).toContain('"endpoint":"/')
    expect(places.metrics).toContain('http_requests_total')
    expect(findSecrets(app, places)).toEqual([])
  })
}

export type Places = Record<'logs' | 'metrics' | 'refusals' | 'database', string>

/** Such as `API key 7 in logs`: also where it is written as programs write it, in base64, hex or for a URL. */
export function findSecrets({ secrets }: Pick<TestApp, 'secrets'>, places: Places): string[] {
  return [...secrets].flatMap(([name, secret]) =>
    Object.entries(places).flatMap(([place, text]) =>
      spellingsOf(secret).some((each) => text.includes(each)) ? [`${name} in ${place}`] : [],
    ),
  )
}

function spellingsOf(secret: string): string[] {
  const inJson = JSON.stringify(secret).slice(1, -1)
  const base64 = [0, 1, 2].map((shift) => base64Inside(secret, shift))
  const safeBase64 = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'))
  const plain = [secret, inJson, encodeURIComponent(secret), decodeURIComponent(secret), Buffer.from(secret).toString('hex')]
  return [...plain, ...base64, ...safeBase64]
}

/** What base64 makes of a text wherever it stands: without the signs at its ends, which what is beside it has a part in. */
function base64Inside(text: string, shift: number): string {
  const all = Buffer.concat([Buffer.alloc(shift), Buffer.from(text)])
  return all
    .subarray(0, all.length - (all.length % 3))
    .toString('base64')
    .slice(shift === 0 ? 0 : 4)
}

export async function readPlaces(app: TestApp): Promise<Places> {
  const token = app.core.config.metricsToken
  const metrics = await app.call('GET', '/metrics', undefined, token === undefined ? {} : { apiKey: token })
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
  const tables = await Promise.all((await tablesOf(db)).map((name) => sql`select * from ${sql.table(name)}`.execute(db)))
  return JSON.stringify(tables.map((table) => table.rows))
}
