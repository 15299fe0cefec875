import { describe, expect, test } from 'vitest'
import { saveApp } from '../../src/bots/apps.ts'
import { chatflowRoleSchema } from '../../src/workflows/chatflow-role.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { useTestApp } from '../support/test-app.ts'
import type { Json, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'
import { brackets, publish, talking } from '../support/workflow-app.ts'

const NO_WORKFLOW = { status: 404, message: 'workflow not found' }
const TIME = expect.stringMatching(/^\d{10}$/)

describe.each(testDatabases())('workflows as they are read, on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  describe('works', () => {
    describe('for a list', () => lists(app))
    describe('for one', () => reads(app))
    describe('for versions', () => listsVersions(app))
  })
  describe('refuses bad input', () => {
    test('filters, pages and ids that are none', async () => {
      const get = (path: string) => app.call('GET', path)
      expectRefusal(await get('/v1/workflows?workflow_mode=bot'), { status: 422, message: 'workflow_mode: must be workflow or chatflow' })
      expectRefusal(await get('/v1/workflows?publish_status=no'), { status: 422, message: /^publish_status: must be all, / })
      expectRefusal(await get('/v1/workflows?page_size=101'), { status: 422, message: 'page_size: must be a number from 1 to 100' })
      expectRefusal(await get('/v1/workflows?workspace_id=7'), { status: 404, message: /^workspace not found/ })
      expectRefusal(await get('/v1/workflows/x'), { status: 422, message: /^workflow_id: must be/ })
      expectRefusal(await get('/v1/workflows/7'), NO_WORKFLOW)
      expectRefusal(await get('/v1/workflows/7/versions'), NO_WORKFLOW)
      const id = await publish(app, brackets())
      for (const token of ['x', '0', '-1', '1.5', '9999999'])
        expectRefusal(await get(`/v1/workflows/${id}/versions?page_token=${token}`), {
          ...{ status: 422, message: 'page_token: must be the next_page_token of the page before' },
        })
    })
  })
  describe('refuses the wrong key', () => {
    test('another user’s are not there', async () => {
      const id = await publish(app, brackets())
      const { apiKey } = await app.makeUser()
      expectRefusal(await app.call('GET', `/v1/workflows/${id}`, undefined, { apiKey }), NO_WORKFLOW)
      expectRefusal(await app.call('GET', `/v1/workflows/${id}/versions`, undefined, { apiKey }), NO_WORKFLOW)
      expect((await app.call('GET', '/v1/workflows', undefined, { apiKey })).body.data).toEqual({ items: [], has_more: false, total: 0 })
      for (const path of ['/v1/workflows', `/v1/workflows/${id}`, `/v1/workflows/${id}/versions`])
        expect((await app.call('GET', path, undefined, { apiKey: '' })).status).toBe(401)
    })
  })

  keepsItsSecrets(app)
})

function lists(app: TestApp): void {
  test('by mode, by app and by what is published, in pages', async () => {
    const { userId, apiKey } = await app.makeUser()
    const shop = { name: 'shop', description: '', iconUrl: '', version: '1.0.0', conversations: [], variables: [] }
    const saved = await saveApp(app.core, { userId }, { ...shop, id: String(Date.now()) })
    await publish(app, brackets(), { userId, name: 'one' })
    await publish(app, talking(), { userId, name: 'two', mode: 'chatflow', appId: saved.id })
    await publish(app, brackets(), { userId, name: 'three', isPublished: false })
    const list = async (query: string): Promise<Json> => (await app.call('GET', `/v1/workflows?${query}`, undefined, { apiKey })).body.data
    const names = async (query: string) => (await list(query)).items.map((item: Json) => item.workflow_name)

    expect(await names('')).toEqual(['two', 'one'])
    expect(await names('publish_status=published_online')).toEqual(['two', 'one'])
    expect(await names('publish_status=all')).toEqual(['three', 'two', 'one'])
    expect(await names('publish_status=unpublished_draft')).toEqual(['three'])
    expect(await names('workflow_mode=chatflow')).toEqual(['two'])
    expect(await names(`app_id=${saved.id}&workspace_id=${userId}`)).toEqual(['two'])
    expect(await names('publish_status=all&page_size=2&page_num=2')).toEqual(['one'])
    expect(await list('publish_status=all&page_size=2')).toMatchObject({ has_more: true, total: 3 })
    expect(await list('publish_status=all&page_size=3')).toMatchObject({ has_more: false, total: 3 })
    expect((await list('app_id=7')).items).toEqual([])

    const [two] = (await list('')).items
    expect(two).toEqual({
      ...{ workflow_id: expect.any(String), workflow_name: 'two', description: 'what two does', icon_url: `${app.url}/icon.png` },
      ...{ app_id: saved.id, workflow_mode: 'chatflow', version: 'v0.0.1', created_at: TIME, updated_at: TIME },
      creator: { id: userId, name: expect.any(String) },
    })
  })
}

function reads(app: TestApp): void {
  test('a workflow has no role; a chatflow says how it shows itself', async () => {
    const plain = await publish(app, brackets(), { name: 'plain' })
    const { data } = (await app.call('GET', `/v1/workflows/${plain}?connector_id=1024`)).body
    expect(data).toEqual({
      role: null,
      workflow_detail: {
        ...{ workflow_id: plain, workflow_name: 'plain', description: 'what plain does', icon_url: `${app.url}/icon.png`, app_id: '0' },
        ...{ workflow_mode: 'workflow', version: 'v0.0.1', created_at: TIME, updated_at: TIME },
        creator: { id: app.userId, name: 'user1' },
      },
    })

    const role = chatflowRoleSchema.parse({
      ...{ name: 'Ada', description: 'helps', avatarUrl: '/ada.png', background: { color: 'red' } },
      onboarding: { prologue: 'Hi', suggestedQuestions: ['Who?'], displayAllSuggestions: true },
      suggestReplies: { mode: 'custom', prompt: 'three words' },
    })
    const id = await publish(app, talking(), { mode: 'chatflow', role })
    expect((await app.call('GET', `/v1/workflows/${id}`)).body.data.role).toEqual({
      ...{ id, workflow_id: id, connector_id: '1024', name: 'Ada', description: 'helps', avatar: { image_url: `${app.url}/ada.png` } },
      onboarding_info: { prologue: 'Hi', suggested_questions: ['Who?'], display_all_suggestions: true },
      suggest_reply_info: { suggest_reply_mode: 2, customized_suggest_prompt: 'three words' },
      ...{ background_image_info: { color: 'red' }, audio_config: {}, user_input_config: {}, project_version: 'v0.0.1' },
    })
  })

  test('what is live counts, and the draft only while nothing is', async () => {
    const id = await publish(app, brackets(), { name: 'before', isPublished: false })
    const detail = async () => (await app.call('GET', `/v1/workflows/${id}`)).body.data.workflow_detail
    expect(await detail()).toMatchObject({ workflow_name: 'before', version: '' })
    await publish(app, brackets(), { id, name: 'live' })
    await publish(app, brackets(), { id, name: 'after', isPublished: false })
    expect(await detail()).toMatchObject({ workflow_name: 'live', version: 'v0.0.1' })
  })
}

function listsVersions(app: TestApp): void {
  test('newest first, page by page with tokens', async () => {
    const id = await publish(app, brackets(), { version: 'v1' })
    for (const version of ['v2', 'v3']) await publish(app, brackets(), { id, version })
    const list = async (query: string): Promise<Json> => (await app.call('GET', `/v1/workflows/${id}/versions?${query}`)).body.data
    const first = await list('page_size=2&page_token=')
    expect(first).toMatchObject({ items: [{ version: 'v3' }, { version: 'v2' }], has_more: true, next_page_token: '2' })
    expect(first.items[0]).toEqual({
      ...{
        version: 'v3',
        description: '',
        created_at: TIME,
        updated_at: TIME,
        workflow_id: id,
        creator: { id: app.userId, name: 'user1' },
      },
    })
    expect(await list('page_size=2&page_token=2')).toMatchObject({ items: [{ version: 'v1' }], has_more: false, next_page_token: '' })
    expect(await list('publish_status=unpublished_draft')).toEqual({ items: [], has_more: false, next_page_token: '' })
    expect((await list('publish_status=all')).items.length).toBe(3)
  })
}
