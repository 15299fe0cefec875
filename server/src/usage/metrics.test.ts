import { expect, test } from 'vitest'
import { createMetrics } from './metrics.ts'

const none = () => 0

test('a million keys are not a million rows: the first thousand have names', async () => {
  const metrics = createMetrics({ liveRuns: none, liveWorkflowRuns: none, openStreams: none, redisUp: none })
  const call = (keyId: string | undefined) =>
    metrics.httpRequest({ endpoint: '/v3/chat', method: 'POST', status: 200, keyId, seconds: 0.1 })
  for (let key = 1; key <= 3_000; key++) call(String(key))
  call('7')
  call(undefined)

  const lines = (await metrics.render()).split('\n').filter((line) => line.startsWith('http_requests_total{'))
  expect(lines).toHaveLength(1_002)
  const countOf = (key: string) =>
    lines
      .find((line) => line.includes(`api_key_id="${key}"`))
      ?.split(' ')
      .at(-1)
  expect([countOf('7'), countOf('1000'), countOf('1001'), countOf('other'), countOf('')]).toEqual(['2', '1', undefined, '2000', '1'])
})
