import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fieldOf, parseValue, printEscapedValue, printValue, storeValue } from './value.ts'

test('integers of 64 bits come through as they are', () => {
  const text = '{"a":9223372036854775807,"b":[-9007199254740993,1],"c":1.5}'
  expect(parseValue(text)).toEqual({ a: 9223372036854775807n, b: [-9007199254740993n, 1], c: 1.5 })
  expect(printValue(parseValue(text))).toBe(text)
  expect(storeValue(parseValue(text))).toBe(text)
})

test('printing sorts the keys, storing leaves them', () => {
  const value = { b: 1, a: { d: null, c: '<&>' } }
  expect(printValue(value)).toBe('{"a":{"c":"<&>","d":null},"b":1}')
  expect(printEscapedValue(value)).toBe('{"a":{"c":"\\u003c\\u0026\\u003e","d":null},"b":1}')
  expect(storeValue(value)).toBe('{"b":1,"a":{"d":null,"c":"<&>"}}')
})

test('a printed value is read as the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (json) => {
      const value = parseValue(JSON.stringify(json))
      expect(parseValue(printValue(value))).toEqual(value)
      expect(parseValue(storeValue(value))).toEqual(value)
    }),
    { numRuns: 500 },
  )
})

test('only own fields are fields', () => {
  const value = parseValue('{"__proto__":{"a":1},"b":2}')
  expect(printValue(value)).toBe('{"__proto__":{"a":1},"b":2}')
  expect(fieldOf({ b: 2 }, 'constructor')).toBeUndefined()
  expect(fieldOf({ b: 2 }, '__proto__')).toBeUndefined()
  expect(fieldOf({ b: 2 }, 'b')).toBe(2)
})

test('JSON nested too deeply to be walked is refused, brackets in texts are not counted', () => {
  expect(() => parseValue('['.repeat(1_000_000))).toThrow('nested deeper than 1000 levels')
  expect(() => parseValue('{"a":'.repeat(1001) + '1' + '}'.repeat(1001))).toThrow(SyntaxError)
  expect(parseValue('['.repeat(1000) + ']'.repeat(1000))).toBeInstanceOf(Array)
  expect(parseValue(JSON.stringify('[{\\"'.repeat(2000)))).toHaveLength(8000)
})

test('hostile text is refused in linear time', () => {
  const started = performance.now()
  for (const hostile of ['"' + '\\"'.repeat(3_000_000), '"'.repeat(3_000_001), '[1,'.repeat(999) + '9'.repeat(100_000)])
    expect(() => parseValue(hostile)).toThrow(SyntaxError)
  expect(performance.now() - started).toBeLessThan(15_000)
})
