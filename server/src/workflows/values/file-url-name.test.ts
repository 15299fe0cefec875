import fc from 'fast-check'
import { expect, test } from 'vitest'
import { stripFileName } from './file-url-name.ts'

test.each([
  ['https://h/p', { url: 'https://h/p' }],
  ['https://h/p?x-wf-file_name=a.png', { url: 'https://h/p', name: 'a.png' }],
  ['https://h/p?b=2&a=1&x-wf-file_name=a%20b.png#part', { url: 'https://h/p?a=1&b=2#part', name: 'a b.png' }],
  ['https://h/p?z=1&y=a+b&y=c*d&x=%7E', { url: 'https://h/p?x=~&y=a+b&y=c%2Ad&z=1' }],
  ['https://h/p?flag', { url: 'https://h/p?flag=' }],
  ['https://h/p?x-wf-file_name=', { url: 'https://h/p' }],
  ['https://h/p?', { url: 'https://h/p?' }],
  ['https://h/p#a?x-wf-file_name=n', { url: 'https://h/p#a?x-wf-file_name=n' }],
  ['no url', { url: 'no url' }],
  ['', { url: '' }],
])('%s', (url, expected) => {
  expect(stripFileName(url)).toEqual(expected)
})

test('what is no encoding does no harm', () => {
  expect(stripFileName('https://h/?a=%zz&b=\ud800')).toEqual({ url: 'https://h/?a=%25zz&b=%EF%BF%BD' })
})

test('a stripped URL stays as it is', () => {
  const piece = fc.constantFrom('https://h/', '?', '&', '=', '#', '%', '%20', '+', 'x-wf-file_name', 'a', 'ä', '*', '~', '\ud800')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const once = stripFileName(pieces.join('')).url
      expect(stripFileName(once)).toEqual({ url: once })
    }),
    { numRuns: 1_000 },
  )
})
