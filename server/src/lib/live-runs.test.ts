import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { pause } from './background.ts'
import { RunStopped, createLiveRuns } from './live-runs.ts'

const reported: unknown[] = []
const runsWith = ({ maxRuns = 2, maxRunMs = 60_000 } = {}) => createLiveRuns({ maxRuns, maxRunMs }, (cause) => void reported.push(cause))

test('there is room for as many as allowed, and again when one has ended', async () => {
  const runs = runsWith({ maxRuns: 2 })
  const [first, second] = [untilStopped(), untilStopped()]
  const results = [runs.start('1', first), runs.start('2', second)]
  expect(runs.count).toBe(2)
  expect(() => runs.assertRoom()).toThrow(expect.objectContaining({ code: 'rate_limited' }))

  await runs.stop('1', 'canceled')
  expect(runs.count).toBe(1)
  runs.assertRoom()
  await runs.stop('2', 'canceled')
  expect(await Promise.all(results)).toEqual(['canceled', 'canceled'])
})

test('a run that is stopped learns why, and stopping waits until it has ended', async () => {
  const runs = runsWith()
  let ended = false
  const result = runs.start('1', async (signal) => {
    const reason = await stopOf(signal)
    await sleep(30)
    ended = true
    return reason
  })
  await runs.stop('1', 'canceled')

  expect(ended).toBe(true)
  expect(await result).toBe('canceled')
  expect(runs.stop('1', 'canceled')).toBeUndefined()
  expect(runs.stop('never heard of', 'canceled')).toBeUndefined()
})

test('a run that takes too long is stopped', async () => {
  const runs = runsWith({ maxRunMs: 20 })

  expect(await runs.start('1', untilStopped())).toBe('timeout')
  await sleep(0)
  expect(runs.count).toBe(0)
})

test('the first reason counts', async () => {
  const runs = runsWith()
  const result = runs.start('1', async (signal) => {
    await stopOf(signal)
    await sleep(20)
    return (signal.reason as RunStopped).reason
  })
  await Promise.all([runs.stop('1', 'canceled'), runs.drain(0)])

  expect(await result).toBe('canceled')
})

test('a run that fails makes room, is reported, and takes nobody else with it', async () => {
  reported.length = 0
  const runs = runsWith()
  const bug = new Error('a bug')
  const other = runs.start('2', untilStopped())
  await expect(runs.start('1', () => Promise.reject(bug))).rejects.toBe(bug)
  await sleep(0)

  expect([runs.count, reported]).toEqual([1, [bug]])
  await runs.stop('2', 'canceled')
  expect(await other).toBe('canceled')
})

test('draining waits for runs that end in time, and stops the others', async () => {
  const runs = runsWith()
  const quick = runs.start('1', async () => {
    await sleep(20)
    return 'done'
  })
  const slow = runs.start('2', untilStopped())
  await runs.drain(60)

  expect([await quick, await slow, runs.count]).toEqual(['done', 'shutdown', 0])
})

test('draining waits for runs that begin meanwhile, too', async () => {
  const runs = runsWith()
  const first = runs.start('1', () => pause(20))
  void first.then(() => runs.start('2', () => pause(20)))
  await runs.drain(10_000)
  expect(runs.count).toBe(0)
})

test('with nothing to wait for, draining is done at once and leaves no timer behind', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length
  const before = timers()
  await runsWith().drain(60_000)

  expect(timers()).toBe(before)
})

const untilStopped = () => (signal: AbortSignal) => stopOf(signal)

function stopOf(signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(signal.reason instanceof RunStopped ? signal.reason.reason : 'no reason'))
  })
}
