import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { webhookSecretOf } from '../../src/webhooks/webhook-signature.ts'
import { openAdminConsole, openConsole } from '../support/console-client.ts'
import { fails, says } from '../support/fake-provider.ts'
import { callPat, makeLimitedKey } from '../support/limited-keys.ts'
import { startPlainServer } from '../support/plain-server.ts'
import type { PlainServer } from '../support/plain-server.ts'
import { mcpTool, openapiTool } from '../support/plugin-house.ts'
import { startS3Server } from '../support/s3-server.ts'
import type { S3Server } from '../support/s3-server.ts'
import { findSecrets, keepsItsSecrets, readPlaces } from '../support/secret-search.ts'
import { PASSWORD, PROVIDER_KEY, startTestApp } from '../support/test-app.ts'
import type { TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'
import { askWithTool, runPlugin } from '../support/user-url-ways.ts'

/**
 * Promise 8: a dump of the database, the logs at their most talkative, the metrics and the bodies of errors hold no usable secret,
 * of any kind that there is, although each was used, well and badly, and others said it back.
 */

const TOOL_SECRET = 'Bearer the-header-of-an-agents-tool'
const PLUGIN_SECRET = 'the-header-of-a-plugin'
const METRICS_TOKEN = 'the-token-of-the-metrics'

describe.each(testDatabases())('on $name', ({ name }) => {
  let bucket: S3Server
  let talkative: PlainServer
  let app: TestApp
  beforeAll(async () => {
    bucket = await startS3Server()
    // says back what it was told, as careless services do in their errors
    talkative = await startPlainServer((request, response) => response.writeHead(403).end(`no: ${JSON.stringify(request.headers)}`))
    const { accessKeyId, secretAccessKey } = bucket.settings.credentials
    const s3 = { S3_BUCKET: bucket.settings.bucket, S3_REGION: bucket.settings.region, S3_ENDPOINT: bucket.settings.endpoint }
    const env = { ...s3, S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey, METRICS_TOKEN, LOG_LEVEL: 'trace' }
    app = await startTestApp({ database: name, env: { ...env, ALLOWED_PRIVATE_CIDRS: '127.0.0.1/32' } })
    app.secrets.set('S3 key', secretAccessKey).set('metrics token', METRICS_TOKEN)
    app.secrets.set('header of a tool', TOOL_SECRET).set('header of a plugin', PLUGIN_SECRET)
    app.secrets.set('webhook secret', webhookSecretOf(app.core.secrets, app.userId))
  })
  afterAll(async () => {
    await app[Symbol.asyncDispose]()
    await talkative.close()
    await bucket[Symbol.asyncDispose]()
  })

  test('keys: made, limited, rotated, sent in the wrong place, and cut short', async () => {
    const { keyId, apiKey: old } = await makeLimitedKey(app, { actions: ['read'] })
    const { body } = await callPat(app, { path: 'rotate_personal_access_token', body: { id: keyId, overlap_seconds: 60 } })
    app.secrets.set('rotated key', body.api_key)
    for (const secret of [old, body.api_key]) await sendEverywhere(app, secret)
    const wanted = { bot_id: '123456', user_id: 'u', origins: ['https://shop.example'] }
    const token = (await app.call('POST', '/v1/tokens', wanted)).body.data.token
    app.secrets.set('publishable token', token)
    await sendEverywhere(app, token)
  })

  test('accounts: passwords right, wrong and changed; sessions', async () => {
    const wrong = 'a-password-with-a-slip-of-the-finger'
    const next = 'the-password-after-that-one'
    app.secrets.set('mistyped password', wrong).set('next password', next)
    await app.call('POST', '/api/console/sign-in', { email: 'user1@example.com', password: wrong }, { apiKey: '' })
    await app.call('POST', '/api/console/sign-in', { email: wrong, password: { is: PASSWORD } }, { apiKey: '' })
    const { email } = await app.makeUser()
    const page = await openConsole(app, email)
    expect((await page.post('change-password', { current_password: wrong, new_password: next })).status).toBeGreaterThanOrEqual(400)
    expect((await page.post('change-password', { current_password: PASSWORD, new_password: next })).status).toBe(200)
    const admin = await openAdminConsole(app)
    expect((await admin.post('users', { email: 'user1@example.com', password: next, role: 'user' })).status).toBe(409)
  })

  test('models: a key that is changed, and a provider that says it back', async () => {
    const admin = await openAdminConsole(app)
    const model = { name: 'second', protocol: 'openai', base_url: app.provider.baseUrl, provider_model: 'fake' }
    const changed = 'sk-another-key-of-the-provider'
    app.secrets.set('changed model key', changed)
    expect((await admin.post('models', { ...model, api_key: changed })).status).toBe(200)
    for (const key of [PROVIDER_KEY, changed]) {
      app.provider.script = fails(401, { message: `Incorrect API key provided: ${key}. Authorization: Bearer ${key}` })
      await chat(app, { bot_id: 123456 })
      await admin.post('models/test', { ...model, api_key: key })
      const bot_id = await app.makeBot(app.userId, { config: { model: 'second' } })
      await chat(app, { bot_id })
    }
  })

  test('tools, plugins and webhooks that say back what they were told', async () => {
    const paths = { '/': { get: { operationId: 'look', responses: {} } } }
    const withHeader = (secret: string) => ({ headers: { Authorization: secret } })
    for (const make of [(more: object) => openapiTool(talkative.url, paths, more), (more: object) => mcpTool(talkative.url, more)]) {
      expect(await askWithTool(app, make(withHeader(TOOL_SECRET)))).not.toContain(TOOL_SECRET)
      expect(await runPlugin(app, make(withHeader(PLUGIN_SECRET)))).not.toContain(PLUGIN_SECRET)
    }
    const told = new Set(talkative.requests.map(({ headers }) => headers.authorization))
    expect(told).toEqual(new Set([TOOL_SECRET, PLUGIN_SECRET]))

    app.provider.script = says('so')
    await chat(app, { bot_id: await app.makeBot(app.userId, { config: { webhookUrl: talkative.url } }) })
    const isAttempted = async () => (await app.core.db.selectFrom('webhook_delivery').select('last_status').executeTakeFirst())?.last_status
    await expect.poll(isAttempted).toBe(403)
  })

  test('files: their links, and a bucket that refuses', async () => {
    const form = () => {
      const body = new FormData()
      body.append('file', new Blob(['text']), 'a.txt')
      return body
    }
    const link = new URL((await app.call('POST', '/v1/files/upload', form())).body.upload_url)
    app.secrets.set('signature of a file', link.pathname.split('/')[4] ?? '')
    expect((await fetch(new URL(link.pathname, app.url))).status).toBe(200)
    await app.call('GET', link.pathname.replace('/v1/files/', '/v1/files/9'))
    bucket.failure = { status: 403, code: 'SignatureDoesNotMatch' }
    expect((await app.call('POST', '/v1/files/upload', form())).status).toBe(503)
    bucket.failure = undefined
  })

  test('statements that fail', async () => {
    await app.core.db.schema.alterTable('message').renameTo('message_away').execute()
    expect((await chat(app, { bot_id: 123456 })).status).toBeGreaterThanOrEqual(500)
    await app.core.db.schema.alterTable('message_away').renameTo('message').execute()
    expect(app.logs.join('')).toMatch(/"level":50/)
  })

  test('what would be there would be found, in each place and spelling', async () => {
    const key = app.apiKey
    const hidden = { secrets: new Map([['a key', key]]) }
    const places = await readPlaces(app)
    for (const place of ['logs', 'metrics', 'refusals', 'database'] as const)
      for (const text of [key, Buffer.from(`x: ${key}`).toString('hex'), btoa(`Bearer ${key}`.slice(6)), encodeURIComponent(key)])
        expect(findSecrets(hidden, { ...places, [place]: `${places[place]} ${text}` })).toEqual([`a key in ${place}`])
  })

  // handed on as it is when the test runs
  keepsItsSecrets(new Proxy({} as TestApp, { get: (_, field) => Reflect.get(app, field) as unknown }))
})

const chat = (app: TestApp, body: object) => app.call('POST', '/v3/chat', { query: 'hi', ...body })

/** In headers, query, path and body, as callers do who are mistaken. */
async function sendEverywhere(app: TestApp, secret: string): Promise<void> {
  const cut = secret.slice(0, -1)
  for (const apiKey of [secret, cut]) {
    await app.call('GET', '/v1/users/me', undefined, { apiKey })
    await app.call('POST', '/v3/chat', { bot_id: 123456, query: 'hi' }, { apiKey })
  }
  const headers = { 'x-api-key': secret, authorization: secret, cookie: `session=${secret}` }
  await app.call('GET', '/v1/users/me', undefined, { apiKey: '', headers })
  await app.call('GET', `/v1/bots/${secret}?api_key=${secret}`)
  await app.call('GET', `/nowhere/${secret}?token=${secret}`)
  await app.call('POST', '/v3/chat', { bot_id: secret, api_key: secret, query: 7 })
  await app.call('POST', '/v3/chat', `{"bot_id": ${secret}`)
}
