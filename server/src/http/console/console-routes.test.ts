import Fastify from 'fastify'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { createMemoryLimits } from '../../cluster/memory-limits.ts'
import { describe, expect, test } from 'vitest'
import { testDatabases } from '../../../test/support/test-databases.ts'
import { createKeyAuthentication } from '../../accounts/api-key-authentication.ts'
import { createConsoleSessions } from '../../accounts/console-sessions.ts'
import { countUsers } from '../../accounts/user-store.ts'
import { createFirstAdmin, createUser } from '../../accounts/users.ts'
import type { NewUserRequest } from '../../accounts/users.ts'
import type { Db } from '../../db/database.ts'
import { createSecretBox } from '../../lib/secret-box.ts'
import { protectRoutes } from '../authentication.ts'
import { replyWithError } from '../error-reply.ts'
import { validatorCompiler } from '../validation.ts'
import { guarded } from './console-routes.ts'
import { patRoutes } from './pat-routes.ts'
import { sessionRoutes } from './session-routes.ts'
import { stateRoutes } from './state-routes.ts'

const NOW = Date.UTC(2026, 0, 1)
const DAY_MS = 86_400_000
const PASSWORD = 'correct horse'
const PAT = '/api/permission_api/pat'

/** The console's routes on a server of their own, with two people who may sign in. */
async function startConsole(db: Db, { allowSignup = false, users = ['ada', 'bob'] } = {}) {
  const secrets = createSecretBox('master')
  const clock = () => NOW
  const sessions = createConsoleSessions({ db, secrets, clock: Date.now, publicUrl: 'http://127.0.0.1:8888', allowSignup })
  const gate = createKeyAuthentication({ db, secrets, clock, onError: () => undefined })
  for (const name of users) await createUser({ db, clock }, { email: `${name}@example.com`, password: PASSWORD })

  const http = Fastify()
  http.setValidatorCompiler(validatorCompiler)
  http.setSerializerCompiler(() => (data) => JSON.stringify(data))
  http.setErrorHandler(replyWithError)
  protectRoutes(http, {
    authenticateKey: gate.authenticate,
    takeRequest: createMemoryLimits(Date.now).take,
    authenticateSession: sessions.authenticateSession,
  })
  const state = {
    sessions,
    hasUsers: async () => (await countUsers(db)) > 0,
    createFirstAdmin: (request: NewUserRequest) => createFirstAdmin({ db, clock }, request),
    ...{ maySignUp: allowSignup, version: '1.2.3', publicUrl: 'http://127.0.0.1:8888' },
  }
  await http.register(guarded([sessionRoutes(sessions), stateRoutes(state), patRoutes({ db, secrets, clock, forgetKey: gate.forget })]))

  const signIn = async (name: string) => {
    const { cookies } = await http.inject({
      method: 'POST',
      url: '/api/console/sign-in',
      payload: { email: `${name}@example.com`, password: PASSWORD },
    })
    return visitor(http, `session_key=${encodeURIComponent(cookies[0]?.value ?? '')}`)
  }
  return { ...visitor(http), gate, signIn, http, [Symbol.asyncDispose]: () => http.close() }
}

function visitor(http: FastifyInstance, cookie?: string) {
  const send = async (request: InjectOptions) => {
    const response = await http.inject({ ...request, headers: { ...(cookie && { cookie }), ...request.headers } })
    return { status: response.statusCode, headers: response.headers, body: response.json() }
  }
  return {
    send,
    cookie,
    get: (url: string) => send({ method: 'GET', url }),
    post: (url: string, payload?: object, headers?: Record<string, string>) => send({ method: 'POST', url, payload, headers }),
  }
}

describe.each(testDatabases())('the console’s sessions on $name', ({ open }) => {
  test('sign in, be known, sign out', async () => {
    await using db = await open()
    await using site = await startConsole(db)
    const user = { id: '1', email: 'ada@example.com', name: 'ada', role: 'user' }

    const signedIn = await site.post('/api/console/sign-in', { email: ' Ada@Example.com ', password: PASSWORD })
    expect(signedIn).toMatchObject({ status: 200, body: { code: 0, msg: '', data: user }, headers: { 'cache-control': 'no-store' } })
    expect(signedIn.body.detail.logid).toBe(signedIn.headers['x-tt-logid'])

    const ada = await site.signIn('ada')
    expect(await ada.get('/api/console/me')).toMatchObject({ status: 200, body: { data: user } })
    const signedOut = await ada.post('/api/console/sign-out')
    expect(signedOut).toMatchObject({ status: 200, headers: { 'set-cookie': [expect.stringMatching(/^session_key=; Max-Age=0/)] } })
    expect(await ada.get('/api/console/me')).toMatchObject({ status: 401, body: { code: 401 } })
  })

  test('refusals say what is wrong, and not more', async () => {
    await using db = await open()
    await using site = await startConsole(db)
    const wrong = { status: 401, body: { msg: 'e-mail or password is wrong' } }

    expect(await site.post('/api/console/sign-in', { email: 'ada@example.com', password: 'wrong' })).toMatchObject(wrong)
    expect(await site.post('/api/console/sign-in', { email: 'nobody@example.com', password: 'wrong' })).toMatchObject(wrong)
    expect(await site.post('/api/console/sign-in', { email: 'ada@example.com' })).toMatchObject({
      status: 422,
      body: { msg: 'password is required' },
    })
    expect(await site.post('/api/console/sign-in', { email: 'ada', password: 'wrong' })).toMatchObject({ status: 422 })
    expect(await site.post('/api/console/sign-in', { email: ['ada@example.com'], password: 'wrong' })).toMatchObject({ status: 422 })
    expect(await site.post('/api/console/sign-up', { email: 'new@example.com', password: PASSWORD })).toMatchObject({ status: 403 })
    expect(await site.get('/api/console/me')).toMatchObject({ status: 401, body: { msg: 'missing session_key in cookie' } })
  })

  test('after five wrong passwords: 429, and when to come back', async () => {
    await using db = await open()
    await using site = await startConsole(db)
    const attempt = (password: string) => site.post('/api/console/sign-in', { email: 'ada@example.com', password })
    for (let time = 0; time < 5; time++) expect(await attempt('wrong')).toMatchObject({ status: 401 })

    const refused = await attempt(PASSWORD)
    expect(refused.status).toBe(429)
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(890)
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(900)
  })

  test('sign up where it is allowed, change the password', async () => {
    await using db = await open()
    await using site = await startConsole(db, { allowSignup: true })
    const signedUp = await site.post('/api/console/sign-up', { email: 'cleo@example.com', password: PASSWORD, name: 'Cleo', role: 'admin' })
    expect(signedUp).toMatchObject({ status: 200, body: { data: { name: 'Cleo', role: 'user' } } })

    const [here, elsewhere] = [await site.signIn('cleo'), await site.signIn('cleo')]
    const changed = await here.post('/api/console/change-password', { current_password: PASSWORD, new_password: 'battery staple' })
    expect(changed).toMatchObject({ status: 200, headers: { 'set-cookie': [expect.stringMatching(/^session_key=.+; Max-Age=2592000/)] } })
    expect(await elsewhere.get('/api/console/me')).toMatchObject({ status: 401 })
  })

  test('what the console must know to begin: whether there is anybody, and who asks', async () => {
    await using db = await open()
    await using site = await startConsole(db, { allowSignup: true })
    const nobody = { has_users: true, user: null, may_sign_up: true, version: '1.2.3', base_url: 'http://127.0.0.1:8888' }
    expect(await site.get('/api/console/state')).toMatchObject({ status: 200, body: { data: nobody } })
    expect((await site.send({ method: 'GET', url: '/api/console/state', headers: { cookie: 'session_key=made-up' } })).body.data).toEqual(
      nobody,
    )

    const ada = await site.signIn('ada')
    expect((await ada.get('/api/console/state')).body.data).toEqual({
      ...nobody,
      user: { id: '1', email: 'ada@example.com', name: 'ada', role: 'user' },
    })
  })

  test('whoever comes first to an installation without users becomes its administrator, nobody after that', async () => {
    await using db = await open()
    await using site = await startConsole(db, { users: [] })
    expect((await site.get('/api/console/state')).body.data).toMatchObject({ has_users: false, user: null })

    const setUp = (email: string, password = PASSWORD) => site.post('/api/console/set-up', { email, password })
    expect(await setUp('ada@example.com', 'short')).toMatchObject({ status: 422, body: { msg: 'password: must have 8 to 128 characters' } })
    const first = await setUp('ada@example.com')
    expect(first).toMatchObject({
      status: 200,
      body: { data: { email: 'ada@example.com', role: 'admin' } },
      headers: { 'set-cookie': [expect.stringMatching(/^session_key=.+/)] },
    })
    expect(await setUp('eve@example.com')).toMatchObject({ status: 409, body: { msg: 'there is an administrator already: sign in' } })
    expect((await site.get('/api/console/state')).body.data).toMatchObject({ has_users: true })
  })

  test('pages of other sites cannot act for a visitor', async () => {
    await using db = await open()
    await using site = await startConsole(db)
    const ada = await site.signIn('ada')
    const create = (headers: Record<string, string>) =>
      ada.post(`${PAT}/create_personal_access_token_and_permission`, { name: 'key' }, headers)
    const form = { 'content-type': 'text/plain', origin: 'https://evil.example.com' }

    expect(await create({ 'sec-fetch-site': 'cross-site' })).toMatchObject({ status: 403 })
    expect(await create({ 'sec-fetch-site': 'same-site' })).toMatchObject({ status: 403 })
    expect(await ada.send({ method: 'POST', url: '/api/console/sign-out', headers: form, payload: '{}' })).toMatchObject({ status: 403 })
    expect(await ada.send({ method: 'POST', url: '/api/console/sign-out', headers: { origin: 'https://evil.example.com' } })).toMatchObject(
      { status: 403 },
    )
    expect(await create({ 'sec-fetch-site': 'same-origin' })).toMatchObject({ status: 200 })
    expect(await create({ origin: 'http://192.168.0.7:8888' })).toMatchObject({ status: 200 })
    expect(await create({})).toMatchObject({ status: 200 })
    const byConsole = { origin: 'http://192.168.0.7:8888', 'x-console': '1' }
    expect(await ada.send({ method: 'POST', url: '/api/console/sign-out', headers: byConsole })).toMatchObject({ status: 200 })
  })
})

describe.each(testDatabases())('API keys over HTTP on $name', ({ open }) => {
  test('a new key is answered in the guide’s words and in Coze’s', async () => {
    await using db = await open()
    await using site = await startConsole(db)
    const ada = await site.signIn('ada')

    const { status, headers, body } = await ada.post(`${PAT}/create_personal_access_token_and_permission`, {
      name: 'My API Key',
      expire: 7_776_000_000,
    })
    expect(status).toBe(200)
    expect(body).toEqual({
      code: 0,
      msg: '',
      data: {
        personal_access_token: {
          id: '1',
          name: 'My API Key',
          created_at: NOW / 1000,
          updated_at: 0,
          last_used_at: 0,
          expire_at: (NOW + 90 * DAY_MS) / 1000,
        },
        token: body.api_key,
      },
      id: 1,
      name: 'My API Key',
      api_key: expect.stringMatching(/^pat_[0-9A-Za-z]{49}$/),
      user_id: 1,
      expired_at: NOW + 90 * DAY_MS,
      created_at: NOW,
      last_used_at: 0,
      detail: { logid: headers['x-tt-logid'] },
    })
    expect(await site.gate.authenticate(body.api_key)).toEqual({ userId: '1', keyId: '1' })
  })

  test('its end can be said in the guide’s way and in Coze’s', async () => {
    await using db = await open()
    await using site = await startConsole(db)
    const ada = await site.signIn('ada')
    const expiredAt = async (expiry: object) => {
      const { status, body } = await ada.post(`${PAT}/create_personal_access_token_and_permission`, { name: 'key', ...expiry })
      return status === 200 ? body.expired_at : body.msg
    }

    expect(await expiredAt({})).toBe(0)
    expect(await expiredAt({ expire: 0 })).toBe(0)
    expect(await expiredAt({ expire: null, duration_day: null })).toBe(0)
    expect(await expiredAt({ expire: String(NOW + 5) })).toBe(NOW + 5)
    expect(await expiredAt({ duration_day: '30', expire_at: 0, organization_id: '1' })).toBe(NOW + 30 * DAY_MS)
    expect(await expiredAt({ duration_day: 'customize', expire_at: NOW / 1000 + 60 })).toBe(NOW + 60_000)
    expect(await expiredAt({ expire: -1 })).toMatch(/^expire: must be/)
    expect(await expiredAt({ expire: 'soon' })).toBe('expire: must be a number')
    expect(await expiredAt({ duration_day: 'customize', expire_at: 5 })).toBe('expire_at: is in the past')
  })

  test('lists are masked, in pages, in both shapes', async () => {
    await using db = await open()
    await using site = await startConsole(db)
    const ada = await site.signIn('ada')
    const made = []
    for (const name of ['one', 'two', 'three'])
      made.push((await ada.post(`${PAT}/create_personal_access_token_and_permission`, { name })).body)
    await site.gate.authenticate(made[2].api_key)
    await site.gate.flush()

    const { body } = await ada.get(`${PAT}/list_personal_access_tokens?page=1&size=2`)
    expect(body).toMatchObject({ code: 0, msg: '', has_more: true, total: 3, data: { has_more: true } })
    expect(body.api_keys).toEqual([
      {
        id: 3,
        name: 'three',
        api_key: `pat_****${String(made[2].api_key).slice(-4)}`,
        user_id: 1,
        expired_at: 0,
        created_at: NOW,
        last_used_at: NOW,
      },
      {
        id: 2,
        name: 'two',
        api_key: `pat_****${String(made[1].api_key).slice(-4)}`,
        user_id: 1,
        expired_at: 0,
        created_at: NOW,
        last_used_at: 0,
      },
    ])
    expect(body.data.personal_access_tokens[0]).toEqual({
      id: '3',
      name: 'three',
      created_at: NOW / 1000,
      updated_at: NOW / 1000,
      last_used_at: NOW / 1000,
      expire_at: -1,
      creator_name: '',
      creator_unique_name: '',
      creator_avatar_url: '',
      creator_icon_url: '',
      creator_status: '',
      locked: false,
    })
    expect(body.data.personal_access_tokens[1].last_used_at).toBe(-1)

    const rest = await ada.get(`${PAT}/list_personal_access_tokens?page=2&size=2`)
    expect(rest.body).toMatchObject({ api_keys: [{ id: 1 }], has_more: false, total: 3 })
    const preset = await ada.get(`${PAT}/list_personal_access_tokens?page=&size=`)
    expect(preset.body.api_keys).toHaveLength(3)
    for (const query of ['size=101', 'size=0', 'page=0', 'page=x']) {
      expect(await ada.get(`${PAT}/list_personal_access_tokens?${query}`), query).toMatchObject({ status: 422 })
    }
  })

  test('read, rename, prolong, delete, with ids as numbers or digits', async () => {
    await using db = await open()
    await using site = await startConsole(db)
    const ada = await site.signIn('ada')
    const { body: made } = await ada.post(`${PAT}/create_personal_access_token_and_permission`, { name: 'old', expire: 1000 })

    const update = (change: object) => ada.post(`${PAT}/update_personal_access_token_and_permission`, change)
    expect(await update({ id: 1, name: 'new' })).toMatchObject({ status: 200, body: { code: 0, msg: '' } })
    expect(await update({ id: '1', expire: 0 })).toMatchObject({ status: 200 })
    expect(await update({ name: 'new' })).toMatchObject({ status: 422, body: { msg: 'id is required' } })
    const { body: read } = await ada.get(`${PAT}/get_personal_access_token_and_permission?id=1`)
    expect(read).toMatchObject({
      id: 1,
      name: 'new',
      expired_at: 0,
      api_key: expect.stringMatching(/^pat_\*{4}.{4}$/),
      data: { personal_access_token: { id: '1', name: 'new' } },
    })

    const remove = () => ada.post(`${PAT}/delete_personal_access_token_and_permission`, { id: '1' })
    expect(await remove()).toMatchObject({ status: 200, body: { code: 0 } })
    expect(await remove()).toMatchObject({ status: 404 })
    await expect((async () => site.gate.authenticate(made.api_key))()).rejects.toThrow('api key deleted')
  })

  test('are nobody else’s business', async () => {
    await using db = await open()
    await using site = await startConsole(db)
    const [ada, bob] = [await site.signIn('ada'), await site.signIn('bob')]
    await ada.post(`${PAT}/create_personal_access_token_and_permission`, { name: 'of ada' })

    expect((await bob.get(`${PAT}/list_personal_access_tokens`)).body).toMatchObject({ api_keys: [], has_more: false, total: 0 })
    expect(await bob.get(`${PAT}/get_personal_access_token_and_permission?id=1`)).toMatchObject({ status: 404 })
    expect(await bob.post(`${PAT}/update_personal_access_token_and_permission`, { id: 1, name: 'mine' })).toMatchObject({ status: 404 })
    expect(await bob.post(`${PAT}/delete_personal_access_token_and_permission`, { id: 1 })).toMatchObject({ status: 404 })

    expect(await site.get(`${PAT}/list_personal_access_tokens`)).toMatchObject({ status: 401 })
    expect(await site.post(`${PAT}/create_personal_access_token_and_permission`, { name: 'nobody' })).toMatchObject({ status: 401 })
  })
})
