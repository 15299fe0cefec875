import { describe, expect, test } from 'vitest'
import type { PolicyWire } from '../../src/http/console/key-policy-wire.ts'
import { says } from '../support/fake-provider.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { changeKey, makeLimitedKey } from '../support/limited-keys.ts'
import type { LimitedKey } from '../support/limited-keys.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { useTestApp } from '../support/test-app.ts'
import type { Json, Reply, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

const NOT_FOUND = { status: 404, message: 'api key not found' }
const SECRET = /^pat_[0-9A-Za-z]{49}$/

describe.each(testDatabases())('keys that keys make, on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  describe('works', () => keepsKeys(app))
  describe('refuses', () => refuses(app))
  describe('usage', () => tellsUsage(app))

  keepsItsSecrets(app)
})

async function make(app: TestApp, maker: Pick<LimitedKey, 'apiKey'>, body: object): Promise<Reply> {
  const reply = await app.call('POST', '/v1/api_keys', body, { apiKey: maker.apiKey })
  if (reply.status === 200) app.secrets.set(`API key ${reply.body.data.id}`, reply.body.data.api_key)
  return reply
}

const MAKER: PolicyWire = {
  ...{ actions: ['chat', 'read', 'manage'], bot_ids: ['123456'], workflow_ids: [], allowed_cidrs: ['127.0.0.0/8'] },
  ...{ requests_per_minute: 100, concurrent_runs: 5, tokens_per_day: 1_000, tokens_per_month: 9_000 },
}

function keepsKeys(app: TestApp): void {
  test('made, read, changed, disabled, rotated and deleted', async () => {
    const maker = await makeLimitedKey(app, { actions: ['manage', 'chat'], requests_per_minute: 1_000 })
    const { body } = await make(app, maker, { name: ' Customer 42 ', policy: { actions: ['chat'], requests_per_minute: 60 } })
    const { api_key: secret, ...shown } = body.data
    expect(secret).toMatch(SECRET)
    expect(shown).toMatchObject({ name: 'Customer 42', masked_key: `pat_****${secret.slice(-4)}`, made_by: maker.keyId, disabled: false })
    expect(shown.policy).toEqual({ actions: ['chat'], requests_per_minute: 60 })
    const path = `/v1/api_keys/${shown.id}`
    expect((await app.call('GET', path, undefined, maker)).body.data).toEqual(shown)

    const changed = await app.call(
      'PATCH',
      path,
      { name: 'Customer 43', policy: { actions: ['chat'], requests_per_minute: 5 }, disabled: true },
      maker,
    )
    expect(changed.body.data).toMatchObject({ name: 'Customer 43', policy: { requests_per_minute: 5 }, disabled: true })
    const chat = (apiKey: string) => app.call('POST', '/v3/chat', { bot_id: 123456, query: 'hi' }, { apiKey })
    expectRefusal(await chat(secret), { status: 401, message: 'api key disabled' })
    await app.call('PATCH', path, { disabled: false }, maker)
    expect((await chat(secret)).status).toBe(200)

    const rotated = (await app.call('POST', `${path}/rotate`, { overlap_seconds: 60 }, maker)).body.data
    app.secrets.set('rotated key of the API', rotated.api_key)
    expect(rotated).toMatchObject({ id: shown.id, policy: { requests_per_minute: 5 }, old_secrets: [{ last4: secret.slice(-4) }] })
    expect([(await chat(secret)).status, (await chat(rotated.api_key)).status]).toEqual([200, 200])

    expect((await app.call('DELETE', path, undefined, maker)).status).toBe(200)
    expectRefusal(await chat(rotated.api_key), { status: 401, message: 'api key deleted' })
    expectRefusal(await app.call('GET', path, undefined, maker), NOT_FOUND)
  })

  test('what is not asked for is what the maker has', async () => {
    const maker = await makeLimitedKey(app, MAKER)
    expect((await make(app, maker, { name: 'same' })).body.data.policy).toEqual(MAKER)
    const narrow = { actions: ['read'], bot_ids: [], requests_per_minute: 1 }
    expect((await make(app, maker, { name: 'narrow', policy: narrow })).body.data.policy).toEqual({ ...MAKER, ...narrow })
  })

  test('a key without limits keeps all keys of its owner, one with limits itself and its own', async () => {
    const user = await app.makeUser()
    const listed = async (apiKey: string) => (await app.call('GET', '/v1/api_keys', undefined, { apiKey })).body.data
    const free = (await make(app, user, { name: 'free' })).body.data
    const maker = (await make(app, user, { name: 'maker', policy: { actions: ['manage'] } })).body.data
    const own = (await make(app, { apiKey: maker.api_key }, { name: 'own' })).body.data

    expect((await listed(user.apiKey)).items.map(({ id }: Json) => id)).toEqual([own.id, maker.id, free.id, user.keyId])
    expect(await listed(maker.api_key)).toMatchObject({ items: [{ id: own.id }], total: 1, has_more: false })
    expectRefusal(await app.call('GET', `/v1/api_keys/${free.id}`, undefined, { apiKey: maker.api_key }), NOT_FOUND)
    expect((await app.call('GET', `/v1/api_keys/${maker.id}`, undefined, { apiKey: maker.api_key })).status).toBe(200)
  })

  test('a key that has become narrower no longer reaches what it made before', async () => {
    const maker = await makeLimitedKey(app, { actions: ['manage', 'chat', 'read'] })
    const { id } = (await make(app, maker, { name: 'wide' })).body.data
    await changeKey(app, maker.keyId, { policy: { actions: ['manage', 'chat'] } })
    expectRefusal(await app.call('POST', `/v1/api_keys/${id}/rotate`, {}, maker), NOT_FOUND)
  })
}

function refuses(app: TestApp): void {
  test.each<[object, string]>([
    [{ actions: ['files'] }, 'actions'],
    [{ bot_ids: ['123456', '7'] }, 'bot_ids'],
    [{ workflow_ids: ['7'] }, 'workflow_ids'],
    [{ allowed_cidrs: ['0.0.0.0/0'] }, 'allowed_cidrs'],
    [{ requests_per_minute: 101 }, 'requests_per_minute'],
    [{ concurrent_runs: 6 }, 'concurrent_runs'],
    [{ tokens_per_day: 1_001 }, 'tokens_per_day'],
    [{ tokens_per_month: 9_001 }, 'tokens_per_month'],
  ])('more power than the maker has: %j', async (policy, field) => {
    const maker = await makeLimitedKey(app, MAKER)
    const refusal = { status: 403, message: `policy.${field}: a key gives no more than it has itself` }
    expectRefusal(await make(app, maker, { name: 'strong', policy }), refusal)
    const own = (await make(app, maker, { name: 'own' })).body.data
    expectRefusal(await app.call('PATCH', `/v1/api_keys/${own.id}`, { policy }, maker), refusal)
    expectRefusal(await app.call('PATCH', `/v1/api_keys/${maker.keyId}`, { policy }, maker), refusal)
    await app.call('PATCH', `/v1/api_keys/${own.id}`, { policy: null }, maker)
    expect((await app.call('GET', `/v1/api_keys/${own.id}`, undefined, maker)).body.data.policy).toEqual(MAKER)
  })

  test('a life longer than the maker’s', async () => {
    const { keyId, apiKey } = await app.makeKey(app.userId, 3_600_000)
    const refusal = { status: 403, message: 'expires_at: a key makes none that lasts longer than it does itself' }
    const later = Math.floor(Date.now() / 1000) + 7_200
    for (const expires_at of [0, later]) expectRefusal(await make(app, { apiKey }, { name: 'x', expires_at }), refusal)
    const { data } = (await make(app, { apiKey }, { name: 'x' })).body
    expect(data.expires_at).toBe((await app.call('GET', `/v1/api_keys/${keyId}`, undefined, { apiKey })).body.data.expires_at)
    expectRefusal(await app.call('PATCH', `/v1/api_keys/${data.id}`, { expires_at: later }, { apiKey }), refusal)
    // the first key of the user never ends: this one does not reach it
    const first = (await app.call('GET', '/v1/api_keys?page_size=100')).body.data.items.at(-1)
    expectRefusal(await app.call('POST', `/v1/api_keys/${first.id}/rotate`, {}, { apiKey }), NOT_FOUND)
  })

  test.each<[object, RegExp]>([
    [{}, /^name is required$/],
    [{ name: '  ' }, /^name: must have 1 to 255 characters$/],
    [{ name: 'x', expires_at: -1 }, /^expires_at: must be a time in Unix seconds/],
    [{ name: 'x', expires_at: 5 }, /^expire_at: is in the past$/],
    [{ name: 'x', policy: { actions: [] } }, /^policy\.actions: must be a list/],
  ])('%j', async (body, message) => expectRefusal(await make(app, app, body), { status: 422, message }))

  test('a key without the action manage, and other users', async () => {
    const { apiKey } = await makeLimitedKey(app, { actions: ['chat', 'read', 'files', 'workflows'] })
    expectRefusal(await make(app, { apiKey }, { name: 'x' }), { status: 403, message: /it needs the action manage/ })
    const stranger = await app.makeUser()
    const { keyId } = await makeLimitedKey(app, undefined)
    for (const [method, path] of [
      ['GET', ''],
      ['PATCH', ''],
      ['DELETE', ''],
      ['POST', '/rotate'],
    ] as const)
      expectRefusal(await app.call(method, `/v1/api_keys/${keyId}${path}`, method === 'GET' ? undefined : {}, stranger), NOT_FOUND)
  })
}

function tellsUsage(app: TestApp): void {
  test('by key, bot and day, of the bots that the key may use', async () => {
    app.provider.script = says('done')
    const user = await app.makeUser()
    const [one, other] = [await app.makeBot(user.userId), await app.makeBot(user.userId)]
    for (const bot of [one, one, other]) await app.call('POST', '/v3/chat', { bot_id: bot, query: 'hi' }, user)
    const now = Math.floor(Date.now() / 1000)
    const usage = async (apiKey: string, group: string) =>
      (await app.call('GET', `/v1/usage?from=${now - 3_600}&to=${now + 3_600}&group=${group}`, undefined, { apiKey })).body.data

    const bots = await usage(user.apiKey, 'bot')
    expect(bots.items.map(({ id, calls }: Json) => [id, calls])).toEqual([
      [one, 2],
      [other, 1],
    ])
    expect(bots.total).toMatchObject({ calls: 3, errors: 0 })
    expect(bots.total.output_tokens).toBeGreaterThan(0)
    expect((await usage(user.apiKey, 'key')).items).toMatchObject([{ id: user.keyId, name: 'test', calls: 3 }])
    const days = (await usage(user.apiKey, 'day')).items
    expect(days.reduce((sum: number, { calls }: Json) => sum + Number(calls), 0)).toBe(3)
    expect(days.at(-1).id).toMatch(/^\d{4}-\d\d-\d\d$/)

    const { api_key: apiKey } = (await make(app, user, { name: 'one', policy: { actions: ['read'], bot_ids: [one] } })).body.data
    expect((await usage(apiKey, 'bot')).items).toMatchObject([{ id: one, calls: 2 }])
    expect((await usage(apiKey, 'day')).total.calls).toBe(2)
  })

  test.each([
    ['', /^from is required$/],
    ['?from=5&to=4', /^to: must be later than from$/],
    ['?from=x&to=4', /^from: must be a time in Unix seconds$/],
    ['?from=1&to=4&group=year', /^group: must be key, bot, workflow or day$/],
    ['?from=1&to=99999999', /^the range is too long/],
  ])('%s is refused', async (query, message) => expectRefusal(await app.call('GET', `/v1/usage${query}`), { status: 422, message }))
}
