import { describe, expect, test } from 'vitest'
import { expectRefusal } from '../support/expect-refusal.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { useTestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

describe.each(testDatabases())('users and workspaces on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  describe('works', () => {
    test('a key says whose it is', async () => {
      const { body } = await app.call('GET', '/v1/users/me')
      const data = { user_id: app.userId, user_name: 'user1@example.com', nick_name: 'user1', avatar_url: '' }
      expect(body).toEqual({ code: 0, msg: '', data, detail: expect.anything() })
    })

    test('everybody has one workspace, whose id other routes take', async () => {
      const { body } = await app.call('GET', '/v1/workspaces?page_num=1&page_size=10&enterprise_id=&user_id=')
      const words = { icon_url: '', role_type: 'owner', workspace_type: 'personal', enterprise_id: '' }
      expect(body.data).toEqual({ total_count: 1, workspaces: [{ id: app.userId, name: 'user1', ...words }] })
      expect((await app.call('GET', `/v1/bots?workspace_id=${body.data.workspaces[0].id}`)).body.data.total).toBe(1)
    })

    test('the second page is empty, and not null', async () => {
      expect((await app.call('GET', '/v1/workspaces?page_num=2')).body.data).toEqual({ total_count: 1, workspaces: [] })
    })
  })

  describe('refuses bad input', () => {
    test.each([
      ['page_num=0', 'page_num: must be a page number from 1'],
      ['page_size=51', 'page_size: must be a number from 1 to 50'],
    ])('%s', async (query, message) => {
      expectRefusal(await app.call('GET', `/v1/workspaces?${query}`), { status: 422, message })
    })
  })

  describe('refuses the wrong key', () => {
    test('each key sees its own user and workspace', async () => {
      const { apiKey, userId, email } = await app.makeUser()
      expect((await app.call('GET', '/v1/users/me', undefined, { apiKey })).body.data).toMatchObject({ user_id: userId, user_name: email })
      expect((await app.call('GET', '/v1/workspaces', undefined, { apiKey })).body.data.workspaces).toMatchObject([{ id: userId }])
    })
  })

  keepsItsSecrets(app)
})
