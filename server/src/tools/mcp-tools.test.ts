import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { echoTool, startMcpServer, text } from '../../test/support/mcp-test-server.ts'
import { startPlainServer, writeBytes } from '../../test/support/plain-server.ts'
import { botToolSchema } from '../bots/bot-tools.ts'
import type { BotTool } from '../bots/bot-tools.ts'
import { createGuardedFetch } from '../lib/guarded-fetch.ts'
import { createSecretBox } from '../lib/secret-box.ts'
import { createToolSets } from './tool-set.ts'
import type { ToolSets } from './tool-set.ts'

const secrets = createSecretBox('master')
const time = { now: Date.UTC(2026, 0, 1) }
const errors: unknown[] = []
const open: ToolSets[] = []
afterEach(async () => {
  for (const toolSets of open.splice(0)) await toolSets.close()
  expect(errors.splice(0)).toEqual([])
})

function makeToolSets({ allowedCidrs = ['127.0.0.0/8'], idleMs = 60_000 } = {}) {
  const guardedFetch = createGuardedFetch({ allowedCidrs })
  const toolSets = createToolSets({ secrets, guardedFetch, idleMs, clock: () => time.now, onError: (cause) => errors.push(cause) })
  open.push(toolSets)
  return toolSets
}

const mcpTool = (url: string, more: object = {}): BotTool => botToolSchema.parse({ type: 'mcp', name: 'srv', url, ...more })
const bot = (...tools: BotTool[]) => ({ botId: '1', config: { tools } })
const never = new AbortController().signal
const forBot = (toolSets: ToolSets, ...tools: BotTool[]) => toolSets.forBot(bot(...tools), never)

async function useServer(url: string, more: object = {}) {
  const { tools, problems } = await forBot(makeToolSets(), mcpTool(url, more))
  const call = (name: string, args: unknown = {}) => {
    const tool = tools.find((each) => each.name === name)
    if (!tool) throw new Error(`no tool ${name}: ${problems.join()}`)
    return tool.call(typeof args === 'string' ? args : JSON.stringify(args), { signal: never })
  }
  return { tools, problems, call }
}

describe('the tools of an MCP server', () => {
  test('are listed over all pages, called, and answered', async () => {
    const pages: Record<string, unknown> = {
      '': { tools: [echoTool], nextCursor: 'b' },
      b: { tools: [{ name: 'weather.get/now', inputSchema: { type: 'object' } }], nextCursor: 'c' },
      c: { tools: [{ ...echoTool, name: 'weather_get_now' }] },
    }
    await using server = await startMcpServer({
      list: (cursor = '') => pages[cursor],
      call: (name, args) => text(name, JSON.stringify(args)),
    })
    const { tools, problems, call } = await useServer(server.mcpUrl)

    expect(problems).toEqual([])
    expect(tools.map(({ name }) => name)).toEqual(['echo', 'weather_get_now', 'weather_get_now_2'])
    expect(tools[0]).toMatchObject({ description: 'Says it again', parameters: echoTool.inputSchema })
    expect(await call('echo', { text: '你好' })).toEqual({ content: 'echo\n{"text":"你好"}', isError: false })
    expect(await call('weather_get_now', '')).toEqual({ content: 'weather.get/now\n{}', isError: false })
  })

  test('are those that are allowed', async () => {
    const list = () => ({ tools: ['a.b', 'c', 'd'].map((name) => ({ ...echoTool, name })) })
    await using server = await startMcpServer({ list })
    const { tools, problems } = await useServer(server.mcpUrl, { allow: ['a.b', 'd', 'gone'] })

    expect(tools.map(({ name }) => name)).toEqual(['a_b', 'd'])
    expect(problems).toEqual(['tool srv: it has no tool gone'])
  })

  test('get the bot’s headers, which stand nowhere in clear', async () => {
    await using server = await startMcpServer()
    const sealedHeaders = { Authorization: secrets.seal('Bearer sesame') }
    const { call, tools } = await useServer(server.mcpUrl, { sealedHeaders })
    await call('echo', { text: 'x' })

    expect(server.requests.length).toBeGreaterThan(2)
    expect(server.requests.every(({ headers }) => headers.authorization === 'Bearer sesame')).toBe(true)
    expect(JSON.stringify([sealedHeaders, tools])).not.toContain('sesame')
    // nobody listens to the server's own messages
    expect(server.requests.filter(({ method }) => method === 'GET')).toEqual([])
  })

  test('show texts, and describe what is none', async () => {
    const content = [
      { type: 'text', text: 'one' },
      { type: 'image', data: 'A'.repeat(400), mimeType: 'image/png' },
      { type: 'audio', data: 'AAAA', mimeType: 'audio/wav' },
      { type: 'resource_link', uri: 'file:///x', name: 'x' },
      { type: 'resource', resource: { uri: 'mem://a', text: 'the text of a' } },
      { type: 'resource', resource: { uri: 'mem://b', blob: 'AAAA', mimeType: 'application/pdf' } },
      { type: 'hologram', data: 'x' },
      'odd',
    ]
    await using server = await startMcpServer({ lie: { result: { content } } })
    const { call } = await useServer(server.mcpUrl)

    expect((await call('echo', { text: 'x' })).content.split('\n')).toEqual([
      'one',
      '[image: image/png, 300 bytes]',
      '[audio: audio/wav, 3 bytes]',
      '[resource: x, file:///x]',
      'the text of a',
      '[resource: mem://b, application/pdf, 3 bytes]',
      '[something that cannot be shown]',
      '[something that cannot be shown]',
    ])
  })

  test('may answer with data only, with errors, and with too much', async () => {
    const answers: Record<string, unknown> = {
      data: { content: [], structuredContent: { degrees: 21 } },
      error: { ...text('no such city'), isError: true },
      much: text('你'.repeat(100_000)),
    }
    await using server = await startMcpServer({ call: (_name, args) => answers[String(args.text)] })
    const { call } = await useServer(server.mcpUrl)

    expect(await call('echo', { text: 'data' })).toEqual({ content: '{"degrees":21}', isError: false })
    expect(await call('echo', { text: 'error' })).toEqual({ content: 'no such city', isError: true })
    const { content } = await call('echo', { text: 'much' })
    expect(content).toMatch(/^你+\n\[cut: the first 64 kB of 293 kB\]$/)
    expect(Buffer.byteLength(content)).toBeLessThan(65_700)
  })

  test('are not called with arguments that do not fit', async () => {
    await using server = await startMcpServer({ call: () => text('called') })
    const { call } = await useServer(server.mcpUrl)
    const contentOf = async (args: unknown) => (await call('echo', args)).content

    expect(await contentOf('{"text":')).toBe('the arguments are not valid JSON')
    expect(await contentOf('[1]')).toBe('the arguments must be a JSON object')
    expect(await contentOf('{}')).toBe('arguments lacks text')
    expect(await contentOf({ text: 5 })).toBe('arguments.text must be string, not number')
    expect(await contentOf({ text: 'x' })).toBe('called')
    expect(server.requests.filter(({ body }) => body.includes('tools/call'))).toHaveLength(1)
  })
})

describe('a server that lies', () => {
  test('tools with unusable schemas are left out, the others stay', async () => {
    const bad = [{ type: 'banana' }, { type: 'object', properties: [] }, { properties: { a: { type: 'banana' } } }, 'x', null]
    const tools = bad.map((inputSchema, at) => ({ name: `bad${at}`, inputSchema }))
    const huge = { name: 'huge', inputSchema: { type: 'object', description: 'x'.repeat(70_000) } }
    const list = () => ({ tools: [...tools, huge, echoTool, 'no tool', { description: 'no name' }, null] })
    await using server = await startMcpServer({ list })
    const used = await useServer(server.mcpUrl)

    expect(used.tools.map(({ name }) => name)).toEqual(['echo'])
    expect(used.problems).toHaveLength(7)
    expect(used.problems.join('\n')).toMatch(
      /3 of its tools are no tools[^]*bad0 is left out: [^]*huge is left out: its schema has more than 64 kB/,
    )
  })

  test.each<[string, unknown]>([
    ['no content', {}],
    ['content that is no list', { content: 'x' }],
    ['text', 'x'],
    ['a list', []],
    ['a task', { task: { taskId: '1', status: 'working' } }],
  ])('a result of the wrong shape is an error for the model: %s', async (_what, result) => {
    await using server = await startMcpServer({ lie: { result } })
    const { call } = await useServer(server.mcpUrl)
    const { content, isError } = await call('echo', { text: 'x' })

    expect(isError).toBe(true)
    expect(content).toMatch(/no tool result|does not speak MCP/)
  })

  test('a list that never ends is cut', async () => {
    await using server = await startMcpServer({ list: () => ({ tools: [echoTool], nextCursor: 'more' }) })
    const { tools, problems } = await useServer(server.mcpUrl)

    expect(tools).toHaveLength(20)
    expect(problems).toEqual(['tool srv: it has more than 500 tools or 20 pages of them'])
  })

  test.each<[string, unknown]>([
    ['no tools', {}],
    ['tools that are no list', { tools: {} }],
  ])('a list with %s is a problem', async (_what, list) => {
    await using server = await startMcpServer({ list: () => list })
    const { tools, problems } = await useServer(server.mcpUrl)
    expect([tools, problems]).toEqual([[], [expect.stringMatching(/does not speak MCP|refused the call/)]])
  })

  test.each<[string, number, string, string]>([
    ['a web page', 200, 'text/html', '<html>secret</html>'],
    ['JSON that is no JSON-RPC', 200, 'application/json', '{"secret":1}'],
    ['half of a JSON', 200, 'application/json', '{"jsonrpc":"2.0","id":0,"result":{"secret'],
    ['an error of its own', 500, 'text/plain', 'secret stack trace'],
    ['a refusal', 401, 'application/json', '{"error":"secret"}'],
    [
      'another version',
      200,
      'application/json',
      '{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"1","capabilities":{},"serverInfo":{"name":"x","version":"1"}}}',
    ],
  ])('what answers with %s is a problem, without its words', async (...[, status, type, body]) => {
    await using server = await startPlainServer((_request, response) => response.writeHead(status, { 'content-type': type }).end(body))
    const { tools, problems } = await useServer(server.url)

    expect(tools).toEqual([])
    expect(problems).toEqual([
      expect.stringMatching(/^tool srv cannot be used: the tool server (does not speak MCP|answered with HTTP status)/),
    ])
    expect(problems.join()).not.toContain('secret')
  })
})

describe('a server that fails', () => {
  test('one that hangs at the start costs one chat some time, and none after it', async () => {
    await using server = await startPlainServer(() => undefined)
    const toolSets = makeToolSets()
    const tool = mcpTool(server.url, { timeoutMs: 300 })
    const begin = performance.now()

    expect(await forBot(toolSets, tool)).toEqual({
      tools: [],
      problems: ['tool srv cannot be used: the tool server did not answer in time'],
    })
    expect(performance.now() - begin).toBeLessThan(5_000)
    const later = performance.now()
    time.now += 3_600_000
    for (let chat = 0; chat < 10; chat++) expect((await forBot(toolSets, tool)).problems).toHaveLength(1)
    expect(performance.now() - later).toBeLessThan(200)
    await expect.poll(() => server.open).toBe(0)
  })

  test('one that hangs in a call is left in time, and told so', async () => {
    await using server = await startMcpServer({ call: (_name, _args, signal) => once(signal, 'abort') })
    const { call } = await useServer(server.mcpUrl, { timeoutMs: 300 })

    expect(await call('echo', { text: 'x' })).toEqual({ content: 'no answer within 0.3 s', isError: true })
    await expect.poll(() => server.canceled).toBe(1)
  })

  test('one that is not there is a problem', async () => {
    await using server = await startPlainServer(() => undefined)
    await server.close()
    expect(await useServer(server.url)).toMatchObject({
      tools: [],
      problems: [expect.stringMatching(/cannot be reached \(ECONNREFUSED\)/)],
    })
  })

  test('one that dies in a call is an error at once; the next call finds the new one', async () => {
    let dying = true
    const die = startMcpServer({
      call: async () => {
        if (dying) await server.close()
        return text('never seen')
      },
    })
    const server = await die
    const { call } = await useServer(server.mcpUrl)
    const begin = performance.now()

    expect(await call('echo', { text: 'x' })).toMatchObject({
      isError: true,
      content: expect.stringMatching(/broke off|was lost|cannot be reached/),
    })
    expect(performance.now() - begin).toBeLessThan(2_000)
    expect(await call('echo', { text: 'x' })).toMatchObject({ isError: true, content: expect.stringMatching(/cannot be reached/) })

    dying = false
    await using again = await startMcpServer({ port: server.port })
    expect(await call('echo', { text: 'back' })).toEqual({ content: 'back', isError: false })
    expect(again.sessions).toBe(1)
  })

  test('one that breaks off in the middle of its answer is an error at once, for that call only', async () => {
    await using server = await startMcpServer({
      call: async (_name, args) => (await sleep(args.text === 'slow' ? 300 : 0), text('done')),
      before: (request, response) => {
        if (!request.text.includes('"broken"')) return false
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        return response.write('data: {"jsonrpc":"2.0",', () => response.destroy())
      },
    })
    const { call } = await useServer(server.mcpUrl)
    const slow = call('echo', { text: 'slow' })
    const begin = performance.now()

    expect(await call('echo', { text: 'broken' })).toMatchObject({ isError: true, content: expect.stringMatching(/broke off its answer/) })
    expect(performance.now() - begin).toBeLessThan(2_000)
    expect(await slow).toEqual({ content: 'done', isError: false })
  })

  test('one that restarted and forgot the session is asked once more, and does the work once', async () => {
    const first = await startMcpServer()
    const { call } = await useServer(first.mcpUrl)
    await call('echo', { text: 'x' })
    await first.close()
    // until the client has seen that
    await sleep(50)
    let calls = 0
    await using second = await startMcpServer({ port: first.port, call: () => text(String(++calls)) })

    expect(await call('echo', { text: 'x' })).toEqual({ content: '1', isError: false })
    expect([calls, second.sessions]).toEqual([1, 1])
  })

  test('50 MB are not read to the end, and other calls go on', async () => {
    let written = 0
    await using server = await startMcpServer({
      call: async (_name, args) => (await sleep(args.text === 'slow' ? 500 : 0), text('done')),
      before: async (request, response) => {
        if (!request.text.includes('"much"')) return false
        const type = request.text.includes('"as":"json"') ? 'application/json' : 'text/event-stream'
        response.writeHead(200, { 'content-type': type }).write(`data: {"jsonrpc":"2.0","id":${JSON.parse(request.text).id},"result":"`)
        written = await writeBytes(response, 50_000_000)
        return true
      },
      list: () => ({ tools: [{ ...echoTool, inputSchema: { type: 'object' } }] }),
    })
    const { call } = await useServer(server.mcpUrl)
    const slow = call('echo', { text: 'slow' })

    for (const more of [{}, { as: 'json' }]) {
      expect(await call('echo', { text: 'much', ...more })).toMatchObject({
        isError: true,
        content: expect.stringMatching(/more than 4000000 bytes/),
      })
    }
    expect(written).toBeLessThan(20_000_000)
    expect(await slow).toEqual({ content: 'done', isError: false })
  })

  test('its own error texts reach the model, and nobody else’s', async () => {
    await using server = await startMcpServer({
      call: () => {
        throw new Error('city must be a capital')
      },
    })
    const { call } = await useServer(server.mcpUrl)
    expect(await call('echo', { text: 'x' })).toEqual({
      content: 'the tool server refused the call: city must be a capital',
      isError: true,
    })
  })
})

describe('connections', () => {
  test('are used again by the next chat, and by no other bot', async () => {
    await using server = await startMcpServer()
    const toolSets = makeToolSets()
    const tool = mcpTool(server.mcpUrl)
    const callWith = async (botId: string) => {
      const { tools } = await toolSets.forBot({ botId, config: { tools: [tool] } }, never)
      expect(await tools[0]?.call('{"text":"x"}', { signal: never })).toMatchObject({ isError: false })
    }

    await Promise.all([callWith('1'), callWith('1'), callWith('1')])
    await callWith('1')
    expect(server.sessions).toBe(1)
    await callWith('2')
    expect(server.sessions).toBe(2)
    // one list for each bot
    expect(server.requests.filter(({ body }) => body.includes('tools/list'))).toHaveLength(2)
  })

  test('that nobody uses are closed, and made again when somebody does', async () => {
    await using server = await startMcpServer()
    const { tools } = await forBot(makeToolSets({ idleMs: 100 }), mcpTool(server.mcpUrl))
    expect(server.sessions).toBe(1)
    await expect.poll(() => server.sessions).toBe(0)

    expect(await tools[0]?.call('{"text":"again"}', { signal: never })).toEqual({ content: 'again', isError: false })
    await expect.poll(() => server.sessions).toBe(0)
  })

  test('all close with the server', async () => {
    await using server = await startMcpServer()
    const toolSets = makeToolSets()
    await forBot(toolSets, mcpTool(server.mcpUrl))
    await toolSets.close()
    expect(server.sessions).toBe(0)
  })

  test('never lead to a private address', async () => {
    await using server = await startMcpServer()
    const { tools, problems } = await forBot(makeToolSets({ allowedCidrs: [] }), mcpTool(server.mcpUrl))

    expect([tools, problems]).toEqual([[], [expect.stringMatching(/127\.0\.0\.1 leads to this server itself/)]])
    expect(server.connections).toBe(0)
  })

  test('follow no redirect to another origin', async () => {
    await using inside = await startMcpServer()
    await using server = await startPlainServer((_request, response) => response.writeHead(307, { location: inside.mcpUrl }).end())
    const { problems } = await useServer(server.url, { sealedHeaders: { authorization: secrets.seal('Bearer sesame') } })

    expect(problems).toEqual([expect.stringMatching(/redirects to another origin/)])
    expect(inside.connections).toBe(0)
  })
})

describe('a chat that is canceled', () => {
  test('ends a running call with its own reason', async () => {
    await using server = await startMcpServer({ call: (_name, _args, signal) => once(signal, 'abort') })
    const { tools } = await useServer(server.mcpUrl)
    const control = new AbortController()
    const reason = new Error('canceled')
    const call = tools[0]?.call('{"text":"x"}', { signal: control.signal })
    setTimeout(() => control.abort(reason), 100)

    await expect(call).rejects.toBe(reason)
    await expect.poll(() => server.canceled).toBe(1)
    await expect(tools[0]?.call('{"text":"x"}', { signal: control.signal })).rejects.toBe(reason)
  })

  test('does not wait for a server that hangs, and other chats still do', async () => {
    const { promise: hanging, resolve: release } = Promise.withResolvers<undefined>()
    await using server = await startMcpServer({ before: () => hanging.then(() => false) })
    const toolSets = makeToolSets()
    const other = forBot(toolSets, mcpTool(server.mcpUrl))
    const control = new AbortController()
    const mine = toolSets.forBot(bot(mcpTool(server.mcpUrl)), control.signal)
    control.abort(new Error('canceled'))

    await expect(mine).rejects.toThrow('canceled')
    release(undefined)
    expect((await other).tools).toHaveLength(1)
  })
})
