import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { md5Of } from '../../src/accounts/api-key-secret.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { callPat, makeLimitedKey, readKey } from '../support/limited-keys.ts'
import { startSecondNode } from '../support/second-node.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { startTestApp, useTestApp } from '../support/test-app.ts'
import type { Reply, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

/** Promise 10: during the overlap of a rotation the old and the new secret work, after it only the new one. The key stays the same. */

const REPLACED = { status: 401, message: 'api key rotated: this secret was replaced by a new one' }

describe.each(testDatabases())('a rotation on $name', ({ name }) => {
  const time = { ahead: 0 }
  const app = useTestApp({ database: name, clock: () => Date.now() + time.ahead })
  const open = (apiKey: string) => app.call('GET', '/v1/users/me', undefined, { apiKey })

  test('both secrets work until the overlap is over, to the millisecond', async () => {
    const { keyId, apiKey: old } = await makeLimitedKey(app, { actions: ['chat'] })
    await app.core.db.insertInto('key_tokens').values({ key_id: keyId, day: 1, tokens: 77 }).execute()
    const { body } = await rotate(app, keyId, 3_600)
    const fresh = body.api_key

    expect(body).toMatchObject({ id: Number(keyId), name: 'limited', policy: { actions: ['chat'] } })
    expect(fresh).not.toBe(old)
    expect([(await open(old)).status, (await open(fresh)).status]).toEqual([200, 200])
    const [oldSecret] = (await readKey(app, keyId)).old_secrets
    time.ahead += oldSecret.valid_until - app.core.clock() - 500
    expect((await open(old)).status).toBe(200)

    time.ahead += 500
    expectRefusal(await open(old), REPLACED)
    expect((await open(fresh)).status).toBe(200)
    expect(await readKey(app, keyId)).not.toHaveProperty('old_secrets')
    // the key is the same, and so is what it has used
    const used = await app.core.db.selectFrom('key_tokens').selectAll().where('key_id', '=', keyId).execute()
    expect(used).toMatchObject([{ day: 1, tokens: 77 }])
  })

  test('without an overlap the old secret ends at once, and one that overlapped too', async () => {
    const { keyId, apiKey: first } = await makeLimitedKey(app, undefined)
    const second = (await rotate(app, keyId, 3_600)).body.api_key
    const third = (await rotate(app, keyId, 0)).body.api_key
    expectRefusal(await open(first), REPLACED)
    expectRefusal(await open(second), REPLACED)
    expect((await open(third)).status).toBe(200)
  })

  test('of several rotations each old secret has its own time', async () => {
    const { keyId, apiKey: first } = await makeLimitedKey(app, undefined)
    const second = (await rotate(app, keyId, 100)).body.api_key
    const third = (await rotate(app, keyId, 1_000)).body.api_key
    const shown = (await readKey(app, keyId)).old_secrets
    expect(shown.map((each: { last4: string }) => each.last4)).toEqual([second.slice(-4), first.slice(-4)])

    time.ahead += 101_000
    expectRefusal(await open(first), REPLACED)
    expect([(await open(second)).status, (await open(third)).status]).toEqual([200, 200])
  })

  test('when each old secret was last used can be seen', async () => {
    const { keyId, apiKey: old } = await makeLimitedKey(app, undefined)
    await open(old)
    const fresh = (await rotate(app, keyId, 3_600)).body.api_key
    time.ahead += 10_000
    const usedAt = app.core.clock()
    await open(old)
    time.ahead += 10_000
    await open(fresh)

    await expect.poll(async () => (await readKey(app, keyId)).last_used_at).toBeGreaterThanOrEqual(usedAt + 10_000)
    const [{ last_used_at: lastUsed }] = (await readKey(app, keyId)).old_secrets
    expect(lastUsed).toBeGreaterThanOrEqual(usedAt)
    expect(lastUsed).toBeLessThan(usedAt + 10_000)
  })

  test('of two rotations at once each secret that was handed out works', async () => {
    const { keyId } = await makeLimitedKey(app, undefined)
    const replies = await Promise.all([rotate(app, keyId, 60), rotate(app, keyId, 60), rotate(app, keyId, 60)])
    const secrets = replies.filter(({ status }) => status === 200).map(({ body }) => String(body.api_key))
    expect(secrets.length).toBeGreaterThan(0)
    for (const secret of secrets) expect((await open(secret)).status).toBe(200)
  })

  test('a key imported from Coze can be rotated', async () => {
    const old = `pat_${randomBytes(32).toString('hex')}`
    const row = { api_key: md5Of(old), name: 'imported', user_id: app.userId, expired_at: 0, created_at: 1, updated_at: 1 }
    const { insertId } = await app.core.db.insertInto('api_key').values(row).executeTakeFirstOrThrow()
    const fresh = (await rotate(app, String(insertId), 60)).body.api_key
    expect([(await open(old)).status, (await open(fresh)).status]).toEqual([200, 200])
    time.ahead += 60_000
    expectRefusal(await open(old), REPLACED)
  })

  test('a deleted key is closed under all its secrets', async () => {
    const { keyId, apiKey: old } = await makeLimitedKey(app, undefined)
    const fresh = (await rotate(app, keyId, 60)).body.api_key
    await callPat(app, { path: 'delete_personal_access_token_and_permission', body: { id: keyId } })
    for (const secret of [old, fresh]) expectRefusal(await open(secret), { status: 401, message: 'api key deleted' })
  })

  test.each([[-1], [1.5], [2_592_001], ['x'], [null]])('an overlap of %j is refused', async (seconds) => {
    const { keyId } = await makeLimitedKey(app, undefined)
    expectRefusal(await rotate(app, keyId, seconds), { status: 422, message: /^overlap_seconds: must be a/ })
  })

  test('another user’s key does not exist', async () => {
    const { email } = await app.makeUser()
    const { keyId } = await makeLimitedKey(app, undefined)
    const reply = await callPat(app, { path: 'rotate_personal_access_token', body: { id: keyId }, email })
    expectRefusal(reply, { status: 404, message: 'api key not found' })
  })

  keepsItsSecrets(app)
})

test('another node takes the new secret at once and drops the old one within a second', async () => {
  const [{ name } = { name: 'SQLite' as const }] = testDatabases().toReversed()
  if (name === 'SQLite') return
  await using app = await startTestApp({ database: name })
  await using second = await startSecondNode(app)
  const { keyId, apiKey: old } = await makeLimitedKey(app, undefined)
  const statusThere = async (apiKey: string) =>
    (await fetch(`${second.url}/v1/users/me`, { headers: { authorization: `Bearer ${apiKey}` } })).status
  expect(await statusThere(old)).toBe(200)

  const fresh = (await rotate(app, keyId, 0)).body.api_key
  expect(await statusThere(fresh)).toBe(200)
  await expect.poll(() => statusThere(old), { timeout: 2_000 }).toBe(401)
})

async function rotate(app: TestApp, keyId: string, overlapSeconds: unknown): Promise<Reply> {
  const reply = await callPat(app, { path: 'rotate_personal_access_token', body: { id: keyId, overlap_seconds: overlapSeconds } })
  if (reply.status === 200) app.secrets.set(`rotated key ${keyId} ${reply.body.api_key.slice(-4)}`, reply.body.api_key)
  return reply
}
