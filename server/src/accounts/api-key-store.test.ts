import { describe, expect, test } from 'vitest'
import { testDatabases } from '../../test/support/test-databases.ts'
import { updateLastUsed } from './api-key-store.ts'

describe.each(testDatabases())('the key store on $name', ({ open }) => {
  test('writes each key’s own time in one statement, also where ids differ beyond JavaScript’s digits', async () => {
    await using db = await open()
    const uses = ['1', '2', '7532755646102372350', '7532755646102372351', '7532755646102372352'].map((keyId, at) => ({
      keyId,
      usedAt: 1_700_000_000_000 + at,
    }))
    for (const { keyId } of uses) {
      await db
        .insertInto('api_key')
        .values({ id: keyId, api_key: keyId, name: '', user_id: '1', expired_at: 0, created_at: 1, updated_at: 1 })
        .execute()
    }
    const untouched = { id: '3', api_key: '3', name: '', user_id: '1', expired_at: 0, created_at: 1, updated_at: 1 }
    await db.insertInto('api_key').values(untouched).execute()

    await updateLastUsed(db, uses)

    const rows = await db.selectFrom('api_key').select(['api_key', 'last_used_at']).where('id', '!=', '3').orderBy('id').execute()
    expect(rows.map((row) => ({ keyId: row.api_key, usedAt: row.last_used_at }))).toEqual(uses)
    expect(await db.selectFrom('api_key').select('last_used_at').where('id', '=', '3').execute()).toEqual([{ last_used_at: 0 }])
  })
})
