import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createKeySecret } from './api-key-secret.ts'
import { createKeyScan } from './key-scan.ts'

function scan(...pieces: string[]) {
  const keys = createKeyScan()
  return [...pieces.flatMap((piece) => keys.push(piece)), ...keys.end()]
}

const key = createKeySecret()
const lastFour = key.slice(-4)

test('a key is found wherever it stands, with its line and column', () => {
  expect(scan(key)).toEqual([{ line: 1, column: 1, lastFour }])
  expect(scan(`a\nb: "${key}",\n`)).toEqual([{ line: 2, column: 5, lastFour }])
  expect(scan(`Bearer ${key}\r\n${key} ${key}`)).toMatchObject([
    { line: 1, column: 8 },
    { line: 2, column: 1 },
    { line: 2, column: 55 },
  ])
  expect(scan(`pat_${'0123456789abcdef'.repeat(4)}`)).toEqual([{ line: 1, column: 1, lastFour: 'cdef' }])
})

test('what only looks like a key is none', () => {
  const other = key.endsWith('A') ? 'B' : 'A'
  for (const text of [
    key.slice(0, -1),
    key.slice(0, -1) + other,
    `${key}x`,
    `x${key}`,
    `_${key}`,
    `${key}_`,
    'pat_',
    `pat_${'x'.repeat(49)}`,
    `pat_${'a'.repeat(65)}`,
  ])
    expect(scan(text)).toEqual([])
})

test('however the text is cut into pieces, the same is found', () => {
  const text = `one ${key}\n${'z'.repeat(500)}${key} two\n\n  ${key}.`
  const whole = scan(text)
  expect(whole).toMatchObject([
    { line: 1, column: 5 },
    { line: 4, column: 3 },
  ])
  const cuts = fc.array(fc.nat(text.length), { maxLength: 12 }).map((places) => [0, ...places.toSorted((a, b) => a - b), text.length])
  fc.assert(
    fc.property(cuts, (places) => {
      const pieces = places.slice(1).map((to, at) => text.slice(places[at], to))
      expect(scan(...pieces)).toEqual(whole)
    }),
  )
})
