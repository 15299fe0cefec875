import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { saysForever } from '../support/fake-provider.ts'
import { cannotRun } from '../support/find-program.ts'
import { makeLimitedKey } from '../support/limited-keys.ts'
import { startRedis } from '../support/redis-server.ts'
import type { RedisServer } from '../support/redis-server.ts'
import { startSecondNode } from '../support/second-node.ts'
import { startTestApp } from '../support/test-app.ts'

/** Promise 11: of 1,000 calls at once with a limit of 100 exactly 100 get through, on one node and on two that share a Redis. */

const hasNoRedis = cannotRun('redis-server', 'redis-cli')

test('one node, in memory', { timeout: 60_000 }, async () => {
  // the time stands still while the calls are made
  const time = { ms: 0 }
  await using app = await startTestApp({ clock: () => time.ms || Date.now() })
  const { apiKey } = await makeLimitedKey(app, { requests_per_minute: 100 })
  time.ms = Date.now()
  await expectExactly(100, await statuses([app.url], apiKey))
})

describe.skipIf(hasNoRedis)('two nodes that share a Redis', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis[Symbol.asyncDispose]())

  test('requests of a minute', { timeout: 90_000 }, async () => {
    await using app = await startTestApp({ env: { REDIS_URL: redis.url } })
    await using second = await startSecondNode(app)
    const { apiKey } = await makeLimitedKey(app, { requests_per_minute: 100 })
    // all of them in one minute of Redis
    await expect.poll(() => Date.now() % 60_000, { timeout: 40_000, interval: 100 }).toBeLessThan(30_000)
    await expectExactly(100, await statuses([app.url, second.url], apiKey))
  })

  test('runs at the same time; while Redis is away nothing limited gets through', { timeout: 60_000 }, async () => {
    await using app = await startTestApp({ env: { REDIS_URL: redis.url } })
    await using second = await startSecondNode(app)
    app.provider.script = saysForever('x', { delayMs: 20 })
    const { apiKey } = await makeLimitedKey(app, { concurrent_runs: 5 })
    const messages = [{ role: 'user', content: 'hi', content_type: 'text' }]
    const starts = Array.from({ length: 60 }, (_, at) =>
      fetch(`${at % 2 ? app.url : second.url}/v3/chat`, {
        method: 'POST',
        headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({ bot_id: 123456, additional_messages: messages }),
      }).then(({ status }) => status),
    )
    const found = await Promise.all(starts)
    expect([found.filter((status) => status === 200).length, found.filter((status) => status === 429).length]).toEqual([5, 55])

    await redis.kill()
    const limited = await makeLimitedKey(app, { requests_per_minute: 100 })
    const refused = await app.call('GET', '/v1/users/me', undefined, limited)
    expect([refused.status, refused.body.msg]).toEqual([503, expect.stringMatching(/Redis cannot be reached/)])
    expect((await app.call('GET', '/v1/users/me')).status).toBe(200)
    await redis.start()
    await expect.poll(async () => (await app.call('GET', '/v1/users/me', undefined, limited)).status).toBe(200)
  })
})

async function statuses(urls: string[], apiKey: string): Promise<number[]> {
  const calls = Array.from({ length: 1_000 }, async (_, at) => {
    const response = await fetch(`${urls[at % urls.length]}/v1/users/me`, { headers: { authorization: `Bearer ${apiKey}` } })
    await response.arrayBuffer()
    return response.status
  })
  return Promise.all(calls)
}

async function expectExactly(limit: number, found: number[]): Promise<void> {
  expect([found.filter((status) => status === 200).length, found.filter((status) => status === 429).length]).toEqual([limit, 1_000 - limit])
}
