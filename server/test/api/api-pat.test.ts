import { describe, expect, test } from 'vitest'
import { expectRefusal } from '../support/expect-refusal.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { PASSWORD, useTestApp } from '../support/test-app.ts'
import type { Json, Reply, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

const PAT = '/api/permission_api/pat'
const CREATE = `${PAT}/create_personal_access_token_and_permission`
const LIST = `${PAT}/list_personal_access_tokens`
const GET = `${PAT}/get_personal_access_token_and_permission`
const UPDATE = `${PAT}/update_personal_access_token_and_permission`
const DELETE = `${PAT}/delete_personal_access_token_and_permission`
const DAY_MS = 86_400_000

const NOW_MS = expect.toSatisfy((ms: number) => Number.isInteger(ms) && Math.abs(ms - Date.now()) < 60_000, 'is now in ms')
const NOW_S = expect.toSatisfy((s: number) => Number.isInteger(s) && Math.abs(s * 1000 - Date.now()) < 60_000, 'is now in seconds')
const about = (ms: number) => expect.toSatisfy((value: number) => Math.abs(value - ms) < 60_000, `is about ${ms}`)

describe.each(testDatabases())('API keys on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  describe('works', () => {
    describe('with the cookie of a sign-in', () => signsIn(app))
    describe('create', () => creates(app))
    describe('list, read, rename, delete', () => manages(app))
  })
  describe('refuses bad input', () => refuses(app))
  describe('refuses the wrong session', () => refusesStrangers(app))

  keepsItsSecrets(app)
})

type Session = { get(path: string): Promise<Reply>; post(path: string, body?: unknown): Promise<Reply>; cookie: string }

async function signedIn(app: TestApp, email?: string): Promise<Session> {
  const cookie = await app.signIn(email)
  const as = { apiKey: '', headers: { cookie } }
  return { cookie, get: (path) => app.call('GET', path, undefined, as), post: (path, body) => app.call('POST', path, body, as) }
}

/** A new key of the first user; its secret is watched for from now on. */
async function created(app: TestApp, session: Session, body: object = { name: 'My API Key', expire: 0 }): Promise<Json> {
  const reply = await session.post(CREATE, body)
  app.secrets.set(`API key ${reply.body.id} of the console`, reply.body.api_key)
  return reply.body
}

const botsWith = async (app: TestApp, apiKey: string) => app.call('GET', '/v1/bot/get_online_info?bot_id=123456', undefined, { apiKey })

function signsIn(app: TestApp): void {
  test('the cookie is named session_key, and pages cannot read it', async () => {
    const { status, headers, body } = await app.call(
      'POST',
      '/api/console/sign-in',
      { email: 'user1@example.com', password: PASSWORD },
      { apiKey: '' },
    )
    expect({ status, data: body.data }).toEqual({
      status: 200,
      data: { id: app.userId, email: 'user1@example.com', name: 'user1', role: 'user' },
    })
    const [cookie] = headers.getSetCookie()
    expect(cookie).toMatch(/^session_key=[^;]+; /)
    expect(cookie).toMatch(/; HttpOnly/)
    expect(cookie).toMatch(/; SameSite=Lax/)
    expect(JSON.stringify(body)).not.toContain(cookie?.split(/[=;]/)[1])
  })

  test('after signing out it opens nothing', async () => {
    const session = await signedIn(app)
    expect((await session.get(LIST)).status).toBe(200)
    await session.post('/api/console/sign-out')
    expect((await session.get(LIST)).status).toBe(401)
  })
}

function creates(app: TestApp): void {
  test('answers with the guide’s flat key and with Coze’s token', async () => {
    const session = await signedIn(app)
    const { status, body, headers } = await session.post(CREATE, { name: 'My API Key', expire: 7_776_000_000 })
    app.secrets.set('API key of this test', body.api_key)
    const id = expect.toSatisfy(Number.isInteger, 'is a number')
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        code: 0,
        msg: '',
        data: {
          personal_access_token: {
            id: String(body.id),
            name: 'My API Key',
            created_at: NOW_S,
            updated_at: 0,
            last_used_at: 0,
            expire_at: Math.floor(body.expired_at / 1000),
          },
          token: body.api_key,
        },
        detail: { logid: headers.get('x-tt-logid') },
        id,
        name: 'My API Key',
        api_key: expect.stringMatching(/^pat_[0-9A-Za-z]{49}$/),
        user_id: Number(app.userId),
        expired_at: about(Date.now() + 90 * DAY_MS),
        created_at: NOW_MS,
        last_used_at: 0,
      },
    })
    expect(headers.get('cache-control')).toBe('no-store')
    expect((await botsWith(app, body.api_key)).status).toBe(200)
  })

  test.each<[object, () => number]>([
    [{ expire: 0 }, () => 0],
    [{}, () => 0],
    [{ expire: null, duration_day: null, expire_at: null }, () => 0],
    [{ expire: 3_600_000 }, () => Date.now() + 3_600_000],
    [{ expire: '3600000' }, () => Date.now() + 3_600_000],
    [{ expire: 4_102_444_800_000 }, () => 4_102_444_800_000],
    [{ duration_day: '30' }, () => Date.now() + 30 * DAY_MS],
    [{ duration_day: 30 }, () => Date.now() + 30 * DAY_MS],
    [{ duration_day: 'permanent' }, () => 0],
    [{ duration_day: 'customize', expire_at: 4_102_444_800 }, () => 4_102_444_800_000],
  ])('%j', async (expiry, expected) => {
    const session = await signedIn(app)
    expect((await created(app, session, { name: 'k', ...expiry })).expired_at).toEqual(about(expected()))
  })

  test('no two keys are alike', async () => {
    const session = await signedIn(app)
    const secrets = await Promise.all(Array.from({ length: 10 }, async () => (await created(app, session)).api_key))
    expect(new Set(secrets).size).toBe(10)
  })
}

function manages(app: TestApp): void {
  test('the list has one’s keys, newest first, masked, page by page', async () => {
    const user = await app.makeUser()
    const session = await signedIn(app, user.email)
    const keys: Json[] = []
    for (const name of ['a', 'b', 'c']) keys.push(await created(app, session, { name }))

    const { body } = await session.get(LIST)
    expect(body.api_keys.map((key: Json) => key.name)).toEqual(['c', 'b', 'a', 'test'])
    const flat = { id: keys[2].id, name: 'c', user_id: Number(user.userId), expired_at: 0, created_at: NOW_MS, last_used_at: 0 }
    expect(body.api_keys[0]).toEqual({ ...flat, api_key: `pat_****${keys[2].api_key.slice(-4)}` })
    expect({ total: body.total, has_more: body.has_more }).toEqual({ total: 4, has_more: false })
    expect(body.data).toEqual({
      personal_access_tokens: body.api_keys.map((key: Json) => ({
        id: String(key.id),
        name: key.name,
        created_at: NOW_S,
        updated_at: NOW_S,
        last_used_at: -1,
        expire_at: -1,
        creator_name: '',
        creator_unique_name: '',
        creator_avatar_url: '',
        creator_icon_url: '',
        creator_status: '',
        locked: false,
      })),
      has_more: false,
    })

    const page = async (number: number) => {
      const reply = (await session.get(`${LIST}?page=${number}&size=3`)).body
      return { names: reply.api_keys.map((key: Json) => key.name), has_more: reply.has_more, total: reply.total }
    }
    expect(await page(1)).toEqual({ names: ['c', 'b', 'a'], has_more: true, total: 4 })
    expect(await page(2)).toEqual({ names: ['test'], has_more: false, total: 4 })
  })

  test('a key can be read, by number or text, without its secret', async () => {
    const session = await signedIn(app)
    const key = await created(app, session)
    const { body } = await session.get(`${GET}?id=${key.id}`)
    expect(body).toMatchObject({ id: key.id, name: 'My API Key', api_key: `pat_****${key.api_key.slice(-4)}`, user_id: Number(app.userId) })
    expect(body.data.personal_access_token).toMatchObject({ id: String(key.id), last_used_at: -1, expire_at: -1 })
  })

  test('a key can be renamed, and be given another end; what is not said stays', async () => {
    const session = await signedIn(app)
    const { id, api_key } = await created(app, session, { name: 'old', expire: 3_600_000 })
    expect((await session.post(UPDATE, { id, name: 'Updated API Key Name' })).body).toMatchObject({ code: 0, msg: '' })
    expect((await session.get(`${GET}?id=${id}`)).body).toMatchObject({
      name: 'Updated API Key Name',
      expired_at: about(Date.now() + 3_600_000),
    })

    expect((await session.post(UPDATE, { id: String(id), expire: 0 })).status).toBe(200)
    expect((await session.get(`${GET}?id=${id}`)).body).toMatchObject({ name: 'Updated API Key Name', expired_at: 0 })
    expect((await botsWith(app, api_key)).status).toBe(200)
  })

  test('a deleted key is refused at once and gone from the list, and its row stays with status 1', async () => {
    const session = await signedIn(app)
    const { id, api_key } = await created(app, session)
    expect((await botsWith(app, api_key)).status).toBe(200)
    expect((await session.post(DELETE, { id })).body).toMatchObject({ code: 0, msg: '' })

    expectRefusal(await botsWith(app, api_key), { status: 401, message: 'api key deleted' })
    const missing = { status: 404, message: 'api key not found' }
    expectRefusal(await session.get(`${GET}?id=${id}`), missing)
    expectRefusal(await session.post(UPDATE, { id, name: 'x' }), missing)
    expectRefusal(await session.post(DELETE, { id }), missing)
    expect((await session.get(LIST)).body.api_keys.map((key: Json) => key.id)).not.toContain(id)
    const row = await app.core.db.selectFrom('api_key').select(['status', 'name']).where('id', '=', String(id)).executeTakeFirst()
    expect(row).toEqual({ status: 1, name: 'My API Key' })
  })

  test('a key that was just made works at once, also when it was guessed before', async () => {
    const session = await signedIn(app)
    const { api_key } = await created(app, session)
    expect((await botsWith(app, api_key)).status).toBe(200)
  })

  test('the time of the last use is there a moment after it', async () => {
    const session = await signedIn(app)
    const { id, api_key } = await created(app, session)
    await botsWith(app, api_key)
    await expect.poll(async () => (await session.get(`${GET}?id=${id}`)).body.last_used_at, { timeout: 3_000 }).toEqual(NOW_MS)
    expect((await session.get(`${GET}?id=${id}`)).body.data.personal_access_token.last_used_at).toEqual(NOW_S)
  })
}

function refuses(app: TestApp): void {
  test.each<[string, object | undefined, string | RegExp]>([
    ['nothing', undefined, 'name is required'],
    ['no name', { expire: 0 }, 'name is required'],
    ['an empty name', { name: '  ' }, 'name: must have 1 to 255 characters'],
    ['a long name', { name: 'x'.repeat(256) }, 'name: must have 1 to 255 characters'],
    ['a name that is no text', { name: 1 }, 'name: must be a string'],
    ['an end in the past', { name: 'k', expire: 1_000_000_000_000 }, 'expire: is in the past'],
    ['a negative end', { name: 'k', expire: -1 }, /^expire: must be 0 \(never\)/],
    ['an end that is none', { name: 'k', expire: 'soon' }, 'expire: must be a number'],
    ['an end beyond all time', { name: 'k', expire: 1e15 }, 'expire: is too far in the future'],
    ['two ends', { name: 'k', expire: 1000, duration_day: 1 }, /^expire: give either this or/],
    ['days that are none', { name: 'k', duration_day: 'x' }, /^duration_day: must be a number of days/],
    ['no time where one is meant', { name: 'k', duration_day: 'customize' }, 'expire_at: must be a time in Unix seconds'],
  ])('create with %s', async (_, body, message) => {
    const session = await signedIn(app)
    expectRefusal(await session.post(CREATE, body), { status: 422, message })
  })

  test('ids and pages that are none', async () => {
    const session = await signedIn(app)
    expectRefusal(await session.get(GET), { status: 422, message: 'id is required' })
    expectRefusal(await session.get(`${GET}?id=x`), { status: 422, message: /^id: must be a positive whole number/ })
    expectRefusal(await session.post(DELETE, {}), { status: 422, message: 'id is required' })
    expectRefusal(await session.post(DELETE, { id: -1 }), { status: 422, message: /^id: must be a positive whole number/ })
    expectRefusal(await session.get(`${LIST}?page=0`), { status: 422, message: 'page: must be a page number from 1' })
    expectRefusal(await session.get(`${LIST}?size=101`), { status: 422, message: 'size: must be a number from 1 to 100' })
    expectRefusal(await session.get(`${GET}?id=9223372036854775807`), { status: 404, message: 'api key not found' })
  })

  test('a wrong password, and too many of them', async () => {
    const { email } = await app.makeUser()
    const attempt = (password: string) => app.call('POST', '/api/console/sign-in', { email, password }, { apiKey: '' })
    for (let time = 0; time < 5; time++) expectRefusal(await attempt('wrong'), { status: 401, message: 'e-mail or password is wrong' })
    const refused = await attempt(PASSWORD)
    expectRefusal(refused, { status: 429, code: 4013, message: /^too many/ })
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(60)
  })
}

function refusesStrangers(app: TestApp): void {
  const attempts = (id: number) =>
    [
      ['GET', LIST, undefined],
      ['GET', `${GET}?id=${id}`, undefined],
      ['POST', CREATE, { name: 'k' }],
      ['POST', UPDATE, { id, name: 'mine' }],
      ['POST', DELETE, { id }],
    ] as const

  test('without a session, with one that was changed, and with a key: 401', async () => {
    const session = await signedIn(app)
    const { id } = await created(app, session)
    for (const [method, path, body] of attempts(id)) {
      const missing = { status: 401, message: 'missing session_key in cookie' }
      expectRefusal(await app.call(method, path, body, { apiKey: '' }), missing)
      expectRefusal(await app.call(method, path, body), missing)
      const forged = { cookie: `${session.cookie.slice(0, -4)}AAAA` }
      expect((await app.call(method, path, body, { apiKey: '', headers: forged })).status).toBe(401)
    }
    expect((await session.get(`${GET}?id=${id}`)).body.name).toBe('My API Key')
  })

  test('another user’s keys do not exist', async () => {
    const owner = await signedIn(app)
    const { id, api_key } = await created(app, owner)
    const stranger = await signedIn(app, (await app.makeUser()).email)
    const missing = { status: 404, message: 'api key not found' }
    expectRefusal(await stranger.get(`${GET}?id=${id}`), missing)
    expectRefusal(await stranger.post(UPDATE, { id, name: 'mine' }), missing)
    expectRefusal(await stranger.post(DELETE, { id }), missing)
    expect((await stranger.get(LIST)).body.api_keys.map((key: Json) => key.id)).not.toContain(id)
    expect((await botsWith(app, api_key)).status).toBe(200)
  })

  test('the page of another site cannot act with the visitor’s cookie', async () => {
    const { cookie } = await signedIn(app)
    const headers = { cookie, 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
    expectRefusal(await app.call('POST', CREATE, { name: 'k' }, { apiKey: '', headers }), {
      status: 403,
      message: /^requests from the pages of other sites/,
    })
  })
}
