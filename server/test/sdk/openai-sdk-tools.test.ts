import type OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import { answers, calls, says } from '../support/fake-provider.ts'
import { startMcpServer, text } from '../support/mcp-test-server.ts'
import { QUESTION, WEATHER, sdkOf, textIn } from '../support/openai-client.ts'
import type { Body, Chunk } from '../support/openai-client.ts'
import { useTestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

describe.each(testDatabases())('tools and the openai package, on $name', ({ name }) => {
  const app = useTestApp({ database: name, env: { ALLOWED_PRIVATE_CIDRS: '127.0.0.1/32' } })
  const ASKS: Body = { ...QUESTION, tools: [WEATHER] }

  test.each([false, true])('are executed by the caller, who comes back with all of it (stream: %s)', async (stream) => {
    app.provider.script = [answers(['Let me see.', calls('weather', { city: 'Rome' }, 'call_1')]), says('Sunny')]
    const sdk = sdkOf(app)
    const message = await messageOf(await sdk.chat.completions.create({ ...ASKS, stream }))
    expect(app.provider.lastRequest.body.tools).toEqual([{ type: 'function', function: WEATHER.function }])
    expect(message).toEqual({
      ...{ role: 'assistant', content: 'Let me see.', finish_reason: 'tool_calls' },
      tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } }],
    })

    const { finish_reason: _, ...asked } = message
    const messages = [...ASKS.messages, asked, { role: 'tool' as const, tool_call_id: 'call_1', content: '25 °C' }]
    const answer = await messageOf(await sdk.chat.completions.create({ ...ASKS, messages, stream }))
    expect(answer).toMatchObject({ content: 'Sunny', finish_reason: 'stop' })
    expect(app.provider.lastRequest.body.messages.slice(1)).toEqual([
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: 'Let me see.', tool_calls: message.tool_calls },
      { role: 'tool', tool_call_id: 'call_1', content: '25 °C' },
    ])
  })

  test('of the package’s runner are called by it', async () => {
    app.provider.script = [answers([calls('weather', { city: 'Rome' })]), says('Sunny')]
    const weather = (input: { city: string }) => `${input.city}: 25 °C`
    const tools = [{ type: 'function' as const, function: { ...WEATHER.function, parse: JSON.parse, function: weather } }]
    expect(
      await sdkOf(app)
        .chat.completions.runTools({ ...QUESTION, tools })
        .finalContent(),
    ).toBe('Sunny')
    expect(app.provider.lastRequest.body.messages.at(-1)).toMatchObject({ role: 'tool', content: 'Rome: 25 °C' })
  })

  test('a call alone has no content', async () => {
    app.provider.script = answers([calls('weather', {})])
    const { choices } = await sdkOf(app).chat.completions.create(ASKS)
    expect(choices[0]?.message.content).toBeNull()
  })

  test('of the bot are the caller’s too; with tool_choice none there are none', async () => {
    const model = await app.makeBot(app.userId, {
      config: {
        tools: [
          { type: 'function', name: 'order' },
          { type: 'function', name: 'weather' },
        ],
      },
    })
    await sdkOf(app).chat.completions.create({ ...ASKS, model })
    expect(app.provider.lastRequest.body.tools).toEqual([
      expect.objectContaining({ function: expect.objectContaining({ name: 'order' }) }),
      { type: 'function', function: WEATHER.function },
    ])

    await sdkOf(app).chat.completions.create({ ...ASKS, model, tool_choice: 'none' })
    expect(app.provider.lastRequest.body.tools).toBeUndefined()
  })

  test.each([false, true])(
    'of the bot that run on the server are called there, and what is said around them is one text (stream: %s)',
    async (stream) => {
      await using mcp = await startMcpServer({ call: () => text('it is noon') })
      const model = await app.makeBot(app.userId, { config: { tools: [{ type: 'mcp', name: 'clocks', url: mcp.mcpUrl }] } })
      app.provider.script = [
        answers(['Let me look.', calls('echo', { text: 'a' }, 'call_1')]),
        answers(['It is ', 'noon.', calls('weather', { city: 'Rome' }, 'call_2')]),
      ]
      const told = await messageOf(await sdkOf(app).chat.completions.create({ ...ASKS, model, stream }))
      expect(told).toMatchObject({ content: 'Let me look.\n\nIt is noon.', finish_reason: 'tool_calls', tool_calls: [{ id: 'call_2' }] })
      expect(app.provider.lastRequest.body.messages.at(-1)).toEqual({ role: 'tool', tool_call_id: 'call_1', content: 'it is noon' })
    },
  )
})

type Told = { role: 'assistant'; content: string; tool_calls: OpenAI.ChatCompletionMessageFunctionToolCall[]; finish_reason: string }

async function messageOf(reply: OpenAI.ChatCompletion | AsyncIterable<Chunk>): Promise<Told> {
  if (!(Symbol.asyncIterator in reply)) {
    const [choice] = reply.choices
    const { role, content, tool_calls } = choice?.message ?? {}
    return { role, content, tool_calls, finish_reason: choice?.finish_reason } as Told
  }
  const chunks = await Array.fromAsync(reply)
  const tool_calls = chunks.flatMap((chunk) => chunk.choices[0]?.delta.tool_calls ?? []).map(({ index: _, ...call }) => call)
  return { role: 'assistant', content: textIn(chunks), tool_calls, finish_reason: chunks.at(-1)?.choices[0]?.finish_reason } as Told
}
