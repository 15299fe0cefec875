import { setTimeout } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { askModel } from '../../test/support/ask-model.ts'
import type { Question } from '../../test/support/ask-model.ts'
import { fails, hangs, sendsEvents, sendsJson, sendsRaw, startFakeProvider } from '../../test/support/fake-provider.ts'
import type { Script } from '../../test/support/fake-provider.ts'
import { modelFailure, TEST_KEY } from '../../test/support/openai-model.ts'
import { createAiSdkAdapter } from './ai-sdk-adapter.ts'
import type { AiSdkAdapterOptions } from './ai-sdk-adapter.ts'
import type { ModelMessage } from './model-adapter.ts'
import { createProviderConnection } from './provider-connection.ts'

// the SDK leaves parameters out for models that it knows to refuse them
const MODELS = { anthropic: 'claude-3-haiku-20240307', google: 'gemini-2.5-flash' }

async function start(protocol: 'anthropic' | 'google', script: Script, options: Partial<AiSdkAdapterOptions> = {}) {
  const provider = await startFakeProvider(script)
  const connection = createProviderConnection()
  onTestFinished(async () => {
    await connection.close()
    await provider.close()
  })
  const adapter = createAiSdkAdapter({
    protocol,
    baseUrl: provider.baseUrl,
    apiKey: TEST_KEY,
    model: MODELS[protocol],
    connection,
    ...options,
  })
  return { provider, ask: (question: Question = {}) => askModel(adapter, question) }
}

const conversation: ModelMessage[] = [
  { role: 'system', content: 'Be brief.' },
  {
    role: 'user',
    content: [
      { type: 'text', text: 'look' },
      { type: 'image', url: 'data:image/png;base64,iVBO' },
    ],
  },
  { role: 'assistant', content: '', toolCalls: [{ id: 'c1', name: 'clock', arguments: '{"zone":"UTC"}' }] },
  { role: 'tool', toolCallId: 'c1', content: '12:00' },
  { role: 'system', content: 'Say please.' },
  { role: 'assistant', content: '' },
  { role: 'user', content: 'and now?' },
]
const clock = { name: 'clock', description: 'Tells the time', parameters: { type: 'object', properties: {} } }
const request = { messages: conversation, tools: [clock], parameters: { temperature: 0.5, maxTokens: 77 }, endUser: 'user-7' }

const block = (index: number, content_block: object) => ({ type: 'content_block_start', index, content_block })
const delta = (index: number, value: object) => ({ type: 'content_block_delta', index, delta: value })
const blockStop = (index: number) => ({ type: 'content_block_stop', index })
const begin = {
  type: 'message_start',
  message: {
    id: 'm',
    type: 'message',
    role: 'assistant',
    model: MODELS.anthropic,
    content: [],
    stop_reason: null,
    usage: { input_tokens: 11, output_tokens: 1 },
  },
}
const finish = (stop_reason: string) => [
  { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 9 } },
  { type: 'message_stop' },
]
const sends = (...events: Record<string, unknown>[]) => sendsEvents(events, { named: true })

describe('Anthropic', () => {
  test('streams reasoning, text and tool calls', async () => {
    const { ask } = await start(
      'anthropic',
      sends(
        begin,
        ...[block(0, { type: 'thinking', thinking: '' }), delta(0, { type: 'thinking_delta', thinking: 'hm' }), blockStop(0)],
        ...[
          block(1, { type: 'text', text: '' }),
          delta(1, { type: 'text_delta', text: 'Hel' }),
          delta(1, { type: 'text_delta', text: 'lo' }),
          blockStop(1),
        ],
        block(2, { type: 'tool_use', id: 'toolu_1', name: 'clock', input: {} }),
        delta(2, { type: 'input_json_delta', partial_json: '{"zone":' }),
        delta(2, { type: 'input_json_delta', partial_json: '"UTC"}' }),
        blockStop(2),
        ...[block(3, { type: 'tool_use', id: 'toolu_2', name: 'dice', input: {} }), blockStop(3)],
        ...finish('tool_use'),
      ),
    )

    const { reasoning, text, toolCalls, result, chunks } = await ask({ tools: [clock, { ...clock, name: 'dice' }] })

    expect({ reasoning, text, toolCalls, result }).toEqual({
      reasoning: 'hm',
      text: 'Hello',
      toolCalls: [
        { id: 'toolu_1', name: 'clock', arguments: '{"zone":"UTC"}' },
        { id: 'toolu_2', name: 'dice', arguments: '{}' },
      ],
      result: { finishReason: 'tool_calls', usage: { inputTokens: 11, outputTokens: 9 } },
    })
    expect(chunks.filter((chunk) => chunk.type === 'text')).toHaveLength(2)
  })

  test('gives a whole answer', async () => {
    const { provider, ask } = await start(
      'anthropic',
      sendsJson({
        ...begin.message,
        content: [
          { type: 'thinking', thinking: 'hm', signature: 's' },
          { type: 'text', text: 'Hello' },
          { type: 'tool_use', id: 'toolu_1', name: 'clock', input: { zone: 'UTC' } },
        ],
        stop_reason: 'tool_use',
        usage: { input_tokens: 11, output_tokens: 9 },
      }),
    )

    const { chunks, result } = await ask({ stream: false, tools: [clock] })

    expect(chunks).toEqual([
      { type: 'reasoning', text: 'hm' },
      { type: 'text', text: 'Hello' },
      { type: 'tool_call', index: 0, id: 'toolu_1', name: 'clock', arguments: '{"zone":"UTC"}' },
    ])
    expect(result).toEqual({ finishReason: 'tool_calls', usage: { inputTokens: 11, outputTokens: 9 } })
    expect(provider.lastRequest.body.stream).not.toBe(true)
  })

  test('sends the conversation in the words of the protocol', async () => {
    const { provider, ask } = await start('anthropic', sends(begin, ...finish('end_turn')))

    expect((await ask(request)).result.finishReason).toBe('stop')

    const { path, headers, body } = provider.lastRequest
    expect(path).toBe('/v1/messages')
    expect(headers['x-api-key']).toBe(TEST_KEY)
    expect(body).toMatchObject({
      model: MODELS.anthropic,
      stream: true,
      max_tokens: 77,
      temperature: 0.5,
      metadata: { user_id: 'user-7' },
      system: [{ type: 'text', text: 'Be brief.\n\nSay please.' }],
      tools: [{ name: 'clock', description: 'Tells the time' }],
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'look' },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBO' } },
          ],
        },
        { role: 'assistant', content: [{ type: 'tool_use', id: 'c1', name: 'clock', input: { zone: 'UTC' } }] },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'c1', content: '12:00' },
            { type: 'text', text: 'and now?' },
          ],
        },
      ],
    })
  })

  test.each([
    ['a wrong key', fails(401, { body: '{"type":"error","error":{"type":"authentication_error","message":"x"}}' }), 'auth'],
    [
      'a rate limit',
      fails(429, { retryAfter: 3, body: '{"type":"error","error":{"type":"rate_limit_error","message":"x"}}' }),
      'rate_limit',
    ],
    ['a refusal', fails(400, { body: `{"type":"error","error":{"type":"invalid_request_error","message":"no ${TEST_KEY}"}}` }), 'rejected'],
    ['an overload', fails(529), 'unavailable'],
    ['a web page', sendsRaw(['<html>'], { contentType: 'text/html' }), 'garbage'],
    ['an error in the stream', sends(begin, { type: 'error', error: { type: 'overloaded_error', message: 'busy' } }), 'unavailable'],
    ['a stream that breaks off', sends(begin, block(0, { type: 'text', text: '' }), delta(0, { type: 'text_delta', text: 'Hel' })), 'cut'],
  ])('%s is a ModelError of its kind', async (_, script, kind) => {
    const { ask } = await start('anthropic', script)

    const error = await modelFailure(ask())

    expect(error.kind).toBe(kind)
    expect(`${error.message} ${String(error.cause)}`).not.toContain(TEST_KEY)
    if (kind === 'rate_limit') expect(error.retryAfterMs).toBe(3_000)
    if (kind === 'rejected') expect(error.message).toBe('the model provider refuses the request (400): no ***')
  })

  test('a provider that is not there is unreachable', async () => {
    const { provider, ask } = await start('anthropic', hangs())
    await provider.close()

    expect(await modelFailure(ask())).toMatchObject({ kind: 'unreachable', message: 'the model provider cannot be reached (ECONNREFUSED)' })
  })

  const events = [
    begin,
    block(0, { type: 'text', text: '' }),
    ...Array.from({ length: 1_000 }, () => delta(0, { type: 'text_delta', text: 'token' })),
  ]
  const texts = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
  const forever = sendsRaw(texts, { delayMs: 5 })
  const atOnce = sendsRaw([texts.join('')])

  test('an abort closes the connection, and nothing follows', async () => {
    const { provider, ask } = await start('anthropic', forever)
    const abort = new AbortController()
    let seen = 0
    const asked = ask({
      signal: abort.signal,
      onChunk() {
        seen++
        if (seen === 3) abort.abort(new Error('canceled'))
      },
    })

    await expect(asked).rejects.toThrow('canceled')
    await provider.untilAborted()
    await setTimeout(20)
    expect(seen).toBe(3)
  })

  test('nothing follows an abort even when it came in the same piece', async () => {
    const { ask } = await start('anthropic', atOnce)
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

  test('what onChunk throws, and an answer over the limit, end the call', async () => {
    const { provider, ask } = await start('anthropic', forever, { maxAnswerBytes: 20 })
    const onChunk = () => {
      throw new Error('journal full')
    }

    await expect(ask({ onChunk })).rejects.toThrow('journal full')
    expect(await modelFailure(ask())).toMatchObject({
      kind: 'garbage',
      message: 'the answer of the model is longer than the limit of 20 bytes',
    })
    await provider.untilAborted(2)
  })

  test('a provider that is silent times out', async () => {
    const timeouts = { firstByteMs: 60, wholeMs: 60, betweenChunksMs: 60 }
    const { provider, ask } = await start('anthropic', hangs(), { timeouts })

    expect(await modelFailure(ask())).toMatchObject({ kind: 'timeout', message: 'the model did not begin to answer within 0.06 s' })
    expect((await modelFailure(ask({ stream: false }))).kind).toBe('timeout')
    await provider.untilAborted(2)
  })
})

describe('Google', () => {
  const candidate = (parts: object[], finishReason?: string) => ({
    candidates: [{ content: { role: 'model', parts }, finishReason, index: 0 }],
  })
  const usageMetadata = { promptTokenCount: 11, candidatesTokenCount: 9, totalTokenCount: 20 }
  const call = { functionCall: { name: 'clock', args: { zone: 'UTC' } } }

  test('streams reasoning, text and tool calls', async () => {
    const { ask } = await start(
      'google',
      sendsEvents([
        candidate([{ text: 'hm', thought: true }]),
        candidate([{ text: 'Hel' }]),
        candidate([{ text: 'lo' }]),
        { ...candidate([call], 'STOP'), usageMetadata },
      ]),
    )

    expect(await ask({ tools: [clock] })).toMatchObject({
      reasoning: 'hm',
      text: 'Hello',
      toolCalls: [{ id: expect.stringMatching(/.+/), name: 'clock', arguments: '{"zone":"UTC"}' }],
      result: { finishReason: 'tool_calls', usage: { inputTokens: 11, outputTokens: 9 } },
    })
  })

  test('gives a whole answer', async () => {
    const { ask } = await start('google', sendsJson({ ...candidate([{ text: 'Hello' }], 'MAX_TOKENS'), usageMetadata }))

    expect(await ask({ stream: false })).toMatchObject({
      text: 'Hello',
      result: { finishReason: 'length', usage: { inputTokens: 11, outputTokens: 9 } },
    })
  })

  test('sends the conversation in the words of the protocol', async () => {
    const { provider, ask } = await start('google', sendsEvents([{ ...candidate([{ text: 'ok' }], 'STOP'), usageMetadata }]))

    await ask(request)

    const { path, headers, body } = provider.lastRequest
    expect(path).toBe('/v1/models/gemini-2.5-flash:streamGenerateContent?alt=sse')
    expect(headers['x-goog-api-key']).toBe(TEST_KEY)
    expect(body).toMatchObject({
      systemInstruction: { parts: [{ text: 'Be brief.\n\nSay please.' }] },
      generationConfig: { maxOutputTokens: 77, temperature: 0.5 },
      contents: [
        { role: 'user', parts: [{ text: 'look' }, { inlineData: { mimeType: 'image/png', data: 'iVBO' } }] },
        { role: 'model', parts: [{ functionCall: { name: 'clock', args: { zone: 'UTC' } } }] },
        { role: 'user', parts: [{ functionResponse: { name: 'clock' } }] },
        { role: 'user', parts: [{ text: 'and now?' }] },
      ],
    })
  })

  test.each([
    ['a wrong key', fails(403), 'auth'],
    ['a refusal', fails(400, { message: `no ${TEST_KEY}` }), 'rejected'],
    ['a web page', sendsRaw(['<html>'], { contentType: 'text/html' }), 'garbage'],
    ['a stream that breaks off', sendsEvents([candidate([{ text: 'Hel' }])]), 'cut'],
  ])('%s is a ModelError of its kind', async (_, script, kind) => {
    const { ask } = await start('google', script)

    const error = await modelFailure(ask())

    expect(error.kind).toBe(kind)
    expect(`${error.message} ${String(error.cause)}`).not.toContain(TEST_KEY)
  })
})
