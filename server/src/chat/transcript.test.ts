import { describe, expect, test } from 'vitest'
import { ADA, DONE, openChatHouse } from '../../test/support/chat-house.ts'
import type { Script } from '../../test/support/chat-house.ts'
import { testDatabases } from '../../test/support/test-databases.ts'
import { listOwnConversations } from '../conversations/conversations.ts'
import { findRun, findWaiting } from './run-store.ts'
import { submitToolOutputs } from './submit-tool-outputs.ts'
import type { TranscriptMessage } from './transcript.ts'

const CLOCK = { name: 'clock', description: '', parameters: { type: 'object' } }
const CALL = { id: 'call_1', name: 'clock', arguments: '{}' }

describe.each(testDatabases())('a caller who keeps the conversation, on $name', ({ open }) => {
  const transcript: TranscriptMessage[] = [
    { role: 'system', content: 'Be short.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'look' },
        { type: 'upload', fileId: '55' },
      ],
    },
    { role: 'assistant', content: '', toolCalls: [CALL] },
    { role: 'tool', toolCallId: 'call_1', content: 'noon' },
  ]
  const sending = { messages: [], transcript, savesHistory: false }

  test('has the model see all of it after the prompt, and leaves nothing behind but the run', async () => {
    await using db = await open()
    const house = await openChatHouse(db, { bot: { suggestReplies: true, parameters: { temperature: 0.5, topP: 0.9 } } })
    const { run, finished } = await house.ask('', { ...sending, parameters: { temperature: 0, maxTokens: 7 } })

    expect((await finished).run).toMatchObject({ status: 'completed', usage: DONE.usage })
    expect(house.model.requests).toHaveLength(1)
    expect(house.model.requests[0]?.parameters).toEqual({ temperature: 0, topP: 0.9, maxTokens: 7 })
    expect(house.model.requests[0]?.messages).toEqual([
      { role: 'system', content: 'Be kind.' },
      { role: 'system', content: 'Be short.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'look' },
          { type: 'image', url: 'data:image/png;base64,AA' },
        ],
      },
      { role: 'assistant', content: '', toolCalls: [CALL] },
      { role: 'tool', toolCallId: 'call_1', content: 'noon' },
    ])
    expect(await house.messages(run.conversationId)).toEqual([])
    const listing = { botId: house.botId, page: 1, size: 10, order: 'desc' } as const
    expect((await listOwnConversations(house.deps, ADA, listing)).conversations).toEqual([])
    expect(house.errors).toEqual([])
  })

  test('is refused for a file it does not have, and nothing is stored', async () => {
    await using db = await open()
    const house = await openChatHouse(db)
    const asked = house.ask('', { ...sending, transcript: [{ role: 'user', content: [{ type: 'upload', fileId: '56' }] }] })

    await expect(asked).rejects.toEqual(expect.objectContaining({ code: 'not_found' }))
    expect(await db.selectFrom('run').select('id').execute()).toEqual([])
  })

  test('gets the calls of its functions as the end of the chat; nothing waits for their outputs', async () => {
    await using db = await open()
    const house = await openChatHouse(db)
    house.model.script = callsClock
    const { run, finished } = await house.ask('', { ...sending, functions: [CLOCK] })

    expect((await finished).run).toMatchObject({ status: 'completed', requiredCalls: [], finishedAt: house.time.now })
    expect((await house.events(run.id)).at(-1)).toEqual({
      type: 'run_completed',
      finishedAt: house.time.now,
      usage: DONE.usage,
      calls: [CALL],
    })
    expect(await findRun(db, run.id)).toMatchObject({ status: 'completed' })
    expect(await findWaiting(db, run.id)).toBe('')
    expect(house.ended).toHaveLength(1)
  })

  test('offers the functions of the bot beside its own, its own where both have one name, or none at all', async () => {
    await using db = await open()
    const functionOf = (name: string, description: string) => ({ type: 'function', name, description, parameters: {} })
    const house = await openChatHouse(db, { bot: { tools: [functionOf('order', 'the bot’s'), functionOf('clock', 'the bot’s')] } })
    await (
      await house.ask('', { ...sending, functions: [CLOCK] })
    ).finished
    await (
      await house.ask('', { ...sending, functions: 'none' })
    ).finished

    expect(house.model.requests.map(({ tools }) => tools?.map(({ name, description }) => [name, description]))).toEqual([
      [
        ['order', 'the bot’s'],
        ['clock', ''],
      ],
      undefined,
    ])
  })
})

describe.each(testDatabases())('parameters of a request, on $name', ({ open }) => {
  test('count for the whole chat, after a pause too', async () => {
    await using db = await open()
    const house = await openChatHouse(db)
    house.model.script = callsClock
    const { run, finished } = await house.ask('time?', { functions: [CLOCK], parameters: { temperature: 0 } })
    expect((await finished).run.status).toBe('requires_action')

    house.model.script = async () => DONE
    const address = { runId: run.id, conversationId: run.conversationId }
    await (
      await submitToolOutputs(house.deps, ADA, { address, outputs: [{ toolCallId: 'call_1', output: 'noon' }], stream: false })
    ).finished
    expect(house.model.requests.map(({ parameters }) => parameters)).toEqual([{ temperature: 0 }, { temperature: 0 }])
  })
})

const callsClock: Script = async ({ onChunk }) => {
  onChunk({ type: 'tool_call', index: 0, ...CALL })
  return { ...DONE, finishReason: 'tool_calls' }
}
