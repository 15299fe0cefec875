import fc from 'fast-check'
import { expect, test } from 'vitest'
import { collectFileNames, convertFields, convertLiteral, convertValue } from './convert-value.ts'
import type { Field, ValueType } from './value-type.ts'
import { parseValue, printValue } from './value.ts'
import type { Value, ValueObject } from './value.ts'

const text: ValueType = { kind: 'string' }
const integer: ValueType = { kind: 'integer' }
const number: ValueType = { kind: 'number' }
const boolean: ValueType = { kind: 'boolean' }
const file: ValueType = { kind: 'file', file: 'image' }
const time: ValueType = { kind: 'time' }
const listOf = (element: ValueType): ValueType => ({ kind: 'list', element })
const field = (name: string, type: ValueType, required = false): Field => ({ name, type, required, description: '' })
const objectOf = (...fields: Field[]): ValueType => ({ kind: 'object', fields })

/** The value, and how many warnings it took. */
function converted(value: Value, type: ValueType): [Value, number] {
  const { value: result, warnings } = convertValue(value, type)
  return [result, warnings.length]
}

test.each<[Value, string]>([
  ['as it is', 'as it is'],
  [42, '42'],
  [9007199254740993n, '9007199254740993'],
  [100, '100'],
  [0.1, '0.1'],
  [1e21, '1000000000000000000000'],
  [-1.5e23, '-150000000000000000000000'],
  [1.5e-9, '0.0000000015'],
  [true, 'true'],
  [{ b: 1, a: '<&>' }, '{"a":"<&>","b":1}'],
  [[1, null, 'x'], '[1,null,"x"]'],
])('to text: %o', (value, expected) => {
  expect(converted(value, text)).toEqual([expected, 0])
})

test.each<[Value, Value, number]>([
  ['12', 12, 0],
  ['+12', 12, 0],
  ['-012', -12, 0],
  ['9007199254740993', 9007199254740993n, 0],
  ['9223372036854775807', 9223372036854775807n, 0],
  ['9223372036854775808', null, 1],
  ['-9223372036854775808', -9223372036854775808n, 0],
  ['-9223372036854775809', null, 1],
  ['12.0', null, 1],
  ['1e3', null, 1],
  [' 12', null, 1],
  ['0x10', null, 1],
  ['', null, 1],
  [12.9, 12, 0],
  [-12.9, -12, 0],
  [-0.5, 0, 0],
  [1e18, 1000000000000000000n, 0],
  [1e300, null, 1],
  [5n, 5, 0],
  [99999999999999999999n, null, 1],
  [true, null, 1],
  [{}, null, 1],
  [[], null, 1],
])('to an integer: %o', (value, expected, warnings) => {
  expect(converted(value, integer)).toEqual([expected, warnings])
})

test.each<[Value, Value, number]>([
  ['1.5', 1.5, 0],
  ['1e3', 1000, 0],
  ['-.5', -0.5, 0],
  ['5.', 5, 0],
  ['1e999', null, 1],
  ['NaN', null, 1],
  ['Infinity', null, 1],
  ['1_000', null, 1],
  ['', null, 1],
  [3, 3, 0],
  [9007199254740993n, 9007199254740992, 0],
  [false, null, 1],
  [[1], null, 1],
])('to a number: %o', (value, expected, warnings) => {
  expect(converted(value, number)).toEqual([expected, warnings])
})

test('only twelve texts are booleans, and no number is one', () => {
  for (const each of ['1', 't', 'T', 'TRUE', 'true', 'True']) expect(converted(each, boolean)).toEqual([true, 0])
  for (const each of ['0', 'f', 'F', 'FALSE', 'false', 'False']) expect(converted(each, boolean)).toEqual([false, 0])
  for (const each of ['tRUE', 'yes', '', ' true', 1, 0, 2, [], {}]) expect(converted(each, boolean)).toEqual([null, 1])
})

test('null is a value of every type', () => {
  for (const type of [text, integer, number, boolean, file, time, listOf(text), objectOf(field('a', text, true))])
    expect(convertValue(null, type)).toEqual({ value: null, warnings: [], missing: [] })
})

test('JSON text becomes a list or an object, other text an empty list or null', () => {
  expect(converted('[1,"2"]', listOf(integer))).toEqual([[1, 2], 0])
  expect(converted('null', listOf(integer))).toEqual([null, 0])
  expect(converted('no list', listOf(integer))).toEqual([[], 1])
  expect(converted('{"a":1}', listOf(integer))).toEqual([[], 1])
  expect(converted(true, listOf(integer))).toEqual([[], 1])
  expect(converted('{"a":1}', { kind: 'object' })).toEqual([{ a: 1 }, 0])
  expect(converted('null', { kind: 'object' })).toEqual([null, 0])
  expect(converted('[1]', { kind: 'object' })).toEqual([null, 1])
  expect(converted('', { kind: 'object' })).toEqual([null, 1])
  expect(converted([1], objectOf(field('a', text)))).toEqual([null, 1])
})

test('elements with a warning are dropped, an inner list as a whole, objects stay with null', () => {
  expect(converted(['1', 'two', 3], listOf(integer))).toEqual([[1, 3], 1])
  expect(converted([1, null], listOf(integer))).toEqual([[1, null], 0])
  expect(converted([[1, 'x', 2], [3]], listOf(listOf(integer)))).toEqual([[[3]], 1])
  expect(converted([{ n: 'x' }, { n: 2 }, 5], listOf(objectOf(field('n', integer))))).toEqual([[{ n: null }, { n: 2 }, null], 2])
  expect(converted([1, 'x', null], { kind: 'list' })).toEqual([[1, 'x', null], 0])
})

test('an object is converted field by field, and what is not declared passes', () => {
  const type = objectOf(field('score', integer), field('tags', listOf(text)))
  expect(converted({ score: '7', tags: [1], more: { x: 1 } }, type)).toEqual([{ score: 7, tags: ['1'], more: { x: 1 } }, 0])
  expect(convertValue({ score: 'invalid' }, type)).toEqual({ value: { score: null }, warnings: ['score is not an integer'], missing: [] })
})

test('the path of a warning leads to the bad field', () => {
  const fields = [field('rows', listOf(objectOf(field('n', integer))))]
  expect(convertFields({ rows: [{ n: 1 }, { n: 'x' }] }, fields).warnings).toEqual(['rows[1].n is not an integer'])
})

test('a flood of bad elements leaves a short list of warnings', () => {
  const { value, warnings } = convertValue(
    Array.from({ length: 10_000 }, () => 'x'),
    listOf(integer),
  )
  expect(value).toEqual([])
  expect(warnings).toHaveLength(51)
  expect(warnings.at(-1)).toBe('and 9950 more')
})

test('required fields that are absent are reported, those that are null are not', () => {
  const fields = [field('a', text, true), field('b', text, true), field('o', objectOf(field('c', text, true)), false)]
  expect(convertFields({ a: null, o: {} }, fields).missing).toEqual(['b', 'o.c'])
  expect(convertFields({}, fields).missing).toEqual(['a', 'b'])
})

test('fields that are not declared pass, or are dropped where the caller says so', () => {
  const fields = [field('a', integer), field('o', objectOf(field('x', text))), field('free', { kind: 'object' })]
  const values = { a: '1', b: 2, o: { x: 1, y: 2 }, free: { z: 1 } }
  expect(convertFields(values, fields).values).toEqual({ a: 1, b: 2, o: { x: '1', y: 2 }, free: { z: 1 } })
  expect(convertFields(values, fields, { dropsUnknown: true }).values).toEqual({ a: 1, o: { x: '1' }, free: { z: 1 } })
})

test('files lose the name in their URL and keep it for those who ask', () => {
  const fields = [field('one', file), field('many', listOf(file)), field('page', text)]
  const values = {
    one: 'https://h/a?z=1&x-wf-file_name=A%20b.png&b=2',
    many: '["https://h/c?x-wf-file_name=c.pdf"]',
    page: 'https://h/?x-wf-file_name=p',
  }

  expect(convertFields(values, fields).values).toEqual({ one: 'https://h/a?b=2&z=1', many: ['https://h/c'], page: values.page })
  expect([...collectFileNames(values, fields)]).toEqual([
    ['https://h/a?b=2&z=1', 'A b.png'],
    ['https://h/c', 'c.pdf'],
  ])
})

test('a time is a text', () => {
  expect(converted(1700000000, time)).toEqual(['1700000000', 0])
})

test('names of prototypes are names like others', () => {
  const value = parseValue('{"__proto__":{"polluted":true},"constructor":"7","o":{"__proto__":"1"}}')
  const fields = [field('constructor', integer), field('o', objectOf(field('__proto__', integer))), field('toString', text, true)]
  const { values, missing } = convertFields(value as ValueObject, fields)

  expect(printValue(values)).toBe('{"__proto__":{"polluted":true},"constructor":7,"o":{"__proto__":1}}')
  expect(missing).toEqual(['toString'])
  expect(Object.getPrototypeOf(values)).toBe(Object.prototype)
  expect('polluted' in {}).toBe(false)
})

test('a literal is read by its type', () => {
  expect(convertLiteral('x', text)).toBe('x')
  expect(convertLiteral('12', integer)).toBe(12)
  expect(convertLiteral(12.7, integer)).toBe(12)
  expect(convertLiteral('1.5', number)).toBe(1.5)
  expect(convertLiteral(2, number)).toBe(2)
  expect(convertLiteral('True', boolean)).toBe(true)
  expect(convertLiteral(false, boolean)).toBe(false)
  expect(convertLiteral('{"a":1}', { kind: 'object' })).toEqual({ a: 1 })
  expect(convertLiteral('["1",2]', listOf(text))).toEqual(['1', 2])
  expect(convertLiteral(['1', 2], listOf(text))).toEqual(['1', 2])
  expect(convertLiteral({ a: 1 }, { kind: 'object' })).toEqual({ a: 1 })
  expect(convertLiteral('https://h/?x-wf-file_name=a', file)).toBe('https://h/?x-wf-file_name=a')
  expect(convertLiteral({ any: 'thing' })).toEqual({ any: 'thing' })
})

test('a literal that cannot be read says what is wrong', () => {
  expect(() => convertLiteral(null, text)).toThrow('a literal needs a value, not null')
  expect(() => convertLiteral('twelve', integer)).toThrow('a literal of the type integer cannot be "twelve"')
  expect(() => convertLiteral('no', boolean)).toThrow('a literal of the type boolean cannot be "no"')
  expect(() => convertLiteral('null', listOf(text))).toThrow('must be JSON of that type, not "null"')
  expect(() => convertLiteral('[1]', { kind: 'object' })).toThrow('must be JSON of that type')
  expect(() => convertLiteral('{', { kind: 'object' })).toThrow('must be JSON of that type')
  expect(() => convertLiteral('x'.repeat(1_000_000), integer)).toThrow(/^.{1,200}$/)
})

test('text of hostile size is read in linear time', () => {
  const started = performance.now()
  for (const hostile of ['1'.repeat(2_000_000), '0'.repeat(2_000_000) + 'x', '.'.repeat(2_000_000), '['.repeat(2_000_000)])
    for (const type of [integer, number, boolean, listOf(integer), objectOf(field('a', text))]) convertValue(hostile, type)
  expect(performance.now() - started).toBeLessThan(15_000)
})

const anyType = fc.letrec<{ type: ValueType }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<ValueType>(text, integer, number, boolean, file, time, { kind: 'object' }, { kind: 'list' }),
    tie('type').map(listOf),
    fc
      .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', '__proto__'), tie('type')), { maxLength: 3, selector: ([name]) => name })
      .map((entries) => objectOf(...entries.map(([name, type]) => field(name, type)))),
  ),
})).type

const anyValue: fc.Arbitrary<Value> = fc
  .oneof(
    fc.json(),
    fc.string().map((each) => JSON.stringify(each)),
    fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String),
    fc.record({ a: fc.jsonValue(), b: fc.jsonValue() }).map((each) => JSON.stringify(each)),
  )
  .map(parseValue)

test('what was converted once stays as it is', () => {
  fc.assert(
    fc.property(anyValue, anyType, (value, type) => {
      const once = convertValue(value, type).value
      const twice = convertValue(once, type)
      expect(twice.value).toEqual(once)
    }),
    { numRuns: 500 },
  )
})

test('conversion never throws and gives what can be printed', () => {
  fc.assert(
    fc.property(anyValue, anyType, (value, type) => {
      const printed = printValue(convertValue(value, type).value)
      expect(printValue(parseValue(printed))).toBe(printed)
    }),
    { numRuns: 500 },
  )
})
