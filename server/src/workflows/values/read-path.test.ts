import { expect, test } from 'vitest'
import { NodeError } from '../engine/node-error.ts'
import { readPath } from './read-path.ts'
import { parseValue } from './value.ts'

const drills = { drills: true }
const value = {
  a: { b: { c: 1 }, none: null },
  list: [{ x: [{ y: 'first' }, { y: 'second' }] }, { x: [] }],
  empty: [],
  text: 'abc',
  nulls: [null],
}

test('a path walks through objects', () => {
  expect(readPath(value, ['a', 'b', 'c'], drills)).toBe(1)
  expect(readPath(value, ['a', 'none'], drills)).toBe(null)
  expect(readPath(value, [], drills)).toBe(value)
})

test('a name that is not there is undefined', () => {
  expect(readPath(value, ['x'], drills)).toBeUndefined()
  expect(readPath(value, ['a', 'x', 'y'], drills)).toBeUndefined()
  expect(readPath(value, ['text', 'length'], drills)).toBeUndefined()
  expect(readPath(undefined, ['a'], drills)).toBeUndefined()
  expect(readPath(undefined, [], drills)).toBeUndefined()
})

test('null on the way is an error', () => {
  const read = () => readPath(value, ['a', 'none', 'x'], drills)
  expect(read).toThrow(NodeError)
  expect(read).toThrow('intermediate source value on path "a.none" is nil')
  expect(() => readPath(null, ['a'], { drills: false })).toThrow('intermediate source value on path "" is nil')
})

test('a list on the way stands for its first element', () => {
  expect(readPath(value, ['list', 'x', 'y'], drills)).toBe('first')
  expect(readPath(value, ['list'], drills)).toBe(value.list)
  expect(readPath(value, ['list', 'x'], drills)).toEqual([{ y: 'first' }, { y: 'second' }])
  expect(readPath([[[{ a: 1 }]]], ['a'], drills)).toBe(1)
})

test('an empty list on the way is an error, as is a first element that is null', () => {
  expect(() => readPath(value, ['empty', 'x'], drills)).toThrow('the list on path "empty" is empty')
  expect(() => readPath(value, ['nulls', 'x'], drills)).toThrow('intermediate source value on path "nulls" is nil')
  expect(readPath(value, ['empty'], drills)).toEqual([])
})

test('the inputs of a workflow are not looked into through lists', () => {
  expect(readPath(value, ['list', 'x'], { drills: false })).toBeUndefined()
  expect(readPath(value, ['empty', 'x'], { drills: false })).toBeUndefined()
  expect(readPath(value, ['list', 'length'], { drills: false })).toBeUndefined()
})

test('names of prototypes are names like others', () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty'])
    expect(readPath(value, ['a', name], drills)).toBeUndefined()
  expect(readPath(parseValue('{"__proto__":{"constructor":1}}'), ['__proto__', 'constructor'], drills)).toBe(1)
})
