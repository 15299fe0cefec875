import { expect, test } from 'vitest'
import { createLiveLog } from './live-log.ts'

const events = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at)

test('what is stored long ago leaves the memory, what is not stored never does', () => {
  const log = createLiveLog<number>('1')
  for (const event of events(1, 2_000)) log.append(event)
  expect(log.after(0)?.map((entry) => entry.seq)).toEqual(events(1, 2_000))

  log.stored(1_500)
  expect(log.after(0)).toBeUndefined()
  expect(log.after(1_499)?.map((entry) => entry.seq)).toEqual(events(1_500, 2_000))
  expect(log.unstored()).toEqual({ runId: '1', firstSeq: 1_501, events: events(1_501, 2_000) })

  log.append(2_001)
  expect(log.unstored().events.at(-1)).toBe(2_001)
  expect(log.after(1_999)).toEqual([
    { seq: 2_000, event: 2_000, last: false },
    { seq: 2_001, event: 2_001, last: false },
  ])
})

test('memory stays small however long the run is', () => {
  const log = createLiveLog<number>('1')
  for (const event of events(1, 20_000)) {
    log.append(event)
    log.stored(event)
    if (event % 777 !== 0) continue
    const kept = event - (events(Math.max(0, event - 1_000), event).find((cursor) => log.after(cursor)) ?? event)
    expect(kept).toBeGreaterThanOrEqual(10)
    expect(kept).toBeLessThan(600)
  }
})

test('only the end of a closed log is the last one, and a cursor beyond it finds nothing', () => {
  const log = createLiveLog<number>('1')
  log.append(1)
  expect(log.after(0)).toEqual([{ seq: 1, event: 1, last: false }])
  expect(log.ended).toBe(false)

  log.end([2, 3])
  expect(log.ended).toBe(true)
  expect(log.after(0)?.map(({ seq, last }) => [seq, last])).toEqual([
    [1, false],
    [2, false],
    [3, true],
  ])
  expect(log.after(3)).toEqual([])
  expect(log.after(1_000)).toEqual([])
})

test('a wake-up that comes before its reader waits is not lost', async () => {
  const log = createLiveLog<number>('1')
  const leaving = new AbortController()
  const reader = log.join(leaving.signal)
  log.append(1)
  await reader.next()

  const waiting = reader.next()
  log.end([2])
  await waiting

  leaving.abort()
  await reader.next()
})

test('a reader that has left costs nothing any more', async () => {
  const log = createLiveLog<number>('1')
  const leaving = new AbortController()
  const reader = log.join(leaving.signal)
  reader[Symbol.dispose]()
  let woken = false
  void reader.next().then(() => (woken = true))
  log.append(1)
  leaving.abort()
  await new Promise(setImmediate)

  expect(woken).toBe(false)
})
