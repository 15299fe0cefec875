import { APIUserAbortError, BadRequestError, NotFoundError } from 'openai'
import { describe, expect, test } from 'vitest'
import { answers, calls, reasons, says, wait } from '../support/fake-provider.ts'
import { openStream } from '../support/live-stream.ts'
import { QUESTION, WEATHER, sdkOf, textOf } from '../support/openai-client.ts'
import type { Body } from '../support/openai-client.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { useTestApp } from '../support/test-app.ts'
import type { TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

const PIXEL = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

describe.each(testDatabases())('the openai package, on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  describe('models', () => listsBots(app))
  describe('a completion', () => completes(app))
  describe('a stream', () => streams(app))
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
