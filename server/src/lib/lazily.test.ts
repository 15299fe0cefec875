import { expect, test } from 'vitest'
import { lazily } from './lazily.ts'

test('work begins when somebody waits for it, and is done once for all who do', async () => {
  let begun = 0
  const answer = lazily(async () => ++begun)
  await Promise.resolve()
  expect(begun).toBe(0)
  expect(await Promise.all([answer, answer, Promise.race([answer])])).toEqual([1, 1, 1])
})

test('who waits hears of the failure', async () => {
  const failing = lazily(() => Promise.reject(new Error('no')))
  await expect(Promise.resolve(failing)).rejects.toThrow('no')
  expect(await failing.then(undefined, () => 'told')).toBe('told')
})
