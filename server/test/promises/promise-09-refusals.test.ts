import { describe, expect, test } from 'vitest'
import { createKeySecret } from '../../src/accounts/api-key-secret.ts'
import { callPat, changeKey, makeLimitedKey } from '../support/limited-keys.ts'
import { startSecondNode } from '../support/second-node.ts'
import { startTestApp, useTestApp } from '../support/test-app.ts'
import type { TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

/** Promise 9: each reason to refuse a key has its own status and words; what is taken from a key ends here at once, elsewhere within a second. */

const CHAT = { bot_id: 123456, query: 'hi' }

describe.each(testDatabases())('a key is refused, on $name', ({ name }) => {
  const time = { ahead: 0 }
  const app = useTestApp({ database: name, clock: () => Date.now() + time.ahead })

  test('for each reason in its own words', async () => {
    const seen: string[] = []
    for (const [reason, { status, message, key }] of Object.entries(reasons)) {
      const apiKey = await key(app, time)
      const reply = await app.call('POST', '/v3/chat', CHAT, { apiKey })
      expect.soft([reply.status, reply.body.msg], reason).toEqual([status, expect.stringMatching(message)])
      seen.push(reply.body.msg)
    }
    expect(new Set(seen).size).toBe(seen.length)
  })
})

type Reason = { status: number; message: RegExp; key: (app: TestApp, time: { ahead: number }) => Promise<string> }

const limited =
  (policy: Parameters<typeof makeLimitedKey>[1], change?: object): Reason['key'] =>
  async (app) => {
    const { keyId, apiKey } = await makeLimitedKey(app, policy)
    if (change) await changeKey(app, keyId, change)
    return apiKey
  }

const reasons: Record<string, Reason> = {
  'made up': { status: 401, message: /^api key invalid$/, key: async () => createKeySecret() },
  disabled: { status: 401, message: /^api key disabled$/, key: limited(undefined, { disabled: true }) },
  deleted: {
    ...{ status: 401, message: /^api key deleted$/ },
    async key(app) {
      const { keyId, apiKey } = await makeLimitedKey(app, undefined)
      await callPat(app, { path: 'delete_personal_access_token_and_permission', body: { id: keyId } })
      return apiKey
    },
  },
  rotated: {
    ...{ status: 401, message: /^api key rotated/ },
    async key(app) {
      const { keyId, apiKey } = await makeLimitedKey(app, undefined)
      await callPat(app, { path: 'rotate_personal_access_token', body: { id: keyId } })
      return apiKey
    },
  },
  'wrong action': { status: 403, message: /needs the action chat, and its actions are: read$/, key: limited({ actions: ['read'] }) },
  'wrong address': { status: 403, message: /may not be used from 127\.0\.0\.1$/, key: limited({ allowed_cidrs: ['10.0.0.0/8'] }) },
  'another bot': { status: 404, message: /^bot not found or not published$/, key: limited({ bot_ids: ['7'] }) },
  'too often': {
    ...{ status: 429, message: /^requests_per_minute/ },
    async key(app) {
      const { apiKey } = await makeLimitedKey(app, { requests_per_minute: 1 })
      // a minute may begin between two calls, and not after each
      for (let call = 0; call < 3; call++) await app.call('GET', '/v1/users/me', undefined, { apiKey })
      return apiKey
    },
  },
  'without tokens': {
    ...{ status: 429, message: /^tokens_per_day/ },
    async key(app) {
      const { keyId, apiKey } = await makeLimitedKey(app, { tokens_per_day: 5 })
      const day = Math.floor(app.core.clock() / 86_400_000)
      await app.core.db.insertInto('key_tokens').values({ key_id: keyId, day, tokens: 5 }).execute()
      return apiKey
    },
  },
  // the last one: it takes the time with it
  expired: {
    ...{ status: 401, message: /^api key expired$/ },
    async key(app, time) {
      const { apiKey } = await app.makeKey(app.userId, 1_000)
      time.ahead += 1_000
      return apiKey
    },
  },
}

describe.each(testDatabases())('what is taken from a key ends within a second on another node, on $name', ({ name }) => {
  test.each<[string, object, number]>([
    ['disabled', { disabled: true }, 401],
    ['another action', { policy: { actions: ['files'] } }, 403],
    ['another address', { policy: { allowed_cidrs: ['10.0.0.0/8'] } }, 403],
    ['another bot', { policy: { bot_ids: [] } }, 404],
  ])('%s', async (_, change, status) => {
    await using app = await startTestApp({ database: name })
    await using second = await startSecondNode(app)
    const { keyId, apiKey } = await makeLimitedKey(app, undefined)
    const statusAt = async (url: string) =>
      (await fetch(`${url}/v1/bots/123456`, { headers: { authorization: `Bearer ${apiKey}` } })).status
    expect([await statusAt(app.url), await statusAt(second.url)]).toEqual([200, 200])

    await changeKey(app, keyId, change)
    expect(await statusAt(app.url)).toBe(status)
    await expect.poll(() => statusAt(second.url), { timeout: 3_000, interval: 20 }).toBe(status)
  })
})
