import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WINDOW_MS } from '../../src/cluster/limits.ts'
import type { Limits } from '../../src/cluster/limits.ts'
import { openLimits } from '../../src/cluster/open-limits.ts'
import { cannotRun } from '../support/find-program.ts'
import { startRedis } from '../support/redis-server.ts'
import type { RedisServer } from '../support/redis-server.ts'

/** What holds for limits that a process counts alone and for those that processes count together. */

const hasNoRedis = cannotRun('redis-server', 'redis-cli')
let redis: RedisServer
let names = 0
const newName = () => `key-${++names}`

beforeAll(async () => {
  if (!hasNoRedis) redis = await startRedis()
})
afterAll(() => (hasNoRedis ? undefined : redis[Symbol.asyncDispose]()))

type OpenLimitsOne = Limits & AsyncDisposable & { errors: string[] }

async function open(redisUrl: string | undefined): Promise<OpenLimitsOne> {
  const errors: string[] = []
  const limits = await openLimits({ redisUrl, clock: Date.now, onError: (cause) => errors.push(String(cause)) })
  return Object.assign(limits, { errors, [Symbol.asyncDispose]: () => limits.close() })
}

describe('limits in memory', () => holds(() => open(undefined)))

describe.skipIf(hasNoRedis)('limits in Redis', () => {
  holds(() => open(redis.url))
  describe('that processes share', shares)
})

/** A minute that has enough left for the test. */
async function untilRoomInMinute(): Promise<void> {
  await expect.poll(() => WINDOW_MS - (Date.now() % WINDOW_MS), { timeout: 10_000, interval: 100 }).toBeGreaterThan(5_000)
}

function holds(openOne: () => Promise<OpenLimitsOne>): void {
  test('of 1,000 calls at once exactly the limit is taken', { timeout: 40_000 }, async () => {
    await using limits = await openOne()
    await untilRoomInMinute()
    const name = newName()
    const taken = await Promise.all(Array.from({ length: 1_000 }, async () => limits.take(name, 100)))
    expect(taken.filter(({ isTaken }) => isTaken).length).toBe(100)
    const remaining = taken.flatMap((each) => (each.isTaken ? each.remaining : []))
    expect(remaining.toSorted((one, other) => one - other)).toEqual(Array.from({ length: 100 }, (_, at) => at))
    expect(taken.filter(({ isTaken }) => !isTaken).every((each) => each.remaining === 0)).toBe(true)
    for (const { resetMs } of taken) expect(resetMs).toBeGreaterThan(0)
    for (const { resetMs } of taken) expect(resetMs).toBeLessThanOrEqual(WINDOW_MS)
  })

  test('a name has nothing to do with another', async () => {
    await using limits = await openOne()
    await limits.take(newName(), 1)
    expect((await limits.take(newName(), 1)).isTaken).toBe(true)
  })

  test('of many who want a slot at once exactly the limit get one, and one for each that comes back', async () => {
    await using limits = await openOne()
    const name = newName()
    const got = await Promise.all(Array.from({ length: 200 }, (_, at) => limits.acquire(name, `run-${at}`, 10)))
    expect(got.filter(Boolean).length).toBe(10)

    await limits.release(name, `run-${got.indexOf(true)}`)
    expect([await limits.acquire(name, 'next', 10), await limits.acquire(name, 'over', 10)]).toEqual([true, false])
  })

  test('who has a slot keeps it; giving it back twice frees one', async () => {
    await using limits = await openOne()
    const name = newName()
    expect([await limits.acquire(name, 'a', 1), await limits.acquire(name, 'a', 1)]).toEqual([true, true])
    await limits.release(name, 'a')
    await limits.release(name, 'a')
    await limits.release(name, 'stranger')
    expect([await limits.acquire(name, 'b', 1), await limits.acquire(name, 'c', 1)]).toEqual([true, false])
  })

  test('what goes on in any case counts, also beyond the limit', async () => {
    await using limits = await openOne()
    const name = newName()
    await limits.acquire(name, 'a', 1)
    await limits.adopt(name, 'b')
    await limits.release(name, 'a')
    expect(await limits.acquire(name, 'c', 1)).toBe(false)
    await limits.release(name, 'b')
    expect(await limits.acquire(name, 'c', 1)).toBe(true)
  })
}

function shares(): void {
  test('they count together', async () => {
    await using one = await open(redis.url)
    await using other = await open(redis.url)
    await untilRoomInMinute()
    const name = newName()
    const taken = await Promise.all(Array.from({ length: 400 }, async (_, at) => (at % 2 ? one : other).take(name, 50)))
    expect(taken.filter(({ isTaken }) => isTaken).length).toBe(50)

    const got = await Promise.all(Array.from({ length: 40 }, (_, at) => (at % 2 ? one : other).acquire(name, `run-${at}`, 7)))
    expect(got.filter(Boolean).length).toBe(7)
  })

  test('the slot of a process that is gone is free after a while, that of a living one is not', { timeout: 40_000 }, async () => {
    const dead = await open(redis.url)
    await using living = await open(redis.url)
    const [lost, kept] = [newName(), newName()]
    await dead.acquire(lost, 'a', 1)
    await living.acquire(kept, 'a', 1)
    await dead.close()

    await expect.poll(() => living.acquire(lost, 'b', 1), { timeout: 20_000, interval: 500 }).toBe(true)
    expect(await living.acquire(kept, 'b', 1)).toBe(false)
  })

  test('while Redis is away nothing is let through uncounted; when it is back everything goes on', { timeout: 40_000 }, async () => {
    await using limits = await open(redis.url)
    const name = newName()
    await limits.acquire(name, 'a', 1)
    await redis.kill()
    const unavailable = expect.objectContaining({ code: 'unavailable' })
    await expect(Promise.resolve(limits.take(name, 5))).rejects.toThrow(unavailable)
    await expect(limits.acquire(name, 'b', 1)).rejects.toThrow(unavailable)
    await limits.release(newName(), 'nobody')

    await redis.start()
    await expect
      .poll(
        () =>
          Promise.resolve(limits.take(name, 5)).then(
            ({ isTaken }) => isTaken,
            () => false,
          ),
        { timeout: 10_000 },
      )
      .toBe(true)
    // it is empty now: who still runs has its slot again
    await expect.poll(async () => limits.acquire(name, `new-${Date.now()}`, 1), { timeout: 10_000, interval: 3_000 }).toBe(false)
    expect(limits.errors.join()).toContain('Redis')
  })
}
