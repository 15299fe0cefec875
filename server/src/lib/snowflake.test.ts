import { expect, test } from 'vitest'
import { createSnowflake } from './snowflake.ts'

const NOW = Date.UTC(2026, 5, 1)

test('ids are unique, ordered and exact in JavaScript, also when one millisecond is full', () => {
  const next = createSnowflake(31, () => NOW)
  const ids = Array.from({ length: 1000 }, () => Number(next()))

  expect(new Set(ids).size).toBe(1000)
  expect([...ids].sort((a, b) => a - b)).toEqual(ids)
  expect(Number.isSafeInteger(ids.at(-1))).toBe(true)
})

test('a clock that goes back does not repeat an id', () => {
  let now = NOW
  const next = createSnowflake(0, () => now)
  const before = Number(next())
  now -= 60_000

  expect(Number(next())).toBeGreaterThan(before)
})

test('two workers never meet', () => {
  const one = createSnowflake(1, () => NOW)
  const two = createSnowflake(2, () => NOW)
  const ids = Array.from({ length: 100 }, () => [one(), two()]).flat()

  expect(new Set(ids).size).toBe(200)
})

test('the last id of the 41-bit time is still exact', () => {
  const next = createSnowflake(31, () => Date.UTC(2024, 0, 1) + 2 ** 41 - 1)
  expect(Number.isSafeInteger(Number(next()))).toBe(true)
})

test('refuses a worker outside 0..31', () => {
  expect(() => createSnowflake(32, () => NOW)).toThrow(RangeError)
})
