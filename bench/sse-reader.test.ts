import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AnswerReader } from './http-connection.ts'
import { createSseReader } from './sse-reader.ts'

test('the same events come out, wherever the network splits the bytes', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 8 }), fc.constantFrom('\n', '\r\n'), cuts, (events, newline, at) => {
      const text = events.map(({ name, data, id }) => [
        `id: ${id}`,
        ': hello',
        `event:${name}`,
        ...data.map((line) => `data: ${line}`),
        '',
        '',
      ])
      const seen: [string, string][] = []
      const read = createSseReader((name, data) => seen.push([name, data]))

      for (const piece of split(Buffer.from(text.map((lines) => lines.join(newline)).join('')), at)) read(piece)

      expect(seen).toEqual(events.map(({ name, data }) => [name || 'message', data.join('\n')]))
    }),
  )
})

test('a chunked answer is read to its end, wherever the network splits the bytes', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 8 }), cuts, (chunks, at) => {
      const framed = chunks.flatMap((chunk) => [Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')])
      const bytes = Buffer.concat([
        Buffer.from('HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n'),
        ...framed,
        Buffer.from('0\r\n\r\n'),
      ])
      const body: Buffer[] = []
      const reader = new AnswerReader((piece) => body.push(piece))

      const done = split(bytes, at).map((piece) => reader.read(piece))

      expect(done.indexOf(true)).toBe(done.length - 1)
      expect(reader.status).toBe(201)
      expect(Buffer.concat(body)).toEqual(Buffer.concat(chunks))
    }),
  )
})

const line = fc.string({ unit: 'binary' }).filter((text) => !/[\r\n]/.test(text))
const event = fc.record({
  name: fc.constantFrom('', 'done', 'conversation.message.delta'),
  data: fc.array(line, { minLength: 1, maxLength: 3 }),
  id: fc.nat(),
})
const cuts = fc.array(fc.nat({ max: 2000 }), { maxLength: 30 })

function split(bytes: Buffer, cutsAt: number[]): Buffer[] {
  const at = [...new Set([0, ...cutsAt.filter((cut) => cut < bytes.length), bytes.length])].sort((a, b) => a - b)
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end))
}
