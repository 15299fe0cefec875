import { getEventListeners } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import { startPlainServer, writeBytes } from '../../test/support/plain-server.ts'
import type { Handler } from '../../test/support/plain-server.ts'
import { botToolSchema } from '../bots/bot-tools.ts'
import { createGuardedFetch } from '../lib/guarded-fetch.ts'
import { createSecretBox } from '../lib/secret-box.ts'
import { createToolSets } from './tool-set.ts'

const secrets = createSecretBox('master')
const never = new AbortController().signal
const errors: unknown[] = []
afterEach(() => expect(errors.splice(0)).toEqual([]))

type Parameter = { name: string; in: string; [more: string]: unknown }
type Setup = { headers?: Record<string, string>; allowedCidrs?: string[]; baseUrl?: string; timeoutMs?: number }

/** One operation on a server that does what the handler says. */
async function useOperation(
  operation: object,
  { path = '/x', method = 'get', handler = answer('ok'), ...setup }: Setup & { path?: string; method?: string; handler?: Handler } = {},
) {
  const server = await startPlainServer(handler)
  const document = {
    openapi: '3.1.0',
    servers: [{ url: `${server.url}/v1` }],
    paths: { [path]: { [method]: { operationId: 'op', ...operation } } },
  }
  const sealedHeaders = Object.fromEntries(Object.entries(setup.headers ?? {}).map(([name, value]) => [name, secrets.seal(value)]))
  const tool = botToolSchema.parse({
    type: 'openapi',
    name: 'api',
    document,
    sealedHeaders,
    timeoutMs: setup.timeoutMs,
    baseUrl: setup.baseUrl,
  })
  const guardedFetch = createGuardedFetch({ allowedCidrs: setup.allowedCidrs ?? ['127.0.0.1/32'] })
  const toolSets = createToolSets({ secrets, guardedFetch, clock: Date.now, onError: (cause) => errors.push(cause) })
  const { tools, problems } = await toolSets.forBot({ botId: '1', config: { tools: [tool] } }, never)

  return {
    ...{ server, problems, tool: tools[0] },
    call: (args: unknown, signal = never) => {
      if (!tools[0]) throw new Error(problems.join())
      return tools[0].call(JSON.stringify(args), { signal })
    },
    [Symbol.asyncDispose]: async () => {
      await guardedFetch.close()
      await server.close()
    },
  }
}

const answer =
  (body: string | Buffer, { status = 200, type = 'application/json' } = {}): Handler =>
  (_request, response) =>
    response.writeHead(status, { 'content-type': type }).end(body)

const parameters = (...list: Parameter[]) => ({ parameters: list.map((each) => ({ schema: {}, ...each })) })
const jsonBody = (schema: object, required = true) => ({ requestBody: { required, content: { 'application/json': { schema } } } })

describe('where arguments go', () => {
  test.each<[string, Omit<Parameter, 'in' | 'name'>, unknown, string]>([
    ['text', {}, 'a b&c=d/ü?#%', '?q=a%20b%26c%3Dd%2F%C3%BC%3F%23%25'],
    ['a number', {}, 5, '?q=5'],
    ['false', {}, false, '?q=false'],
    ['nothing', {}, null, ''],
    ['a list', {}, ['a,b', 'c'], '?q=a%2Cb&q=c'],
    ['a list behind commas', { explode: false }, ['a,b', 'c'], '?q=a%2Cb,c'],
    ['a list behind blanks', { style: 'spaceDelimited', explode: false }, ['a', 'b'], '?q=a%20b'],
    ['a list behind bars', { style: 'pipeDelimited', explode: false }, ['a', 'b'], '?q=a%7Cb'],
    ['an object', {}, { a: 1, 'b&': 2 }, '?a=1&b%26=2'],
    ['an object behind commas', { explode: false }, { a: 1, b: 2 }, '?q=a,1,b,2'],
    ['a deep object', { style: 'deepObject' }, { a: 1, b: { c: [2, 3] } }, '?q%5Ba%5D=1&q%5Bb%5D%5Bc%5D=2&q%5Bb%5D%5Bc%5D=3'],
    ['JSON', { content: { 'application/json': {} } }, { a: ['x'] }, '?q=%7B%22a%22%3A%5B%22x%22%5D%7D'],
    ['half a character', {}, '\ud800', '?q=%EF%BF%BD'],
  ])('%s in the query', async (...[, more, value, search]) => {
    await using used = await useOperation(parameters({ name: 'q', in: 'query', ...more }))
    expect(await used.call({ q: value })).toEqual({ content: 'ok', isError: false })
    expect(used.server.requests[0]?.url).toBe(`/v1/x${search}`)
  })

  test.each<[unknown, string]>([
    ['a/b?c#d', 'a%2Fb%3Fc%23d'],
    ['../../admin', '..%2F..%2Fadmin'],
    ['%2e%2e', '%252e%252e'],
    ['\\..\\', '%5C..%5C'],
    [['a', 'b,c'], 'a,b%2Cc'],
    [{ a: 1, b: 2 }, 'a,1,b,2'],
    [5, '5'],
  ])('%j in the path', async (value, segment) => {
    await using used = await useOperation(parameters({ name: 'id', in: 'path' }), { path: '/items/{id}/price' })
    expect((await used.call({ id: value })).isError).toBe(false)
    expect(used.server.requests[0]?.url).toBe(`/v1/items/${segment}/price`)
  })

  test.each([[''], ['.'], ['..']])('%j in the path would be another operation', async (value) => {
    await using used = await useOperation(parameters({ name: 'id', in: 'path' }), { path: '/items/{id}' })
    expect(await used.call({ id: value })).toEqual({ content: 'a part of the path must not be empty, . or ..', isError: true })
    expect(used.server.requests).toEqual([])
  })

  test('headers and cookies', async () => {
    await using used = await useOperation(
      parameters(
        { name: 'X-City', in: 'header' },
        { name: 'X-List', in: 'header' },
        { name: 'sid', in: 'cookie' },
        { name: 'Host', in: 'header' },
      ),
    )
    await used.call({ 'X-City': 'Paris', 'X-List': ['a', 'b'], sid: 'a b' })
    expect(used.server.requests[0]?.headers).toMatchObject({ 'x-city': 'Paris', 'x-list': 'a,b', cookie: 'sid=a%20b' })
    expect(Object.keys(used.tool?.parameters.properties ?? {})).toEqual(['X-City', 'X-List', 'sid'])

    for (const odd of ['a\r\nX-Admin: 1', '北京']) {
      expect(await used.call({ 'X-City': odd })).toEqual({ content: 'the header X-City takes one line of ASCII only', isError: true })
    }
  })

  test('bodies', async () => {
    await using json = await useOperation(jsonBody({ type: 'object', required: ['a'] }), { method: 'post' })
    expect(await json.call({ body: { a: '你', b: [1] } })).toMatchObject({ isError: false })
    expect(json.server.requests[0]).toMatchObject({
      method: 'POST',
      body: '{"a":"你","b":[1]}',
      headers: { 'content-type': 'application/json' },
    })
    expect(await json.call({})).toEqual({ content: 'arguments lacks body', isError: true })
    expect(await json.call({ body: {} })).toEqual({ content: 'arguments.body lacks a', isError: true })

    const form = { requestBody: { content: { 'application/x-www-form-urlencoded': { schema: {} } } } }
    await using formed = await useOperation(form, { method: 'put' })
    await formed.call({ body: { a: 'x y', b: [1, 2] } })
    expect(formed.server.requests[0]).toMatchObject({
      body: 'a=x%20y&b=1&b=2',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })

    await using plain = await useOperation({ requestBody: { content: { 'text/plain': {} } } }, { method: 'patch' })
    await plain.call({ body: 'hello' })
    await plain.call({})
    expect(plain.server.requests.map(({ body, headers }) => [body, headers['content-type']])).toEqual([
      ['hello', 'text/plain'],
      ['', undefined],
    ])
  })

  test('the base URL keeps its own path and query', async () => {
    await using used = await useOperation(parameters({ name: 'q', in: 'query' }))
    const baseUrl = `${used.server.url}/deep/api/?version=2#part`
    await using other = await useOperation(parameters({ name: 'q', in: 'query' }), { baseUrl })
    await other.call({ q: 1 })
    expect(used.server.requests[0]?.url).toBe('/deep/api/x?version=2&q=1')
  })
})

describe('the builder’s headers', () => {
  test('go with each call, and the model neither sees nor changes them', async () => {
    const operation = parameters({ name: 'X-Api-Key', in: 'header', required: true }, { name: 'q', in: 'query' })
    await using used = await useOperation(operation, { headers: { 'x-api-key': 'sesame', Authorization: 'Bearer sesame' } })
    await used.call({ 'X-Api-Key': 'mine', q: 1 })

    expect(used.server.requests[0]?.headers).toMatchObject({ 'x-api-key': 'sesame', authorization: 'Bearer sesame' })
    expect(used.tool?.parameters).toEqual({ type: 'object', properties: { q: {} }, required: [] })
    expect(JSON.stringify(used.tool)).not.toContain('sesame')
  })

  test('do not follow a redirect to another origin', async () => {
    await using other = await startPlainServer(answer('elsewhere'))
    const handler: Handler = (_request, response) => response.writeHead(302, { location: other.url }).end()
    await using used = await useOperation({}, { handler, headers: { 'x-api-key': 'sesame' } })

    expect(await used.call({})).toEqual({ content: 'elsewhere', isError: false })
    expect(JSON.stringify(other.requests)).not.toContain('sesame')
  })
})

describe('what comes back', () => {
  const resultOf = async (handler: Handler, setup: Setup = {}) => {
    await using used = await useOperation({}, { handler, ...setup })
    return await used.call({})
  }

  test('is the text of the answer, with the status when it is no success', async () => {
    expect(await resultOf(answer('{"a":1}'))).toEqual({ content: '{"a":1}', isError: false })
    expect(await resultOf(answer('{"e":1}', { status: 404 }))).toEqual({ content: 'HTTP status 404\n{"e":1}', isError: true })
    expect(await resultOf(answer('', { status: 500 }))).toEqual({ content: 'HTTP status 500, no content', isError: true })
    expect(await resultOf((_request, response) => response.writeHead(204).end())).toEqual({
      content: 'HTTP status 204, no content',
      isError: false,
    })
  })

  test('in its own character set, as far as it is known', async () => {
    expect(await resultOf(answer(Buffer.from('C4E3BAC3', 'hex'), { type: 'text/plain; charset=gbk' }))).toMatchObject({ content: '你好' })
    expect(await resultOf(answer('你好', { type: 'text/plain; charset=nonsense' }))).toMatchObject({ content: '你好' })
  })

  test('is a description of what is no text', async () => {
    expect(await resultOf(answer(Buffer.alloc(10), { type: 'image/png' }))).toEqual({ content: '[image/png]', isError: false })
  })

  test('50 MB are cut after 64 kB, without reading on', async () => {
    let written = 0
    const { content, isError } = await resultOf(async (_request, response) => {
      written = await writeBytes(response, 50_000_000)
    })

    expect(isError).toBe(false)
    expect(content).toBe(`${'x'.repeat(65_536)}\n[cut after 64 kB]`)
    expect(written).toBeLessThan(20_000_000)
  })

  test('a server that hangs, before or in its answer, is left in time', async () => {
    const begin = performance.now()
    const tooLate = { content: 'no answer within 0.2 s', isError: true }
    expect(await resultOf(() => undefined, { timeoutMs: 200 })).toEqual(tooLate)
    expect(await resultOf((_request, response) => response.writeHead(200).write('a'), { timeoutMs: 200 })).toEqual(tooLate)
    expect(performance.now() - begin).toBeLessThan(3_000)
  })

  test('a server that breaks off, or sits at a private address, says so', async () => {
    expect(await resultOf((_request, response) => response.destroy())).toMatchObject({
      isError: true,
      content: expect.stringMatching(/cannot be reached/),
    })
    expect(await resultOf((_request, response) => response.writeHead(200).write('half', () => response.destroy()))).toMatchObject({
      isError: true,
      content: expect.stringMatching(/broke off its answer/),
    })
    expect(await resultOf(answer('secret'), { allowedCidrs: [] })).toMatchObject({
      isError: true,
      content: expect.stringMatching(/this server itself/),
    })
    const metadata: Handler = (_request, response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end()
    expect(await resultOf(metadata)).toMatchObject({ isError: true, content: expect.stringMatching(/a cloud’s metadata/) })
  })

  test('a chat that is canceled ends the call with its own reason, and the connection', async () => {
    await using used = await useOperation({}, { handler: () => undefined })
    const control = new AbortController()
    const reason = new Error('canceled')
    const call = used.call({}, control.signal)
    setTimeout(() => control.abort(reason), 50)

    await expect(call).rejects.toBe(reason)
    await expect.poll(() => used.server.open).toBe(0)
  })
})

test('many calls on one signal leave nothing behind on it', async () => {
  await using used = await useOperation({})
  const control = new AbortController()
  for (let call = 0; call < 3; call++) await used.call({}, control.signal)
  expect(getEventListeners(control.signal, 'abort')).toEqual([])
})
