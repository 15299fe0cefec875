import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sendRaw, startFileServer } from '../../test/support/file-server.ts'
import type { FileServer } from '../../test/support/file-server.ts'
import { receiveFile } from './multipart-body.ts'

const PART = 'Content-Disposition: form-data; name="file"; filename="a.txt"\r\n'
const NOT_MULTIPART = 'send the file as multipart/form-data in a part named file'
const field = (name: string, value: string) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
const file = (content: string, name = 'file') =>
  `--b\r\nContent-Disposition: form-data; name="${name}"; filename="a.txt"\r\n\r\n${content}\r\n`

describe('refuses, and keeps nothing of', () => {
  test.each([
    ['JSON', '{"file":"x"}', NOT_MULTIPART],
    ['nothing', '', NOT_MULTIPART],
    ['a long line', 'x'.repeat(100_000), NOT_MULTIPART],
    ['another boundary than the header says', file('x').replaceAll('--b', '==c'), NOT_MULTIPART],
    ['a form with text only', `${field('name', 'x')}--b--\r\n`, 'file is required'],
    ['two files', `${file('1')}${file('2')}--b--\r\n`, 'send exactly one file'],
    ['a file in another part', `${file('1', 'image')}--b--\r\n`, 'the part that holds the file must be named file'],
    ['an empty file', `${file('')}--b--\r\n`, 'file is empty'],
    ['too many fields', `${file('1')}${field('x', 'y').repeat(21)}--b--\r\n`, 'too many fields beside the file'],
    ['a field that is too long', `${file('1')}${field('x', 'y'.repeat(70_000))}--b--\r\n`, 'a field beside the file is too long'],
    ['a body without its end', file('1'), 'upload was cut off'],
    ['a body that ends in the file', `--b\r\n${PART}\r\nhalf of i`, 'upload was cut off'],
    ['a body that ends in the last line', `${file('1')}--b-`, 'upload was cut off'],
    ['a body that ends in a header', '--b\r\nContent-Dispo', 'upload was cut off'],
    ['a body that ends in the boundary', '--', 'upload was cut off'],
    ['a part without a disposition', '--b\r\nX: y\r\n\r\n1\r\n--b--\r\n', 'file is required'],
    ['headers that are too long', `--b\r\nX: ${'y'.repeat(9000)}\r\n${PART}\r\n1\r\n--b--\r\n`, 'file is required'],
  ])('%s', async (_story, body, message) => {
    await using server = await startFileServer()

    for (const type of ['multipart/form-data; boundary=b', 'application/json']) {
      expect(await post(server, type, body)).toMatchObject({ status: 422, body: { msg: message } })
    }
    await expectNothingKept(server)
  })

  test('a file over the limit, before it is sent or while it is', async () => {
    await using server = await startFileServer({ maxUploadBytes: 1000 })
    const tooLarge = { status: 413, body: { msg: 'the file is larger than 1000 bytes' } }

    expect(await post(server, 'multipart/form-data; boundary=b', `${file('x'.repeat(1001))}--b--\r\n`)).toMatchObject(tooLarge)
    expect(await sendRaw(server, [headers('multipart/form-data; boundary=b', 3_000_000_000), `--b\r\n${PART}\r\nxx`])).toMatchObject(
      tooLarge,
    )
    expect(await sendRaw(server, [chunkedHeaders(), chunked(`--b\r\n${PART}\r\n`), chunked('x'.repeat(2_000_000))])).toMatchObject(tooLarge)
    expect(await sendRaw(server, [chunkedHeaders(), chunked(field('x', '').repeat(100_000))])).toMatchObject({ status: 422 })
    await expectNothingKept(server)
  })

  test.each([
    ['a second file', file('2'), 'send exactly one file'],
    ['no end', '--b\r\nX', 'upload was cut off'],
  ])('a file that arrived whole, followed later by %s', async (_story, rest, message) => {
    await using server = await startFileServer()
    const body = `${file('1')}${rest}`
    const [first, second] = [body.slice(0, file('1').length + 3), body.slice(file('1').length + 3)]
    const answer = await sendRaw(server, [headers('multipart/form-data; boundary=b', body.length), first, 100, second])

    expect(answer).toMatchObject({ status: 422, body: { msg: message } })
    await expectNothingKept(server)
  })

  test('a preamble that never ends', async () => {
    await using server = await startFileServer({ maxUploadBytes: 1000 })
    const line = chunked('no boundary here\r\n'.repeat(4000))

    expect(await sendRaw(server, [chunkedHeaders(), ...Array<string>(20).fill(line)])).toMatchObject({ status: 413 })
  })

  test('a client that goes away in the middle, at the start, or while its key is checked', async () => {
    await using server = await startFileServer()
    const body = `--b\r\n${PART}\r\n${'x'.repeat(100_000)}`
    for (const sent of [body, '--', '']) {
      const socket = server.socket()
      socket.write(headers('multipart/form-data; boundary=b', 500_000) + sent)
      await sleep(50)
      socket.destroy()
    }
    await expect.poll(() => server.objectsOnDisk()).toEqual([])
    await expectNothingKept(server)

    await using slow = await startFileServer({ authMs: 100 })
    const socket = slow.socket()
    socket.write(headers('multipart/form-data; boundary=b', 500_000) + body)
    await sleep(30)
    socket.destroy()
    await sleep(150)
    await expectNothingKept(slow)
  })
})

describe('accepts', () => {
  test.each([
    ['fields around the file', `${field('purpose', 'x')}${file('hello')}${field('more', '')}--b--\r\n`],
    ['a preamble and an epilogue', `preamble\r\n${file('hello')}--b--\r\nepilogue`],
    ['a file part without a file name', `${field('file', 'hello')}--b--\r\n`],
    ['a missing last line break', `${file('hello')}--b--`],
    ['a quoted boundary', `${file('hello')}--b--\r\n`, 'Multipart/Form-Data; charset=utf-8; Boundary="b"'],
  ])('%s', async (_story, body, type = 'multipart/form-data; boundary=b') => {
    await using server = await startFileServer()

    expect(await post(server, type, body)).toMatchObject({ status: 200, body: { file_size: 5 } })
  })

  test.each(['multipart/form-data; boundary=b', 'application/json'])('a body that comes byte by byte (%s)', async (type) => {
    await using server = await startFileServer()
    const body = `${file('a\r\n--\r\n--c\r\nb')}--b--\r\n`
    const socket = server.socket().setNoDelay()
    socket.write(headers(type, body.length))
    for (const byte of body) {
      socket.write(byte)
      await sleep(1)
    }
    const [answer] = await Promise.race([
      new Promise<string[]>((resolve) => socket.once('data', (data) => resolve([String(data)]))),
      sleep(5000, ['']),
    ])
    socket.destroy()

    expect(answer).toContain('"file_size":13')
  })

  test('the next request on a connection whose upload was refused', async () => {
    await using server = await startFileServer({ maxUploadBytes: 1000 })
    const refused = `${file('x'.repeat(500_000))}--b--\r\n`
    const good = `${file('hello')}--b--\r\n`
    const type = 'multipart/form-data; boundary=b'
    const socket = server.socket()
    socket.write(headers(type, refused.length) + refused + headers(type, good.length).replace('Host', 'Connection: close\r\nHost') + good)
    let answers = ''
    for await (const chunk of socket.setEncoding('utf8')) answers += String(chunk)

    expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 413', 'HTTP/1.1 200'])
  })
})

test('no damaged form hangs, crashes or leaves half a file', async () => {
  await using server = await startFileServer()
  const whole = `${field('a', 'b')}${file('hello')}${field('c', 'd')}--b--\r\n`
  const piece = fc.constantFrom(
    '--b',
    '--b--',
    '\r\n',
    '\r\n\r\n',
    'Content-Disposition: form-data; name="file"; filename="x"',
    PART,
    'x',
    '-',
    ':',
    '\0',
    '',
  )
  const damage = fc.record({ at: fc.nat(whole.length), cut: fc.nat(40), insert: piece })
  const body = fc.oneof(
    fc.array(piece, { maxLength: 12 }).map((pieces) => `--b${pieces.join('')}`),
    fc
      .array(damage, { minLength: 1, maxLength: 3 })
      .map((all) => all.reduce((text, { at, cut, insert }) => text.slice(0, at) + insert + text.slice(at + cut), whole)),
  )
  let stored = 0
  await fc.assert(
    fc.asyncProperty(body, fc.constantFrom('multipart/form-data; boundary=b', 'application/json'), async (sent, type) => {
      const answer = await Promise.race([post(server, type, sent), sleep(3000, undefined, { ref: false })])
      expect([200, 422]).toContain(answer?.status)
      if (answer?.status === 200) stored += 1
    }),
    { numRuns: 300 },
  )
  expect(server.unexpected).toEqual([])
  expect(await server.objectsOnDisk()).toHaveLength(stored)
  expect(await server.rows()).toHaveLength(stored)
})

test.each([
  ['stops sending', 0],
  ['was gone before its body was read', 100],
])('a client that %s is given up', async (_story, waitMs) => {
  const failures: unknown[] = []
  const http = createServer((request) => {
    const limits = { maxFileBytes: 1000, idleMs: 50 }
    void sleep(waitMs)
      .then(() => receiveFile(request, limits, ({ stream }) => text(Readable.from(stream))))
      .catch((cause: unknown) => failures.push(cause))
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const address = http.address()
  const socket = connect({ host: '127.0.0.1', port: typeof address === 'object' && address ? address.port : 0 })
  socket.write(`${headers('multipart/form-data; boundary=b', 500)}--b\r\n${PART}\r\nhalf of i`)
  if (waitMs > 0) setTimeout(() => socket.destroy(), waitMs / 2)

  await once(socket, 'close')
  await expect.poll(() => failures).toMatchObject([{ code: 'invalid_request', message: 'upload was cut off' }])
  http.close()
})

test('an upload of 200 MB is never whole in memory', async () => {
  const size = 200 * 1024 * 1024
  await using server = await startFileServer({ maxUploadBytes: size })
  const chunk = Buffer.alloc(256 * 1024, 'x')
  const head = `--b\r\n${PART}\r\n`
  const tail = '\r\n--b--\r\n'
  const before = process.memoryUsage().rss
  let peak = before

  const socket = server.socket()
  socket.write(headers('multipart/form-data; boundary=b', head.length + size + tail.length) + head)
  for (let sent = 0; sent < size; sent += chunk.length) {
    peak = Math.max(peak, process.memoryUsage.rss())
    if (!socket.write(chunk)) await once(socket, 'drain')
  }
  socket.write(tail)
  const [answer] = await once(socket.setEncoding('utf8'), 'data')
  socket.destroy()

  expect(answer).toContain(`"file_size":${size}`)
  expect((peak - before) / 1024 / 1024).toBeLessThan(128)
})

function headers(type: string, length: number): string {
  return `POST /v1/files/upload HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n`
}

function chunkedHeaders(): string {
  return 'POST /v1/files/upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n'
}

function chunked(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`
}

function post(server: FileServer, type: string, body: string) {
  return sendRaw(server, [headers(type, Buffer.byteLength(body)), body])
}

async function expectNothingKept(server: FileServer): Promise<void> {
  expect(await server.objectsOnDisk()).toEqual([])
  expect(await server.rows()).toEqual([])
  expect(server.unexpected).toEqual([])
}
