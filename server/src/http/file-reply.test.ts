import fc from 'fast-check'
import { expect, test } from 'vitest'
import { startFileServer } from '../../test/support/file-server.ts'
import type { FileServer } from '../../test/support/file-server.ts'
import { LINK_LIFETIME_MS } from '../files/signed-file-url.ts'
import { parseByteRange } from './byte-range.ts'
import { contentDisposition } from './file-reply.ts'

test('a link serves the file to anyone who has it', async () => {
  await using server = await startFileServer()
  const link = await upload(server, '文 (1).txt', 'hello')
  const response = await fetch(link)

  expect(response.status).toBe(200)
  expect(await response.text()).toBe('hello')
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'text/plain; charset=utf-8',
    'content-length': '5',
    'content-disposition': `inline; filename="_ (1).txt"; filename*=UTF-8''%E6%96%87%20%281%29.txt`,
    'content-security-policy': expect.stringMatching(/^default-src 'none'.*; sandbox$/),
    'x-content-type-options': 'nosniff',
    'cache-control': expect.stringContaining('private'),
    'accept-ranges': 'bytes',
    etag: expect.stringMatching(/^"\d+"$/),
  })
})

test.each([
  ['a page', 'x.html', '<script>alert(1)</script>', 'inline', 'text/plain; charset=utf-8'],
  ['a drawing', 'x.svg', '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', 'inline', 'text/plain; charset=utf-8'],
  ['XML', 'x.bin', '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>', 'attachment', 'application/xml'],
  ['JSON', 'x.json', '{}', 'attachment', 'application/json'],
  ['a PDF', 'x.pdf', '%PDF-1.7', 'inline', 'application/pdf'],
  ['a GIF', 'x', 'GIF89a', 'inline', 'image/gif'],
  ['a program', 'x.exe', 'MZ\u0090', 'attachment', 'application/x-msdownload'],
  ['anything else', 'x', 'text', 'attachment', 'application/octet-stream'],
])('a browser never runs %s', async (...[, name, content, disposition, type]) => {
  await using server = await startFileServer()
  const { headers } = await fetch(await upload(server, name, content))

  expect([headers.get('content-disposition')?.split(';')[0], headers.get('content-type')]).toEqual([disposition, type])
})

test('HEAD says all that GET says, without the bytes', async () => {
  await using server = await startFileServer()
  const link = await upload(server, 'a.txt', '0123456789')
  const [get, head] = [await fetch(link), await fetch(link, { method: 'HEAD', headers: { range: 'bytes=0-1' } })]
  const headersOf = ({ headers }: Response) =>
    Object.fromEntries([...headers].filter(([name]) => !['date', 'connection', 'keep-alive'].includes(name)))

  expect(head.status).toBe(200)
  expect(await head.text()).toBe('')
  expect(headersOf(head)).toEqual(headersOf(get))
})

test.each([
  ['bytes=0-3', 206, '0123', 'bytes 0-3/10'],
  ['bytes=4-', 206, '456789', 'bytes 4-9/10'],
  ['bytes=-3', 206, '789', 'bytes 7-9/10'],
  ['bytes=-30', 206, '0123456789', 'bytes 0-9/10'],
  ['bytes=8-100', 206, '89', 'bytes 8-9/10'],
  ['bytes=10-', 416, '', 'bytes */10'],
  ['bytes=-0', 416, '', 'bytes */10'],
  ['bytes=0-1,4-5', 200, '0123456789', null],
  ['bytes=5-2', 200, '0123456789', null],
  ['lines=1-2', 200, '0123456789', null],
])('Range: %s', async (...[range, status, body, contentRange]) => {
  await using server = await startFileServer()
  const response = await fetch(await upload(server, 'a.txt', '0123456789'), { headers: { range } })

  expect([response.status, await response.text(), response.headers.get('content-range')]).toEqual([status, body, contentRange])
  expect(response.headers.get('content-length')).toBe(String(body.length))
})

test('a range is always inside the file and what was asked for', () => {
  const end = fc.option(fc.nat(30), { nil: '' })
  fc.assert(
    fc.property(end, end, fc.integer({ min: 1, max: 20 }), (from, to, size) => {
      const range = parseByteRange(`bytes=${from}-${to}`, size)
      if (typeof range !== 'object') return

      expect(range.start).toBeGreaterThanOrEqual(0)
      expect(range.end).toBeLessThan(size)
      expect(range.start).toBeLessThanOrEqual(range.end)
      if (from !== '') expect(range.start).toBe(from)
    }),
  )
})

test('a client that has the file already, or a part of another, gets what it needs', async () => {
  await using server = await startFileServer()
  const link = await upload(server, 'a.txt', '0123456789')
  const etag = (await fetch(link)).headers.get('etag') ?? ''
  const ask = async (headers: Record<string, string>) => {
    const response = await fetch(link, { headers })
    return [response.status, await response.text()]
  }

  expect(await ask({ 'if-none-match': `"other", W/${etag}` })).toEqual([304, ''])
  expect(await ask({ 'if-none-match': '"other"' })).toEqual([200, '0123456789'])
  expect(await ask({ range: 'bytes=0-1', 'if-range': etag })).toEqual([206, '01'])
  expect(await ask({ range: 'bytes=0-1', 'if-range': '"other"' })).toEqual([200, '0123456789'])
})

test('a wrong, foreign or expired link is not found, and so is a file whose bytes are gone', async () => {
  await using server = await startFileServer()
  const link = await upload(server, 'a.txt', 'a')
  const other = await upload(server, 'b.txt', 'b')
  const swapped = link.replace(/files\/\d+/, /files\/\d+/.exec(other)?.[0] ?? '')
  const status = async (url: string) => (await fetch(url)).status

  expect(await status(link.replace(/[^/]+$/, 'another-name.exe'))).toBe(200)
  expect(await status(link.replace(/[^/]+$/, ''))).toBe(200)
  for (const url of [
    swapped,
    link.replace(/\/[\w]+-/, '/zzzzzz-'),
    link.replace(/-[\w-]+\/a/, '-x/a'),
    link.replace(/\/[^/]+\/a\.txt$/, '/a.txt'),
  ]) {
    expect(await status(url), url).toBe(404)
  }

  const [row] = await server.rows()
  await server.objects.delete(row?.object_key ?? '')
  expect(await status(link)).toBe(404)
  expect(await status(other)).toBe(200)
  server.time.now += LINK_LIFETIME_MS
  expect(await status(other)).toBe(404)
  expect(server.unexpected).toEqual([])
})

test('the longest name in the widest script still makes a link that works', async () => {
  await using server = await startFileServer()
  const link = await upload(server, `${'中'.repeat(300)}.txt`, 'x')

  expect((await fetch(link)).status).toBe(200)
})

test('no name breaks out of its header', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (name) => {
      expect(contentDisposition('attachment', name)).toMatch(
        /^attachment; filename="[\x20-\x21\x23-\x5b\x5d-\x7e]*"; filename\*=UTF-8''[\w!#$&+.^`|~%-]*$/,
      )
    }),
  )
})

async function upload(server: FileServer, name: string, content: string): Promise<string> {
  const form = new FormData()
  form.append('file', new File([Buffer.from(content, content.startsWith('MZ') ? 'latin1' : 'utf8')], name))
  const response = await fetch(`${server.url}/v1/files/upload`, { method: 'POST', body: form })
  const { upload_url } = (await response.json()) as { upload_url: string }
  return server.local(upload_url)
}
