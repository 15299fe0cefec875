import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { cannotRun } from '../../test/support/find-program.ts'
import { startRedis } from '../../test/support/redis-server.ts'
import { openTestJournal, range } from '../../test/support/test-journal.ts'
import { testDatabases } from '../../test/support/test-databases.ts'
import { openBus } from '../cluster/open-bus.ts'
import { createJournalNews } from './journal-news.ts'

const EVENTS = 60

describe.skipIf(cannotRun('redis-server', 'redis-cli')).each(testDatabases())('readers on another node, on $name', ({ open }) => {
  test('have every event once and in order, also those of while Redis was away, and are soon told', { timeout: 60_000 }, async () => {
    await using db = await open()
    await using redis = await startRedis()
    const errors: unknown[] = []
    const buses = await Promise.all([1, 2].map(() => openBus(redis.url, (cause) => errors.push(cause))))
    const [here, there] = buses.map((bus) => openTestJournal(db, undefined, createJournalNews(bus)))
    if (!here || !there) throw new Error('no journals')
    const log = here.open('1')
    const saidAt: number[] = [0]
    const lateness: number[] = []
    log.append(1)
    await here.flush()
    saidAt[1] = performance.now()
    const onEvent = (event: number) => lateness.push(performance.now() - (saidAt[event] ?? 0))
    const reading = there.read('1', 1, { onEvent })
    for (const number of range(2, EVENTS)) {
      if (number === 40) await redis.kill()
      if (number === 50) await redis.start()
      saidAt[number] = performance.now()
      log.append(number)
      await sleep(25)
    }
    await log.close([EVENTS + 1])

    expect(await reading).toEqual(range(2, EVENTS + 1))
    const told = lateness.slice(5, 35).toSorted((a, b) => a - b)
    console.info(`late on the other node: median ${Math.round(told[15] ?? 0)} ms, most ${Math.round(told.at(-1) ?? 0)} ms`)
    // who is not told looks once a second
    expect(told[15]).toBeLessThan(500)
    expect([...here.errors, ...there.errors]).toEqual([])
    await Promise.all(buses.map((bus) => bus.close()))
  })
})
