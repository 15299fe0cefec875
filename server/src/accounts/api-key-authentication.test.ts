import { randomBytes } from 'node:crypto'
import type { KyselyPlugin } from 'kysely'
import { describe, expect, test } from 'vitest'
import { startMariadb, testDatabases } from '../../test/support/test-databases.ts'
import { openDatabase } from '../db/database.ts'
import type { Db } from '../db/database.ts'
import { migrate } from '../db/migrate.ts'
import { createSecretBox } from '../lib/secret-box.ts'
import { createKeyAuthentication } from './api-key-authentication.ts'
import type { KeyExpiry } from './api-key-expiry.ts'
import { createKeySecret, md5Of } from './api-key-secret.ts'
import { createKey, createSecretHash, deleteKey, getKey, updateKey } from './api-keys.ts'

const NOW = Date.UTC(2026, 0, 1)
const ADA = { userId: '1' }
const INVALID = refusal('api key invalid')
const EXPIRED = refusal('api key expired')
const DELETED = refusal('api key deleted')

function refusal(message: string) {
  return expect.objectContaining({ code: 'unauthenticated', message })
}

/** The gate and what a test needs around it: a clock to turn, and every query counted. */
function startGate(database: Db) {
  const now = { ms: NOW }
  const queries: string[] = []
  // what happens at the moment when rows are read but not handed over yet
  const meanwhile: { act?: () => void } = {}
  const counting: KyselyPlugin = {
    transformQuery: ({ node }) => {
      queries.push(node.kind)
      return node
    },
    transformResult: async ({ result }) => {
      meanwhile.act?.()
      return result
    },
  }
  const db = database.withPlugin(counting)
  const secrets = createSecretBox('master')
  const errors: unknown[] = []
  const gate = createKeyAuthentication({ db, secrets, clock: () => now.ms, onError: (cause) => errors.push(cause) })
  const deps = { db, secrets, clock: () => now.ms, forgetKey: gate.forget }

  return {
    ...gate,
    deps,
    secrets,
    errors,
    pass: (ms: number) => (now.ms += ms),
    createKey: (expiry: KeyExpiry = {}) => createKey(deps, ADA, { name: 'key', expiry }),
    enter: async (secret: string) => gate.authenticate(secret),
    lastUsedAt: async (keyId: string) => (await getKey(deps, ADA, keyId)).lastUsedAt,
    count: (kind: 'SelectQueryNode' | 'UpdateQueryNode') => queries.filter((query) => query === kind).length,
    queries,
    meanwhile,
    [Symbol.asyncDispose]: () => gate.close(),
  }
}

describe.each(testDatabases())('the gate on $name', ({ open }) => {
  test('lets a key in as its owner, then answers at once without a query', async () => {
    await using db = await open()
    await using gate = startGate(db)
    const { key, secret } = await gate.createKey()

    expect(await gate.authenticate(secret)).toEqual({ userId: '1', keyId: key.id })
    const before = gate.count('SelectQueryNode')
    expect(gate.authenticate(secret)).toEqual({ userId: '1', keyId: key.id })
    expect(gate.count('SelectQueryNode')).toBe(before)
  })

  test('asks once, for the newest secrets and for older ones, about a well-formed key that does not exist', async () => {
    await using db = await open()
    await using gate = startGate(db)
    const guess = createKeySecret()

    await expect(gate.enter(guess)).rejects.toThrow(INVALID)
    await expect(gate.enter(guess)).rejects.toThrow(INVALID)
    expect(gate.count('SelectQueryNode')).toBe(2)

    gate.pass(1_000)
    await expect(gate.enter(guess)).rejects.toThrow(INVALID)
    expect(gate.count('SelectQueryNode')).toBe(4)
  })

  test('asks once when many come with the same key at the same time', async () => {
    await using db = await open()
    await using gate = startGate(db)
    const { secret } = await gate.createKey()

    await Promise.all(Array.from({ length: 50 }, () => gate.enter(secret)))
    expect(gate.count('SelectQueryNode')).toBe(1)
  })

  test('closes to the millisecond when a key expires, remembered or not', async () => {
    await using db = await open()
    await using gate = startGate(db)
    const { key, secret } = await gate.createKey({ expire: 500 })

    await gate.enter(secret)
    gate.pass(499)
    expect(gate.authenticate(secret)).toMatchObject({ keyId: key.id })
    gate.pass(1)
    await expect(gate.enter(secret)).rejects.toThrow(EXPIRED)
    gate.pass(5_000)
    await expect(gate.enter(secret)).rejects.toThrow(EXPIRED)

    await updateKey(gate.deps, ADA, { keyId: key.id, expiry: { expire: 0 } })
    expect(await gate.enter(secret)).toMatchObject({ keyId: key.id })
  })

  test('closes at once when a key is deleted in this process', async () => {
    await using db = await open()
    await using gate = startGate(db)
    const { key, secret } = await gate.createKey()
    await gate.enter(secret)

    await deleteKey(gate.deps, ADA, key.id)
    await expect(gate.enter(secret)).rejects.toThrow(DELETED)
  })

  test('a key that changes while it is being read is not remembered as it was', async () => {
    await using db = await open()
    await using gate = startGate(db)
    const { key, secret } = await gate.createKey()
    gate.meanwhile.act = () => gate.forget(key.id)

    await gate.enter(secret)
    expect(gate.count('SelectQueryNode')).toBe(1)
    await gate.enter(secret)
    expect(gate.count('SelectQueryNode')).toBe(2)
  })

  test('a call that comes after a change does not share an answer from before it', async () => {
    await using db = await open()
    await using gate = startGate(db)
    const { key, secret } = await gate.createKey()
    let later: Promise<unknown> | undefined
    gate.meanwhile.act = () => {
      gate.forget(key.id)
      later ??= gate.enter(secret)
    }

    await gate.enter(secret)
    await later
    expect(gate.count('SelectQueryNode')).toBe(2)
  })

  test('closes within a second when a key is deleted elsewhere', async () => {
    await using db = await open()
    await using gate = startGate(db)
    const { key, secret } = await gate.createKey()
    await gate.enter(secret)

    await deleteKey({ ...gate.deps, forgetKey: () => undefined }, ADA, key.id)
    gate.pass(999)
    expect(gate.authenticate(secret)).toMatchObject({ keyId: key.id })
    gate.pass(1)
    await expect(gate.enter(secret)).rejects.toThrow(DELETED)
  })

  test('believes nothing from a time that has not come yet', async () => {
    await using db = await open()
    await using gate = startGate(db)
    const { key, secret } = await gate.createKey()
    await gate.enter(secret)

    await deleteKey({ ...gate.deps, forgetKey: () => undefined }, ADA, key.id)
    gate.pass(-3_600_000)
    await expect(gate.enter(secret)).rejects.toThrow(DELETED)
  })

  test('knows keys imported from Coze by their MD5 alone', async () => {
    await using db = await open()
    await using gate = startGate(db)
    const secret = `pat_${randomBytes(32).toString('hex')}`
    await db
      .insertInto('api_key')
      .values({ api_key: md5Of(secret), name: 'imported', user_id: '7', expired_at: 0, created_at: 1, updated_at: 1 })
      .execute()

    expect(await gate.enter(secret)).toEqual({ userId: '7', keyId: '1' })
    await expect(gate.enter(`pat_${randomBytes(32).toString('hex')}`)).rejects.toThrow(INVALID)
  })

  test('the right MD5 is not enough where the second hash is wrong', async () => {
    await using db = await open()
    await using gate = startGate(db)
    const { key, secret } = await gate.createKey()

    for (const secretHash of ['f'.repeat(64), 'short', createSecretHash(createSecretBox('another master key'))(secret)]) {
      await db.updateTable('api_key').set({ secret_hash: secretHash }).where('id', '=', key.id).execute()
      await expect(gate.enter(secret)).rejects.toThrow(INVALID)
      gate.pass(1_000)
    }
  })

  test('notes every use, in few writes, and loses none at the end', async () => {
    await using db = await open()
    const gate = startGate(db)
    const keys = await Promise.all([gate.createKey(), gate.createKey(), gate.createKey()])

    for (let call = 0; call < 1000; call++) {
      for (const { secret } of keys) await gate.enter(secret)
      gate.pass(1)
    }
    const usedAt = NOW + 999
    await gate.close()

    expect(await Promise.all(keys.map(({ key }) => gate.lastUsedAt(key.id)))).toEqual([usedAt, usedAt, usedAt])
    // at the first use, perhaps once more in the meantime, and at the end
    expect(gate.count('UpdateQueryNode')).toBeLessThanOrEqual(4)
    expect(gate.errors).toEqual([])
  })

  test('a single use is written down without being asked, a steady one once a second', async () => {
    await using db = await open()
    await using gate = startGate(db)
    const { key, secret } = await gate.createKey()
    await gate.enter(secret)
    await expect.poll(() => gate.lastUsedAt(key.id)).toBe(NOW)

    const started = performance.now()
    while (performance.now() - started < 1_200) {
      gate.pass(1)
      await gate.enter(secret)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    const seconds = (performance.now() - started) / 1000
    expect(gate.count('UpdateQueryNode')).toBeGreaterThanOrEqual(2)
    expect(gate.count('UpdateQueryNode')).toBeLessThanOrEqual(1 + Math.ceil(seconds))
  })
})

test.skipIf(testDatabases().length === 1)('a database that is gone is not a wrong key, and heals by itself', async () => {
  await using server = await startMariadb()
  const db = await openDatabase({ kind: 'mysql', url: server.url() })
  await migrate(db)
  await using gate = startGate(db)
  const { key, secret } = await gate.createKey()
  await gate.enter(secret)
  await gate.flush()
  const unavailable = expect.objectContaining({ code: 'unavailable' })

  await server.kill()
  gate.pass(999)
  expect(gate.authenticate(secret)).toMatchObject({ keyId: key.id })
  gate.pass(1)
  await expect(gate.enter(secret)).rejects.toThrow(unavailable)
  await expect(gate.enter(createKeySecret())).rejects.toThrow(unavailable)
  await gate.flush()
  expect(gate.errors.length).toBeGreaterThan(0)

  await server.start()
  await gate.flush()
  // the use that could not be written down was not forgotten
  expect(await gate.lastUsedAt(key.id)).toBe(NOW + 999)
  expect(await gate.enter(secret)).toMatchObject({ keyId: key.id })
  await gate.close()
  await db.destroy()
})
