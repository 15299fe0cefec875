import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import { describe, expect, test } from 'vitest'
import { createSseStreams } from './sse.ts'
import type { FrameSource } from './sse.ts'

const MB = 1_048_576

describe('a stream', () => {
  test('has every frame as it was given, in order, and then ends', async () => {
    await using server = await startStreams(async function* () {
      yield ['event: a\ndata: {"文":"🚀"}\n\n', 'event: b\ndata: 2\n\n']
      await sleep(5)
      yield ['event: done\ndata: [DONE]\n\n']
    })
    const response = await fetch(server.url)

    expect(await response.text()).toBe('event: a\ndata: {"文":"🚀"}\n\nevent: b\ndata: 2\n\nevent: done\ndata: [DONE]\n\n')
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
      'x-tt-logid': expect.stringMatching(/./),
    })
    expect(server.streams.count).toBe(0)
    expect(server.errors).toEqual([])
  })

  test('is there before its first frame, and each frame before the next one', async () => {
    const gate = createGate()
    await using server = await startStreams(async function* () {
      await gate.passed
      yield ['data: 1\n\n']
      await sleep(100_000, undefined, { signal: server.closing }).catch(() => undefined)
    })
    const response = await fetch(server.url)
    gate.open()
    const { value } = (await response.body?.getReader().read()) ?? {}

    expect(Buffer.from(value ?? []).toString()).toBe('data: 1\n\n')
  })

  test('to an old client that does not know chunks is the same text', async () => {
    await using server = await startStreams(async function* () {
      yield ['data: 1\n\n', 'data: 2\n\n']
    })
    const socket = server.connect()
    socket.write('GET / HTTP/1.0\r\n\r\n')
    const answer = (await socket.setEncoding('utf8').toArray()).join('')

    expect(answer.split('\r\n\r\n')[1]).toBe('data: 1\n\ndata: 2\n\n')
  })

  test('after which the connection takes the next request', async () => {
    await using server = await startStreams(async function* () {
      yield ['data: 1\n\n']
    })
    const socket = server.connect()
    const request = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'
    // the second one is there before the first is answered
    socket.write(request + request)
    let answer = ''
    for await (const chunk of socket.setEncoding('utf8')) {
      answer += String(chunk)
      if (answer.split('\r\n0\r\n\r\n').length > 2) break
    }

    expect(answer.match(/data: 1/g)).toHaveLength(2)
    expect(answer.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2)
    // the size of a chunk is the size of its frame
    expect(answer.match(/\r\n9\r\ndata: 1\n\n\r\n0\r\n\r\n/g)).toHaveLength(2)
  })

  test('that breaks is cut, not ended: its reader can tell, and resume', async () => {
    const bug = new Error('a bug')
    await using server = await startStreams(async function* () {
      yield ['data: 1\n\n']
      throw bug
    })
    const response = await fetch(server.url)

    await expect(response.text()).rejects.toThrow()
    expect(server.errors).toEqual([bug])
    expect(server.streams.count).toBe(0)
  })
})

describe('a client that leaves', () => {
  test('stops its source and nothing else', async () => {
    const other = createGate()
    await using server = await startStreams(async function* (signal) {
      yield ['data: 1\n\n']
      await Promise.race([aborted(signal), other.passed])
      server.stopped.push(signal.aborted)
      yield ['data: 2\n\n']
    })
    const leaving = new AbortController()
    const [one, two] = [await fetch(server.url, { signal: leaving.signal }), await fetch(server.url)]
    expect([one.status, server.streams.count]).toEqual([200, 2])
    leaving.abort()
    await waitFor(() => server.stopped.length === 1)
    expect([server.stopped, server.streams.count]).toEqual([[true], 1])

    other.open()
    expect(await two.text()).toBe('data: 1\n\ndata: 2\n\n')
    expect(server.errors).toEqual([])
  })

  test('before the stream begins is not waited for', async () => {
    const gate = createGate()
    await using server = await startStreams(
      async function* (signal) {
        for (let frame = 0; frame < 3 && !signal.aborted; frame++) yield ['data: 1\n\n']
        await aborted(signal)
        server.stopped.push(true)
      },
      { before: () => gate.passed },
    )
    const socket = server.connect()
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
    await sleep(50)
    socket.destroy()
    await sleep(50)
    gate.open()
    await waitFor(() => server.done() === 1)

    expect([server.streams.count, server.errors]).toEqual([0, []])
  })

  test('while an earlier request of its connection is still being answered is not waited for', async () => {
    await using server = await startStreams(async function* (signal) {
      yield ['data: 1\n\n']
      await aborted(signal)
    })
    const socket = server.connect()
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(2))
    await waitFor(() => server.pulled() === 2)
    socket.destroy()
    await waitFor(() => server.done() === 2)

    expect([server.streams.count, server.errors]).toEqual([0, []])
  })

  test('and had not read what was sent is not waited for either', async () => {
    await using server = await startStreams(endless(64 * 1024))
    const socket = server.connect()
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
    await waitFor(() => server.pulled() > 0)
    await sleep(100)
    socket.destroy()
    await waitFor(() => server.done() === 1)

    expect([server.streams.count, server.errors]).toEqual([0, []])
  })
})

test('a client that does not read costs what a socket holds, not what its source has', async () => {
  await using server = await startStreams(endless(MB, 100))
  const socket = server.connect().pause()
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  await waitFor(() => server.pulled() > 0)
  const before = process.memoryUsage().external
  await sleep(400)
  const pulled = server.pulled()
  expect(pulled).toBeLessThan(20)
  expect(process.memoryUsage().external - before).toBeLessThan(20 * MB)

  // and when it reads on, it gets everything
  let bytes = 0
  for await (const chunk of socket) {
    bytes += Buffer.from(chunk).length
    if (bytes > 100 * MB) break
  }
  expect(server.pulled()).toBe(100)
})

test('a server that closes ends the streams that are open', async () => {
  await using server = await startStreams(async function* (signal) {
    yield ['data: 1\n\n']
    await aborted(signal)
  })
  const responses = await Promise.all([fetch(server.url), fetch(server.url)])
  const texts = Promise.allSettled(responses.map((response) => response.text()))
  await server.streams.closeAll(0)
  await texts

  expect([server.streams.count, server.done()]).toEqual([0, 2])
})

type Options = { before?: () => Promise<unknown> }

/** A server whose one answer is the stream; sources can be counted and told that it closes. */
async function startStreams(source: FrameSource, { before }: Options = {}) {
  const [errors, stopped]: [unknown[], boolean[]] = [[], []]
  const closing = new AbortController()
  const streams = createSseStreams((cause) => errors.push(cause))
  const http = Fastify({ forceCloseConnections: true })
  let [pulled, done] = [0, 0]
  http.get('/', async (_request, reply) => {
    await before?.()
    await streams.send(reply, async function* (signal) {
      for await (const frames of source(signal)) {
        pulled += frames.length
        yield frames
      }
    })
    done++
  })
  const url = await http.listen({ host: '127.0.0.1', port: 0 })

  return {
    ...{ url, streams, errors, stopped, closing: closing.signal },
    /** Frames that were asked for, and streams that have ended. */
    pulled: () => pulled,
    done: () => done,
    connect: (): Socket => connect({ host: '127.0.0.1', port: Number(new URL(url).port) }).on('error', () => undefined),
    async [Symbol.asyncDispose]() {
      closing.abort()
      await streams.closeAll(0)
      await http.close()
    },
  }
}

const endless = (bytes: number, frames = Infinity): FrameSource =>
  async function* (signal) {
    for (let number = 0; number < frames && !signal.aborted; number++) yield [`data: ${String(number).padEnd(bytes - 8, 'x')}\n\n`]
  }

const aborted = (signal: AbortSignal) => (signal.aborted ? Promise.resolve() : once(signal, 'abort'))

async function waitFor(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('waited in vain')
    await sleep(5)
  }
}

function createGate() {
  const gate = { open: () => {} }
  const passed = new Promise<void>((resolve) => (gate.open = resolve))
  return { passed, open: () => gate.open() }
}
