import { describe, expect, test } from 'vitest'
import { openAdminConsole, openConsole } from '../../../test/support/console-client.ts'
import { fails, says, sendsHtml } from '../../../test/support/fake-answers.ts'
import { useTestApp, PROVIDER_KEY } from '../../../test/support/test-app.ts'
import type { Json } from '../../../test/support/test-app.ts'
import { testDatabases } from '../../../test/support/test-databases.ts'

describe.each(testDatabases())('models in the console on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  test('everybody sees what there is to choose from, nobody sees a key', async () => {
    const ada = await openConsole(app)
    const { items, total } = await ada.read('models')
    expect(items.map((model: Json) => model.name)).toEqual(['default', 'demo', 'scripted'])
    expect(total).toBe(3)
    expect(items[2]).toEqual({
      ...{
        id: expect.any(String),
        name: 'scripted',
        protocol: 'openai',
        base_url: '',
        provider_model: 'fake',
        has_api_key: true,
        is_built_in: false,
      },
      ...{ created_at: expect.any(Number), updated_at: expect.any(Number) },
    })
    expect((await ada.read('models?search=SCRIPT&size=1')).total).toBe(1)
    const admin = await openAdminConsole(app)
    const seen = await admin.get('models')
    expect(seen.body.data.items[2].base_url).toBe(app.provider.baseUrl)
    expect(seen.text).not.toContain(PROVIDER_KEY)
  })

  test('made, changed and deleted by administrators; agents use them at once', async () => {
    const admin = await openAdminConsole(app)
    const settings = { protocol: 'openai', base_url: app.provider.baseUrl, provider_model: 'one', api_key: 'sk-first-key-0123456789' }
    const model = await admin.make('models', { name: 'mine', ...settings })
    expect(model).toMatchObject({ name: 'mine', has_api_key: true })
    expect(await admin.post('models', { name: 'mine', ...settings })).toMatchObject({ status: 409 })
    expect(await admin.post('models', { name: 'demo', ...settings })).toMatchObject({ status: 409 })
    expect(await admin.post('models', { name: 'x', ...settings, base_url: 'ftp://x' })).toMatchObject({ status: 422 })
    expect(await admin.post('models', { name: 'x', ...settings, provider_model: '' })).toMatchObject({
      status: 422,
      body: { msg: expect.stringContaining('provider_model') },
    })

    const botId = await app.makeBot(app.userId, { config: { model: 'mine' } })
    const ask = async () => {
      await app.call('POST', '/v3/chat', { bot_id: botId, query: 'hi' })
      const { headers, body } = app.provider.lastRequest
      return [headers.authorization, body.model]
    }
    expect(await ask()).toEqual(['Bearer sk-first-key-0123456789', 'one'])

    await admin.save(`models/${model.id}`, { ...settings, provider_model: 'two', api_key: null })
    await expect.poll(ask, { timeout: 5_000 }).toEqual(['Bearer sk-first-key-0123456789', 'two'])
    const elsewhere = { ...settings, base_url: 'https://evil.example.com/v1', api_key: null }
    expect(await admin.put(`models/${model.id}`, elsewhere)).toMatchObject({
      status: 422,
      body: { msg: expect.stringContaining('api_key: enter it again') },
    })
    expect(await admin.post('models/test', { ...elsewhere, id: model.id })).toMatchObject({ status: 422 })

    expect(await admin.delete(`models/${model.id}`, { name: 'other' })).toMatchObject({ status: 422 })
    expect(await admin.delete(`models/${model.id}`, { name: 'mine' })).toMatchObject({ status: 200 })
    expect(await admin.delete(`models/${model.id}`, { name: 'mine' })).toMatchObject({ status: 404 })
  })

  test('a test says whether it answers, or what is wrong', async () => {
    const admin = await openAdminConsole(app)
    const settings = { protocol: 'openai', base_url: app.provider.baseUrl, provider_model: 'fake', api_key: 'sk-tried-key-0123456789' }
    const tried = async (change: object = {}) => admin.make('models/test', { ...settings, ...change })
    app.provider.script = says('OK')
    expect(await tried()).toEqual({ ok: true, latency_ms: expect.any(Number), answer: 'OK' })
    const { id } = (await admin.read('models?search=scripted')).items[0]
    await tried({ id, api_key: null })
    expect(app.provider.lastRequest.headers.authorization).toBe(`Bearer ${PROVIDER_KEY}`)
    expect(await tried({ protocol: 'demo', base_url: '', provider_model: '' })).toMatchObject({ ok: true })

    app.provider.script = fails(401)
    expect(await tried()).toMatchObject({ ok: false, kind: 'auth', message: expect.stringContaining('Check the API key') })
    app.provider.script = fails(404, { message: 'no model fake' })
    expect(await tried()).toMatchObject({ ok: false, kind: 'rejected', message: expect.stringMatching(/no model fake.*\/v1/) })
    app.provider.script = sendsHtml()
    expect(await tried()).toMatchObject({ ok: false, kind: 'garbage' })
    app.provider.script = fails(429)
    expect(await tried()).toMatchObject({ ok: false, kind: 'rate_limit' })
    app.provider.requests.length = 0
    app.provider.script = fails(500)
    expect(await tried()).toMatchObject({ ok: false, kind: 'unavailable' })
    expect(app.provider.requests).toHaveLength(1)
    expect(await tried({ base_url: 'http://127.0.0.1:9/v1' })).toMatchObject({
      ok: false,
      kind: 'unreachable',
      message: expect.stringContaining('reachable'),
    })
    expect(app.logs.join('')).not.toContain('sk-tried-key')
  })
})
