import { describe, expect, test } from 'vitest'
import { createConversationHouse, OWNER } from '../../../test/support/conversation-house.ts'
import { testDatabases } from '../../../test/support/test-databases.ts'
import { deleteConversation, draftMessage, getConversation } from '../../conversations/conversations.ts'
import { insertMessage } from '../../conversations/message-store.ts'
import { toText } from '../values/value-text.ts'
import {
  clearConversationHistoryNode,
  conversationHistoryNode,
  conversationNodes,
  createConversationNode,
  deleteConversationNode,
  listConversationsNode,
  updateConversationNode,
} from './conversation-nodes.ts'
import { createMessageNode } from './message-nodes.ts'

const refused = (code: number, words: string) =>
  expect.objectContaining({ name: 'NodeError', code, message: expect.stringContaining(words) })
const FIXED = refused(720702250, 'Only conversation created through nodes are allowed to be modified or deleted')
const UNKNOWN = refused(720702201, 'conversation not found')

describe.each(testDatabases())('conversation nodes on $name', ({ open }) => {
  test('create makes a conversation once', async () => {
    await using db = await open()
    const { run } = await createConversationHouse(db)
    const made = await run(createConversationNode, { conversationName: '旅行 🚀' })

    expect(made).toEqual({ isSuccess: true, isExisted: false, conversationId: expect.stringMatching(/^\d+$/) })
    expect(await run(createConversationNode, { conversationName: '旅行 🚀' })).toEqual({ ...made, isExisted: true })
    expect(await run(createConversationNode, { conversationName: '旅行 🚀' }, { endUser: 'ada' })).toMatchObject({ isExisted: false })
    expect(await run(createConversationNode, { conversationName: 'orders' })).toMatchObject({ isExisted: false })
    expect(await run(createConversationNode, { conversationName: 'Default' })).toMatchObject({ isSuccess: true })
  })

  test('a chat finds its own conversation by its name, whoever began it', async () => {
    await using db = await open()
    const { run } = await createConversationHouse(db)
    const { conversationId } = await run(createConversationNode, { conversationName: 'talk' })
    const chat = { endUser: 'ada', conversationId: toText(conversationId ?? '') }

    expect(await run(createConversationNode, { conversationName: 'talk' }, chat)).toEqual({
      isSuccess: true,
      isExisted: true,
      conversationId,
    })
    expect(await run(createConversationNode, { conversationName: 'other' }, chat)).toMatchObject({ isExisted: false })
    expect(await run(updateConversationNode, { conversationName: 'talk', newConversationName: 'speech' }, chat)).toMatchObject({
      conversationId,
    })
    expect(await run(createConversationNode, { conversationName: 'speech' })).toEqual({ isSuccess: true, isExisted: true, conversationId })
  })

  test('update renames what a node has made, and only that', async () => {
    await using db = await open()
    const { run } = await createConversationHouse(db)
    const { conversationId: one } = await run(createConversationNode, { conversationName: 'one' })
    const { conversationId: two } = await run(createConversationNode, { conversationName: 'two' })
    const rename = (conversationName: string, newConversationName: string) =>
      run(updateConversationNode, { conversationName, newConversationName })

    expect(await rename('one', 'two')).toEqual({ isSuccess: false, isExisted: true, conversationId: two })
    expect(await rename('one', 'orders')).toEqual({ isSuccess: false, isExisted: true, conversationId: '0' })
    expect(await rename('one', 'first')).toEqual({ isSuccess: true, isExisted: false, conversationId: one })
    await expect(rename('one', 'x')).rejects.toEqual(UNKNOWN)
    await expect(rename('orders', 'x')).rejects.toEqual(FIXED)
    await expect(rename('Default', 'x')).rejects.toEqual(FIXED)
    await expect(rename('first', 'x'.repeat(10_000))).rejects.toEqual(refused(720702001, 'at most 255 characters'))
  })

  test('delete removes what a node has made, and only that', async () => {
    await using db = await open()
    const { run } = await createConversationHouse(db)
    await run(createConversationNode, { conversationName: 'talk' })

    expect(await run(deleteConversationNode, { conversationName: 'talk' })).toEqual({ isSuccess: true })
    await expect(run(deleteConversationNode, { conversationName: 'talk' })).rejects.toEqual(UNKNOWN)
    await expect(run(deleteConversationNode, { conversationName: 'orders' })).rejects.toEqual(FIXED)
  })

  test('list tells names and ids as texts', async () => {
    await using db = await open()
    const { run } = await createConversationHouse(db)
    const { conversationId } = await run(createConversationNode, { conversationName: 'talk' })

    expect(await run(listConversationsNode, {})).toEqual({
      conversationList: [{ conversationName: 'talk', conversationId }],
    })
  })

  test('history is the newest rounds, oldest message first, until it is cleared', async () => {
    await using db = await open()
    const { run } = await createConversationHouse(db)
    await run(createConversationNode, { conversationName: 'talk' })
    const say = (role: string, content: string) => run(createMessageNode, { conversationName: 'talk', role, content })
    await say('user', 'one')
    for (const content of ['a', 'b', 'c', 'd', 'e', 'f']) await say('assistant', content)
    await say('user', 'two')
    await say('assistant', '好 🚀')
    const history = async (rounds: number) => {
      const { messageList } = await run(conversationHistoryNode, { conversationName: 'talk', rounds })
      return messageList
    }

    expect(await history(1)).toEqual([
      { role: 'user', content: 'two' },
      { role: 'assistant', content: '好 🚀' },
    ])
    expect(await history(2)).toHaveLength(9)
    for (const rounds of [3, 0, -1, 1_000_000_000]) expect(await history(rounds), String(rounds)).toHaveLength(9)

    expect(await run(clearConversationHistoryNode, { conversationName: 'talk' })).toEqual({ isSuccess: true })
    expect(await history(3)).toEqual([])
    await say('user', 'three')
    expect(await history(3)).toEqual([{ role: 'user', content: 'three' }])
  })

  test('history leaves out what the running chat itself has said', async () => {
    await using db = await open()
    const { run, deps } = await createConversationHouse(db)
    const made = await run(createConversationNode, { conversationName: 'talk' })
    const conversationId = toText(made.conversationId ?? '')
    const { sectionId } = await getConversation(deps, OWNER, conversationId)
    const chats = [deps.nextId(), deps.nextId()]
    for (const runId of chats)
      await insertMessage(
        db,
        draftMessage(
          deps,
          { conversationId, sectionId, runId, botId: undefined },
          { role: 'user', content: `of ${runId}`, contentType: 'text' },
        ),
      )
    const history = (context: object) => run(conversationHistoryNode, { conversationName: 'talk', rounds: 9 }, context)

    expect(await history({ conversationId, chatId: chats[1] })).toEqual({ messageList: [{ role: 'user', content: `of ${chats[0]}` }] })
    expect(await history({ chatId: chats[1] })).toMatchObject({ messageList: [{}, {}] })
  })

  test('a conversation that nobody has used: declared ones are empty, others are not there', async () => {
    await using db = await open()
    const { run } = await createConversationHouse(db)

    for (const conversationName of ['orders', 'Default'])
      expect(await run(conversationHistoryNode, { conversationName, rounds: 3 })).toEqual({ messageList: [] })
    await expect(run(conversationHistoryNode, { conversationName: 'talk', rounds: 3 })).rejects.toEqual(UNKNOWN)
    for (const conversationName of ['orders', 'talk'])
      expect(await run(clearConversationHistoryNode, { conversationName })).toEqual({ isSuccess: false })
  })

  test('all of them need an app, and no agent', async () => {
    await using db = await open()
    const { run } = await createConversationHouse(db)
    const inputs = { conversationName: 'talk', newConversationName: 'x', rounds: 1 }
    const needed = refused(702093204, 'require an app binding')

    for (const type of conversationNodes) {
      await expect(run(type, inputs, { appId: undefined }), type.name).rejects.toEqual(needed)
      await expect(run(type, inputs, { appId: undefined, botId: '5' }), type.name).rejects.toEqual(needed)
      await expect(run(type, inputs, { botId: '5' }), type.name).rejects.toEqual(needed)
    }
  })

  test('names that are missing, and apps of somebody else, are refused', async () => {
    await using db = await open()
    const { run, deps } = await createConversationHouse(db)
    for (const type of conversationNodes.filter((each) => each !== listConversationsNode)) {
      const required = refused(720702001, 'conversationName is required')
      await expect(run(type, {}), type.name).rejects.toEqual(required)
      await expect(run(type, { conversationName: '' }), type.name).rejects.toEqual(required)
      await expect(run(type, { conversationName: 'a', newConversationName: 'b' }, { who: { userId: '2' } }), type.name).rejects.toEqual(
        refused(777777782, 'app not found'),
      )
    }
    await expect(run(createConversationNode, { conversationName: 'x'.repeat(10_000) })).rejects.toEqual(
      refused(720702001, 'at most 255 characters, not 10000'),
    )
    await expect(run(updateConversationNode, { conversationName: 'a' })).rejects.toEqual(
      refused(720702001, 'newConversationName is required'),
    )

    const made = await run(createConversationNode, { conversationName: 'a' })
    await deleteConversation(deps, OWNER, toText(made.conversationId ?? ''))
    expect(await run(clearConversationHistoryNode, { conversationName: 'a' })).toEqual({ isSuccess: false })
  })
})

test('writing nodes say that they have effects', () => {
  const writing = conversationNodes.filter((type) => type.hasEffects).map((type) => type.code)
  expect(writing).toEqual(['39', '51', '52', '38'])
  expect(conversationNodes.filter((type) => !type.fillsInputs).map((type) => type.code)).toEqual(['53'])
})
