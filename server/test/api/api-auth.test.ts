import { describe, expect, test } from 'vitest'
import { createKeySecret } from '../../src/accounts/api-key-secret.ts'
import { answers, wait } from '../support/fake-provider.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { openStream } from '../support/live-stream.ts'
import { openSocket, rawRequest } from '../support/raw-socket.ts'
import { routesOf } from '../support/routes-of.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { deltaText } from '../support/sse-frames.ts'
import { useTestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

const BOTS = '/v1/bot/get_online_info?bot_id=123456'
const PAT = '/api/permission_api/pat'

describe.each(testDatabases())('authentication on $name', ({ name }) => {
  const time = { ahead: 0 }
  const app = useTestApp({ database: name, clock: () => Date.now() + time.ahead })
  const statusWith = async (headers: Record<string, string>) => (await app.call('GET', BOTS, undefined, { apiKey: '', headers })).status

  describe('works', () => {
    test('the scheme may be written in any case, and with more than one blank', async () => {
      for (const scheme of ['Bearer ', 'bearer ', 'BEARER ', 'Bearer   ']) {
        expect(await statusWith({ authorization: `${scheme}${app.apiKey}` }), scheme).toBe(200)
      }
    })

    test('each key of a user opens the same things', async () => {
      const { apiKey } = await app.makeKey(app.userId)
      expect(await statusWith({ authorization: `Bearer ${apiKey}` })).toBe(200)
    })

    test('an answer says under which id it can be found in the log', async () => {
      const { headers, body } = await app.call('GET', BOTS)
      expect(body.detail).toEqual({ logid: headers.get('x-tt-logid') })
      expect(app.logs.join('')).toContain(`"requestId":"${body.detail.logid}"`)
    })

    test('a stream goes on when its key expires or is deleted; the next call is refused', async () => {
      const cookie = await app.signIn()
      const dying = {
        expires: { ...(await app.makeKey(app.userId, 60_000)), message: 'api key expired' },
        'is deleted': { ...(await app.makeKey(app.userId)), message: 'api key deleted' },
      }
      app.provider.script = answers(['one ', wait(400), 'two'])
      const body = { bot_id: 123456, query: 'count', stream: true }

      for (const [how, { keyId, apiKey, message }] of Object.entries(dying)) {
        await using stream = await openStream(app, body, { apiKey })
        await stream.until((frames) => deltaText(frames).startsWith('one '))
        if (how === 'expires') time.ahead += 60_001
        else
          await app.call('POST', `${PAT}/delete_personal_access_token_and_permission`, { id: keyId }, { apiKey: '', headers: { cookie } })

        expectRefusal(await app.call('POST', '/v3/chat', body, { apiKey }), { status: 401, message })
        const frames = await stream.ended
        expect(deltaText(frames), how).toBe('one two')
        expect(frames.at(-1)?.raw).toBe('[DONE]')
      }
    })
  })

  describe('refuses bad input', () => {
    test.each([
      ['no header', {}, 'missing authorization in header'],
      ['an empty header', { authorization: '' }, 'missing authorization in header'],
      ['no key', { authorization: 'Bearer' }, /^missing api_key in request/],
      ['no key after the blank', { authorization: 'Bearer ' }, /^missing api_key in request/],
      ['another scheme', { authorization: 'Basic dXNlcjpwYXNz' }, /^missing api_key in request/],
      ['two keys', { authorization: 'Bearer pat_a pat_b' }, /^missing api_key in request/],
      ['the key alone', { authorization: createKeySecret() }, /^missing api_key in request/],
    ])('%s: 401 with the guide’s body', async (_, headers, message) => {
      expectRefusal(await app.call('GET', BOTS, undefined, { apiKey: '', headers }), { status: 401, message })
    })

    test('a key in the query or in the body is no key', async () => {
      const reply = await app.call('POST', `/v3/chat?api_key=${app.apiKey}`, { bot_id: 1, api_key: app.apiKey }, { apiKey: '' })
      expectRefusal(reply, { status: 401, message: 'missing authorization in header' })
    })

    test('of two Authorization headers the first counts, whatever the second says', async () => {
      await using socket = await openSocket(app.port)
      const twice = `authorization: Bearer ${app.apiKey}\r\nauthorization: Bearer x`
      socket.send(`GET ${BOTS} HTTP/1.1\r\nhost: a\r\n${twice}\r\nconnection: close\r\n\r\n`)
      expect(await socket.closed()).toMatch(/^HTTP\/1.1 200/)
    })

    test('a path that is not served: 404 as JSON, with a key or without', async () => {
      for (const [method, path] of [
        ['GET', '/v1/nothing'],
        ['POST', '/v3/chat/submit'],
        ['GET', '/v3/chat'],
        ['DELETE', '/v1/bot/get_online_info'],
        ['GET', '/api/nothing?secret=1'],
        ['GET', '/nothing'],
      ] as const) {
        const message = `not found: ${method} ${path.split('?')[0]}`
        expectRefusal(await app.call(method, path), { status: 404, message })
        expectRefusal(await app.call(method, path, undefined, { apiKey: '' }), { status: 404, message })
      }
    })
  })

  describe('refuses the wrong key', () => {
    test.each([
      ['nonsense', 'nonsense'],
      ['a mistyped key', createKeySecret().replace(/.$/, (last) => (last === 'a' ? 'b' : 'a'))],
      ['a well-formed key that nobody made', createKeySecret()],
      ['a key as Coze makes them that nobody made', `pat_${'0a'.repeat(32)}`],
      ['a very long one', `pat_${'x'.repeat(10_000)}`],
    ])('%s: api key invalid', async (_, apiKey) => {
      const reply = await app.call('GET', BOTS, undefined, { apiKey })
      expectRefusal(reply, { status: 401, message: 'api key invalid' })
      expect(reply.text).not.toContain(apiKey)
    })

    test('an expired key: api key expired', async () => {
      const before = Date.now() + time.ahead
      const { apiKey } = await app.makeKey(app.userId, 3_600_000)
      const after = Date.now() + time.ahead
      time.ahead += before + 3_590_000 - (Date.now() + time.ahead)
      expect(await statusWith({ authorization: `Bearer ${apiKey}` })).toBe(200)

      time.ahead += after + 3_600_000 - (Date.now() + time.ahead)
      expectRefusal(await app.call('GET', BOTS, undefined, { apiKey }), { status: 401, message: 'api key expired' })
    })

    test('a stream that is refused is refused as JSON, before it becomes a stream', async () => {
      const reply = await app.call('POST', '/v3/chat', { bot_id: 123456, query: 'hi', stream: true }, { apiKey: createKeySecret() })
      expectRefusal(reply, { status: 401, message: 'api key invalid' })
      expect(app.provider.requests).toEqual([])
    })

    test('the key is looked at before the body', async () => {
      const reply = await app.call('POST', '/v3/chat', '{ broken', { apiKey: createKeySecret() })
      expectRefusal(reply, { status: 401, message: 'api key invalid' })
    })

    test('a session does not open the Open API, and a key does not open the console', async () => {
      const cookie = await app.signIn()
      const session = { apiKey: '', headers: { cookie } }
      expect((await app.call('GET', `${PAT}/list_personal_access_tokens`, undefined, session)).status).toBe(200)

      expectRefusal(await app.call('GET', BOTS, undefined, session), { status: 401, message: 'missing authorization in header' })
      for (const path of [`${PAT}/list_personal_access_tokens`, '/api/console/me']) {
        expectRefusal(await app.call('GET', path), { status: 401, message: 'missing session_key in cookie' })
      }
    })

    test('every route that is not public on purpose answers 401 to a caller without anything', async () => {
      const open = routesOf(app.http).filter((route) => !PUBLIC.has(route))
      expect(open.length).toBeGreaterThan(20)

      for (const route of open) {
        const [method = '', path = ''] = route.split(' ')
        const { status, text } = await app.call(method, path.replace(/:\w+/g, '1'), undefined, { apiKey: '' })
        expect({ route, status }).toEqual({ route, status: 401 })
        if (method !== 'HEAD') expect(text).toMatch(/missing (authorization in header|session_key in cookie)/)
      }
    })

    test('a request that asks for something else on a kept connection is judged by its own key', async () => {
      await using socket = await openSocket(app.port)
      socket.send(rawRequest(`GET ${BOTS}`, { headers: { authorization: `Bearer ${app.apiKey}` } }))
      socket.send(rawRequest(`GET ${BOTS}`, { headers: { connection: 'close' } }))
      expect((await socket.closed()).match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 401'])
    })
  })

  keepsItsSecrets(app)
})

/** What anyone may call; a new one is added here on purpose. */
const PUBLIC = new Set(
  [
    '/',
    '/assets/*',
    '/favicon.svg',
    '/api/console/state',
    '/healthz',
    '/readyz',
    '/metrics',
    '/openapi.json',
    '/docs',
    '/docs/*',
    '/v1/files/:file_id/:signature/*',
  ]
    .flatMap((path) => [`GET ${path}`, `HEAD ${path}`])
    .concat('POST /api/console/sign-in', 'POST /api/console/sign-up', 'POST /api/console/set-up'),
)
