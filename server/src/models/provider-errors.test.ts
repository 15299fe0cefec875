import { expect, test } from 'vitest'
import { providerMessage, retryAfterMs } from './provider-errors.ts'

test.each([
  [{ error: { message: 'a' } }, 'a'],
  [{ error: 'a' }, 'a'],
  [{ message: 'a' }, 'a'],
  [{ error: { code: 1 }, msg: 'a' }, 'a'],
  [{ detail: [{ loc: ['body'], msg: 'a' }, { msg: 'b' }] }, 'a; b'],
  [{ detail: 'a' }, 'a'],
  [{}, ''],
  [null, ''],
  [7, ''],
])('in %j the provider says "%s"', (body, said) => {
  expect(providerMessage(body)).toBe(said)
})

test.each([
  [{ 'retry-after': '2' }, 2_000],
  [{ 'retry-after': '0.5' }, 500],
  [{ 'retry-after-ms': '250', 'retry-after': '9' }, 250],
  [{ 'retry-after': 'Thu, 01 Jan 2026 00:00:07 GMT' }, 7_000],
  [{ 'retry-after': 'Thu, 01 Jan 2015 00:00:07 GMT' }, 0],
  [{ 'retry-after': 'soon' }, undefined],
  [{ 'retry-after': '-1' }, undefined],
  [{}, undefined],
])('%j means %s ms', (headers, ms) => {
  expect(retryAfterMs(headers, Date.UTC(2026, 0, 1))).toBe(ms)
})
