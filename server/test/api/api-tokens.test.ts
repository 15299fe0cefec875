import { describe, expect, test } from 'vitest'
import { says } from '../support/fake-provider.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { callPat, changeKey, makeLimitedKey } from '../support/limited-keys.ts'
import { startSecondNode } from '../support/second-node.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { useTestApp } from '../support/test-app.ts'
import type { Json, Reply, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

const SHOP = 'https://shop.example'
const WANTED = { bot_id: '123456', user_id: 'ada', origins: [SHOP] }

describe.each(testDatabases())('publishable tokens on $name', ({ name }) => {
  const time = { ahead: 0 }
  const app = useTestApp({ database: name, clock: () => Date.now() + time.ahead })

  describe('work', () => letPagesChat(app))
  describe('are bound', () => bindsTokens(app))
  describe('end', () => endsTokens(app, time))
  describe('are refused', () => refusesTokens(app))
  describe('pages', () => letsPagesRead(app))

  keepsItsSecrets(app)
})

async function makeToken(app: TestApp, body: object = {}, apiKey = app.apiKey): Promise<string> {
  const reply = await app.call('POST', '/v1/tokens', { ...WANTED, ...body }, { apiKey })
  if (reply.status !== 200) throw new Error(reply.text)
  app.secrets.set(`token ${app.secrets.size}`, reply.body.data.token)
  return reply.body.data.token
}

type Page = { origin?: string; token: string }
const call = (app: TestApp, { origin = SHOP, token }: Page, [method, path, body]: [string, string, object?]): Promise<Reply> =>
  app.call(method, path, body, { apiKey: token, headers: origin === '' ? {} : { origin } })

const chat = (app: TestApp, page: Page, more: object = {}): Promise<Reply> =>
  call(app, page, ['POST', '/v3/chat', { bot_id: 123456, query: 'hi', ...more }])

function letPagesChat(app: TestApp): void {
  test('a page chats as its end user, goes on, and reads what was said', async () => {
    app.provider.script = says('Hello')
    const page = { token: await makeToken(app) }
    const first = await chat(app, page)
    expect([first.status, first.body.message?.content]).toEqual([200, 'Hello'])
    const { conversation_id: id } = first.body
    expect((await chat(app, page, { conversation_id: id, user_id: 'ada' })).status).toBe(200)

    const conversation = (await call(app, page, ['GET', `/v1/conversations/${id}`])).body.data
    expect(conversation).toMatchObject({ bot_id: '123456', user_id: 'ada' })
    const messages = await call(app, page, ['POST', `/v1/conversation/message/list?conversation_id=${id}`, {}])
    expect(messages.body.data).toHaveLength(4)
    const listed = (await call(app, page, ['GET', '/v1/conversations?bot_id=123456'])).body.data.conversations
    expect(listed.every((each: Json) => each.user_id === 'ada')).toBe(true)
    const made = (await call(app, page, ['POST', '/v1/conversation/create', {}])).body.data
    expect(made).toMatchObject({ bot_id: '123456', user_id: 'ada' })
  })

  test('a page sees the face of its bot, and not what the bot is told', async () => {
    const page = { token: await makeToken(app) }
    const { body, text } = await call(app, page, ['GET', '/v1/bots/123456'])
    expect(body.data.name).toBe('客服助手')
    expect(text).not.toContain('你是一个专业的客服助手')
    expect((await call(app, page, ['GET', '/v1/bots/123456?is_published=false'])).status).toBe(404)
  })

  test('the answer says when it ends', async () => {
    const { body } = await app.call('POST', '/v1/tokens', { ...WANTED, expires_in: 60 })
    expect(body.data.token).toMatch(/^pub_[\w-]+\.[\w-]{43}$/)
    expect(Math.abs(body.data.expires_at - app.core.clock() / 1000 - 60)).toBeLessThan(5)
    const usual = (await app.call('POST', '/v1/tokens', WANTED)).body.data
    expect(Math.abs(usual.expires_at - app.core.clock() / 1000 - 3_600)).toBeLessThan(5)
  })

  test('the limits of its key are its own too', async () => {
    const { apiKey } = await makeLimitedKey(app, { requests_per_minute: 3, allowed_cidrs: ['127.0.0.1'] })
    const page = { token: await makeToken(app, {}, apiKey) }
    const { headers } = await chat(app, page)
    expect(headers.get('ratelimit-limit')).toBe('3')
    expect(headers.get('access-control-expose-headers')).toMatch(/ratelimit-remaining/i)
  })
}

function bindsTokens(app: TestApp): void {
  test('to its end user', async () => {
    const [ada, bob] = [{ token: await makeToken(app) }, { token: await makeToken(app, { user_id: 'bob' }) }]
    const refusal = { status: 403, message: 'user_id: this token is for another end user' }
    expectRefusal(await chat(app, ada, { user_id: 'bob' }), refusal)
    expectRefusal(await call(app, ada, ['GET', '/v1/conversations?bot_id=123456&user_id=bob']), refusal)
    expectRefusal(await call(app, ada, ['GET', '/v1/variables?bot_id=123456&connector_uid=bob']), refusal)

    const { body } = await chat(app, bob)
    const address = `conversation_id=${body.conversation_id}&chat_id=${body.data.id}`
    for (const path of [
      `/v1/conversations/${body.conversation_id}`,
      `/v3/chat/retrieve?${address}`,
      `/v3/chat/stream?${address}`,
      `/v3/chat/message/list?${address}`,
    ]) {
      expect.soft((await call(app, ada, ['GET', path])).status, path).toBe(404)
      expect.soft((await call(app, bob, ['GET', path])).status, path).toBe(200)
    }
    expect((await chat(app, ada, { conversation_id: body.conversation_id })).status).toBe(404)
  })

  test('also where both send the same Idempotency-Key', async () => {
    const [ada, bob] = [await makeToken(app), await makeToken(app, { user_id: 'bob' })]
    const body = { bot_id: 123456, query: 'hi' }
    const headers = { origin: SHOP, 'idempotency-key': `same-${app.port}` }
    const [one, other] = [
      await app.call('POST', '/v3/chat', body, { apiKey: ada, headers }),
      await app.call('POST', '/v3/chat', body, { apiKey: bob, headers }),
    ]
    expect(one.body.data.id).not.toBe(other.body.data.id)
  })

  test('to its bot', async () => {
    const other = await app.makeBot(app.userId)
    const page = { token: await makeToken(app) }
    expect((await chat(app, page, { bot_id: other })).status).toBe(404)
    expect((await call(app, page, ['GET', `/v1/bots/${other}`])).status).toBe(404)
    const listed = (await call(app, page, ['GET', '/v1/bots'])).body.data.items
    expect(listed.map(({ id }: Json) => id)).toEqual(['123456'])
    expect(
      (await call(app, page, ['POST', '/v1/chat/completions', { model: other, messages: [{ role: 'user', content: 'x' }] }])).status,
    ).toBe(404)
  })

  test('to its origins', async () => {
    const token = await makeToken(app, { origins: [SHOP, 'http://localhost:3000'] })
    for (const origin of [SHOP, 'http://localhost:3000']) expect((await chat(app, { origin, token })).status).toBe(200)
    const refusal = { status: 403, message: 'this token may not be used by pages of this origin' }
    for (const origin of ['https://evil.example', 'https://shop.example.evil', 'http://shop.example', 'null'])
      expectRefusal(await chat(app, { origin, token }), refusal)
    expectRefusal(await chat(app, { origin: '', token }), {
      status: 403,
      message: 'this token is for pages: the request has no Origin header',
    })
  })

  test('to chatting and reading', async () => {
    const page = { token: await makeToken(app) }
    for (const [method, path, body] of [
      ['POST', '/v1/tokens', WANTED],
      ['GET', '/v1/users/me'],
      ['GET', '/v1/workspaces'],
      ['POST', '/v1/bot/create', { name: 'x' }],
      ['GET', '/v1/api_keys'],
      ['GET', '/v1/files/retrieve?file_id=1'],
      ['POST', '/v1/workflow/run', { workflow_id: '1' }],
      ['PUT', '/v1/variables', { bot_id: '123456', connector_uid: 'ada', data: [{ keyword: 'x', value: 'y' }] }],
      ['POST', '/v3/chat', { bot_id: '123456', query: 'x', callback_url: 'https://example.com/hook' }],
    ] as [string, string, object?][])
      expect.soft((await call(app, page, [method, path, body])).status, `${method} ${path}`).toBe(403)
    expect((await call(app, page, ['GET', '/v1/apps'])).body.data).toEqual({ items: [], total: 0 })
    expect((await call(app, page, ['GET', '/v1/workflows'])).body.data.items).toEqual([])
  })
}

function endsTokens(app: TestApp, time: { ahead: number }): void {
  test('with their time, to the millisecond', async () => {
    const token = await makeToken(app, { expires_in: 100 })
    expect((await chat(app, { token })).status).toBe(200)
    time.ahead += 100_000
    expectRefusal(await chat(app, { token }), { status: 401, message: 'token expired: ask for a new one' })
  })

  test('with the key: deleted, disabled, expired, without the action or the bot', async () => {
    const key = await makeLimitedKey(app, { actions: ['chat'] })
    const token = await makeToken(app, {}, key.apiKey)
    expect((await chat(app, { token })).status).toBe(200)
    for (const [change, status] of [
      [{ policy: { actions: ['read'] } }, 403],
      [{ policy: { actions: ['chat'], bot_ids: [] } }, 404],
      [{ policy: { actions: ['chat'] } }, 200],
      [{ disabled: true }, 401],
      [{ disabled: false }, 200],
    ] as const) {
      await changeKey(app, key.keyId, change)
      expect.soft((await chat(app, { token })).status, JSON.stringify(change)).toBe(status)
    }
    await callPat(app, { path: 'delete_personal_access_token_and_permission', body: { id: key.keyId } })
    expectRefusal(await chat(app, { token }), { status: 401, message: 'api key deleted' })
  })

  test('a rotation of the key leaves them as they are', async () => {
    const key = await makeLimitedKey(app, undefined)
    const token = await makeToken(app, {}, key.apiKey)
    const { body } = await callPat(app, { path: 'rotate_personal_access_token', body: { id: key.keyId } })
    app.secrets.set('rotated key of a token', body.api_key)
    expect((await chat(app, { token })).status).toBe(200)
  })

  test('on another node within a second', async () => {
    await using second = await startSecondNode(app)
    const key = await makeLimitedKey(app, undefined)
    const token = await makeToken(app, { expires_in: 86_400 }, key.apiKey)
    const statusThere = async () =>
      (await fetch(`${second.url}/v1/bots/123456`, { headers: { authorization: `Bearer ${token}`, origin: SHOP } })).status
    expect(await statusThere()).toBe(200)
    await changeKey(app, key.keyId, { disabled: true })
    await expect.poll(statusThere, { timeout: 2_000 }).toBe(401)
  })
}

function refusesTokens(app: TestApp): void {
  test('made up or changed', async () => {
    const token = await makeToken(app)
    const [payload = '', mac = ''] = token.slice(4).split('.')
    const claims = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), botId: '7' }
    const forged = Buffer.from(JSON.stringify(claims)).toString('base64url')
    for (const each of ['pub_', 'pub_x', 'pub_.', `pub_${forged}.${mac}`, `pub_${payload}.${mac.slice(1)}A`, `pub_${payload}`, `${token}x`])
      expectRefusal(await chat(app, { token: each }), { status: 401, message: 'token invalid' })
  })

  test.each<[object, RegExp]>([
    [{ bot_id: undefined }, /^bot id is required$/],
    [{ user_id: '' }, /^user_id: must be a string of 1 to 255 characters$/],
    [{ user_id: undefined }, /^user id is required$/],
    [{ user_id: 'x'.repeat(256) }, /^user_id: must be a string/],
    [{ origins: [] }, /^origins: must be a list of 1 to 20 origins/],
    [{ origins: ['*'] }, /^origins\.0: must be the origin of a page/],
    [{ origins: ['null'] }, /^origins\.0: must be the origin of a page/],
    [{ origins: ['https://shop.example/'] }, /^origins\.0: must be the origin/],
    [{ origins: ['https://SHOP.example'] }, /^origins\.0: must be the origin/],
    [{ origins: ['ftp://shop.example'] }, /^origins\.0: must be the origin/],
    [{ expires_in: 0 }, /^expires_in: must be a number of seconds from 1 to 86400$/],
    [{ expires_in: 86_401 }, /^expires_in: must be a number of seconds from 1 to 86400$/],
  ])('%j', async (body, message) => {
    expectRefusal(await app.call('POST', '/v1/tokens', { ...WANTED, ...body }), { status: 422, message })
  })

  test('for a bot that the key may not use, and with a key that may not chat', async () => {
    const { apiKey } = await makeLimitedKey(app, { bot_ids: [] })
    expectRefusal(await app.call('POST', '/v1/tokens', WANTED, { apiKey }), { status: 404, message: 'bot not found or not published' })
    const reader = await makeLimitedKey(app, { actions: ['read'] })
    expectRefusal(await app.call('POST', '/v1/tokens', WANTED, reader), { status: 403, message: /it needs the action chat/ })
  })
}

function letsPagesRead(app: TestApp): void {
  const allowed = ({ headers }: Reply) => headers.get('access-control-allow-origin')

  test('the origins of a token may read its answers, and why it is refused; others may not', async () => {
    const token = await makeToken(app, { expires_in: 86_400 })
    const good = await chat(app, { token })
    expect([allowed(good), good.headers.get('vary')]).toEqual([SHOP, expect.stringMatching(/origin/i)])
    expect(good.headers.get('access-control-allow-credentials')).toBeNull()
    expect(allowed(await chat(app, { token }, { bot_id: 'x' }))).toBe(SHOP)
    expect(allowed(await chat(app, { token: `${token.slice(0, -1)}_` }))).toBe(SHOP)
    expect(allowed(await chat(app, { token, origin: 'https://evil.example' }))).toBeNull()
    expect(allowed(await call(app, { token: app.apiKey }, ['GET', '/v1/users/me']))).toBeNull()
  })

  test('the console answers no other site', async () => {
    const headers = { origin: SHOP, 'access-control-request-method': 'POST' }
    const preflight = await app.call('OPTIONS', '/api/console/sign-in', undefined, { apiKey: '', headers })
    expect([preflight.status, allowed(preflight)]).toEqual([404, null])
    expect(allowed(await app.call('GET', '/api/console/state', undefined, { apiKey: '', headers: { origin: SHOP } }))).toBeNull()
    const open = await app.call('OPTIONS', '/v1/api_keys/1', undefined, { apiKey: '', headers })
    expect([open.status, allowed(open), open.headers.get('access-control-allow-methods')]).toEqual([
      204,
      '*',
      expect.stringMatching(/PATCH/),
    ])
  })
}
