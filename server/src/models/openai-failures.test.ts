import { getEventListeners } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { expect, test } from 'vitest'
import {
  answers,
  cut,
  fails,
  hang,
  hangs,
  raw,
  refuses,
  says,
  saysForever,
  sendsHtml,
  sendsJson,
  sendsRaw,
  stop,
  wait,
} from '../../test/support/fake-provider.ts'
import { modelFailure as failureOf, startOpenAiModel as startModel, TEST_KEY as KEY } from '../../test/support/openai-model.ts'

const quick = { firstByteMs: 80, wholeMs: 80, betweenChunksMs: 80 }
const sendsForever = (first: string, part: string, contentType: string) =>
  sendsRaw([first, ...Array.from({ length: 100 }, () => part)], { contentType, delayMs: 1 })

test('a finish reason is enough: neither [DONE] nor the end of the connection is needed', async () => {
  const { provider, ask } = await startModel(answers(['all'], { done: false }))
  expect((await ask()).text).toBe('all')

  const final = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'all' }, finish_reason: 'stop' }] })}`
  provider.script = answers([raw(`${final}\n\n`), cut()])
  expect((await ask()).text).toBe('all')

  // not even the empty line after the last event
  provider.script = sendsRaw([final])
  expect((await ask()).text).toBe('all')
})

test('so is [DONE] alone, even when the connection stays open after it', async () => {
  const { ask } = await startModel(answers(['all', raw('data: [DONE]\n\n'), hang()]))

  expect(await ask()).toMatchObject({ text: 'all', result: { finishReason: 'stop' } })
})

test.each([
  ['ends early', () => answers(['par', stop()])],
  ['ends in the middle of an event', () => answers(['par', raw('data: {"choices":[{"del'), stop()])],
  ['breaks', () => answers(['par', cut()])],
  ['breaks before the first byte', () => refuses()],
])('a stream that %s is cut', async (_, script) => {
  const { ask } = await startModel(script())

  expect((await failureOf(ask())).kind).toBe('cut')
})

test('an error within a stream ends it, in the words of the provider', async () => {
  const { provider, ask } = await startModel(says())
  const errors = [
    [{ error: { message: `bad  key\n${KEY}`, type: 'server_error' } }, 'unavailable', 'the model provider reports an error: bad key ***'],
    [{ error: { message: 'slow down', code: 429 } }, 'rate_limit', 'the model provider reports an error: slow down'],
    [{ error: { message: 'too long', code: 'context_length_exceeded' } }, 'rejected', 'the model provider reports an error: too long'],
    [{ object: 'error', message: 'old vLLM', code: 500 }, 'unavailable', 'the model provider reports an error: old vLLM'],
  ] as const
  for (const [body, kind, message] of errors) {
    provider.script = answers(['par', raw(`data: ${JSON.stringify(body)}\n\n`), hang()])
    expect(await failureOf(ask())).toMatchObject({ kind, message })
    // some say it in a JSON document instead, with status 200
    provider.script = sendsJson(body)
    expect(await failureOf(ask())).toMatchObject({ kind, message })
  }
})

test.each([
  ['a web page', sendsHtml()],
  ['a web page that claims to be a stream', sendsRaw(['<html>\n<body>Hello</body>'])],
  ['an event that is not JSON', sendsRaw(['data: oops\n\n'])],
  ['JSON that is no completion', sendsJson({ hello: 'world' })],
  ['text that is not HTTP', sendsRaw(['nothing'], { contentType: 'application/json' })],
])('%s is garbage', async (_, script) => {
  const { ask } = await startModel(script)

  expect((await failureOf(ask())).kind).toBe('garbage')
  expect((await failureOf(ask({ stream: false }))).kind).toBe('garbage')
})

test.each([
  [401, 'auth', 'the model provider refuses the API key (401)'],
  [403, 'auth', 'the model provider refuses the API key (403)'],
  [400, 'rejected', 'the model provider refuses the request (400): the key *** and sk-*** are bad'],
  [404, 'rejected', 'the model provider refuses the request (404): the key *** and sk-*** are bad'],
  [413, 'rejected', 'the model provider refuses the request (413): the key *** and sk-*** are bad'],
  [422, 'rejected', 'the model provider refuses the request (422): the key *** and sk-*** are bad'],
  [429, 'rate_limit', 'the model provider limits the rate of calls (429)'],
  [500, 'unavailable', 'the model provider failed (500)'],
  [503, 'unavailable', 'the model provider failed (503)'],
  [301, 'rejected', 'the model provider answers with 301 instead of 200: check the base URL'],
])('status %i is %s, and tells no key', async (status, kind, message) => {
  const { ask } = await startModel(fails(status, { message: `the key ${KEY} and sk-other-9876543210 are bad` }))

  for (const stream of [true, false]) {
    const error = await failureOf(ask({ stream }))
    expect(error).toMatchObject({ kind, message })
    expect(JSON.stringify([error.message, error.stack, String(error.cause)])).not.toMatch(/secret|987654/)
  }
})

test('a refusal is shortened, and a web page is not repeated', async () => {
  const { provider, ask } = await startModel(fails(400, { message: 'x'.repeat(5_000) }))
  expect((await failureOf(ask())).message.length).toBeLessThan(400)

  provider.script = fails(502, { body: '<html>secret pages</html>' })
  expect((await failureOf(ask())).message).toBe('the model provider failed (502)')
})

test('tells when the provider wants to be asked again', async () => {
  const { ask } = await startModel(fails(429, { retryAfter: 2 }))

  expect((await failureOf(ask())).retryAfterMs).toBe(2_000)
})

test('a provider that is not there, or not found, is unreachable', async () => {
  const { provider, ask } = await startModel(says('ok'))
  await provider.close()
  expect(await failureOf(ask())).toMatchObject({ kind: 'unreachable', message: 'the model provider cannot be reached (ECONNREFUSED)' })

  const https = await startModel(says('ok'))
  const tls = await startModel(says(), { baseUrl: https.provider.baseUrl.replace('http:', 'https:') })
  expect((await failureOf(tls.ask())).kind).toBe('unreachable')
})

test('an API key that cannot be a header is refused without being told', async () => {
  const { ask } = await startModel(says('ok'), { apiKey: 'sk-secret\nx' })

  const error = await failureOf(ask())

  expect(error.kind).toBe('rejected')
  expect(error.message).not.toContain('secret')
})

test('a provider that does not begin to answer times out', async () => {
  const { provider, ask } = await startModel(hangs(), { timeouts: { ...quick, betweenChunksMs: 10_000 } })

  expect(await failureOf(ask())).toMatchObject({ kind: 'timeout', message: 'the model did not begin to answer within 0.08 s' })
  expect((await failureOf(ask({ stream: false }))).kind).toBe('timeout')
  await provider.untilAborted(2)
})

test('a provider that falls silent times out', async () => {
  const { provider, ask } = await startModel(answers(['a', hang()]), { timeouts: { ...quick, firstByteMs: 10_000 } })
  expect(await failureOf(ask())).toMatchObject({ kind: 'timeout', message: 'the model sent nothing for 0.08 s' })
  await provider.untilAborted()
})

test('a provider that is only slow does not', async () => {
  const { ask } = await startModel(answers(['a', wait(200), 'b', wait(200), 'c', wait(200), 'd']), {
    timeouts: { ...quick, firstByteMs: 500, betweenChunksMs: 500 },
  })

  expect((await ask()).text).toBe('abcd')
})

test('an abort closes the connection at once, and nothing follows', async () => {
  const { provider, ask } = await startModel(saysForever('token', { delayMs: 1 }))
  const abort = new AbortController()
  const reason = new Error('canceled')
  let seen = 0
  const asked = ask({
    signal: abort.signal,
    onChunk() {
      seen++
      if (seen === 5) abort.abort(reason)
    },
  })

  await expect(asked).rejects.toBe(reason)
  await provider.untilAborted()
  const written = provider.tokensWritten
  await setTimeout(30)

  expect(seen).toBe(5)
  expect(provider).toMatchObject({ tokensWritten: written, open: 0 })
})

test.each([
  ['before the provider answers', hangs()],
  ['while the whole answer is on its way', answers([wait(5), hang()])],
])('an abort %s closes the connection too', async (_, script) => {
  const { provider, ask } = await startModel(script)
  const abort = new AbortController()
  const asked = ask({ signal: abort.signal, stream: false })
  await provider.untilRequests(1)

  abort.abort(new Error('canceled'))

  await expect(asked).rejects.toThrow('canceled')
  await provider.untilAborted()
})

test('nothing follows an abort even when it came in the same piece', async () => {
  const event = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'token' } }] })}\n\n`
  const { ask } = await startModel(sendsRaw([event.repeat(10)]))
  const abort = new AbortController()
  let seen = 0
  const onChunk = () => {
    seen++
    abort.abort(new Error('canceled'))
  }

  await expect(ask({ signal: abort.signal, onChunk })).rejects.toThrow('canceled')
  await setTimeout(20)
  expect(seen).toBe(1)
})

test('an abort before the connection stands leaves no request behind', async () => {
  const { provider, ask } = await startModel(says('ok'))
  const abort = new AbortController()
  const asked = ask({ signal: abort.signal })
  abort.abort(new Error('canceled'))

  await expect(asked).rejects.toThrow('canceled')
  await setTimeout(50)
  expect(provider.requests).toHaveLength(0)
})

test('a signal that lives on keeps nothing of the calls that are over', async () => {
  const { provider, ask } = await startModel(says('ok'))
  const { signal } = new AbortController()

  await ask({ signal })
  provider.script = fails(500)
  await failureOf(ask({ signal }))

  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
})

test('with a signal that has aborted already the provider is not called', async () => {
  const { provider, ask } = await startModel(says('ok'))

  await expect(ask({ signal: AbortSignal.abort(new Error('canceled')) })).rejects.toThrow('canceled')
  expect(provider.requests).toHaveLength(0)
})

test('what onChunk throws ends the call', async () => {
  const { provider, ask } = await startModel(saysForever('token', { delayMs: 1 }))
  const onChunk = () => {
    throw new Error('journal full')
  }

  await expect(ask({ onChunk })).rejects.toThrow('journal full')
  await provider.untilAborted()
})

test('an answer without end is stopped at the limit', async () => {
  const { provider, ask } = await startModel(saysForever('x'.repeat(100)), { maxAnswerBytes: 1_000 })

  expect(await failureOf(ask())).toMatchObject({
    kind: 'garbage',
    message: 'the answer of the model is longer than the limit of 1000 bytes',
  })
  await provider.untilAborted()
})

test.each([
  ['a line', sendsForever('data: {"choices":[]}\n\ndata: {"a":"', 'x'.repeat(10_000), 'text/event-stream')],
  ['an event', sendsForever('', 'data: x\n'.repeat(1_000), 'text/event-stream')],
  ['nonsense', sendsForever('', 'x\n'.repeat(5_000), 'text/event-stream')],
  ['a document', sendsForever('{"a":"', 'x'.repeat(10_000), 'application/json')],
])('so is %s without end', async (_, script) => {
  const { provider, ask } = await startModel(script, { maxAnswerBytes: 1_000 })

  expect((await failureOf(ask())).kind).toBe('garbage')
  await provider.untilAborted()
})
