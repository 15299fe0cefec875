import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ClusterBus } from '../../src/cluster/cluster-bus.ts'
import { openBus } from '../../src/cluster/open-bus.ts'
import { cannotRun } from '../support/find-program.ts'
import { startRedis } from '../support/redis-server.ts'
import type { RedisServer } from '../support/redis-server.ts'

/** What holds for every bus, and what only one that processes share can do. */

type OpenBus = AsyncDisposable & { bus: ClusterBus; errors: string[] }

let redis: RedisServer
const hasNoRedis = cannotRun('redis-server', 'redis-cli')

beforeAll(async () => {
  if (!hasNoRedis) redis = await startRedis()
})
afterAll(() => (hasNoRedis ? undefined : redis[Symbol.asyncDispose]()))

async function open(url: string | undefined): Promise<OpenBus> {
  const errors: string[] = []
  const bus = await openBus(url, (cause) => errors.push(String(cause)))
  return { bus, errors, [Symbol.asyncDispose]: () => bus.close() }
}

describe('a bus in memory', () => holds(() => open(undefined)))

describe.skipIf(hasNoRedis)('a bus in Redis', () => {
  holds(() => open(redis.url))
  describe('that processes share', shares)
  describe('whose Redis', outlives)
})

/** Says words until one has been heard: a listener is there some time after it was asked for. */
async function untilHeard(bus: ClusterBus, heard: string[], channel = 'news'): Promise<void> {
  await expect.poll(() => bus.publish(channel, 'hello?') ?? heard.length).toBeGreaterThan(0)
  const silence = async () => {
    const before = heard.length
    await new Promise((resolve) => setTimeout(resolve, 50))
    return heard.length - before
  }
  await expect.poll(silence).toBe(0)
  heard.length = 0
}

function holds(openOne: () => Promise<OpenBus>): void {
  test('is heard in its own process too, by every listener of the channel, in order', async () => {
    await using house = await openOne()
    const { bus } = house
    const heard: Record<string, string[]> = { one: [], two: [], other: [] }
    for (const name of ['one', 'two']) bus.subscribe('news', (message) => heard[name]?.push(message))
    bus.subscribe('other', (message) => heard.other?.push(message))
    await untilHeard(bus, heard.one ?? [])
    heard.two = []
    const words = Array.from({ length: 200 }, (_, at) => `词 ${at}`)
    for (const word of words) bus.publish('news', word)

    await expect.poll(() => heard).toEqual({ one: words, two: words, other: [] })
    expect(house.errors).toEqual([])
  })

  test('is not heard by who has stopped listening; a function that listens twice hears twice', async () => {
    await using house = await openOne()
    const { bus } = house
    const heard: string[] = []
    const listener = (message: string) => void heard.push(message)
    const [first] = [bus.subscribe('news', listener), bus.subscribe('news', listener)]
    await untilHeard(bus, heard)
    bus.publish('news', 'a')
    await expect.poll(() => heard).toEqual(['a', 'a'])

    first.stop()
    first.stop()
    bus.publish('news', 'b')
    await expect.poll(() => heard).toEqual(['a', 'a', 'b'])
  })

  test('goes on after a listener that throws, and tells of it', async () => {
    await using house = await openOne()
    const heard: string[] = []
    house.bus.subscribe('broken', () => {
      throw new Error('the listener is broken')
    })
    house.bus.subscribe('broken', (message) => heard.push(message))

    await expect.poll(() => house.bus.publish('broken', 'x') ?? heard.length).toBeGreaterThan(0)
    expect(house.errors[0]).toBe('Error: the listener is broken')
  })

  test('closes, more than once, and is silent then', async () => {
    const { bus, errors } = await openOne()
    const heard: string[] = []
    bus.subscribe('news', (message) => heard.push(message))
    await bus.close()
    await bus.close()
    bus.publish('news', 'x')
    bus.subscribe('news', (message) => heard.push(message))
    bus.publish('news', 'y')

    expect(errors).toEqual([])
  })
}

function shares(): void {
  test('carries what one says to the others', async () => {
    await using one = await open(redis.url)
    await using other = await open(redis.url)
    const heard: string[] = []
    other.bus.subscribe('news', (message) => heard.push(message))
    await untilHeard(one.bus, heard)
    one.bus.publish('news', 'from one')

    await expect.poll(() => heard).toEqual(['from one'])
    expect([one.bus.isShared, other.bus.isShared]).toEqual([true, true])
  })

  test('carries nothing to an installation with another database of the same Redis', async () => {
    await using one = await open(redis.url)
    await using foreign = await open(`${redis.url}/1`)
    const heard: Record<string, string[]> = { one: [], foreign: [] }
    one.bus.subscribe('news', (message) => heard.one?.push(message))
    foreign.bus.subscribe('news', (message) => heard.foreign?.push(message))
    await untilHeard(one.bus, heard.one ?? [])
    await untilHeard(foreign.bus, heard.foreign ?? [])
    one.bus.publish('news', 'mine')

    await expect.poll(() => heard).toEqual({ one: ['mine'], foreign: [] })
  })
}

function outlives(): void {
  test('goes away and comes back is told of once; meanwhile a process hears itself', async () => {
    await using own = await startRedis()
    await using one = await open(own.url)
    await using other = await open(own.url)
    const heard: Record<string, string[]> = { one: [], other: [] }
    one.bus.subscribe('news', (message) => heard.one?.push(message))
    other.bus.subscribe('news', (message) => heard.other?.push(message))
    await untilHeard(one.bus, heard.other ?? [])
    heard.one = []

    await own.kill()
    await expect.poll(() => one.bus.isShared).toBe(false)
    one.bus.publish('news', 'alone')
    await expect.poll(() => heard).toEqual({ one: ['alone'], other: [] })
    await expect.poll(() => one.errors).toEqual([expect.stringContaining('(ECONNREFUSED)')])

    await own.start()
    await expect.poll(() => one.bus.isShared && other.bus.isShared).toBe(true)
    await untilHeard(one.bus, heard.other ?? [])
    one.bus.publish('news', 'together')
    await expect.poll(() => heard.other).toEqual(['together'])
    expect(one.errors.length).toBe(1)
  })

  test('was never there is no reason not to start, to speak and to close', async () => {
    await using gone = await startRedis()
    await gone.kill()
    const { bus, errors } = await open(gone.url)
    const heard: string[] = []
    bus.subscribe('news', (message) => heard.push(message))
    bus.publish('news', 'alone')
    await expect.poll(() => heard).toEqual(['alone'])
    await bus.close()

    expect(errors).toEqual([expect.stringContaining('(ECONNREFUSED)')])
  })

  test('does not know the password is told of without the password', async () => {
    await using own = await startRedis({ password: 'sesame' })
    await using wrong = await open(own.url.replace('sesame', 'hush'))
    expect(wrong.bus.isShared).toBe(false)
    expect(wrong.errors).toEqual([expect.stringContaining('(WRONGPASS)')])
    expect(wrong.errors.join()).not.toContain('hush')
  })
}
