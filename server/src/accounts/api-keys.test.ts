import { describe, expect, test } from 'vitest'
import { testDatabases } from '../../test/support/test-databases.ts'
import type { Db } from '../db/database.ts'
import { createSecretBox } from '../lib/secret-box.ts'
import { md5Of } from './api-key-secret.ts'
import { createKey, deleteKey, getKey, listKeys, listKeysOfAllUsers, revokeKeyOfAnyUser, updateKey } from './api-keys.ts'
import type { ApiKeyDeps } from './api-keys.ts'

const NOW = Date.UTC(2026, 0, 1)
const ADA = { userId: '1' }
const BOB = { userId: '2' }
const NOT_FOUND = expect.objectContaining({ code: 'not_found' })

function depsFor(db: Db, changes: Partial<ApiKeyDeps> = {}): ApiKeyDeps {
  return { db, secrets: createSecretBox('master'), clock: () => NOW, forgetKey: () => undefined, ...changes }
}

describe.each(testDatabases())('API keys on $name', ({ open }) => {
  test('the secret is shown once and stored never', async () => {
    await using db = await open()
    const { key, secret } = await createKey(depsFor(db), ADA, { name: ' 生产环境 🚀 ', expiry: { expire: 7_776_000_000 } })

    expect(key).toEqual({
      id: '1',
      userId: '1',
      name: '生产环境 🚀',
      lastFour: secret.slice(-4),
      expiredAt: NOW + 7_776_000_000,
      createdAt: NOW,
      updatedAt: NOW,
      lastUsedAt: 0,
    })
    expect(await getKey(depsFor(db), ADA, key.id)).toEqual(key)

    const row = await db.selectFrom('api_key').selectAll().executeTakeFirstOrThrow()
    expect(row.api_key).toBe(md5Of(secret))
    expect(row.secret_hash).toMatch(/^[0-9a-f]{64}$/)
    expect(JSON.stringify(row)).not.toContain(secret.slice(4, -4))
  })

  test('lists are in pages, newest first, without deleted keys and without other people’s', async () => {
    await using db = await open()
    const deps = depsFor(db)
    for (let number = 1; number <= 25; number++) await createKey(deps, ADA, { name: `key ${number}`, expiry: {} })
    await createKey(deps, BOB, { name: 'of bob', expiry: {} })
    await deleteKey(deps, ADA, '25')

    const pages = await Promise.all([1, 2, 3, 4].map((page) => listKeys(deps, ADA, { page, size: 10 })))

    expect(pages.map(({ keys, hasMore, total }) => [keys[0]?.name, keys.length, hasMore, total])).toEqual([
      ['key 24', 10, true, 24],
      ['key 14', 10, true, 24],
      ['key 4', 4, false, 24],
      [undefined, 0, false, 24],
    ])
    expect((await listKeys(deps, ADA, { page: 2, size: 12 })).hasMore).toBe(false)
    expect(pages.flatMap(({ keys }) => keys).every((key) => key.userId === ADA.userId)).toBe(true)
    expect((await listKeysOfAllUsers(deps, { page: 1, size: 100 })).total).toBe(25)
  })

  test('a key of somebody else does not exist, whatever one tries', async () => {
    await using db = await open()
    const deps = depsFor(db)
    const { key } = await createKey(deps, ADA, { name: 'of ada', expiry: {} })

    for (const keyId of [key.id, '999', '9223372036854775807', '18446744073709551616']) {
      await expect(getKey(deps, BOB, keyId)).rejects.toThrow(NOT_FOUND)
      await expect(updateKey(deps, BOB, { keyId, name: 'mine', expiry: {} })).rejects.toThrow(NOT_FOUND)
      await expect(deleteKey(deps, BOB, keyId)).rejects.toThrow(NOT_FOUND)
    }
    expect(await getKey(deps, ADA, key.id)).toEqual(key)
  })

  test('an update changes what it names and nothing else', async () => {
    await using db = await open()
    const { key } = await createKey(depsFor(db), ADA, { name: 'first', expiry: { durationDay: '30' } })
    const later = depsFor(db, { clock: () => NOW + 5_000 })

    const renamed = await updateKey(later, ADA, { keyId: key.id, name: 'second', expiry: {} })
    expect(renamed).toEqual({ ...key, name: 'second', updatedAt: NOW + 5_000 })

    const endless = await updateKey(later, ADA, { keyId: key.id, expiry: { expire: 0 } })
    expect(endless).toEqual({ ...renamed, expiredAt: 0 })
    expect(await getKey(later, ADA, key.id)).toEqual(endless)
  })

  test('deleting is soft, final and announced', async () => {
    await using db = await open()
    const forgotten: string[] = []
    const deps = depsFor(db, { forgetKey: (keyId) => forgotten.push(keyId) })
    const { key } = await createKey(deps, ADA, { name: 'short-lived', expiry: {} })
    const { key: other } = await createKey(deps, BOB, { name: 'revoked by the operator', expiry: {} })

    await deleteKey(deps, ADA, key.id)
    await revokeKeyOfAnyUser(deps, other.id)

    expect(forgotten).toEqual([key.id, other.id])
    expect(await db.selectFrom('api_key').select(['name', 'status']).orderBy('id').execute()).toEqual([
      { name: 'short-lived', status: 1 },
      { name: 'revoked by the operator', status: 1 },
    ])
    await expect(getKey(deps, ADA, key.id)).rejects.toThrow(NOT_FOUND)
    await expect(deleteKey(deps, ADA, key.id)).rejects.toThrow(NOT_FOUND)
    await expect(updateKey(deps, ADA, { keyId: key.id, name: 'back', expiry: {} })).rejects.toThrow(NOT_FOUND)
    await expect(revokeKeyOfAnyUser(deps, key.id)).rejects.toThrow(NOT_FOUND)
  })

  test('a name has 1 to 255 characters', async () => {
    await using db = await open()
    const refused = expect.objectContaining({ code: 'invalid_request', message: expect.stringMatching(/^name:/) })
    for (const name of ['', '  ', 'x'.repeat(256)]) {
      await expect(createKey(depsFor(db), ADA, { name, expiry: {} })).rejects.toThrow(refused)
    }

    const { key } = await createKey(depsFor(db), ADA, { name: '钥'.repeat(255), expiry: {} })
    expect((await getKey(depsFor(db), ADA, key.id)).name).toBe('钥'.repeat(255))
  })

  test('ids and times of rows imported from Coze keep their meaning', async () => {
    await using db = await open()
    const seconds = NOW / 1000
    const times = { created_at: seconds, updated_at: seconds, last_used_at: seconds, expired_at: seconds + 60 }
    await db
      .insertInto('api_key')
      .values({ id: '7532755646102372351', api_key: 'a'.repeat(32), name: 'imported', user_id: '1', ...times })
      .execute()

    const imported = await getKey(depsFor(db), ADA, '7532755646102372351')
    expect(imported).toMatchObject({ createdAt: NOW, updatedAt: NOW, lastUsedAt: NOW, expiredAt: NOW + 60_000, lastFour: '' })

    const { key } = await createKey(depsFor(db), ADA, { name: 'the next one', expiry: {} })
    expect(key.id).toBe('7532755646102372352')
    expect((await getKey(depsFor(db), ADA, key.id)).name).toBe('the next one')
  })
})
