import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport, StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { McpError } from '@modelcontextprotocol/sdk/types.js'
import { describe, expect, test } from 'vitest'
import { answers, fails, hang, says, wait } from '../support/fake-provider.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { startTestApp, useTestApp } from '../support/test-app.ts'
import type { CallOptions, Json, Reply, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

const TOOL = 'bot_123456'

describe.each(testDatabases())('the MCP server on $name', ({ name }) => {
  const app = useTestApp({ database: name, env: { CORS_ORIGINS: 'https://console.example.com' } })

  describe('works with the official client', () => servesClients(app))
  describe('works', () => servesAnybody(app))
  describe('refuses bad input', () => refusesInput(app))
  describe('refuses the wrong key', () => refusesKeys(app))

  keepsItsSecrets(app)
})

async function connect(app: TestApp, apiKey = app.apiKey): Promise<Client & AsyncDisposable> {
  const client = new Client({ name: 'test', version: '1.0.0' })
  const headers = { authorization: `Bearer ${apiKey}` }
  await client.connect(new StreamableHTTPClientTransport(new URL(`${app.url}/mcp`), { requestInit: { headers } }))
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() })
}

function servesClients(app: TestApp): void {
  test('each published bot is a tool', async () => {
    const config = { prompt: 'Be kind.' }
    const english = await app.makeBot(app.userId, { config, profile: { name: 'Support – Crème & Co.', description: '' } })
    await app.makeBot(app.userId, { published: false })
    await app.makeBot((await app.makeUser()).userId)
    await using client = await connect(app)
    expect(client.getServerVersion()).toMatchObject({ name: 'coze-plus' })

    const { tools } = await client.listTools()
    expect(
      tools.map(({ name, title, description }) => ({ name, title, description })).sort((a, b) => a.name.localeCompare(b.name)),
    ).toEqual([
      { name: TOOL, title: '客服助手', description: '智能客服机器人,可以回答常见问题' },
      { name: `support_creme_co_${english}`, title: 'Support – Crème & Co.', description: 'Talk to the agent Support – Crème & Co.' },
    ])
    for (const { name } of tools) expect(name).toMatch(/^[A-Za-z0-9_-]{1,64}$/)
    expect((await client.callTool({ name: `support_creme_co_${english}`, arguments: { message: 'hi' } })).isError).toBeFalsy()
    expect(app.provider.lastRequest.body.messages[0]?.content).toBe('Be kind.')
  })

  test('a call answers, and goes on with its conversation', async () => {
    await using client = await connect(app)
    await client.listTools()
    app.provider.script = [says('Hello', ' Ada'), says('You are Ada')]
    const first: Json = await client.callTool({ name: TOOL, arguments: { message: 'I am Ada' } })
    expect(first).toEqual({
      content: [{ type: 'text', text: 'Hello Ada' }],
      structuredContent: { conversation_id: expect.stringMatching(/^\d+$/), chat_id: expect.stringMatching(/^\d+$/), answer: 'Hello Ada' },
    })

    const { conversation_id } = first.structuredContent
    const second: Json = await client.callTool({ name: TOOL, arguments: { message: 'Who am I?', conversation_id } })
    expect(second.structuredContent).toMatchObject({ conversation_id, answer: 'You are Ada' })
    expect(app.provider.lastRequest.body.messages.slice(1).map((message) => message.content)).toEqual([
      'I am Ada',
      'Hello Ada',
      'Who am I?',
    ])
    const { body } = await app.call('POST', `/v1/conversation/message/list?conversation_id=${conversation_id}`, { order: 'asc' })
    expect(body.data).toHaveLength(4)
  })

  test('progress is told while the answer comes, and is the answer', async () => {
    await using client = await connect(app)
    app.provider.script = answers(['one ', wait(350), 'two ', wait(350), 'three'])
    const told: { progress: number; message?: string }[] = []
    const result: Json = await client.callTool({ name: TOOL, arguments: { message: 'count' } }, undefined, {
      onprogress: (each) => told.push(each),
    })
    expect(result.structuredContent.answer).toBe('one two three')
    expect(told.map(({ progress }) => progress)).toEqual([4, 8, 13])
    expect(told.map(({ message }) => message).join('')).toBe('one two three')
  })

  test('what goes wrong in a chat is a result that says so', async () => {
    await using client = await connect(app)
    app.provider.script = fails(401)
    const result: Json = await client.callTool({ name: TOOL, arguments: { message: 'hi' } })
    expect(result).toEqual({ isError: true, content: [{ type: 'text', text: expect.stringMatching(/^the model provider/) }] })
  })

  test('a bot’s own functions are not offered: nobody here could execute them', async () => {
    const botId = await app.makeBot(app.userId, { config: { tools: [{ type: 'function', name: 'order' }] } })
    await using client = await connect(app)
    await client.callTool({ name: `x_${botId}`, arguments: { message: 'hi' } })
    expect(app.provider.lastRequest.body.tools).toBeUndefined()
  })

  test('a client that leaves does not end the chat', async () => {
    app.provider.script = answers(['one ', wait(200), 'two'])
    const client = await connect(app)
    const leaving = new AbortController()
    const called = client.callTool({ name: TOOL, arguments: { message: 'hi', conversation_id: 'left' } }, undefined, {
      signal: leaving.signal,
    })
    called.catch(() => undefined)
    await app.provider.untilRequests(1)
    leaving.abort()
    await client.close()

    const contents = async () =>
      (await app.call('POST', '/v1/conversation/message/list?conversation_id=left', { order: 'asc' })).body.data.map(
        (each: Json) => each.content,
      )
    await expect.poll(contents).toEqual(['hi', 'one two'])
    expect(app.provider.aborted).toBe(0)
  })

  test('calls at the same time do not mix', async () => {
    app.provider.script = (request) => answers([`you said ${request.lastUserText}`])
    await using client = await connect(app)
    const ask = async (message: string): Promise<Json> => (await client.callTool({ name: TOOL, arguments: { message } })).structuredContent
    const told = await Promise.all(Array.from({ length: 20 }, (_, i) => ask(`${i}`)))
    expect(told.map(({ answer }) => answer)).toEqual(Array.from({ length: 20 }, (_, i) => `you said ${i}`))
  })
}

describe('an MCP server that stops', () => {
  test('ends the calls that are going on, and says so', async () => {
    await using app = await startTestApp({ script: answers(['one ', hang()]), env: { DRAIN_SECONDS: '0' } })
    await using client = await connect(app)
    const called = client.callTool({ name: TOOL, arguments: { message: 'hi' } })
    await app.provider.untilRequests(1)
    await app.stop()
    expect(await called).toEqual({ isError: true, content: [{ type: 'text', text: expect.stringMatching(/^the server was stopped/) }] })
  })
})

const HEADERS = { accept: 'application/json, text/event-stream' }
const post = (app: TestApp, body: unknown, { headers, ...options }: CallOptions = {}): Promise<Reply> =>
  app.call('POST', '/mcp', body, { headers: { ...HEADERS, ...headers }, ...options })
const LIST = { jsonrpc: '2.0', id: 1, method: 'tools/list' }

/** The message of an answer that came as a stream of one event. */
const messageIn = ({ text }: Reply): Json => JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? 'null')

function servesAnybody(app: TestApp): void {
  test('a client without sessions, that begins with what it wants', async () => {
    const reply = await post(app, LIST)
    expect(reply.status).toBe(200)
    expect(reply.headers.get('content-type')).toMatch(/^text\/event-stream/)
    expect(reply.headers.get('mcp-session-id')).toBeNull()
    expect(messageIn(reply).result.tools.length).toBeGreaterThan(0)
  })

  test('a page of this server, and of an origin that is allowed', async () => {
    for (const origin of [app.url, 'https://console.example.com']) {
      expect((await post(app, LIST, { headers: { origin } })).status).toBe(200)
    }
    const headers = {
      origin: 'https://console.example.com',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'mcp-protocol-version',
    }
    const preflight = await app.call('OPTIONS', '/mcp', undefined, { apiKey: '', headers })
    expect({ status: preflight.status, headers: preflight.headers.get('access-control-allow-headers') }).toEqual({
      status: 204,
      headers: 'mcp-protocol-version',
    })
  })
}

function refusesInput(app: TestApp): void {
  test('an unknown tool, one of an unpublished bot, and another’s', async () => {
    const hidden = await app.makeBot(app.userId, { published: false })
    const foreign = await app.makeBot((await app.makeUser()).userId)
    await using client = await connect(app)
    for (const name of ['nonsense', 'bot_1', 'bot_99999999999999999999', `bot_${hidden}`, `bot_${foreign}`, '']) {
      const error = await errorOf(client.callTool({ name, arguments: { message: 'hi' } }))
      expect(error).toBeInstanceOf(McpError)
      expect(error).toMatchObject({ code: -32_602, message: `MCP error -32602: unknown tool: ${name}` })
    }
  })

  test.each<[string, object | undefined, string]>([
    ['no message', {}, 'message must be a string'],
    ['no arguments', undefined, 'message must be a string'],
    ['an empty message', { message: '' }, 'message must not be empty'],
    ['a message that is too long', { message: 'a'.repeat(1_000_001) }, 'message must have at most 1000000 characters'],
    ['a conversation id that is none', { message: 'hi', conversation_id: 'a b' }, 'conversation_id must be a conversation id'],
    ['a conversation that is not there', { message: 'hi', conversation_id: '77' }, 'conversation not found'],
  ])('%s', async (_, input, text) => {
    await using client = await connect(app)
    const result: Json = await client.callTool({ name: TOOL, arguments: input as Record<string, unknown> })
    expect(result).toEqual({ isError: true, content: [{ type: 'text', text: expect.stringContaining(text) }] })
    expect(app.provider.requests).toEqual([])
  })

  test('another’s conversation', async () => {
    const stranger = await app.makeUser()
    const { body } = await app.call('POST', '/v1/conversation/create', {}, { apiKey: stranger.apiKey })
    await using client = await connect(app)
    const result: Json = await client.callTool({ name: TOOL, arguments: { message: 'hi', conversation_id: body.data.id } })
    expect(result.content[0].text).toBe('conversation not found')
  })

  test('a body that is none, is too large, or is no message', async () => {
    expectRpcError(await post(app, '{"jsonrpc"'), { status: 400, code: -32_700, message: 'the body is not valid JSON' })
    expectRpcError(await post(app, ''), { status: 400, code: -32_700, message: /./ })
    expectRpcError(await post(app, undefined), { status: 415, code: -32_000, message: /^Unsupported Media Type/ })
    expectRpcError(await post(app, { hello: 1 }), { status: 400, code: -32_700, message: /./ })
    expectRpcError(await post(app, { ...LIST, params: { filler: 'a'.repeat(5_000_000) } }), {
      ...{ status: 413, code: -32_000, message: 'the body is larger than this server takes' },
    })
    expectRpcError(await app.call('POST', '/mcp', LIST), { status: 406, code: -32_000, message: /^Not Acceptable/ })
  })

  test('GET and DELETE: there are no sessions', async () => {
    for (const method of ['GET', 'DELETE']) {
      const reply = await app.call(method, '/mcp', undefined, { headers: HEADERS })
      expectRpcError(reply, { status: 405, code: -32_000, message: /send POST$/ })
      expect(reply.headers.get('allow')).toBe('POST')
    }
  })

  test('a page of another origin, whatever its key', async () => {
    for (const origin of ['https://evil.example.com', 'null', `${app.url}.evil.example.com`]) {
      expectRpcError(await post(app, LIST, { headers: { origin } }), {
        status: 403,
        code: -32_000,
        message: /^requests from pages of this origin/,
      })
    }
  })
}

function refusesKeys(app: TestApp): void {
  test('401, and how to do it', async () => {
    for (const method of ['POST', 'GET', 'DELETE']) {
      const body = method === 'POST' ? LIST : undefined
      const reply = await app.call(method, '/mcp', body, { apiKey: 'pat_nonsense', headers: HEADERS })
      expectRpcError(reply, { status: 401, code: -32_000, message: 'api key invalid' })
      expect(reply.headers.get('www-authenticate')).toMatch(/^Bearer /)
    }
    expectRpcError(await post(app, LIST, { apiKey: '' }), { status: 401, code: -32_000, message: 'missing authorization in header' })
    const error = await errorOf(connect(app, 'pat_nonsense'))
    expect(error).toBeInstanceOf(StreamableHTTPError)
    expect(error).toMatchObject({ code: 401 })
  })
}

function expectRpcError(reply: Reply, { status, code, message }: { status: number; code: number; message: string | RegExp }): void {
  const text = typeof message === 'string' ? message : expect.stringMatching(message)
  expect({ status: reply.status, body: reply.body }).toEqual({ status, body: { jsonrpc: '2.0', error: { code, message: text }, id: null } })
}

const errorOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (cause: unknown) => cause,
  )
