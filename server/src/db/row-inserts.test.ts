import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { testDatabases } from '../../test/support/test-databases.ts'
import type { Db } from './database.ts'
import { createRowInserts } from './row-inserts.ts'

describe.each(testDatabases())('rows inserted by statements that are built once, on $name', ({ open }) => {
  test('are stored with their own values, however often, and however many together', async () => {
    await using db = await open()
    const insertRows = createRowInserts()
    await insertRows(db, 'file', [file(1, 'one'), file(2, '二'), file(3, '')])
    await insertRows(db, 'file', [file(4, "it's"), file(5, 'a?b'), file(6, '😀')])
    await insertRows(db, 'file', [file(7, 'alone')])

    expect(await names(db)).toEqual(['one', '二', '', "it's", 'a?b', '😀', 'alone'])
  })

  test('are stored where their columns come in another order, or a value is not a value', async () => {
    await using db = await open()
    const insertRows = createRowInserts()
    const { id, ...others } = file(2, 'turned')
    await insertRows(db, 'file', [file(1, 'first'), { ...others, id }])
    await insertRows(db, 'file', [file(3, 'plain'), { ...file(4, ''), name: sql<string>`lower('LOWER')` }])
    await insertRows(db, 'file', [{ ...file(5, ''), name: sql<string>`lower('FIRST')` }, file(6, 'last')])

    expect(await names(db)).toEqual(['first', 'turned', 'plain', 'lower', 'first', 'last'])
  })
})

function file(id: number, name: string) {
  return { id: String(id), owner_id: '1', name, size_bytes: 1, mime: 'text/plain', object_key: `key ${id}`, created_at: 1 }
}

async function names(db: Db): Promise<string[]> {
  const rows = await db.selectFrom('file').select('name').orderBy('id').execute()
  return rows.map((row) => row.name)
}
