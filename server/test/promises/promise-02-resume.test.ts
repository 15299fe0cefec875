import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { answers, calls, hang, reasons, says, wait } from '../support/fake-provider.ts'
import type { Piece } from '../support/fake-provider.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { openStream } from '../support/live-stream.ts'
import { chatPath, cursorOf, openChat, readInPieces, resumeChat, STYLES } from '../support/resumed-stream.ts'
import type { Reader, Style } from '../support/resumed-stream.ts'
import { startSecondNode } from '../support/second-node.ts'
import { deltaText, eventNames } from '../support/sse-frames.ts'
import { useTestApp } from '../support/test-app.ts'
import type { Json, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'

/** Promise 2: a reader that reconnects has no gap and no duplicate. */

const WORDS = ['one ', 'zwei ', '三 ', '\u2028 ', 'vier\n', '🦆 ']
const slowly = (ms = 25): Piece[] => [reasons('let me see'), ...WORDS.flatMap((word): Piece[] => [word, wait(ms)])]
const EVENTS = 2 + 1 + WORDS.length + 3

describe.each(testDatabases())('a chat that is resumed, on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  describe.each(STYLES)('%s-style', (style) => cutsEverywhere(app, style))
  describe('of any kind', () => endsInEveryWay(app))
  describe('by many', () => servesMany(app))
  describe('at a cursor', () => takesAnyCursor(app))
  describe('by a stranger', () => refusesStrangers(app))
})

/** A whole chat read without a cut, and its address. */
async function uncut(app: Reader, style: Style): Promise<{ chat: Json; text: string }> {
  const stream = await openChat(app, style)
  const frames = await stream.ended
  return { chat: frames[0]?.data, text: stream.text }
}

function cutsEverywhere(app: TestApp, style: Style): void {
  test('cut at every event of an ended chat: the same bytes', async () => {
    app.provider.script = answers(slowly(0))
    const { chat, text } = await uncut(app, style)
    expect(cursorOf(await (await resumeChat(app, chat, { style, cursor: 0 })).ended)).toBe(EVENTS)
    for (let at = 0; at <= EVENTS; at++) expect(await readInPieces(app, chat, { style, cuts: [at] })).toBe(text)
  })

  test('cut at every event of a live chat: the same bytes', async () => {
    app.provider.script = answers(slowly())
    await using whole = await openChat(app, style)
    const chat = (await whole.until((frames) => frames.length > 0))[0]?.data
    const readers = Array.from({ length: EVENTS + 1 }, (_, at) => readInPieces(app, chat, { style, cuts: [at] }))
    const texts = await Promise.all(readers)
    await whole.ended
    for (const text of texts) expect(text).toBe(whole.text)
    expect(app.provider.requests).toMatchObject([{ aborted: false }])
  })

  test('cut at every event, each time of a chat of its own, where its first reader was', async () => {
    app.provider.script = answers(slowly())
    await Promise.all(
      Array.from({ length: EVENTS }, async (_, at) => {
        await using cut = await openChat(app, style)
        const before = (await cut.until((frames) => frames.length > at)).slice(0, at + 1)
        cut.leave()
        await using rest = await resumeChat(app, before[0]?.data, { style, cursor: cursorOf(before) })
        const frames = [...before, ...(await rest.ended)]
        expect(frames.map((frame) => frame.id)).toEqual([...Array.from({ length: EVENTS }, (_each, id) => String(id + 1)), undefined])
        expect(deltaText(frames)).toBe(WORDS.join(''))
      }),
    )
  })

  test('cut anywhere, any number of times, with any delays', async () => {
    const aCut = fc.record({ after: fc.integer({ min: 0, max: 6 }), rest: fc.integer({ min: 0, max: 40 }) })
    await fc.assert(
      fc.asyncProperty(
        fc.array(aCut, { maxLength: 8 }),
        fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 6, maxLength: 6 }),
        async (cuts, delays) => {
          app.provider.script = answers(WORDS.flatMap((word, at): Piece[] => [wait(delays[at] ?? 0), word]))
          await using whole = await openChat(app, style)
          const chat = (await whole.until((frames) => frames.length > 0))[0]?.data
          const text = await readWithRests(app, chat, { style, cuts })
          await whole.ended
          expect(text).toBe(whole.text)
        },
      ),
      { numRuns: 15, endOnFailure: true },
    )
  })

  test('cut and resumed on another node', async () => {
    app.provider.script = answers(slowly(40))
    await using other = await startSecondNode(app)
    await using whole = await openChat(app, style)
    const chat = (await whole.until((frames) => frames.length > 0))[0]?.data
    const texts = await Promise.all([0, 1, 3, 5, 8].map((at) => readInPieces(other, chat, { style, cuts: [at, 1] })))
    await whole.ended
    for (const text of texts) expect(text).toBe(whole.text)
  })
}

type Cut = { after: number; rest: number }

async function readWithRests(app: TestApp, chat: Json, { style, cuts }: { style: Style; cuts: Cut[] }): Promise<string> {
  let text = ''
  let cursor = 0
  for (const { after, rest } of cuts) {
    await using stream = await resumeChat(app, chat, { style, cursor })
    const frames = (await stream.until((seen) => seen.length >= after).catch(() => stream.frames)).slice(0, after)
    text += frames.map((frame) => `${frame.lines.join('\n')}\n\n`).join('')
    if (frames.at(-1)?.event === 'done') return text
    cursor = Math.max(cursor, cursorOf(frames))
    stream.leave()
    await sleep(rest)
  }
  await using last = await resumeChat(app, chat, { style, cursor })
  await last.ended
  return text + last.text
}

function endsInEveryWay(app: TestApp): void {
  const endings: [string, Piece[]][] = [
    ['conversation.chat.completed', ['all ', 'is well']],
    ['conversation.chat.failed', ['so far ', { do: 'cut' }]],
  ]
  test.each(endings)('that has ended with %s ends with it again', async (event, pieces) => {
    app.provider.script = answers(pieces)
    const { chat, text } = await uncut(app, 'guide')
    for (let at = 0; at < 7; at++) expect(await readInPieces(app, chat, { style: 'guide', cuts: [at] })).toBe(text)
    expect(text).toContain(`event: ${event}\n`)
    expect(text.endsWith('event: done\ndata: [DONE]\n\n')).toBe(true)
  })

  test('that is canceled ends for all of its readers, and nothing follows', async () => {
    app.provider.script = answers(['one ', 'two ', hang()])
    await using whole = await openChat(app, 'guide')
    const chat = (await whole.until((frames) => deltaText(frames) === 'one two '))[0]?.data
    const readers = await Promise.all([0, 2, 4].map((cursor) => resumeChat(app, chat, { style: 'sdk', cursor })))
    await app.call('POST', '/v3/chat/cancel', { conversation_id: chat.conversation_id, chat_id: chat.id })
    for (const reader of [...readers, await resumeChat(app, chat, { style: 'sdk', cursor: 3 })])
      expect(eventNames(await reader.ended).slice(-2)).toEqual(['conversation.chat.canceled', 'done'])
    await whole.ended
    expect(await readInPieces(app, chat, { style: 'guide', cuts: [3] })).toBe(whole.text)
  })

  test('that waits for its caller ends there, and goes on from there when it does', async () => {
    app.provider.script = [answers(['Let me look. ', calls('clock', {}, 'call_1')]), answers(['It is ', 'late'])]
    const tools = [{ type: 'function', function: { name: 'clock' } }]
    await using whole = await openChat(app, 'sdk', { tools })
    const frames = await whole.ended
    const chat = frames[0]?.data
    expect(eventNames(frames).slice(-2)).toEqual(['conversation.chat.requires_action', 'done'])
    for (let at = 0; at < 6; at++) expect(await readInPieces(app, chat, { style: 'sdk', cuts: [at] })).toBe(whole.text)

    const outputs = { tool_outputs: [{ tool_call_id: 'call_1', output: 'ten' }], stream: true }
    await using more = await openStream(app, outputs, { path: `${chatPath(chat, '/v3/chat/submit_tool_outputs')}&event_ids=true` })
    const rest = await more.ended
    expect(rest.map((frame) => frame.id).slice(0, -1)).toEqual(rest.slice(0, -1).map((_, at) => String(cursorOf(frames) + at + 1)))
    const all = whole.text.replace('event: done\ndata: [DONE]\n\n', '') + more.text
    for (let at = 0; at < 13; at++) expect(await readInPieces(app, chat, { style: 'sdk', cuts: [at] })).toBe(all)
  })

  test('whose journal was deleted is told again from its messages', async () => {
    const { chat } = await uncut(app, 'guide')
    await app.core.db.deleteFrom('journal_segment').where('run_id', '=', chat.id).execute()
    for (const cursor of [0, 3, 1_000]) {
      const frames = await (await resumeChat(app, chat, { style: 'guide', cursor })).ended
      expect(eventNames(frames)).toEqual([
        ...['conversation.chat.created', 'conversation.chat.in_progress'],
        ...['conversation.message.completed', 'conversation.chat.completed', 'done'],
      ])
      expect(frames[2]?.data.content).toBe('Hello there')
      expect(frames[3]?.data).toMatchObject({ id: chat.id, status: 'completed' })
    }
  })

  test('whose conversation was deleted is still its caller’s', async () => {
    const { chat, text } = await uncut(app, 'guide')
    await app.call('DELETE', `/v1/conversations/${chat.conversation_id}`)
    expect(await readInPieces(app, chat, { style: 'guide', cuts: [2] })).toBe(text)
  })
}

function servesMany(app: TestApp): void {
  test('1,000 readers at once of a live chat all have the same bytes', async () => {
    app.provider.script = answers([...slowly(30), wait(1_500), 'end'])
    await using whole = await openChat(app, 'sdk')
    const chat = (await whole.until((frames) => frames.length >= 4))[0]?.data
    const startedAt = performance.now()
    const readers = await Promise.all(Array.from({ length: 1_000 }, () => resumeChat(app, chat, { style: 'sdk', cursor: 2 })))
    await Promise.all(readers.map((reader) => reader.ended))
    await whole.ended
    const expected = whole.text.slice(whole.text.indexOf('id: 3\n'))
    expect(readers.filter((reader) => reader.text !== expected)).toEqual([])
    expect(performance.now() - startedAt).toBeLessThan(15_000)
    expect(app.provider.requests.length).toBe(1)
  }, 30_000)
}

function takesAnyCursor(app: TestApp): void {
  test.each([EVENTS, EVENTS + 1, 1_000_000, Number.MAX_SAFE_INTEGER])(
    'of %i, beyond the end: the stream is over at once',
    async (cursor) => {
      app.provider.script = answers(slowly(0))
      const { chat } = await uncut(app, 'sdk')
      for (const style of STYLES) {
        const frames = await (await resumeChat(app, chat, { style, cursor })).ended
        expect(eventNames(frames)).toEqual(['done'])
      }
    },
  )

  test('beyond what a live chat has so far: what follows it, once it comes', async () => {
    app.provider.script = answers(slowly(30))
    await using whole = await openChat(app, 'sdk')
    const chat = (await whole.until((frames) => frames.length >= 3))[0]?.data
    const frames = await (await resumeChat(app, chat, { style: 'sdk', cursor: 7 })).ended
    expect(frames[0]?.id).toBe('8')
    await whole.ended
    expect(whole.text.endsWith(frames.map((frame) => `${frame.lines.join('\n')}\n\n`).join(''))).toBe(true)
  })

  test.each(['-1', '1.5', 'x', 'NaN', '1e999', '9007199254740993', '%00', '1;drop'])('starting_after=%s is refused', async (cursor) => {
    const { chat } = await uncut(app, 'sdk')
    expectRefusal(await app.call('GET', `${chatPath(chat)}&starting_after=${cursor}`), {
      status: 422,
      message: 'starting_after: must be the number of the last event you have, 0 for none',
    })
  })

  // a browser sends it by itself: what it has kept of another stream must not break this one
  test.each(['-1', '1.5', 'x', '', '99999999999999999999'])('Last-Event-ID: %s is none: everything from the start', async (cursor) => {
    const { chat, text } = await uncut(app, 'guide')
    await using stream = await resumeChat(app, chat, { style: 'guide', cursor })
    await stream.ended
    expect(stream.text).toBe(text)
  })

  test('starting_after counts, not the header', async () => {
    const { chat } = await uncut(app, 'guide')
    await using stream = await openStream(app, undefined, { path: `${chatPath(chat)}&starting_after=2`, headers: { 'last-event-id': '5' } })
    expect((await stream.ended)[0]?.id).toBe('3')
  })

  test('of another chat is only a number', async () => {
    app.provider.script = says(...Array.from({ length: 30 }, (_, at) => `${at} `))
    const long = await uncut(app, 'sdk')
    app.provider.script = says('short')
    const short = await uncut(app, 'sdk')
    expect(eventNames(await (await resumeChat(app, short.chat, { style: 'sdk', cursor: 25 })).ended)).toEqual(['done'])
    expect(cursorOf(await (await resumeChat(app, long.chat, { style: 'sdk', cursor: 25 })).ended)).toBe(35)
  })
}

function refusesStrangers(app: TestApp): void {
  test('who has another user’s key: 404, live or ended', async () => {
    const { apiKey } = await app.makeUser()
    const ended = await uncut(app, 'guide')
    app.provider.script = answers(['one', wait(200), 'two'])
    await using live = await openChat(app, 'guide')
    const chat = (await live.until((frames) => frames.length > 0))[0]?.data
    for (const each of [ended.chat, chat])
      expectRefusal(await app.call('GET', chatPath(each), undefined, { apiKey }), { status: 404, message: 'chat not found' })
    expect(deltaText(await live.ended)).toBe('onetwo')
  })

  test('who names another conversation, or a chat that is none', async () => {
    const one = await uncut(app, 'guide')
    const other = await uncut(app, 'guide')
    const mixed = { conversation_id: other.chat.conversation_id, id: one.chat.id }
    const unknown = { conversation_id: one.chat.conversation_id, id: '7234567890123456789' }
    for (const chat of [mixed, unknown]) expectRefusal(await app.call('GET', chatPath(chat)), { status: 404, message: 'chat not found' })
  })
}
