import { expect, test } from 'vitest'
import { assertVersionName, nextVersionName } from './version-name.ts'

test.each([
  [undefined, 'v0.0.1'],
  ['v0.0.1', 'v0.0.2'],
  ['v0.9.9', 'v0.9.10'],
  ['2026', '2027'],
  ['v1-beta', 'v1-beta.1'],
  ['v1.99999999999999999999', 'v1.100000000000000000000'],
])('after %s comes %s', (version, next) => {
  expect(nextVersionName(version)).toBe(next)
})

test.each(['v0.0.1', '1', 'v1.0.0-rc.1+build_5', '9'.repeat(50)])('%s is a name', (version) => {
  expect(() => assertVersionName(version)).not.toThrow()
})

test.each(['', 'published', 'draft', 'v1 ', ' v1', 'v1/2', "1'", '9'.repeat(51), 'v1\n'])('%j is none', (version) => {
  expect(() => assertVersionName(version)).toThrow(expect.objectContaining({ code: 'invalid_request' }))
})
