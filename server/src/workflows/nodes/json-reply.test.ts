import { expect, test } from 'vitest'
import { findJsonObject, parseJsonObject } from './json-reply.ts'

test.each([
  ['alone', '{"k":1}'],
  ['behind the word json in a fence, with blanks around', '\n```json{"k":1}```\t'],
  ['in a fence with lines', '```json\n{"k":1}\n```'],
  ['in a fence without a word', '```\n{"k":1}\n```'],
  ['behind the word json', 'json {"k":1}'],
  ['within other text', 'Here it is: {"k":1} – as you wished.'],
  ['behind thoughts', '<think>{maybe} so</think>\n```json\n{"k":1}\n```\n'],
  ['before another object', '{"k":1} or {"k":2'],
])('the JSON of a reply is found %s', (_name, text) => {
  expect(findJsonObject(text)).toEqual({ k: 1 })
})

test.each([['nothing'], [''], ['{'], ['}{'], ['[1]'], ['```json```'], ['null'], ['{"k":1'], ["{k: 'v'}"]])(
  'a reply without a JSON object has none: %s',
  (text) => {
    expect(findJsonObject(text)).toBeUndefined()
  },
)

test('brackets in texts do not count as levels', () => {
  expect(findJsonObject(JSON.stringify({ log: `"\\${'[{'.repeat(500)}` }))).toHaveProperty('log')
})

test('a million levels are refused, not walked', () => {
  expect(parseJsonObject(`{"a":${'['.repeat(1_000_000)}`)).toBeUndefined()
  expect(parseJsonObject(`{"a":${'['.repeat(500)}${']'.repeat(500)}}`)).toBeUndefined()
})

test('a large integer keeps its digits', () => {
  expect(findJsonObject('{"id":9007199254740993}')).toEqual({ id: 9007199254740993n })
})

test('a megabyte of garbage is read in no time', () => {
  const started = performance.now()
  for (const piece of ['{', '}', '"', '\\', '`', 'json ']) findJsonObject(piece.repeat(1_000_000 / piece.length))
  expect(performance.now() - started).toBeLessThan(2_000)
})
