import { createReadStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ChatEventType, ChatStatus, CozeAPI, RoleType } from '@coze/api'
import type { CreateChatReq, StreamChatData } from '@coze/api'
import { describe, expect, test } from 'vitest'
import { anyMessage, ID } from '../support/chat-shapes.ts'
import { answers, calls, hang, reasons, says, wait } from '../support/fake-provider.ts'
import { useTestApp } from '../support/test-app.ts'
import type { TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

/** Chats of the official JavaScript SDK as it is on npm: only the base URL is ours. */
describe.each(testDatabases())('chats of @coze/api on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  describe('a whole chat', () => chatsWhole(app))
  describe('a stream', () => streams(app))
  describe('functions of the caller', () => callsFunctions(app))
  describe('conversations and files', () => keepsConversations(app))
})

const sdk = (app: TestApp) => new CozeAPI({ baseURL: app.url, token: app.apiKey })
const ask = (content: string, more: object = {}): CreateChatReq => ({
  ...{ bot_id: '123456', user_id: 'u1' },
  additional_messages: [{ role: RoleType.User, content, content_type: 'text' }],
  ...more,
})

/** On Node the SDK takes read streams only. */
async function fileOf(app: TestApp, name: string, content: string) {
  const path = join(app.dataDir, name)
  await writeFile(path, content)
  return createReadStream(path)
}

async function collect(stream: AsyncIterable<StreamChatData>): Promise<StreamChatData[]> {
  const events: StreamChatData[] = []
  for await (const event of stream) events.push(event)
  return events
}

const namesOf = (events: StreamChatData[]): string[] => events.map(({ event }) => event)
const textOf = (events: StreamChatData[]): string =>
  events.map(({ event, data }) => (event === ChatEventType.CONVERSATION_MESSAGE_DELTA ? data.content : '')).join('')
const dataOf = (events: StreamChatData[], name: ChatEventType) => events.find(({ event }) => event === name)?.data

function chatsWhole(app: TestApp): void {
  test('chat.create answers at once, chat.retrieve and chat.messages.list tell the rest', async () => {
    app.provider.script = answers(['Hel', wait(100), 'lo'])
    const coze = sdk(app)
    const chat = await coze.chat.create(ask('hi', { meta_data: { order: '7' } }))
    expect(chat).toMatchObject({ id: ID, conversation_id: ID, bot_id: '123456', status: 'in_progress', meta_data: { order: '7' } })

    const status = async () => (await coze.chat.retrieve(chat.conversation_id, chat.id)).status
    await expect.poll(status).toBe('completed')
    const done = await coze.chat.retrieve(chat.conversation_id, chat.id)
    expect(done).toMatchObject({
      last_error: { code: 0 },
      usage: { token_count: 4, input_count: 2, output_count: 2 },
      meta_data: { order: '7' },
    })
    expect(await coze.chat.messages.list(chat.conversation_id, chat.id)).toEqual([anyMessage({ content: 'Hello', chat_id: chat.id })])
  })

  test('chat.createAndPoll gives the chat and its messages', async () => {
    const { chat, messages } = await sdk(app).chat.createAndPoll(ask('hi'))
    expect(chat.status).toBe(ChatStatus.COMPLETED)
    expect(messages).toEqual([anyMessage({ chat_id: chat.id })])
  })

  test('chat.createAndPoll ends with a chat that failed', async () => {
    app.provider.script = answers([{ do: 'raw', bytes: 'nonsense' }, { do: 'stop' }])
    const { chat, messages } = await sdk(app).chat.createAndPoll(ask('hi'))
    expect(chat).toMatchObject({ status: 'failed', last_error: { code: 5000 } })
    expect(messages).toEqual([])
  })

  test('chat.cancel ends a running chat, with what it has said so far', async () => {
    app.provider.script = answers(['so far', hang()])
    const coze = sdk(app)
    const chat = await coze.chat.create(ask('hi'))
    await app.provider.untilRequests(1)
    expect(await coze.chat.cancel(chat.conversation_id, chat.id)).toMatchObject({ id: chat.id, status: 'canceled' })
    expect((await coze.chat.retrieve(chat.conversation_id, chat.id)).status).toBe('canceled')
    await app.provider.untilAborted()
  })

  test('variables, extra_params, parts of a message, and auto_save_history: false', async () => {
    const coze = sdk(app)
    const botId = await app.makeBot(app.userId, { config: { prompt: 'Speak {{tongue}}', variables: [{ name: 'tongue' }] } })
    const file = await coze.files.upload({ file: await fileOf(app, 'notes.txt', 'the file says so') })
    const { chat, messages } = await coze.chat.createAndPoll({
      ...{ bot_id: botId, user_id: 'u1', custom_variables: { tongue: 'French' }, extra_params: { latitude: '1.5' } },
      additional_messages: [
        {
          role: RoleType.User,
          content_type: 'object_string',
          content: [
            { type: 'text', text: 'look' },
            { type: 'file', file_id: file.id },
          ],
        },
      ],
    })
    expect(messages).toMatchObject([{ content: 'Hello there', meta_data: { latitude: '1.5' } }])
    expect(app.provider.lastRequest.body.messages[0]?.content).toBe('Speak French')
    expect(JSON.stringify(app.provider.lastRequest.body.messages)).toContain('the file says so')

    const unsaved = await coze.chat.create({
      ...ask('forget me', { auto_save_history: false, bot_id: botId }),
      conversation_id: chat.conversation_id,
    })
    await expect.poll(async () => (await coze.chat.retrieve(unsaved.conversation_id, unsaved.id)).status).toBe('completed')
    expect((await coze.conversations.messages.list(chat.conversation_id)).data.length).toBe(2)
  })

  test('a shortcut command', async () => {
    const shortcuts = [{ id: '77', name: 'greet', prompt: 'Say hello to {{who}}' }]
    const bot_id = await app.makeBot(app.userId, { config: { shortcuts } })
    const shortcut_command = { command_id: '77', parameters: { who: 'Ada' } }
    await sdk(app).chat.createAndPoll({ bot_id, user_id: 'u1', shortcut_command })
    expect(app.provider.lastRequest.lastUserText).toBe('Say hello to Ada')
  })
}

function streams(app: TestApp): void {
  test('chat.stream gives every event, parsed, up to done', async () => {
    app.provider.script = answers([reasons('hm'), 'Hel', wait(30), 'lo \u2028 \u0085 "quoted"\n'])
    const events = await collect(sdk(app).chat.stream(ask('hi')))
    expect(namesOf(events)).toEqual([
      ...['conversation.chat.created', 'conversation.chat.in_progress'],
      ...['conversation.message.delta', 'conversation.message.delta', 'conversation.message.delta'],
      ...['conversation.message.completed', 'conversation.message.completed', 'conversation.chat.completed', 'done'],
    ])
    expect(textOf(events)).toBe('Hello \u2028 \u0085 "quoted"\n')
    expect(dataOf(events, ChatEventType.CONVERSATION_MESSAGE_COMPLETED)).toMatchObject({ type: 'answer', reasoning_content: 'hm' })
    expect(dataOf(events, ChatEventType.CONVERSATION_CHAT_COMPLETED)).toMatchObject({ status: 'completed', usage: { output_count: 3 } })
    expect(events.at(-1)).toEqual({ event: 'done', data: '[DONE]' })
  })

  test('chat.stream goes on with a conversation', async () => {
    const coze = sdk(app)
    const conversation = await coze.conversations.create({ bot_id: '123456' })
    await collect(coze.chat.stream({ ...ask('first'), conversation_id: conversation.id }))
    await collect(coze.chat.stream({ ...ask('second'), conversation_id: conversation.id }))
    expect(app.provider.lastRequest.body.messages.map(({ content }) => content).slice(1)).toEqual(['first', 'Hello there', 'second'])
  })

  test('suggested questions come as follow_up messages', async () => {
    const bot_id = await app.makeBot(app.userId, { config: { suggestReplies: true } })
    app.provider.script = [says('It is sunny.'), says('And tomorrow?\nIs it warm?\nWhere?')]
    const events = await collect(sdk(app).chat.stream({ ...ask('weather?'), bot_id }))
    const completed = events.flatMap(({ event, data }) => (event === ChatEventType.CONVERSATION_MESSAGE_COMPLETED ? [data] : []))
    expect(completed.map(({ type }) => type)).toEqual(['answer', 'follow_up', 'follow_up', 'follow_up', 'verbose'])
  })

  test('a chat that fails on the way says so', async () => {
    app.provider.script = answers(['so far', { do: 'cut' }])
    const events = await collect(sdk(app).chat.stream(ask('hi')))
    expect(namesOf(events).slice(-2)).toEqual(['conversation.chat.failed', 'done'])
    expect(dataOf(events, ChatEventType.CONVERSATION_CHAT_FAILED)).toMatchObject({ status: 'failed', last_error: { code: 5000 } })
  })

  test('a reader that breaks out of its loop does not end the chat', async () => {
    app.provider.script = answers(['one ', wait(100), 'two'])
    const coze = sdk(app)
    let chat = { id: '', conversation_id: '' }
    for await (const { event, data } of coze.chat.stream(ask('hi'))) {
      if (event === ChatEventType.CONVERSATION_CHAT_CREATED) chat = data
      if (event === ChatEventType.CONVERSATION_MESSAGE_DELTA) break
    }
    await expect.poll(async () => (await coze.chat.retrieve(chat.conversation_id, chat.id)).status).toBe('completed')
    expect(await coze.chat.messages.list(chat.conversation_id, chat.id)).toMatchObject([{ content: 'one two' }])
  })
}

const CLOCK = { name: 'clock', description: 'tells the time', parameters: { type: 'object', properties: { zone: { type: 'string' } } } }

function callsFunctions(app: TestApp): void {
  const waitsForClock = () => [
    answers(['Let me see. ', calls('clock', { zone: 'UTC' }, 'call_a'), calls('clock', {}, 'call_b')]),
    says('It is ', 'ten.'),
  ]
  const required = {
    type: 'submit_tool_outputs',
    submit_tool_outputs: {
      tool_calls: [
        { id: 'call_a', type: 'function', function: { name: 'clock', arguments: '{"zone":"UTC"}' } },
        { id: 'call_b', type: 'function', function: { name: 'clock', arguments: '{}' } },
      ],
    },
  }
  const outputs = [
    { tool_call_id: 'call_b', output: 'eleven' },
    { tool_call_id: 'call_a', output: 'ten' },
  ]

  const declared: [string, (app: TestApp) => Promise<object>][] = [
    ['of the bot', async () => ({ bot_id: await app.makeBot(app.userId, { config: { tools: [{ type: 'function', ...CLOCK }] } }) })],
    ['of the request', async () => ({ tools: [{ type: 'function', function: CLOCK }] })],
  ]

  test.each(declared)('%s: stream, chat.submitToolOutputs with a stream', async (_, declare) => {
    app.provider.script = waitsForClock()
    const coze = sdk(app)
    const events = await collect(coze.chat.stream(ask('time?', await declare(app))))
    expect(namesOf(events).slice(-2)).toEqual(['conversation.chat.requires_action', 'done'])
    const chat = dataOf(events, ChatEventType.CONVERSATION_CHAT_REQUIRES_ACTION)
    expect(chat).toMatchObject({ status: 'requires_action', required_action: required })
    if (typeof chat !== 'object' || !('conversation_id' in chat) || !('status' in chat)) throw new Error('no chat')

    const more = await collect(
      coze.chat.submitToolOutputs({ conversation_id: chat.conversation_id, chat_id: chat.id, tool_outputs: outputs, stream: true }),
    )
    expect(namesOf(more)[0]).toBe('conversation.chat.in_progress')
    expect(textOf(more)).toBe('It is ten.')
    expect(namesOf(more).slice(-2)).toEqual(['conversation.chat.completed', 'done'])
    expect(app.provider.lastRequest.body.messages.slice(-3)).toMatchObject([
      { role: 'assistant', content: 'Let me see. ', tool_calls: [{ id: 'call_a' }, { id: 'call_b' }] },
      { role: 'tool', tool_call_id: 'call_a', content: 'ten' },
      { role: 'tool', tool_call_id: 'call_b', content: 'eleven' },
    ])
  })

  test.each(declared)('%s: createAndPoll, chat.submitToolOutputs without a stream', async (_, declare) => {
    app.provider.script = waitsForClock()
    const coze = sdk(app)
    const { chat } = await coze.chat.createAndPoll(ask('time?', await declare(app)))
    expect(chat).toMatchObject({ status: 'requires_action', required_action: required })

    const address = { conversation_id: chat.conversation_id, chat_id: chat.id }
    const submitted = await coze.chat.submitToolOutputs({ ...address, tool_outputs: outputs, stream: false }).next()
    expect(submitted).toMatchObject({ done: true, value: { id: chat.id, status: 'in_progress' } })
    await expect.poll(async () => (await coze.chat.retrieve(chat.conversation_id, chat.id)).status).toBe('completed')

    const messages = await coze.chat.messages.list(chat.conversation_id, chat.id)
    expect(messages.map(({ type, content }) => `${type}: ${content}`)).toEqual([
      'answer: Let me see. ',
      'function_call: {"id":"call_a","name":"clock","arguments":{"zone":"UTC"}}',
      'function_call: {"id":"call_b","name":"clock","arguments":{}}',
      'answer: It is ten.',
    ])
  })

  test('outputs for unknown, missing and answered calls, and of a stranger', async () => {
    app.provider.script = waitsForClock()
    const coze = sdk(app)
    const { chat } = await coze.chat.createAndPoll(ask('time?', { tools: [{ type: 'function', function: CLOCK }] }))
    const submit = (client: CozeAPI, tool_outputs: typeof outputs) =>
      client.chat.submitToolOutputs({ conversation_id: chat.conversation_id, chat_id: chat.id, tool_outputs, stream: false }).next()
    const stranger = new CozeAPI({ baseURL: app.url, token: (await app.makeUser()).apiKey })

    await expect(submit(stranger, outputs)).rejects.toMatchObject({ status: 404 })
    await expect(submit(coze, outputs.slice(1))).rejects.toMatchObject({
      status: 422,
      message: expect.stringContaining('call_b (clock) is missing'),
    })
    await expect(submit(coze, [...outputs, { tool_call_id: 'x', output: '' }])).rejects.toMatchObject({ status: 422 })
    await expect(submit(coze, [...outputs, ...outputs])).rejects.toMatchObject({ status: 422 })
    await expect(submit(coze, [{ tool_call_id: 'call_a', output: 'x'.repeat(5_000_000) }])).rejects.toMatchObject({ status: 413 })
    await submit(coze, outputs)
    await expect(submit(coze, outputs)).rejects.toMatchObject({ status: 409 })
  })
}

function keepsConversations(app: TestApp): void {
  test('conversations.create with messages, retrieve, list, clear', async () => {
    const coze = sdk(app)
    const made = await coze.conversations.create({
      ...{ bot_id: '123456', meta_data: { shop: '5' } },
      messages: [{ role: RoleType.User, content: 'hello', content_type: 'text' }],
    })
    expect(made).toMatchObject({ id: ID, meta_data: { shop: '5' }, last_section_id: ID })
    expect(await coze.conversations.retrieve(made.id)).toEqual(made)
    const { conversations, has_more } = await coze.conversations.list({ bot_id: '123456', page_num: 1, page_size: 1 })
    expect({ conversations, has_more }).toEqual({ conversations: [made], has_more: expect.any(Boolean) })

    const cleared = await coze.conversations.clear(made.id)
    expect(cleared).toEqual({ id: ID, conversation_id: made.id })
    expect(cleared.id).not.toBe(made.last_section_id)
  })

  test('conversations.messages.list page by page', async () => {
    const coze = sdk(app)
    const { id } = await coze.conversations.create({ bot_id: '123456' })
    for (const content of ['a', 'b', 'c'])
      await coze.conversations.messages.create(id, { role: RoleType.User, content, content_type: 'text', meta_data: {} })
    const page = await coze.conversations.messages.list(id, { order: 'asc', limit: 2 })
    expect(page.data.map(({ content }) => content)).toEqual(['a', 'b'])
    expect(page).toMatchObject({ has_more: true, first_id: page.data[0]?.id, last_id: page.data[1]?.id })
    const next = await coze.conversations.messages.list(id, { order: 'asc', limit: 2, after_id: page.last_id })
    expect(next).toMatchObject({ data: [{ content: 'c' }], has_more: false })
  })

  test('files.upload and files.retrieve', async () => {
    const coze = sdk(app)
    const file = await coze.files.upload({ file: await fileOf(app, '报告.txt', 'content') })
    expect(file).toMatchObject({ id: ID, bytes: 7, file_name: '报告.txt' })
    expect(await coze.files.retrieve(file.id)).toMatchObject({ id: file.id, bytes: 7, file_name: '报告.txt' })
  })

  test('bots.retrieveNew', async () => {
    expect(await sdk(app).bots.retrieveNew('123456')).toMatchObject({ bot_id: '123456', name: '客服助手', version: '1.0.0' })
  })
}
