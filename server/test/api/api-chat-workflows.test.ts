import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { applyManifest } from '../../src/cli/apply-manifest.ts'
import { readManifest } from '../../src/cli/manifest.ts'
import { findModelByName } from '../../src/models/model-store.ts'
import { drawCanvas, params, ref } from '../support/canvas-builder.ts'
import type { CanvasJson } from '../support/canvas-builder.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { ended, messagesOf } from '../support/ended-chat.ts'
import { answers, calls, hangs, says, wait } from '../support/fake-provider.ts'
import { openStream, readStream } from '../support/live-stream.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { deltaText, eventNames, frameOf } from '../support/sse-frames.ts'
import type { Frame } from '../support/sse-frames.ts'
import { useTestApp } from '../support/test-app.ts'
import type { CallOptions, Json, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

const OWNER = 'user1@example.com'
const chatInputs = { USER_INPUT: 'string', CONVERSATION_NAME: 'string' } as const

describe.each(testDatabases())('workflows of a bot, on $name', ({ name }) => {
  const app = useTestApp({ database: name })
  const bots: Record<string, string> = {}
  beforeAll(async () => {
    const model = await findModelByName(app.core.db, 'scripted')
    Object.assign(bots, await applyBots(app, model?.id ?? ''))
  })
  const ask = (bot: string, body: object, options?: CallOptions) =>
    app.call('POST', '/v3/chat', { bot_id: bots[bot], user_id: 'u', ...body }, options)

  describe('as tools of its model', () => {
    test('are called with arguments, and the model goes on with their results', async () => {
      app.provider.script = [answers([calls('shout', { word: 'hi' }, 'a'), calls('greet', { word: '你好' }, 'b')]), says('Done')]
      const { body } = await ask('tools', { query: 'go' })

      expect(body.message.content).toBe('Done')
      const messages = (await messagesOf(app, body.data)).map(({ type, content }) => [type, content])
      expect(messages.slice(2)).toEqual([
        ['tool_response', '{"shouted":"hi!"}'],
        ['tool_response', 'Welcome, 你好'],
        ['answer', 'Done'],
      ])
      expect(namesOfTools(app)).toEqual(['shout', 'greet', 'broken', 'asks', 'hangs'])
      expect(app.provider.lastRequest.body.messages.slice(-2)).toMatchObject([
        { content: '{"shouted":"hi!"}' },
        { content: 'Welcome, 你好' },
      ])
    })

    test('what fails, and what waits for a person, is told to the model, and the chat goes on', async () => {
      app.provider.script = [answers([calls('broken', { word: 'x' }, 'a'), calls('asks', { word: 'x' }, 'b')]), says('Sorry')]
      const { body } = await ask('tools', { query: 'go' })

      expect(body.message.content).toBe('Sorry')
      const contents = (await messagesOf(app, body.data)).filter(({ type }) => type === 'tool_response').map(({ content }) => content)
      expect(contents).toEqual([expect.stringMatching(/^Error: .*JSON/), expect.stringMatching(/^Error: the workflow asks a person/)])
    })

    test('end with the chat that is canceled', async () => {
      app.provider.script = [answers([calls('hangs', { word: 'x' })]), hangs()]
      const { data } = (await ask('tools', { additional_messages: [question('go')], stream: false })).body
      await app.provider.untilRequests(2)

      const canceled = await app.call('POST', '/v3/chat/cancel', addressOf(data))
      expect(canceled.body.data.status).toBe('canceled')
      await app.provider.untilAborted()
    })
  })

  describe('as the bot itself', () => {
    test('stream what their nodes say, for both kinds of clients', async () => {
      app.provider.script = answers(['I ', wait(5), 'see'])
      const frames = await readStream(app, { bot_id: bots.flow, user_id: 'u', query: 'look', stream: true, parameters: { tone: 'kind' } })
      expect(eventNames(frames)).toEqual([
        ...['conversation.chat.created', 'conversation.chat.in_progress'],
        ...['conversation.message.delta', 'conversation.message.completed'],
        ...[...Array<string>(4).fill('conversation.message.delta'), 'conversation.message.completed'],
        ...['conversation.message.completed', 'conversation.chat.completed', 'done'],
      ])
      expect(deltaText(frames)).toBe('Let me look (kind).Default: I see')
      expect(contentsOf(frames)).toEqual(['Let me look (kind).', 'Default: I see'])
      expect(frameOf(frames, 'conversation.chat.completed').data.usage.token_count).toBeGreaterThan(0)
      expect(frames.filter(({ data }) => data.type === 'answer' && data.content === 'Default: I see')).toEqual([])

      const sdk = await readStream(app, { bot_id: bots.flow, user_id: 'u', additional_messages: [question('look')], stream: true })
      expect(sdk.every(({ lines }) => lines.length === 2)).toBe(true)
      expect(contentsOf(sdk)).toEqual(['Let me look (plain).', 'Default: I see'])
    })

    test('answer whole, to the guide and by polling; a stream is gone on with from any event', async () => {
      app.provider.script = says('I see')
      const { body } = await ask('flow', { query: 'look' })
      expect(body).toMatchObject({ code: 0, data: { status: 'completed' }, message: { role: 'assistant', content: 'Default: I see' } })

      const { data } = (await ask('flow', { additional_messages: [question('look')], stream: false })).body
      expect((await ended(app, data)).status).toBe('completed')
      expect((await messagesOf(app, data)).map(({ content }) => content)).toEqual(['Let me look (plain).', 'Default: I see'])

      const path = `/v3/chat/stream?conversation_id=${data.conversation_id}&chat_id=${data.id}`
      const all = await readStream(app, undefined, { path })
      const rest = await readStream(app, undefined, { path: `${path}&starting_after=${all[2]?.id}` })
      expect(rest).toEqual(all.slice(3))
    })

    test('see the earlier rounds of the conversation, and what comes before the question', async () => {
      app.provider.script = says('I see')
      const first = (await ask('flow', { query: 'one' })).body
      await ask('flow', { query: 'three', chat_history: [{ role: 'user', content: 'two' }], conversation_id: first.conversation_id })

      expect(app.provider.requests[0]?.body.messages).toMatchObject([{ role: 'user', content: 'one' }])
      expect(app.provider.lastRequest.body.messages.map(({ role, content }) => [role, content])).toEqual([
        ['user', 'one'],
        ['assistant', 'Let me look (plain).'],
        ['assistant', 'Default: I see'],
        ['user', 'two'],
        ['user', 'three'],
      ])
    })

    test('ask, and go on with the answer of the next chat', async () => {
      const first = (await ask('guide', { query: 'go' })).body
      expect(first).toMatchObject({ data: { status: 'completed' }, message: { content: 'Where to?' } })
      const conversation = { conversation_id: first.conversation_id }

      const second = await readStream(app, { bot_id: bots.guide, user_id: 'u', query: 'Rome', stream: true, ...conversation })
      expect(deltaText(second)).toBe('By what?\n- train\n- plane')
      const third = (await ask('guide', { query: 'train', ...conversation })).body
      expect(third.message.content).toBe('go: Rome (A)')

      const { body } = await app.call('POST', `/v1/conversation/message/list?conversation_id=${first.conversation_id}`, { order: 'asc' })
      expect(body.data.map(({ role, content }: Json) => `${role}: ${content}`)).toEqual([
        ...[
          'user: go',
          'assistant: Where to?',
          'user: Rome',
          'assistant: By what?\n- train\n- plane',
          'user: train',
          'assistant: go: Rome (A)',
        ],
      ])
    })

    test('ask with cards where the client wants them', async () => {
      const first = (await ask('guide', { query: 'go', enable_card: true })).body
      expect(first.message).toMatchObject({ content: 'Where to?', content_type: 'text' })
      const { message } = (await ask('guide', { query: 'Rome', enable_card: true, conversation_id: first.conversation_id })).body
      expect(message.content_type).toBe('card')
      expect(JSON.parse(JSON.parse(message.content).x_properties.workflow_card_info)).toEqual({
        card_type: 'QUESTION',
        question_card_data: { question: 'By what?', options: [{ name: 'train' }, { name: 'plane' }] },
      })
    })

    test('are canceled with the chat: the model is left alone, what was said is kept', async () => {
      app.provider.script = hangs()
      await using stream = await openStream(app, { bot_id: bots.flow, user_id: 'u', query: 'look', stream: true })
      await app.provider.untilRequests(1)
      const chat = (await stream.until((frames) => frames.length > 0))[0]?.data
      expect((await app.call('POST', '/v3/chat/cancel', addressOf(chat))).body.data.status).toBe('canceled')

      await app.provider.untilAborted()
      const frames = await stream.ended
      expect(eventNames(frames).slice(-2)).toEqual(['conversation.chat.canceled', 'done'])
      expect((await messagesOf(app, chat)).map(({ content }) => content)).toEqual(['Let me look (plain).'])
    })

    test('keep to a conversation that is busy, and to an Idempotency-Key', async () => {
      app.provider.script = [hangs(), says('two')]
      const first = (await ask('flow', { additional_messages: [question('one')], stream: false })).body.data
      const conversation = { conversation_id: first.conversation_id }
      await app.provider.untilRequests(1)
      expectRefusal(await ask('flow', { query: 'two', ...conversation }), { status: 409, code: 4016, message: /already running/ })

      const headers = { 'idempotency-key': `flow-${name}` }
      const second = await ask('flow', { query: 'two', if_busy: 'interrupt', ...conversation }, { headers })
      expect(second.body.message.content).toBe('Default: two')
      expect((await ended(app, first)).status).toBe('canceled')
      const again = await ask('flow', { query: 'two', if_busy: 'interrupt', ...conversation }, { headers })
      expect(again.body.data.id).toBe(second.body.data.id)
      expect(app.provider.requests).toHaveLength(2)
    })

    test('fail with the reason, and are refused where they cannot begin', async () => {
      const failed = await ask('failing', { query: 'x' })
      expect(failed.status).toBe(500)
      expect(failed.body.data).toMatchObject({ status: 'failed', last_error: { code: 5000, msg: expect.stringContaining('JSON') } })

      expectRefusal(await ask('strict', { query: 'x' }), { status: 400, code: 4000, message: 'parameters.count is required' })
      expectRefusal(await ask('strict', { query: 'x', parameters: { count: 'many' } }), { status: 400, code: 4000, message: /count/ })
      const told = await ask('strict', { query: 'x', parameters: { count: '7373737373737373737' } })
      expect(told.body.message.content).toBe('{"count":7373737373737373737}')
      const file = JSON.stringify([{ type: 'file', file_id: '1' }])
      expect((await ask('flow', { additional_messages: [{ ...question(file), content_type: 'object_string' }] })).status).toBe(404)
    })

    test('answer as an OpenAI model, with all of what its client keeps', async () => {
      app.provider.script = says('I see')
      const messages = [
        { role: 'user', content: 'one' },
        { role: 'assistant', content: 'two' },
        { role: 'user', content: 'three' },
      ]
      const { body } = await app.call('POST', '/v1/chat/completions', { model: bots.flow, messages })
      expect(body.choices[0].message.content).toContain('Default: I see')
      expect(app.provider.lastRequest.body.messages).toMatchObject(messages)
    })

    test('are told as what they are', async () => {
      expect((await app.call('GET', `/v1/bots/${bots.flow}`)).body.data.bot_mode).toBe(2)
      expect((await app.call('GET', `/v1/bots/${bots.tools}`)).body.data.bot_mode).toBe(0)
    })
  })

  describe('of another user', () => {
    test('are none to a manifest', async () => {
      const { email } = await app.makeUser()
      const theirs = await apply(app, { workflows: [{ name: 'theirs', owner: email, canvas: tool('greet') }] })
      for (const workflow of ['theirs', theirs[0]?.id])
        await expect(apply(app, { bots: [{ name: 'thief', owner: OWNER, model: 'scripted', workflows: [workflow] }] })).rejects.toThrow(
          `its owner has no workflow with the id or name ${workflow}`,
        )
    })

    test('are none to a publish', async () => {
      const { userId, apiKey } = await app.makeUser()
      const [{ id: workflowId } = { id: '' }] = await apply(app, { workflows: [{ name: 'mine', owner: OWNER, canvas: tool('greet') }] })
      const configs = [{ workflows: [workflowId] }, { mode: 'chatflow' as const, chatflowId: workflowId }, { mode: 'chatflow' as const }]
      for (const config of configs) {
        const botId = await app.makeBot(userId, { config, published: false })
        expectRefusal(await app.call('POST', '/v1/bot/publish', { bot_id: botId, connector_ids: ['1024'] }, { apiKey }), {
          status: 422,
          message: /the bot uses the workflow/,
        })
      }
      const own = await app.makeBot(app.userId, { config: { mode: 'chatflow', chatflowId: workflowId }, published: false })
      const refused = await app.call('POST', '/v1/bot/publish', { bot_id: own, connector_ids: ['1024'] })
      expectRefusal(refused, { status: 422, message: /is no chatflow/ })
    })
  })

  keepsItsSecrets(app)
})

const question = (content: string) => ({ role: 'user', content, content_type: 'text' })
const addressOf = ({ id, conversation_id }: Json) => ({ chat_id: id, conversation_id })

/** What is said, message after message. */
const contentsOf = (frames: Frame[]): string[] =>
  frames
    .filter(({ event, data }) => event === 'conversation.message.completed' && data.type !== 'verbose')
    .map(({ data }) => data.content as string)

const namesOfTools = (app: TestApp) => app.provider.requests[0]?.body.tools?.map((tool: Json) => tool.function.name)

async function apply(app: TestApp, manifest: object) {
  const path = join(app.dataDir, 'manifest.json')
  await writeFile(path, JSON.stringify(manifest))
  return applyManifest(app.core, await readManifest(path))
}

/** The ids of bots by their names. */
async function applyBots(app: TestApp, modelType: string): Promise<Record<string, string>> {
  const tools = ['shout', 'greet', 'broken', 'asks', 'hangs']
  const chatflows = { flow: flow(modelType), guide: guide(), failing: failing(), strict: strict() }
  const applied = await apply(app, {
    workflows: [
      ...tools.map((each) => ({ name: each, owner: OWNER, canvas: tool(each, modelType), publish: {} })),
      ...Object.entries(chatflows).map(([name, canvas]) => ({ name, owner: OWNER, mode: 'chatflow', canvas, publish: {} })),
    ],
    bots: [
      { name: 'tools', owner: OWNER, model: 'scripted', workflows: tools, publish: {} },
      ...Object.keys(chatflows).map((name) => ({ name, owner: OWNER, mode: 'chatflow', workflow: name, publish: {} })),
    ],
  })
  return Object.fromEntries(applied.flatMap(({ kind, name, id }) => (kind === 'bot' ? [[name, id]] : [])))
}

function tool(name: string, modelType = ''): CanvasJson {
  const drawing = drawCanvas().entry({ 'word!': 'string' })
  const word = { word: ref('entry.word') }
  switch (name) {
    case 'greet':
      return drawing.answer('Welcome, {{word}}', word).edges('entry > exit').build()
    case 'shout':
      drawing.node('101', 15, {
        params: { String1: ref('entry.word') },
        inputs: { method: 'concat', concatParams: params({ concatResult: '{{String1}}!' }) },
        outputs: { output: 'string' },
      })
      break
    case 'broken':
      drawing.node('101', 59, { params: { input: ref('entry.word') }, outputs: { output: 'object' } })
      break
    case 'asks':
      drawing.node('101', 18, { ...asking('Sure?'), outputs: { output: 'string', USER_RESPONSE: 'string' } })
      break
    default:
      drawing.node('101', 3, { params: word, ...model(modelType, '{{word}}') })
  }
  return drawing
    .exit({ shouted: ref('101.output') })
    .edges('entry > 101 > exit')
    .build()
}

/** Says something on the way, and then what the model says. */
const flow = (modelType: string): CanvasJson =>
  drawCanvas()
    .entry({ ...chatInputs, tone: 'string' }, { tone: 'plain' })
    .node('101', 13, { params: { tone: ref('entry.tone') }, inputs: { content: text('Let me look ({{tone}}).'), streamingOutput: false } })
    .node('102', 3, { params: { q: ref('entry.USER_INPUT') }, ...model(modelType, '{{q}}') })
    .answer('{{name}}: {{seen}}', { name: ref('entry.CONVERSATION_NAME'), seen: ref('102.output') }, { streaming: true })
    .edges('entry > 101 > 102 > exit')
    .build()

/** Asks twice. */
const guide = (): CanvasJson =>
  drawCanvas()
    .entry(chatInputs)
    .node('101', 18, { ...asking('Where to?'), outputs: { USER_RESPONSE: 'string' } })
    .node('102', 18, { ...asking('By what?', ['train', 'plane']), outputs: { optionId: 'string', optionContent: 'string' } })
    .answer('{{first}}: {{place}} ({{by}})', {
      ...{ first: ref('entry.USER_INPUT'), place: ref('101.USER_RESPONSE'), by: ref('102.optionId') },
    })
    .edges('entry > 101 > 102', '102:branch_0 > exit', '102:branch_1 > exit', '102:default > exit')
    .build()

const failing = (): CanvasJson =>
  drawCanvas()
    .entry(chatInputs)
    .node('101', 59, { params: { input: ref('entry.USER_INPUT') }, outputs: { output: 'object' } })
    .exit({ output: ref('101.output', 'object') })
    .edges('entry > 101 > exit')
    .build()

const strict = (): CanvasJson =>
  drawCanvas()
    .entry({ ...chatInputs, 'count!': 'integer' })
    .exit({ count: ref('entry.count', 'integer') })
    .edges('entry > exit')
    .build()

const text = (content: string) => ({ type: 'string', value: { type: 'literal', content } })

const asking = (question: string, options: string[] = []) => ({
  inputs: {
    ...{ question, answer_type: options.length > 0 ? 'option' : 'text', option_type: 'static', extra_output: false, limit: 3 },
    options: options.map((name) => ({ name })),
  },
})

const model = (modelType: string, prompt: string) => ({
  inputs: {
    llmParam: params({ modelType, prompt, systemPrompt: '', responseFormat: '0', enableChatHistory: true, chatHistoryRound: '3' }),
  },
  outputs: { output: 'string' as const },
})
