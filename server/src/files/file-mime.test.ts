import { describe, expect, test } from 'vitest'
import { detectMime, isTextMime } from './file-mime.ts'
import { decodeFileText } from './file-text.ts'

const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64')

test.each([
  ['a picture that says it is a page', PNG, 'page.html', 'image/png'],
  ['a PDF without a name', Buffer.from('%PDF-1.7\n%âãÏÓ\n'), 'file', 'application/pdf'],
  ['a page', Buffer.from('<!doctype html><script>alert(1)</script>'), 'x.html', 'text/plain'],
  ['a drawing with a script', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>'), 'x.SVG', 'text/plain'],
  ['a page that says it is a picture', Buffer.from('<!doctype html><p>'), 'x.png', 'application/octet-stream'],
  ['a text that begins like a bitmap', Buffer.from('BMW and Audi'), 'cars.txt', 'text/plain'],
  ['a Chinese text in the encoding of Windows', Buffer.from([0xc4, 0xe3, 0xba, 0xc3]), '你好.txt', 'text/plain'],
  ['a text in UTF-16', Buffer.from('\ufeffhi', 'utf16le'), 'hi.csv', 'text/csv'],
  ['Markdown', Buffer.from('# hi'), 'README.md', 'text/markdown'],
  ['JSON', Buffer.from('{}'), 'a.json', 'application/json'],
  ['bytes that say they are text', Buffer.from([1, 2, 3, 0]), 'a.txt', 'application/octet-stream'],
  ['an ending that is a word of JavaScript', Buffer.from('text'), 'a.constructor', 'application/octet-stream'],
  ['a half archive', Buffer.from('PK\u0003\u0004'), 'a.docx', 'application/zip'],
  ['Opus', Buffer.from(`OggS${'\0'.repeat(24)}OpusHead`), 'a', 'audio/ogg'],
])('%s is what its bytes are', async (...[, bytes, name, mime]) => {
  expect(await detectMime(bytes, name)).toBe(mime)
})

test('text formats are text', () => {
  expect(['text/csv', 'application/json', 'application/pdf', 'image/png'].map(isTextMime)).toEqual([true, true, false, false])
})

describe('a text is read in the encoding it is in', () => {
  test.each([
    ['UTF-8', Buffer.from('你好')],
    ['UTF-8 with a mark', Buffer.from('\ufeff你好')],
    ['UTF-8 cut inside a character', Buffer.from('你好吗').subarray(0, 8)],
    ['GB18030', Buffer.from([0xc4, 0xe3, 0xba, 0xc3])],
    ['UTF-16, little end first', Buffer.from('\ufeff你好', 'utf16le')],
    ['UTF-16, big end first', Buffer.from('\ufeff你好', 'utf16le').swap16()],
  ])('%s', (_encoding, bytes) => {
    expect(decodeFileText(bytes)).toBe('你好')
  })
})
