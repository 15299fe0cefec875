import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { testDatabases } from '../../test/support/test-databases.ts'
import { dialectOf, inTransaction, isDatabaseUnavailable, isDuplicate, pingDatabase, upsert } from './database.ts'
import type { Db } from './database.ts'

describe.each(testDatabases())('a database on $name', ({ name, open }) => {
  test('gives every id back digit for digit', async () => {
    await using db = await open()
    const ids = fc.uniqueArray(fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }), { minLength: 5, maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(ids, async (chosen) => {
        const sorted = [...chosen].sort((a, b) => (a < b ? -1 : 1)).map(String)
        await db.deleteFrom('file').execute()
        await db.insertInto('file').values(sorted.map(file)).execute()
        const rows = await db.selectFrom('file').select(['id', 'owner_id']).orderBy('id').execute()

        expect(rows.map((row) => String(row.id))).toEqual(sorted)
        expect(rows.map((row) => String(row.owner_id))).toEqual(sorted)
        for (const id of sorted) expect(await db.selectFrom('file').select('id').where('id', '=', id).execute()).toHaveLength(1)
      }),
      { numRuns: 10 },
    )
  })

  test('tells ids of 19 digits apart that are the same as floating-point numbers', async () => {
    await using db = await open()
    const ids = ['9223372036854775805', '9223372036854775806', '9223372036854775807']
    await db.insertInto('file').values(ids.map(file)).execute()
    const found = async (operator: '=' | '<' | '>' | 'in', value: string | string[]) =>
      (await db.selectFrom('file').select('id').where('id', operator, value).orderBy('id').execute()).map((row) => row.id)

    expect(await found('=', '9223372036854775806')).toEqual(ids.slice(1, 2))
    expect(await found('<', '9223372036854775806')).toEqual(ids.slice(0, 1))
    expect(await found('>', '9223372036854775806')).toEqual(ids.slice(2))
    expect(await found('in', ids.slice(0, 2))).toEqual(ids.slice(0, 2))
  })

  test('gives every text back, whatever is in it', async () => {
    await using db = await open()
    const texts = ['文 🚀 é\u0301', `'; drop table file; --`, 'a\0b\r\n\u2028', '\\" %_', '']
    await db
      .insertInto('file')
      .values(texts.map((text, at) => ({ ...file(String(at + 1)), name: text })))
      .execute()
    const rows = await db.selectFrom('file').select('name').orderBy('id').execute()

    expect(rows.map((row) => row.name)).toEqual(texts)
  })

  test('knows what it is, answers, and tells a repeated key from other errors', async () => {
    await using db = await open()
    await pingDatabase(db)
    await db.insertInto('file').values(file('1')).execute()
    const repeated = await errorOf(db.insertInto('file').values(file('1')).execute())
    const missing = await errorOf(
      db
        .updateTable('file')
        .set({ name: null as unknown as string })
        .execute(),
    )

    expect(dialectOf(db)).toBe(name === 'SQLite' ? 'sqlite' : 'mysql')
    expect([isDuplicate(repeated), isDatabaseUnavailable(repeated)]).toEqual([true, false])
    expect([isDuplicate(missing), isDatabaseUnavailable(missing)]).toEqual([false, false])
  })

  test('upsert inserts, or changes only what it is told to', async () => {
    await using db = await open()
    const put = (name: string) => upsert(db, 'file', { row: { ...file('1'), name, mime: name }, keys: ['id'], changes: { name } })
    await put('first')
    await put('second')

    expect(await db.selectFrom('file').select(['name', 'mime']).execute()).toEqual([{ name: 'second', mime: 'first' }])
  })

  test('a transaction in a transaction is the same one: all of it or nothing', async () => {
    await using db = await open()
    const insert = (id: string) => async (tx: Db) => void (await tx.insertInto('file').values(file(id)).execute())
    const failing = inTransaction(db, async (tx) => {
      await inTransaction(tx, insert('1'))
      throw new Error('too late')
    })
    await expect(failing).rejects.toThrow('too late')
    await inTransaction(db, insert('2'))

    expect(await db.selectFrom('file').select('id').execute()).toEqual([{ id: 2 }])
  })
})

test.each([new Error('anything'), 'a text', undefined, Object.assign(new Error('x'), { code: 'ER_PARSE_ERROR' })])(
  'a bug is not an outage: %s',
  (cause) => expect(isDatabaseUnavailable(cause)).toBe(false),
)

function file(id: string) {
  return { id, owner_id: id, name: 'n', size_bytes: 1, mime: 'text/plain', object_key: 'k', created_at: 1 }
}

const errorOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (cause: unknown) => cause,
  )
