import { describe, expect, test } from 'vitest'
import { saveApp } from '../../src/bots/apps.ts'
import { appVariablesSchema } from '../../src/bots/app-store.ts'
import { SECONDS } from '../support/chat-shapes.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { useTestApp } from '../support/test-app.ts'
import type { Json, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

const PROMPT = { prompt: '{{city}}/{{tone}}/{{unknown}}', variables: [{ name: 'city', default: '北京' }, { name: 'tone' }] }

describe.each(testDatabases())('variables of end users on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  describe('works', () => {
    describe('values', () => keepsValues(app))
    describe('prompts', () => fillsPrompts(app))
  })
  describe('refuses bad input', () => refusesInput(app))
  describe('refuses the wrong key', () => hidesFromOthers(app))

  keepsItsSecrets(app)
})

const makeBot = (app: TestApp) => app.makeBot(app.userId, { config: PROMPT })
const put = (app: TestApp, body: object, apiKey = app.apiKey) => app.call('PUT', '/v1/variables', body, { apiKey })
const get = (app: TestApp, query: string, apiKey = app.apiKey) => app.call('GET', `/v1/variables?${query}`, undefined, { apiKey })
const itemsOf = async (app: TestApp, query: string): Promise<Json> => (await get(app, query)).body.data.items
const city = (value: string) => [{ keyword: 'city', value }]

const untouched = (keyword: string, value: string) => ({ keyword, value, create_time: 0, update_time: 0 })
const touched = (keyword: string, value: string) => ({ keyword, value, create_time: SECONDS, update_time: SECONDS })

function keepsValues(app: TestApp): void {
  test('a variable has its default until it is set, for each end user by itself', async () => {
    const bot_id = await makeBot(app)
    expect(await itemsOf(app, `bot_id=${bot_id}&connector_uid=ada`)).toEqual([untouched('city', '北京'), untouched('tone', '')])

    const { status, body } = await put(app, { bot_id, connector_uid: 'ada', data: city('Paris') })
    expect({ status, body }).toEqual({ status: 200, body: { code: 0, msg: '', data: {}, detail: expect.anything() } })
    expect(await itemsOf(app, `bot_id=${bot_id}&connector_uid=ada`)).toEqual([touched('city', 'Paris'), untouched('tone', '')])
    for (const other of ['bob', 'ADA', 'adá']) {
      expect(await itemsOf(app, `bot_id=${bot_id}&connector_uid=${other}`)).toEqual([untouched('city', '北京'), untouched('tone', '')])
    }
    expect(await itemsOf(app, `bot_id=${await makeBot(app)}&connector_uid=ada`)).toContainEqual(untouched('city', '北京'))
  })

  test('several at once, the last of a name wins, an empty text is a value', async () => {
    const bot_id = await makeBot(app)
    await put(app, { bot_id, connector_uid: 'ada', data: city('Paris') })
    const data = [{ keyword: 'tone', value: 'kind 🚀' }, ...city('Rome'), ...city('')]
    await put(app, { bot_id, connector_uid: 'ada', connector_id: '1024', data })
    expect(await itemsOf(app, `bot_id=${bot_id}&connector_uid=ada`)).toEqual([touched('city', ''), touched('tone', 'kind 🚀')])
  })

  test('keywords choose; one that does not exist is left out, none at all means every one', async () => {
    const bot_id = await makeBot(app)
    const query = `bot_id=${bot_id}&connector_uid=ada&connector_id=1024&keywords=`
    expect(await itemsOf(app, `${query}tone,nonsense`)).toEqual([untouched('tone', '')])
    expect(await itemsOf(app, `${query}nonsense`)).toEqual([])
    expect(await itemsOf(app, query)).toHaveLength(2)
  })

  test('what only the draft declares can be set too; a default is the live one', async () => {
    const bot_id = await makeBot(app)
    const { draft } = await app.core.db.selectFrom('bot').select('draft').where('id', '=', bot_id).executeTakeFirstOrThrow()
    const variables = [
      { name: 'city', default: 'draft' },
      { name: 'fresh', default: 'new' },
    ]
    const changed = JSON.stringify({ ...JSON.parse(draft), variables })
    await app.core.db.updateTable('bot').set({ draft: changed }).where('id', '=', bot_id).execute()

    expect(await itemsOf(app, `bot_id=${bot_id}&connector_uid=ada`)).toEqual([
      untouched('city', '北京'),
      untouched('fresh', 'new'),
      untouched('tone', ''),
    ])
    expect((await put(app, { bot_id, connector_uid: 'ada', data: [{ keyword: 'fresh', value: 'x' }] })).status).toBe(200)
  })

  test('an app’s variables are not a bot’s, also when both have one id', async () => {
    const bot_id = await makeBot(app)
    await makeApp(app, bot_id)
    await put(app, { app_id: bot_id, connector_uid: 'ada', data: [{ keyword: 'region', value: 'us' }] })
    expect(await itemsOf(app, `app_id=${bot_id}&connector_uid=ada`)).toEqual([touched('region', 'us')])
    expect(await itemsOf(app, `bot_id=${bot_id}&connector_uid=ada`)).toEqual([untouched('city', '北京'), untouched('tone', '')])
  })

  test('ten writers of one variable leave one value', async () => {
    const bot_id = await makeBot(app)
    const values = Array.from({ length: 10 }, (_, at) => `value ${at}`)
    const replies = await Promise.all(values.map((value) => put(app, { bot_id, connector_uid: 'ada', data: city(value) })))
    expect(replies.map((reply) => reply.status)).toEqual(Array(10).fill(200))
    const [{ value }] = await itemsOf(app, `bot_id=${bot_id}&connector_uid=ada`)
    expect(values).toContain(value)
  })
}

function fillsPrompts(app: TestApp): void {
  const promptFor = async (body: object) => {
    expect((await app.call('POST', '/v3/chat', { query: 'hi', ...body })).status).toBe(200)
    return app.provider.lastRequest.body.messages[0]?.content
  }

  test('the stored value beats the default, and the request’s own beats both', async () => {
    const bot_id = await makeBot(app)
    expect(await promptFor({ bot_id, user_id: 'ada' })).toBe('北京//{{unknown}}')

    await put(app, { bot_id, connector_uid: 'ada', data: [...city('Paris'), { keyword: 'tone', value: 'kind' }] })
    expect(await promptFor({ bot_id, user_id: 'ada' })).toBe('Paris/kind/{{unknown}}')
    expect(await promptFor({ bot_id, user_id: 'ada', custom_variables: { city: 'Rome' } })).toBe('Rome/kind/{{unknown}}')
    expect(await promptFor({ bot_id, user_id: 'bob' })).toBe('北京//{{unknown}}')
    expect(await promptFor({ bot_id })).toBe('北京//{{unknown}}')
  })

  test('the end user of a conversation is known without being named again', async () => {
    const bot_id = await makeBot(app)
    await put(app, { bot_id, connector_uid: 'ada', data: city('Paris') })
    const { id } = (await app.call('POST', '/v1/conversation/create', { bot_id, user_id: 'ada' })).body.data
    expect(await promptFor({ bot_id, conversation_id: id })).toBe('Paris//{{unknown}}')
  })
}

function refusesInput(app: TestApp): void {
  test('a variable that is not declared is named, and nothing is kept of the rest', async () => {
    const bot_id = await makeBot(app)
    const data = [...city('Paris'), { keyword: 'sys_uuid', value: 'x' }]
    const refusal = { status: 422, message: 'data: the bot has no variable named "sys_uuid"' }
    expectRefusal(await put(app, { bot_id, connector_uid: 'ada', data }), refusal)
    expect(await itemsOf(app, `bot_id=${bot_id}&connector_uid=ada`)).toEqual([untouched('city', '北京'), untouched('tone', '')])
  })

  test.each([
    ['no data', { data: undefined }, 'data is required'],
    ['empty data', { data: [] }, 'data: must not be empty'],
    ['data that are none', { data: { city: 'a' } }, 'data: must be an array of keyword and value'],
    ['too many', { data: Array(101).fill(city('a')[0]) }, 'data: must have at most 100 variables'],
    ['no keyword', { data: [{ value: 'a' }] }, 'data.0.keyword is required'],
    ['no value', { data: [{ keyword: 'city' }] }, 'data.0.value is required'],
    ['a value that is no text', { data: [{ keyword: 'city', value: 7 }] }, 'data.0.value: must be a string of at most 10000 characters'],
    ['too long a value', { data: city('x'.repeat(10_001)) }, 'data.0.value: must be a string of at most 10000 characters'],
    ['no end user', { connector_uid: undefined }, 'connector uid is required'],
    ['an empty end user', { connector_uid: '' }, /^connector_uid: must be a string of 1 to 255 characters/],
    ['an end user with blanks around', { connector_uid: 'ada ' }, /^connector_uid: must be a string of 1 to 255 characters/],
    ['too long an end user', { connector_uid: 'x'.repeat(256) }, /^connector_uid: must be a string of 1 to 255 characters/],
    ['no bot', { bot_id: null }, 'bot_id or app_id is required'],
    ['a bot and an app', { app_id: '1' }, 'give bot_id or app_id, not both'],
    ['a bot id that is none', { bot_id: 'x' }, /^bot_id: must be a positive whole number/],
  ])('%s', async (_, wrong, message) => {
    expectRefusal(await put(app, { bot_id: '123456', connector_uid: 'ada', data: city('a'), ...wrong }), { status: 422, message })
  })

  test('reading without a bot or without an end user, and of one that is not there', async () => {
    expectRefusal(await get(app, 'connector_uid=ada'), { status: 422, message: 'bot_id or app_id is required' })
    expectRefusal(await get(app, 'bot_id=123456'), { status: 422, message: 'connector uid is required' })
    expectRefusal(await get(app, 'bot_id=1&connector_uid=ada'), { status: 404, message: 'bot not found' })
    expectRefusal(await get(app, 'app_id=1&connector_uid=ada'), { status: 404, message: 'app not found' })
  })
}

function hidesFromOthers(app: TestApp): void {
  test('another user neither reads nor writes them, under the same id of an end user', async () => {
    const bot_id = await makeBot(app)
    await makeApp(app, bot_id)
    await put(app, { bot_id, connector_uid: 'ada', data: city('Paris') })

    const { apiKey } = await app.makeUser()
    for (const [scope, message] of [
      ['bot_id', 'bot not found'],
      ['app_id', 'app not found'],
    ] as const) {
      expectRefusal(await get(app, `${scope}=${bot_id}&connector_uid=ada`, apiKey), { status: 404, message })
      const body = { [scope]: bot_id, connector_uid: 'ada', data: city('Rome') }
      expectRefusal(await put(app, body, apiKey), { status: 404, message })
    }
    expect(await itemsOf(app, `bot_id=${bot_id}&connector_uid=ada&keywords=city`)).toEqual([touched('city', 'Paris')])
  })
}

async function makeApp(app: TestApp, id: string): Promise<void> {
  const variables = appVariablesSchema.parse([{ name: 'region', default: 'eu' }])
  const faces = { name: `app ${id}`, description: '', iconUrl: '', version: '1.0.0' }
  await saveApp(app.core, { userId: app.userId }, { id, ...faces, variables, conversations: [] })
}
