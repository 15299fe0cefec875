import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import {
  conversationIdField,
  idField,
  metaDataField,
  optionalConversationIdField,
  optionalIdField,
  pageNumberField,
  pageSizeField,
  userIdField,
} from './open-fields.ts'

/** The value, or why not. */
function parse(field: z.ZodType, value: unknown): unknown {
  const result = field.safeParse(value)
  return result.success ? result.data : new Error(result.error.issues[0]?.message)
}

const no = (message: string) => new Error(message)
const ID_RULE = 'must be a positive whole number, as a number or as a string of digits'

describe('ids', () => {
  test('come as numbers or digits, and are digits, exact up to 2^63−1', () => {
    const ids = fc.bigInt({ min: 1n, max: 2n ** 63n - 1n })
    fc.assert(fc.property(ids, (id) => void expect(parse(idField, String(id))).toBe(String(id))))
    fc.assert(fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (id) => void expect(parse(idField, id)).toBe(String(id))))
    expect(parse(idField, '9223372036854775807')).toBe('9223372036854775807')
  })

  test.each([
    0,
    -1,
    1.5,
    2 ** 53,
    '0',
    '-1',
    '',
    '9223372036854775808',
    '99999999999999999999',
    '1e3',
    ' 1',
    '0x1',
    'abc',
    true,
    null,
    {},
    [1],
  ])('and nothing else: %j', (value) => expect(parse(idField, value)).toEqual(no(ID_RULE)))

  test('of one that is optional, absent, null and empty are the same', () => {
    expect([undefined, null, ''].map((value) => parse(optionalIdField, value))).toEqual([undefined, undefined, undefined])
    expect([parse(optionalIdField, 5), parse(optionalIdField, '5')]).toEqual(['5', '5'])
    expect(parse(optionalIdField, 'x')).toEqual(no(ID_RULE))
    expect(parse(optionalIdField, '0')).toEqual(no(ID_RULE))
  })
})

describe('conversation ids', () => {
  test.each([
    [123, '123'],
    ['9223372036854775807', '9223372036854775807'],
    ['conv_789', 'conv_789'],
    ['a.b:c@d-E', 'a.b:c@d-E'],
    ['x'.repeat(100), 'x'.repeat(100)],
  ])('ours, or the caller’s own choice: %j', (value, id) => {
    expect([parse(conversationIdField, value), parse(optionalConversationIdField, value)]).toEqual([id, id])
  })

  test.each(['', 'a b', 'ü', 'x'.repeat(101), '9223372036854775808', '0', 0, -5, 1.5, 'a/b', "a'b", true, {}])('not %j', (value) => {
    expect(parse(conversationIdField, value)).toEqual(
      no('must be a conversation id, or an id of your own choice of 1 to 100 letters, digits and ._:@-'),
    )
  })

  test('may be left out', () => {
    expect([undefined, null, ''].map((value) => parse(optionalConversationIdField, value))).toEqual([undefined, undefined, undefined])
  })
})

test('a user id is any text of 255 characters, or a number', () => {
  expect(['用户 1', 12345, '', null, undefined].map((value) => parse(userIdField, value))).toEqual([
    '用户 1',
    '12345',
    undefined,
    undefined,
    undefined,
  ])
  expect(parse(userIdField, 'x'.repeat(256))).toEqual(no('must have at most 255 characters'))
  expect(parse(userIdField, { id: 1 })).toEqual(no('must be a string of at most 255 characters'))
})

describe('meta data', () => {
  const RULE = no('must be an object of at most 16 texts: names of 1 to 64 characters, values of at most 512')
  const entries = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, 'v']))

  test('is a map of texts, none is an empty one', () => {
    expect([undefined, null, {}].map((value) => parse(metaDataField, value))).toEqual([{}, {}, {}])
    expect(parse(metaDataField, { 来源: '微信', b: '' })).toEqual({ 来源: '微信', b: '' })
    expect(parse(metaDataField, entries(16))).toEqual(entries(16))
  })

  test.each([
    [entries(17)],
    [{ a: 1 }],
    [{ a: null }],
    [{ a: 'x'.repeat(513) }],
    [{ ['x'.repeat(65)]: 'v' }],
    [{ '': 'v' }],
    ['text'],
    [[]],
  ])('not %j', (value) => expect(parse(metaDataField, value)).toEqual(RULE))
})

test('pages begin with 1, and sizes have a limit that is also the default', () => {
  const size = pageSizeField(50)
  expect([parse(pageNumberField, undefined), parse(pageNumberField, '3'), parse(size, undefined), parse(size, '50')]).toEqual([
    1, 3, 50, 50,
  ])
  for (const value of ['0', '-1', 'x', '1.5']) expect(parse(pageNumberField, value)).toEqual(no('must be a page number from 1'))
  for (const value of ['0', '51', 'x', '1.5']) expect(parse(size, value)).toEqual(no('must be a number from 1 to 50'))
})
