import { parse } from 'yaml'
import { beforeAll, describe, expect, test } from 'vitest'
import { says } from '../support/fake-provider.ts'
import { cannotRun } from '../support/find-program.ts'
import { samples } from './guide-files.ts'
import { startGuideProduct } from './guide-product.ts'
import type { GuideProduct } from './guide-product.ts'
import { startPrometheus } from './prometheus-server.ts'
import type { PrometheusServer } from './prometheus-server.ts'

describe.skipIf(cannotRun('prometheus'))(`a Prometheus that asks ${samples.whose} queries`, () => {
  let product: GuideProduct
  let prometheus: PrometheusServer
  let queries: string[]

  beforeAll(async () => {
    await using started = new AsyncDisposableStack()
    product = started.use(await startGuideProduct({ script: says('好') }))
    prometheus = started.use(await startPrometheus(product.server.port))
    queries = (parse(await samples.read('prometheus-queries.yaml')) as { query: string }[]).map(({ query }) => query)

    // a rate needs a counter that grows between two looks at it
    const traffic = setInterval(
      () => void Promise.allSettled([call('/v3/chat'), call('/v3/chat', 'pat_wrong'), call('/v1/bots/123456')]),
      200,
    )
    started.defer(() => clearInterval(traffic))
    const all = started.move()
    return () => all.disposeAsync()
  })

  test('sees refused chats', async () => {
    const [failures = ''] = queries
    expect(await firstNumber(failures)).toEqual([{ labels: {}, value: expect.any(Number) }])
  })

  test('sees how much each key is used, by its id', async () => {
    const [, usage = ''] = queries
    const samplesByKey = await firstNumber(usage, ({ labels }) => labels.api_key_id === product.key.id)
    const ofKey = Object.fromEntries(samplesByKey.map(({ labels, value }) => [labels.api_key_id ?? 'none', value]))

    // two calls with the key for each refused one, which has no id
    expect(Object.keys(ofKey).sort()).toEqual([product.key.id, 'none'].sort())
    expect(ofKey[product.key.id]).toBeGreaterThan(ofKey.none ?? Infinity)
  })

  test('sees how long the slow answers take, by endpoint', async () => {
    const [, , times = ''] = queries
    const samplesByEndpoint = await firstNumber(times, ({ labels }) => labels.endpoint === '/v3/chat')
    const seconds = samplesByEndpoint.find(({ labels }) => labels.endpoint === '/v3/chat')?.value
    expect(seconds).toBeGreaterThan(0)
    expect(seconds).toBeLessThan(10)
  })

  /** What the query answers as soon as one sample that matters is a number above zero. */
  async function firstNumber(query: string, matters: (sample: { labels: Record<string, string> }) => boolean = () => true) {
    const hasNumber = async () => (await prometheus.query(query)).some((sample) => matters(sample) && sample.value > 0)
    await expect.poll(hasNumber, { timeout: 15_000, interval: 200 }).toBe(true)
    return prometheus.query(query)
  }

  async function call(path: string, secret = product.key.secret): Promise<void> {
    const isChat = path === '/v3/chat'
    const response = await fetch(`${product.server.url}${path}`, {
      method: isChat ? 'POST' : 'GET',
      headers: { authorization: `Bearer ${secret}`, ...(isChat && { 'content-type': 'application/json' }) },
      body: isChat ? JSON.stringify({ bot_id: 123456, query: '你好' }) : undefined,
    })
    await response.text()
  }
})
