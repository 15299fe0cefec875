import { describe, expect, test } from 'vitest'
import { chatBodySchema, styleOf, toChatRequest } from './chat-body.ts'

const read = (body: object) => toChatRequest(chatBodySchema.parse({ bot_id: '1', ...body }))
const problemOf = (body: object) => chatBodySchema.safeParse({ bot_id: '1', ...body }).error?.issues[0]
const refused = (message: string) => expect.objectContaining({ code: 'invalid_request', message: expect.stringContaining(message) })
const question = (content: string) => ({ role: 'user', content, contentType: 'text' })

describe('the guide’s body', () => {
  test('a question, history before it, values for the prompt', () => {
    const body = {
      bot_id: 123456,
      conversation_id: 'conv_789',
      user_id: 'user_001',
      stream: true,
      query: '你好',
      chat_history: [
        { role: 'user', content: 'one' },
        { role: 'assistant', content: 'two' },
      ],
      parameters: { city: '北京', days: 3, nested: { a: [1] }, nothing: null },
    }
    const request = read(body)

    expect(styleOf(chatBodySchema.parse(body))).toBe('guide')
    expect(request).toMatchObject({ botId: '123456', conversationId: 'conv_789', endUser: 'user_001', stream: true, metaData: {} })
    expect(request.variables).toMatchObject({ city: '北京', days: '3', nested: '{"a":[1]}' })
    expect(request.messages).toMatchObject([question('one'), { role: 'assistant', type: 'answer', content: 'two' }, question('你好')])
  })

  test('the least of it', () => {
    expect(read({ query: 'hi' })).toMatchObject({
      ...{ botId: '1', conversationId: undefined, endUser: undefined, stream: false, variables: {}, metaData: {} },
      messages: [question('hi')],
    })
  })

  test.each(['', '  \n'])('a question of nothing is refused: %j', (query) => {
    expect(() => read({ query })).toThrow(refused('query must not be empty'))
  })
})

describe('the SDKs’ body', () => {
  test('cozepy sends every field of a message, null where it has nothing', () => {
    const nothing = { id: null, conversation_id: null, bot_id: null, chat_id: null, section_id: null, created_at: null, updated_at: null }
    const message = {
      ...nothing,
      role: 'user',
      type: 'question',
      content: 'Hi',
      content_type: 'text',
      meta_data: null,
      reasoning_content: null,
    }
    const body = {
      ...{ bot_id: '7373737373737373737', user_id: 'u', stream: true, auto_save_history: true, enable_card: null },
      ...{ custom_variables: null, meta_data: null, parameters: null, chat_history: null, query: null, additional_messages: [message] },
    }

    expect(styleOf(chatBodySchema.parse(body))).toBe('sdk')
    expect(read(body)).toMatchObject({
      ...{ botId: '7373737373737373737', conversationId: undefined, endUser: 'u', metaData: {}, variables: {} },
      messages: [{ role: 'user', type: 'question', content: 'Hi', contentType: 'text' }],
    })
  })

  test('parts may come as an array, or as its JSON', () => {
    const parts = [
      { type: 'text', text: '看' },
      { type: 'image', file_id: '55', file_url: null },
    ]
    const asJson = { content: JSON.stringify(parts), contentType: 'object_string' }

    expect(read({ additional_messages: [{ role: 'user', content: parts }] }).messages).toMatchObject([asJson])
    expect(read({ additional_messages: [{ role: 'user', content: parts, content_type: 'text' }] }).messages).toMatchObject([asJson])
    expect(
      read({ additional_messages: [{ role: 'user', content_type: 'object_string', content: JSON.stringify(parts) }] }).messages,
    ).toMatchObject([asJson])
  })

  test('a message is a user’s question unless it says otherwise; what is neither question nor answer is left out', () => {
    const additional_messages = [
      { content: 'a' },
      { role: 'assistant', content: 'b' },
      { role: 'assistant', type: 'function_call', content: '{}' },
      { role: 'assistant', type: 'tool_output', content: '' },
      { role: 'assistant', type: 'verbose', content: '{}' },
      { role: 'user', type: '', content: 'c' },
    ]
    expect(read({ additional_messages }).messages.map(({ role, type, content }) => [role, type, content])).toEqual([
      ['user', 'question', 'a'],
      ['assistant', 'answer', 'b'],
      ['user', 'question', 'c'],
    ])
  })

  test('variables of the prompt are texts', () => {
    const variables = { a: 'x', b: 1, c: true, d: { e: 1 } }
    expect(read({ parameters: { a: 'old', z: 'z' }, custom_variables: variables }).variables).toEqual({
      a: 'x',
      b: '1',
      c: 'true',
      d: '{"e":1}',
      z: 'z',
    })
    expect(Object.keys(read(parseUnsafe('{"custom_variables":{"__proto__":"x"}}')).variables)).not.toContain('admin')
  })

  test('no message at all is for an existing conversation to decide', () => {
    expect([read({}).messages, read({ additional_messages: [] }).messages]).toEqual([[], []])
  })

  test('what is left out has the meaning that Coze gives it', () => {
    expect(read({})).toMatchObject({
      ...{
        ifBusy: 'reject',
        savesHistory: true,
        functions: [],
        messageMeta: {},
        callbackUrl: undefined,
        shortcut: undefined,
        stream: false,
      },
    })
    expect(read({ auto_save_history: null, if_busy: null, extra_params: null, callback_url: '' })).toMatchObject({
      ...{ ifBusy: 'reject', savesHistory: true, messageMeta: {}, callbackUrl: undefined },
    })
  })

  test('and what is given counts', () => {
    const body = {
      ...{ conversation_id: 5, auto_save_history: false, if_busy: 'enqueue', extra_params: { latitude: '1' } },
      shortcut_command: { command_id: '7', parameters: { city: '北京', days: 3 } },
    }
    expect(read(body)).toMatchObject({
      ...{ conversationId: '5', savesHistory: false, ifBusy: 'enqueue', messageMeta: { latitude: '1' } },
      shortcut: { id: '7', parameters: { city: '北京', days: '3' } },
    })
  })
})

describe('what is wrong is named', () => {
  test.each([
    [{ bot_id: undefined }, 'bot_id'],
    [{ bot_id: 'abc' }, 'bot_id'],
    [{ stream: 'yes' }, 'stream'],
    [{ query: 1 }, 'query'],
    [{ query: 'x'.repeat(1_000_001) }, 'query'],
    [{ additional_messages: 'x' }, 'additional_messages'],
    [{ additional_messages: ['x'] }, 'additional_messages.0'],
    [{ additional_messages: [{ role: 'system', content: 'x' }] }, 'additional_messages.0.role'],
    [{ additional_messages: [{ content: 5 }] }, 'additional_messages.0.content'],
    [{ additional_messages: [{ content: 'x', content_type: 'html' }] }, 'additional_messages.0.content_type'],
    [{ additional_messages: Array(501).fill({ content: 'x' }) }, 'additional_messages'],
    [{ parameters: '{}' }, 'parameters'],
    [{ parameters: [] }, 'parameters'],
    [{ meta_data: { a: 1 } }, 'meta_data.a'],
  ])('%#: %o', (body, place) => {
    expect(problemOf(body)?.path.join('.')).toBe(place)
  })

  test.each([
    [{ additional_messages: [{ role: 'user' }] }, 'content of a message must not be empty'],
    [{ additional_messages: [{ role: 'user', content: '' }] }, 'content of a message must not be empty'],
    [{ additional_messages: [{ content: '{', content_type: 'object_string' }] }, 'object_string must be a JSON array'],
    [{ additional_messages: [{ content: [{ type: 'image' }] }] }, 'needs file_id or file_url'],
    [
      { chat_history: Array(300).fill({ content: 'x' }), additional_messages: Array(300).fill({ content: 'x' }) },
      'at most 500 messages together',
    ],
  ])('%#: %o', (body, message) => {
    expect(() => read(body)).toThrow(refused(message))
  })
})

const parseUnsafe = (json: string) => JSON.parse(json) as object
