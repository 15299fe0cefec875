import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toText } from './value-text.ts'

test('a number is printed without exponent and means the same', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
      const text = toText(number)
      expect(text).toMatch(/^-?\d+(\.\d+)?$/)
      expect(Number(text) === number).toBe(true)
    }),
    { numRuns: 500 },
  )
})

test('null is no text at all', () => {
  expect(toText(null)).toBe('')
})
