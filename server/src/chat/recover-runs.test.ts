import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { ADA, openChatHouse, sayAndWait } from '../../test/support/chat-house.ts'
import type { ChatHouse } from '../../test/support/chat-house.ts'
import { testDatabases } from '../../test/support/test-databases.ts'
import { claimConversation } from '../conversations/conversation-store.ts'
import { createConversation, draftMessage } from '../conversations/conversations.ts'
import { messageInsert } from '../conversations/message-store.ts'
import type { Db } from '../db/database.ts'
import { listEntries, segmentInsert } from '../journal/journal-store.ts'
import type { ChatEvent } from './chat-event.ts'
import { recoverRuns } from './recover-runs.ts'
import type { RecoverDeps } from './recover-runs.ts'
import { findRun, runInsert } from './run-store.ts'
import type { Run } from './run-store.ts'

const MAX_RUN_MS = 600_000
const INTERRUPTED = { code: 'interrupted', message: 'the server was stopped while the chat was running: send the message again' }

describe.each(testDatabases())('a chat whose server died, on $name', ({ open }) => {
  test.each([
    ['nothing', 0, undefined],
    ['its first events', 3, 'assistant: 一'],
    ['all but its end', 5, 'assistant: 一 two 三'],
  ])('with %s stored ends as failed, with the answer as far as it was stored', async (...[, stored, answer]) => {
    await using db = await open()
    const house = await openChatHouse(db)
    const run = await leaveRun(db, house, { stored })

    expect(await recoverRuns(recovering(house))).toBe(1)
    expect(await findRun(db, run.id)).toMatchObject({ status: 'failed', error: INTERRUPTED, finishedAt: house.time.now })
    expect(await house.messages(run.conversationId)).toEqual(['user: hi', ...(answer === undefined ? [] : [answer])])
    expect(await claimConversation(db, run.conversationId, { runId: '99', now: 1 })).toBe(true)

    const entries = await listEntries<ChatEvent>(db, run.id, 0)
    const closing = answer === undefined ? 1 : 2
    expect(entries.slice(0, -closing).map((entry) => entry.seq)).toEqual(entries.slice(0, -closing).map((_, at) => at + 1))
    expect(entries.map(({ event }) => event.type)).toEqual([
      ...['run_created', 'run_started', 'answer_delta', 'answer_delta', 'answer_delta'].slice(0, Math.max(2, stored)),
      ...(answer === undefined ? [] : ['message_completed']),
      'run_failed',
    ])
    expect(entries.map((entry) => entry.last)).toEqual(entries.map((_, at) => at === entries.length - 1))
    expect(await recoverRuns(recovering(house))).toBe(0)
  })

  test('is ended once, however many servers find it', async () => {
    await using db = await open()
    const houses = await Promise.all([1, 2, 3].map((workerId) => openChatHouse(db, { workerId, workerToken: `server ${workerId}` })))
    const [house] = houses
    if (!house) return
    const run = await leaveRun(db, house, { stored: 4 })
    await Promise.all(houses.map((each) => recoverRuns(recovering(each))))

    const entries = await listEntries<ChatEvent>(db, run.id, 0)
    expect(entries.map(({ event }) => event.type)).toEqual([
      ...['run_created', 'run_started', 'answer_delta', 'answer_delta', 'message_completed', 'run_failed'],
    ])
    expect(await house.messages(run.conversationId)).toEqual(['user: hi', 'assistant: 一 two'])
  })

  test('lets its readers go on where they were', async () => {
    await using db = await open()
    const house = await openChatHouse(db)
    const run = await leaveRun(db, house, { stored: 3 })
    const reading = house.events(run.id)
    await sleep(20)
    await recoverRuns(recovering(house))

    expect((await reading).map((event) => event.type)).toEqual([
      'run_created',
      'run_started',
      'answer_delta',
      'message_completed',
      'run_failed',
    ])
  })
})

test('has its end after every event that a reader may have had from the dead server’s memory', async () => {
  await using db = await openMemory()
  const house = await openChatHouse(db)
  const run = await leaveRun(db, house, { stored: 3 })
  await recoverRuns(recovering(house))

  for (const cursor of [3, 4, 5, 6, 1_000, 500_000]) {
    const entries = await listEntries<ChatEvent>(db, run.id, cursor)
    expect(entries.map(({ event }) => event.type)).toEqual(['message_completed', 'run_failed'])
  }
})

test('of many, all are ended at once', async () => {
  await using db = await openMemory()
  const house = await openChatHouse(db)
  const runs: Run[] = []
  for (let number = 0; number < 230; number++) runs.push(await leaveRun(db, house, { stored: 0 }))

  expect(await recoverRuns(recovering(house))).toBe(230)
  expect(await db.selectFrom('run').select('id').where('status', '=', 'in_progress').execute()).toEqual([])
})

test('one that cannot be ended is reported and does not keep the others waiting', async () => {
  await using db = await openMemory()
  const house = await openChatHouse(db)
  const broken = await leaveRun(db, house, { stored: 3 })
  const other = await leaveRun(db, house, { stored: 0 })
  await db.updateTable('journal_segment').set({ events: '{' }).where('run_id', '=', broken.id).execute()

  await recoverRuns(recovering(house))
  expect(await findRun(db, other.id)).toMatchObject({ status: 'failed' })
  expect(house.errors).toHaveLength(1)
})

describe('a chat that is left alone', () => {
  test('runs here', async () => {
    await using db = await openMemory()
    const house = await openChatHouse(db)
    house.model.script = sayAndWait('…')
    const { run, finished } = await house.ask('hi')
    // as after a time in which no lease could be renewed, or when the clock was put forward
    house.time.now += 2 * MAX_RUN_MS

    expect(await recoverRuns(recovering(house))).toBe(0)
    expect(await findRun(db, run.id)).toMatchObject({ status: 'in_progress' })
    await house.deps.liveRuns.stop(run.id, 'canceled')
    expect(await finished).toMatchObject({ run: { status: 'canceled' } })
  })

  test('runs on another server that is alive, until that server is gone', async () => {
    await using db = await openMemory()
    const house = await openChatHouse(db)
    const neighbour = { id: 3, token: 'a neighbour', host: 'elsewhere', pid: 1, expires_at: house.time.now + 15_000 }
    await db.insertInto('worker').values(neighbour).execute()
    const run = await leaveRun(db, house, { stored: 0, workerToken: 'a neighbour' })
    expect(await recoverRuns(recovering(house))).toBe(0)

    // somebody has not heard of it for long
    await db.deleteFrom('worker').execute()
    expect(await recoverRuns(recovering(house))).toBe(1)
    expect(await findRun(db, run.id)).toMatchObject({ status: 'failed' })
  })

  test('has ended already', async () => {
    await using db = await openMemory()
    const house = await openChatHouse(db)
    const { run } = await (await house.ask('hi')).finished
    house.time.now += 2 * MAX_RUN_MS

    expect(await recoverRuns(recovering(house))).toBe(0)
    expect(await findRun(db, run.id)).toEqual(run)
  })
})

describe('a chat that nobody can be executing', () => {
  test('is older than a chat may be', async () => {
    await using db = await openMemory()
    const house = await openChatHouse(db)
    const neighbour = { id: 3, token: 'a neighbour', host: 'elsewhere', pid: 1, expires_at: house.time.now }
    await db.insertInto('worker').values(neighbour).execute()
    const run = await leaveRun(db, house, { stored: 0, workerToken: 'a neighbour' })
    house.time.now += MAX_RUN_MS
    expect(await recoverRuns(recovering(house))).toBe(0)

    house.time.now += 120_000
    // a clock that is put forward makes nobody old
    expect(await recoverRuns(recovering(house))).toBe(0)
    await db.updateTable('worker').set({ expires_at: house.time.now }).execute()
    expect(await recoverRuns(recovering(house))).toBe(1)
    expect(await findRun(db, run.id)).toMatchObject({ status: 'failed' })
  })

  test('belongs to a process of this machine that was killed', async () => {
    await using db = await openMemory()
    const house = await openChatHouse(db)
    const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' })
    await once(child, 'exit')
    const dead = { id: 3, token: 'killed', host: hostname(), pid: child.pid ?? 0, expires_at: house.time.now + 15_000 }
    await db.insertInto('worker').values(dead).execute()
    await leaveRun(db, house, { stored: 0, workerToken: 'killed' })

    expect(await recoverRuns(recovering(house))).toBe(1)
  })
})

const recovering = ({ deps, clock, nextId }: ChatHouse): RecoverDeps => ({
  ...{ db: deps.db, commits: deps.commits, clock, nextId, onError: deps.onError },
  maxRunMs: MAX_RUN_MS,
  isRunningHere: deps.liveRuns.has,
  listeners: deps.listeners,
})

/** What a killed process leaves behind: question and run, and the journal as far as it was written. */
async function leaveRun(
  db: Db,
  house: ChatHouse,
  { stored, workerToken = 'dead' }: { stored: number; workerToken?: string },
): Promise<Run> {
  const { deps, botId } = house
  const { id: conversationId, sectionId } = await createConversation(deps, ADA, { botId, messages: [] })
  const runId = deps.nextId()
  const question = { role: 'user', content: 'hi', contentType: 'text' } as const
  await db
    .insertInto('message')
    .values(messageInsert(draftMessage(deps, { conversationId, sectionId, runId, botId }, question)))
    .execute()
  const { run } = await prototypeOf(house)
  const left = { ...run, id: runId, conversationId, sectionId, answerId: deps.nextId(), workerToken, createdAt: house.time.now }
  await db.insertInto('run').values(runInsert(left)).execute()
  await claimConversation(db, conversationId, { runId, now: 1 })

  const events: ChatEvent[] = [{ type: 'run_created' }, { type: 'run_started' }, ...['一', ' two', ' 三'].map(toDelta)]
  const segment = segmentInsert({ runId, firstSeq: 1, events: events.slice(0, stored) }, { now: 1, endsRun: false })
  if (stored > 0) await db.insertInto('journal_segment').values(segment).execute()
  return left
}

const toDelta = (text: string): ChatEvent => ({ type: 'answer_delta', text })

const prototypes = new WeakMap<ChatHouse, { run: Run }>()

/** A run as this house makes them. */
async function prototypeOf(house: ChatHouse): Promise<{ run: Run }> {
  const known = prototypes.get(house)
  if (known) return known

  const started = await house.ask('prototype')
  await started.finished
  prototypes.set(house, started)
  return started
}

function openMemory() {
  const [sqlite] = testDatabases()
  if (!sqlite) throw new Error('no database')
  return sqlite.open()
}
