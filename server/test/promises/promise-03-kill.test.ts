import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/db/database.ts'
import { answers, calls, says, startFakeProvider, wait } from '../support/fake-provider.ts'
import type { Piece, ReceivedRequest } from '../support/fake-provider.ts'
import { startKillableServer } from '../support/killable-server.ts'
import type { KillableServer } from '../support/killable-server.ts'
import { openStream } from '../support/live-stream.ts'
import { chatPath, cursorOf, resumeChat } from '../support/resumed-stream.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { deltaText, eventNames } from '../support/sse-frames.ts'
import type { Frame } from '../support/sse-frames.ts'
import type { Json } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

/**
 * Promise 3: `kill -9` during a run: after the restart every run ends in a true state. `KILLS=100` kills so often, at
 * points that `KILL_SEED` decides; both are told with the result.
 */
const KILLS = Number(process.env['KILLS'] ?? 10)
const SEED = Number(process.env['KILL_SEED'] ?? Date.now() % 1_000_000)
const ROUND_MS = 20_000

const CHATS = 6
const WORD_MS = 20
const WORDS = Array.from({ length: 30 }, (_, at) => `word${at} `)
const ENDS = ['completed', 'failed', 'canceled', 'requires_action']
/** What may be in memory only: the journal is written 80 ms behind, on a machine that does other things too. */
const UNSTORED_WORDS = 20

describe.each(testDatabases())('a server that is killed while chats run, on $name', ({ name }) => {
  // the starts take most of the time, and they are longer on MariaDB
  const kills = name === 'SQLite' ? KILLS : Math.max(2, Math.floor(KILLS / 5))
  test(`ends all of them in a true state, ${kills} times`, { timeout: kills * ROUND_MS }, async () => {
    await using provider = await startFakeProvider(script)
    await using server = await startKillableServer(provider, name)
    const random = seededRandom(SEED)
    const counts: Record<string, number> = {}
    for (let round = 1; round <= kills; round++) {
      const sent = await killDuringChats(server, { round, random })
      await untilAllHaveEnded(server)
      for (const each of sent) {
        const state = await checkChat(server, each)
        counts[state] = (counts[state] ?? 0) + 1
      }
      for (const each of sent) await checkFree(server, each)
      expect(await countRuns(server, round)).toBeLessThanOrEqual(2 * CHATS)
    }
    console.info(`${name}: ${kills} kills, seed ${SEED}: ${JSON.stringify(counts)}`)
  })

  test('a chat that waits for its caller waits on, and goes on with what it is given', async () => {
    await using provider = await startFakeProvider([answers(['Let me look. ', calls('clock', {}, 'call_1')]), says('It is late')])
    await using server = await startKillableServer(provider, name)
    const tools = [{ type: 'function', function: { name: 'clock' } }]
    const { data } = (await server.call('POST', '/v3/chat', { bot_id: 123456, query: 'time?', tools })).body
    expect(data.status).toBe('requires_action')
    await server.kill()
    await server.start()

    const outputs = { tool_outputs: [{ tool_call_id: 'call_1', output: 'ten' }], stream: true }
    await using stream = await openStream(server, outputs, { path: chatPath(data, '/v3/chat/submit_tool_outputs') })
    const frames = await stream.ended
    expect(deltaText(frames)).toBe('It is late')
    expect(eventNames(frames).slice(-2)).toEqual(['conversation.chat.completed', 'done'])
    expect(await answersOf(server, data)).toEqual(['Let me look. ', 'It is late'])
  })
})

function script({ lastUserText }: ReceivedRequest): ReturnType<typeof answers> {
  if (lastUserText === 'free?') return says('yes')
  return answers(WORDS.flatMap((word): Piece[] => [word, wait(WORD_MS)]))
}

type Sent = { key: string; conversationId: string; body: object; frames: Frame[] }

/** Chats start one after another, two of them in one conversation; somewhere on the way the server is killed, and started again. */
async function killDuringChats(server: KillableServer, { round, random }: { round: number; random: () => number }): Promise<Sent[]> {
  const killAt = random() * 1_300
  const sent = Array.from({ length: CHATS }, (_, at): Sent => {
    const conversationId = `r${round}-${at === 1 ? 0 : at}`
    const body = { bot_id: 123456, query: 'tell me', stream: true, conversation_id: conversationId, if_busy: 'enqueue' }
    return { key: `r${round}-${at}`, conversationId, body, frames: [] }
  })
  const reading = sent.map(async (each, at) => {
    await sleep((at * 400) / CHATS)
    // the server may be gone before the request
    await read(server, each).catch(() => undefined)
  })
  await sleep(killAt)
  await server.kill()
  await Promise.all(reading)
  await server.start()
  return sent
}

async function read(server: KillableServer, sent: Sent): Promise<void> {
  const stream = await openStream(server, sent.body, { headers: { 'idempotency-key': sent.key } })
  await stream.ended.catch(() => undefined)
  sent.frames = stream.frames
}

async function untilAllHaveEnded({ location }: KillableServer): Promise<void> {
  const db = await openDatabase(location)
  try {
    const running = () => db.selectFrom('run').select(['id', 'status']).where('status', 'in', ['created', 'in_progress']).execute()
    await expect.poll(running, { timeout: 5_000 }).toEqual([])
  } finally {
    await db.destroy()
  }
}

/** Compares what its reader has seen with what is there now; answers how it ended, as far as the reader knew. */
async function checkChat(server: KillableServer, { frames, body, key }: Sent): Promise<string> {
  const created = frames[0]?.data
  if (!created) return 'never begun for its reader'

  const seen = frames.findLast((frame) => /chat\.(completed|failed|canceled)$/.test(frame.event))
  const { data } = (await server.call('GET', chatPath(created, '/v3/chat/retrieve'))).body
  expect(ENDS).toContain(data.status)
  // what was shown as ended stays as it was
  if (seen) expect(data).toEqual(seen.data)

  const messages = (await server.call('GET', chatPath(created, '/v3/chat/message/list'))).body.data
  checkAnswer({ frames, status: data.status, answer: messages.find((message: Json) => message.type === 'answer') })
  await checkReaders(server, { frames, created, status: data.status })
  await checkRetry(server, { body, key, created, status: data.status })
  return seen ? `${data.status}, seen` : data.status
}

function checkAnswer({ frames, status, answer }: { frames: Frame[]; status: string; answer: Json }): void {
  const text = deltaText(frames)
  const stored: string = answer?.content ?? ''
  if (status === 'completed') expect(stored).toBe(WORDS.join(''))
  else if (answer) expect(answer.meta_data).toEqual({ incomplete: 'failed' })
  expect(WORDS.join('').startsWith(stored)).toBe(true)
  expect(text.split(' ').length - stored.split(' ').length).toBeLessThan(UNSTORED_WORDS)
}

/** Whoever comes back gets the rest up to the end, wherever it was cut. */
async function checkReaders(server: KillableServer, { frames, created, status }: { frames: Frame[]; created: Json; status: string }) {
  const whole = await rest(server, created, 0)
  expect(eventNames(whole).slice(-2)).toEqual([`conversation.chat.${status}`, 'done'])
  if (frames.at(-1)?.event === 'done') return expect(whole).toEqual(frames)

  for (const cursor of new Set([cursorOf(frames), Math.max(0, cursorOf(frames) - 1), 1])) {
    const more = await rest(server, created, cursor)
    expect(eventNames(more).slice(-2), `after ${cursor}`).toEqual([`conversation.chat.${status}`, 'done'])
    const ids = more.slice(0, -1).map((frame) => Number(frame.id))
    expect(ids).toEqual([...new Set(ids)].toSorted((a, b) => a - b))
    expect(ids[0]).toBeGreaterThan(cursor)
  }
}

async function rest(server: KillableServer, chat: Json, cursor: number): Promise<Frame[]> {
  await using stream = await resumeChat(server, chat, { style: 'guide', cursor })
  return await stream.ended
}

async function checkRetry(
  server: KillableServer,
  { body, key, created, status }: Pick<Sent, 'body' | 'key'> & { created: Json; status: string },
) {
  await using again = await openStream(server, body, { headers: { 'idempotency-key': key } })
  const frames = await again.ended
  expect(frames[0]?.data.id).toBe(created.id)
  expect(eventNames(frames).slice(-2)).toEqual([`conversation.chat.${status}`, 'done'])
}

async function checkFree(server: KillableServer, { conversationId }: Sent): Promise<void> {
  const { status, body } = await server.call('POST', '/v3/chat', { bot_id: 123456, query: 'free?', conversation_id: conversationId })
  expect({ status, answer: body.message?.content, msg: body.msg }).toEqual({ status: 200, answer: 'yes', msg: '' })
}

async function countRuns({ location }: KillableServer, round: number): Promise<number> {
  const db = await openDatabase(location)
  try {
    const runs = db
      .selectFrom('run')
      .innerJoin('conversation', 'conversation.id', 'run.conversation_id')
      .select((select) => select.fn.countAll().as('count'))
      .where('conversation.external_id', 'like', `r${round}-%`)
    return Number((await runs.executeTakeFirstOrThrow()).count)
  } finally {
    await db.destroy()
  }
}

async function answersOf(server: KillableServer, chat: Json): Promise<string[]> {
  const { data } = (await server.call('GET', chatPath(chat, '/v3/chat/message/list'))).body
  return data.filter((message: Json) => message.type === 'answer').map((message: Json) => message.content)
}
