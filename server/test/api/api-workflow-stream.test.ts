import { describe, expect, test } from 'vitest'
import { answers, hang, says, wait } from '../support/fake-provider.ts'
import type { Piece } from '../support/fake-provider.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { openStream } from '../support/live-stream.ts'
import type { LiveStream } from '../support/live-stream.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { startSecondNode } from '../support/second-node.ts'
import { eventNames } from '../support/sse-frames.ts'
import type { Frame } from '../support/sse-frames.ts'
import { startTestApp, useTestApp } from '../support/test-app.ts'
import type { Json, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'
import {
  asking,
  brackets,
  framesOf,
  lastOf,
  messageText,
  openRun,
  publish,
  reading,
  runIdOf,
  speaking,
  useProvider,
} from '../support/workflow-app.ts'

const WORDS = ['one ', 'zwei ', '三 ', '\u2028 ', 'vier\n', '🦆 ']
const slowly = (ms = 25): Piece[] => WORDS.flatMap((word): Piece[] => [word, wait(ms)])
/** The greeting, the words and the end. */
const EVENTS = 1 + WORDS.length + 1

describe.each(testDatabases())('streams of workflows on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  describe('works', () => {
    describe('from start to end', () => streams(app))
    describe('with answers in between', () => asks(app))
    describe('for readers who come back', () => resumes(app))
    describe('for runs that are canceled', () => cancels(app))
  })
  describe('refuses bad input', () => refuses(app))
  describe('refuses the wrong key', () => {
    test('whose run it is not does not see, answer or cancel it', async () => {
      const { workflow_id, frames } = await startAsking(app)
      const { apiKey } = await app.makeUser()
      const { event_id } = lastOf(frames).interrupt_data
      const address = { workflow_id, execute_id: runIdOf(frames) }
      const calls = [
        await app.call('POST', '/v1/workflow/stream_resume', { workflow_id, event_id, resume_data: 'x' }, { apiKey }),
        await app.call('POST', '/v1/workflow/cancel', address, { apiKey }),
        await app.call('GET', streamPath(address), undefined, { apiKey }),
      ]
      for (const reply of calls) expectRefusal(reply, { status: 404, message: /^the run does not exist/ })
      expect(eventNames(await answer(app, workflow_id, { event_id }))).toEqual(['Message', 'Interrupt'])
    })
  })

  keepsItsSecrets(app)
})

type Address = { workflow_id: string; execute_id: string }
const streamPath = ({ workflow_id, execute_id }: Address, after?: number) =>
  `/v1/workflow/stream?workflow_id=${workflow_id}&execute_id=${execute_id}${after === undefined ? '' : `&starting_after=${after}`}`
const textOf = (frames: Frame[]) => frames.map(({ lines }) => `${lines.join('\n')}\n\n`).join('')

/** A stream with a model's words in it. */
async function openSpeaking(app: TestApp, script: Piece[] = slowly(0)): Promise<{ workflow_id: string; stream: LiveStream }> {
  await useProvider(app)
  app.provider.script = answers(script)
  const workflow_id = await publish(app, speaking())
  return { workflow_id, stream: await openRun(app, { workflow_id, parameters: { topic: 'words' } }) }
}

async function startAsking(app: TestApp): Promise<{ workflow_id: string; frames: Frame[] }> {
  const workflow_id = await publish(app, asking())
  return {
    workflow_id,
    frames: await framesOf(app, { workflow_id, parameters: { USER_INPUT: 'trip' } }, { path: '/v1/workflow/stream_run' }),
  }
}

type Answer = { event_id: string; data?: string; query?: string }
const answer = (app: Pick<TestApp, 'url' | 'apiKey'>, workflow_id: string, { event_id, data = 'Rome', query = '' }: Answer) =>
  framesOf(app, { workflow_id, event_id, resume_data: data, interrupt_type: 2 }, { path: `/v1/workflow/stream_resume${query}` })

function streams(app: TestApp): void {
  test('every event is exactly three lines with ids from 0, and each in one piece', async () => {
    const { workflow_id, stream } = await openSpeaking(app)
    const frames = await stream.ended
    expect(stream.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(stream.text).toBe(textOf(frames))
    expect(stream.text).not.toMatch(/[\u0085\u2028\u2029]/)
    for (const [at, { lines, id }] of frames.entries()) {
      expect(lines.map((line) => line.split(':')[0])).toEqual(['id', 'event', 'data'])
      expect(id).toBe(String(at))
    }
    expect(eventNames(frames)).toEqual([...Array.from({ length: EVENTS - 1 }, () => 'Message'), 'Done'])
    expect(messageText(frames)).toBe(`About words: ${WORDS.join('')}`)

    const end = { content_type: 'text', node_title: 'end', node_id: '900001', node_type: 'End' }
    expect(frames[0]?.data).toEqual({
      ...{ content: 'About words: ', content_type: 'text', node_title: 'hello', node_id: '101', node_type: 'Message' },
      ...{ node_seq_id: '0', node_is_finish: true },
    })
    expect(frames[1]?.data).toEqual({ ...end, content: 'one ', node_seq_id: '0', node_is_finish: false })
    expect(frames.at(-2)?.data).toEqual({ ...end, content: '🦆 ', node_seq_id: '5', node_is_finish: true })
    expect(lastOf(frames)).toEqual({
      debug_url: `${app.url}/workflows/${workflow_id}/runs/${runIdOf(frames)}`,
      ...{ token: 7, cost: '0', usage: { token_count: 7, input_count: 1, output_count: 6 } },
    })
  })

  test('what a model says comes while it says it', async () => {
    // of a text one part is held back, as the last one has a mark
    const { stream } = await openSpeaking(app, ['early ', 'bird ', wait(400), 'late'])
    await stream.until((frames) => messageText(frames).includes('early'))
    expect(messageText(stream.frames)).not.toContain('bird')
    expect(messageText(await stream.ended)).toBe('About words: early bird late')
  })

  test('a run that fails ends with an Error', async () => {
    const workflow_id = await publish(app, reading())
    const frames = await framesOf(app, { workflow_id, parameters: { text: 'no JSON' } }, { path: '/v1/workflow/stream_run' })
    expect(eventNames(frames)).toEqual(['Error'])
    expect(lastOf(frames)).toEqual({ error_code: 720701013, error_message: expect.stringMatching(/JSON/), debug_url: expect.any(String) })
  })

  test('a client that leaves does not stop the run', async () => {
    const { workflow_id, stream } = await openSpeaking(app, ['one ', 'two ', wait(150), 'three'])
    await stream.until((frames) => messageText(frames).includes('one '))
    stream.leave()
    const [{ execute_id }] = (await app.call('GET', `/v1/workflow/get_run_history?workflow_id=${workflow_id}`)).body.data
    expect(messageText(await framesOf(app, undefined, { path: streamPath({ workflow_id, execute_id }) }))).toBe(
      'About words: one two three',
    )
  })

  test('20 streams with one Idempotency-Key are one run with the same bytes', async () => {
    const { workflow_id, stream } = await openSpeaking(app)
    await stream.ended
    app.provider.requests.length = 0
    app.provider.script = answers(slowly(20))
    const headers = { 'idempotency-key': 'streamed' }
    const body = { workflow_id, parameters: { topic: 'words' } }
    const all = await Promise.all(Array.from({ length: 20 }, () => openRun(app, body, { headers })))
    await Promise.all(all.map(({ ended }) => ended))
    expect(new Set(all.map(({ text }) => text)).size).toBe(1)
    expect(app.provider.requests.length).toBe(1)
  })
}

function asks(app: TestApp): void {
  test('a question is a Message with what is asked and an Interrupt; the answer goes on from there, with ids from 0', async () => {
    const { workflow_id, frames } = await startAsking(app)
    const asked = (question: string, id: string) =>
      JSON.stringify({ messages: [{ type: 'question', content_type: 'text', content: question, id }] })
    const first = asked('Where to?', '101_0')
    expect(eventNames(frames)).toEqual(['Message', 'Interrupt'])
    expect(frames[0]?.data).toMatchObject({ content: first, node_title: 'place', node_type: 'Question', node_is_finish: true })
    const debug_url = `${app.url}/workflows/${workflow_id}/runs/${runIdOf(frames)}`
    const event_id = expect.stringMatching(new RegExp(`^${runIdOf(frames)}/\\d+$`))
    expect(lastOf(frames)).toEqual({ interrupt_data: { event_id, type: 2, data: first }, node_title: 'place', debug_url })

    const second = await answer(app, workflow_id, { event_id: lastOf(frames).interrupt_data.event_id })
    expect(second.map(({ id, event }) => `${id} ${event}`)).toEqual(['0 Message', '1 Interrupt'])
    expect(lastOf(second).interrupt_data.data).toContain('How far?')

    const third = await answer(app, workflow_id, { event_id: lastOf(second).interrupt_data.event_id, data: '3 km' })
    expect(third.map(({ id, event }) => `${id} ${event}`)).toEqual(['0 Message', '1 Done'])
    expect(messageText(third)).toBe('trip: Rome, 3 km')
  })

  test('with event_ids=true the ids go on, and the whole run can be read again', async () => {
    const { workflow_id, frames } = await startAsking(app)
    const second = await answer(app, workflow_id, { event_id: lastOf(frames).interrupt_data.event_id, query: '?event_ids=true' })
    expect(second.map(({ id }) => id)).toEqual(['2', '3'])
    const third = await answer(app, workflow_id, { event_id: lastOf(second).interrupt_data.event_id, query: '?event_ids=true' })
    const all = await framesOf(app, undefined, { path: streamPath({ workflow_id, execute_id: runIdOf(frames) }) })
    expect(textOf(all)).toBe(textOf([...frames, ...second, ...third]))
  })

  test('of several answers at once one counts', async () => {
    const { workflow_id, frames } = await startAsking(app)
    const body = { workflow_id, event_id: lastOf(frames).interrupt_data.event_id, resume_data: 'Rome' }
    const replies = await Promise.all(Array.from({ length: 8 }, () => app.call('POST', '/v1/workflow/stream_resume', body)))
    const refused = replies.filter(({ status }) => status !== 200)
    expect(refused.length).toBe(7)
    for (const reply of refused) expectRefusal(reply, { status: 409, message: /answer|wait/ })
    expectRefusal(await app.call('POST', '/v1/workflow/stream_resume', body), { status: 409, message: /^this event was answered already/ })
  })

  test('with one Idempotency-Key they are one answer, however often it is sent', async () => {
    const { workflow_id, frames } = await startAsking(app)
    const body = { workflow_id, event_id: lastOf(frames).interrupt_data.event_id, resume_data: 'Rome' }
    const headers = { 'idempotency-key': `answer-${workflow_id}` }
    const send = () => app.call('POST', '/v1/workflow/stream_resume', body, { headers })
    const replies = [...(await Promise.all(Array.from({ length: 8 }, send))), await send()]
    expect(new Set(replies.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
    expect(replies[0]?.text).toContain('How far?')
  })

  test('an answer may come to another node, and after the first one is gone', async () => {
    const { workflow_id, frames } = await startAsking(app)
    await using other = await startSecondNode(app)
    const second = await answer(other, workflow_id, { event_id: lastOf(frames).interrupt_data.event_id })
    expect(lastOf(second).node_title).toBe('distance')
    const third = await answer(app, workflow_id, { event_id: lastOf(second).interrupt_data.event_id })
    expect(messageText(third)).toBe('trip: Rome, Rome')
  })
}

function resumes(app: TestApp): void {
  test('cut at every event of a run that is over: the same bytes', async () => {
    const { workflow_id, stream } = await openSpeaking(app)
    const frames = await stream.ended
    const address = { workflow_id, execute_id: runIdOf(frames) }
    expect((await app.call('GET', streamPath(address))).text).toBe(stream.text)
    for (let at = 0; at < EVENTS; at++) expect((await app.call('GET', streamPath(address, at))).text).toBe(textOf(frames.slice(at + 1)))
    expect((await app.call('GET', streamPath(address, 1_000_000))).text).toBe('')
  })

  test('cut at every event of a live run: the same bytes', async () => {
    const { workflow_id, stream } = await openSpeaking(app, slowly(40))
    await stream.until((frames) => frames.length > 0)
    const [{ execute_id }] = (await app.call('GET', `/v1/workflow/get_run_history?workflow_id=${workflow_id}`)).body.data
    const address = { workflow_id, execute_id }
    const rests = await Promise.all(Array.from({ length: EVENTS }, (_, at) => app.call('GET', streamPath(address, at))))
    const frames = await stream.ended
    expect(rests.map(({ text }) => text)).toEqual(rests.map((_, at) => textOf(frames.slice(at + 1))))
    expect(app.provider.requests.length).toBe(1)
  })

  test('by Last-Event-ID, which counts only where starting_after says nothing', async () => {
    const { workflow_id, stream } = await openSpeaking(app)
    const frames = await stream.ended
    const address = { workflow_id, execute_id: runIdOf(frames) }
    const read = async (path: string, last: string) => (await app.call('GET', path, undefined, { headers: { 'last-event-id': last } })).text
    expect(await read(streamPath(address), '0')).toBe(textOf(frames.slice(1)))
    expect(await read(streamPath(address, 3), '0')).toBe(textOf(frames.slice(4)))
    for (const none of ['-1', 'x', '']) expect(await read(streamPath(address), none)).toBe(stream.text)
  })

  test('while the run waits, goes on and ends, on another node', async () => {
    await using other = await startSecondNode(app)
    const { workflow_id, frames } = await startAsking(app)
    const address = { workflow_id, execute_id: runIdOf(frames) }
    const there = (after?: number) => framesOf(other, undefined, { path: streamPath(address, after) })
    expect(textOf(await there())).toBe(textOf(frames))
    const second = await answer(app, workflow_id, { event_id: lastOf(frames).interrupt_data.event_id, query: '?event_ids=true' })
    expect(textOf(await there(0))).toBe(textOf([...frames.slice(1), ...second]))
    expect(await there(3)).toEqual([])
  })

  test('when its events are no longer kept: the result and the end', async () => {
    const { workflow_id, stream } = await openSpeaking(app)
    const execute_id = runIdOf(await stream.ended)
    await app.core.db.deleteFrom('journal_segment').where('run_id', '=', execute_id).execute()
    const again = await framesOf(app, undefined, { path: streamPath({ workflow_id, execute_id }) })
    expect(eventNames(again)).toEqual(['Message', 'Done'])
    expect(messageText(again)).toBe(WORDS.join(''))
  })

  test('a server that stops in the middle leaves the run to another one, which goes on with it', async () => {
    await using first = await startTestApp({ env: { DRAIN_SECONDS: '0' } })
    await useProvider(first)
    first.provider.script = [answers(['lost ', 'words', hang()]), says('all ', 'is well')]
    const workflow_id = await publish(first, speaking())
    const stream = await openRun(first, { workflow_id, parameters: { topic: 'words' } })
    await stream.until((frames) => messageText(frames).includes('lost'))
    const [{ execute_id }] = (await first.call('GET', `/v1/workflow/get_run_history?workflow_id=${workflow_id}`)).body.data
    await first.stop()
    expect(eventNames(stream.frames)).not.toContain('Done')

    await using second = await startSecondNode(first)
    const frames = await framesOf(second, undefined, { path: streamPath({ workflow_id, execute_id }, 1) })
    expect(eventNames(frames).at(-1)).toBe('Done')
    expect(messageText(frames)).toContain('all is well')
    expect(Number(frames[0]?.id)).toBeGreaterThan(1)
  }, 30_000)
}

function cancels(app: TestApp): void {
  const cancel = (address: Address) => app.call('POST', '/v1/workflow/cancel', address)

  test('while it goes on: the model is no longer asked, and readers hear of it', async () => {
    const { workflow_id, stream } = await openSpeaking(app, ['so ', 'far', hang()])
    await stream.until((frames) => messageText(frames).includes('so '))
    const [{ execute_id }] = (await app.call('GET', `/v1/workflow/get_run_history?workflow_id=${workflow_id}`)).body.data
    const reply = await cancel({ workflow_id, execute_id })
    expect(reply.body.data).toMatchObject({ execute_id, execute_status: 'Cancel' })
    await app.provider.untilAborted()
    const frames = await stream.ended
    expect(lastOf(frames)).toEqual({
      error_code: 777777777,
      error_message: 'Workflow execution canceled by user',
      debug_url: expect.any(String),
    })
    expectRefusal(await cancel({ workflow_id, execute_id }), {
      status: 400,
      code: 4104,
      message: /^the run cannot be canceled: it is canceled$/,
    })
  })

  test('while it waits: nobody can answer any more', async () => {
    const { workflow_id, frames } = await startAsking(app)
    const address = { workflow_id, execute_id: runIdOf(frames) }
    expect((await cancel({ workflow_id: Number(workflow_id) as never, execute_id: address.execute_id })).body.code).toBe(0)
    expect(eventNames(await framesOf(app, undefined, { path: streamPath(address) }))).toEqual(['Message', 'Interrupt', 'Error'])
    const body = { workflow_id, event_id: lastOf(frames).interrupt_data.event_id, resume_data: 'x' }
    expectRefusal(await app.call('POST', '/v1/workflow/stream_resume', body), { status: 409, message: /it is canceled$/ })
  })

  test('twice at once: one of them did it', async () => {
    const { workflow_id, frames } = await startAsking(app)
    const address = { workflow_id, execute_id: runIdOf(frames) }
    const replies = await Promise.all([cancel(address), cancel(address)])
    expect(replies.filter(({ status }) => status === 200).length).toBeGreaterThan(0)
    for (const { status } of replies) expect([200, 400]).toContain(status)
  })

  test('not when it is over, or of another workflow', async () => {
    const { workflow_id, stream } = await openSpeaking(app)
    const execute_id = runIdOf(await stream.ended)
    expectRefusal(await cancel({ workflow_id, execute_id }), { status: 400, code: 4104, message: /it is succeeded$/ })
    expectRefusal(await cancel({ workflow_id: '1', execute_id }), { status: 404, message: /^the run does not exist/ })
  })
}

function refuses(app: TestApp): void {
  test('answers to what nobody asks', async () => {
    const { workflow_id, frames } = await startAsking(app)
    const event_id: string = lastOf(frames).interrupt_data.event_id
    const runId = runIdOf(frames)
    const resume = (body: Json) => app.call('POST', '/v1/workflow/stream_resume', { workflow_id, event_id, resume_data: 'x', ...body })
    for (const broken of ['x', `${runId}/`, '/1', `${runId}/1/2`, runId, 'a/b'])
      expectRefusal(await resume({ event_id: broken }), { status: 422, message: /^event_id must be as the Interrupt event has it/ })
    expectRefusal(await resume({ event_id: '' }), { status: 422, message: /^event_id: must be the event_id/ })
    expectRefusal(await resume({ event_id: 7 }), { status: 422, message: /^event_id: must be the event_id/ })
    expectRefusal(await resume({ event_id: undefined }), { status: 422, message: 'event id is required' })
    expectRefusal(await resume({ resume_data: undefined }), { status: 422, message: 'resume data is required' })
    expectRefusal(await resume({ resume_data: { a: 1 } }), { status: 422, message: 'resume_data: must be a string' })
    expectRefusal(await resume({ event_id: `${runId}/7` }), {
      status: 409,
      message: /^this event was answered already, or is not of this run$/,
    })
    expectRefusal(await resume({ event_id: `7/${event_id.split('/')[1]}` }), { status: 404, message: /^the run does not exist/ })
    expectRefusal(await resume({ workflow_id: '7' }), { status: 404, message: /^the run does not exist/ })
    expect(eventNames(await answer(app, workflow_id, { event_id }))).toEqual(['Message', 'Interrupt'])
  })

  test('cursors that are none', async () => {
    const workflow_id = await publish(app, brackets())
    const frames = await framesOf(app, { workflow_id, parameters: { word: 'x' } }, { path: '/v1/workflow/stream_run' })
    const path = streamPath({ workflow_id, execute_id: runIdOf(frames) })
    for (const cursor of ['-1', '1.5', 'x', 'NaN', '1e999', '9007199254740993'])
      expectRefusal(await app.call('GET', `${path}&starting_after=${cursor}`), {
        ...{ status: 422, message: 'starting_after: must be the id of the last event you have' },
      })
    expectRefusal(await app.call('GET', `/v1/workflow/stream?workflow_id=${workflow_id}`), {
      status: 422,
      message: 'execute id is required',
    })
    expectRefusal(await app.call('GET', streamPath({ workflow_id, execute_id: '7' })), { status: 404, message: /^the run does not exist/ })
  })

  test('a stream that cannot start is an error like any other', async () => {
    const { response } = await openStream(app, { workflow_id: '1' }, { path: '/v1/workflow/stream_run' })
    expect([response.status, response.headers.get('content-type')]).toEqual([404, 'application/json; charset=utf-8'])
  })
}
