import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ValueType } from '../values/value-type.ts'
import { parseValue } from '../values/value.ts'
import type { Value } from '../values/value.ts'
import { findOperator } from './selector-operators.ts'

const integer: ValueType = { kind: 'integer' }
const number: ValueType = { kind: 'number' }
const EQUAL = 1
const NOT_EQUAL = 2
const CONTAINS = 7
const CONTAINS_NOT = 8
const IS_EMPTY = 9
const IS_NOT_EMPTY = 10
const IS_TRUE = 11
const IS_FALSE = 12

const refusal = 'the condition cannot be decided'

function holds(operator: number, left: Value, right: Value = null): boolean | undefined {
  return findOperator(operator)?.holds({ value: left }, { value: right })
}

/** Under length >, ≥, <, ≤. */
const byLength = (left: Value, right: Value) => [3, 4, 5, 6].map((operator) => holds(operator, left, right))
/** Under >, ≥, <, ≤. */
const byOrder = (left: Value, right: Value) => [13, 14, 15, 16].map((operator) => holds(operator, left, right))
const equality = (left: Value, right: Value) => [holds(EQUAL, left, right), holds(NOT_EQUAL, left, right)]

describe('equality', () => {
  test.each<[Value, Value, boolean]>([
    [null, null, true],
    [null, '', false],
    ['', null, false],
    [0, null, false],
    [null, [], false],
    ['a', 'a', true],
    ['1', 1, false],
    ['true', true, false],
    ['a', ['a'], false],
    [1, 1, true],
    [9007199254740993n, 9007199254740993n, true],
    [9007199254740993n, 9007199254740995n, false],
    [1.5, 1.5, true],
    [true, true, true],
    [true, false, false],
  ])('%o and %o: %s', (left, right, isEqual) => {
    expect(equality(left, right)).toEqual([isEqual, !isEqual])
  })

  test.each<[Value, Value]>([
    [1, '1'],
    [1, 1.5],
    [1.5, 1],
    [true, 'true'],
    [true, 1],
    [[], []],
    [{}, {}],
    [[], null],
    [1, [1]],
  ])('%o and %o cannot be compared', (left, right) => {
    expect(() => holds(EQUAL, left, right)).toThrow(refusal)
    expect(() => holds(NOT_EQUAL, left, right)).toThrow(refusal)
  })

  test('the declared type tells an integer from a number', () => {
    const equal = findOperator(EQUAL)
    expect(equal?.holds({ value: 3, type: number }, { value: 3, type: number })).toBe(true)
    expect(() => equal?.holds({ value: 3, type: integer }, { value: 3, type: number })).toThrow(refusal)
    expect(() => equal?.holds({ value: 3, type: number }, { value: 3 })).toThrow(refusal)
  })
})

describe('order', () => {
  test.each<[Value, Value, boolean[]]>([
    [1, 2, [false, false, true, true]],
    [2, 2, [false, true, false, true]],
    [2, 1.5, [true, true, false, false]],
    [9007199254740993n, 9007199254740992, [true, true, false, false]],
    [null, 1, [false, false, true, true]],
    [null, -1, [false, false, true, true]],
    [null, null, [false, true, false, true]],
    [-1, null, [true, true, false, false]],
  ])('%o and %o', (left, right, expected) => {
    expect(byOrder(left, right)).toEqual(expected)
  })

  test('only numbers have one', () => {
    for (const other of ['1', true, [], {}]) {
      expect(() => byOrder(other, 1)).toThrow(refusal)
      expect(() => byOrder(1, other)).toThrow(refusal)
    }
  })
})

describe('length', () => {
  test.each<[Value, Value, boolean[]]>([
    ['test', 2, [true, true, false, false]],
    ['test', 4, [false, true, false, true]],
    ['ä😀', 6, [false, true, false, true]],
    [[1, 2, 3], 4, [false, false, true, true]],
    [null, 0, [false, true, false, true]],
    [null, 1, [false, false, true, true]],
    [null, -1, [false, false, true, true]],
    ['', 9007199254740993n, [false, false, true, true]],
  ])('%o against %o', (left, right, expected) => {
    expect(byLength(left, right)).toEqual(expected)
  })

  test('only texts and lists have one, and it is an integer', () => {
    for (const other of [{}, 1, true]) expect(() => byLength(other, 1)).toThrow('only texts and lists have a length')
    for (const other of ['1', 1.5, null, []]) {
      expect(() => byLength('test', other)).toThrow('can only be compared with an integer')
      expect(() => byLength(null, other)).toThrow('can only be compared with an integer')
    }
    expect(() => findOperator(3)?.holds({ value: 'test' }, { value: 2, type: number })).toThrow(refusal)
  })
})

describe('contains', () => {
  test.each<[Value, Value, boolean]>([
    ['test', 'es', true],
    ['test', '', true],
    ['test', 'x', false],
    [[1, 2, 3], 2, true],
    [[1, 2, 3], '2', false],
    [['a', null], null, true],
    [[true], true, true],
    [[[1], { a: 1 }], 'a', false],
    [{ key1: null }, 'key1', true],
    [{ key1: null }, 'key2', false],
    [{}, 'constructor', false],
    [parseValue('{"__proto__":1}'), '__proto__', true],
  ])('%o, %o: %s', (left, right, isIn) => {
    expect([holds(CONTAINS, left, right), holds(CONTAINS_NOT, left, right)]).toEqual([isIn, !isIn])
  })

  test('null contains nothing and does not lack it either', () => {
    expect([holds(CONTAINS, null, 'a'), holds(CONTAINS_NOT, null, 'a')]).toEqual([false, false])
  })

  test('elements are compared with their type', () => {
    const left = { value: [1, 2], type: { kind: 'list', element: number } } satisfies { value: Value; type: ValueType }
    expect(findOperator(CONTAINS)?.holds(left, { value: 2, type: integer })).toBe(false)
    expect(findOperator(CONTAINS)?.holds(left, { value: 2, type: number })).toBe(true)
  })

  test('other things contain nothing', () => {
    for (const [left, right] of [
      [1, 1],
      [true, 'a'],
      ['1', 1],
      [{ a: 1 }, 1],
      ['a', null],
      [[[1]], [1]],
      [[{}], {}],
    ] satisfies [Value, Value][])
      expect(() => holds(CONTAINS, left, right)).toThrow(refusal)
  })
})

describe('without a right side', () => {
  test('these are empty', () => {
    for (const value of [null, '', 'None', 0, -0, false, [], {}])
      expect([holds(IS_EMPTY, value), holds(IS_NOT_EMPTY, value)]).toEqual([true, false])
  })

  test('these are not', () => {
    for (const value of [' ', 'none', '0', 1, -0.1, true, [null], { a: null }, parseValue('{"__proto__":1}')])
      expect([holds(IS_EMPTY, value), holds(IS_NOT_EMPTY, value)]).toEqual([false, true])
  })

  test('null is not true but false', () => {
    expect([true, false, null].map((value) => [holds(IS_TRUE, value), holds(IS_FALSE, value)])).toEqual([
      [true, false],
      [false, true],
      [false, true],
    ])
    for (const other of ['true', 1, [], {}]) {
      expect(() => holds(IS_TRUE, other)).toThrow(refusal)
      expect(() => holds(IS_FALSE, other)).toThrow(refusal)
    }
  })

  test('a right side that is not null is an error', () => {
    for (const operator of [IS_EMPTY, IS_NOT_EMPTY, IS_TRUE, IS_FALSE])
      for (const right of ['', 0, false]) expect(() => holds(operator, true, right)).toThrow('takes nothing on the right side')
  })
})

test('an error shows at most a piece of the value', () => {
  expect(() => holds(EQUAL, ['x'.repeat(100_000)], 'a')).toThrow(/^.{1,200}$/)
})

test('an operator and its opposite never agree, and only null is neither in nor not in', () => {
  const opposites = [
    [1, 2],
    [7, 8],
    [9, 10],
    [11, 12],
    [13, 16],
    [15, 14],
    [3, 6],
    [5, 4],
  ]
  fc.assert(
    fc.property(
      fc.jsonValue().map(toValue),
      fc.jsonValue().map(toValue),
      fc.constantFrom(...opposites),
      (left, right, [one = 0, other = 0]) => {
        const results = [one, other].map((operator) => outcome(operator, left, right))
        if (left === null && one === 7) return
        // null has no length: it is less than any, and not even that
        if (left === null && one < 7 && one > 2) return
        expect(results[1]).toBe(results[0] === 'refused' ? 'refused' : !results[0])
      },
    ),
    { numRuns: 2_000 },
  )
})

const toValue = (json: unknown): Value => parseValue(JSON.stringify(json))

function outcome(operator: number, left: Value, right: Value): boolean | 'refused' | undefined {
  try {
    return holds(operator, left, right)
  } catch {
    return 'refused'
  }
}
