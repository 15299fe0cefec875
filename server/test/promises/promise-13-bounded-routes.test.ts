import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { withProbe } from '../support/engine-house.ts'
import { chain, hanging } from '../support/probe-runs.ts'
import { openSocket, rawRequest } from '../support/raw-socket.ts'
import { routesOf } from '../support/routes-of.ts'
import { useTestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'
import { openWorkflowRunHouse } from '../support/workflow-run-house.ts'
import { publish, talking } from '../support/workflow-app.ts'

/** Promise 13, for what is not a chat: no route takes more than its share, however new it is, and workflows are bounded as chats are. */

const MB = 1024 * 1024
const isUpload = (route: string) => /\/files(\/upload)?$/.test(route)

describe('every route that takes a body', () => {
  const app = useTestApp({})
  const routes = () =>
    routesOf(app.http)
      .filter((route) => /^(POST|PUT|PATCH|DELETE) \/(v1|v3|api|mcp)/.test(route))
      .map((route) => route.replace(/:\w+|\*/g, '1'))

  test('refuses one of 600 MB before it comes', async () => {
    const cookie = await app.signIn()
    expect(routes().length).toBeGreaterThan(60)
    for (const route of routes()) {
      await using socket = await openSocket(app.port)
      const auth: Record<string, string> = route.includes('/api/') ? { cookie } : { authorization: `Bearer ${app.apiKey}` }
      const type = isUpload(route) ? 'multipart/form-data; boundary=b' : 'application/json'
      socket.send(rawRequest(route, { headers: { ...auth, 'content-type': type, 'content-length': String(600 * MB) } }))
      const answer = await socket.until((received) => received.includes('\r\n\r\n'))
      expect.soft(`${route}: ${answer.slice(0, 12)}`).toMatch(/: HTTP\/1\.1 (413|403)$/)
    }
  })

  test('refuses JSON nested 65 deep', async () => {
    const headers = { cookie: await app.signIn() }
    const body = `{"x":${'['.repeat(65)}${']'.repeat(65)}}`
    for (const route of routes().filter((each) => !isUpload(each))) {
      const [method = '', path = ''] = route.split(' ')
      const { status, text } = await app.call(method, path, body, path.startsWith('/api/') ? { apiKey: '', headers } : {})
      expect.soft(`${route}: ${status} ${text}`).toMatch(/: ((400|422) .*nested deeper than 64 levels|403 )/)
    }
  })

  test('a request that does not arrive in time is answered with 408', async () => {
    const { server } = app.http
    const connected = new Promise<Socket>((resolve) => server.once('connection', resolve))
    await using slow = await openSocket(app.port)
    slow.send('POST /v3/chat HTTP/1.1\r\nhost: a\r\n')
    // what Node says of it once its time is over
    const late = Object.assign(new Error('late'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })
    server.emit('clientError', late, await connected)
    expect(await slow.closed()).toMatch(/^HTTP\/1\.1 408 [\s\S]*did not arrive in time/)
    expect([server.headersTimeout, server.requestTimeout]).toEqual([60_000, 3_600_000])
  })

  test('a chatflow with 501 messages, a parameter of a million characters and one', async () => {
    const workflow_id = await publish(app, talking(), { mode: 'chatflow' })
    const message = { role: 'user', content: 'x', content_type: 'text' }
    const many = await app.call('POST', '/v1/workflows/chat', { workflow_id, additional_messages: Array(501).fill(message) })
    expect([many.status, many.body.msg]).toEqual([422, expect.stringMatching(/at most 500/)])
    const long = await app.call('POST', '/v1/workflows/chat', { workflow_id, query: 'x'.repeat(1_000_001) })
    expect([long.status, long.body.msg]).toEqual([422, expect.stringMatching(/at most 1000000/)])
  })
})

describe.each(testDatabases())('workflows, on $name', ({ open }) => {
  test('more at once than the server takes: refused, and there is room again when one ends', async () => {
    await using db = await open()
    const house = openWorkflowRunHouse(db, { types: withProbe({ 101: hanging }), maxRuns: 2 })
    const id = await house.store(chain(900))
    const running = [await house.start(id), await house.start(id)]
    await expect(house.start(id)).rejects.toMatchObject({ code: 'rate_limited' })
    await house.deps.liveRuns.stop(running[0]?.run.id ?? '', 'canceled')
    expect((await house.start(id)).run.status).toBe('running')
    await house.deps.liveRuns.drain(0)
  })

  test('longer than a run may take: it fails as such', async () => {
    await using db = await open()
    const house = openWorkflowRunHouse(db, { types: withProbe({ 101: hanging }), maxRunMs: 100 })
    const run = await house.run(await house.store(chain(900)))
    expect(run).toMatchObject({ status: 'failed', error: { message: expect.stringMatching(/time|long/) } })
  })
})
