import Fastify from 'fastify'
import { describe, expect, test } from 'vitest'
import { verifyAuditLog } from '../audit/verify-audit-log.ts'
import { openAdminConsole, openConsole } from '../../test/support/console-client.ts'
import { PASSWORD, startTestApp, useTestApp } from '../../test/support/test-app.ts'
import type { Json, TestApp } from '../../test/support/test-app.ts'
import { testDatabases } from '../../test/support/test-databases.ts'
import { recordActions } from './audit-trail.ts'

const PAT = '/api/permission_api/pat'

/** Oldest first, without what signing in has left. */
async function actionsSince(app: TestApp, first: number): Promise<Json[]> {
  const admin = await openAdminConsole(app)
  const { items } = await admin.read('audit?size=100')
  return items.filter(({ id, action }: Json) => Number(id) > first && !action.startsWith('user.sign')).reverse()
}

async function lastEntry(app: TestApp): Promise<number> {
  const verdict = await verifyAuditLog(app.core)
  if (!verdict.isWhole) throw new Error(verdict.message)
  return verdict.entries
}

describe.each(testDatabases())('what is done over HTTP is recorded, on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  test('agents and workflows, from the first draft to the end', async () => {
    const ada = await openConsole(app)
    const first = await lastEntry(app)
    const agent = await ada.make('agents', { name: 'Mine' })
    const { draft } = agent
    await ada.save(`agents/${agent.id}/draft`, { draft: { ...draft, prompt: 'a secret recipe' }, revision: agent.revision })
    await ada.make(`agents/${agent.id}/publish`, { version: '1.2.3' })
    await ada.make(`agents/${agent.id}/roll-back`, { version: '1.2.3' })
    await ada.make(`agents/${agent.id}/unpublish`)
    await ada.delete(`agents/${agent.id}`, { name: 'Mine' })
    const workflow = await ada.make('workflows', { name: 'Mine, too' })
    await ada.make(`workflows/${workflow.id}/publish`)
    await ada.delete(`workflows/${workflow.id}`, { name: 'Mine, too' })

    const found = await actionsSince(app, first)
    const about = (id: string) => found.filter(({ target_id }) => target_id === id).map(({ action }) => action)
    expect(about(agent.id)).toEqual(['create', 'update', 'publish', 'roll_back', 'unpublish', 'delete'].map((each) => `agent.${each}`))
    expect(about(workflow.id)).toEqual(['workflow.create', 'workflow.publish', 'workflow.delete'])
    expect(found[2]).toMatchObject({
      actor_kind: 'session',
      actor_user_id: app.userId,
      actor_email: 'user1@example.com',
      address: '127.0.0.1',
      details: { version: '1.2.3' },
    })
    expect(JSON.stringify(found)).not.toContain('recipe')
  })

  test('keys, models and accounts, without their secrets', async () => {
    const admin = await openAdminConsole(app)
    const first = await lastEntry(app)
    const cookie = await app.signIn()
    const asAda = { apiKey: '', headers: { cookie } }
    const { body } = await app.call('POST', `${PAT}/create_personal_access_token_and_permission`, { name: 'ci' }, asAda)
    const { id } = body.data.personal_access_token
    await app.call('POST', `${PAT}/update_personal_access_token_and_permission`, { id, name: 'cd' }, asAda)
    await app.call('POST', `${PAT}/update_personal_access_token_and_permission`, { id, disabled: true }, asAda)
    await app.call('POST', `${PAT}/rotate_personal_access_token`, { id, overlap_seconds: 60 }, asAda)
    await app.call('POST', `${PAT}/delete_personal_access_token_and_permission`, { id }, asAda)
    const settings = { protocol: 'openai', base_url: app.provider.baseUrl, provider_model: 'fake', api_key: 'sk-not-for-the-log' }
    const model = await admin.make('models', { ...settings, name: 'second' })
    await admin.save(`models/${model.id}`, settings)
    await admin.delete(`models/${model.id}`, { name: 'second' })
    const user = await admin.make('users', { email: `bob-${app.port}@example.com`, password: PASSWORD })
    await admin.save(`users/${user.id}`, { role: 'admin' })
    await admin.make(`users/${user.id}/reset-password`, { new_password: `new-${PASSWORD}` })

    const found = await actionsSince(app, first)
    expect(found.map(({ action, target_id }) => `${action} ${target_id}`)).toEqual([
      ...[`key.create ${id}`, `key.update ${id}`, `key.update ${id}`, `key.rotate ${id}`, `key.delete ${id}`],
      ...[`model.create ${model.id}`, `model.update ${model.id}`, `model.delete ${model.id}`],
      ...[`user.create ${user.id}`, `user.update ${user.id}`, `user.reset_password ${user.id}`],
    ])
    expect(found.slice(1, 4).map(({ details }) => details)).toEqual([{ name: 'cd' }, { disabled: true }, { overlap_seconds: 60 }])
    const text = JSON.stringify(found)
    for (const secret of [body.data.token, PASSWORD, 'sk-not-for-the-log']) expect(text).not.toContain(secret)
  })

  test('what a key does, as done by that key', async () => {
    const first = await lastEntry(app)
    await app.call('POST', '/v1/bot/update', { bot_id: app.botId, description: 'what users wrote' })
    await app.call('POST', '/v1/bot/publish', { bot_id: app.botId, connector_ids: ['1024'] })
    const found = await actionsSince(app, first)
    expect(found.map(({ action, target_id }) => `${action} ${target_id}`)).toEqual([
      `agent.update ${app.botId}`,
      `agent.publish ${app.botId}`,
    ])
    expect(found[0]).toMatchObject({ actor_kind: 'key', actor_user_id: app.userId, key_id: expect.stringMatching(/^\d+$/), details: {} })
  })

  test('signing in and out, and trying to; what was refused otherwise is not', async () => {
    const first = await lastEntry(app)
    const signIn = (body: object) => app.call('POST', '/api/console/sign-in', body, { apiKey: '' })
    await signIn({ email: 'nobody@example.com', password: 'wrong' })
    await signIn({ email: `typed-here-${PASSWORD}`, password: 'wrong' })
    const ada = await openConsole(app)
    expect((await ada.get('agents/1')).status).toBe(404)
    expect((await ada.delete('agents/1', { name: 'x' })).status).toBe(404)
    await ada.post('sign-out')

    const admin = await openAdminConsole(app)
    const { items } = await admin.read('audit?action=user.&size=100')
    const found = items.filter(({ id }: Json) => Number(id) > first).reverse()
    const known = { actor_kind: 'session', address: '127.0.0.1' }
    expect(found.slice(0, 3)).toMatchObject([
      { ...known, action: 'user.sign_in_failed', actor_user_id: null, details: { email: 'nobody@example.com' } },
      { ...known, action: 'user.sign_in', actor_user_id: app.userId, target_id: app.userId },
      { ...known, action: 'user.sign_out', actor_user_id: app.userId },
    ])
    expect(JSON.stringify(items)).not.toContain(PASSWORD)
    expect((await admin.get('audit?action=Agent')).status).toBe(422)
    expect((await ada.get('audit')).status).toBe(401)
    expect((await (await openConsole(app)).get('audit')).status).toBe(403)
  })
})

describe.each(testDatabases())('where an action cannot be recorded, on $name', ({ name }) => {
  test('nobody is told that it is done, and nobody is signed in', async () => {
    await using app = await startTestApp({ database: name })
    const ada = await openConsole(app)
    await app.core.db.deleteFrom('audit_head').execute()

    const { status, text } = await ada.post('agents', { name: 'Mine' })
    expect(status, text).toBe(503)
    expect(text).toContain('could not be recorded')
    expect(app.logs.join('')).toContain('an action could not be recorded')
    const signIn = await app.call('POST', '/api/console/sign-in', { email: 'user1@example.com', password: PASSWORD }, { apiKey: '' })
    expect(signIn.status).toBe(503)
    expect(signIn.headers.getSetCookie()).toEqual([])
    expect((await ada.get('agents')).status).toBe(200)
  })
})

test('a route that changes something does not register without saying how it is recorded', () => {
  const http = Fastify()
  recordActions(http, { appendAudit: async () => undefined })
  expect(() => http.put('/api/console/things', { config: { auth: 'session' } }, async () => ({}))).toThrow(
    'does not declare how it is recorded',
  )
  expect(() => http.get('/api/console/things', { config: { auth: 'session' } }, async () => ({}))).not.toThrow()
})
