import { describe, expect, test } from 'vitest'
import { answers, hang, hangs } from '../support/fake-provider.ts'
import { openStream } from '../support/live-stream.ts'
import { openSocket, rawRequest } from '../support/raw-socket.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { startTestApp, useTestApp } from '../support/test-app.ts'
import type { CallOptions, Json, Reply } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

const PATH = '/v1/chat/completions'
const USER = { role: 'user', content: 'hi' }
const QUESTION = { model: '123456', messages: [USER] }
const CALL = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{}' } }
const ASSISTANT = { role: 'assistant', content: null, tool_calls: [CALL, { ...CALL, id: 'call_2' }] }
const resultOf = (tool_call_id: string) => ({ role: 'tool', tool_call_id, content: 'Sunny' })
const tool = (name: unknown) => ({ type: 'function', function: { name } })

/** What its clients do is in test/sdk/openai-sdk.test.ts. */
describe.each(testDatabases())('OpenAI’s API on $name', ({ name }) => {
  const app = useTestApp({ database: name })
  const ask = (body: unknown, options?: CallOptions) => app.call('POST', PATH, body, options)

  describe('works', () => {
    test('a whole answer and a stream, to a client that knows no more than the paths', async () => {
      const { body } = await ask(QUESTION)
      expect(body.choices[0].message.content).toBe('Hello there')
      await using stream = await openStream(app, { ...QUESTION, stream: true }, { path: PATH })
      await stream.ended
      expect(stream.text.match(/^data: /gm)).toHaveLength(5)
    })

    test('results of calls may come in any order', async () => {
      const messages = [USER, ASSISTANT, resultOf('call_2'), resultOf('call_1'), USER]
      expect((await ask({ ...QUESTION, messages })).status).toBe(200)
      expect(app.provider.lastRequest.body.messages.map((message) => message.role)).toEqual([
        'system',
        'user',
        'assistant',
        'tool',
        'tool',
        'user',
      ])
    })

    test('the older names of fields count too', async () => {
      await ask({ ...QUESTION, user: 'end-user-7', safety_identifier: 'not this', max_tokens: 9 })
      expect(app.provider.lastRequest.body).toMatchObject({ user: 'end-user-7', max_tokens: 9 })
    })

    test('is in the reference', async () => {
      const { paths } = (await app.call('GET', '/openapi.json')).body
      expect(Object.keys(paths)).toEqual(expect.arrayContaining([PATH, '/v1/models', '/v1/models/{model}']))
    })
  })

  describe('refuses bad input', () => refusesBodies(ask))

  describe('refuses the wrong key', () => {
    test.each(['/v1/models', '/v1/models/123456', PATH])('at %s', async (path) => {
      const method = path === PATH ? 'POST' : 'GET'
      const body = path === PATH ? QUESTION : undefined
      const wanted = { status: 401, type: 'invalid_request_error', code: 'invalid_api_key', param: null }
      expectOpenAiError(await app.call(method, path, body, { apiKey: '' }), { ...wanted, message: 'missing authorization in header' })
      expectOpenAiError(await app.call(method, path, body, { apiKey: 'pat_nonsense' }), { ...wanted, message: 'api key invalid' })
    })

    test('another user has none of these models', async () => {
      const { apiKey } = await app.makeUser()
      expect((await app.call('GET', '/v1/models', undefined, { apiKey })).body).toEqual({ object: 'list', data: [] })
      const message = 'the model "123456" does not exist: model is the id of one of your published bots'
      const wanted = { status: 404, type: 'invalid_request_error', code: 'model_not_found', param: 'model', message }
      expectOpenAiError(await app.call('GET', '/v1/models/123456', undefined, { apiKey }), wanted)
      expectOpenAiError(await ask(QUESTION, { apiKey }), wanted)
      expect(app.provider.requests).toEqual([])
    })
  })

  keepsItsSecrets(app)
})

function refusesBodies(ask: (body: unknown, options?: CallOptions) => Promise<Reply>): void {
  const refused = (param: string | null, message: string | RegExp) => ({
    status: 400,
    type: 'invalid_request_error',
    code: null,
    param,
    message,
  })

  test.each<[string, object, string, string | RegExp]>([
    ['no model', { model: undefined }, 'model', 'model is required'],
    ['an empty model', { model: '' }, 'model', 'model: must not be empty'],
    ['a model that is no id', { model: {} }, 'model', 'model: must be the id of a bot'],
    ['no messages', { messages: undefined }, 'messages', 'messages is required'],
    ['an empty list', { messages: [] }, 'messages', 'messages: must not be empty'],
    ['a text', { messages: 'hi' }, 'messages', 'messages: must be an array of messages'],
    [
      'only the system’s',
      { messages: [{ role: 'system', content: 'a' }] },
      'messages',
      /^messages: must have a message that is not of the system/,
    ],
    [
      'an unknown role',
      { messages: [{ role: 'function', content: 'a' }] },
      'messages[0].role',
      /^messages.0.role: must be system, developer/,
    ],
    ['no content', { messages: [{ role: 'user' }] }, 'messages[0].content', 'messages.0.content is required'],
    [
      'a number',
      { messages: [{ role: 'user', content: 1 }] },
      'messages[0].content',
      'messages.0.content: must be a string or an array of parts',
    ],
    [
      '5 MB of text',
      { messages: [{ role: 'user', content: 'a'.repeat(5_000_000) }] },
      'messages[0].content',
      /must have at most 1000000 characters$/,
    ],
    ['speech', part({ type: 'input_audio', input_audio: {} }), 'messages[0].content[0].type', /must be text, image_url or file$/],
    [
      'a picture by a path',
      part({ type: 'image_url', image_url: { url: 'file:///a' } }),
      'messages[0].content[0].image_url.url',
      /must be an http/,
    ],
    [
      'a picture that is a page',
      part({ type: 'image_url', image_url: { url: 'data:text/html,a' } }),
      'messages[0].content[0].image_url.url',
      /must be/,
    ],
    ['a file that is none', part({ type: 'file', file: {} }), 'messages[0].content[0].file', /must have file_id/],
    [
      'a file of another house',
      part({ type: 'file', file: { file_id: 'file-abc' } }),
      'messages[0].content[0].file.file_id',
      /must be a positive whole number/,
    ],
    ['2001 messages', { messages: Array(2_001).fill(USER) }, 'messages', 'messages: must have at most 2000 messages'],
    [
      'a result without a call',
      { messages: [USER, resultOf('call_1')] },
      'messages[1]',
      /^messages.1: a tool message must answer one of the tool_calls/,
    ],
    [
      'a result too much',
      { messages: [USER, ASSISTANT, resultOf('call_1'), resultOf('call_1')] },
      'messages[3]',
      /^messages.3: a tool message/,
    ],
    [
      'a call without a result',
      { messages: [USER, ASSISTANT, resultOf('call_1'), USER] },
      'messages[3]',
      /^messages.3: call_2 must be answered by tool/,
    ],
    ['calls at the end', { messages: [USER, ASSISTANT] }, 'messages[1]', 'messages.1: call_1, call_2 must be answered by tool messages'],
    ['a function without a name', { tools: [tool(undefined)] }, 'tools[0].function.name', 'tools.0.function.name is required'],
    [
      'a function with blanks in its name',
      { tools: [tool('a b')] },
      'tools[0].function.name',
      /must have 1 to 64 letters, digits, _ and -$/,
    ],
    ['two functions of one name', { tools: [tool('a'), tool('a')] }, 'tools', 'tools: must not have two functions of one name'],
    ['129 functions', { tools: Array.from({ length: 129 }, (_, i) => tool(`f${i}`)) }, 'tools', 'tools: must have at most 128 functions'],
    ['a tool that is no function', { tools: [{ type: 'custom', custom: {} }] }, 'tools[0].type', 'tools.0.type: must be function'],
    ['a call that is forced', { tool_choice: 'required' }, 'tool_choice', /^tool_choice: must be none or auto/],
    ['two answers', { n: 2 }, 'n', 'n: must be 1'],
    ['too warm', { temperature: 3 }, 'temperature', 'temperature: must be a number from 0 to 2'],
    ['no tokens', { max_tokens: 0 }, 'max_tokens', 'max_tokens: must be a whole number from 1'],
    ['a stream that is a text', { stream: 'yes' }, 'stream', 'stream: must be true or false'],
    [
      'a format that nobody knows',
      { response_format: { type: 'xml' } },
      'response_format.type',
      /must be text, json_object or json_schema$/,
    ],
  ])('%s', async (...[, change, param, message]) => {
    expectOpenAiError(await ask({ ...QUESTION, ...change }), refused(param, message))
  })

  test('a body that is none', async () => {
    expectOpenAiError(await ask('{"model"'), refused(null, 'the body is not valid JSON'))
    expectOpenAiError(await ask([]), refused(null, 'the body must be a JSON object'))
    expectOpenAiError(await ask(undefined), refused('model', 'model is required'))
    const headers = { 'content-type': 'text/plain' }
    expectOpenAiError(await ask('hi', { headers }), refused(null, /^send the body as JSON/))
  })

  test('an Idempotency-Key of 10 KB, and one that was used for something else', async () => {
    const withKey = (key: string) => ({ headers: { 'idempotency-key': key } })
    expectOpenAiError(await ask(QUESTION, withKey('k'.repeat(10_000))), refused(null, /^Idempotency-Key must be/))
    expect((await ask(QUESTION, withKey('once'))).status).toBe(200)
    expectOpenAiError(await ask({ ...QUESTION, temperature: 1 }, withKey('once')), refused(null, /^this Idempotency-Key was used/))
  })

  test('more than 16 MB', async () => {
    const reply = await ask({ ...QUESTION, filler: 'a'.repeat(17_000_000) })
    const message = 'the body is larger than this server takes'
    expectOpenAiError(reply, { status: 413, type: 'invalid_request_error', code: 'request_too_large', param: null, message })
  })
}

const part = (content: object) => ({ messages: [{ role: 'user', content: [content] }] })

type OpenAiRefusal = { status: number; type: string; code: string | null; param: string | null; message: string | RegExp }

function expectOpenAiError(reply: Reply, { status, message, ...rest }: OpenAiRefusal): void {
  const text = typeof message === 'string' ? message : expect.stringMatching(message)
  expect({ status: reply.status, body: reply.body }).toEqual({ status, body: { error: { message: text, ...rest } } })
  expect(reply.headers.get('x-request-id')).toMatch(/^req_\d+$/)
  expect(reply.headers.get('x-request-id')).toBe(reply.headers.get('x-tt-logid'))
}

describe.each(testDatabases())('a server that stops, and OpenAI’s API, on $name', ({ name }) => {
  test('a stream that has begun says that it was interrupted, one that has not is refused as unavailable', async () => {
    await using app = await startTestApp({ database: name, env: { DRAIN_SECONDS: '0' }, script: [answers(['one ', hang()]), hangs()] })
    await using stream = await openStream(app, { ...QUESTION, stream: true }, { path: PATH })
    await expect.poll(() => stream.text).toContain('"one "')
    const silent = app.call('POST', PATH, { ...QUESTION, stream: true })
    await app.provider.untilRequests(2)
    await app.stop()

    await stream.ended.catch(() => undefined)
    expect(errorIn(stream.text)).toMatchObject({ type: 'server_error', code: 'unavailable' })
    expect(stream.text).not.toContain('[DONE]')
    expect((await silent).body).toEqual({ error: expect.objectContaining({ code: 'unavailable' }) })
  })
})

describe('a server that stops while its answer is not read', () => {
  test('cuts the stream: what came of it does not look whole', async () => {
    // more than the system keeps for a connection
    await using app = await startTestApp({ script: answers(Array.from({ length: 15_000 }, () => 'x'.repeat(200))) })
    await using reader = await openSocket(app.port)
    reader.socket.pause()
    const headers = { authorization: `Bearer ${app.apiKey}` }
    reader.send(rawRequest(`POST ${PATH}`, { headers, body: JSON.stringify({ ...QUESTION, stream: true }) }))
    const ended = async () => (await app.core.db.selectFrom('run').select('status').execute()).map((run) => run.status)
    await expect.poll(ended, { timeout: 15_000 }).toEqual(['completed'])

    await app.stop()
    reader.socket.resume()
    const received = await reader.closed()
    expect(received).toMatch(/^HTTP\/1.1 200/)
    expect(received).not.toMatch(/\r\n0\r\n\r\n$/)
  })
})

const errorIn = (text: string): Json => JSON.parse(/^data: (\{"error".*)$/m.exec(text)?.[1] ?? '{}').error
