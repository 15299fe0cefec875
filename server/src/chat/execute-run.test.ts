import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { DONE, openChatHouse, sayAndWait } from '../../test/support/chat-house.ts'
import type { ChatHouse, Script } from '../../test/support/chat-house.ts'
import { testDatabases } from '../../test/support/test-databases.ts'
import { claimConversation } from '../conversations/conversation-store.ts'
import { segmentInsert } from '../journal/journal-store.ts'
import { ModelError } from '../models/model-adapter.ts'
import type { ChatEvent } from './chat-event.ts'
import { findRun } from './run-store.ts'
import type { Run } from './run-store.ts'

describe('what the model is asked', () => {
  test('prompt with values, earlier rounds as many as the bot wants, parameters, end user', async () => {
    await using db = await openMemory()
    const bot = { prompt: 'You serve {{city}}.', variables: [{ name: 'city', default: '北京' }] }
    const house = await openChatHouse(db, { bot: { ...bot, parameters: { temperature: 0.2, maxTokens: 9, historyRounds: 1 } } })
    const { conversationId } = (await (await house.ask('one')).finished).run
    await (
      await house.ask('two', { conversationId })
    ).finished
    await (
      await house.ask('three', { conversationId, variables: { city: '上海' }, endUser: 'u', stream: false })
    ).finished

    const request = house.model.requests[2]
    expect(request?.messages.map(({ role, content }) => `${role}: ${typeof content === 'string' ? content : 'parts'}`)).toEqual([
      ...['system: You serve 上海.', 'user: two', 'assistant: ok', 'user: three'],
    ])
    expect(request?.parameters).toEqual({ temperature: 0.2, maxTokens: 9 })
    expect([request?.endUser, house.model.requests[0]?.endUser]).toEqual(['u', undefined])
    expect(house.model.requests[0]?.messages[0]?.content).toBe('You serve 北京.')
  })

  test('without a prompt there is no system message', async () => {
    await using db = await openMemory()
    const house = await openChatHouse(db, { bot: { prompt: '' } })
    await (
      await house.ask('hi')
    ).finished

    expect(house.model.requests[0]?.messages).toEqual([{ role: 'user', content: 'hi' }])
  })

  test('a link that is no proper text does not end the chat', async () => {
    await using db = await openMemory()
    const house = await openChatHouse(db)
    const content = JSON.stringify([{ type: 'file', file_url: 'https://example.com/100%.pdf' }])
    const { run } = await (await house.ask('', { messages: [{ role: 'user', content, contentType: 'object_string' }] })).finished
    expect(await (await house.ask('and?', { conversationId: run.conversationId })).finished).toMatchObject({ run: { status: 'completed' } })
  })
})

describe('what a reader sees', () => {
  test('every piece as it comes, the whole answer, the marker, the end', async () => {
    await using db = await openMemory()
    const house = await openChatHouse(db)
    house.model.script = async ({ onChunk }) => {
      onChunk({ type: 'reasoning', text: 'hm' })
      onChunk({ type: 'text', text: '你' })
      onChunk({ type: 'text', text: '好' })
      return DONE
    }
    const { run, finished } = await house.ask('hi')
    const events = await house.events(run.id)

    expect(events.map(toText)).toEqual([
      ...['run_created', 'run_started', 'reasoning_delta hm', 'answer_delta 你', 'answer_delta 好'],
      ...['answer 你好', 'verbose {"msg_type":"generate_answer_finish"', 'run_completed'],
    ])
    expect(events.at(-1)).toMatchObject({ usage: DONE.usage, finishedAt: house.time.now })
    expect(await finished).toMatchObject({ answer: { content: '你好', reasoning: 'hm' } })
    expect(house.ended).toEqual([{ status: 'completed', ...DONE.usage, seconds: 0 }])
  })

  test('an answer of nothing has no message', async () => {
    await using db = await openMemory()
    const house = await openChatHouse(db)
    house.model.script = async () => DONE
    const { run, finished } = await house.ask('hi')

    expect(await finished).toMatchObject({ run: { status: 'completed' }, answer: undefined })
    expect((await house.events(run.id)).map((event) => event.type)).not.toContain('answer')
    expect(await house.messages(run.conversationId)).toEqual(['user: hi'])
  })
})

describe.each(testDatabases())('a chat that does not end well on $name', ({ open }) => {
  test('a model that fails in the middle: the reason is told, what came is kept, the conversation is free', async () => {
    await using db = await open()
    const house = await openChatHouse(db)
    house.model.script = failingAfter('half an', new ModelError('cut', 'the model’s answer was cut off'))
    const { run } = await (await house.ask('hi')).finished

    const error = { code: 'cut', message: 'the model’s answer was cut off' }
    expect(await findRun(db, run.id)).toMatchObject({ status: 'failed', error, finishedAt: house.time.now })
    expect((await house.events(run.id)).slice(2).map(toText)).toEqual(['answer_delta half an', 'answer half an', 'run_failed'])
    expect(await house.messages(run.conversationId)).toEqual(['user: hi', 'assistant: half an'])
    expect(await metaDataOfAnswer(db, run)).toBe('{"incomplete":"failed"}')
    expect(await isFree(db, run)).toBe(true)
    expect(house.ended).toMatchObject([{ status: 'failed' }])
    expect(house.errors).toEqual([])
  })

  test('one that is canceled is canceled for good: no text follows, what came is kept', async () => {
    await using db = await open()
    const house = await openChatHouse(db)
    house.model.script = sayAndWait('half an')
    const { run, finished } = await house.ask('hi')
    await sleep(5)
    await house.deps.liveRuns.stop(run.id, 'canceled')

    expect(await finished).toMatchObject({ run: { status: 'canceled', error: undefined }, answer: { content: 'half an' } })
    expect(await findRun(db, run.id)).toMatchObject({ status: 'canceled' })
    expect((await house.events(run.id)).slice(2).map(toText)).toEqual(['answer_delta half an', 'answer half an', 'run_canceled'])
    expect(await house.messages(run.conversationId)).toEqual(['user: hi', 'assistant: half an'])
    expect(await metaDataOfAnswer(db, run)).toBe('{"incomplete":"canceled"}')
    expect(await isFree(db, run)).toBe(true)
  })

  test('an answer that cannot be stored: the chat ends as failed and says so', async () => {
    await using db = await open()
    const house = await openChatHouse(db)
    house.model.script = async ({ onChunk }) => {
      // somebody else’s message has the id of the answer
      await db.updateTable('message').set({ id: answerId }).execute()
      onChunk({ type: 'text', text: 'lost' })
      return DONE
    }
    let answerId = ''
    const started = await house.ask('hi')
    answerId = started.run.answerId
    const reading = house.events(started.run.id)
    const { run, answer } = await started.finished

    expect([run.status, run.error, answer]).toEqual(['failed', { code: 'internal', message: 'the answer could not be stored' }, undefined])
    expect((await reading).slice(2).map(toText)).toEqual(['answer_delta lost', 'run_failed'])
    expect(await findRun(db, run.id)).toMatchObject({ status: 'failed' })
    expect(await isFree(db, run)).toBe(true)
    expect(house.errors).toHaveLength(1)
    expect(house.ended).toMatchObject([{ status: 'failed' }])
  })

  test('one that another server has ended meanwhile keeps that end, and its readers are told of it', async () => {
    await using db = await open()
    const house = await openChatHouse(db)
    house.model.script = sayAndWait('here')
    const { run, finished } = await house.ask('hi')
    const reading = house.events(run.id)
    await house.deps.journal.flush()
    const end: ChatEvent = { type: 'run_failed', finishedAt: 1, usage: run.usage, error: { code: 'interrupted', message: 'elsewhere' } }
    const segment = segmentInsert({ runId: run.id, firstSeq: 4, events: [end] }, { now: 1, endsRun: true })
    await db.insertInto('journal_segment').values(segment).execute()
    await db.updateTable('run').set({ status: 'failed' }).where('id', '=', run.id).execute()
    void house.deps.liveRuns.stop(run.id, 'canceled')

    await expect(finished).rejects.toThrow()
    expect((await reading).at(-1)).toEqual(end)
    expect(house.deps.liveRuns.count).toBe(0)
    expect(house.errors).not.toEqual([])
  })
})

describe('the reason of a failed chat', () => {
  test.each<[string, (house: ChatHouse) => Script | undefined, object, number]>([
    [
      'a refusal of the provider',
      () => failingAfter('', new ModelError('rate_limit', 'slow down')),
      { code: 'rate_limit', message: 'slow down' },
      0,
    ],
    ['a bug', () => failingAfter('', new TypeError('x is undefined')), { code: 'internal', message: 'internal server error' }, 1],
    ['a model that is gone', () => undefined, { code: 'not_found', message: 'there is no such model' }, 0],
  ])('%s', async (...[what, script, error, reported]) => {
    await using db = await openMemory()
    const house = await openChatHouse(db, { bot: what === 'a model that is gone' ? { model: 'missing' } : {} })
    house.model.script = script(house) ?? house.model.script
    const { run, answer } = await (await house.ask('hi')).finished

    expect([run.status, run.error, answer, house.errors.length]).toEqual(['failed', error, undefined, reported])
  })

  test('it took too long', async () => {
    await using db = await openMemory()
    const house = await openChatHouse(db, { maxRunMs: 40 })
    house.model.script = sayAndWait('slow')
    const { run, answer } = await (await house.ask('hi')).finished

    expect([run.status, run.error?.code, answer?.content]).toEqual(['failed', 'timeout', 'slow'])
  })

  test('the server was stopped', async () => {
    await using db = await openMemory()
    const house = await openChatHouse(db)
    house.model.script = sayAndWait('so far')
    const { finished } = await house.ask('hi')
    await house.deps.liveRuns.drain(20)
    const { run, answer } = await finished

    expect([run.status, run.error?.code, answer?.content]).toEqual(['failed', 'interrupted', 'so far'])
  })
})

test('a chat that is complete when it is canceled stays complete', async () => {
  await using db = await openMemory()
  const house = await openChatHouse(db)
  house.model.script = async ({ onChunk }) => {
    onChunk({ type: 'text', text: 'all of it' })
    void house.deps.liveRuns.stop(runId, 'canceled')
    return DONE
  }
  let runId = ''
  const started = await house.ask('hi')
  runId = started.run.id

  expect(await started.finished).toMatchObject({ run: { status: 'completed' }, answer: { content: 'all of it' } })
})

const failingAfter =
  (text: string, cause: Error): Script =>
  async ({ onChunk }) => {
    if (text !== '') onChunk({ type: 'text', text })
    throw cause
  }

function toText(event: ChatEvent): string {
  if (event.type === 'message_completed') return `${event.message.type} ${event.message.content.split(',', 1)[0] ?? ''}`
  return 'text' in event ? `${event.type} ${event.text}` : event.type
}

type Database = Awaited<ReturnType<typeof openMemory>>

const isFree = (db: Database, run: Run) => claimConversation(db, run.conversationId, { runId: '99', now: 1 })

async function metaDataOfAnswer(db: Database, run: Run) {
  return (await db.selectFrom('message').select('meta_data').where('id', '=', run.answerId).executeTakeFirst())?.meta_data
}

function openMemory() {
  const [sqlite] = testDatabases()
  if (!sqlite) throw new Error('no database')
  return sqlite.open()
}
