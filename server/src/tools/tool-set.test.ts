import { afterEach, expect, test } from 'vitest'
import { echoTool, startMcpServer } from '../../test/support/mcp-test-server.ts'
import { botToolSchema } from '../bots/bot-tools.ts'
import type { BotTool } from '../bots/bot-tools.ts'
import { createGuardedFetch } from '../lib/guarded-fetch.ts'
import { createSecretBox } from '../lib/secret-box.ts'
import { createToolSets } from './tool-set.ts'

const guardedFetch = createGuardedFetch({ allowedCidrs: ['127.0.0.1/32'] })
const errors: unknown[] = []
const toolSets = createToolSets({
  secrets: createSecretBox('master'),
  guardedFetch,
  clock: Date.now,
  onError: (cause) => errors.push(cause),
})
afterEach(async () => {
  await toolSets.close()
  expect(errors.splice(0)).toEqual([])
})

const never = new AbortController().signal
const forBot = (tools: BotTool[], reserved?: string[]) => toolSets.forBot({ botId: '1', config: { tools } }, never, reserved)
const namesOf = async (tools: BotTool[], reserved?: string[]) => (await forBot(tools, reserved)).tools.map(({ name }) => name)

const api = (name: string, ...operationIds: string[]) => {
  const paths = Object.fromEntries(operationIds.map((operationId) => [`/${operationId}`, { get: { operationId } }]))
  return botToolSchema.parse({ type: 'openapi', name, document: { openapi: '3.0.0', servers: [{ url: 'https://api.example' }], paths } })
}
const declared = (name: string) => botToolSchema.parse({ type: 'function', name })

test('a bot without tools has none, at once', async () => {
  expect(await forBot([])).toEqual({ tools: [], problems: [] })
  expect(await forBot([declared('ask_user')])).toEqual({ tools: [], problems: [] })
})

test('a name that another source has gets its own source’s name in front', async () => {
  expect(await namesOf([api('one', 'find', 'get'), api('two', 'find'), api('three', 'find', 'two_find')])).toEqual([
    'find',
    'get',
    'two_find',
    'three_find',
    'three_two_find',
  ])
})

test('the caller’s functions keep their names', async () => {
  expect(await namesOf([api('one', 'find', 'get'), declared('find')])).toEqual(['one_find', 'get'])
  expect(await namesOf([api('one', 'find', 'get')], ['get', 'one_get'])).toEqual(['find', 'one_get_2'])
})

test('names stay within what models take, also in front of each other', async () => {
  const long = 'x'.repeat(64)
  const names = await namesOf([api('one', long), api('two', long), api('three', long), api(long, long)])

  expect(new Set(names).size).toBe(4)
  expect(names.every((name) => /^[a-zA-Z0-9_-]{1,64}$/.test(name))).toBe(true)
})

test('a source that cannot be used is a problem, and the others are there', async () => {
  await using server = await startMcpServer()
  const mcp = (name: string, more: object) => botToolSchema.parse({ type: 'mcp', name, url: server.mcpUrl, ...more })
  const { tools, problems } = await forBot([
    mcp('dead', { url: 'http://127.0.0.1:9/' }),
    mcp('inside', { url: 'http://10.0.0.1/' }),
    mcp('odd', { url: 'odd' }),
    mcp('sealed', { sealedHeaders: { a: createSecretBox('another').seal('x') } }),
    botToolSchema.parse({ type: 'openapi', name: 'empty', document: {} }),
    mcp('good', {}),
  ])

  expect(tools.map(({ name }) => name)).toEqual([echoTool.name])
  expect(problems).toEqual([
    expect.stringMatching(/^tool dead cannot be used: 127\.0\.0\.1:9/),
    expect.stringMatching(/^tool inside cannot be used: 10\.0\.0\.1 leads to a private address/),
    'tool odd cannot be used: its url is no URL',
    'tool sealed cannot be used: its headers were sealed with another MASTER_KEY: apply the manifest again',
    'tool empty: it is not an OpenAPI 3 document',
  ])
})

test('models get no more tools than providers take', async () => {
  const ids = Array.from({ length: 100 }, (_, at) => `op${at}`)
  const { tools, problems } = await forBot([api('one', ...ids), api('two', ...ids)])

  expect(tools).toHaveLength(128)
  expect(problems).toEqual(['the bot has 200 tools, of which models get the first 128'])
})

test('a chat that is canceled gets no tools', async () => {
  const reason = new Error('canceled')
  await expect(toolSets.forBot({ botId: '1', config: { tools: [] } }, AbortSignal.abort(reason))).rejects.toBe(reason)
})
