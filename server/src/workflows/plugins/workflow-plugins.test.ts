import { describe, expect, test } from 'vitest'
import { echoTool, startMcpServer, text } from '../../../test/support/mcp-test-server.ts'
import { startPlainServer, writeBytes } from '../../../test/support/plain-server.ts'
import type { Handler } from '../../../test/support/plain-server.ts'
import { BOB, mcpTool, openapiTool, openPluginHouse, PLUGIN } from '../../../test/support/plugin-house.ts'

const refusal = (message: RegExp | string, code = 720701013) =>
  expect.objectContaining({ name: 'NodeError', code, message: expect.stringMatching(message) })

const jsonBody = (schema: object, required = true) => ({ requestBody: { required, content: { 'application/json': { schema } } } })
const parameter = (name: string, place: string, more: object = {}) => ({ name, in: place, schema: { type: 'string' }, ...more })
const answer =
  (body: string | Buffer, { status = 200, type = 'application/json' } = {}): Handler =>
  (_request, response) =>
    response.writeHead(status, { 'content-type': type }).end(body)

/** A plugin with an operation at `POST /run` or whatever the paths are. */
async function usePlugin(operation: object, handler: Handler = answer('{}'), more: object = {}) {
  const server = await startPlainServer(handler)
  const house = await openPluginHouse()
  await house.save(openapiTool(server.url, { '/run': { post: { operationId: 'run', ...operation } } }, more))
  return {
    ...{ server, house },
    [Symbol.asyncDispose]: async () => {
      await house[Symbol.asyncDispose]()
      await server.close()
    },
  }
}

describe('an operation is found', () => {
  const paths = {
    '/a': { get: { operationId: 'getWeather' } },
    '/b': { get: { operationId: '猎聘', 'x-api-id': '7348853341923016714' } },
    '/c/{id}': { get: { parameters: [parameter('id', 'path')] } },
  }

  test.each([
    [{ apiName: 'getWeather' }, '/a'],
    [{ apiName: '猎聘' }, '/b'],
    [{ apiName: 'ImageToolPro', apiId: '7348853341923016714' }, '/b'],
    [{ apiName: 'unknown', apiId: 'getWeather' }, '/a'],
    [{ apiName: 'GET /c/{id}' }, '/c/1'],
    [{ apiName: 'get_c_id' }, '/c/1'],
  ])('by %j', async (wanted, url) => {
    await using server = await startPlainServer(answer('{}'))
    await using house = await openPluginHouse()
    await house.save(openapiTool(server.url, paths))
    await house.call(wanted, { id: '1' })
    expect(server.requests.map((request) => request.url)).toEqual([url])
  })

  test('or the names that there are are said', async () => {
    await using house = await openPluginHouse()
    await house.save(openapiTool('https://a.example', paths))
    for (const wanted of [{ apiName: 'nope', apiId: '42' }, { apiName: '北京' }, {}])
      await expect(house.call(wanted)).rejects.toEqual(refusal(/^plugin 天气 has no operation .*; there are: getWeather, tool, get_c_id$/))
  })

  test('whatever its name when it is the only one', async () => {
    await using plugin = await usePlugin({})
    expect(await plugin.house.call({ apiName: 'p1_copy', apiId: '7521710447641231360' })).toEqual({})
    expect(await plugin.house.describe({ apiName: 'p1_copy' })).toMatchObject({ name: 'p1_copy' })
    expect(await plugin.house.describe({ apiName: '猎聘' })).toMatchObject({ name: 'run' })
  })

  test.each(['1', '0', '', 'x', '1e3', "1' OR '1'='1", '9'.repeat(40)])('only in a plugin that there is, not in %j', async (pluginId) => {
    await using plugin = await usePlugin({})
    await expect(plugin.house.call({ pluginId })).rejects.toEqual(
      refusal(`there is no plugin ${pluginId}: add one with this id to the \`plugins\``),
    )
  })

  test('only in a plugin of the workflow’s owner', async () => {
    await using plugin = await usePlugin({})
    await expect(plugin.house.call({}, {}, { who: BOB })).rejects.toEqual(refusal(`there is no plugin ${PLUGIN}`))
    expect(plugin.server.requests).toEqual([])
  })
})

describe('arguments', () => {
  const operation = {
    parameters: [
      parameter('q', 'query', { required: true }),
      parameter('X-Tag', 'header'),
      parameter('count', 'query', { schema: { type: 'integer' } }),
    ],
    ...jsonBody({
      type: 'object',
      properties: {
        prompt: { type: 'string' },
        size: { type: 'integer' },
        tags: { type: 'array' },
        isNew: { type: 'boolean' },
        count: { type: 'number' },
      },
      required: ['prompt'],
    }),
  }

  test('of all places are one list', async () => {
    await using plugin = await usePlugin(operation)
    await plugin.house.call({}, { q: 'a b', 'X-Tag': 't', count: 3, prompt: '画', tags: ['x'], more: { deep: [1] }, isNew: null })

    const [request] = plugin.server.requests
    expect(request).toMatchObject({
      method: 'POST',
      url: '/run?q=a%20b&count=3',
      headers: { 'x-tag': 't', 'content-type': 'application/json' },
    })
    expect(JSON.parse(request?.body ?? '')).toEqual({ prompt: '画', tags: ['x'], more: { deep: [1] }, count: 3 })
    expect((await plugin.house.describe({})).parameters).toEqual({
      type: 'object',
      properties: {
        ...{ prompt: { type: 'string' }, size: { type: 'integer' }, tags: { type: 'array' }, isNew: { type: 'boolean' } },
        ...{ q: { type: 'string' }, 'X-Tag': { type: 'string' }, count: { type: 'integer' } },
      },
      required: ['q', 'prompt'],
    })
  })

  test('get the types that are asked for, and large integers stay exact', async () => {
    await using plugin = await usePlugin(operation)
    const id = 7348853341922983946n
    await plugin.house.call({}, { q: id, prompt: 5, size: '12', isNew: 'true', tags: '["a"]', ids: [id], count: 'many' })

    const [request] = plugin.server.requests
    expect(request?.url).toBe('/run?q=7348853341922983946&count=many')
    expect(request?.body).toContain('"ids":[7348853341922983946]')
    expect(JSON.parse(request?.body ?? '')).toMatchObject({ prompt: '5', size: 12, isNew: true, tags: ['a'], count: 'many' })
  })

  test('that are required and not there are named, and nothing is sent', async () => {
    await using plugin = await usePlugin(operation)
    await expect(plugin.house.call({}, { q: null, size: 1 })).rejects.toEqual(
      refusal('plugin 天气, operation run: it needs the arguments q, prompt', 720702002),
    )
    expect(plugin.server.requests).toEqual([])
  })

  test.each<[string, object, object, string]>([
    ['whole', jsonBody({ allOf: [{ type: 'object' }] }), { body: { a: 1 } }, '{"a":1}'],
    ['in fields nobody has described', jsonBody({ type: 'object' }), { a: 1, b: [] }, '{"a":1,"b":[]}'],
    ['that is left out', jsonBody({ properties: { a: {} } }, false), {}, ''],
    ['that is empty', jsonBody({ properties: { a: {} } }), { a: null }, '{}'],
    ['with a field body', jsonBody({ properties: { body: { type: 'object' } } }), { body: { a: 1 } }, '{"body":{"a":1}}'],
    ['that is a list', jsonBody({ type: 'array' }), { body: '[1,2]' }, '[1,2]'],
    ['that is a text', { requestBody: { content: { 'text/plain': {} } } }, { body: 5 }, '5'],
  ])('make a body %s', async (...[, withBody, args, body]) => {
    await using plugin = await usePlugin(withBody)
    await plugin.house.call({}, { ...args })
    expect(plugin.server.requests.map((request) => request.body)).toEqual([body])
  })

  test('cannot make another operation of a path', async () => {
    await using house = await openPluginHouse()
    await house.save(openapiTool('https://a.example', { '/c/{id}': { get: { operationId: 'c', parameters: [parameter('id', 'path')] } } }))
    await expect(house.call({}, { id: '..' })).rejects.toEqual(refusal('plugin 天气, operation c: a part of the path must not be empty'))
  })
})

describe('an answer', () => {
  test.each([
    ['{"id":7348853341922983946,"a":[1.5,null]}', {}, { id: 7348853341922983946n, a: [1.5, null] }],
    ['{"a":1}', { type: 'text/html' }, { a: 1 }],
    [' [1,2]', { type: 'text/plain' }, [1, 2]],
    ['"a text"', {}, 'a text'],
    ['12', { type: 'text/plain' }, { output: '12' }],
    ['北京', { type: 'text/plain' }, { output: '北京' }],
    ['{broken', {}, { output: '{broken' }],
    ['', { status: 204 }, {}],
    [Buffer.from([137, 80]), { type: 'image/png' }, { output: expect.stringMatching(/^\[image\/png/) }],
  ])('%j with %j', async (...[body, how, value]) => {
    await using plugin = await usePlugin({}, answer(body, how))
    expect(await plugin.house.call({})).toEqual(value)
  })

  test('comes whole up to 1 MB, and what is more is cut off', async () => {
    const large = JSON.stringify({ list: 'x'.repeat(900_000) })
    await using plugin = await usePlugin({}, answer(large))
    expect(JSON.stringify(await plugin.house.call({}))).toHaveLength(large.length)

    let written = 0
    await using endless = await usePlugin({}, async (_request, response) => void (written = await writeBytes(response, 1_000_000_000)))
    await expect(endless.house.call({})).rejects.toEqual(refusal(/has more than 1000000 bytes$/))
    await expect.poll(() => written).toBeGreaterThan(0)
    expect(written).toBeLessThan(50_000_000)
  })

  test.each([401, 403])('with the status %d asks for authorization, and shows no key', async (status) => {
    await using plugin = await usePlugin({}, answer('wrong key sesame', { status }), { headers: { 'X-Key': 'sesame' } })
    await expect(plugin.house.call({})).rejects.toEqual(
      refusal(
        new RegExp(`^plugin 天气, operation run: its server refuses access \\(HTTP status ${status}\\): give the plugin valid`),
        777777765,
      ),
    )
    expect(plugin.server.requests[0]?.headers['x-key']).toBe('sesame')
  })

  test('with another status is an error that shows it', async () => {
    await using plugin = await usePlugin({}, answer('{"e":"no such city"}', { status: 500 }))
    await expect(plugin.house.call({})).rejects.toEqual(refusal('^plugin 天气, operation run: HTTP status 500\n{"e":"no such city"}$'))
  })

  test('that does not come is not waited for', async () => {
    await using plugin = await usePlugin({}, () => undefined, { timeoutMs: 200 })
    await expect(plugin.house.call({})).rejects.toEqual(refusal('no answer within 0.2 s$'))

    const control = new AbortController()
    const reason = new Error('canceled')
    const running = plugin.house.call({}, {}, { signal: control.signal })
    await expect.poll(() => plugin.server.requests.length).toBe(2)
    control.abort(reason)
    await expect(running).rejects.toBe(reason)
    await expect(plugin.house.call({}, {}, { signal: control.signal })).rejects.toBe(reason)
  })
})

describe('an MCP server', () => {
  const tools = [
    echoTool,
    { name: 'news.latest', description: 'News', inputSchema: { type: 'object', properties: { body: { type: 'object' } } } },
  ]

  test('answers with data, or with its texts', async () => {
    const answers: Record<string, unknown> = {
      data: { content: [{ type: 'text', text: 'seen by models' }], structuredContent: { degrees: 21 } },
      json: text('{"degrees":[21]}'),
      words: text('one', 'two'),
      number: text('21'),
    }
    await using server = await startMcpServer({ list: () => ({ tools }), call: (_name, args) => answers[String(args.text)] })
    await using house = await openPluginHouse()
    await house.save(mcpTool(server.mcpUrl))
    const say = (word: string) => house.call({ apiName: 'echo' }, { text: word })

    expect(await Promise.all(['data', 'json', 'words', 'number'].map(say))).toEqual([
      { degrees: 21 },
      { degrees: [21] },
      { output: 'one\ntwo' },
      { output: '21' },
    ])
    expect(house.errors).toEqual([])
  })

  test('gets its arguments as they are, large integers too', async () => {
    await using server = await startMcpServer({ list: () => ({ tools }), call: (name, args) => text(name, JSON.stringify(args)) })
    await using house = await openPluginHouse()
    await house.save(mcpTool(server.mcpUrl))

    const args = { body: { a: 1 }, more: [7348853341922983946n], none: null }
    expect(await house.call({ apiName: 'news.latest' }, args)).toMatchObject({
      output: expect.stringMatching(/^news.latest\n\{"body":\{"a":1\},"more":/),
    })
    expect(server.requests.at(-1)?.body).toContain('"more":[7348853341922983946]')
    expect(await house.describe({ apiName: 'news.latest' })).toEqual({
      ...{ name: 'news_latest', description: 'News' },
      parameters: { type: 'object', properties: { body: { type: 'object' } } },
    })
  })

  test('that fails is an error of the node', async () => {
    await using server = await startMcpServer({
      call: (_name, args) => (args.text === 'large' ? text('x'.repeat(1_100_000)) : { ...text('no such city'), isError: true }),
      before: (request, response) => request.text.includes('"locked"') && response.writeHead(401).end() === response,
    })
    await using house = await openPluginHouse()
    await house.save(mcpTool(server.mcpUrl))
    const say = (word: string) => house.call({ apiName: 'echo' }, { text: word })

    await expect(say('x')).rejects.toEqual(refusal('^plugin 天气, operation echo: no such city$'))
    await expect(say('large')).rejects.toEqual(refusal('the answer has more than 1000000 bytes$'))
    await expect(say('locked')).rejects.toEqual(refusal('its server refuses access \\(HTTP status 401\\)', 777777765))
    await expect(house.call({ apiName: 'echo' })).rejects.toEqual(refusal('it needs the arguments text$', 720702002))
  })

  test('that lets nobody in asks for authorization', async () => {
    await using server = await startPlainServer((_request, response) => response.writeHead(401).end())
    await using house = await openPluginHouse()
    await house.save(mcpTool(server.url))
    await expect(house.call({})).rejects.toEqual(refusal('^plugin 天气: its server refuses access \\(HTTP status 401\\)', 777777765))
  })

  test('has one connection for all runs', async () => {
    await using server = await startMcpServer()
    await using house = await openPluginHouse()
    await house.save(mcpTool(server.mcpUrl))
    await Promise.all([1, 2, 3].map((each) => house.call({}, { text: String(each) })))

    expect(server.sessions).toBe(1)
  })
})

test('a plugin must not lead inside', async () => {
  await using house = await openPluginHouse()
  await house.save(openapiTool('http://169.254.169.254', { '/x': { get: { operationId: 'x' } } }))
  await expect(house.call({})).rejects.toEqual(refusal('^plugin 天气, operation x: 169.254.169.254 leads to a cloud’s metadata'))

  await house.save(mcpTool('http://127.0.0.2:8099/mcp'))
  await expect(house.call({})).rejects.toEqual(refusal('^plugin 天气: 127.0.0.2 leads to this server itself'))
})

test('a plugin that cannot be reached is asked again by the next attempt of the same run', async () => {
  await using house = await openPluginHouse()
  const run = house.newRun()
  const call = () => run.call({ pluginId: PLUGIN, apiId: '', apiName: '' }, {}, { signal: new AbortController().signal })
  await expect(call()).rejects.toEqual(refusal('there is no plugin'))

  await using server = await startPlainServer(answer('{"a":1}'))
  await house.save(openapiTool(server.url, { '/x': { get: {} } }))
  expect(await call()).toEqual({ a: 1 })
  await house.save(openapiTool('https://other.example', { '/x': { get: {} } }))
  expect(await call()).toEqual({ a: 1 })
})
