import { expect, test } from 'vitest'
import { AppError } from '../lib/app-error.ts'
import { createSignInThrottle } from './sign-in-throttle.ts'

const LIMITED = expect.objectContaining({ code: 'rate_limited' })
const MINUTE_MS = 60_000

const fail = () => Promise.reject(new AppError('unauthenticated', 'wrong'))
const succeed = () => Promise.resolve('in')

function startThrottle() {
  const now = { ms: 1_000_000 }
  const { guard } = createSignInThrottle(() => now.ms)
  const failTimes = async (times: number, key = 'ada') => {
    for (let time = 0; time < times; time++) await expect(guard(key, fail)).rejects.toThrow('wrong')
  }
  return { guard, failTimes, pass: (ms: number) => (now.ms += ms) }
}

test('the sixth attempt is not even made, and says how long to wait', async () => {
  const { guard, failTimes, pass } = startThrottle()
  await failTimes(5)
  pass(5 * MINUTE_MS)

  let made = false
  const attempt = guard('ada', async () => {
    made = true
  })
  await expect(attempt).rejects.toThrow(expect.objectContaining({ code: 'rate_limited', retryAfterMs: 10 * MINUTE_MS }))
  expect(made).toBe(false)
})

test('a quarter of an hour after the first failure the door is open again', async () => {
  const { guard, failTimes, pass } = startThrottle()
  await failTimes(5)
  pass(15 * MINUTE_MS - 1)
  await expect(guard('ada', succeed)).rejects.toThrow(LIMITED)
  pass(1)

  expect(await guard('ada', succeed)).toBe('in')
})

test('a success clears what was before', async () => {
  const { guard, failTimes } = startThrottle()
  await failTimes(4)
  await guard('ada', succeed)

  await failTimes(5)
})

test('keys do not know each other', async () => {
  const { guard, failTimes } = startThrottle()
  await failTimes(5, 'ada')

  expect(await guard('bob', succeed)).toBe('in')
})

test('of twenty attempts at once only five are made', async () => {
  const { guard } = startThrottle()
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => guard('ada', fail)))
  const codes = results.map((result) => (result.status === 'rejected' && result.reason instanceof AppError ? result.reason.code : 'in'))

  expect(codes.filter((code) => code === 'unauthenticated')).toHaveLength(5)
  expect(codes.filter((code) => code === 'rate_limited')).toHaveLength(15)
})

test('a database that is gone is not the caller’s failure', async () => {
  const { guard, failTimes } = startThrottle()
  for (let time = 0; time < 10; time++) {
    await expect(guard('ada', () => Promise.reject(new AppError('unavailable', 'gone')))).rejects.toThrow('gone')
  }

  await failTimes(5)
})
