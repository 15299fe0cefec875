import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { openTestJournal, range } from '../../test/support/test-journal.ts'
import type { TestJournal } from '../../test/support/test-journal.ts'
import { testDatabases } from '../../test/support/test-databases.ts'
import type { Db } from '../db/database.ts'

describe.each(testDatabases())('the journal on $name', ({ open }) => {
  test('a reader gets what was there before it came and what comes after, then the end', async () => {
    await using db = await open()
    const journal = openTestJournal(db)
    const log = journal.open('1')
    log.append(1)
    const reading = journal.read('1')
    await sleep(5)
    log.append(2)
    log.append(3)
    await log.close([4, 5])

    expect(await reading).toEqual(range(1, 5))
    expect(journal.ends).toEqual([5])
    expect(journal.errors).toEqual([])
  })

  test('a reader that left after any number of events and came back has each of them once', async () => {
    await using db = await open()
    const journal = openTestJournal(db)
    const log = journal.open('1')
    const leavers = range(0, 12).map((count) => leaveAndComeBack(journal, count))
    for (const number of range(1, 9)) {
      log.append(number)
      await sleep(2)
    }
    await journal.flush()
    log.append(10)
    await log.close([11, 12])

    expect(await Promise.all(leavers)).toEqual(range(0, 12).map(() => range(1, 12)))
    // and all of them again when the run is history
    for (const count of range(0, 12)) expect(await leaveAndComeBack(journal, count)).toEqual(range(1, 12))
  })

  test('a reader that comes after the end gets everything, and returns', async () => {
    await using db = await open()
    const journal = openTestJournal(db)
    const log = journal.open('1')
    log.append(1)
    await journal.flush()
    log.append(2)
    await log.close([3])

    expect(await journal.read('1')).toEqual([1, 2, 3])
    expect(await openTestJournal(db).read('1', 1)).toEqual([2, 3])
  })

  test('a cursor at or beyond the end, or of a run nobody knows, returns at once', async () => {
    await using db = await open()
    const journal = openTestJournal(db)
    await journal.open('1').close([1, 2, 3])

    expect(await journal.read('1', 3)).toEqual([])
    expect(await journal.read('1', 1_000)).toEqual([])
    expect(await journal.read('404')).toEqual([])
  })

  test('also when the run is long and stored in many pieces', async () => {
    await using db = await open()
    const journal = openTestJournal(db)
    const log = journal.open('1')
    for (const number of range(1, 60)) {
      log.append(number)
      await journal.flush()
    }
    await log.close([61])

    expect(await journal.read('1')).toEqual(range(1, 61))
    expect(await journal.read('1', 61)).toEqual([])
    expect(await journal.read('1', 1_000)).toEqual([])
  })

  test('readers of a run that writes 1,500 events have all of them, near or far behind', async () => {
    await using db = await open()
    const journal = openTestJournal(db)
    const log = journal.open('1')
    const readers = [journal.read('1'), journal.read('1'), journal.read('1', 700), readSlowly(journal)]
    for (const number of range(1, 1_500)) {
      log.append(number)
      if (number % 100 === 0) await sleep(10)
      if (number % 400 === 0) await journal.flush()
      if (number === 1_300) readers.push(journal.read('1'))
    }
    await log.close([1_501])

    const [one, two, late, slow, joined] = await Promise.all(readers)
    for (const reader of [one, two, slow, joined]) expect(reader).toEqual(range(1, 1_501))
    expect(late).toEqual(range(701, 1_501))
    expect(journal.errors).toEqual([])
  })

  test('a reader in another process follows through the database', async () => {
    await using db = await open()
    const [here, there] = [openTestJournal(db), openTestJournal(db)]
    const log = here.open('1')
    log.append(1)
    await here.flush()
    const reading = there.read('1')
    await sleep(20)
    log.append(2)
    await here.flush()
    await log.close([3])

    expect(await reading).toEqual([1, 2, 3])
  })

  test('an end that is stored between two looks of such a reader is not missed', async () => {
    await using db = await open()
    const here = openTestJournal(db)
    const log = here.open('1')
    log.append(1)
    await here.flush()
    const there = openTestJournal(whenNothingIsFound(db, () => log.close([2, 3])))

    expect(await there.read('1', 1)).toEqual([2, 3])
  })

  test('a run that pauses and goes on is one list of events', async () => {
    await using db = await open()
    const journal = openTestJournal(db)
    const log = journal.open('1')
    // the pause is the last thing on a page of the database
    for (const number of range(1, 49)) {
      log.append(number)
      await journal.flush()
    }
    const untilPause = journal.read('1')
    await log.close([50])
    expect([await untilPause, await journal.read('1')]).toEqual([range(1, 50), range(1, 50)])

    const resumed = openTestJournal(db).open('1', 51)
    resumed.append(51)
    await resumed.close([52])
    expect([await journal.read('1'), await journal.read('1', 50)]).toEqual([range(1, 52), [51, 52]])
  })

  test('readers of a run that has gone on here have what was before the pause and what comes', async () => {
    await using db = await open()
    const journal = openTestJournal(db)
    await journal.open('1').close([1, 2])
    const log = journal.open('1', 3)
    const readers = [journal.read('1'), journal.read('1', 2)]
    await sleep(5)
    log.append(3)
    await log.close([4])

    expect(await Promise.all(readers)).toEqual([range(1, 4), [3, 4]])
  })

  test('events are in the database a moment later, without anybody asking', async () => {
    await using db = await open()
    const journal = openTestJournal(db)
    const log = journal.open('1')
    for (const number of range(1, 5)) log.append(number)
    const deadline = Date.now() + 2_000
    while ((await journal.stored('1')).length < 5 && Date.now() < deadline) await sleep(10)

    expect(await journal.stored('1')).toEqual(range(1, 5))
    await log.close([6])
    expect(await journal.stored('1')).toEqual(range(1, 6))
  })

  test('a run that is refused does not keep those from being stored that are written with it', async () => {
    await using db = await open()
    const journal = openTestJournal(db)
    const logs = ['1', '2', '3'].map((id) => journal.open(id))
    // somebody else has ended the second
    await openTestJournal(db).open('2').close([100])
    for (const log of logs) for (const number of [1, 2]) log.append(number)
    await journal.flush()

    expect(await Promise.all(['1', '2', '3'].map(journal.stored))).toEqual([[1, 2], [100], [1, 2]])
    expect(journal.errors).toHaveLength(1)
    logs[0]?.append(3)
    await journal.flush()
    expect(await journal.stored('1')).toEqual([1, 2, 3])
  })

  test('runs do not mix', async () => {
    await using db = await open()
    const journal = openTestJournal(db)
    const runs = range(1, 20).map((run) => ({ id: String(run), log: journal.open(String(run)) }))
    const readers = runs.map((run) => journal.read(run.id))
    for (const number of range(1, 30)) {
      for (const { id, log } of runs) if (number <= Number(id) + 5) log.append(number)
      if (number % 7 === 0) await journal.flush()
    }
    await Promise.all(runs.map(({ id, log }) => log.close([Number(id) + 6])))

    expect(await Promise.all(readers)).toEqual(runs.map(({ id }) => range(1, Number(id) + 6)))
  })
})

/** The same database, in which something happens right after the first query that found nothing. */
function whenNothingIsFound(db: Db, act: () => Promise<void>): Db {
  let acted = false
  return db.withPlugin({
    transformQuery: ({ node }) => node,
    async transformResult({ result }) {
      if (result.rows.length > 0 || acted) return result
      acted = true
      await act()
      return result
    },
  })
}

async function leaveAndComeBack(journal: TestJournal, count: number): Promise<number[]> {
  const first = count === 0 ? [] : await journal.read('1', 0, { leaveAfter: count })
  return [...first, ...(await journal.read('1', first.length))]
}

/** Takes a page and rests: it falls behind what memory keeps. */
async function readSlowly(journal: TestJournal): Promise<number[]> {
  return journal.read('1', 0, { restMs: 60 })
}
