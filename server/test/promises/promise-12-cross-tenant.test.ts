import { describe, expect, test } from 'vitest'
import { appVariablesSchema } from '../../src/bots/app-store.ts'
import { saveApp } from '../../src/bots/apps.ts'
import { answers, calls, says } from '../support/fake-provider.ts'
import { useTestApp } from '../support/test-app.ts'
import type { Json, Reply, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'
import { asking, publish } from '../support/workflow-app.ts'

/**
 * Promise 12: no cross-tenant access. Every route of the served OpenAPI document is called with a second user's key and the
 * first user's ids. A route that is new needs a line here when it has a body that cannot be guessed.
 */

/** What all texts and names of the first user have in them. */
const MARK = 'nobody-elses'

/** The first user's, by the name that a parameter has. */
type Ids = Record<string, string>
type Call = { method: string; path: string; isSession: boolean; query: Ids; body: Json }

describe.each(testDatabases())('with another user’s ids, on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  test('every route of the OpenAPI document finds nothing, changes nothing and never breaks', async () => {
    const ids = await settle(app)
    const routes = await callsOf(app, ids)
    expect(routes.length).toBeGreaterThan(40)
    const stranger = await app.makeUser()
    const cookie = await app.signIn(stranger.email)
    const before = await readAll(app, routes)

    for (const each of routes) {
      const reply = await send(app, each, { apiKey: stranger.apiKey, cookie })
      expect.soft(`${nameOf(each)} ${verdictOf(reply, each, Object.values(ids))}`).toBe(`${nameOf(each)} nothing`)
    }
    expect(await readAll(app, routes)).toEqual(before)
  })

  test('the same calls work for their owner: the refusals are not for anything else', async () => {
    const ids = await settle(app)
    const cookie = await app.signIn()
    for (const each of (await callsOf(app, ids)).toSorted((a, b) => harm(a) - harm(b))) {
      const { status, text } = await send(app, each, { apiKey: app.apiKey, cookie })
      expect.soft(status, `${nameOf(each)}: ${text}`).toSatisfy((is: number) => is < 300 || isKnownRefusal(each, text))
    }
  })
})

/** Gives the first user one of everything. */
async function settle(app: TestApp): Promise<Ids> {
  app.provider.script = says(`answer ${MARK}`)
  const config = { prompt: MARK, variables: [{ name: 'city', default: MARK }], tools: [{ type: 'function' as const, name: 'clock' }] }
  const botId = await app.makeBot(app.userId, { config })
  const appId = String(Date.now())
  const variables = appVariablesSchema.parse([{ name: 'city', default: MARK }])
  const faces = { name: MARK, description: MARK, iconUrl: '', version: '1.0.0', conversations: [] }
  await saveApp(app.core, { userId: app.userId }, { id: appId, ...faces, variables })

  const chat = (await app.call('POST', '/v3/chat', { bot_id: botId, query: `question ${MARK}`, meta_data: { of: MARK } })).body
  const form = new FormData()
  form.append('file', new Blob([MARK]), `${MARK}.txt`)
  const file = (await app.call('POST', '/v1/files/upload', form)).body.data
  app.provider.script = answers([calls('clock', { of: MARK }, 'call_1')])
  const waiting = (await app.call('POST', '/v3/chat', { bot_id: botId, query: 'time?' })).body.data
  app.provider.script = says(`answer ${MARK}`)
  const { keyId } = await app.makeKey(app.userId)
  await app.call('POST', `/v1/conversations/${chat.conversation_id}/messages/${chat.message.id}/feedback`, { feedback_type: 'like' })
  const workflow = await publish(app, asking(), { name: MARK })
  const parameters = { USER_INPUT: MARK }
  const asked = (await app.call('POST', '/v1/workflow/run', { workflow_id: workflow, parameters })).body
  const nodes = (await app.call('GET', `/v1/workflows/${workflow}/run_histories/${asked.execute_id}/execute_nodes`)).body.data
  const kept = { bot_id: botId, connector_uid: 'u1', data: [{ keyword: 'city', value: MARK }] }
  await app.call('PUT', '/v1/variables', kept)

  return {
    ...{ bot_id: botId, app_id: appId, conversation_id: chat.conversation_id, chat_id: chat.data.id, message_id: chat.message.id },
    ...{
      file_id: file.id,
      id: keyId,
      key_id: (await app.makeKey(app.userId)).keyId,
      workspace_id: app.userId,
      space_id: app.userId,
      model: botId,
      waiting: waiting.id,
    },
    waiting_conversation: waiting.conversation_id,
    ...{ workflow_id: workflow, execute_id: asked.execute_id, event_id: asked.interrupt_data.event_id },
    node_execute_uuid: nodes[0].node_execute_uuid,
  }
}

/** Bodies that a schema alone does not give. */
const bodiesOf = (ids: Ids): Record<string, Json> => ({
  'POST /v3/chat': { bot_id: ids['bot_id'], query: 'hi' },
  'POST /v3/chat/submit_tool_outputs': { tool_outputs: [{ tool_call_id: 'call_1', output: 'ten' }] },
  'POST /v1/conversation/create': { bot_id: ids['bot_id'] },
  'PUT /v1/conversations/{conversation_id}': { name: 'mine now' },
  'POST /v1/conversation/message/list': {},
  'POST /v1/conversation/message/create': { role: 'user', content: 'x', content_type: 'text' },
  'POST /v1/conversation/message/modify': { content: 'changed', content_type: 'text' },
  'POST /v1/conversations/{conversation_id}/messages/{message_id}/feedback': { feedback_type: 'unlike' },
  'POST /v1/bot/update': { bot_id: ids['bot_id'], name: 'mine now' },
  'POST /v1/bot/publish': { bot_id: ids['bot_id'], connector_ids: ['1024'] },
  'PUT /v1/variables': { bot_id: ids['bot_id'], connector_uid: 'u1', data: [{ keyword: 'city', value: 'changed' }] },
  'POST /v1/chat/completions': { model: ids['bot_id'], messages: [{ role: 'user', content: 'hi' }] },
  'POST /v1/workflow/stream_resume': { workflow_id: ids['workflow_id'], event_id: ids['event_id'], resume_data: 'x' },
  'POST /v1/workflows/chat': { workflow_id: ids['workflow_id'], query: 'hi' },
  'POST /v1/workflow/conversation/create': { app_id: ids['app_id'], conversation_name: 'Default' },
  'POST /v1/tokens': { bot_id: ids['bot_id'], user_id: 'u1', origins: ['https://shop.example'] },
  'PATCH /v1/api_keys/{key_id}': { name: 'mine now' },
  'POST /v1/api_keys/{key_id}/rotate': {},
  'POST /api/permission_api/pat/rotate_personal_access_token': { id: ids['id'] },
  'POST /api/permission_api/pat/update_personal_access_token_and_permission': { id: ids['id'], name: 'mine now' },
})

/** Values of required parameters that are no ids of anything. */
const PLAIN: Ids = { connector_uid: 'u1', signature: 'x', '*': 'x' }

/** Routes on which nothing of another user can be named. */
const OWN_ONLY =
  /console\/|create_personal|list_personal|\/files\/upload|\/bot\/create|\/users\/me|\/v1\/usage|\/v1\/api_keys$|GET \/v1\/(workspaces|models)$|POST \/mcp/

async function callsOf(app: TestApp, ids: Ids): Promise<Call[]> {
  const { paths } = (await app.call('GET', '/openapi.json')).body
  const bodies = bodiesOf(ids)
  return Object.entries<Json>(paths).flatMap(([path, methods]) =>
    Object.entries<Json>(methods).flatMap(([lower, operation]) => {
      const method = lower.toUpperCase()
      const route = `${method} ${path}`
      if (OWN_ONLY.test(route)) return []
      const known = path.endsWith('submit_tool_outputs')
        ? { ...ids, chat_id: ids['waiting'], conversation_id: ids['waiting_conversation'] }
        : ids
      return toCalls({ route, method, path, operation }, known as Ids, bodies)
    }),
  )
}

type Route = { route: string; method: string; path: string; operation: Json }

/** One call with what the route needs, and one more for each optional id of it. */
function toCalls({ route, method, path, operation }: Route, ids: Ids, bodies: Record<string, Json>): Call[] {
  const valueOf = (name: string) => PLAIN[name] ?? ids[name] ?? fail(`${route}: what is ${name}?`)
  const parameters: Json[] = operation.parameters ?? []
  const filled = parameters
    .filter((each) => each.in === 'path')
    .reduce<string>((text, { name }) => text.replace(`{${name}}`, valueOf(name)), path)
  const inQuery = parameters.filter((each) => each.in === 'query')
  const query = Object.fromEntries(inQuery.filter((each) => each.required).map(({ name }) => [name, valueOf(name)]))
  const schema = operation.requestBody?.content?.['application/json']?.schema
  const required: string[] = schema?.required ?? []
  const body = schema && (bodies[route] ?? Object.fromEntries(required.map((name) => [name, valueOf(name)])))

  const call = { method, path: filled, isSession: Boolean(operation.security?.[0]?.session), query, body }
  const more = inQuery.filter((each) => !each.required && ids[each.name] !== undefined && route !== 'POST /v3/chat')
  return [...(needsMore(route) ? [] : [call]), ...more.map(({ name }) => ({ ...call, query: { ...query, [name]: ids[name] ?? '' } }))]
}

/** Without the optional id these say what is the caller's own, or refuse. */
const needsMore = (route: string) => /GET \/v1\/(bots|apps|space\/published_bots_list|variables)$/.test(route)

function fail(message: string): never {
  throw new Error(message)
}

const nameOf = ({ method, path, query }: Call) => `${method} ${path}?${new URLSearchParams(query).toString()}`

function send(
  app: TestApp,
  { method, path, query, body, isSession }: Call,
  { apiKey, cookie }: { apiKey: string; cookie: string },
): Promise<Reply> {
  const url = `${path}?${new URLSearchParams(query).toString()}`
  return app.call(method, url, body, isSession ? { apiKey: '', headers: { cookie } } : { apiKey })
}

function verdictOf({ status, text }: Reply, { method, path }: Call, ids: string[]): string {
  if (text.includes(MARK)) return `${status}: shows what is another’s: ${text}`
  if (status === 404) return 'nothing'
  const mayBeEmpty = method === 'GET' || path.endsWith('/message/list')
  // ids that were sent may come back in a message
  if (status === 200 && mayBeEmpty && !ids.some((id) => text.includes(`"${id}"`))) return 'nothing'
  return `${status}: ${text}`
}

async function readAll(app: TestApp, routes: Call[]): Promise<string[]> {
  const cookie = await app.signIn()
  const reads = routes.filter(({ method, path }) => method === 'GET' && !path.endsWith('/stream'))
  const replies = await Promise.all(reads.map((each) => send(app, each, { apiKey: app.apiKey, cookie })))
  return replies.map(
    ({ status, text }, at) =>
      `${reads[at]?.path} ${status} ${text
        .replace(/req_\d+/g, '')
        .replace(/"last_used_at":\d+/g, '')
        .replace(/\/files\/[^"]*/g, '')}`,
  )
}

/** What takes something away comes last. */
const harm = ({ method, path }: Call): number =>
  Number(/\/(delete|clear|unpublish)/.test(path) || method === 'DELETE') +
  Number(/unpublish|v1\/conversations\/\d+$/.test(path) && method !== 'GET' && method !== 'PUT')

/** What is right, and cannot be done in this state; what an earlier call has taken away. */
function isKnownRefusal({ method, path }: Call, text: string): boolean {
  if (path.endsWith('/cancel')) return text.includes('"code":4104')
  if (path.startsWith('/v1/files/') && path.endsWith('/x/x')) return method === 'HEAD' || text.includes('"code":404')
  return method === 'DELETE' && path.endsWith('/feedback')
}

describe.each(testDatabases())('another user’s ids inside of what is one’s own, on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  test('a chat with a foreign conversation, file, chat or message, and a foreign bot over MCP', async () => {
    const ids = await settle(app)
    const { apiKey, userId } = await app.makeUser()
    const bot_id = await app.makeBot(userId)
    const as = { apiKey }
    const own = (await app.call('POST', '/v1/conversation/create', { bot_id }, as)).body.data.id
    const file = { type: 'file', file_id: ids['file_id'] }
    const parts = [{ role: 'user', content: JSON.stringify([{ type: 'text', text: 'look' }, file]), content_type: 'object_string' }]
    const foreignMcp = { jsonrpc: '2.0', id: 1, method: 'tools/list' }

    const replies = [
      await app.call('POST', '/v3/chat', { bot_id, query: 'hi', conversation_id: ids['conversation_id'] }, as),
      await app.call('POST', `/v3/chat?conversation_id=${ids['conversation_id']}`, { bot_id, query: 'hi' }, as),
      await app.call('POST', '/v3/chat', { bot_id, additional_messages: parts }, as),
      await app.call('GET', `/v3/chat/retrieve?conversation_id=${own}&chat_id=${ids['chat_id']}`, undefined, as),
      await app.call('GET', `/v3/chat/stream?conversation_id=${own}&chat_id=${ids['chat_id']}`, undefined, as),
      await app.call('GET', `/v1/conversation/message/retrieve?conversation_id=${own}&message_id=${ids['message_id']}`, undefined, as),
      await app.call('POST', '/v1/bot/create', { name: 'b', space_id: ids['space_id'] }, as),
      ...(await askOwnWorkflow(app, ids, { apiKey, userId, parts })),
      await app.call('POST', '/v1/bot/create', { name: 'b', space_id: userId, icon_file_id: ids['file_id'] }, as),
    ]
    for (const { status, text } of replies) {
      expect.soft(status, text).toBe(404)
      expect(text).not.toContain(MARK)
    }
    for (const field of ['chat_id', 'before_id', 'after_id']) {
      const body = { [field]: field === 'chat_id' ? ids['chat_id'] : ids['message_id'] }
      const { text } = await app.call('POST', `/v1/conversation/message/list?conversation_id=${own}`, body, as)
      expect(text).not.toContain(MARK)
    }
    const headers = { accept: 'application/json, text/event-stream' }
    const listed = await app.call('POST', '/mcp', foreignMcp, { ...as, headers })
    expect(listed.text).not.toContain(MARK)
    expect(listed.text).not.toContain(ids['bot_id'])
    expect((await app.call('GET', '/v1/models', undefined, as)).text).not.toContain(`"${ids['bot_id']}"`)
  })
})

/** A workflow of one's own, with another's app, bot, conversation, file and run. */
async function askOwnWorkflow(app: TestApp, ids: Ids, { apiKey, userId, parts }: { apiKey: string; userId: string; parts: Json }) {
  const workflow_id = await publish(app, asking(), { userId })
  const as = { apiKey }
  const chat = (body: object) => app.call('POST', '/v1/workflows/chat', { workflow_id, query: 'hi', ...body }, as)
  return [
    await app.call('POST', '/v1/workflow/run', { workflow_id, app_id: ids['app_id'] }, as),
    await app.call('POST', '/v1/workflow/stream_run', { workflow_id, bot_id: ids['bot_id'] }, as),
    await app.call('POST', '/v1/workflow/stream_resume', { workflow_id, event_id: ids['event_id'], resume_data: 'x' }, as),
    await app.call('GET', `/v1/workflow/get_run_history?workflow_id=${workflow_id}&execute_id=${ids['execute_id']}`, undefined, as),
    await chat({ app_id: ids['app_id'] }),
    await chat({ bot_id: ids['bot_id'] }),
    await chat({ conversation_id: ids['conversation_id'] }),
    await chat({ query: undefined, additional_messages: parts }),
  ]
}
