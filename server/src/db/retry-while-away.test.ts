import { expect, test } from 'vitest'
import { retryWhileAway } from './retry-while-away.ts'

const away = () => Object.assign(new Error('connection lost'), { code: 'PROTOCOL_CONNECTION_LOST' })

/** Throws these, one at a time, then answers how often it was asked. */
function failing(...causes: Error[]) {
  let calls = 0
  return async () => {
    calls++
    const cause = causes.shift()
    if (cause) throw cause
    return calls
  }
}

test('work is done again until the database is back', async () => {
  expect(await retryWhileAway(failing(away(), away()), new AbortController().signal)).toBe(3)
})

test('what is no fault of the connection is thrown at once', async () => {
  await expect(retryWhileAway(failing(new Error('no such column')), new AbortController().signal)).rejects.toThrow('no such column')
})

test('a stopping server does not wait for its database', async () => {
  const giveUp = new AbortController()
  const waiting = retryWhileAway(failing(...Array.from({ length: 100 }, away)), giveUp.signal)
  giveUp.abort()
  await expect(waiting).rejects.toThrow('connection lost')
})
