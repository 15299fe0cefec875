import { describe, expect, test } from 'vitest'
import { publishBot, rollBackBot, saveDraft, unpublishBot } from '../../src/bots/bots.ts'
import { botConfigSchema } from '../../src/bots/bot-config.ts'
import { SECONDS } from '../support/chat-shapes.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { useTestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

const MISSING = { status: 404, message: 'bot not found or not published' }
const PROFILE = { name: '客服助手', description: '智能客服机器人,可以回答常见问题', iconUrl: 'https://example.com/icon.png' }

describe.each(testDatabases())('bots on $name', ({ name }) => {
  const app = useTestApp({ database: name })
  const info = (botId: string | number) => app.call('GET', `/v1/bot/get_online_info?bot_id=${botId}`)

  describe('works', () => {
    test('has the guide’s flat body, with what the SDKs read beside it', async () => {
      const { status, body, headers } = await info(123456)
      const flat = { name: PROFILE.name, description: PROFILE.description, icon_url: PROFILE.iconUrl, version: '1.0.0' }
      const { data, ...rest } = body
      expect({ status, rest }).toEqual({
        status: 200,
        rest: {
          code: 0,
          msg: '',
          detail: { logid: headers.get('x-tt-logid') },
          bot_id: 123456,
          ...flat,
          prompt: '你是一个专业的客服助手',
          created_at: SECONDS,
          updated_at: SECONDS,
        },
      })
      expect(data).toMatchObject({
        bot_id: '123456',
        ...flat,
        create_time: SECONDS,
        update_time: SECONDS,
        prompt_info: { prompt: '你是一个专业的客服助手' },
        onboarding_info: { prologue: '', suggested_questions: [] },
        bot_mode: 0,
        model_info: { model_id: expect.any(String), model_name: 'scripted' },
        plugin_info_list: [],
        workflow_info_list: [],
        suggest_reply_info: { reply_mode: 'disable' },
        variables: [],
      })
    })

    test('both paths answer the same, and ignore what only Coze’s own server needs', async () => {
      const { body } = await info(123456)
      for (const path of [
        '/v1/bots/123456',
        '/v1/bots/123456?is_published=true&connector_id=1024',
        '/v1/bot/get_online_info?bot_id=123456&connector_id=&version=',
      ]) {
        expect((await app.call('GET', path)).body).toEqual({ ...body, detail: expect.anything() })
      }
    })

    test('shows what the builder has set up', async () => {
      const botId = await app.makeBot(app.userId, {
        config: {
          parameters: { temperature: 0.5, topP: 0.9, maxTokens: 100 },
          onboarding: { prologue: '你好', suggestedQuestions: ['你能做什么?'] },
          suggestReplies: true,
          variables: [{ name: 'city', default: '北京', description: 'where' }],
        },
      })
      expect((await info(botId)).body.data).toMatchObject({
        model_info: { temperature: 0.5, top_p: 0.9, max_tokens: 100 },
        onboarding_info: { prologue: '你好', suggested_questions: ['你能做什么?'] },
        suggest_reply_info: { reply_mode: 'enable' },
        variables: [{ keyword: 'city', default_value: '北京', variable_type: 'KVVariable', channel: 'custom', description: 'where' }],
      })
    })

    test('an id that a number cannot hold stays exact: as text', async () => {
      const botId = await app.makeBot(app.userId, { id: '7351234567890123459' })
      const { body } = await info(botId)
      expect([body.bot_id, body.data.bot_id]).toEqual([botId, botId])
    })

    test('shows the live version: not the draft, and within a second what was published, rolled back or unpublished', async () => {
      const botId = await app.makeBot(app.userId)
      const who = { userId: app.userId }
      const promptNow = async () => (await info(botId)).body.prompt
      const draft = { ...PROFILE, config: botConfigSchema.parse({ prompt: 'new', model: 'scripted' }) }

      await saveDraft(app.core, who, { botId, ...draft })
      expect(await promptNow()).toBe('你是一个专业的客服助手')
      await publishBot(app.core, who, { botId })
      await expect.poll(promptNow, { timeout: 2_000 }).toBe('new')
      await app.call('POST', '/v3/chat', { bot_id: botId, query: 'hi' })
      expect(app.provider.lastRequest.body.messages[0]?.content).toBe('new')
      expect((await info(botId)).body.version).toBe('1.0.1')

      await rollBackBot(app.core, who, { botId, version: '1.0.0' })
      await expect.poll(promptNow, { timeout: 2_000 }).toBe('你是一个专业的客服助手')
      await unpublishBot(app.core, who, botId)
      await expect.poll(async () => (await info(botId)).status, { timeout: 2_000 }).toBe(404)
      expectRefusal(await app.call('POST', '/v3/chat', { bot_id: botId, query: 'hi' }), MISSING)
    })
  })

  describe('refuses bad input', () => {
    test('no id, an id that is none, and one that nobody has', async () => {
      expectRefusal(await app.call('GET', '/v1/bot/get_online_info'), { status: 422, message: 'bot id is required' })
      expectRefusal(await info(''), { status: 422, message: 'bot id is required' })
      for (const id of ['abc', '-1', '1.5', '9223372036854775808', '123456&bot_id=123456']) {
        expectRefusal(await info(id), { status: 422, message: /^bot_id: must be a positive whole number/ })
      }
      expectRefusal(await app.call('GET', '/v1/bots/abc'), { status: 422, message: /^bot_id: must be a positive whole number/ })
      expectRefusal(await info('9223372036854775807'), MISSING)
      expectRefusal(await app.call('GET', '/v1/bots/1'), MISSING)
    })

    test('a draft that was never published', async () => {
      expectRefusal(await info(await app.makeBot(app.userId, { published: false })), MISSING)
    })
  })

  describe('refuses the wrong key', () => {
    test('another user’s bot looks like none at all', async () => {
      const { apiKey } = await app.makeUser()
      await info(123456)
      for (const path of ['/v1/bot/get_online_info?bot_id=123456', '/v1/bots/123456']) {
        expectRefusal(await app.call('GET', path, undefined, { apiKey }), MISSING)
      }
    })
  })

  keepsItsSecrets(app)
})
