/* eslint-disable @typescript-eslint/no-deprecated -- programs that call what is deprecated must work too */
import { createReadStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CozeAPI, RoleType, SuggestReplyMode } from '@coze/api'
import { describe, expect, test } from 'vitest'
import { saveApp } from '../../src/bots/apps.ts'
import { appVariablesSchema } from '../../src/bots/app-store.ts'
import { SECONDS, anyMessage } from '../support/chat-shapes.ts'
import { useTestApp } from '../support/test-app.ts'
import type { TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

/** The official JavaScript SDK as it is on npm: only the base URL is ours. */
describe.each(testDatabases())('@coze/api on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  describe('bots', () => managesBots(app))
  describe('messages', () => managesMessages(app))
  describe('variables', () => keepsVariables(app))

  test('users.me and workspaces.list say who calls', async () => {
    const coze = sdk(app)
    expect(await coze.users.me()).toEqual({ user_id: app.userId, user_name: 'user1@example.com', nick_name: 'user1', avatar_url: '' })

    const workspace = { id: app.userId, name: 'user1', icon_url: '', role_type: 'owner', workspace_type: 'personal', enterprise_id: '' }
    expect(await coze.workspaces.list()).toEqual({ total_count: 1, workspaces: [workspace] })
    expect(await coze.workspaces.list({ page_num: 2, page_size: 10 })).toEqual({ total_count: 1, workspaces: [] })
  })
})

const sdk = (app: TestApp) => new CozeAPI({ baseURL: app.url, token: app.apiKey })

function managesBots(app: TestApp): void {
  test('create, publish, retrieve both ways, update, list both ways', async () => {
    const coze = sdk(app)
    const [workspace] = (await coze.workspaces.list()).workspaces
    const { bot_id } = await coze.bots.create({
      space_id: workspace?.id ?? '',
      name: 'Made by the SDK',
      description: 'first',
      prompt_info: { prompt: 'You are kind' },
      onboarding_info: { prologue: 'Hi', suggested_questions: ['Who are you?'] },
      model_info_config: { model_id: 'scripted', temperature: 0.5, context_round: 5 },
      suggest_reply_info: { reply_mode: SuggestReplyMode.DISABLE },
    })
    await coze.bots.publish({ bot_id, connector_ids: ['1024'] })

    const seen = {
      ...{ bot_id, name: 'Made by the SDK', description: 'first', version: '1.0.0', create_time: SECONDS, update_time: SECONDS },
      prompt_info: { prompt: 'You are kind' },
      onboarding_info: { prologue: 'Hi', suggested_questions: ['Who are you?'] },
    }
    expect(await coze.bots.retrieve({ bot_id })).toMatchObject(seen)
    expect(await coze.bots.retrieveNew(bot_id, { is_published: true })).toEqual(await coze.bots.retrieve({ bot_id }))

    await coze.bots.update({ bot_id, description: 'second', prompt_info: { prompt: 'You are brief' } })
    expect(await coze.bots.retrieveNew(bot_id)).toMatchObject(seen)
    expect(await coze.bots.retrieveNew(bot_id, { is_published: false })).toMatchObject({ description: 'second', version: '' })

    const published = await coze.bots.list({ space_id: app.userId, page_size: 20, page_index: 1 })
    expect(published.total).toBe(published.space_bots.length)
    const face = { icon_url: '', description: 'first', publish_time: expect.stringMatching(/^\d{10}$/) }
    expect(published.space_bots).toContainEqual({ ...face, bot_id, bot_name: 'Made by the SDK' })

    const drafts = await coze.bots.listNew({ workspace_id: app.userId, publish_status: 'published_draft', page_num: 1, page_size: 20 })
    expect(drafts.items.find((bot) => bot.id === bot_id)).toMatchObject({ description: 'second', is_published: true, updated_at: SECONDS })

    const answer = await coze.chat.createAndPoll({ bot_id, user_id: 'u', additional_messages: [{ role: RoleType.User, content: 'hi' }] })
    expect(answer.chat.status).toBe('completed')
    expect(app.provider.lastRequest.body.messages[0]?.content).toBe('You are kind')
  })

  test('an uploaded file becomes the icon', async () => {
    const coze = sdk(app)
    const path = join(app.dataDir, 'icon.png')
    await writeFile(path, PNG)
    const file = await coze.files.upload({ file: createReadStream(path) })
    const { bot_id } = await coze.bots.create({ space_id: app.userId, name: 'With an icon', icon_file_id: file.id })
    const { icon_url } = await coze.bots.retrieveNew(bot_id, { is_published: false })
    expect((await fetch(icon_url)).headers.get('content-type')).toBe('image/png')
  })
}

function managesMessages(app: TestApp): void {
  test('create, retrieve, update, list, delete', async () => {
    const coze = sdk(app)
    const { id: conversation } = await coze.conversations.create({ bot_id: app.botId })
    const question = await coze.conversations.messages.create(conversation, {
      ...{ role: RoleType.User, content: 'hello', content_type: 'text' },
      meta_data: { mood: 'good' },
    })
    const own = {
      conversation_id: conversation,
      chat_id: '0',
      role: 'user',
      type: 'question',
      content: 'hello',
      meta_data: { mood: 'good' },
    }
    expect(question).toEqual(anyMessage(own))
    expect(await coze.conversations.messages.retrieve(conversation, question.id)).toEqual(question)

    const parts = await coze.conversations.messages.create(conversation, {
      ...{ role: RoleType.User, content_type: 'object_string', meta_data: {} },
      content: [{ type: 'text', text: 'look' }],
    })
    expect(parts).toMatchObject({ content: '[{"type":"text","text":"look"}]', content_type: 'object_string' })

    const changed = await coze.conversations.messages.update(conversation, question.id, { content: 'hello again', content_type: 'text' })
    expect(changed).toEqual({ ...question, content: 'hello again', updated_at: SECONDS })

    const list = await coze.conversations.messages.list(conversation, { order: 'asc', limit: 1 })
    expect(list).toMatchObject({ data: [changed], first_id: question.id, last_id: question.id, has_more: true })

    expect(await coze.conversations.messages.delete(conversation, question.id)).toEqual(changed)
    expect((await coze.conversations.messages.list(conversation)).data).toEqual([parts])
  })
}

function keepsVariables(app: TestApp): void {
  test('of a bot: update, retrieve, and the prompt of the next chat', async () => {
    const coze = sdk(app)
    const bot_id = await app.makeBot(app.userId, { config: { prompt: 'in {{city}}', variables: [{ name: 'city', default: '北京' }] } })
    const scope = { bot_id, connector_id: '1024', connector_uid: 'ada' }
    await coze.variables.update({ ...scope, data: [{ keyword: 'city', value: 'Paris' }] })

    const { items } = await coze.variables.retrieve({ ...scope, keywords: ['city', 'nonsense'] })
    expect(items).toEqual([{ keyword: 'city', value: 'Paris', create_time: SECONDS, update_time: SECONDS }])
    expect((await coze.variables.retrieve({ ...scope, connector_uid: 'bob' })).items).toEqual([
      { keyword: 'city', value: '北京', create_time: 0, update_time: 0 },
    ])

    await coze.chat.createAndPoll({ bot_id, user_id: 'ada', additional_messages: [{ role: RoleType.User, content: 'hi' }] })
    expect(app.provider.lastRequest.body.messages[0]?.content).toBe('in Paris')
  })

  test('of an app', async () => {
    const coze = sdk(app)
    const variables = appVariablesSchema.parse([{ name: 'region', default: 'eu' }])
    const wanted = { id: '700001', name: 'shop', description: '', iconUrl: '', version: '1.0.0', variables, conversations: [] }
    await saveApp(app.core, { userId: app.userId }, wanted)

    await coze.variables.update({ app_id: '700001', connector_uid: 'ada', data: [{ keyword: 'region', value: 'us' }] })
    expect((await coze.variables.retrieve({ app_id: '700001', connector_uid: 'ada' })).items).toMatchObject([{ value: 'us' }])
  })
}

const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64')
