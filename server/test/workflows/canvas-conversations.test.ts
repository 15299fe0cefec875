import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startChatflowRun } from '../../src/workflows/runs/start-chatflow-run.ts'
import type { ValueObject } from '../../src/workflows/values/value.ts'
import { drawCanvas, literal, ref } from '../support/canvas-builder.ts'
import type { Input, NodeSketch, TypeFields } from '../support/canvas-builder.ts'
import { ADA, APP, openCanvasHouse } from '../support/canvas-house.ts'
import type { CanvasHouse } from '../support/canvas-house.ts'
import { single } from '../support/node-sketches.ts'
import { testDatabases } from '../support/test-databases.ts'

const done: TypeFields = { isSuccess: 'boolean' }
const node = (given: Record<string, Input>, outputs: TypeFields = done): NodeSketch => ({ params: given, outputs })
const message: TypeFields = {
  isSuccess: 'boolean',
  message: { messageId: 'string', role: 'string', contentType: 'string', content: 'string' },
}
const list: TypeFields = {
  messageList: [{ messageId: 'string', role: 'string', contentType: 'string', content: 'string' }],
  firstId: 'string',
  lastId: 'string',
  hasMore: 'boolean',
}

describe.each(testDatabases())('conversations in a workflow, on $name', ({ open }) => {
  let db: Awaited<ReturnType<typeof open>>
  let house: CanvasHouse
  beforeAll(async () => {
    db = await open()
    house = await openCanvasHouse({ db })
    await house.makeApp({ conversations: ['declared'] })
  })
  afterAll(async () => {
    await house[Symbol.asyncDispose]()
    await db[Symbol.asyncDispose]()
  })
  const outputsOf = async (type: number, sketch: NodeSketch) =>
    ((await house.results(single(type, sketch), {}, { appId: APP })) as ValueObject).got as ValueObject

  test('are made, written to, read, renamed and deleted', async () => {
    const canvas = drawCanvas()
      .entry({ name: 'string' })
      .node('101', 39, node({ conversationName: ref('entry.name') }, { ...done, conversationId: 'string', isExisted: 'boolean' }))
      .node('102', 39, node({ conversationName: ref('entry.name') }, { ...done, conversationId: 'string', isExisted: 'boolean' }))
      .node('103', 55, node({ conversationName: ref('entry.name'), role: 'user', content: 'one' }, message))
      .node('104', 55, node({ conversationName: ref('entry.name'), role: 'assistant', content: 'two' }, message))
      .node('105', 56, node({ conversationName: ref('entry.name'), messageId: ref('104.message.messageId'), newContent: 'three' }))
      .node('106', 37, node({ conversationName: ref('entry.name'), limit: literal('1', 'integer'), beforeId: '', afterId: '' }, list))
      .node('107', 57, node({ conversationName: ref('entry.name'), messageId: ref('103.message.messageId') }))
      .node('108', 37, node({ conversationName: ref('entry.name') }, list))
      .node(
        '109',
        51,
        node(
          { conversationName: ref('entry.name'), newConversationName: 'renamed' },
          { ...done, isExisted: 'boolean', conversationId: 'string' },
        ),
      )
      .node('110', 53, {
        inputs: { inputParameters: [] },
        outputs: { conversationList: [{ conversationName: 'string', conversationId: 'string' }] },
      })
      .node('111', 52, node({ conversationName: 'renamed' }))
      .exit({
        ...{ made: ref('101.isExisted', 'boolean'), again: ref('102.isExisted', 'boolean'), edited: ref('105.isSuccess', 'boolean') },
        ...{ more: ref('106.hasMore', 'boolean'), last: ref('106.messageList.content'), deleted: ref('107.isSuccess', 'boolean') },
        ...{
          left: ref('108.messageList', ['object']),
          renamed: ref('109', 'object'),
          names: ref('110.conversationList', ['object']),
          gone: ref('111.isSuccess', 'boolean'),
        },
        ...{ one: ref('101.conversationId'), two: ref('102.conversationId') },
      })
      .edges('entry > 101 > 102 > 103 > 104 > 105 > 106 > 107 > 108 > 109 > 110 > 111 > exit')
      .build()
    const { one, two, ...results } = (await house.results(canvas, { name: 'talk' }, { appId: APP })) as ValueObject
    expect(one).toBe(two)
    expect(results).toMatchObject({
      ...{ made: false, again: true, edited: true, more: true, last: 'three', deleted: true, gone: true },
      left: [{ role: 'assistant', content: 'three', contentType: 'text', messageId: expect.stringMatching(/^\d+$/) }],
      renamed: { isSuccess: true, isExisted: false, conversationId: one },
      names: [{ conversationName: 'renamed', conversationId: one }],
    })
  })

  test('that the app declares are not renamed or deleted, unknown ones are not found, names in use stay', async () => {
    const failure = async (type: number, given: Record<string, Input>) =>
      (await house.play(single(type, node(given)), {}, { appId: APP })).run.error
    for (const type of [51, 52]) {
      expect(await failure(type, { conversationName: 'declared', newConversationName: 'x' })).toMatchObject({
        code: 720702250,
        message: expect.stringContaining('Only conversation created through nodes are allowed'),
      })
      expect(await failure(type, { conversationName: 'nobody', newConversationName: 'x' })).toMatchObject({ code: 720702201 })
    }
    await outputsOf(39, node({ conversationName: 'a' }))
    await outputsOf(39, node({ conversationName: 'b' }))
    expect(await outputsOf(51, node({ conversationName: 'a', newConversationName: 'b' }))).toMatchObject({
      isSuccess: false,
      isExisted: true,
    })
  })

  test('have a history by rounds, which can be cleared', async () => {
    for (const [role, content] of [
      ['user', '1'],
      ['assistant', '2'],
      ['user', '3'],
      ['assistant', '4'],
    ] as const)
      expect(await outputsOf(55, node({ conversationName: 'declared', role, content }, message))).toMatchObject({
        isSuccess: true,
        message: { role, content },
      })
    const history = async (rounds: Input) =>
      (
        (await outputsOf(54, node({ conversationName: 'declared', rounds }, { messageList: [{ role: 'string', content: 'string' }] })))
          .messageList as { content: string }[]
      ).map(({ content }) => content)
    expect(await history(literal('1', 'integer'))).toEqual(['3', '4'])
    expect(await history(10)).toEqual(['1', '2', '3', '4'])
    expect(await outputsOf(38, node({ conversationName: 'declared' }))).toEqual({ isSuccess: true })
    expect(await history(10)).toEqual([])
  })

  test('want an app; messages without one are those of the default conversation only', async () => {
    const played = (type: number, given: Record<string, Input>) => house.play(single(type, node(given, type === 55 ? message : done)))
    for (const type of [39, 51, 52, 53, 54, 38])
      expect((await played(type, { conversationName: 'a', newConversationName: 'b', rounds: 1 })).run.error, String(type)).toMatchObject({
        code: 702093204,
      })
    expect((await played(55, { conversationName: 'a', role: 'user', content: 'x' })).run.error).toMatchObject({
      code: 720712033,
      message: expect.stringContaining('Only default conversation allow in agent scenario'),
    })
    expect((await played(55, { conversationName: 'Default', role: 'user', content: 'x' })).output).toMatchObject({
      got: { isSuccess: false, message: { messageId: '0' } },
    })
    const both = { conversationName: 'declared', beforeId: '1', afterId: '2' }
    expect((await house.play(single(37, node(both, list)), {}, { appId: APP })).error).toContain(
      'beforeId and afterId cannot be set at the same time',
    )
  })
})

describe('a chatflow', () => {
  const chatflow = drawCanvas()
    .entry({ USER_INPUT: 'string', CONVERSATION_NAME: 'string', tone: 'string' }, { CONVERSATION_NAME: 'Default', tone: 'kind' })
    .answer(
      '{{q}} in {{c}}, {{t}}',
      { q: ref('entry.USER_INPUT'), c: ref('entry.CONVERSATION_NAME'), t: ref('entry.tone') },
      { streaming: true },
    )
    .edges('entry > exit')
    .build()

  test('gets the last message as its input, files as their URLs, and the name of its conversation', async () => {
    await using house = await openCanvasHouse()
    await house.makeApp()
    const workflowId = await house.store(chatflow, { mode: 'chatflow' })
    const chat = async (content: string, contentType: 'text' | 'object_string', more: object = {}) => {
      const { finished } = await startChatflowRun(
        { ...house.deps, fileUrl: async (_who, fileId) => `https://files.example/${fileId}` },
        ADA,
        {
          ...{
            workflowId,
            version: '',
            endUser: 'ada',
            connectorId: '1024',
            logId: 'log',
            savesHistory: true,
            style: 'sdk',
            parameters: {},
            appId: APP,
          },
          messages: [
            { role: 'user', content: 'earlier', contentType: 'text' },
            { role: 'assistant', content: 'yes?', contentType: 'text' },
            { role: 'user', content, contentType },
          ],
          ...more,
        },
      )
      const run = await finished
      if (run.status !== 'succeeded') throw new Error(run.error?.message)
      return (JSON.parse(run.output) as { data: string }).data
    }
    expect(await chat('hello', 'text', { parameters: { CONVERSATION_NAME: 'shop' } })).toBe('hello in shop, kind')
    const parts = JSON.stringify([
      { type: 'text', text: 'see' },
      { type: 'file', file_id: '7' },
      { type: 'image', file_url: 'https://x.example/b.png' },
    ])
    expect(await chat(parts, 'object_string', { parameters: { CONVERSATION_NAME: 'shop', tone: 'short' } })).toBe(
      'see,https://files.example/7,https://x.example/b.png in shop, short',
    )
  })
})
