import { describe, expect, test } from 'vitest'
import { SECONDS } from '../support/chat-shapes.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { useTestApp } from '../support/test-app.ts'
import type { Json, Reply, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

const NOT_PUBLISHED = { status: 404, message: 'bot not found or not published' }
const NO_BOT = { status: 404, message: 'bot not found' }
const NO_WORKSPACE = { status: 404, message: 'workspace not found: GET /v1/workspaces tells the id of yours' }
const CONNECTOR = /: must name 1024, the API/
const ID = expect.stringMatching(/^\d{14,16}$/)

describe.each(testDatabases())('bots made over the API on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  describe('works', () => {
    describe('making and changing', () => makes(app))
    describe('publishing', () => publishes(app))
    describe('icons', () => showsIcons(app))
    describe('lists', () => lists(app))
  })
  describe('refuses bad input', () => {
    describe('in a draft', () => refusesDrafts(app))
    describe('elsewhere', () => refusesTheRest(app))
  })
  describe('refuses the wrong key', () => hidesFromOthers(app))

  keepsItsSecrets(app)
})

type Caller = { apiKey?: string }

const poster =
  (app: TestApp, { apiKey = app.apiKey }: Caller) =>
  (path: string, body: object): Promise<Reply> =>
    app.call('POST', path, body, { apiKey })

const post = (app: TestApp, path: string, body: object): Promise<Reply> => app.call('POST', path, body)
const draftOf = async (app: TestApp, botId: string): Promise<Json> =>
  (await app.call('GET', `/v1/bots/${botId}?is_published=false`)).body.data
const liveOf = (app: TestApp, botId: string) => app.call('GET', `/v1/bots/${botId}`)

async function make(app: TestApp, body: object = {}): Promise<string> {
  const reply = await post(app, '/v1/bot/create', { name: '助手', model_info_config: { model_id: 'scripted' }, ...body })
  expect(reply.status, reply.text).toBe(200)
  return reply.body.data.bot_id
}

const EVERYTHING = {
  name: 'Assistant 🚀',
  description: 'Answers',
  prompt_info: { prompt: 'You are {{who}}' },
  onboarding_info: { prologue: 'Hi', suggested_questions: ['What can you do?'] },
  model_info_config: {
    ...{ model_id: 'scripted', temperature: 0.5, top_p: 0.9, max_tokens: 100, context_round: 3 },
    ...{ presence_penalty: 0.1, frequency_penalty: -0.1, response_format: 'json', top_k: 5 },
  },
  suggest_reply_info: { reply_mode: 'enable' },
}

function makes(app: TestApp): void {
  test('a bot has what it was given, and is a draft that only its owner sees', async () => {
    const { status, body } = await post(app, '/v1/bot/create', { space_id: app.userId, ...EVERYTHING })
    expect({ status, body }).toEqual({ status: 200, body: { code: 0, msg: '', data: { bot_id: ID }, detail: expect.anything() } })

    const botId = body.data.bot_id
    expectRefusal(await liveOf(app, botId), NOT_PUBLISHED)
    expect(await draftOf(app, botId)).toMatchObject({
      bot_id: botId,
      version: '',
      create_time: SECONDS,
      update_time: SECONDS,
      ...{ name: EVERYTHING.name, description: 'Answers', icon_url: '', owner_user_id: app.userId },
      prompt_info: EVERYTHING.prompt_info,
      onboarding_info: EVERYTHING.onboarding_info,
      model_info: {
        ...{ model_id: 'scripted', model_name: 'scripted', temperature: 0.5, top_p: 0.9, max_tokens: 100, context_round: 3 },
        ...{ presence_penalty: 0.1, frequency_penalty: -0.1, response_format: 'json' },
      },
      suggest_reply_info: { reply_mode: 'enable' },
    })
  })

  test('a name is enough; null is nothing', async () => {
    const nothing = { description: null, icon_file_id: null, prompt_info: null, onboarding_info: null, suggest_reply_info: null }
    const more = { model_info_config: null, plugin_id_list: null, workflow_id_list: { ids: [] }, knowledge: { dataset_ids: null } }
    const draft = await draftOf(app, await make(app, { ...nothing, ...more }))
    expect(draft).toMatchObject({ name: '助手', description: '', prompt_info: { prompt: '' }, model_info: { model_id: 'default' } })
  })

  test('a change touches only what it names', async () => {
    const botId = await make(app, EVERYTHING)
    const before = await draftOf(app, botId)
    const { body } = await post(app, '/v1/bot/update', {
      bot_id: botId,
      name: null,
      description: '',
      onboarding_info: { prologue: 'Hello' },
      model_info_config: { model_id: 'demo', temperature: 1 },
      suggest_reply_info: { reply_mode: 'disable' },
    })
    expect(body).toEqual({ code: 0, msg: '', data: {}, detail: expect.anything() })
    expect(await draftOf(app, botId)).toEqual({
      ...before,
      description: '',
      update_time: SECONDS,
      onboarding_info: { prologue: 'Hello', suggested_questions: ['What can you do?'] },
      model_info: { ...before.model_info, model_id: 'demo', model_name: 'demo', temperature: 1 },
      suggest_reply_info: { reply_mode: 'disable', customized_prompt: '' },
    })
  })

  test('a model is known by its name and by its id; what a draft shows as model_id is taken back', async () => {
    const { id } = await app.core.db.selectFrom('model').select('id').where('name', '=', 'scripted').executeTakeFirstOrThrow()
    for (const model_id of ['scripted', String(id), Number(id)]) {
      const draft = await draftOf(app, await make(app, { model_info_config: { model_id } }))
      expect(draft.model_info.model_id).toBe('scripted')
    }
  })

  test('variables, tools and what else a manifest has set stay', async () => {
    const botId = await app.makeBot(app.userId, { config: { variables: [{ name: 'city', default: '北京' }] } })
    await post(app, '/v1/bot/update', { bot_id: botId, prompt_info: { prompt: 'new' } })
    expect(await draftOf(app, botId)).toMatchObject({ prompt_info: { prompt: 'new' }, variables: [{ keyword: 'city' }] })
  })
}

function publishes(app: TestApp): void {
  test('from the first publish on the bot answers, each counts at once, and a draft changes nothing that is live', async () => {
    const botId = await make(app, { prompt_info: { prompt: 'one' } })
    const promptSeen = async () => {
      expect((await post(app, '/v3/chat', { bot_id: botId, query: 'hi' })).status).toBe(200)
      return app.provider.lastRequest.body.messages[0]?.content
    }

    const published = await post(app, '/v1/bot/publish', { bot_id: botId, connector_ids: ['1024'] })
    expect(published.body.data).toEqual({ bot_id: botId, version: '1.0.0' })
    expect(await promptSeen()).toBe('one')

    await post(app, '/v1/bot/update', { bot_id: botId, prompt_info: { prompt: 'two' } })
    expect(await promptSeen()).toBe('one')
    expect((await draftOf(app, botId)).prompt_info.prompt).toBe('two')

    expect((await post(app, '/v1/bot/publish', { bot_id: botId, connector_ids: [1024, 999] })).body.data.version).toBe('1.0.1')
    expect((await liveOf(app, botId)).body.data).toMatchObject({ version: '1.0.1', prompt_info: { prompt: 'two' } })
    expect(await promptSeen()).toBe('two')
  })

  test('an unpublished bot is gone at once, twice too, and its next version goes on counting', async () => {
    const botId = await make(app)
    await post(app, '/v1/bot/publish', { bot_id: botId })
    expect((await liveOf(app, botId)).status).toBe(200)

    const body = { bot_id: botId, connector_id: '1024', unpublish_reason: 'old' }
    for (let time = 0; time < 2; time++) {
      expect((await post(app, `/v1/bots/${botId}/unpublish`, body)).body.data).toEqual({})
      expectRefusal(await liveOf(app, botId), NOT_PUBLISHED)
      expectRefusal(await post(app, '/v3/chat', { bot_id: botId, query: 'hi' }), NOT_PUBLISHED)
    }
    expect((await post(app, '/v1/bot/publish', { bot_id: botId, connector_ids: null })).body.data.version).toBe('1.0.1')
  })
}

function showsIcons(app: TestApp): void {
  test('an uploaded image becomes the icon: a stable link that everybody can open', async () => {
    const botId = await make(app, { icon_file_id: await upload(app, 'icon.png') })
    const { icon_url } = await draftOf(app, botId)
    expect(icon_url).toMatch(new RegExp(`^http://127.0.0.1:${app.port}/v1/files/\\d+/[\\w-]+/icon$`))

    const icon = await fetch(icon_url)
    expect([icon.status, icon.headers.get('content-type')]).toEqual([200, 'image/png'])
    expect(Buffer.from(await icon.arrayBuffer()).equals(PNG)).toBe(true)

    await post(app, '/v1/bot/publish', { bot_id: botId })
    const live = (await liveOf(app, botId)).body
    const listed = (await listBots(app, { query: '' })).items.find((bot) => bot.id === botId)
    expect([live.data.icon_url, live.icon_url, listed?.icon_url]).toEqual([icon_url, icon_url, icon_url])
  })

  test('a file that is no image, that is another’s or that is not there is refused, and nothing is made', async () => {
    const total = async () => (await app.call('GET', '/v1/bots?publish_status=all')).body.data.total
    const before = await total()
    const text = await upload(app, 'a.txt')
    const foreign = await upload(app, 'icon.png', (await app.makeUser()).apiKey)

    const notImage = { status: 422, message: /^icon_file_id: the file is no image, but text\/plain/ }
    expectRefusal(await post(app, '/v1/bot/create', { name: 'a', icon_file_id: text }), notImage)
    for (const icon_file_id of [foreign, '1']) {
      expectRefusal(await post(app, '/v1/bot/create', { name: 'a', icon_file_id }), { status: 404, message: 'file not found' })
    }
    expect(await total()).toBe(before)
  })
}

function lists(app: TestApp): void {
  const namesOf = async (query: string, apiKey: string) => (await listBots(app, { query, apiKey })).items.map((bot) => bot.name)

  test('live versions and drafts, each with its own name', async () => {
    const { apiKey, userId } = await app.makeUser()
    const names = (query: string) => namesOf(query, apiKey)
    const send = poster(app, { apiKey })
    const ids: Record<string, string> = {}
    for (const name of ['draft', 'live', 'changed', 'gone']) {
      const botId = (await send('/v1/bot/create', { name })).body.data.bot_id
      ids[name] = botId
      if (name !== 'draft') await send('/v1/bot/publish', { bot_id: botId })
    }
    await send('/v1/bot/update', { bot_id: ids.changed, name: 'changed since' })
    await send(`/v1/bots/${ids.gone}/unpublish`, {})

    expect((await names('')).sort()).toEqual(['changed', 'live'])
    expect((await names('publish_status=published_online')).sort()).toEqual(['changed', 'live'])
    expect(await names('publish_status=published_draft')).toEqual(['changed since', 'live'])
    expect(await names('publish_status=unpublished_draft')).toEqual(['gone', 'draft'])
    expect(await names('publish_status=all')).toEqual(['gone', 'changed since', 'live', 'draft'])

    const { items, total } = await listBots(app, { query: `workspace_id=${userId}&publish_status=all&connector_id=1024`, apiKey })
    const face = { description: '', icon_url: '', owner_user_id: userId, updated_at: SECONDS }
    expect(total).toBe(4)
    expect(items[2]).toEqual({ ...face, id: ids.live, name: 'live', is_published: true, published_at: SECONDS })
    expect(items[3]).toEqual({ ...face, id: ids.draft, name: 'draft', is_published: false })
  })

  test('in pages, by either name of the page, and never null', async () => {
    const { apiKey, userId } = await app.makeUser()
    const send = poster(app, { apiKey })
    expect(await listBots(app, { query: '', apiKey })).toEqual({ items: [], total: 0 })
    for (const name of ['1', '2', '3']) {
      const { bot_id } = (await send('/v1/bot/create', { name })).body.data
      await send('/v1/bot/publish', { bot_id })
    }

    for (const page of ['page_num', 'page_index']) {
      const at = async (n: number) => namesOf(`publish_status=all&page_size=2&${page}=${n}`, apiKey)
      expect([await at(1), await at(2), await at(3)], page).toEqual([['3', '2'], ['1'], []])
    }
    const old = async (query: string) => (await app.call('GET', `/v1/space/published_bots_list?${query}`, undefined, { apiKey })).body.data
    const first = await old(`space_id=${userId}&page_size=1&page_index=1`)
    expect(first).toEqual({
      space_bots: [
        { bot_id: ID, bot_name: expect.any(String), description: '', icon_url: '', publish_time: expect.stringMatching(/^\d{10}$/) },
      ],
      total: 3,
    })
    const rest = await old('page_size=2&page_index=2')
    expect([first.space_bots.length, rest.space_bots.length]).toEqual([1, 1])
    expect(await old('page_index=9')).toEqual({ space_bots: [], total: 3 })
  })
}

function refusesDrafts(app: TestApp): void {
  test.each([
    ['no name', { name: undefined }, 'name is required'],
    ['an empty name', { name: ' ' }, 'name: must not be empty'],
    ['a name that is no text', { name: 7 }, 'name: must be a string'],
    ['too long a name', { name: 'x'.repeat(256) }, 'name: must have at most 255 characters'],
    ['too long a description', { description: 'x'.repeat(10_001) }, 'description: must have at most 10000 characters'],
    ['a prompt that is no text', { prompt_info: { prompt: 1 } }, 'prompt_info.prompt: must be a string'],
    ['a prompt that is not in its object', { prompt_info: 'a' }, 'prompt_info: must be an object'],
    ['too long a prompt', { prompt_info: { prompt: 'x'.repeat(200_001) } }, 'prompt_info.prompt: must have at most 200000 characters'],
    [
      'questions that are none',
      { onboarding_info: { suggested_questions: 'a' } },
      'onboarding_info.suggested_questions: must be an array of texts',
    ],
    ['a model nobody has', { model_info_config: { model_id: '1737521813' } }, /^model_id: there is no model 1737521813: give the name/],
    [
      'a temperature out of range',
      { model_info_config: { temperature: 3 } },
      'model_info_config.temperature: must be a number from 0 to 2',
    ],
    ['a temperature in text', { model_info_config: { temperature: '1' } }, 'model_info_config.temperature: must be a number from 0 to 2'],
    ['half a token', { model_info_config: { max_tokens: 1.5 } }, 'model_info_config.max_tokens: must be a whole number'],
    [
      'a reply mode of Coze’s',
      { suggest_reply_info: { reply_mode: 'customized' } },
      /^suggest_reply_info.reply_mode: must be disable or enable/,
    ],
    ['plugins', { plugin_id_list: { id_list: [{ plugin_id: '1' }] } }, /^plugin_id_list.id_list: plugins of Coze do not exist here/],
    ['workflows', { workflow_id_list: { ids: [{ id: '1' }] } }, /^workflow_id_list.ids: workflows cannot be given to a bot/],
    ['knowledge', { knowledge: { dataset_ids: ['1'] } }, /^knowledge.dataset_ids: knowledge bases do not exist here/],
    ['an icon id that is none', { icon_file_id: 'x' }, /^icon_file_id: must be a positive whole number/],
  ])('%s', async (_, wrong, message) => {
    const refusal = { status: 422, message }
    expectRefusal(await post(app, '/v1/bot/create', { name: 'a', ...wrong }), refusal)
    if (!('name' in wrong) || wrong.name !== undefined)
      expectRefusal(await post(app, '/v1/bot/update', { bot_id: '123456', ...wrong }), refusal)
    expect((await draftOf(app, '123456')).name).toBe('客服助手')
  })
}

function refusesTheRest(app: TestApp): void {
  test('no bot id, one that is none, and one that nobody has', async () => {
    for (const path of ['/v1/bot/update', '/v1/bot/publish']) {
      expectRefusal(await post(app, path, {}), { status: 422, message: 'bot id is required' })
      expectRefusal(await post(app, path, { bot_id: 'x' }), { status: 422, message: /^bot_id: must be a positive whole number/ })
      expectRefusal(await post(app, path, { bot_id: '9223372036854775807' }), NO_BOT)
    }
    expectRefusal(await post(app, '/v1/bots/x/unpublish', {}), { status: 422, message: /^bot_id: must be a positive whole number/ })
    expectRefusal(await post(app, '/v1/bots/1/unpublish', {}), NO_BOT)
    expectRefusal(await app.call('GET', '/v1/bots/1?is_published=false'), NO_BOT)
  })

  test('connectors that this server does not have: nothing is published or taken offline', async () => {
    const botId = await make(app)
    expectRefusal(await post(app, '/v1/bot/publish', { bot_id: botId, connector_ids: ['10000122'] }), { status: 422, message: CONNECTOR })
    expectRefusal(await post(app, '/v1/bot/publish', { bot_id: botId, connector_ids: '1024' }), {
      status: 422,
      message: 'connector_ids: must be an array of connector ids',
    })
    expectRefusal(await liveOf(app, botId), NOT_PUBLISHED)
    expectRefusal(await post(app, '/v1/bots/123456/unpublish', { connector_id: '999' }), { status: 422, message: CONNECTOR })
    expect((await liveOf(app, '123456')).status).toBe(200)
  })

  test.each([
    ['publish_status=live', /^publish_status: must be all, published_online/],
    ['page_num=0', 'page_num: must be a page number from 1'],
    ['page_index=x', 'page_index: must be a page number from 1'],
    ['page_size=101', 'page_size: must be a number from 1 to 100'],
    ['workspace_id=x', /^workspace_id: must be a positive whole number/],
  ])('a list with %s', async (query, message) => {
    expectRefusal(await app.call('GET', `/v1/bots?${query}`), { status: 422, message })
  })

  test('is_published that is neither true nor false', async () => {
    expectRefusal(await app.call('GET', '/v1/bots/123456?is_published=no'), { status: 422, message: 'is_published: must be true or false' })
  })
}

function hidesFromOthers(app: TestApp): void {
  test('another user finds no bot to read, change, publish or unpublish, and no workspace', async () => {
    const { apiKey } = await app.makeUser()
    const before = await draftOf(app, '123456')
    const send = poster(app, { apiKey })
    expectRefusal(await app.call('GET', '/v1/bots/123456?is_published=false', undefined, { apiKey }), NO_BOT)
    expectRefusal(await send('/v1/bot/update', { bot_id: '123456', name: 'mine' }), NO_BOT)
    expectRefusal(await send('/v1/bot/publish', { bot_id: '123456' }), NO_BOT)
    expectRefusal(await send('/v1/bots/123456/unpublish', {}), NO_BOT)
    expect((await liveOf(app, '123456')).status).toBe(200)
    expect(await draftOf(app, '123456')).toEqual(before)

    expectRefusal(await send('/v1/bot/create', { name: 'a', space_id: app.userId }), NO_WORKSPACE)
    expectRefusal(await app.call('GET', `/v1/bots?workspace_id=${app.userId}`, undefined, { apiKey }), NO_WORKSPACE)
    expectRefusal(await app.call('GET', `/v1/space/published_bots_list?space_id=${app.userId}`, undefined, { apiKey }), NO_WORKSPACE)
    expect((await app.call('GET', '/v1/bots?publish_status=all', undefined, { apiKey })).body.data).toEqual({ items: [], total: 0 })
  })
}

const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64')

type Listed = { items: { id: string; name: string; icon_url: string }[]; total: number }

async function listBots(app: TestApp, { query, apiKey = app.apiKey }: Caller & { query: string }): Promise<Listed> {
  const { body, status, text } = await app.call('GET', `/v1/bots?${query}`, undefined, { apiKey })
  expect(status, text).toBe(200)
  return body.data
}

/** An image, or by another name a text. */
async function upload(app: TestApp, fileName: string, apiKey = app.apiKey): Promise<string> {
  const form = new FormData()
  form.append('file', new Blob([fileName.endsWith('.png') ? PNG : 'plans']), fileName)
  return (await app.call('POST', '/v1/files/upload', form, { apiKey })).body.data.id
}
