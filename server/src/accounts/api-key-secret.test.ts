import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { createKeySecret, isWellFormed, md5Of } from './api-key-secret.ts'

test('a key has 43 random characters and their checksum, and no two are alike', () => {
  const secrets = Array.from({ length: 1000 }, createKeySecret)

  expect(secrets.every((secret) => /^pat_[0-9A-Za-z]{49}$/.test(secret))).toBe(true)
  expect(secrets.every(isWellFormed)).toBe(true)
  expect(new Set(secrets).size).toBe(1000)
  expect(new Set(secrets.join('').slice(4)).size).toBeGreaterThanOrEqual(62)
})

test('one wrong character anywhere is noticed', () => {
  const secret = createKeySecret()
  const wrong = Array.from(secret, (character, at) => secret.slice(0, at) + (character === 'a' ? 'b' : 'a') + secret.slice(at + 1))

  expect(wrong.filter(isWellFormed)).toEqual([])
})

test('the checksum is CRC-32 in base62, so that scanners for leaked keys can check it too', () => {
  expect(isWellFormed(`pat_${'0'.repeat(43)}2GjXJC`)).toBe(true)
})

test('what only looks like a key is refused', () => {
  const secret = createKeySecret()

  for (const text of [
    '',
    'pat_',
    secret.slice(4),
    secret.slice(0, -1),
    `${secret}0`,
    ` ${secret}`,
    secret.toUpperCase(),
    `${secret.slice(0, -1)}_`,
  ]) {
    expect(isWellFormed(text), text).toBe(false)
  }
  // the guide's placeholder
  expect(isWellFormed('pat_abc123def456ghi789jkl012mno345pqr678stu901vwx234yz')).toBe(false)
})

test('keys made by Coze pass: only the database knows them', () => {
  expect(isWellFormed(`pat_${randomBytes(32).toString('hex')}`)).toBe(true)
  expect(isWellFormed(`pat_${randomBytes(32).toString('hex').toUpperCase()}`)).toBe(false)
  expect(isWellFormed(`pat_${randomBytes(31).toString('hex')}`)).toBe(false)
})

test('the hash is the one Coze stores', () => {
  expect(md5Of('abc')).toBe('900150983cd24fb0d6963f7d28e17f72')
})
