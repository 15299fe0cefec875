import { describe, expect, test } from 'vitest'
import { ACTIONS } from '../../src/accounts/key-policy.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { callPat, changeKey, makeLimitedKey, readKey } from '../support/limited-keys.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { startTestApp, useTestApp } from '../support/test-app.ts'
import type { Json, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

const ME = '/v1/users/me'
const FULL = {
  actions: ['chat', 'read'],
  bot_ids: ['123456'],
  workflow_ids: [],
  allowed_cidrs: ['127.0.0.0/8', '2001:db8::/32'],
  requests_per_minute: 60,
  concurrent_runs: 5,
  tokens_per_day: 1_000,
  tokens_per_month: 20_000,
}

describe.each(testDatabases())('what a key may do, on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  describe('is kept', () => keeps(app))
  describe('refuses a policy that is none', () => refusesPolicies(app))
  describe('actions', () => limitsActions(app))
  describe('addresses', () => limitsAddresses(app))
  describe('disabled keys', () => disables(app))

  keepsItsSecrets(app)
})

function keeps(app: TestApp): void {
  test('as it was given, in create, get and list', async () => {
    const { keyId } = await makeLimitedKey(app, {
      ...{ actions: ['read', 'chat', 'read'], bot_ids: [123456, '123456'], workflow_ids: [], requests_per_minute: 60, concurrent_runs: 5 },
      ...{ allowed_cidrs: ['127.1.2.3/8', '2001:DB8::1/32'], tokens_per_day: 1_000, tokens_per_month: 20_000 },
    })
    expect((await readKey(app, keyId)).policy).toEqual(FULL)

    const { body } = await callPat(app, { method: 'GET', path: 'list_personal_access_tokens' })
    expect(body.api_keys[0]).toMatchObject({ id: Number(keyId), policy: FULL })
    expect(body.data.personal_access_tokens[0]).toMatchObject({ id: keyId, policy: FULL })
  })

  test('until another is given; null takes every limit away', async () => {
    const { keyId } = await makeLimitedKey(app, { actions: ['chat'] })
    await changeKey(app, keyId, { name: 'renamed' })
    expect(await readKey(app, keyId)).toMatchObject({ name: 'renamed', policy: { actions: ['chat'] } })
    await changeKey(app, keyId, { policy: { bot_ids: [] } })
    expect((await readKey(app, keyId)).policy).toEqual({ bot_ids: [] })
    await changeKey(app, keyId, { policy: null })
    expect(await readKey(app, keyId)).not.toHaveProperty('policy')
  })

  test('a policy without limits is none', async () => {
    const { keyId } = await makeLimitedKey(app, { actions: null })
    expect(await readKey(app, keyId)).not.toHaveProperty('policy')
  })
}

function refusesPolicies(app: TestApp): void {
  test.each<[object, RegExp]>([
    [{ actions: [] }, /^policy\.actions: must be a list of one or more of chat, read, files, workflows, manage$/],
    [{ actions: ['fly'] }, /^policy\.actions\.0: must be a list of one or more of chat/],
    [{ actions: 'chat' }, /^policy\.actions: must be a list/],
    [{ bot_ids: ['x'] }, /^policy\.bot_ids\.0: must be a positive whole number/],
    [{ workflow_ids: Array(501).fill('1') }, /^policy\.workflow_ids: must be a list of at most 500 ids$/],
    [{ allowed_cidrs: [] }, /^policy\.allowed_cidrs: must be a list of 1 to 100 addresses/],
    [{ allowed_cidrs: ['10.0.0.0/33'] }, /^policy\.allowed_cidrs\.0: must be an address or a range such as/],
    [{ allowed_cidrs: ['localhost'] }, /^policy\.allowed_cidrs\.0: must be an address or a range such as/],
    [{ requests_per_minute: 0 }, /^policy\.requests_per_minute: must be a whole number from 1 to 1000000$/],
    [{ concurrent_runs: 1.5 }, /^policy\.concurrent_runs: must be a whole number from 1 to 10000$/],
    [{ tokens_per_day: '9' }, /^policy\.tokens_per_day: must be a whole number from 1/],
    [{ tokens_per_month: -1 }, /^policy\.tokens_per_month: must be a whole number from 1/],
    [{ rate: 5 }, /^policy: rate: there is no such field in a policy$/],
  ])('%j', async (policy, message) => {
    const before = (await callPat(app, { method: 'GET', path: 'list_personal_access_tokens' })).body.total
    const made = await callPat(app, { path: 'create_personal_access_token_and_permission', body: { name: 'x', policy } })
    expectRefusal(made, { status: 422, message })
    expect((await callPat(app, { method: 'GET', path: 'list_personal_access_tokens' })).body.total).toBe(before)
  })

  test.each([['nothing'], [5]])('%j', async (policy) => {
    const body = { name: 'x', policy }
    expectRefusal(await callPat(app, { path: 'create_personal_access_token_and_permission', body }), {
      status: 422,
      message: /^policy: must be an object$/,
    })
  })
}

/** Every route that takes a key, with the actions of which it wants one; none: any key will do. */
async function routesOf(app: TestApp): Promise<{ method: string; path: string; actions: string[] }[]> {
  const { paths } = (await app.call('GET', '/openapi.json')).body
  return Object.entries<Json>(paths).flatMap(([path, methods]) =>
    Object.entries<Json>(methods).flatMap(([method, { security }]) => {
      const keys = (security as Json[]).filter((each) => each.apiKey)
      const address = path.replaceAll(/\{[^}]+\}/g, '999999')
      return keys.length === 0
        ? []
        : [{ method: method.toUpperCase(), path: address, actions: keys.flatMap(({ apiKey }) => apiKey as string[]) }]
    }),
  )
}

function limitsActions(app: TestApp): void {
  test('a key has no route but those of its actions', async () => {
    const keys = new Map<string, string>()
    for (const action of ACTIONS) keys.set(action, (await makeLimitedKey(app, { actions: [action] })).apiKey)
    const routes = await routesOf(app)
    expect(routes.length).toBeGreaterThan(40)

    for (const { method, path, actions } of routes) {
      for (const [action, apiKey] of keys) {
        const isAllowed = actions.length === 0 || actions.includes(action)
        const { status, body } = await app.call(method, path, method === 'GET' ? undefined : {}, { apiKey })
        expect.soft(status === 403, `${method} ${path} with ${action}: ${status}`).toBe(!isAllowed)
        if (isAllowed) continue
        const wanted = `it needs the action ${actions.join(' or ')}, and its actions are: ${action}`
        expect.soft(body.message ?? body.error?.message).toBe(`this api key may not do this: ${wanted}`)
      }
    }
  })

  test('a file that is named in a chat needs the action files', async () => {
    const form = new FormData()
    form.append('file', new Blob(['secret plans']), 'plans.txt')
    const fileId = (await app.call('POST', '/v1/files/upload', form)).body.data.id
    const content = JSON.stringify([{ type: 'file', file_id: fileId }])
    const body = { bot_id: 123456, additional_messages: [{ role: 'user', content, content_type: 'object_string' }] }
    const { apiKey } = await makeLimitedKey(app, { actions: ['chat'] })

    expectRefusal(await app.call('POST', '/v3/chat', body, { apiKey }), { status: 403, message: /it needs the action files/ })
    const both = await makeLimitedKey(app, { actions: ['chat', 'files'] })
    expect((await app.call('POST', '/v3/chat', body, both)).status).toBe(200)
  })
}

function limitsAddresses(app: TestApp): void {
  test('a key opens nothing from elsewhere, and is not counted as used', async () => {
    const { keyId, apiKey } = await makeLimitedKey(app, { allowed_cidrs: ['10.0.0.0/8', '::1'] })
    expectRefusal(await app.call('GET', ME, undefined, { apiKey }), { status: 403, message: 'this api key may not be used from 127.0.0.1' })
    expect((await readKey(app, keyId)).last_used_at).toBe(0)

    await changeKey(app, keyId, { policy: { allowed_cidrs: ['127.0.0.1'] } })
    expect((await app.call('GET', ME, undefined, { apiKey })).status).toBe(200)
  })

  test('without TRUST_PROXY nobody says where they are from', async () => {
    const { apiKey } = await makeLimitedKey(app, { allowed_cidrs: ['10.0.0.0/8'] })
    const headers = { 'x-forwarded-for': '10.1.2.3' }
    expect((await app.call('GET', ME, undefined, { apiKey, headers })).status).toBe(403)
  })
}

test('behind a proxy that is trusted the address is the one that it names', async () => {
  await using app = await startTestApp({ env: { TRUST_PROXY: '127.0.0.1' } })
  const { apiKey } = await makeLimitedKey(app, { allowed_cidrs: ['10.0.0.0/8', '2001:db8::/32'] })
  const statusFrom = async (forwarded: string) =>
    (await app.call('GET', ME, undefined, { apiKey, headers: { 'x-forwarded-for': forwarded } })).status

  expect(await statusFrom('10.1.2.3')).toBe(200)
  expect(await statusFrom('2001:db8::7')).toBe(200)
  expect(await statusFrom('::ffff:10.1.2.3')).toBe(200)
  expect(await statusFrom('11.1.2.3')).toBe(403)
  // what the client says of itself stands before what the proxy says
  expect(await statusFrom('10.1.2.3, 11.1.2.3')).toBe(403)
  expect(await statusFrom('nonsense')).toBe(403)
  expect((await app.call('GET', ME, undefined, { apiKey })).status).toBe(403)
})

function disables(app: TestApp): void {
  test('a disabled key opens nothing until it is enabled', async () => {
    const { keyId, apiKey } = await makeLimitedKey(app, undefined)
    expect((await app.call('GET', ME, undefined, { apiKey })).status).toBe(200)

    expect((await changeKey(app, keyId, { disabled: true })).status).toBe(200)
    expectRefusal(await app.call('GET', ME, undefined, { apiKey }), { status: 401, message: 'api key disabled' })
    expect((await readKey(app, keyId)).disabled).toBe(true)

    await changeKey(app, keyId, { disabled: false })
    expect((await app.call('GET', ME, undefined, { apiKey })).status).toBe(200)
    expect(await readKey(app, keyId)).not.toHaveProperty('disabled')
  })

  test.each([['yes'], [1]])('disabled: %j is refused', async (disabled) => {
    const { keyId } = await makeLimitedKey(app, undefined)
    expectRefusal(await changeKey(app, keyId, { disabled }), { status: 422, message: 'disabled: must be true or false' })
  })
}
