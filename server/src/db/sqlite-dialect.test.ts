import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { isDatabaseUnavailable, openDatabase } from './database.ts'

test('what was prepared before the schema changed sees the new columns', async () => {
  await using file = await openFile()
  const { db } = file
  const read = async () => (await sql`select * from thing`.execute(db)).rows
  await sql`create table thing (id integer)`.execute(db)
  await sql`insert into thing values (1)`.execute(db)
  expect(await read()).toEqual([{ id: 1 }])

  await sql`alter table thing add column name text default 'n'`.execute(db)
  expect(await read()).toEqual([{ id: 1, name: 'n' }])

  file.other.exec('alter table thing add column size integer default 7')
  expect(await read()).toEqual([{ id: 1, name: 'n', size: 7 }])
})

test('a transaction has the write lock from its beginning, so it cannot fail half-way', async () => {
  await using file = await openFile()
  const { db, other } = file
  await sql`create table thing (id integer)`.execute(db)
  other.pragma('busy_timeout = 0')

  await db.transaction().execute(async (tx) => {
    expect(() => other.exec('begin immediate')).toThrow(/locked/)
    await sql`insert into thing values (1)`.execute(tx)
    // readers are not in its way
    expect(other.prepare('select count(*) as n from thing').get()).toEqual({ n: 0 })
  })
  expect(other.prepare('select count(*) as n from thing').get()).toEqual({ n: 1 })
})

test('one that cannot begin says that the database is busy, and the connection is fine afterwards', async () => {
  await using file = await openFile()
  const { db, other } = file
  await sql`create table thing (id integer)`.execute(db)
  other.exec('begin immediate')
  const failing = db.transaction().execute(async (tx) => void (await sql`insert into thing values (1)`.execute(tx)))
  const cause = await failing.catch((reason: unknown) => reason)
  other.exec('commit')

  expect(isDatabaseUnavailable(cause)).toBe(true)
  await sql`insert into thing values (2)`.execute(db)
  expect((await sql`select id from thing`.execute(db)).rows).toEqual([{ id: 2 }])
})

test('more statements than are kept prepared still work', async () => {
  await using file = await openFile()
  for (let number = 0; number < 1_200; number++) {
    const { rows } = await sql`select ${sql.raw(String(number % 700))} as n`.execute(file.db)
    expect(rows).toEqual([{ n: number % 700 }])
  }
})

test('it is durable, and foreign keys count', async () => {
  await using file = await openFile()
  const pragma = async (name: string) => (await sql`${sql.raw(`pragma ${name}`)}`.execute(file.db)).rows[0]

  expect(await pragma('journal_mode')).toEqual({ journal_mode: 'wal' })
  expect(await pragma('foreign_keys')).toEqual({ foreign_keys: 1 })
  // NORMAL: with WAL a crash of the process loses nothing
  expect(await pragma('synchronous')).toEqual({ synchronous: 1 })
})

async function openFile() {
  const dir = await mkdtemp(join(tmpdir(), 'coze-plus-sqlite-'))
  const path = join(dir, 'test.db')
  const db = await openDatabase({ kind: 'sqlite', path })
  const other = new SqliteDatabase(path)
  return {
    db,
    other,
    async [Symbol.asyncDispose]() {
      other.close()
      await db.destroy()
      await rm(dir, { recursive: true })
    },
  }
}
