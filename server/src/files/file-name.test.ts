import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cleanFileName, fileExtension } from './file-name.ts'

test.each([
  ['../../x', 'x'],
  ['..\\..\\windows\\x.dll', 'x.dll'],
  ['/etc/passwd', 'passwd'],
  ['folder/', 'folder'],
  ['C:\\报告\\年度 总结.pdf', '年度 总结.pdf'],
  ['a\u0000b\r\nc\u007f.txt', 'abc.txt'],
  ['photo\u202egpj.exe', 'photogpj.exe'],
  ['zero\u200bwidth\ufeff.md', 'zerowidth.md'],
  ['lone\ud800.txt', 'lone.txt'],
  ['.\u0000.', 'file'],
  ['x/..', 'file'],
  ['  spaces.txt  ', 'spaces.txt'],
  ['CON', 'CON'],
  ['.env', '.env'],
  ['👩‍💻.png', '👩‍💻.png'],
  ['', 'file'],
  ['.', 'file'],
  ['..', 'file'],
  ['///', 'file'],
  ['\u200d', 'file'],
  [undefined, 'file'],
])('%j is kept as %j', (given, kept) => {
  expect(cleanFileName(given)).toBe(kept)
})

test('a name that is too long loses its middle, not its extension, and never half a character', () => {
  expect(cleanFileName(`${'a'.repeat(300)}.docx`)).toBe(`${'a'.repeat(250)}.docx`)
  expect(cleanFileName('中'.repeat(300))).toBe('中'.repeat(255))
  expect(cleanFileName('😀'.repeat(200))).toBe('😀'.repeat(127))
  expect(cleanFileName(`x.${'e'.repeat(300)}`)).toHaveLength(255)
})

test('whatever the caller sends, a name is safe, short, visible and stays the same when cleaned again', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('/', '\\', '.', '..', '\u0000', '\u202e', '\ud83d', '\u2028', ' ', 'a'.repeat(200)),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const name = cleanFileName(pieces.join(''))

      expect(name).not.toMatch(/[/\\]|\p{Cc}|\p{Cs}|\p{Zl}|\p{Zp}|[\u202a-\u202e\u2066-\u2069]/u)
      expect(name).not.toMatch(/^\.*$/)
      expect(name.length).toBeLessThanOrEqual(255)
      expect(name.trim()).toBe(name)
      expect(cleanFileName(name)).toBe(name)
    }),
    { numRuns: 2000 },
  )
})

test('an extension is the last one, in lower case', () => {
  expect(['a.tar.GZ', 'README', '.env', 'a.', 'a.b c', '文.文档'].map(fileExtension)).toEqual(['.gz', '', '', '', '', '.文档'])
})
