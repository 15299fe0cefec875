import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { applyManifest } from '../../src/cli/apply-manifest.ts'
import { readManifest } from '../../src/cli/manifest.ts'
import { SECONDS } from '../support/chat-shapes.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { useTestApp } from '../support/test-app.ts'
import type { TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

const NO_APP = { status: 404, message: 'app not found' }
const BIG = '7351234567890123459'

describe.each(testDatabases())('apps on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  describe('works', () => {
    test('an app of a manifest is read with its variables, its id exact', async () => {
      const variables = [
        { name: 'region', type: 'string', default: 'eu', description: 'where' },
        { name: 'tags', type: 'list' },
      ]
      await apply(app, {
        apps: [{ id: BIG, owner: 'user1@example.com', name: '商店', icon_url: '/shop.png', version: '2.0.0', variables }],
      })

      const { body } = await app.call('GET', `/v1/apps/${BIG}?connector_id=1024`)
      const variable = { channel: 'custom', enable: true, prompt_enable: true }
      expect(body).toEqual({
        code: 0,
        msg: '',
        data: {
          ...{ app_id: BIG, version: '2.0.0', name: '商店', description: '', icon_url: `${app.url}/shop.png` },
          variables: [
            { ...variable, keyword: 'region', default_value: 'eu', variable_type: 'KVVariable', description: 'where' },
            { ...variable, keyword: 'tags', default_value: '', variable_type: 'ListVariable', description: '' },
          ],
        },
        detail: expect.anything(),
      })
    })

    test('applying twice changes nothing; without an id the name is who it is', async () => {
      const shop = { owner: 'user1@example.com', name: 'twice', variables: [{ name: 'region' }] }
      const changes = [
        ...(await apply(app, { apps: [shop] })),
        ...(await apply(app, { apps: [shop] })),
        ...(await apply(app, { apps: [{ ...shop, description: 'new' }] })),
      ]
      expect(changes.map(({ kind, change }) => `${kind} ${change}`)).toEqual(['app created', 'app unchanged', 'app updated'])
      expect(new Set(changes.map(({ id }) => id)).size).toBe(1)
      expect((await app.call('GET', `/v1/apps/${changes[0]?.id}`)).body.data).toMatchObject({ description: 'new', version: '1.0.0' })
    })

    test('lists are pages, by either name of the page, and never null', async () => {
      const { apiKey, email, userId } = await app.makeUser()
      const list = async (query: string) => (await app.call('GET', `/v1/apps?${query}`, undefined, { apiKey })).body.data
      expect(await list('')).toEqual({ items: [], total: 0 })

      await apply(app, { apps: ['1', '2', '3'].map((name) => ({ owner: email, name })) })
      const names = async (query: string) => namesIn(await list(query))
      for (const page of ['page_num', 'page_index']) {
        expect([await names(`page_size=2&${page}=1`), await names(`page_size=2&${page}=2`), await names(`page_size=2&${page}=3`)]).toEqual([
          ['3', '2'],
          ['1'],
          [],
        ])
      }
      const first = await list(`workspace_id=${userId}&publish_status=all&connector_id=1024&page_size=1`)
      const times = { updated_at: SECONDS, published_at: SECONDS }
      expect(first).toEqual({
        items: [{ id: expect.any(String), name: '3', description: '', icon_url: '', is_published: true, owner_user_id: userId, ...times }],
        total: 3,
      })
      expect(await list('publish_status=unpublished_draft')).toEqual({ items: [], total: 0 })
    })
  })

  describe('refuses bad input', () => {
    test('an id that is none, and one that nobody has', async () => {
      expectRefusal(await app.call('GET', '/v1/apps/x'), { status: 422, message: /^app_id: must be a positive whole number/ })
      expectRefusal(await app.call('GET', '/v1/apps/1'), NO_APP)
      expectRefusal(await app.call('GET', '/v1/apps?page_num=0'), { status: 422, message: 'page_num: must be a page number from 1' })
    })

    test.each([
      ['a name that is none', { name: '' }, /apps\.0\.name: must not be empty/],
      ['a variable that cannot be a placeholder', { variables: [{ name: 'a b' }] }, /apps\.0\.variables\.0\.name/],
      ['a type that is none', { variables: [{ name: 'a', type: 'date' }] }, /apps\.0\.variables\.0\.type/],
      ['a word that nobody knows', { colour: 'red' }, /apps\.0.*colour/],
    ])('a manifest with %s', async (_, wrong, message) => {
      await expect(apply(app, { apps: [{ owner: 'user1@example.com', name: 'a', ...wrong }] })).rejects.toThrow(message)
    })

    test('a manifest with one app twice, with an id of another user’s, with nobody as owner: nothing is made', async () => {
      const { email } = await app.makeUser()
      const mine = { id: '800001', owner: 'user1@example.com', name: 'mine' }
      await apply(app, { apps: [mine] })
      await expect(apply(app, { apps: [mine, mine] })).rejects.toThrow(/800001 is there twice/)
      await expect(
        apply(app, {
          apps: [
            { id: '800002', owner: email, name: 'new' },
            { ...mine, owner: email },
          ],
        }),
      ).rejects.toThrow('app 800001 belongs to another user')
      await expect(apply(app, { apps: [{ name: 'nobody’s' }] })).rejects.toThrow(/app nobody’s needs an owner/)
      expectRefusal(await app.call('GET', '/v1/apps/800002'), NO_APP)
    })
  })

  describe('refuses the wrong key', () => {
    test('another user’s app is none, and another’s workspace neither', async () => {
      await apply(app, { apps: [{ id: '800009', owner: 'user1@example.com', name: 'hidden' }] })
      const { apiKey } = await app.makeUser()
      expectRefusal(await app.call('GET', '/v1/apps/800009', undefined, { apiKey }), NO_APP)
      expect((await app.call('GET', '/v1/apps', undefined, { apiKey })).body.data).toEqual({ items: [], total: 0 })
      expectRefusal(await app.call('GET', `/v1/apps?workspace_id=${app.userId}`, undefined, { apiKey }), {
        status: 404,
        message: /^workspace not found/,
      })
    })
  })

  keepsItsSecrets(app)
})

const namesIn = ({ items }: { items: { name: string }[] }) => items.map(({ name }) => name)

async function apply(app: TestApp, manifest: object) {
  const path = join(app.dataDir, 'manifest.json')
  await writeFile(path, JSON.stringify(manifest))
  return applyManifest(app.core, await readManifest(path))
}
