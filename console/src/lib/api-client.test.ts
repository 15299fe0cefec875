import { describe, expect, onTestFinished, test } from 'vitest'
import { fakeConsoleApi } from '../../test/fake-console-api.ts'
import { api } from './api-client.ts'
import { ApiError } from './api-error.ts'
import { readEvents } from './api-events.ts'
import { endSessionWait, onSessionEnded } from './session-gate.ts'

async function failureOf(answer: Promise<unknown>): Promise<ApiError | undefined> {
  try {
    await answer
    return undefined
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
}

describe('requests', () => {
  test('answer the data of the envelope; empty query values are left out', async () => {
    const { requests } = fakeConsoleApi({ 'GET /api/console/agents': { data: { items: [1], total: 1 } } })
    expect(await api.get('/api/console/agents', { query: { page: 2, search: '', status: undefined } })).toEqual({ items: [1], total: 1 })
    expect(requests.map(({ query }) => query.toString())).toEqual(['page=2'])
  })

  test.each([
    [404, 'missing'],
    [409, 'conflict'],
    [422, 'refused'],
    [429, 'throttled'],
    [500, 'broken'],
    [503, 'unavailable'],
  ])('a %i is an error of the kind %s with what the server says', async (status, failure) => {
    fakeConsoleApi({ 'GET /x': { status, msg: 'no such luck', headers: { 'x-tt-logid': 'req_1', 'retry-after': '3' } } })
    expect(await failureOf(api.get('/x'))).toMatchObject({
      failure,
      status,
      message: 'no such luck',
      requestId: 'req_1',
      retryAfterMs: 3_000,
    })
  })

  test('without a network the error says that nobody answered', async () => {
    const real = globalThis.fetch
    onTestFinished(() => void (globalThis.fetch = real))
    globalThis.fetch = () => Promise.reject(new TypeError('Failed to fetch'))
    expect(await failureOf(api.get('/x'))).toMatchObject({ failure: 'unreachable', status: 0 })
  })

  test('who gives up gets the abort, not an error', async () => {
    fakeConsoleApi({
      'GET /x': () => {
        throw new DOMException('aborted', 'AbortError')
      },
    })
    const answer = api.get('/x', { signal: AbortSignal.abort() })
    await expect(answer).rejects.toMatchObject({ name: 'AbortError' })
  })

  test('an answer that is no envelope is not passed on', async () => {
    const real = globalThis.fetch
    onTestFinished(() => void (globalThis.fetch = real))
    globalThis.fetch = () => Promise.resolve(new Response('<html>'))
    expect(await failureOf(api.get('/x'))).toMatchObject({ failure: 'unavailable' })
  })
})

describe('when the session has ended', () => {
  const endedOnce = () => {
    let isSignedIn = false
    onTestFinished(() => endSessionWait(false))
    const { requests } = fakeConsoleApi({ 'POST /x': () => (isSignedIn ? { data: 'done' } : { status: 401 }) })
    return { requests, signIn: () => (isSignedIn = true) }
  }

  test('requests wait for one sign-in, and are then sent again as they were', async () => {
    const { requests, signIn } = endedOnce()
    let asked = 0
    onTestFinished(onSessionEnded(() => asked++))
    const answers = Promise.all([api.post('/x', { text: 'a' }), api.post('/x', { text: 'b' })])
    await expect.poll(() => asked).toBe(1)
    signIn()
    endSessionWait(true)

    expect(await answers).toEqual(['done', 'done'])
    expect(requests.slice(2).map(({ body }) => body)).toEqual([{ text: 'a' }, { text: 'b' }])
    expect(asked).toBe(1)
  })

  test('they fail when the person leaves, or when nobody shows a sign-in', async () => {
    endedOnce()
    expect(await failureOf(api.post('/x'))).toMatchObject({ failure: 'signed_out' })
    onTestFinished(onSessionEnded(() => setTimeout(() => endSessionWait(false))))
    expect(await failureOf(api.post('/x'))).toMatchObject({ failure: 'signed_out' })
  })
})

describe('events', () => {
  const events = async (response: Response) => {
    const read: string[] = []
    const error = await failureOf(
      (async () => {
        for await (const { event, id, data } of readEvents(response)) read.push(`${id ?? '-'} ${event}: ${data}`)
      })(),
    )
    return { read, failure: error?.failure }
  }

  test('come one by one, however the bytes are cut', async () => {
    const bytes = new TextEncoder().encode('id: 1\nevent: delta\ndata: 你好\n\nevent: done\ndata: [DONE]\n\n')
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const piece of [bytes.slice(0, 31), bytes.slice(31, 33), bytes.slice(33)]) controller.enqueue(piece)
        controller.close()
      },
    })
    expect(await events(new Response(body))).toEqual({ read: ['1 delta: 你好', '- done: [DONE]'], failure: undefined })
  })

  test('a connection that breaks is an error after the events that came', async () => {
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(new TextEncoder().encode('data: a\n\n'))
        controller.error(new TypeError('network error'))
      },
    })
    const { failure } = await events(new Response(body))
    expect(failure).toBe('unreachable')
  })
})
