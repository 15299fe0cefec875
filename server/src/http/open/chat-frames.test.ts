import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ChatEvent, CompletedMessage } from '../../chat/chat-event.ts'
import type { Run } from '../../chat/run-store.ts'
import { DONE_FRAME, createChatFrames, toJson } from './chat-frames.ts'

const NOW = Date.UTC(2026, 0, 1)
const usage = { inputTokens: 11, outputTokens: 5 }
const run = {
  ...{ id: '1234567890123456789', ownerId: '1', keyId: '2', botId: '3', botVersionId: '4', conversationId: '5', sectionId: '6' },
  ...{ endUser: '', status: 'in_progress', metaData: { 来源: '微\u2028信' }, answerId: '7', usage: { inputTokens: 0, outputTokens: 0 } },
  ...{ error: undefined, workerToken: 'w', createdAt: NOW, finishedAt: 0 },
} as unknown as Run

const STYLES = [
  { style: 'guide', withIds: true },
  { style: 'sdk', withIds: false },
  { style: 'sdk', withIds: true },
] as const

/** Where Python's and JavaScript's readers split lines, but for the line feed that ends each line of a frame. */
const BREAKS = /[\r\v\f\u001c-\u001e\u0085\u2028\u2029]/

/** Nothing below a space may be in a line. */
const CONTROLS = /[\u0000-\u0009\u000b-\u001f]/

const texts = fc.string({
  unit: fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    fc.constantFrom('\n', '\r', '\u0085', '\u2028', '\u2029', '"', '\\', '\ud83d', '\0'),
  ),
})

const completed = (text: string, type: CompletedMessage['type'] = 'answer'): ChatEvent => ({
  type: 'message_completed',
  message: { id: '7', type, content: text, contentType: 'text', reasoning: text, createdAt: NOW },
})

const everyEvent = (text: string): ChatEvent[] => [
  { type: 'run_created' },
  { type: 'run_started' },
  { type: 'answer_delta', text },
  { type: 'reasoning_delta', text },
  completed(text),
  completed(text, 'verbose'),
  { type: 'run_completed', finishedAt: NOW, usage },
  { type: 'run_failed', finishedAt: NOW, usage, error: { code: 'internal', message: text } },
  { type: 'run_canceled', finishedAt: NOW, usage },
]

describe('a frame', () => {
  test('is two lines, or three with an id, and a blank one, whatever is in it', () => {
    fc.assert(
      fc.property(texts, fc.constantFrom(...STYLES), (text, options) => {
        const toFrame = createChatFrames(run, options)
        for (const [at, event] of everyEvent(text).entries()) {
          const frame = toFrame({ seq: at + 1, event, last: false })
          const lines = frame.split('\n')

          expect(frame).not.toMatch(BREAKS)
          expect(frame).not.toMatch(CONTROLS)
          expect(lines.map((line) => line.split(': ', 1)[0])).toEqual([...(options.withIds ? ['id'] : []), 'event', 'data', '', ''])
          if (options.withIds) expect(lines[0]).toBe(`id: ${at + 1}`)
        }
      }),
    )
  })

  test('gives the text back character for character', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const [, , answer, reasoning, message, , , failed] = everyEvent(text).map((event) => dataOf(event))

        expect(answer).toMatchObject({ content: text, reasoning_content: '' })
        expect(reasoning).toMatchObject({ content: '', reasoning_content: text })
        expect(message).toMatchObject({ content: text, reasoning_content: text })
        expect(failed).toMatchObject({ last_error: { msg: text } })
      }),
    )
  })
})

test('a chat has the events that clients know, in their order', () => {
  const toFrame = createChatFrames(run, { style: 'sdk', withIds: false })
  const names = everyEvent('x').map((event) => /^event: (.*)$/m.exec(toFrame({ seq: 1, event, last: false }))?.[1])

  expect(names).toEqual([
    ...['conversation.chat.created', 'conversation.chat.in_progress', 'conversation.message.delta', 'conversation.message.delta'],
    ...['conversation.message.completed', 'conversation.message.completed'],
    ...['conversation.chat.completed', 'conversation.chat.failed', 'conversation.chat.canceled'],
  ])
  expect(DONE_FRAME).toBe('event: done\ndata: [DONE]\n\n')
})

test('ids are texts, times are seconds, and a delta has the id that the whole answer will have', () => {
  const ids = { conversation_id: '5', bot_id: '3', section_id: '6' }
  const [created, , delta, , answer, , done] = everyEvent('x').map((event) => dataOf(event))

  expect(created).toMatchObject({
    id: '1234567890123456789',
    ...ids,
    status: 'created',
    created_at: NOW / 1000,
    last_error: { code: 0, msg: '' },
  })
  expect(delta).toEqual({
    ...{ id: '7', ...ids, chat_id: '1234567890123456789', role: 'assistant', type: 'answer', content: 'x', content_type: 'text' },
    ...{ reasoning_content: '', created_at: NOW / 1000 },
  })
  expect(answer).toMatchObject({ id: '7', ...ids, chat_id: '1234567890123456789', role: 'assistant', content: 'x' })
  expect(done).toMatchObject({
    status: 'completed',
    completed_at: NOW / 1000,
    usage: { token_count: 16, input_count: 11, output_count: 5 },
  })
  expect(done).not.toHaveProperty('failed_at')
})

test('the guide’s clients print what has the type answer: the whole answer goes without it, the pieces and the marker keep theirs', () => {
  const typesIn = (style: 'guide' | 'sdk') =>
    [{ type: 'answer_delta', text: 'x' } as const, completed('x'), completed('x', 'verbose')].map((event) => dataOf(event, style)?.type)

  expect(typesIn('guide')).toEqual(['answer', undefined, 'verbose'])
  expect(typesIn('sdk')).toEqual(['answer', 'answer', 'verbose'])
})

test('a failed chat says why, with the number that the SDKs know', () => {
  const failed = (code: string) => dataOf({ type: 'run_failed', finishedAt: NOW, usage, error: { code, message: 'why' } })

  expect(failed('rate_limit')).toMatchObject({ status: 'failed', failed_at: NOW / 1000, last_error: { code: 4013, msg: 'why' } })
  expect(failed('internal')).toMatchObject({ last_error: { code: 5000, msg: 'why' } })
})

test('JSON without line ends is the same JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
      expect(JSON.parse(toJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})

function dataOf(event: ChatEvent, style: 'guide' | 'sdk' = 'sdk'): Record<string, unknown> | undefined {
  const frame = createChatFrames(run, { style, withIds: false })({ seq: 1, event, last: false })
  return JSON.parse(frame.split('\n')[1]?.slice('data: '.length) ?? '')
}
