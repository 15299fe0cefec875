import { expect, onTestFinished, test } from 'vitest'
import { askModel } from '../../test/support/ask-model.ts'
import { answers, cut, fails, hangs, refuses, says, sendsHtml, startFakeProvider } from '../../test/support/fake-provider.ts'
import type { Answer } from '../../test/support/fake-provider.ts'
import { modelFailure, startOpenAiModel } from '../../test/support/openai-model.ts'
import { createRetryingAdapter } from './retrying-adapter.ts'
import type { RetryOptions } from './retrying-adapter.ts'

async function startRetrying(script: Answer[], options: RetryOptions = {}) {
  const timeouts = { firstByteMs: 100, wholeMs: 100, betweenChunksMs: 100 }
  const { provider, adapter } = await startOpenAiModel(script, { timeouts })
  const retrying = createRetryingAdapter(adapter, { firstPauseMs: 1, ...options })
  return { provider, ask: (signal?: AbortSignal) => askModel(retrying, { signal }) }
}

test.each([
  ['rate limits', fails(429)],
  ['failures of the provider', fails(503)],
  ['broken connections', refuses()],
  ['streams that break before the first chunk', answers([cut()])],
  ['providers that do not begin to answer', hangs()],
])('gets over %s', async (_, failure) => {
  const { provider, ask } = await startRetrying([failure, failure, says('after all')])

  expect((await ask()).text).toBe('after all')
  expect(provider.requests).toHaveLength(3)
})

test('gets over a provider that is not there', async () => {
  const { provider, ask } = await startRetrying([says('never')], { retries: 1 })
  await provider.close()

  expect((await modelFailure(ask())).kind).toBe('unreachable')
})

test('gives up after two retries', async () => {
  const { provider, ask } = await startRetrying([fails(503)])

  expect((await modelFailure(ask())).kind).toBe('unavailable')
  expect(provider.requests).toHaveLength(3)
})

test.each([
  ['a refused key', fails(401)],
  ['a refused request', fails(400)],
  ['garbage', sendsHtml()],
])('does not repeat %s', async (_, failure) => {
  const { provider, ask } = await startRetrying([failure, says('never')])

  await modelFailure(ask())
  expect(provider.requests).toHaveLength(1)
})

test('does not repeat what somebody has read the beginning of', async () => {
  const { provider, ask } = await startRetrying([answers(['Hel', cut()]), says('never')])

  expect((await modelFailure(ask())).kind).toBe('cut')
  expect(provider.requests).toHaveLength(1)
})

test('waits as long as the provider asks for', async () => {
  const { ask } = await startRetrying([fails(429, { retryAfter: 0.2 }), says('after all')])
  const before = performance.now()

  expect((await ask()).text).toBe('after all')
  expect(performance.now() - before).toBeGreaterThanOrEqual(195)
})

test('does not wait longer than 10 s for anybody', async () => {
  const { provider, ask } = await startRetrying([fails(429, { retryAfter: 11 }), says('never')])

  expect(await modelFailure(ask())).toMatchObject({ kind: 'rate_limit', retryAfterMs: 11_000 })
  expect(provider.requests).toHaveLength(1)
})

test('each pause is longer than the one before, and chance is in it', async () => {
  const pausesWith = async (random: () => number) => {
    const times: number[] = []
    const adapter = {
      async answer() {
        times.push(performance.now())
        throw new (await import('./model-adapter.ts')).ModelError('unavailable', 'no')
      },
    }
    await modelFailure(askModel(createRetryingAdapter(adapter, { firstPauseMs: 60, random })))
    return times.slice(1).map((time, i) => time - (times[i] ?? 0))
  }
  const [short, long] = await Promise.all([pausesWith(() => 0), pausesWith(() => 1)])

  expect(short[0]).toBeGreaterThanOrEqual(29)
  expect(short[1]).toBeGreaterThanOrEqual(59)
  expect(long[0]).toBeGreaterThanOrEqual(59)
  expect(long[1]).toBeGreaterThanOrEqual(119)
})

test('an abort ends the pause at once', async () => {
  const provider = await startFakeProvider()
  onTestFinished(() => provider.close())
  const { provider: failing, ask } = await startRetrying([fails(429, { retryAfter: 9 })])
  const abort = new AbortController()
  const asked = ask(abort.signal)
  await failing.untilRequests(1)

  abort.abort(new Error('canceled'))

  await expect(asked).rejects.toThrow('canceled')
  expect(failing.requests).toHaveLength(1)
})
