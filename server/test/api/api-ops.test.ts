import { describe, expect, test } from 'vitest'
import { answers, fails, hang, wait } from '../support/fake-provider.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { openStream, readStream } from '../support/live-stream.ts'
import { findOpenApiProblems, operationsOf } from '../support/openapi-check.ts'
import { routesOf } from '../support/routes-of.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { startTestApp, useTestApp } from '../support/test-app.ts'
import type { Json, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

const BODY = { bot_id: 123456, query: 'hi' }

describe.each(testDatabases())('operating the server, on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  describe('works', () => {
    test('healthz and readyz need no key', async () => {
      const bare = { apiKey: '' }
      expect(await app.call('GET', '/healthz', undefined, bare)).toMatchObject({ status: 200, body: { status: 'ok' } })
      expect(await app.call('GET', '/readyz', undefined, bare)).toMatchObject({ status: 200, body: { status: 'ready' } })
    })

    describe('metrics', () => counts(app))
    describe('the log', () => logs(app))
    describe('the reference', () => explains(app))
  })
  describe('refuses bad input', () => {
    test('what is not asked for as it should be', async () => {
      expectRefusal(await app.call('POST', '/metrics'), { status: 404, message: 'not found: POST /metrics' })
      expectRefusal(await app.call('POST', '/healthz'), { status: 404, message: 'not found: POST /healthz' })
    })
  })

  keepsItsSecrets(app)
})

describe('refuses the wrong key', () => {
  test('metrics with a token are for who has it, and for nobody else', async () => {
    const token = 'metrics-token-of-this-test'
    await using app = await startTestApp({ env: { METRICS_TOKEN: token } })
    const metrics = (apiKey: string) => app.call('GET', '/metrics', undefined, { apiKey })
    expect((await metrics(token)).text).toContain('http_requests_total')
    for (const wrong of ['', 'x', `${token}x`, token.slice(1), app.apiKey]) {
      expectRefusal(await metrics(wrong), { status: 401, message: /^metrics need METRICS_TOKEN as a bearer token/ })
    }
    expect(app.logs.join('')).not.toContain(token)
  })

  test('metrics without a token are for this machine only', async () => {
    await using app = await startTestApp({ env: { TRUST_PROXY: 'true' } })
    const from = (address: string) => app.call('GET', '/metrics', undefined, { apiKey: '', headers: { 'x-forwarded-for': address } })
    expect((await from('127.0.0.1')).status).toBe(200)
    expectRefusal(await from('203.0.113.7'), { status: 401, message: /^metrics need METRICS_TOKEN/ })
  })

  test('without TRUST_PROXY nobody can say to be from elsewhere', async () => {
    await using app = await startTestApp()
    const headers = { 'x-forwarded-for': '203.0.113.7' }
    await app.call('GET', '/v1/bots/123456', undefined, { headers })
    await expect.poll(() => app.logs.join('')).toContain('"endpoint":"/v1/bots/:bot_id"')
    expect(app.logs.join('')).not.toContain('203.0.113.7')
  })
})

describe('browsers', () => {
  test('a page of an origin that is named may call the API, another may not', async () => {
    await using app = await startTestApp({ env: { CORS_ORIGINS: 'https://shop.example, https://other.example' } })
    const preflight = (origin: string) =>
      app.call('OPTIONS', '/v3/chat', undefined, {
        apiKey: '',
        headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type' },
      })
    const allowed = await preflight('https://shop.example')
    expect({ status: allowed.status, origin: allowed.headers.get('access-control-allow-origin') }).toEqual({
      status: 204,
      origin: '*',
    })
    expect(allowed.headers.get('access-control-allow-headers')).toMatch(/authorization/i)
    // any page may ask; what it may read is another question
    expect((await preflight('https://evil.example')).headers.get('access-control-allow-origin')).toBe('*')
    expect((await preflight('https://evil.example')).headers.get('access-control-allow-credentials')).toBeNull()
    const evil = await app.call('POST', '/v3/chat', BODY, { headers: { origin: 'https://evil.example' } })
    expect(evil.headers.get('access-control-allow-origin')).toBeNull()
    expect(evil.headers.get('vary')).toMatch(/origin/i)

    const { headers } = await app.call('POST', '/v3/chat', BODY, { headers: { origin: 'https://shop.example' } })
    expect(headers.get('access-control-allow-origin')).toBe('https://shop.example')
    await using stream = await openStream(app, { ...BODY, stream: true }, { headers: { origin: 'https://shop.example' } })
    expect(stream.response.headers.get('access-control-allow-origin')).toBe('https://shop.example')
  })

  test('no origin may where none is named', async () => {
    await using app = await startTestApp()
    const { headers } = await app.call('POST', '/v3/chat', BODY, { headers: { origin: 'https://shop.example' } })
    expect(headers.get('access-control-allow-origin')).toBeNull()
  })
})

/** The value of the series with exactly these labels; 0 where there is none. */
async function metric(app: TestApp, name: string, labels: Record<string, string> = {}): Promise<number> {
  const { text } = await app.call('GET', '/metrics')
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
  return lines
    .filter((line) => wanted.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

const cancel = (app: TestApp, chat: Json) =>
  app.call('POST', '/v3/chat/cancel', { conversation_id: chat.conversation_id, chat_id: chat.id })

function counts(app: TestApp): void {
  test('requests by route, method, status and key id', async () => {
    const { userId } = app
    const { keyId, apiKey } = await app.makeKey(userId)
    await app.call('GET', '/v1/bots/123456', undefined, { apiKey })
    await app.call('GET', '/v1/bots/777', undefined, { apiKey })
    await app.call('GET', '/v1/bots/abc', undefined, { apiKey })
    const of = (status: string) =>
      metric(app, 'http_requests_total', { endpoint: '/v1/bots/:bot_id', method: 'GET', status, api_key_id: keyId })
    await expect.poll(() => Promise.all(['200', '404', '422'].map(of))).toEqual([1, 1, 1])
    expect(
      await metric(app, 'http_request_duration_seconds_count', { endpoint: '/v1/bots/:bot_id', method: 'GET' }),
    ).toBeGreaterThanOrEqual(3)
  })

  test('refused callers have no key id, unknown paths no name of their own', async () => {
    await app.call('GET', '/v1/bots/1', undefined, { apiKey: 'x' })
    for (const path of ['/nothing', '/nothing/else', '/v1/nothing?a=1']) await app.call('GET', path)
    await expect.poll(() => metric(app, 'http_requests_total', { endpoint: 'unmatched', status: '404' })).toBe(3)
    expect(await metric(app, 'http_requests_total', { endpoint: '/v1/bots/:bot_id', status: '401', api_key_id: '' })).toBe(1)
    expect((await app.call('GET', '/metrics')).text).not.toContain('/nothing')
  })

  test('a stream counts when it is over, also when its client has left', async () => {
    const streams = () => metric(app, 'http_requests_total', { endpoint: '/v3/chat', method: 'POST', status: '200' })
    const before = await streams()
    app.provider.script = answers(['one ', hang()])
    await using leaver = await openStream(app, { ...BODY, stream: true })
    await using stayer = await openStream(app, { ...BODY, stream: true })
    const chats = [leaver, stayer].map(async (stream) => (await stream.until((frames) => frames.length >= 3))[0]?.data)
    const [left, stayed] = await Promise.all(chats)
    expect([await streams(), await metric(app, 'sse_streams_open'), await metric(app, 'chat_runs_live')]).toEqual([before, 2, 2])

    leaver.leave()
    await expect.poll(streams).toBe(before + 1)
    expect([await metric(app, 'sse_streams_open'), await metric(app, 'chat_runs_live')]).toEqual([1, 2])
    await cancel(app, stayed)
    await stayer.ended
    await expect.poll(streams).toBe(before + 2)
    await cancel(app, left)
    await expect.poll(() => metric(app, 'chat_runs_live')).toBe(0)
  })

  test('a client that does not wait for its whole answer counts as 499', async () => {
    app.provider.script = answers([wait(1_000), 'late'])
    const leaving = new AbortController()
    const call = app.call('POST', '/v3/chat', BODY, { signal: leaving.signal }).catch(() => 'left')
    await app.provider.untilRequests(1)
    leaving.abort()
    expect(await call).toBe('left')
    await expect.poll(() => metric(app, 'http_requests_total', { endpoint: '/v3/chat', status: '499' })).toBe(1)
  })

  test('chats by how they ended, and tokens as the model counted them', async () => {
    const now = async () => ({
      completed: await metric(app, 'chat_runs_total', { status: 'completed' }),
      failed: await metric(app, 'chat_runs_total', { status: 'failed' }),
      canceled: await metric(app, 'chat_runs_total', { status: 'canceled' }),
      input: await metric(app, 'model_tokens_total', { direction: 'input' }),
      output: await metric(app, 'model_tokens_total', { direction: 'output' }),
    })
    // what earlier tests began and left is over
    await expect.poll(() => metric(app, 'chat_runs_live')).toBe(0)
    const before = await now()
    app.provider.script = [answers(['x'], { usage: { input: 11, output: 7 } }), fails(401), answers(['x', hang()])]
    await readStream(app, { ...BODY, stream: true })
    await app.call('POST', '/v3/chat', BODY)
    await using stream = await openStream(app, { ...BODY, stream: true })
    const [created] = await stream.until((frames) => frames.length >= 3)
    await cancel(app, created?.data)
    await stream.ended

    const expected = { completed: 1, failed: 1, canceled: 1, input: 11, output: 7 }
    const sum = Object.fromEntries(Object.entries(expected).map(([key, value]) => [key, value + before[key as keyof typeof before]]))
    await expect.poll(now).toEqual(sum)
  })

  test('is what Prometheus reads: every sample has a HELP and a TYPE, no series stands twice', async () => {
    const { text, headers } = await app.call('GET', '/metrics')
    expect(headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    const lines = text.split('\n').filter(Boolean)
    const samples = lines.filter((line) => !line.startsWith('#'))
    const typed = new Set(lines.filter((line) => line.startsWith('# TYPE ')).map((line) => line.split(' ')[2]))
    for (const sample of samples) {
      expect(sample).toMatch(/^[a-zA-Z_:][\w:]*(\{([a-zA-Z_]\w*="([^"\\]|\\.)*",?)*\})? (-?[\d.e+-]+|Na[nN]|[+-]Inf)$/)
      const metricName = sample.split(/[{ ]/)[0] ?? ''
      expect(
        [metricName, metricName.replace(/_(bucket|sum|count)$/, '')].some((known) => typed.has(known)),
        sample,
      ).toBe(true)
    }
    const series = samples.map((sample) => sample.slice(0, sample.lastIndexOf(' ')))
    expect(new Set(series).size).toBe(series.length)
  })
}

function logs(app: TestApp): void {
  test('one line for each request, with who and how long, and nothing of what was said', async () => {
    const { keyId, apiKey } = await app.makeKey(app.userId)
    const { headers } = await app.call(
      'POST',
      '/v3/chat?conversation_id=conv_logged',
      { ...BODY, query: 'what nobody else may read' },
      { apiKey },
    )
    const requestId = headers.get('x-tt-logid')
    const lines = () => app.logs.map((line) => JSON.parse(line)).filter((line) => line.requestId === requestId)
    await expect.poll(lines).toMatchObject([
      {
        level: 30,
        msg: 'request',
        method: 'POST',
        endpoint: '/v3/chat',
        status: 200,
        keyId,
        userId: app.userId,
        ip: '127.0.0.1',
        ms: expect.any(Number),
      },
    ])
    expect(app.logs.join('')).not.toMatch(/what nobody else may read|conv_logged|Hello there/)
  })

  test('says of a client that it left, and nothing of health checks', async () => {
    app.provider.script = answers(['one ', wait(100), 'two'])
    await using stream = await openStream(app, { ...BODY, stream: true })
    await stream.until((frames) => frames.length >= 3)
    stream.leave()
    const requestId = stream.response.headers.get('x-tt-logid')
    await expect.poll(() => app.logs.find((line) => line.includes(String(requestId)))).toContain('"clientLeft":true')

    for (const path of ['/healthz', '/readyz', '/metrics']) await app.call('GET', path)
    expect(app.logs.join('')).not.toMatch(/healthz|readyz|\/metrics/)
  })
}

function explains(app: TestApp): void {
  const documentOf = async (): Promise<Json> => (await app.call('GET', '/openapi.json', undefined, { apiKey: '' })).body

  test('is a sound OpenAPI document', async () => {
    expect(findOpenApiProblems(await documentOf())).toEqual([])
  })

  test('has every route that has a body of its own, with how it is protected', async () => {
    const document = await documentOf()
    const hidden =
      /^\w+ (\/|\/assets\/\*|\/favicon\.svg|\/healthz|\/readyz|\/metrics|\/openapi\.json|\/docs(\/\*)?)$|^(GET|DELETE) \/mcp$|^\w+ \/api\/console\/(agent|audit|conversations|end-users|files|models|node-types|status|usage|users|workflow)/
    const served = routesOf(app.http).filter((route) => !route.startsWith('HEAD ') && !hidden.test(route))
    expect(
      operationsOf(document)
        .sort()
        .filter((operation) => !operation.startsWith('HEAD ')),
    ).toEqual(served.map((route) => route.replace(/:(\w+)/g, '{$1}').replace('*', '{*}')).sort())
    expect(document.paths['/v3/chat'].post.security).toEqual([{ apiKey: ['chat'] }])
    expect(document.paths['/api/permission_api/pat/list_personal_access_tokens'].get.security).toEqual([{ session: [] }])
    expect(document.paths['/api/console/sign-in'].post.security).toEqual([])
  })

  test('has every route of the guide and of the SDKs that is served', async () => {
    const operations = operationsOf(await documentOf())
    expect(operations).toEqual(expect.arrayContaining(CONTRACT))
  })

  test('says what a chat may be asked and what it answers', async () => {
    const { post } = (await documentOf()).paths['/v3/chat']
    const body = post.requestBody.content['application/json'].schema
    expect(Object.keys(body.properties)).toEqual(
      expect.arrayContaining([
        'bot_id',
        'user_id',
        'stream',
        'conversation_id',
        'query',
        'chat_history',
        'additional_messages',
        'parameters',
      ]),
    )
    expect(body.required).toEqual(['bot_id'])
    expect(Object.keys(post.responses['200'].content['application/json'].schema.properties)).toEqual(
      expect.arrayContaining(['code', 'msg', 'data', 'detail', 'conversation_id', 'message']),
    )
  })

  test('has a page to read it, which names no other host', async () => {
    for (const path of ['/docs', '/docs/']) {
      const page = await fetch(`${app.url}${path}`)
      const html = await page.text()
      expect({ status: page.status, type: page.headers.get('content-type') }).toMatchObject({
        status: 200,
        type: expect.stringMatching(/^text\/html/),
      })
      expect(html).toContain('/openapi.json')
      const sources = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => new URL(match[1] ?? '', page.url))
      for (const source of sources) {
        expect(source.origin).toBe(app.url)
        expect((await fetch(source)).status, source.href).toBe(200)
      }
    }
  })

  test('a browser that comes to / finds its way', async () => {
    const { status, text, headers } = await app.call('GET', '/', undefined, { apiKey: '' })
    expect(status).toBe(200)
    expect(headers.get('content-type')).toMatch(/^text\/html/)
    for (const link of text.matchAll(/href="([^"]+)"/g)) expect((await fetch(new URL(link[1] ?? '', `${app.url}/`))).status).toBe(200)
  })
}

/** What the guide and the SDKs call and this server has. */
const CONTRACT = [
  'POST /v3/chat',
  'POST /v3/chat/cancel',
  'GET /v3/chat/retrieve',
  'POST /v3/chat/retrieve',
  'GET /v3/chat/message/list',
  'POST /v1/conversation/create',
  'GET /v1/conversation/retrieve',
  'GET /v1/conversations',
  'GET /v1/conversations/{conversation_id}',
  'PUT /v1/conversations/{conversation_id}',
  'DELETE /v1/conversations/{conversation_id}',
  'POST /v1/conversations/{conversation_id}/clear',
  'POST /v1/conversation/message/list',
  'POST /v1/files/upload',
  'GET /v1/files/retrieve',
  'GET /v1/bot/get_online_info',
  'GET /v1/bots/{bot_id}',
  'POST /v1/workflow/run',
  'POST /v1/workflow/stream_run',
  'POST /v1/workflow/stream_resume',
  'GET /v1/workflow/get_run_history',
  'GET /v1/workflows/{workflow_id}/run_histories/{execute_id}',
  'GET /v1/workflows/{workflow_id}/run_histories/{execute_id}/execute_nodes/{node_execute_uuid}',
  'POST /v1/workflows/chat',
  'GET /v1/workflows',
  'GET /v1/workflows/{workflow_id}',
  'GET /v1/workflows/{workflow_id}/versions',
  'POST /v1/workflow/conversation/create',
  'POST /api/permission_api/pat/create_personal_access_token_and_permission',
  'GET /api/permission_api/pat/list_personal_access_tokens',
  'GET /api/permission_api/pat/get_personal_access_token_and_permission',
  'POST /api/permission_api/pat/update_personal_access_token_and_permission',
  'POST /api/permission_api/pat/delete_personal_access_token_and_permission',
]
