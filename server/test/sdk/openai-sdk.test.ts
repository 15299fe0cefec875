import OpenAI, {
  APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
} from 'openai'
import { describe, expect, test } from 'vitest'
import { answers, calls, fails, reasons, says, wait } from '../support/fake-provider.ts'
import { openStream } from '../support/live-stream.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { useTestApp } from '../support/test-app.ts'
import type { TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

type Body = OpenAI.ChatCompletionCreateParamsNonStreaming
type Chunk = OpenAI.ChatCompletionChunk

const QUESTION: Body = { model: '123456', messages: [{ role: 'user', content: 'hi' }] }
const PIXEL = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const WEATHER = {
  type: 'function' as const,
  function: {
    name: 'weather',
    description: 'The weather of a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } } },
  },
}

const sdkOf = (app: TestApp, apiKey = app.apiKey) => new OpenAI({ baseURL: `${app.url}/v1`, apiKey, maxRetries: 0 })

describe.each(testDatabases())('the openai package, on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  describe('models', () => listsBots(app))
  describe('a completion', () => completes(app))
  describe('a stream', () => streams(app))
  describe('tools', () => callsTools(app))
  describe('a conversation', () => staysTheCallers(app))

  keepsItsSecrets(app)
})

function listsBots(app: TestApp): void {
  test('are the published bots of the key’s owner', async () => {
    const hidden = await app.makeBot(app.userId, { published: false })
    const stranger = await app.makeUser()
    const foreign = await app.makeBot(stranger.userId)
    const models = await Array.fromAsync(await sdkOf(app).models.list())

    expect(models.map((model) => model.id)).toEqual(['123456'])
    expect(models[0]).toEqual({
      ...{ id: '123456', object: 'model', owned_by: app.userId, created: expect.closeTo(Date.now() / 1000, -2) },
      ...{ name: '客服助手', description: '智能客服机器人,可以回答常见问题' },
    })
    expect(await sdkOf(app).models.retrieve('123456')).toEqual(models[0])
    expect((await Array.fromAsync(await sdkOf(app, stranger.apiKey).models.list())).map((model) => model.id)).toEqual([foreign])
    for (const id of [hidden, foreign, '1', 'gpt-4o']) await expect(sdkOf(app).models.retrieve(id)).rejects.toThrow(NotFoundError)
  })
}

function completes(app: TestApp): void {
  test('is what the package says it is', async () => {
    app.provider.script = answers([reasons('hm'), 'Hel', 'lo'], { usage: { input: 11, output: 5 } })
    const completion = await sdkOf(app).chat.completions.create(QUESTION)

    expect(completion).toEqual({
      id: expect.stringMatching(/^chatcmpl-\d+$/),
      object: 'chat.completion',
      created: expect.closeTo(Date.now() / 1000, -2),
      model: '123456',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hello', refusal: null, reasoning_content: 'hm' },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: { prompt_tokens: 11, completion_tokens: 5, total_tokens: 16 },
    })
    expect(completion._request_id).toMatch(/^req_\d+$/)
  })

  test('the bot’s prompt comes first, then the caller’s messages as they are', async () => {
    await sdkOf(app).chat.completions.create({
      model: '123456',
      safety_identifier: 'end-user-7',
      messages: [
        { role: 'developer', content: 'Be short.' },
        {
          role: 'system',
          content: [
            { type: 'text', text: 'Be ' },
            { type: 'text', text: 'kind.' },
          ],
        },
        { role: 'user', content: 'one', name: 'Ada' },
        { role: 'assistant', content: [{ type: 'text', text: 'two' }] },
        { role: 'user', content: [{ type: 'text', text: 'three' }] },
      ],
    })
    expect(app.provider.lastRequest.body['user']).toBe('end-user-7')
    expect(app.provider.lastRequest.body.messages).toEqual([
      { role: 'system', content: '你是一个专业的客服助手' },
      { role: 'system', content: 'Be short.' },
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: 'one' },
      { role: 'assistant', content: 'two' },
      { role: 'user', content: 'three' },
    ])
  })

  test('what the request says about sampling counts, the rest is as the bot has it', async () => {
    const config = { parameters: { temperature: 0.9, topP: 0.8, maxTokens: 500, presencePenalty: 1 } }
    const model = await app.makeBot(app.userId, { config })
    await sdkOf(app).chat.completions.create({
      ...QUESTION,
      model,
      temperature: 0,
      max_completion_tokens: 50,
      top_p: null,
      frequency_penalty: -1,
    })
    expect(app.provider.lastRequest.body).toMatchObject({
      ...{ temperature: 0, top_p: 0.8, max_tokens: 50, presence_penalty: 1, frequency_penalty: -1 },
    })

    await sdkOf(app).chat.completions.create({ ...QUESTION, response_format: { type: 'json_object' } })
    expect(app.provider.lastRequest.body).toMatchObject({ response_format: { type: 'json_object' } })

    const json_schema = { name: 'city', strict: true, schema: { type: 'object', properties: { name: { type: 'string' } } } }
    await sdkOf(app).chat.completions.create({ ...QUESTION, response_format: { type: 'json_schema', json_schema } })
    expect(app.provider.lastRequest.body['response_format']).toEqual({ type: 'json_schema', json_schema })
  })

  test('pictures by URL, inside of the body and uploaded here, and documents', async () => {
    const form = new FormData()
    form.set('file', new Blob([Buffer.from(PIXEL.split(',')[1] ?? '', 'base64')], { type: 'image/png' }), 'pixel.png')
    const file_id: string = (await app.call('POST', '/v1/files/upload', form)).body.data.id
    const image = (url: string) => ({ type: 'image_url' as const, image_url: { url } })
    const note = `data:text/plain;base64,${Buffer.from('a note').toString('base64')}`
    await sdkOf(app).chat.completions.create({
      model: '123456',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'look' },
            image('https://example.com/a.png'),
            image(PIXEL),
            { type: 'file', file: { file_id } },
            { type: 'file', file: { file_data: note, filename: 'note.txt' } },
          ],
        },
      ],
    })
    expect(app.provider.lastRequest.body.messages.at(-1)?.content).toEqual([
      { type: 'text', text: 'look' },
      image('https://example.com/a.png'),
      image(PIXEL),
      image(PIXEL),
      { type: 'text', text: 'note.txt:\na note' },
    ])
  })

  test('more text than a body usually has, for pictures are large', async () => {
    const picture = `data:image/png;base64,${'A'.repeat(6_000_000)}`
    const content = [{ type: 'image_url' as const, image_url: { url: picture } }]
    await sdkOf(app).chat.completions.create({ model: '123456', messages: [{ role: 'user', content }] })
    expect(app.provider.lastRequest.body.messages.at(-1)?.content).toEqual(content)
  })

  test('finish_reason says when the model was cut short', async () => {
    for (const finishReason of ['length', 'content_filter']) {
      app.provider.script = answers(['Hel'], { finishReason })
      const { choices } = await sdkOf(app).chat.completions.create(QUESTION)
      expect(choices[0]?.finish_reason).toBe(finishReason)
    }
  })

  test('fields that this server does not know are ignored, and nulls are none', async () => {
    const strange = { seed: 7, store: true, logit_bias: {}, service_tier: 'auto', metadata: { a: 'b' }, nonsense: [1] }
    const nothing = { temperature: null, stop: null, n: null, tools: undefined, stream_options: null }
    const body = { ...QUESTION, ...strange, ...nothing, model: 123456 } as unknown as Body
    expect((await sdkOf(app).chat.completions.create(body)).choices[0]?.message.content).toBe('Hello there')
  })

  test('an Idempotency-Key makes a retry safe: it is asked once, whole and as a stream', async () => {
    for (const stream of [false, true]) {
      app.provider.requests.length = 0
      const headers = { 'Idempotency-Key': `retry-${stream}` }
      const ask = () => sdkOf(app).chat.completions.create({ ...QUESTION, stream }, { headers })
      const told = await Promise.all([ask(), ask(), ask()].map(async (reply) => textOf(await reply)))
      expect(told).toEqual(['Hello there', 'Hello there', 'Hello there'])
      expect(await textOf(await ask())).toBe('Hello there')
      expect(app.provider.requests).toHaveLength(1)

      const other = { ...QUESTION, messages: [{ role: 'user' as const, content: 'another' }] }
      await expect(sdkOf(app).chat.completions.create({ ...other, stream }, { headers })).rejects.toThrow(BadRequestError)
    }
  })
}

async function textOf(reply: OpenAI.ChatCompletion | AsyncIterable<Chunk>): Promise<string> {
  if (!(Symbol.asyncIterator in reply)) return reply.choices[0]?.message.content ?? ''
  return textIn(await Array.fromAsync(reply))
}

const textIn = (chunks: Chunk[]) => chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')

function streams(app: TestApp): void {
  test('has these chunks', async () => {
    app.provider.script = answers([reasons('hm'), 'Hel', 'lo\u2028'], { usage: { input: 11, output: 5 } })
    const chunks = await Array.fromAsync(
      await sdkOf(app).chat.completions.create({ ...QUESTION, stream: true, stream_options: { include_usage: true } }),
    )
    const [first] = chunks
    expect(first).toMatchObject({ id: expect.stringMatching(/^chatcmpl-\d+$/), created: expect.closeTo(Date.now() / 1000, -2) })
    const head = { id: first?.id, object: 'chat.completion.chunk', created: first?.created, model: '123456' }
    const piece = (delta: object, finish_reason: string | null = null) => ({
      ...{ ...head, usage: null },
      choices: [{ index: 0, delta, logprobs: null, finish_reason }],
    })
    expect(chunks).toEqual([
      piece({ role: 'assistant', content: '' }),
      piece({ reasoning_content: 'hm' }),
      piece({ content: 'Hel' }),
      piece({ content: 'lo\u2028' }),
      piece({}, 'stop'),
      { ...head, choices: [], usage: { prompt_tokens: 11, completion_tokens: 5, total_tokens: 16 } },
    ])
  })

  test('without include_usage tells none, and ends with [DONE]', async () => {
    await using stream = await openStream(app, { ...QUESTION, stream: true }, { path: '/v1/chat/completions' })
    await stream.ended
    expect(stream.text).toMatch(/^(data: .+\n\n)+data: \[DONE\]\n\n$/)
    expect(stream.text).not.toContain('usage')
  })

  test('each piece comes when it is there', async () => {
    app.provider.script = answers(['one ', wait(300), 'two'])
    const stream = await sdkOf(app).chat.completions.create({ ...QUESTION, stream: true })
    const times: number[] = []
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) times.push(performance.now())
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(150)
  })

  test('the package’s own helpers put it together', async () => {
    const runner = sdkOf(app).chat.completions.stream({ ...QUESTION, stream: true })
    expect(await runner.finalContent()).toBe('Hello there')
  })

  test('of a client that leaves is asked once, and goes on', async () => {
    app.provider.script = answers(['one ', wait(150), 'two'])
    const headers = { 'Idempotency-Key': 'left-and-came-back' }
    const stream = await sdkOf(app).chat.completions.create({ ...QUESTION, stream: true }, { headers })
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break

    expect(await textOf(await sdkOf(app).chat.completions.create({ ...QUESTION, stream: true }, { headers }))).toBe('one two')
    expect(app.provider.requests).toHaveLength(1)
    expect(app.provider.aborted).toBe(0)
  })

  test('of a client that leaves before the first word', async () => {
    app.provider.script = answers([wait(200), 'late'])
    const leaving = new AbortController()
    const asked = sdkOf(app).chat.completions.create({ ...QUESTION, stream: true }, { signal: leaving.signal })
    await app.provider.untilRequests(1)
    leaving.abort()
    await expect(asked).rejects.toThrow(APIUserAbortError)
    await expect.poll(() => app.provider.open).toBe(0)
    expect(app.provider.aborted).toBe(0)
  })
}

function callsTools(app: TestApp): void {
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
}

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

function staysTheCallers(app: TestApp): void {
  test('is in no list, and no run of it waits for ever', async () => {
    const lists = async () => (await app.call('GET', '/v1/conversations?bot_id=123456&page_size=50')).body.data.conversations.length
    const before = await lists()
    app.provider.script = [says('Hello'), answers([calls('weather', {})])]
    await sdkOf(app).chat.completions.create(QUESTION)
    await sdkOf(app).chat.completions.create({ ...QUESTION, tools: [WEATHER] })

    expect(await lists()).toBe(before)
    const runs = await app.core.db
      .selectFrom('run')
      .select(['status', 'conversation_id', 'input_tokens', 'waiting'])
      .where('client_style', '=', 'openai')
      .execute()
    expect(runs.length).toBeGreaterThan(1)
    expect(new Set(runs.filter((run) => run.input_tokens > 0).map((run) => run.status))).toEqual(new Set(['completed']))
    expect(new Set(runs.map((run) => run.waiting))).toEqual(new Set(['']))
    for (const { conversation_id } of runs.slice(0, 3))
      expect((await app.call('GET', `/v1/conversations/${conversation_id}`)).status).toBe(404)
    const messages = await app.core.db
      .selectFrom('message')
      .select('id')
      .where('run_id', 'in', app.core.db.selectFrom('run').select('id').where('client_style', '=', 'openai'))
      .execute()
    expect(messages).toEqual([])
  })
}
