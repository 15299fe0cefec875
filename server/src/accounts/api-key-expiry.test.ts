import { describe, expect, test } from 'vitest'
import { toExpiredAt } from './api-key-expiry.ts'
import type { KeyExpiry } from './api-key-expiry.ts'

const NOW = Date.UTC(2026, 0, 1)
const DAY_MS = 86_400_000

describe('a key ends', () => {
  const cases: [string, KeyExpiry, number][] = [
    ['never when nothing is said', {}, 0],
    ['never with 0', { expire: 0 }, 0],
    ['90 days from now with the number of the guide’s sample', { expire: 7_776_000_000 }, NOW + 90 * DAY_MS],
    ['a moment from now with the smallest duration', { expire: 1 }, NOW + 1],
    ['at a timestamp in ms', { expire: NOW + 1 }, NOW + 1],
    ['after Coze’s number of days', { durationDay: '30' }, NOW + 30 * DAY_MS],
    ['after a number of days', { durationDay: 365 }, NOW + 365 * DAY_MS],
    ['after a number of days, whatever expire_at says', { durationDay: '1', expireAt: 1 }, NOW + DAY_MS],
    ['never when permanent', { durationDay: 'permanent' }, 0],
    ['at Coze’s timestamp in seconds', { durationDay: 'customize', expireAt: NOW / 1000 + 60 }, NOW + 60_000],
    ['at that timestamp also when the word is missing', { expireAt: NOW / 1000 + 60 }, NOW + 60_000],
  ]
  test.each(cases)('%s', (_story, expiry, expected) => {
    expect(toExpiredAt(expiry, NOW)).toBe(expected)
  })
})

describe('there is no key that', () => {
  const cases: [string, KeyExpiry, RegExp][] = [
    ['is over already', { expire: NOW }, /^expire: is in the past/],
    ['ended before it began', { expire: 1_000_000_000_000 }, /^expire: is in the past/],
    ['ends at a negative time', { expire: -1 }, /^expire: must be/],
    ['ends at no time', { expire: Number.NaN }, /^expire: must be/],
    ['ends at infinity', { expire: Number.POSITIVE_INFINITY }, /^expire: must be/],
    ['ends within a millisecond', { expire: 0.5 }, /^expire: must be/],
    ['outlives the calendar', { expire: 9_000_000_000_000_000 }, /^expire: is too far/],
    ['is customized without a time', { durationDay: 'customize' }, /^expire_at: must be/],
    ['ended before it began, in seconds', { durationDay: 'customize', expireAt: NOW / 1000 }, /^expire_at: is in the past/],
    ['ends at milliseconds meant as seconds', { expireAt: NOW + 1 }, /^expire_at: is too far/],
    ['lives for zero days', { durationDay: '0' }, /^duration_day: must be/],
    ['lives for negative days', { durationDay: -5 }, /^duration_day: must be/],
    ['lives for some days', { durationDay: 'some' }, /^duration_day: must be/],
    ['lives for no number of days', { durationDay: '' }, /^duration_day: must be/],
    ['lives for ages', { durationDay: 99_999_999 }, /^duration_day: is too far/],
    ['ends twice', { expire: 0, durationDay: '30' }, /^expire: give either/],
  ]
  test.each(cases)('%s', (_story, expiry, message) => {
    expect(() => toExpiredAt(expiry, NOW)).toThrow(
      expect.objectContaining({ code: 'invalid_request', message: expect.stringMatching(message) }),
    )
  })
})
