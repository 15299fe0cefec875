import { describe, expect, test } from 'vitest'
import { createConversationHouse, OWNER } from '../../../test/support/conversation-house.ts'
import { testDatabases } from '../../../test/support/test-databases.ts'
import { claimConversation } from '../../conversations/conversation-store.ts'
import { createConversation, draftMessage, getConversation, listOwnMessages } from '../../conversations/conversations.ts'
import { insertMessage } from '../../conversations/message-store.ts'
import { createMessage, getMessage } from '../../conversations/messages.ts'
import { toText } from '../values/value-text.ts'
import { createConversationNode } from './conversation-nodes.ts'
import { createMessageNode, deleteMessageNode, editMessageNode, listMessagesNode, messageNodes } from './message-nodes.ts'

const refused = (code: number, words: string) =>
  expect.objectContaining({ name: 'NodeError', code, message: expect.stringContaining(words) })
const MISSING = refused(777777781, 'Message node operation failure: message not found')

type House = Awaited<ReturnType<typeof createConversationHouse>>

const say = async ({ run }: House, content: string, conversationName = 'talk') => {
  const { message } = await run(createMessageNode, { conversationName, role: 'user', content })
  return String(Object(message).messageId)
}

async function settle(house: House): Promise<string> {
  const { conversationId } = await house.run(createConversationNode, { conversationName: 'talk' })
  return toText(conversationId ?? '')
}

describe.each(testDatabases())('message nodes on $name', ({ open }) => {
  test('create puts a message where the API shows it', async () => {
    await using db = await open()
    const house = await createConversationHouse(db)
    const conversationId = await settle(house)
    const made = await house.run(createMessageNode, { conversationName: 'talk', role: 'assistant', content: '你好 🚀' })

    const messageId = expect.stringMatching(/^\d+$/)
    expect(made).toEqual({ isSuccess: true, message: { messageId, role: 'assistant', contentType: 'text', content: '你好 🚀' } })
    await say(house, 'hi')
    const { messages } = await listOwnMessages(house.deps, OWNER, { conversationId, order: 'asc', limit: 10 })
    expect(messages.map(({ role, type, content }) => [role, type, content])).toEqual([
      ['assistant', 'answer', '你好 🚀'],
      ['user', 'question', 'hi'],
    ])
  })

  test('a declared conversation is made by its first message, another one is not', async () => {
    await using db = await open()
    const house = await createConversationHouse(db)
    const create = (conversationName: string) => house.run(createMessageNode, { conversationName, role: 'user', content: 'hi' })

    expect(await create('orders')).toMatchObject({ isSuccess: true })
    expect(await create('Default')).toMatchObject({ isSuccess: true })
    expect(await create('nothing')).toEqual({
      isSuccess: false,
      message: { messageId: '0', role: 'user', contentType: 'text', content: 'hi' },
    })
  })

  test('edit and delete change one message', async () => {
    await using db = await open()
    const house = await createConversationHouse(db)
    const conversationId = await settle(house)
    const [one, two] = [await say(house, 'one'), await say(house, 'two')]

    expect(await house.run(editMessageNode, { conversationName: 'talk', messageId: one, newContent: '改 🚀' })).toEqual({ isSuccess: true })
    expect(await getMessage(house.deps, OWNER, { conversationId, messageId: one })).toMatchObject({ content: '改 🚀' })
    expect(await house.run(deleteMessageNode, { conversationName: 'talk', messageId: one })).toEqual({ isSuccess: true })
    expect(await house.run(listMessagesNode, { conversationName: 'talk' })).toMatchObject({ messageList: [{ messageId: two }] })
  })

  test('messages of other conversations, and ids that are none, are not found', async () => {
    await using db = await open()
    const house = await createConversationHouse(db)
    await settle(house)
    const elsewhere = await say(house, 'mine', 'orders')
    const stranger = { userId: '2' }
    const { id: foreign } = await createConversation(house.deps, stranger, { messages: [] })
    const { id: strange } = await createMessage(house.deps, stranger, {
      conversationId: foreign,
      input: { role: 'user', content: 'secret', contentType: 'text' },
    })

    for (const messageId of [elsewhere, strange, foreign, '0', '123', '9'.repeat(19), '9'.repeat(400), 'abc', '-1', '1 or 1=1', '🚀']) {
      const inputs = { conversationName: 'talk', messageId, newContent: 'x' }
      await expect(house.run(editMessageNode, inputs), messageId.slice(0, 20)).rejects.toEqual(MISSING)
      await expect(house.run(deleteMessageNode, inputs), messageId.slice(0, 20)).rejects.toEqual(MISSING)
      const nowhere = { ...inputs, conversationName: 'nothing' }
      expect(await house.run(editMessageNode, nowhere)).toEqual({ isSuccess: false })
      expect(await house.run(deleteMessageNode, nowhere)).toEqual({ isSuccess: false })
    }
    expect(await house.run(listMessagesNode, { conversationName: 'orders' })).toMatchObject({ messageList: [{ content: 'mine' }] })
    expect(await getMessage(house.deps, stranger, { conversationId: foreign, messageId: strange })).toMatchObject({ content: 'secret' })
  })

  test('a chat that still runs keeps its own messages', async () => {
    await using db = await open()
    const house = await createConversationHouse(db)
    const conversationId = await settle(house)
    const { sectionId } = await getConversation(house.deps, OWNER, conversationId)
    const runId = house.deps.nextId()
    await claimConversation(db, conversationId, { runId, now: 1 })
    const question = draftMessage(
      house.deps,
      { conversationId, sectionId, runId, botId: undefined },
      { role: 'user', content: 'hi', contentType: 'text' },
    )
    await insertMessage(db, question)

    const edit = house.run(editMessageNode, { conversationName: 'talk', messageId: question.id, newContent: 'x' })
    await expect(edit).rejects.toEqual(refused(777777781, 'Message node operation failure: the chat of this message is still running'))
  })

  test('list pages through the newest first', async () => {
    await using db = await open()
    const house = await createConversationHouse(db)
    await settle(house)
    const ids = []
    for (let at = 0; at < 5; at++) ids.unshift(await say(house, `message ${at}`))
    const list = async (page: object) => {
      const { messageList, ...ends } = await house.run(listMessagesNode, { conversationName: 'talk', ...page })
      return { ids: Array.isArray(messageList) ? messageList.map((each) => Object(each).messageId) : [], ...ends }
    }

    expect(await house.run(listMessagesNode, { conversationName: 'talk', limit: 1 })).toEqual({
      messageList: [{ messageId: ids[0], role: 'user', contentType: 'text', content: 'message 4' }],
      ...{ firstId: ids[0], lastId: ids[0], hasMore: true },
    })
    expect(await list({ limit: 2 })).toEqual({ ids: ids.slice(0, 2), firstId: ids[0], lastId: ids[1], hasMore: true })
    expect(await list({ limit: 2, afterId: ids[1] })).toEqual({ ids: ids.slice(2, 4), firstId: ids[2], lastId: ids[3], hasMore: true })
    expect(await list({ limit: 2, afterId: ids[3] })).toMatchObject({ ids: ids.slice(4), hasMore: false })
    expect(await list({ limit: 2, beforeId: ids[4] })).toMatchObject({ ids: ids.slice(2, 4), hasMore: true })
    expect(await list({ afterId: ids[4] })).toEqual({ ids: [], firstId: '0', lastId: '0', hasMore: false })
    for (const page of [{}, { limit: 0, beforeId: '', afterId: '' }, { limit: -3 }, { limit: 51 }, { afterId: '0', beforeId: '0' }])
      expect(await list(page), JSON.stringify(page)).toMatchObject({ ids, hasMore: false })
  })

  test('a page has at most fifty messages', async () => {
    await using db = await open()
    const house = await createConversationHouse(db)
    await settle(house)
    for (let at = 0; at < 51; at++) await say(house, 'x')

    for (const limit of [0, 50, 51, 1_000_000]) {
      const { messageList, hasMore } = await house.run(listMessagesNode, { conversationName: 'talk', limit })
      expect(messageList, String(limit)).toHaveLength(50)
      expect(hasMore).toBe(true)
    }
  })

  test('positions that are no ids, or both at once, are refused', async () => {
    await using db = await open()
    const house = await createConversationHouse(db)
    const list = (page: object) => house.run(listMessagesNode, { conversationName: 'orders', ...page })

    await expect(list({ beforeId: '1', afterId: '2' })).rejects.toEqual(refused(720702001, 'cannot be set at the same time'))
    for (const beforeId of ['abc', '-1', '1.5', '9'.repeat(20)])
      await expect(list({ beforeId })).rejects.toEqual(refused(720702001, 'beforeId must be a message id'))
    expect(await list({})).toEqual({ messageList: [], firstId: '0', lastId: '0', hasMore: false })
  })

  test('multimodal messages are read as texts and URLs', async () => {
    await using db = await open()
    const house = await createConversationHouse(db)
    const conversationId = await settle(house)
    const content = JSON.stringify([
      { type: 'image', file_url: 'https://example.com/a.png' },
      { type: 'text', text: 'look' },
    ])
    await createMessage(house.deps, OWNER, { conversationId, input: { role: 'user', content, contentType: 'object_string' } })

    expect(await house.run(listMessagesNode, { conversationName: 'talk' })).toMatchObject({
      messageList: [{ contentType: 'object_string', content: 'look,https://example.com/a.png' }],
    })
  })

  test('without an app only the conversation of an agent is there, as Default', async () => {
    await using db = await open()
    const house = await createConversationHouse(db)
    const { id: conversationId } = await createConversation(house.deps, OWNER, { botId: '5', messages: [] })
    const agent = { appId: undefined, botId: '5', conversationId }
    const inputs = { conversationName: 'Default', role: 'user', content: 'hi', messageId: '1', newContent: 'x' }

    for (const context of [agent, { appId: undefined, botId: '5' }, { appId: undefined }])
      for (const type of messageNodes)
        await expect(house.run(type, { ...inputs, conversationName: 'talk' }, context), type.name).rejects.toEqual(
          refused(720712033, 'Only default conversation allow in agent scenario'),
        )

    const { message } = await house.run(createMessageNode, inputs, agent)
    const { messageId } = Object(message)
    expect(await house.run(editMessageNode, { ...inputs, messageId }, agent)).toEqual({ isSuccess: true })
    expect(await house.run(listMessagesNode, inputs, agent)).toMatchObject({ messageList: [{ messageId, content: 'x' }] })
    expect(await house.run(deleteMessageNode, { ...inputs, messageId }, agent)).toEqual({ isSuccess: true })
  })

  test('without an app and an agent conversation nothing is done, and nothing fails', async () => {
    await using db = await open()
    const house = await createConversationHouse(db)
    const inputs = { conversationName: 'Default', role: 'user', content: 'hi', messageId: '0', newContent: 'x' }

    for (const context of [{ appId: undefined }, { appId: undefined, botId: '5' }, { appId: undefined, conversationId: '9' }]) {
      expect(await house.run(createMessageNode, inputs, context)).toMatchObject({ isSuccess: false, message: { messageId: '0' } })
      expect(await house.run(editMessageNode, inputs, context)).toEqual({ isSuccess: false })
      expect(await house.run(deleteMessageNode, inputs, context)).toEqual({ isSuccess: false })
      expect(await house.run(listMessagesNode, inputs, context)).toMatchObject({ messageList: [], firstId: '0', hasMore: false })
    }
  })

  test('inputs that are missing or too large are refused', async () => {
    await using db = await open()
    const house = await createConversationHouse(db)
    const conversationId = await settle(house)
    const create = (inputs: object) => house.run(createMessageNode, { conversationName: 'talk', role: 'user', content: 'x', ...inputs })

    for (const role of ['', 'system', 'User', '🚀'.repeat(5_000)])
      await expect(create({ role })).rejects.toEqual(refused(720702001, 'role must be user or assistant'))
    await expect(create({ content: 'x'.repeat(1_000_001) })).rejects.toEqual(refused(720702001, 'at most 1000000 characters'))
    await expect(create({ conversationName: '' })).rejects.toEqual(refused(720702001, 'conversationName is required'))
    await expect(house.run(editMessageNode, { conversationName: 'talk' })).rejects.toEqual(refused(720702001, 'messageId is required'))
    await expect(
      house.run(createMessageNode, { conversationName: 'talk', role: 'user', content: 'x' }, { who: { userId: '2' } }),
    ).rejects.toEqual(refused(777777781, 'app not found'))
    expect(await create({ content: '' })).toMatchObject({ isSuccess: true })
    const { messages } = await listOwnMessages(house.deps, OWNER, { conversationId, order: 'asc', limit: 10 })
    expect(messages.map(({ content }) => content)).toEqual([''])
  })
})

test('writing nodes say that they have effects', () => {
  expect(messageNodes.filter((type) => type.hasEffects).map((type) => type.code)).toEqual(['55', '56', '57'])
})
