import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createKeyAuthentication } from '../../src/accounts/api-key-authentication.ts'
import { createKeySecret } from '../../src/accounts/api-key-secret.ts'
import { createKey } from '../../src/accounts/api-keys.ts'
import type { Db } from '../../src/db/database.ts'
import { createSecretBox } from '../../src/lib/secret-box.ts'
import { createQueryNotes } from '../support/query-plans.ts'
import { useTestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

/**
 * Promise 7: a made-up key is refused without a look at the database, in no time. What can be told apart is told apart: the form and
 * the checksum of our own keys, the signature of tokens and of sessions. Two kinds of guesses cost two reads, and no more than that in a second:
 * one that has our form and a right checksum, and one that has the form of Coze's keys, which have none.
 */

const shapes: ((seed: number) => string)[] = [
  (seed) => randomBytes(seed % 100).toString('base64'),
  () => `pat_${randomBytes(40).toString('hex').slice(0, 49)}`,
  () => `${createKeySecret().slice(0, -1)}!`,
  () => changeOne(createKeySecret()),
  () => `pat_${randomBytes(32).toString('hex').toUpperCase()}`,
  () => `sk-${randomBytes(24).toString('hex')}`,
  () => `pub_${randomBytes(60).toString('base64url')}.${randomBytes(32).toString('base64url')}`,
  (seed) =>
    `pub_${Buffer.from(JSON.stringify({ keyId: String(seed), expiresAt: 9e15 })).toString('base64url')}.${randomBytes(32).toString('base64url')}`,
]

const madeUp = (seed: number): string => shapes[seed % shapes.length]?.(seed) ?? ''

/** Mistyped in one place, other than the last ones have it. */
function changeOne(secret: string): string {
  const at = 4 + Math.floor(Math.random() * (secret.length - 4))
  return secret.slice(0, at) + (secret[at] === 'x' ? 'y' : 'x') + secret.slice(at + 1)
}

describe.each(testDatabases())('on $name', ({ name, open }) => {
  const notes = createQueryNotes()
  const app = useTestApp({ database: name, watch: notes.watch })

  test('over HTTP, on each door: 401, and nothing is asked of keys, sessions or accounts', async () => {
    const [cookieName] = (await app.signIn()).split('=')
    notes.queries.clear()
    const doors = [
      'GET /v1/users/me',
      'POST /v3/chat',
      'POST /v1/chat/completions',
      'POST /mcp',
      'GET /v1/nothing-here',
      'GET /api/console/me',
    ]
    const replies = await Promise.all(
      Array.from({ length: 1_200 }, async (_, at) => {
        const [method = '', path = ''] = doors[at % doors.length]?.split(' ') ?? []
        const apiKey = madeUp(Math.floor(at / doors.length))
        const headers = { cookie: `${cookieName}=${encodeURIComponent(`${apiKey}.${apiKey}`)}`, 'x-api-key': apiKey }
        return app.call(method, path, method === 'GET' ? undefined : {}, { apiKey, headers })
      }),
    )
    expect(replies.filter(({ status }, at) => status !== (at % doors.length === 4 ? 404 : 401))).toEqual([])
    expect([...notes.queries.keys()].filter((statement) => /api_key|user/.test(statement))).toEqual([])
  })

  test('100,000 of them are refused without a query, each within a fraction of a millisecond', async () => {
    await using db = await open()
    await using house = openGate(db)
    const guesses = Array.from({ length: 100_000 }, (_, at) => madeUp(at))
    const startedAt = performance.now()
    const believed = guesses.filter((guess) => !isRefusedAtOnce(house.gate, guess))
    const ms = performance.now() - startedAt

    expect(believed).toEqual([])
    expect(house.notes.queries.size).toBe(0)
    expect(ms).toBeLessThan(20_000)
    console.info(`${((ms / guesses.length) * 1000).toFixed(1)} µs for a made-up key`)
  })

  test('what has the form of a key costs two reads, once a second, and keeps no true key out', async () => {
    await using db = await open()
    await using house = openGate(db)
    const { secret } = await createKey({ ...house.deps, forgetKey: () => undefined }, { userId: '1' }, { name: 'true', expiry: {} })
    await house.gate.authenticate(secret)
    const coze = `pat_${randomBytes(32).toString('hex')}`
    for (const guess of [createKeySecret(), coze]) {
      const before = house.notes.count
      for (let call = 0; call < 3; call++) await expect(house.enter(guess)).rejects.toThrow('api key invalid')
      expect(house.notes.count - before).toBe(2)
    }
    // more than are remembered
    for (let guess = 0; guess < 11_000; guess++) await house.enter(createKeySecret()).catch(() => undefined)
    expect(house.gate.authenticate(secret)).not.toBeInstanceOf(Promise)
  })
})

/** The time stands still. */
function openGate(database: Db) {
  const notes = createQueryNotes()
  const deps = { db: notes.watch(database), secrets: createSecretBox('master'), clock: () => 1_800_000_000_000 }
  const gate = createKeyAuthentication({ ...deps, onError: () => undefined })
  return {
    ...{ notes, deps, gate },
    enter: async (secret: string) => gate.authenticate(secret),
    [Symbol.asyncDispose]: () => gate.close(),
  }
}

type Gate = ReturnType<typeof createKeyAuthentication>

/** Told without a promise: nothing was waited for. */
function isRefusedAtOnce(gate: Gate, guess: string): boolean {
  try {
    void Promise.resolve(gate.authenticate(guess)).catch(() => undefined)
    return false
  } catch (cause) {
    return cause instanceof Error && /^(api key|token) invalid$/.test(cause.message)
  }
}
