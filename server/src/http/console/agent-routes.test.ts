import { describe, expect, test } from 'vitest'
import { openConsole } from '../../../test/support/console-client.ts'
import type { ConsoleClient } from '../../../test/support/console-client.ts'
import { says } from '../../../test/support/fake-answers.ts'
import type { ChatBody } from '../../../test/support/fake-answers.ts'
import { useTestApp } from '../../../test/support/test-app.ts'
import type { Json, TestApp } from '../../../test/support/test-app.ts'
import { testDatabases } from '../../../test/support/test-databases.ts'

const PIXEL = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64')

async function makeAgent(console: ConsoleClient, draft: Record<string, unknown> = {}, name = 'Agent'): Promise<Json> {
  const agent = await console.make('agents', { name })
  return console.save(`agents/${agent.id}/draft`, { draft: { ...agent.draft, model: 'scripted', ...draft }, revision: agent.revision })
}

async function ask(app: TestApp, botId: string): Promise<string> {
  const { body } = await app.call('POST', '/v3/chat', { bot_id: botId, query: 'hi' })
  return body.message?.content ?? body.msg
}

const promptIn = ({ messages: [first] }: ChatBody): string => (typeof first?.content === 'string' ? first.content : '')

describe.each(testDatabases())('agents in the console on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  test('a blank agent, and one from a template, in the language of its builder', async () => {
    const ada = await openConsole(app)
    const blank = await ada.make('agents', { name: 'Blank' })
    expect(blank).toMatchObject({
      draft: {
        name: 'Blank',
        description: '',
        prompt: '',
        model: 'default',
        parameters: { temperature: null, history_rounds: 20 },
        tools: [],
      },
      ...{ live: null, has_unpublished_changes: true, revision: expect.stringMatching(/^[\w-]{22}$/) },
    })
    expect(await ada.read(`agents/${blank.id}`)).toEqual(blank)

    const { items } = await ada.read('agent-templates?language=zh')
    expect(items.map((item: Json) => item.key)).toEqual(expect.arrayContaining(['assistant', 'translator', 'customer_service']))
    const made = await ada.make('agents', { name: '我的翻译', template: 'translator', language: 'zh' })
    expect(made.draft).toMatchObject({ name: '我的翻译', prompt: expect.stringContaining('专业译者'), variables: [{ name: 'language' }] })
    expect(await ada.post('agents', { name: 'x', template: 'nothing' })).toMatchObject({ status: 422 })
    expect(await ada.post('agents', { name: ' ' })).toMatchObject({ status: 422, body: { msg: 'name: must not be empty' } })
  })

  test('the list: search, status, pages, the last call of the API', async () => {
    const builder = await app.makeUser()
    const bob = await openConsole(app, builder.email)
    for (const each of ['apple pie', 'Apple tart', '100% plum', 'plum']) await bob.make('agents', { name: each })
    const botId = await app.makeBot(builder.userId, { profile: { name: 'called' } })
    await app.call('POST', '/v3/chat', { bot_id: botId, query: 'hi' }, { apiKey: builder.apiKey })
    const names = async (query: string) => {
      const { items, total } = await bob.read(`agents?${query}`)
      return [items.map((item: Json) => item.name), total]
    }

    expect(await names('size=2')).toEqual([['called', 'plum'], 5])
    expect(await names('size=2&page=3')).toEqual([['apple pie'], 5])
    expect(await names('search=apple')).toEqual([['Apple tart', 'apple pie'], 2])
    expect(await names('search=%25')).toEqual([['100% plum'], 1])
    expect(await names(`search=${botId}`)).toEqual([['called'], 1])
    expect(await names('status=published')).toEqual([['called'], 1])
    expect(await names('status=draft&search=PLUM')).toEqual([['plum', '100% plum'], 2])
    const { items } = await bob.read('agents?size=2')
    expect(items[0]).toMatchObject({ version: '1.0.0', published_at: expect.any(Number), last_call_at: expect.any(Number) })
    expect(items[1]).toMatchObject({ version: null, published_at: null, last_call_at: null })
    expect(await bob.get('agents?size=101')).toMatchObject({ status: 422 })
  })

  test('all of a draft comes back as it was saved, whatever its texts are', async () => {
    const ada = await openConsole(app)
    const agent = await ada.make('agents', { name: 'x' })
    const draft = {
      ...agent.draft,
      name: '<img src=x onerror=alert(1)> \u202Eevil\u202C 🧨',
      description: "'; drop table bot; --",
      prompt: '你好 {{city}} '.repeat(16_000),
      parameters: { ...agent.draft.parameters, temperature: 0.2, max_tokens: 5, response_format: 'json', history_rounds: 0 },
      onboarding: { prologue: 'hi', suggested_questions: ['a?', 'b?'] },
      suggest_replies: true,
      variables: [{ name: 'city', default: '北京', description: '' }],
      tools: [{ type: 'function', name: 'clock', description: 'tells the time', parameters: { type: 'object', properties: {} } }],
      shortcuts: [{ id: '7', name: 'sum', prompt: 'sum up {{text}}' }],
    }
    const saved = await ada.save(`agents/${agent.id}/draft`, { draft, revision: agent.revision })
    expect(saved.draft).toEqual(draft)
    expect(await ada.read(`agents/${agent.id}`)).toEqual(saved)

    const refusal = async (change: object) =>
      (await ada.put(`agents/${agent.id}/draft`, { draft: { ...draft, ...change }, revision: saved.revision })).body.msg
    expect(await refusal({ prompt: 'x'.repeat(200_001) })).toBe('draft.prompt: must have at most 200000 characters')
    expect(await refusal({ parameters: { temperature: 3 } })).toBe('draft.parameters.temperature: must be a number from 0 to 2')
    expect(await refusal({ tools: [{ type: 'mcp', name: 'a b', url: '' }] })).toContain('draft.tools.0.name')
    expect(await refusal({ name: undefined })).toBe('draft.name is required')
  })

  test('two tabs: the second is told, and nothing is overwritten', async () => {
    const ada = await openConsole(app)
    const agent = await ada.make('agents', { name: 'Tabs' })
    const save = (prompt: string, revision: string) => ada.put(`agents/${agent.id}/draft`, { draft: { ...agent.draft, prompt }, revision })

    const first = await save('of the first tab', agent.revision)
    expect(first.status).toBe(200)
    const second = await save('of the second tab', agent.revision)
    expect(second).toMatchObject({ status: 409, body: { code: 409, msg: expect.stringContaining('changed elsewhere') } })
    expect(await ada.read(`agents/${agent.id}`)).toMatchObject({ draft: { prompt: 'of the first tab' } })
    expect((await save('after reading again', first.body.data.revision)).status).toBe(200)
    // what is published is no change of the draft
    const { revision } = await ada.make(`agents/${agent.id}/publish`)
    expect((await save('goes on', revision)).status).toBe(200)

    const current = (await ada.read(`agents/${agent.id}`)).revision
    const all = await Promise.all(Array.from({ length: 8 }, (_, n) => save(`of tab ${n}`, current)))
    expect(all.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(all.filter(({ status }) => status === 409)).toHaveLength(7)
  })

  test('changes over the API at the same time: none is lost', async () => {
    const ada = await openConsole(app)
    const agent = await ada.make('agents', { name: 'Both' })
    const change = (fields: object) => app.call('POST', '/v1/bot/update', { bot_id: agent.id, ...fields })
    const replies = await Promise.all([
      change({ name: 'new name' }),
      change({ description: 'new description' }),
      change({ prompt_info: { prompt: 'new prompt' } }),
      change({ onboarding_info: { prologue: 'new prologue' } }),
    ])
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect((await ada.read(`agents/${agent.id}`)).draft).toMatchObject({
      ...{ name: 'new name', description: 'new description', prompt: 'new prompt' },
      onboarding: { prologue: 'new prologue' },
    })
    expect(await ada.put(`agents/${agent.id}/draft`, { draft: agent.draft, revision: agent.revision })).toMatchObject({ status: 409 })
  })

  test('values of headers never come back, stay when they are not given, and are for one server', async () => {
    const ada = await openConsole(app)
    const tool = {
      type: 'mcp',
      name: 'search',
      url: 'https://tools.example.com/mcp',
      headers: [{ name: 'X-Key', value: 'very-secret-value' }],
    }
    const agent = await makeAgent(ada, { tools: [tool] })
    const kept = { ...agent.draft.tools[0] }
    expect(kept).toMatchObject({ headers: [{ name: 'X-Key', value: null }], timeout_ms: 30_000, allow: null })

    const save = async (tools: object[]) => {
      const { draft, revision } = await ada.read(`agents/${agent.id}`)
      return ada.put(`agents/${agent.id}/draft`, { draft: { ...draft, tools }, revision })
    }
    expect((await save([{ ...kept, name: 'renamed', allow: ['find'] }])).status).toBe(200)
    const stored = async () =>
      (await app.core.db.selectFrom('bot').select('draft').where('id', '=', agent.id).executeTakeFirstOrThrow()).draft
    const sealed = JSON.parse(await stored()).tools[0].sealedHeaders['X-Key']
    expect(app.core.secrets.open(sealed)).toBe('very-secret-value')

    expect(await save([{ ...kept, name: 'renamed', url: 'https://evil.example.com/mcp' }])).toMatchObject({
      status: 422,
      body: { msg: expect.stringContaining('enter the value of the header X-Key') },
    })
    expect((await save([{ ...kept, headers: [...kept.headers, { name: 'X-New', value: null }] }])).status).toBe(422)
    expect((await save([{ ...kept, headers: [] }])).status).toBe(200)
    expect(JSON.parse(await stored()).tools[0].sealedHeaders).toEqual({})
    expect(app.logs.join('')).not.toContain('very-secret-value')
  })

  test('an OpenAPI document may be YAML; what a tool offers and what is wrong with it is told', async () => {
    const ada = await openConsole(app)
    const document = `openapi: 3.0.0\ninfo: {title: t, version: '1'}\nservers: [{url: 'https://api.example.com'}]\npaths:\n  /time:\n    get: {operationId: tellTime, summary: Tells the time, responses: {'200': {description: ok}}}\n`
    const agent = await makeAgent(ada, { tools: [{ type: 'openapi', name: 'clock', document }] })
    expect(agent.draft.tools[0]).toMatchObject({ document: { openapi: '3.0.0', paths: { '/time': {} } }, base_url: '', operations: null })
    expect(await ada.read(`agents/${agent.id}/tools`)).toEqual({
      tools: [{ name: 'tellTime', description: 'Tells the time' }],
      problems: [],
    })

    const { draft, revision } = agent
    const broken = { ...draft, tools: [{ type: 'openapi', name: 'clock', document: 'openapi: [' }] }
    expect(await ada.put(`agents/${agent.id}/draft`, { draft: broken, revision })).toMatchObject({ status: 422 })
    const away = { ...draft, tools: [{ type: 'mcp', name: 'gone', url: 'http://127.0.0.1:9/mcp' }] }
    await ada.save(`agents/${agent.id}/draft`, { draft: away, revision })
    const { tools, problems } = await ada.read(`agents/${agent.id}/tools`)
    expect(tools).toEqual([])
    expect(problems).toEqual([expect.stringContaining('tool gone cannot be used')])
  })
})

describe.each(testDatabases())('versions of agents in the console on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  test('publish with a note, see what is different, roll back, go offline', async () => {
    app.provider.script = ({ body }) => says(promptIn(body))
    const ada = await openConsole(app)
    const agent = await makeAgent(ada, { prompt: 'first' }, 'Versions')
    const at = `agents/${agent.id}`
    expect(await ada.read(`${at}/diff`)).toMatchObject({
      version: null,
      changes: expect.arrayContaining([{ path: 'prompt', before: null, after: 'first' }]),
    })

    const published = await ada.make(`${at}/publish`, { version: '1.0', note: 'the first one', revision: agent.revision })
    expect(published).toMatchObject({ live: { version: '1.0', note: 'the first one' }, has_unpublished_changes: false })
    expect(await ask(app, agent.id)).toBe('first')
    expect(await ada.read(`${at}/diff`)).toEqual({ version: '1.0', changes: [] })

    const parameters = { ...agent.draft.parameters, temperature: 1 }
    const changed = await ada.save(`${at}/draft`, { draft: { ...agent.draft, prompt: 'second', parameters }, revision: published.revision })
    expect((await ada.read(`${at}/diff`)).changes).toEqual([
      { path: 'prompt', before: 'first', after: 'second' },
      { path: 'parameters.temperature', before: null, after: 1 },
    ])
    expect(await ada.post(`${at}/publish`, { revision: agent.revision })).toMatchObject({ status: 409 })
    expect(await ada.post(`${at}/publish`, { version: '1.0' })).toMatchObject({ status: 409 })
    expect(await ada.make(`${at}/publish`, { revision: changed.revision })).toMatchObject({ live: { version: '1.1', note: '' } })
    expect(await ask(app, agent.id)).toBe('second')

    expect(await ada.read(`${at}/versions?size=1`)).toMatchObject({ items: [{ version: '1.1', is_live: true }], total: 2 })
    expect(await ada.make(`${at}/roll-back`, { version: '1.0' })).toMatchObject({ live: { version: '1.0' }, has_unpublished_changes: true })
    expect(await ask(app, agent.id)).toBe('first')
    expect(await ada.read(`${at}/versions/1.0`)).toMatchObject({ is_live: true, note: 'the first one', draft: { prompt: 'first' } })
    expect(await ada.post(`${at}/roll-back`, { version: '9' })).toMatchObject({ status: 404 })
    expect(await ada.get(`${at}/versions/9`)).toMatchObject({ status: 404 })

    expect(await ada.make(`${at}/unpublish`)).toMatchObject({ live: null })
    expect(await ask(app, agent.id)).toContain('not published')
  })

  test('what cannot answer cannot be published', async () => {
    const ada = await openConsole(app)
    const refusal = async (draft: Record<string, unknown>) => {
      const agent = await makeAgent(ada, draft)
      return (await ada.post(`agents/${agent.id}/publish`)).body.msg
    }
    const tool = { type: 'function', name: 'twice' }
    expect(await refusal({ tools: [tool, tool] })).toContain('two tools have the name twice')
    expect(await refusal({ tools: [{ type: 'mcp', name: 'half', url: 'https:/' }] })).toContain('the tool half')
    expect(await refusal({ webhook_url: 'nowhere' })).toContain('webhook')
    expect(await refusal({ workflows: ['4711'] })).toContain('4711')
    expect(await refusal({ mode: 'chatflow' })).toContain('workflow')
  })

  test('deleting asks for the name, and is for good', async () => {
    const ada = await openConsole(app)
    const agent = await makeAgent(ada, {}, 'To be deleted')
    await ada.make(`agents/${agent.id}/publish`)
    expect(await ask(app, agent.id)).toBe('Hello there')

    expect(await ada.delete(`agents/${agent.id}`, { name: 'Another' })).toMatchObject({
      status: 422,
      body: { msg: expect.stringContaining('nothing was deleted') },
    })
    expect(await ada.delete(`agents/${agent.id}`, { name: 'To be deleted' })).toMatchObject({ status: 200 })
    expect(await ada.get(`agents/${agent.id}`)).toMatchObject({ status: 404 })
    expect(await ask(app, agent.id)).toContain('not found')
    expect(await ada.delete(`agents/${agent.id}`, { name: 'To be deleted' })).toMatchObject({ status: 404 })
  })

  test('an icon is an uploaded picture of one’s own, or a URL', async () => {
    const ada = await openConsole(app)
    const agent = await makeAgent(ada)
    const upload = async (bytes: Uint8Array | string, type: string) =>
      (await ada.post('files?name=my.png', bytes, { 'content-type': type })).body.data
    const picture = await upload(PIXEL, 'image/png')
    expect(picture).toMatchObject({
      name: 'my.png',
      mime: 'image/png',
      size_bytes: PIXEL.length,
      icon_path: expect.stringMatching(/^\/v1\/files\//),
    })
    const text = await upload('just text', 'text/plain')
    expect(text.icon_path).toBeNull()

    const save = async (icon_url: string, console = ada) => {
      const { draft, revision } = await ada.read(`agents/${agent.id}`)
      return (await console.put(`agents/${agent.id}/draft`, { draft: { ...draft, icon_url }, revision })).status
    }
    expect(await save(picture.icon_path)).toBe(200)
    expect((await app.call('GET', picture.icon_path, undefined, { apiKey: '' })).status).toBe(200)
    expect(await save('https://example.com/icon.png')).toBe(200)
    for (const wrong of [
      'javascript:alert(1)',
      '//evil.example.com/x',
      picture.icon_path.replace(/.$/, 'x'),
      `/v1/files/${text.id}/x/icon`,
    ])
      expect(await save(wrong), wrong).toBe(422)

    const stranger = await openConsole(app, (await app.makeUser()).email)
    const theirs = (await stranger.post('files?name=p.png', PIXEL, { 'content-type': 'image/png' })).body.data
    expect(await save(theirs.icon_path)).toBe(422)
  })
})
