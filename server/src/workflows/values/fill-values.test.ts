import { expect, test } from 'vitest'
import { convertValue } from './convert-value.ts'
import { fillNulls, fillZeros, zeroOf } from './fill-values.ts'
import type { Field, ValueType } from './value-type.ts'
import { parseValue, printValue } from './value.ts'
import type { ValueObject } from './value.ts'

const text: ValueType = { kind: 'string' }
const integer: ValueType = { kind: 'integer' }
const boolean: ValueType = { kind: 'boolean' }
const listOf = (element: ValueType): ValueType => ({ kind: 'list', element })
const field = (name: string, type: ValueType, required = false): Field => ({ name, type, required, description: '' })
const objectOf = (...fields: Field[]): ValueType => ({ kind: 'object', fields })
const person = objectOf(field('name', text), field('home', objectOf(field('city', text))))

test('every type has its zero', () => {
  expect([text, { kind: 'time' } as const, { kind: 'file', file: 'doc' } as const].map(zeroOf)).toEqual(['', '', ''])
  expect([integer, { kind: 'number' } as const, boolean].map(zeroOf)).toEqual([0, 0, false])
  expect([person, { kind: 'object' } as const, listOf(text), { kind: 'list' } as const].map(zeroOf)).toEqual([null, null, null, null])
})

test('inputs that are missing or null get their zero', () => {
  const fields = [field('t', text), field('i', integer), field('l', listOf(text)), field('o', { kind: 'object' }), { name: 'any' }]
  const zeros = { t: '', i: 0, l: null, o: null, any: null }
  expect(fillZeros({}, fields)).toEqual(zeros)
  expect(fillZeros({ t: null, i: null, l: null, o: null, any: null }, fields)).toEqual(zeros)
  expect(fillZeros({ t: 'x', i: 0, l: [], o: {}, any: 1, more: 2 }, fields)).toEqual({ t: 'x', i: 0, l: [], o: {}, any: 1, more: 2 })
})

test('an object input that is missing becomes one of nulls, one that is null stays null', () => {
  expect(fillZeros({}, [field('p', person)])).toEqual({ p: { name: null, home: { city: null } } })
  expect(fillZeros({ p: null }, [field('p', person)])).toEqual({ p: null })
})

test('inside of an object all that is missing becomes null, null elements of a list their zero', () => {
  const type = objectOf(field('a', text), field('n', listOf(integer)), field('people', listOf(person)))
  expect(fillZeros({ o: { n: [1, null], people: [{ name: 'x' }, null, { home: null }] } }, [field('o', type)])).toEqual({
    o: { a: null, n: [1, 0], people: [{ name: 'x', home: { city: null } }, null, { name: null, home: null }] },
  })
})

test('an input that cannot be converted ends as zero, but as null inside of an object', () => {
  const fields = [field('b', boolean), field('o', objectOf(field('b', boolean)))]
  const inputs: ValueObject = { b: convertValue(2, boolean).value, o: convertValue({ b: 2 }, objectOf(field('b', boolean))).value }
  expect(fillZeros(inputs, fields)).toEqual({ b: false, o: { b: null } })
})

test('outputs that are missing become null, also inside of objects and lists', () => {
  const fields = [field('t', text), field('p', person), field('people', listOf(person)), field('ints', listOf(integer))]
  expect(fillNulls({}, fields)).toEqual({
    values: { t: null, p: { name: null, home: { city: null } }, people: null, ints: null },
    missing: [],
  })
  expect(fillNulls({ t: '', p: null, people: [{}, null], ints: [null] }, fields).values).toEqual({
    ...{ t: '', p: null, people: [{ name: null, home: { city: null } }, null], ints: [null] },
  })
})

test('required outputs that are missing are reported with their path', () => {
  const type = objectOf(field('id', text, true))
  const fields = [field('t', text, true), field('o', type, true), field('rows', listOf(type)), field('absent', type)]
  expect(fillNulls({ o: {}, rows: [{ id: 1 }, {}] }, fields)).toEqual({
    values: { t: null, o: { id: null }, rows: [{ id: 1 }, { id: null }], absent: { id: null } },
    missing: ['t', 'o.id', 'rows[1].id'],
  })
  expect(fillNulls({ t: null, o: null }, fields).missing).toEqual([])
})

test('what was given is not changed', () => {
  const given: ValueObject = { o: { rows: [null] } }
  fillZeros(given, [field('o', objectOf(field('rows', listOf(integer)), field('x', text)))])
  fillNulls(given, [field('more', text)])
  expect(given).toEqual({ o: { rows: [null] } })
})

test('names of prototypes are names like others', () => {
  const fields = [field('__proto__', objectOf(field('constructor', text))), field('toString', integer)]
  expect(printValue(fillZeros({}, fields))).toBe('{"__proto__":{"constructor":null},"toString":0}')
  expect(printValue(fillNulls({}, fields).values)).toBe('{"__proto__":{"constructor":null},"toString":null}')
  const hostile = parseValue('{"__proto__":{"constructor":"x"}}')
  expect(printValue(fillNulls(hostile as ValueObject, fields).values)).toBe('{"__proto__":{"constructor":"x"},"toString":null}')
})
