import { expect, test } from 'vitest'
import { parseDataUrl, toPlainPart } from './content-parts.ts'

const file = (url: string, mime: string) => toPlainPart({ type: 'file', url, name: 'f', mime })

test('a file is an image, a text or a file by what it holds', () => {
  expect(file('data:image/gif;base64,R0lG', 'image/gif')).toEqual({ type: 'image', url: 'data:image/gif;base64,R0lG', mime: 'image/gif' })
  expect(file('https://example.com/a.webp', 'image/webp')).toMatchObject({ type: 'image', url: 'https://example.com/a.webp' })
  expect(file(`data:text/plain;base64,${Buffer.from('中').toString('base64')}`, 'text/markdown')).toEqual({ type: 'text', text: 'f:\n中' })
  expect(file('data:application/json,%7B%7D', 'application/json')).toEqual({ type: 'text', text: 'f:\n{}' })
  expect(file('data:application/zip;base64,UEs=', 'application/zip')).toMatchObject({ type: 'file', name: 'f', mime: 'application/zip' })
  expect(file('https://example.com/a.zip', 'application/zip')).toEqual({ type: 'text', text: '[f](https://example.com/a.zip)' })
})

test.each([
  ['data:image/png;base64,iVBO', 'image/png', 'iVBO'],
  ['data:image/svg+xml;charset=utf-8;base64,PHN2Zz4=', 'image/svg+xml', 'PHN2Zz4='],
  ['data:,a%20b', 'text/plain', 'YSBi'],
  ['data:text/plain,100%', 'text/plain', 'MTAwJQ=='],
])('%s is %s', (url, mime, base64) => {
  expect(parseDataUrl(url)).toMatchObject({ mime })
  expect(parseDataUrl(url)?.base64()).toBe(base64)
})

test('other URLs are no data', () => {
  expect(parseDataUrl('https://example.com/data:,x')).toBeUndefined()
})
