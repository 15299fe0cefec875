import { expect, test } from 'vitest'
import { askModel } from '../../test/support/ask-model.ts'
import { createDemoAdapter } from './demo-adapter.ts'
import type { ModelMessage } from './model-adapter.ts'

const demo = createDemoAdapter()
const clock = { name: 'get_time', description: 'Tells the time', parameters: {} }
const user = (content: string): ModelMessage => ({ role: 'user', content })

test('says in the language of the user that it is a demo, and repeats the user', async () => {
  const chinese = await askModel(demo, { text: '你好,世界' })
  expect(chinese.text).toContain('演示')
  expect(chinese.text).toContain('你好,世界')

  const english = await askModel(demo, { text: 'hello world' })
  expect(english.text).toContain('demo')
  expect(english.text).toContain('hello world')
})

test('streams its answer in 10 to 30 chunks, or gives it whole: the same text', async () => {
  const streamed = await askModel(demo, { text: '你好' })
  const whole = await askModel(demo, { text: '你好', stream: false })

  expect(streamed.chunks.length).toBeGreaterThanOrEqual(10)
  expect(streamed.chunks.length).toBeLessThanOrEqual(30)
  expect(whole.chunks).toHaveLength(1)
  expect(whole.text).toBe(streamed.text)
  expect(whole.result).toEqual(streamed.result)
  expect(whole.result.usage.outputTokens).toBeGreaterThan(10)
})

test('is deterministic, and even a very long text comes in a few chunks', async () => {
  const text = 'word '.repeat(100_000)
  const [one, two] = [await askModel(demo, { text }), await askModel(demo, { text })]

  expect(one).toEqual(two)
  expect(one.chunks.length).toBeLessThanOrEqual(30)
  expect(one.text.length).toBeLessThan(5_000)
})

test('tells how much of the conversation it sees', async () => {
  const messages = [
    user('one'),
    { role: 'assistant', content: 'ok' } as const,
    user('two'),
    { role: 'assistant', content: 'ok' } as const,
    user('three'),
  ]

  expect((await askModel(demo, { messages })).text).toContain('2 earlier rounds')
  expect((await askModel(demo, { messages: [user('第一'), user('第二')] })).text).toContain('1 轮')
})

test('calls the tool that the user names, with the JSON object of the text', async () => {
  const { toolCalls, result, text } = await askModel(demo, { text: 'use get_time with {"zone":{"name":"UTC"}} now', tools: [clock] })

  expect(toolCalls).toEqual([{ id: expect.any(String), name: 'get_time', arguments: '{"zone":{"name":"UTC"}}' }])
  expect(result.finishReason).toBe('tool_calls')
  expect(text).toBe('')
})

test('calls it with {} when there is none, and the longest name wins', async () => {
  const tools = ['get-time', 'get-time-utc'].map((name) => ({ ...clock, name }))

  expect((await askModel(demo, { text: '请调用get-time-utc工具', tools })).toolCalls).toMatchObject([
    { name: 'get-time-utc', arguments: '{}' },
  ])
})

test('calls nothing that is not named', async () => {
  expect((await askModel(demo, { text: 'get_times or forget_time', tools: [clock] })).toolCalls).toEqual([])
})

test('quotes what the tool answered', async () => {
  const messages: ModelMessage[] = [
    user('get_time please'),
    { role: 'assistant', content: '', toolCalls: [{ id: 'c', name: 'get_time', arguments: '{}' }] },
    { role: 'tool', toolCallId: 'c', content: '12:34' },
  ]
  const { text, toolCalls } = await askModel(demo, { messages, tools: [clock] })

  expect(text).toContain('12:34')
  expect(toolCalls).toEqual([])
})

test('tells a story when asked for one', async () => {
  expect((await askModel(demo, { text: '请给我讲一个故事' })).text).toContain('灯塔')
  expect((await askModel(demo, { text: '讲个故事吧' })).text).toContain('灯塔')
  expect((await askModel(demo, { text: 'Please tell me a story' })).text).toContain('lighthouse')
})

test('answers in JSON when JSON is wanted', async () => {
  const { text } = await askModel(demo, { text: 'hi', parameters: { responseFormat: 'json' } })

  expect(JSON.parse(text)).toEqual({ demo: true, you_said: 'hi', earlier_rounds: 0 })
})

test('stops when it is aborted, and /slow gives the time to do so', async () => {
  const abort = new AbortController()
  const before = performance.now()
  let seen = 0
  const asked = askModel(demo, {
    text: '/slow hello',
    signal: abort.signal,
    onChunk() {
      seen++
      if (seen === 3) setTimeout(() => abort.abort(new Error('canceled')), 5)
    },
  })

  await expect(asked).rejects.toThrow('canceled')
  expect(seen).toBe(3)
  expect(performance.now() - before).toBeGreaterThan(100)
})
