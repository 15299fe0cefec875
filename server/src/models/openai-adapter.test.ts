import { setTimeout } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { askModel } from '../../test/support/ask-model.ts'
import { answers, calls, fails, hang, reasons, says, sendsEvents, sendsRaw } from '../../test/support/fake-provider.ts'
import type { FakeProvider, Script } from '../../test/support/fake-provider.ts'
import { startOpenAiModel as startModel, TEST_KEY as KEY } from '../../test/support/openai-model.ts'
import { createOpenAiAdapter } from './openai-adapter.ts'
import { createProviderConnection } from './provider-connection.ts'

test('passes text on as it is streamed, chunk by chunk', async () => {
  const { ask } = await startModel(answers(['Hel', 'lo', ' 世界🙂'], { usage: { input: 12, output: 3 } }))

  const { chunks, result } = await ask()

  expect(chunks).toEqual(['Hel', 'lo', ' 世界🙂'].map((text) => ({ type: 'text', text })))
  expect(result).toEqual({ finishReason: 'stop', usage: { inputTokens: 12, outputTokens: 3 } })
})

test('a chunk is there before the next one is sent', async () => {
  const { provider, ask } = await startModel(answers(['first', hang()]))
  const first = Promise.withResolvers<number>()
  const abort = new AbortController()

  const asked = ask({ signal: abort.signal, onChunk: () => first.resolve(provider.open) })
  await expect(first.promise).resolves.toBe(1)
  abort.abort()
  await expect(asked).rejects.toThrow()
})

test.each(['reasoning_content', 'reasoning'] as const)('tells %s apart from the answer', async (field) => {
  const { ask } = await startModel(answers([reasons('let me', field), reasons(' think', field), '42']))

  expect(await ask()).toMatchObject({ reasoning: 'let me think', text: '42' })
})

test('asked for the whole answer, it gives reasoning, text and tool calls in one piece each', async () => {
  const { provider, ask } = await startModel(
    answers([reasons('h'), reasons('m'), 'Hel', 'lo', calls('clock', { zone: 'UTC' }, 'call_9')], { usage: { input: 1, output: 2 } }),
  )

  const { chunks, result } = await ask({ stream: false })

  expect(chunks).toEqual([
    { type: 'reasoning', text: 'hm' },
    { type: 'text', text: 'Hello' },
    { type: 'tool_call', index: 0, id: 'call_9', name: 'clock', arguments: '{"zone":"UTC"}' },
  ])
  expect(result).toEqual({ finishReason: 'tool_calls', usage: { inputTokens: 1, outputTokens: 2 } })
  expect(provider.lastRequest.body).toMatchObject({ stream: false })
  expect(provider.lastRequest.body).not.toHaveProperty('stream_options')
})

test('puts tool calls together from their fragments', async () => {
  const { ask } = await startModel(answers([calls('clock', { zone: 'UTC' }, 'a'), calls('weather', { city: '北京' }, 'b')]))

  const { toolCalls, result, chunks } = await ask()

  expect(toolCalls).toEqual([
    { id: 'a', name: 'clock', arguments: '{"zone":"UTC"}' },
    { id: 'b', name: 'weather', arguments: '{"city":"北京"}' },
  ])
  expect(result.finishReason).toBe('tool_calls')
  expect(chunks.filter((chunk) => chunk.type === 'tool_call' && chunk.id)).toHaveLength(2)
})

const toolDelta = (tool_calls: unknown, finish_reason: string | null = null) => ({
  choices: [{ index: 0, delta: { tool_calls }, finish_reason }],
})

test('understands servers that number every tool call 0, repeat ids and names, leave ids out, or send arguments as objects', async () => {
  const { provider, ask } = await startModel(
    sendsEvents([
      toolDelta([{ index: 0, id: 'a', function: { name: 'one', arguments: '{' } }]),
      toolDelta([{ index: 0, id: 'a', function: { name: 'one', arguments: '}' } }]),
      toolDelta([{ index: 0, id: 'b', function: { name: 'two', arguments: { x: 1 } } }], 'stop'),
    ]),
  )
  const { toolCalls, result, chunks } = await ask()
  expect(chunks.flatMap((chunk) => (chunk.type === 'tool_call' ? [chunk.name] : []))).toEqual(['one', undefined, 'two'])
  expect(toolCalls).toEqual([
    { id: 'a', name: 'one', arguments: '{}' },
    { id: 'b', name: 'two', arguments: '{"x":1}' },
  ])
  expect(result.finishReason).toBe('tool_calls')

  provider.script = sendsEvents([toolDelta([{ function: { name: 'three', arguments: '{}' } }], 'tool_calls')])
  expect((await ask()).toolCalls).toEqual([{ id: expect.stringMatching(/^call_.{8,}/), name: 'three', arguments: '{}' }])
})

test('sends the conversation, the parameters, the tools and the end user in the words of the protocol', async () => {
  const { provider, ask } = await startModel(says('ok'))
  const parameters = { type: 'object', properties: {} }

  await ask({
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'time?' },
      { role: 'assistant', content: '', toolCalls: [{ id: 'c1', name: 'clock', arguments: '{}' }] },
      { role: 'tool', toolCallId: 'c1', content: '12:00' },
    ],
    parameters: { temperature: 0, topP: 0.9, maxTokens: 100, presencePenalty: 1, frequencyPenalty: -1, responseFormat: 'json' },
    tools: [{ name: 'clock', description: 'Tells the time', parameters }],
    endUser: 'user-7',
  })

  const { path, headers, body } = provider.lastRequest
  expect(path).toBe('/v1/chat/completions')
  expect(headers).toMatchObject({ authorization: `Bearer ${KEY}`, 'content-type': 'application/json' })
  expect(body).toEqual({
    model: 'm-1',
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'time?' },
      { role: 'assistant', content: '', tool_calls: [{ id: 'c1', type: 'function', function: { name: 'clock', arguments: '{}' } }] },
      { role: 'tool', tool_call_id: 'c1', content: '12:00' },
    ],
    stream: true,
    stream_options: { include_usage: true },
    temperature: 0,
    top_p: 0.9,
    max_tokens: 100,
    presence_penalty: 1,
    frequency_penalty: -1,
    response_format: { type: 'json_object' },
    tools: [{ type: 'function', function: { name: 'clock', description: 'Tells the time', parameters } }],
    user: 'user-7',
  })
})

test('sends images as images, text files as text, and other files as files', async () => {
  const { provider, ask } = await startModel(says('ok'))
  const pdf = 'data:application/pdf;base64,JVBERg=='

  await ask({
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'look' },
          { type: 'image', url: 'https://example.com/a.png' },
          { type: 'file', url: 'data:image/png;base64,iVBO', name: 'b.png', mime: 'image/png' },
          { type: 'file', url: `data:text/csv;base64,${Buffer.from('a,中').toString('base64')}`, name: 'c.csv', mime: 'text/csv' },
          { type: 'file', url: pdf, name: 'd.pdf', mime: 'application/pdf' },
          { type: 'file', url: 'https://example.com/e.pdf', name: 'e.pdf', mime: 'application/pdf' },
        ],
      },
    ],
  })

  expect(provider.lastRequest.body.messages[0]?.content).toEqual([
    { type: 'text', text: 'look' },
    { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
    { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBO' } },
    { type: 'text', text: 'c.csv:\na,中' },
    { type: 'file', file: { filename: 'd.pdf', file_data: pdf } },
    { type: 'text', text: '[e.pdf](https://example.com/e.pdf)' },
  ])
})

test('parts that are text only go as one text: many models take nothing else', async () => {
  const { provider, ask } = await startModel(says('ok'))
  const content = ['one', 'two'].map((text) => ({ type: 'text' as const, text }))

  await ask({ messages: [{ role: 'user', content }] })

  expect(provider.lastRequest.body.messages[0]?.content).toBe('one\n\ntwo')
})

test('takes the base URL as the operator wrote it, and sends no Authorization without a key', async () => {
  const { provider } = await startModel(says('ok'))
  const connection = createProviderConnection()
  onTestFinished(() => connection.close())

  for (const baseUrl of [
    provider.baseUrl,
    `${provider.baseUrl}/`,
    provider.baseUrl.replace('/v1', '/api/v3/'),
    provider.baseUrl.replace('/v1', ''),
    `${provider.baseUrl}/?version=2`,
  ]) {
    await askModel(createOpenAiAdapter({ baseUrl, apiKey: '', model: 'm', connection }))
  }

  expect(provider.requests.map((request) => request.path)).toEqual([
    '/v1/chat/completions',
    '/v1/chat/completions',
    '/api/v3/chat/completions',
    '/chat/completions',
    '/v1/chat/completions?version=2',
  ])
  expect(provider.requests.some((request) => 'authorization' in request.headers)).toBe(false)
})

test.each([
  ['stop', 'stop'],
  ['length', 'length'],
  ['tool_calls', 'tool_calls'],
  ['function_call', 'tool_calls'],
  ['content_filter', 'content_filter'],
  ['max_time', 'other'],
])('finish reason %s means %s', async (finishReason, meant) => {
  const { ask } = await startModel(answers(['x'], { finishReason }))

  expect((await ask()).result.finishReason).toBe(meant)
})

test('finds the usage in a chunk of its own, in the final choice chunk, and in the choice itself', async () => {
  const usage = { prompt_tokens: 7, completion_tokens: 5 }
  const { provider, ask } = await startModel(answers(['x'], { usage: { input: 7, output: 5 }, usageIn: 'own' }))
  const scripts: Script[] = [
    answers(['x'], { usage: { input: 7, output: 5 }, usageIn: 'own' }),
    answers(['x'], { usage: { input: 7, output: 5 }, usageIn: 'final' }),
    sendsEvents([{ choices: [{ index: 0, delta: { content: 'x' }, finish_reason: 'stop', usage }] }]),
  ]
  for (const script of scripts) {
    provider.script = script
    expect((await ask()).result.usage).toEqual({ inputTokens: 7, outputTokens: 5 })
  }
})

test('estimates the usage that the provider does not tell: a token for four bytes', async () => {
  const { ask } = await startModel(answers(['12345678', '中文'], { usage: null }))

  expect((await ask({ text: 'x'.repeat(40) })).result.usage).toEqual({ inputTokens: 10, outputTokens: 4 })
})

test('a server that does not know stream_options is asked again without, and is not asked with it any more', async () => {
  const refusal = fails(400, { message: 'Unrecognized request argument supplied: stream_options' })
  const { provider, ask } = await startModel((request) => (request.body.stream_options ? refusal : says('ok')))

  const both = await Promise.all([ask(), ask()])
  expect(both.map((asked) => asked.text)).toEqual(['ok', 'ok'])
  const before = provider.requests.length
  expect((await ask()).text).toBe('ok')

  expect(provider.requests.length).toBe(before + 1)
})

test('a model that wants max_completion_tokens gets it', async () => {
  const refusal = fails(400, { message: "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead." })
  const { provider, ask } = await startModel((request) => ('max_tokens' in request.body ? refusal : says('ok')))

  await ask({ parameters: { maxTokens: 9 } })

  expect(provider.lastRequest.body).toMatchObject({ max_completion_tokens: 9 })
})

test('characters, lines and events may be cut anywhere on the way', async () => {
  const event = (content: string) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\r\n\r\n`
  const bytes = Buffer.from(`: comment\r\n\r\n${event('世界')}event: message\nid: 7\n${event('🙂é')}data: [DONE]\n\n`)
  const { provider, ask } = await startModel(says())

  for (const size of [1, 2, 3, 7]) {
    const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
    provider.script = sendsRaw(parts)
    expect((await ask()).text).toBe('世界🙂é')
  }
})

test('what is strange but harmless is passed over', async () => {
  const { ask } = await startModel(
    sendsEvents([
      { choices: [], prompt_filter_results: [] },
      { choices: null, usage: null },
      { choices: [null] },
      { choices: [{ delta: null }] },
      { choices: [{ delta: { content: null, tool_calls: [null, 3] } }] },
      { choices: [{ delta: { content: 'ok', reasoning: '' } }], usage: { prompt_tokens: 'many' } },
      { choices: [{ delta: {}, finish_reason: 'stop' }] },
    ]),
  )

  expect((await ask()).text).toBe('ok')
})

test('connections are kept alive and used again, and many streams live side by side', async () => {
  const { provider, ask } = await startModel(says('ok'))
  for (let i = 0; i < 10; i++) await ask()
  // two, because a client still counts as busy at the moment its answer ends
  expect(provider.connections).toBeLessThanOrEqual(2)

  const STREAMS = 1_000
  provider.script = answers(['begun', hang()])
  const abort = new AbortController()
  let begun = 0
  const all = Array.from({ length: STREAMS }, () => ask({ signal: abort.signal, onChunk: () => begun++ }).catch(() => 'aborted'))
  await waitFor(provider, () => begun === STREAMS)
  expect(provider.open).toBe(STREAMS)

  // and one more is not held up by them
  provider.script = says('quick')
  expect((await ask()).text).toBe('quick')

  abort.abort()
  expect(new Set(await Promise.all(all))).toEqual(new Set(['aborted']))
  await provider.untilAborted(STREAMS)
})

async function waitFor(provider: FakeProvider, condition: () => boolean): Promise<void> {
  for (let i = 0; i < 1_000 && !condition(); i++) await setTimeout(10)
  expect(condition(), `${provider.open} streams are open`).toBe(true)
}
