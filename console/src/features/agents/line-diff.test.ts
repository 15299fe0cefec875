import { expect, test } from 'vitest'
import { diffLines } from './line-diff.ts'

const read = (before: string, after: string) =>
  diffLines(before, after).map(({ kind, text }) => `${{ same: ' ', removed: '-', added: '+' }[kind]}${text}`)

test('a line that was changed goes before the one that took its place', () => {
  expect(read('a\nb\nc', 'a\nB\nc')).toEqual([' a', '-b', '+B', ' c'])
})

test('lines that were put in between are added, and those taken out are removed', () => {
  expect(read('a\nb\nc\nd', 'a\nx\nb\nd')).toEqual([' a', '+x', ' b', '-c', ' d'])
})

test('texts that are the same have no change', () => expect(read('a\nb', 'a\nb')).toEqual([' a', ' b']))

test('two texts of 200 kB that have nothing in common are compared in a moment', () => {
  const long = (letter: string) => Array.from({ length: 10_000 }, (_, index) => `${letter} line ${index}`).join('\n')
  expect(diffLines(long('a'), long('b'))).toHaveLength(20_000)
})
