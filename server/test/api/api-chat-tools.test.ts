import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { ended, messagesOf } from '../support/ended-chat.ts'
import { answers, calls, says } from '../support/fake-provider.ts'
import { echoTool, startMcpServer, text } from '../support/mcp-test-server.ts'
import { startPlainServer } from '../support/plain-server.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { useTestApp } from '../support/test-app.ts'
import type { Json, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'
import { sealBotTools } from '../../src/bots/bot-tools.ts'
import type { BotToolSettings } from '../../src/bots/bot-tools.ts'

const HEADER = 'Bearer header-secret-of-the-tool'

describe.each(testDatabases())('tools on the server, on $name', ({ name }) => {
  describe('where private addresses are opened', () => {
    const app = useTestApp({ database: name, env: { ALLOWED_PRIVATE_CIDRS: '127.0.0.0/8' } })

    test('the model calls them, and the messages show it', async () => {
      app.secrets.set('header of a tool', HEADER)
      await using mcp = await startMcpServer({ call: (_name, args) => text(`MCP says ${String(args.text)}`) })
      await using api = await startPlainServer((_request, response) => response.end('{"price":7}'))
      const botId = await makeBot(app, mcpTool(mcp.mcpUrl), openapiTool(api.url))
      app.provider.script = [answers([calls('echo', { text: '你好' }, 'a'), calls('getItem', { id: '1/2' }, 'b')]), says('It costs 7')]

      const chat = await ask(app, botId)
      expect(chat).toMatchObject({ status: 'completed' })
      const messages = (await messagesOf(app, chat)).map(({ type, content }) => [type, content])
      expect(messages).toEqual([
        ['function_call', expect.stringContaining('"name":"echo"')],
        ['function_call', expect.stringContaining('"name":"getItem"')],
        ['tool_response', 'MCP says 你好'],
        ['tool_response', '{"price":7}'],
        ['answer', 'It costs 7'],
      ])
      expect(app.provider.requests[0]?.body.tools).toHaveLength(2)
      expect(app.provider.lastRequest.body.messages.slice(-2)).toMatchObject([
        { role: 'tool', content: 'MCP says 你好' },
        { role: 'tool', content: '{"price":7}' },
      ])
      expect(api.requests).toMatchObject([{ url: '/items/1%2F2', headers: { authorization: HEADER } }])
      expect(mcp.requests.every(({ headers }) => headers.authorization === HEADER)).toBe(true)
    })

    test('a tool that fails is told to the model, and the chat goes on', async () => {
      await using api = await startPlainServer((_request, response) => response.writeHead(500).end('broken'))
      const botId = await makeBot(app, openapiTool(api.url))
      app.provider.script = [answers([calls('getItem', { id: 1 })]), answers([calls('getItem', { id: '1' })]), says('Sorry')]

      const chat = await ask(app, botId)
      const contents = (await messagesOf(app, chat)).map(({ content }) => content)
      expect(contents).toContain('Error: arguments.id must be string, not number')
      expect(contents).toContain('Error: HTTP status 500\nbroken')
      expect(contents).toContain('Sorry')
    })

    test('a canceled chat ends the call that is running', async () => {
      await using mcp = await startMcpServer({ call: (_name, _args, signal) => once(signal, 'abort') })
      const botId = await makeBot(app, mcpTool(mcp.mcpUrl))
      app.provider.script = [answers([calls('echo', { text: 'x' })]), says('never')]
      const { body } = await app.call('POST', '/v3/chat', { ...question, bot_id: botId, stream: false })
      await expect.poll(() => mcp.requests.some((request) => request.body.includes('tools/call'))).toBe(true)

      await app.call('POST', '/v3/chat/cancel', { conversation_id: body.data.conversation_id, chat_id: body.data.id })
      await expect.poll(() => mcp.canceled).toBe(1)
      expect((await ended(app, body.data)).status).toBe('canceled')
      expect(app.provider.requests).toHaveLength(1)
    })

    keepsItsSecrets(app)
  })

  describe('where they are not', () => {
    const app = useTestApp({ database: name })

    test('tools on this machine are never reached: the chat goes on without them, and the log says why', async () => {
      app.secrets.set('header of a tool', HEADER)
      await using inside = await startPlainServer((_request, response) => response.end('the inside'))
      const botId = await makeBot(app, mcpTool(`${inside.url}/mcp?path-of-the-tool`), openapiTool(inside.url))
      app.provider.script = [answers([calls('getItem', { id: '1' })]), says('Sorry')]

      const chat = await ask(app, botId)
      expect(chat.status).toBe('completed')
      expect((await messagesOf(app, chat)).map(({ content }) => content)).toContainEqual(
        expect.stringMatching(/^Error: 127\.0\.0\.1 leads to this server itself/),
      )
      expect(app.provider.requests[0]?.body.tools).toHaveLength(1)
      expect(inside.connections).toBe(0)
      const warnings = app.logs.filter((line) => line.includes('cannot be used'))
      expect(warnings).toEqual([expect.stringMatching(/tool srv cannot be used: 127\.0\.0\.1 leads to this server itself/)])
      expect(warnings.join()).not.toContain('path-of-the-tool')
    })

    keepsItsSecrets(app)
  })
})

const mcpTool = (url: string): BotToolSettings => ({
  type: 'mcp',
  name: 'srv',
  url,
  headers: { Authorization: HEADER },
  timeoutMs: 5_000,
  allow: [echoTool.name],
})

const openapiTool = (url: string): BotToolSettings => ({
  ...{ type: 'openapi', name: 'shop', headers: { Authorization: HEADER }, timeoutMs: 5_000 },
  document: {
    openapi: '3.0.0',
    servers: [{ url }],
    paths: { '/items/{id}': { get: { operationId: 'getItem', parameters: [{ name: 'id', in: 'path', schema: { type: 'string' } }] } } },
  },
})

const makeBot = (app: TestApp, ...tools: BotToolSettings[]) =>
  app.makeBot(app.userId, { config: { tools: sealBotTools(app.core.secrets, tools, []) } })

const question = { user_id: 'u', additional_messages: [{ role: 'user', content: 'hi', content_type: 'text' }] }

async function ask(app: TestApp, botId: string): Promise<Json> {
  const { body } = await app.call('POST', '/v3/chat', { ...question, bot_id: botId, stream: false })
  return ended(app, body.data)
}
