import { describe, expect, test } from 'vitest'
import { rowsOf } from '../support/database-rows.ts'
import { callsOf, harm, nameOf, send } from '../support/reference-calls.ts'
import type { Call } from '../support/reference-calls.ts'
import { settle as settleUser } from '../support/settled-user.ts'
import type { Ids } from '../support/settled-user.ts'
import { useTestApp } from '../support/test-app.ts'
import type { Json, Reply, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'
import { asking, publish } from '../support/workflow-app.ts'

/**
 * Promise 12: no cross-tenant access. Every route of the served OpenAPI document is called with a second user's key and the
 * first user's ids; `console-tenancy.test.ts` does the same with the console's. A route that is new needs a line here when it has a body that cannot be guessed.
 */

/** What all texts and names of the first user have in them. */
const MARK = 'nobody-elses'

describe.each(testDatabases())('with another user’s ids, on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  test('every route of the OpenAPI document finds nothing, changes nothing and never breaks', async () => {
    const ids = await settle(app)
    const routes = await callsOf(app, ids)
    expect(routes.length).toBeGreaterThan(40)
    const stranger = await app.makeUser()
    const cookie = await app.signIn(stranger.email)
    const before = await readAll(app, routes)
    const rows = await rowsOf(app.core.db, { userId: app.userId, mark: MARK })

    for (const each of routes) {
      const reply = await send(app, each, { apiKey: stranger.apiKey, cookie })
      expect.soft(`${nameOf(each)} ${verdictOf(reply, each, Object.values(ids))}`).toBe(`${nameOf(each)} nothing`)
    }
    expect(await rowsOf(app.core.db, { userId: app.userId, mark: MARK })).toEqual(rows)
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

/** The first user has one of everything. */
const settle = (app: TestApp): Promise<Ids> =>
  settleUser(app, { userId: app.userId, apiKey: app.apiKey, mark: MARK, appId: String(Date.now()) })

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
