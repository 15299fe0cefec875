import { describe, expect, test } from 'vitest'
import { openAdminConsole, openConsole } from '../../../test/support/console-client.ts'
import { PASSWORD, useTestApp } from '../../../test/support/test-app.ts'
import type { Json } from '../../../test/support/test-app.ts'
import { testDatabases } from '../../../test/support/test-databases.ts'

const BOTS = '/v1/bot/get_online_info?bot_id='

describe.each(testDatabases())('users in the console on $name', ({ name }) => {
  const app = useTestApp({ database: name })
  const signIn = async (email: string, password = PASSWORD) => app.call('POST', '/api/console/sign-in', { email, password }, { apiKey: '' })

  test('an administrator makes accounts and finds them again', async () => {
    const admin = await openAdminConsole(app)
    const made = await admin.make('users', { email: 'New@Example.com', password: PASSWORD, name: '新人' })
    expect(made).toEqual({
      id: expect.any(String),
      email: 'new@example.com',
      name: '新人',
      role: 'user',
      is_disabled: false,
      created_at: expect.any(Number),
    })
    expect((await signIn('new@example.com')).status).toBe(200)
    expect(await admin.post('users', { email: 'new@example.com', password: PASSWORD })).toMatchObject({ status: 409 })
    expect(await admin.post('users', { email: 'other@example.com', password: 'short' })).toMatchObject({ status: 422 })

    expect(await admin.read('users?search=NEW@')).toMatchObject({ items: [{ id: made.id }], total: 1 })
    expect(await admin.read('users?search=新')).toMatchObject({ items: [{ id: made.id }] })
    expect((await admin.read('users?size=1&page=2')).items).toHaveLength(1)
    expect(await admin.read('users?search=%25')).toEqual({ items: [], total: 0 })
  })

  test('who is disabled is out at once, with session and keys, until enabled again', async () => {
    const admin = await openAdminConsole(app)
    const user = await app.makeUser()
    const botId = await app.makeBot(user.userId)
    const page = await openConsole(app, user.email)
    const withKey = async () => (await app.call('GET', `${BOTS}${botId}`, undefined, { apiKey: user.apiKey })).status
    expect([await withKey(), (await page.get('agents')).status]).toEqual([200, 200])

    expect(await admin.save(`users/${user.userId}`, { is_disabled: true })).toMatchObject({ is_disabled: true })
    expect([await withKey(), (await page.get('agents')).status]).toEqual([401, 401])
    await admin.save(`users/${user.userId}`, { is_disabled: false })
    expect([await withKey(), (await page.get('agents')).status]).toEqual([200, 401])

    await admin.save(`users/${user.userId}`, { is_disabled: true })
    expect(await signIn(user.email)).toMatchObject({ status: 401, body: { msg: expect.stringContaining('disabled') } })
    expect(await signIn(user.email, 'a wrong password')).toMatchObject({ status: 401, body: { msg: 'e-mail or password is wrong' } })
    await admin.save(`users/${user.userId}`, { is_disabled: false })
    expect((await signIn(user.email)).status).toBe(200)
  })

  test('roles and names change; one’s own access stays', async () => {
    const admin = await openAdminConsole(app)
    const user = await app.makeUser()
    const page = await openConsole(app, user.email)
    expect((await page.get('users')).status).toBe(403)
    expect(await admin.save(`users/${user.userId}`, { role: 'admin', name: 'Chief' })).toMatchObject({ role: 'admin', name: 'Chief' })
    expect((await page.get('users')).status).toBe(200)
    await admin.save(`users/${user.userId}`, { role: 'user' })
    expect((await page.get('users')).status).toBe(403)

    expect(await admin.put(`users/${admin.userId}`, { role: 'user' })).toMatchObject({
      status: 422,
      body: { msg: expect.stringContaining('your own account') },
    })
    expect(await admin.put(`users/${admin.userId}`, { is_disabled: true })).toMatchObject({ status: 422 })
    expect(await admin.put(`users/${admin.userId}`, { name: 'Me', role: 'admin' })).toMatchObject({ status: 200 })
    expect(await admin.put('users/4711', { name: 'x' })).toMatchObject({ status: 404 })
  })

  test('a new password ends all sessions', async () => {
    const admin = await openAdminConsole(app)
    const user = await app.makeUser()
    const page = await openConsole(app, user.email)
    expect(await admin.post(`users/${user.userId}/reset-password`, { new_password: 'short' })).toMatchObject({ status: 422 })
    expect((await page.get('agents')).status).toBe(200)

    await admin.make(`users/${user.userId}/reset-password`, { new_password: 'a brand new one' })
    expect((await page.get('agents')).status).toBe(401)
    expect((await signIn(user.email)).status).toBe(401)
    expect((await signIn(user.email, 'a brand new one')).status).toBe(200)
  })

  test('the server’s state is for administrators', async () => {
    const admin = await openAdminConsole(app)
    const status: Json = await admin.read('status')
    expect(status).toMatchObject({
      ...{ version: expect.stringMatching(/^\d/), node_version: process.versions.node, redis: null, running_runs: 0, nodes: 1 },
      database: { kind: name, is_ok: true, problem: '', version: expect.stringMatching(/^\d+\./) },
      storage: { kind: 'disk', is_ok: true, free_bytes: expect.any(Number) },
    })
    expect(status.uptime_ms).toBeGreaterThan(0)
  })
})
