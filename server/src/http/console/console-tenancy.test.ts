import { describe, expect, test } from 'vitest'
import { openConsole } from '../../../test/support/console-client.ts'
import { rowsOf } from '../../../test/support/database-rows.ts'
import { routesOf } from '../../../test/support/routes-of.ts'
import { useTestApp } from '../../../test/support/test-app.ts'
import type { Json, TestApp } from '../../../test/support/test-app.ts'
import { testDatabases } from '../../../test/support/test-databases.ts'

/** Calls of every route of the pages that names something, with ids of the first user. A new route needs a line here. */
async function callsOf(app: TestApp): Promise<Record<string, [path: string, body?: Json]>> {
  const ada = await openConsole(app)
  const agent = await ada.make('agents', { name: 'Mine' })
  await ada.make(`agents/${agent.id}/publish`)
  const workflow = await ada.make('workflows', { name: 'Mine' })
  await ada.make(`workflows/${workflow.id}/publish`)
  const run = await ada.make(`workflows/${workflow.id}/test-runs`)
  const chat = await ada.make(`agents/${agent.id}/preview`, { query: 'hi' })
  const { draft, revision } = agent
  const [a, w, r, c] = [
    `agents/${agent.id}`,
    `workflows/${workflow.id}`,
    `workflow-runs/${run.id}`,
    `conversations/${chat.conversation_id}`,
  ]
  return {
    'GET agents/:id': [a],
    'DELETE agents/:id': [a, { name: 'Mine' }],
    'PUT agents/:id/draft': [`${a}/draft`, { draft, revision }],
    'GET agents/:id/diff': [`${a}/diff`],
    'GET agents/:id/tools': [`${a}/tools`],
    'POST agents/:id/publish': [`${a}/publish`, {}],
    'POST agents/:id/roll-back': [`${a}/roll-back`, { version: '1.0.0' }],
    'POST agents/:id/unpublish': [`${a}/unpublish`, {}],
    'GET agents/:id/versions': [`${a}/versions`],
    'GET agents/:id/versions/:version': [`${a}/versions/1.0.0`],
    'POST agents/:id/preview': [`${a}/preview`, { query: 'hi' }],
    'GET agents/:id/preview/stream': [`${a}/preview/stream?conversation_id=${chat.conversation_id}&chat_id=${chat.chat_id}`],
    'POST agents/:id/preview/cancel': [`${a}/preview/cancel`, chat],
    'POST agents/:id/preview/tool-outputs': [`${a}/preview/tool-outputs`, { ...chat, tool_outputs: [{ tool_call_id: 'x', output: '' }] }],
    'GET workflows/:id': [w],
    'DELETE workflows/:id': [w, { name: 'Mine' }],
    'PUT workflows/:id/draft': [`${w}/draft`, { draft: workflow.draft, revision: workflow.revision }],
    'POST workflows/:id/check': [`${w}/check`, {}],
    'POST workflows/:id/publish': [`${w}/publish`, {}],
    'POST workflows/:id/roll-back': [`${w}/roll-back`, { version: 'v0.0.1' }],
    'POST workflows/:id/unpublish': [`${w}/unpublish`, {}],
    'GET workflows/:id/versions': [`${w}/versions`],
    'GET workflows/:id/versions/:version': [`${w}/versions/v0.0.1`],
    'POST workflows/:id/test-runs': [`${w}/test-runs`, {}],
    'GET workflows/:id/runs': [`${w}/runs`],
    'GET workflow-runs/:id': [r],
    'GET workflow-runs/:id/stream': [`${r}/stream`],
    'GET workflow-runs/:id/nodes': [`${r}/nodes`],
    'GET workflow-runs/:id/node': [`${r}/node?path=100001`],
    'POST workflow-runs/:id/answer': [`${r}/answer`, { event_id: `${run.id}/1`, data: 'x' }],
    'POST workflow-runs/:id/cancel': [`${r}/cancel`, {}],
    'GET conversations/:id': [c],
    'GET conversations/:id/messages': [`${c}/messages`],
    'GET conversations/:id/export': [`${c}/export`],
  }
}

const ADMIN = /^\w+ (users|status|audit|models\/)|^(POST|PUT|DELETE) models/
const SHELL = /sign-|me$|state$|set-up$|change-password$/

const routesIn = (app: TestApp) =>
  routesOf(app.http)
    .filter((route) => !route.startsWith('HEAD ') && route.includes(' /api/console/'))
    .map((route) => route.replace('/api/console/', ''))
    .filter((route) => !SHELL.test(route))

describe.each(testDatabases())('the console’s routes on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  test('find nothing of somebody else’s, and change nothing', async () => {
    const calls = await callsOf(app)
    expect(
      routesIn(app)
        .filter((route) => route.includes(':id') && !ADMIN.test(route))
        .toSorted(),
    ).toEqual(Object.keys(calls).toSorted())
    const owner = await openConsole(app)
    const before = [await owner.read('agents'), await owner.read('workflows'), await owner.read('conversations?kind=test')]
    const stranger = { headers: { cookie: await app.signIn((await app.makeUser()).email) }, apiKey: '' }

    const rows = await rowsOf(app.core.db, { userId: app.userId, mark: 'Mine' })

    for (const [route, [path, body]] of Object.entries(calls)) {
      const { status, text } = await app.call(route.split(' ')[0] ?? '', `/api/console/${path}`, body, stranger)
      expect.soft(`${route} ${status} ${text}`).toMatch(/ 404 /)
    }
    expect(await rowsOf(app.core.db, { userId: app.userId, mark: 'Mine' })).toEqual(rows)
    expect([await owner.read('agents'), await owner.read('workflows'), await owner.read('conversations?kind=test')]).toEqual(before)
    for (const list of ['agents', 'workflows', 'conversations', 'conversations?kind=test', 'end-users'])
      expect((await app.call('GET', `/api/console/${list}`, undefined, stranger)).body.data).toEqual({ items: [], total: 0 })
  })

  test('keep administrators’ work for administrators', async () => {
    const ada = { headers: { cookie: await app.signIn() }, apiKey: '' }
    const admin = routesIn(app).filter((route) => ADMIN.test(route))
    expect(admin).toHaveLength(10)
    for (const route of admin) {
      const [method = '', path = ''] = route.split(' ')
      const { status, text } = await app.call(method, `/api/console/${path.replace(':id', '1')}`, method === 'GET' ? undefined : {}, ada)
      expect.soft(`${route} ${status} ${text}`).toMatch(/ 403 .*administrators/)
    }
  })

  test('take no request of other sites’ pages', async () => {
    const headers = { cookie: await app.signIn(), 'sec-fetch-site': 'cross-site' }
    for (const route of routesIn(app).filter((each) => !each.startsWith('GET '))) {
      const [method = '', path = ''] = route.split(' ')
      const { status } = await app.call(method, `/api/console/${path.replace(':id', '1')}`, {}, { headers, apiKey: '' })
      expect.soft(`${route} ${status}`).toBe(`${route} 403`)
    }
  })
})
