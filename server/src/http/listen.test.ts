import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import Fastify from 'fastify'
import { expect, onTestFinished, test } from 'vitest'
import { listen } from './listen.ts'

const host = '127.0.0.1'

test('whoever comes is taken soon, however long a turn of the event loop is', async () => {
  const { http, port } = await openServer()
  let turns = 0
  let counting = true
  const turn = () => {
    turns++
    if (counting) setImmediate(turn)
  }
  const callers = Array.from({ length: 64 }, () => call(port))
  // the handshakes are the system's: all wait to be accepted before the first turn
  const cameAt: number[] = []
  http.server.on('connection', () => cameAt.push(turns))
  turn()
  await Promise.all(callers.map(text))
  counting = false

  expect(cameAt).toHaveLength(64)
  // one socket takes one a turn
  expect(Math.max(...cameAt) - Math.min(...cameAt)).toBeLessThan(40)
})

test('a port that somebody has is refused, also when it is one of ours', async () => {
  const { port } = await openServer()
  const stranger = createServer().listen(0, host)
  await once(stranger, 'listening')
  onTestFinished(() => void stranger.close())
  const taken = stranger.address()

  await expect(listen(Fastify(), { host, port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  const strangers = typeof taken === 'object' && taken ? taken.port : 0
  await expect(listen(Fastify(), { host, port: strangers })).rejects.toMatchObject({ code: 'EADDRINUSE' })
})

test('closed listeners take nobody, and those who are in get their answer', async () => {
  const { http, listeners, port } = await openServer()
  const arrived = Promise.withResolvers<undefined>()
  let inside = 0
  http.server.on('request', () => ++inside === 16 && arrived.resolve(undefined))
  const answers = Array.from({ length: 16 }, () => call(port, '/slow')).map(text)
  await arrived.promise
  await Promise.all([listeners.close(), http.close()])

  for (const answer of await Promise.all(answers)) expect(answer).toContain('200 OK')
  const late = connect(port, host)
  await expect(once(late, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

async function openServer() {
  const http = Fastify({ forceCloseConnections: 'idle' })
  http.get('/', () => 'here')
  http.get('/slow', async () => {
    await new Promise((resolve) => setTimeout(resolve, 100))
    return 'there'
  })
  const listeners = await listen(http, { host, port: 0 })
  onTestFinished(async () => void (await Promise.all([listeners.close(), http.close()])))
  const address = http.server.address()
  return { http, listeners, port: typeof address === 'object' && address ? address.port : 0 }
}

function call(port: number, path = '/'): Socket {
  const socket = connect(port, host)
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
  return socket
}
