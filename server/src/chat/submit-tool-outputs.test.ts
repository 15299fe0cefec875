import { describe, expect, test } from 'vitest'
import { ADA, BOB, DONE, openChatHouse } from '../../test/support/chat-house.ts'
import type { ChatHouse, Script } from '../../test/support/chat-house.ts'
import { testDatabases } from '../../test/support/test-databases.ts'
import { publishBot, saveDraft } from '../bots/bots.ts'
import { botConfigSchema } from '../bots/bot-config.ts'
import { claimConversation } from '../conversations/conversation-store.ts'
import type { Db } from '../db/database.ts'
import { listEntries } from '../journal/journal-store.ts'
import { ModelError } from '../models/model-adapter.ts'
import type { ChatEvent } from './chat-event.ts'
import { findRun } from './run-store.ts'
import { submitToolOutputs } from './submit-tool-outputs.ts'

const CLOCK = { name: 'clock', description: 'tells the time', parameters: {} }
const CALLS = [
  { id: 'c1', name: 'clock', arguments: '{"zone":"UTC"}' },
  { id: 'c2', name: 'clock', arguments: '{}' },
]
const OUTPUTS = [
  { toolCallId: 'c2', output: 'noon' },
  { toolCallId: 'c1', output: '12:00' },
]

/** Asks for the clock twice, and answers when it has the times. */
const usesClock: Script = async ({ onChunk }, { messages }) => {
  if (messages.at(-1)?.role === 'tool') {
    onChunk({ type: 'text', text: 'It is noon.' })
    return DONE
  }
  onChunk({ type: 'text', text: 'Let me see.' })
  for (const [index, call] of CALLS.entries()) onChunk({ type: 'tool_call', index, ...call })
  return { ...DONE, finishReason: 'tool_calls' }
}

async function openWaiting(db: Db, house?: ChatHouse) {
  const asking = house ?? (await openChatHouse(db))
  asking.model.script = usesClock
  const { run } = await (await asking.ask('what time is it?', { functions: [CLOCK], variables: { city: '北京' } })).finished
  const address = { runId: run.id, conversationId: run.conversationId }
  const submit = (outputs = OUTPUTS, by = asking, who = ADA) => submitToolOutputs(by.deps, who, { address, outputs, stream: true })
  return { house: asking, run, submit }
}

describe.each(testDatabases())('a chat that waits for its caller’s functions on $name', ({ open }) => {
  test('says so, keeps what was said, and leaves the conversation to others', async () => {
    await using db = await open()
    const { house, run } = await openWaiting(db)

    expect(run).toMatchObject({ status: 'requires_action', requiredCalls: CALLS, finishedAt: 0, usage: DONE.usage })
    expect(await findRun(db, run.id)).toEqual(run)
    expect((await house.events(run.id)).map(({ type }) => type)).toEqual([
      ...['run_created', 'run_started', 'answer_delta', 'message_completed', 'message_completed', 'message_completed'],
      'run_requires_action',
    ])
    expect(await house.messages(run.conversationId)).toEqual(['user: what time is it?', 'assistant: Let me see.'])
    expect(await claimConversation(db, run.conversationId, { runId: '99', now: 1 })).toBe(true)
    expect([house.ended, house.deps.liveRuns.count]).toEqual([[], 0])
  })

  test('goes on with their outputs, and is one chat from its start to its end', async () => {
    await using db = await open()
    const { house, run, submit } = await openWaiting(db)
    const resumed = await submit()
    const { run: ended, answer } = await resumed.finished

    expect(house.model.requests[1]?.messages.slice(-4)).toEqual([
      { role: 'user', content: 'what time is it?' },
      { role: 'assistant', content: 'Let me see.', toolCalls: CALLS },
      { role: 'tool', toolCallId: 'c1', content: '12:00' },
      { role: 'tool', toolCallId: 'c2', content: 'noon' },
    ])
    expect(ended).toMatchObject({ status: 'completed', usage: { inputTokens: 22, outputTokens: 10 }, requiredCalls: [] })
    expect(answer).toMatchObject({ content: 'It is noon.' })
    expect(await findRun(db, run.id)).toEqual(ended)
    expect(house.ended).toHaveLength(1)

    const entries = await listEntries<ChatEvent>(db, run.id, 0)
    expect(entries.map((entry) => entry.seq)).toEqual(entries.map((_, at) => at + 1))
    expect(entries.slice(resumed.cursor).map(({ event }) => event.type)).toEqual([
      ...['run_started', 'answer_delta', 'message_completed', 'message_completed', 'run_completed'],
    ])
    expect(await house.events(run.id)).toEqual(entries.map((entry) => entry.event))
    expect(await house.messages(run.conversationId)).toEqual([
      ...['user: what time is it?', 'assistant: Let me see.', 'assistant: It is noon.'],
    ])
  })

  test('may go on in another server, with the version of the bot that it began with', async () => {
    await using db = await open()
    const { house, submit, run } = await openWaiting(db)
    const draft = { name: 'bot', description: '', iconUrl: '', config: botConfigSchema.parse({ prompt: 'Be rude.' }) }
    await saveDraft(house.deps, ADA, { botId: house.botId, ...draft })
    await publishBot(house.deps, ADA, { botId: house.botId })
    const other = await openChatHouse(db, { workerId: 2, workerToken: 'other' })
    other.model.script = usesClock
    const resumed = await submit(OUTPUTS, other)

    expect(await findRun(db, run.id)).toMatchObject({ status: 'in_progress', workerToken: 'other' })
    expect(await resumed.finished).toMatchObject({ run: { status: 'completed' } })
    expect(other.model.requests[0]?.messages[0]).toEqual({ role: 'system', content: 'Be kind.' })
  })

  test('of two submissions at once one goes on', async () => {
    await using db = await open()
    const { submit, house } = await openWaiting(db)
    const results = await Promise.allSettled([submit(), submit(), submit()])
    await Promise.all(results.flatMap((result) => (result.status === 'fulfilled' ? [result.value.finished] : [])))

    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected'])
    for (const result of results) if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'conflict' })
    expect(house.model.requests).toHaveLength(2)
  })
})

describe('outputs that are refused', () => {
  test.each([
    ['one that is missing', OUTPUTS.slice(1), 'c2 (clock) is missing'],
    ['one for a call nobody made', [...OUTPUTS, { toolCallId: 'c3', output: '' }], 'does not wait for c3'],
    ['one that is there twice', [...OUTPUTS, ...OUTPUTS.slice(1)], 'c1 is there twice'],
  ])('%s, and the chat waits on', async (...[, outputs, message]) => {
    await using db = await openMemory()
    const { submit, run } = await openWaiting(db)
    const refused = expect.objectContaining({ code: 'invalid_request', message: expect.stringContaining(message) })

    await expect(submit(outputs)).rejects.toEqual(refused)
    expect(await findRun(db, run.id)).toEqual(run)
    expect(await (await submit()).finished).toMatchObject({ run: { status: 'completed' } })
  })

  test('somebody else’s', async () => {
    await using db = await openMemory()
    const { submit, house } = await openWaiting(db)

    await expect(submit(OUTPUTS, house, BOB)).rejects.toEqual(expect.objectContaining({ code: 'not_found' }))
  })

  test('when the chat does not wait any more', async () => {
    await using db = await openMemory()
    const { submit } = await openWaiting(db)
    await (
      await submit()
    ).finished

    await expect(submit()).rejects.toEqual(expect.objectContaining({ code: 'conflict' }))
  })

  test('while another chat runs in the conversation, and later not', async () => {
    await using db = await openMemory()
    const { submit, run } = await openWaiting(db)
    await claimConversation(db, run.conversationId, { runId: '99', now: 1 })

    await expect(submit()).rejects.toEqual(expect.objectContaining({ code: 'conversation_busy' }))
    expect(await findRun(db, run.id)).toEqual(run)
  })
})

test('a chat that fails after its pause keeps what was said before it', async () => {
  await using db = await openMemory()
  const { house, submit, run } = await openWaiting(db)
  house.model.script = async ({ onChunk }) => {
    onChunk({ type: 'text', text: 'It is' })
    throw new ModelError('cut', 'cut off')
  }
  const { run: ended } = await (await submit()).finished

  expect(ended).toMatchObject({ status: 'failed', error: { code: 'cut' }, usage: DONE.usage })
  expect(await house.messages(run.conversationId)).toEqual(['user: what time is it?', 'assistant: Let me see.', 'assistant: It is'])
})

function openMemory() {
  const [sqlite] = testDatabases()
  if (!sqlite) throw new Error('no database')
  return sqlite.open()
}
