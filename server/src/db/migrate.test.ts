import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startMariadb, testDatabases } from '../../test/support/test-databases.ts'
import { openDatabase } from './database.ts'
import type { DatabaseLocation } from './database.ts'
import { listPendingMigrations, migrate } from './migrate.ts'
import { migrations } from './migrations/index.ts'

const STEPS = Object.keys(migrations)

describe.each(testDatabases())('migrations on $name', ({ open }) => {
  test('a second run changes nothing', async () => {
    await using db = await open()

    expect(await migrate(db)).toEqual([])
    expect(await listPendingMigrations(db)).toEqual([])
  })
})

test('an empty database says what is pending, and gets it once', async () => {
  const db = await openDatabase({ kind: 'sqlite', path: ':memory:' })

  expect(await listPendingMigrations(db)).toEqual(STEPS)
  expect(await migrate(db)).toEqual(STEPS)
  expect(await listPendingMigrations(db)).toEqual([])
  await db.destroy()
})

describe('processes that start together migrate once', () => {
  test('on one SQLite file', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'coze-plus-migrate-'))
    const location = { kind: 'sqlite', path: join(dir, 'test.db') } as const

    expect(await migrateInProcesses(location, 4)).toEqual(STEPS)
    await rm(dir, { recursive: true })
  })

  test.skipIf(testDatabases().length === 1)('on one MariaDB', async () => {
    await using server = await startMariadb()
    const location = { kind: 'mysql', url: server.url() } as const
    const databases = await Promise.all(Array.from({ length: 4 }, () => openDatabase(location)))

    const applied = await Promise.all(databases.map(migrate))

    expect(applied.flat()).toEqual(STEPS)
    await Promise.all(databases.map((db) => db.destroy()))
  })
})

/** What all of them together have applied. */
async function migrateInProcesses(location: DatabaseLocation, count: number): Promise<unknown[]> {
  const code = `
    import { openDatabase } from ${JSON.stringify(join(import.meta.dirname, 'database.ts'))}
    import { migrate } from ${JSON.stringify(join(import.meta.dirname, 'migrate.ts'))}
    const db = await openDatabase(${JSON.stringify(location)})
    console.log(JSON.stringify(await migrate(db)))
    await db.destroy()`
  const outputs = await Promise.all(Array.from({ length: count }, () => outputOf(code)))
  return outputs.flatMap((output): unknown[] => JSON.parse(output))
}

async function outputOf(code: string): Promise<string> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  return (await child.stdout.toArray()).join('')
}
