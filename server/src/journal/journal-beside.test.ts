import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { range } from '../../test/support/test-journal.ts'
import { testDatabases } from '../../test/support/test-databases.ts'
import type { Db } from '../db/database.ts'
import { createGroupCommit } from '../db/group-commit.ts'
import type { GroupCommit, WriteUnit } from '../db/group-commit.ts'
import { AppError } from '../lib/app-error.ts'
import { createMemoryBus } from '../cluster/memory-bus.ts'
import { createJournalNews } from './journal-news.ts'
import { createJournal } from './journal.ts'
import type { Beside } from './journal-flusher.ts'
import type { RunLog } from './journal.ts'
import { listEntries } from './journal-store.ts'

const CUT = Object.assign(new Error('Connection lost'), { code: 'PROTOCOL_CONNECTION_LOST' })
const NEVER = new AbortController().signal

describe.each(testDatabases())('what stands beside the journal on $name', ({ open }) => {
  test('agrees with the events whatever answers of the database are lost', async () => {
    await using db = await open()
    // every second write is committed and then reported as failed
    const house = openHouse(
      db,
      losing(createGroupCommit(db), (attempt) => attempt % 2 === 1),
    )
    for (const number of range(1, 8)) {
      house.say(number)
      await house.log.store(NEVER)
      expect(await house.agreed()).toBe(number)
    }
    house.say(9)
    await house.log.close([10], {}, NEVER)

    expect(await house.events()).toEqual(range(1, 10))
    expect(house.errors).toEqual([])
  })

  test('an end that is stored is one, although its answer is lost and nobody may write it twice', async () => {
    await using db = await open()
    let ends = 0
    let guarded = 0
    const house = openHouse(
      db,
      losing(createGroupCommit(db), (_attempt, unit) => unit.guard !== undefined && guarded++ === 0),
    )
    const once = {
      guard: async (tx: Db) => {
        const left = await tx.deleteFrom('worker').where('id', '=', 1).executeTakeFirst()
        if (left.numDeletedRows === 0n) throw new AppError('conflict', 'somebody else has ended it')
        ends++
      },
    }
    await db.insertInto('worker').values({ id: 1, token: 't', host: 'h', pid: 1, expires_at: 1 }).execute()
    house.say(1)
    await house.log.store(NEVER)
    house.say(2)
    await house.log.close([3], once, NEVER)

    expect([ends, guarded]).toEqual([1, 2])
    expect(await house.events()).toEqual([1, 2, 3])
  })

  test('an end whose answer is lost is found when the database is back', async () => {
    await using db = await open()
    let outages = 3
    const away = db.withPlugin({
      transformQuery: ({ node }) => node,
      async transformResult({ result }) {
        if (outages-- > 0) throw CUT
        return result
      },
    })
    const house = openHouse(
      away,
      losing(createGroupCommit(db), (attempt) => attempt === 1),
    )
    house.say(1)
    await house.log.close([2], {}, NEVER)

    outages = 0
    expect(await house.events()).toEqual([1, 2])
  })

  test('and is refused is somebody else’s: the end of this log is none', async () => {
    await using db = await open()
    const house = openHouse(db)
    house.say(1)
    const refusing = { guard: () => Promise.reject(new AppError('conflict', 'somebody else has ended it')) }

    await expect(house.log.close([2], refusing, NEVER)).rejects.toMatchObject({ code: 'conflict' })
    expect(await house.events()).toEqual([])
  })

  test('is stored in time, however much comes after it', async () => {
    await using db = await open()
    const house = openHouse(db)
    const stop = new AbortController()
    const others = (async () => {
      for (let number = 2; !stop.signal.aborted && number < 20_000; number++) {
        house.say(number)
        await setImmediate()
      }
    })()
    house.say(1)
    const began = Date.now()
    await house.log.store(NEVER)
    const took = Date.now() - began
    stop.abort()
    await others

    expect(took).toBeLessThan(1_000)
    expect(await house.agreed()).toBeGreaterThanOrEqual(1)
    await house.log.close([0], {}, NEVER)
  })

  test('is stored when that is said, and not when a write ends that began before', async () => {
    await using db = await open()
    const commits = createGroupCommit(db)
    const gate = Promise.withResolvers<undefined>()
    let isFirst = true
    const slow: GroupCommit = {
      idle: () => commits.idle(),
      async write(unit) {
        if (isFirst) {
          isFirst = false
          await gate.promise
        }
        await commits.write(unit)
      },
    }
    const house = openHouse(db, slow)
    house.say(1)
    const first = house.log.store(NEVER)
    await sleep(20)
    house.say(2)
    const second = house.log.store(NEVER).then(() => house.agreed())
    gate.resolve(undefined)

    await first
    expect(await second).toBe(2)
    await house.log.close([3], {}, NEVER)
  })

  test('comes too late after the end: nobody is told of it, and nothing is reported', async () => {
    await using db = await open()
    const house = openHouse(db)
    house.say(1)
    const closing = house.log.close([2], {}, NEVER)
    house.say(3)
    await closing
    house.say(4)
    await sleep(200)

    expect(await house.events()).toEqual([1, 2])
    expect(house.errors).toEqual([])
  })
})

describe.each(testDatabases())('large events on $name', ({ open }) => {
  const large = (number: number) => ({ number, text: '漢'.repeat(1_000_000) })

  test('that come together are stored in pieces that a database takes', async () => {
    await using db = await open()
    const house = openHouse(
      db,
      losing(createGroupCommit(db), (attempt) => attempt % 2 === 1),
    )
    for (const number of range(1, 12)) house.append(large(number))
    await house.log.store(NEVER)
    expect(await house.events()).toEqual(range(1, 12))
    for (const number of range(13, 24)) house.append(large(number))
    await house.log.close([large(25), 26], {}, NEVER)

    expect(await house.events()).toEqual(range(1, 26))
    expect((await listEntries(db, '1', 0)).map(({ last }) => last).indexOf(true)).toBe(25)
  })
})

type Event = number | { number: number; text: string }

/** What a run has said, and beside it how far it was, in a row of a table that nobody else uses. */
function openHouse(db: Db, commits: GroupCommit = createGroupCommit(db)) {
  const errors: unknown[] = []
  let said = 0
  let stored = 0
  const beside: Beside = {
    take() {
      const taken = said
      if (taken === stored) return undefined
      return {
        update: (tx) => tx.replaceInto('worker').values({ id: 9, token: 't', host: 'h', pid: taken, expires_at: 1 }).execute(),
        settle: () => void (stored = taken),
      }
    },
  }
  const journal = createJournal<Event>({
    db,
    commits,
    news: createJournalNews(createMemoryBus(console.error)),
    clock: () => 1,
    onError: (cause) => errors.push(cause),
  })
  const log: RunLog<Event> = journal.open('1', 1, beside)
  const events = async () => (await listAll(db)).map((event) => (typeof event === 'number' ? event : event.number))

  return {
    log,
    errors,
    events,
    append: log.append,
    say(number: number) {
      log.append(number)
      said = number
      log.touch()
    },
    /** How far it is in what is stored; throws when the events say something else. */
    async agreed(): Promise<number> {
      return db.transaction().execute(async (tx) => {
        const row = await tx.selectFrom('worker').select('pid').where('id', '=', 9).executeTakeFirst()
        const last = (await listAll(tx)).at(-1)
        expect(Number(row?.pid)).toBe(last)
        return Number(row?.pid)
      })
    },
  }
}

async function listAll(db: Db): Promise<Event[]> {
  const all: Event[] = []
  for (let cursor = 0; ;) {
    const page = await listEntries<Event>(db, '1', cursor)
    const last = page.at(-1)
    if (!last) return all
    all.push(...page.map(({ event }) => event))
    cursor = last.seq
  }
}

/** The connection is cut between a commit and its answer. */
function losing(commits: GroupCommit, isLost: (attempt: number, unit: WriteUnit) => boolean): GroupCommit {
  let attempt = 0
  return {
    idle: () => commits.idle(),
    async write(unit) {
      attempt++
      const loses = isLost(attempt, unit)
      await commits.write(unit)
      if (loses) throw CUT
    },
  }
}
