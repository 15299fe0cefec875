import { describe, expect, test } from 'vitest'
import { expectRefusal } from '../support/expect-refusal.ts'
import { makeLimitedKey } from '../support/limited-keys.ts'
import { useTestApp } from '../support/test-app.ts'
import type { Json, Reply, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'
import { asking, brackets, publish, talking, useProvider } from '../support/workflow-app.ts'

/** Two bots and two workflows of one owner, of which a key may use one each. */
type House = { mine: Json; other: Json; apiKey: string }

describe.each(testDatabases())('a key for one bot and one workflow, on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  test('sees nothing of the other bot: each answer is that for a bot which does not exist', async () => {
    const { mine, other, apiKey } = await settle(app)
    for (const [title, call] of Object.entries(calls)) {
      const reply = await call(app, apiKey, mine)
      expect.soft(reply.status, `${title} of its own: ${reply.text}`).toBe(200)

      const refused = await call(app, apiKey, other)
      const missing = await call(app, apiKey, MISSING)
      expect.soft(refused.status, `${title} of another: ${refused.text}`).toBeOneOf([404, 200])
      expect.soft(withoutIds(refused), title).toEqual(withoutIds(missing))
      expect.soft((await call(app, app.apiKey, other)).status, `${title} with a key without limits`).toBe(200)
    }
  })

  test('lists only its own', async () => {
    const { mine, other, apiKey } = await settle(app)
    for (const [path, ids] of Object.entries(lists)) {
      const seen = ids((await app.call('GET', path, undefined, { apiKey })).body)
      expect.soft(seen, path).toEqual([path.includes('workflows') ? mine.workflowId : mine.botId])
      const all = ids((await app.call('GET', path)).body)
      expect.soft(all, path).toContain(path.includes('workflows') ? other.workflowId : other.botId)
    }
    const tools = await app.call('POST', '/mcp', { jsonrpc: '2.0', id: 1, method: 'tools/list' }, { apiKey, headers: MCP })
    expect(tools.text.match(/_\d+(?=")/g)).toEqual([`_${mine.botId}`])
    expect((await app.call('GET', '/v1/apps?publish_status=all', undefined, { apiKey })).body.data).toEqual({ items: [], total: 0 })
  })

  test('cannot take an id of the caller’s choice that a conversation of the other bot has', async () => {
    const { mine, other, apiKey } = await settle(app)
    const id = `conv-${mine.botId}`
    await app.call('POST', '/v3/chat', { bot_id: other.botId, conversation_id: id, query: 'hi' })
    const reply = await app.call('POST', '/v3/chat', { bot_id: mine.botId, conversation_id: id, query: 'hi' }, { apiKey })
    expectRefusal(reply, { status: 404, message: 'conversation not found' })
  })

  test('makes conversations of its bot without naming it, and no bots', async () => {
    const { mine, apiKey } = await settle(app)
    const made = await app.call('POST', '/v1/conversation/create', {}, { apiKey })
    expect(made.body.data.bot_id).toBe(mine.botId)
    expectRefusal(await app.call('POST', '/v1/bot/create', { name: 'third' }, { apiKey }), {
      status: 403,
      message: /cannot make another one/,
    })

    const two = await makeLimitedKey(app, { bot_ids: [mine.botId, '1'] })
    expectRefusal(await app.call('POST', '/v1/conversation/create', {}, two), { status: 422, message: /^bot_id is required/ })
  })

  test('goes on with conversations of its workflow, and with no conversation of nobody’s', async () => {
    const { mine, other } = await settle(app)
    const { apiKey } = await makeLimitedKey(app, { bot_ids: [mine.botId], workflow_ids: [mine.chatflowId] })
    const first = (await app.call('POST', '/v1/workflows/chat', { workflow_id: mine.chatflowId, query: 'hi', stream: false }, { apiKey }))
      .body
    const next = { workflow_id: mine.chatflowId, query: 'again', stream: false, conversation_id: first.conversation_id }
    expect((await app.call('POST', '/v1/workflows/chat', next, { apiKey })).status).toBe(200)

    const { id } = (await app.call('POST', '/v1/conversation/create', {})).body
    expect((await app.call('GET', `/v1/conversations/${id}`, undefined, { apiKey })).status).toBe(404)
    const foreign = (await app.call('POST', '/v1/workflows/chat', { workflow_id: other.chatflowId, query: 'hi', stream: false })).body
    expect((await app.call('GET', `/v1/conversations/${foreign.conversation_id}`, undefined, { apiKey })).status).toBe(404)
  })

  test('a bot that is permitted works with all that it stands on', async () => {
    await useProvider(app)
    const chatflowId = await publish(app, talking(), { mode: 'chatflow' })
    const botId = await app.makeBot(app.userId, { config: { mode: 'chatflow', chatflowId } })
    const { apiKey } = await makeLimitedKey(app, { bot_ids: [botId], workflow_ids: [] })
    const reply = await app.call('POST', '/v3/chat', { bot_id: botId, query: 'hi' }, { apiKey })
    expect(reply.status, reply.text).toBe(200)
    expect(reply.body.message.content).toBe('Hello there')
    expect((await app.call('POST', '/v1/workflows/chat', { workflow_id: chatflowId, query: 'hi' }, { apiKey })).status).toBe(404)
  })
})

const MCP = { accept: 'application/json, text/event-stream' }
const MISSING = { botId: '77', workflowId: '78', chatflowId: '79', conversationId: '80', chatId: '81', messageId: '82', executeId: '83' }

async function settle(app: TestApp): Promise<House> {
  await useProvider(app)
  const [mine, other] = [await makeThings(app), await makeThings(app)]
  const { apiKey } = await makeLimitedKey(app, { bot_ids: [mine.botId], workflow_ids: [mine.workflowId] })
  return { mine, other, apiKey }
}

async function makeThings(app: TestApp): Promise<Json> {
  const botId = await app.makeBot(app.userId)
  const workflowId = await publish(app, brackets())
  const chatflowId = await publish(app, asking(), { mode: 'chatflow' })
  const chat = (await app.call('POST', '/v3/chat', { bot_id: botId, query: 'hi' })).body
  const run = (await app.call('POST', '/v1/workflow/run', { workflow_id: workflowId, parameters: { word: 'x' } })).body
  return {
    ...{ botId, workflowId, chatflowId, conversationId: chat.conversation_id, chatId: chat.data.id },
    ...{ messageId: chat.message.id, executeId: run.execute_id },
  }
}

type Call = (app: TestApp, apiKey: string, of: Json) => Promise<Reply>
const get =
  (path: (of: Json) => string): Call =>
  (app, apiKey, of) =>
    app.call('GET', path(of), undefined, { apiKey })
const post =
  (path: (of: Json) => string, body: (of: Json) => object): Call =>
  (app, apiKey, of) =>
    app.call('POST', path(of), body(of), { apiKey })

const chatAddress = ({ conversationId, chatId }: Json) => `conversation_id=${conversationId}&chat_id=${chatId}`

const calls: Record<string, Call> = {
  'the bot': get(({ botId }) => `/v1/bots/${botId}`),
  'its draft': get(({ botId }) => `/v1/bots/${botId}?is_published=false`),
  'the online info': get(({ botId }) => `/v1/bot/get_online_info?bot_id=${botId}`),
  'a change': post(
    () => '/v1/bot/update',
    ({ botId }) => ({ bot_id: botId, description: 'changed' }),
  ),
  'a publish': post(
    () => '/v1/bot/publish',
    ({ botId }) => ({ bot_id: botId, connector_ids: ['1024'] }),
  ),
  'a chat': post(
    () => '/v3/chat',
    ({ botId }) => ({ bot_id: botId, query: 'hi' }),
  ),
  'a chat in a conversation': post(
    () => '/v3/chat',
    ({ botId, conversationId }) => ({ bot_id: botId, conversation_id: conversationId, query: 'hi' }),
  ),
  'a completion': post(
    () => '/v1/chat/completions',
    ({ botId }) => ({ model: botId, messages: [{ role: 'user', content: 'hi' }] }),
  ),
  'a model': get(({ botId }) => `/v1/models/${botId}`),
  conversations: get(({ botId }) => `/v1/conversations?bot_id=${botId}`),
  'a new conversation': post(
    () => '/v1/conversation/create',
    ({ botId }) => ({ bot_id: botId }),
  ),
  'the conversation': get(({ conversationId }) => `/v1/conversations/${conversationId}`),
  messages: post(
    ({ conversationId }) => `/v1/conversation/message/list?conversation_id=${conversationId}`,
    () => ({}),
  ),
  'a message': get(
    ({ conversationId, messageId }) => `/v1/conversation/message/retrieve?conversation_id=${conversationId}&message_id=${messageId}`,
  ),
  'a feedback': post(
    ({ conversationId, messageId }) => `/v1/conversations/${conversationId}/messages/${messageId}/feedback`,
    () => ({ feedback_type: 'like' }),
  ),
  'the state of a chat': get((of) => `/v3/chat/retrieve?${chatAddress(of)}`),
  'the stream of a chat': get((of) => `/v3/chat/stream?${chatAddress(of)}`),
  'the messages of a chat': get((of) => `/v3/chat/message/list?${chatAddress(of)}`),
  'the workflow': get(({ workflowId }) => `/v1/workflows/${workflowId}`),
  'its versions': get(({ workflowId }) => `/v1/workflows/${workflowId}/versions`),
  'a run': post(
    () => '/v1/workflow/run',
    ({ workflowId }) => ({ workflow_id: workflowId, parameters: { word: 'x' } }),
  ),
  'an async run': post(
    () => '/v1/workflow/run',
    ({ workflowId }) => ({ workflow_id: workflowId, parameters: { word: 'x' }, is_async: true }),
  ),
  'a stream': post(
    () => '/v1/workflow/stream_run',
    ({ workflowId }) => ({ workflow_id: workflowId, parameters: { word: 'x' } }),
  ),
  runs: get(({ workflowId }) => `/v1/workflow/get_run_history?workflow_id=${workflowId}`),
  'one run': get(({ workflowId, executeId }) => `/v1/workflows/${workflowId}/run_histories/${executeId}`),
  'the nodes of a run': get(({ workflowId, executeId }) => `/v1/workflows/${workflowId}/run_histories/${executeId}/execute_nodes`),
  'the events of a run': get(({ workflowId, executeId }) => `/v1/workflow/stream?workflow_id=${workflowId}&execute_id=${executeId}`),
}

const idsOf = (items: Json[], name: string): string[] => items.map((item) => String(item[name]))

const lists: Record<string, (body: Json) => string[]> = {
  '/v1/bots': ({ data }) => idsOf(data.items, 'id'),
  '/v1/bots?publish_status=all': ({ data }) => idsOf(data.items, 'id'),
  '/v1/space/published_bots_list': ({ data }) => idsOf(data.space_bots, 'bot_id'),
  '/v1/models': ({ data }) => idsOf(data, 'id'),
  '/v1/workflows?workflow_mode=workflow': ({ data }) => idsOf(data.items, 'workflow_id'),
}

/** What two answers have that are the same but for ids of their own. */
const withoutIds = ({ status, text }: Reply) => ({ status, text: text.replaceAll(/req_\d+/g, 'req').replaceAll(/\b\d{2,19}\b/g, '0') })
