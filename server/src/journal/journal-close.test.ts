import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { openTestJournal, range } from '../../test/support/test-journal.ts'
import { startMariadb, testDatabases } from '../../test/support/test-databases.ts'
import { openDatabase } from '../db/database.ts'
import type { Db } from '../db/database.ts'
import { createGroupCommit } from '../db/group-commit.ts'
import type { GroupCommit } from '../db/group-commit.ts'
import { migrate } from '../db/migrate.ts'
import { segmentInsert } from './journal-store.ts'

const GONE = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
const CUT = Object.assign(new Error('Connection lost'), { code: 'PROTOCOL_CONNECTION_LOST' })

test('nobody sees the end before it is stored', async () => {
  await using db = await openMemory()
  const gate = createGate()
  const journal = openTestJournal(
    db,
    commitsThat(db, () => gate.passed),
  )
  const log = journal.open('1')
  log.append(1)
  const seen: number[] = []
  const reading = journal.read('1', 0, { onEvent: (event) => seen.push(event) })
  const closing = log.close([2, 3])
  await sleep(150)
  expect(seen).toEqual([1])
  expect(await journal.stored('1')).toEqual([])

  gate.open()
  await closing
  expect(await journal.stored('1')).toEqual([1, 2, 3])
  expect(await reading).toEqual([1, 2, 3])
})

test('an end that comes while earlier events are being stored waits for them', async () => {
  await using db = await openMemory()
  const gate = createGate()
  const commits = commitsThat(db, () => gate.passed)
  const journal = openTestJournal(db, commits)
  const log = journal.open('1')
  for (const number of range(1, 3)) log.append(number)
  const flushing = journal.flush()
  log.append(4)
  const closing = log.close([5])
  await sleep(250)
  expect(commits.attempts()).toBe(1)
  gate.open()
  await Promise.all([flushing, closing])

  const segments = await db.selectFrom('journal_segment').select(['first_seq', 'last_seq', 'ends_run']).orderBy('first_seq').execute()
  expect(segments).toEqual([
    { first_seq: 1, last_seq: 3, ends_run: 0 },
    { first_seq: 4, last_seq: 5, ends_run: 1 },
  ])
  expect(commits.attempts()).toBe(2)
})

test('events that come while earlier ones are being stored wait for them, and are stored together', async () => {
  await using db = await openMemory()
  const gate = createGate()
  const commits = commitsThat(db, () => gate.passed)
  const journal = openTestJournal(db, commits)
  const log = journal.open('1')
  for (const number of range(1, 4)) {
    log.append(number)
    void journal.flush()
    await sleep(40)
  }
  await sleep(150)
  expect(commits.attempts()).toBe(1)
  gate.open()
  await log.close([5])

  expect(await journal.stored('1')).toEqual(range(1, 5))
  expect(commits.attempts()).toBeLessThanOrEqual(3)
})

test('while the database is away the end is tried again and readers wait for it', async () => {
  await using db = await openMemory()
  const journal = openTestJournal(
    db,
    commitsThat(db, (attempt) => (attempt <= 3 ? Promise.reject(GONE) : undefined)),
  )
  const log = journal.open('1')
  log.append(1)
  const reading = journal.read('1')
  await log.close([2])

  expect(await reading).toEqual([1, 2])
  expect(await journal.stored('1')).toEqual([1, 2])
  expect(journal.errors).toEqual([])
})

test('what is written with the end is there with it, or not at all', async () => {
  await using db = await openMemory()
  const journal = openTestJournal(db)
  const log = journal.open('1')
  const also = { insert: { worker: [{ id: 1, token: 't', host: 'h', pid: 1, expires_at: 1 }] } }
  await log.close([1], { also })
  await expect(journal.open('2').close([1], { also })).rejects.toThrow(/UNIQUE/)

  expect(await journal.stored('1')).toEqual([1])
  expect(await journal.stored('2')).toEqual([])
})

test('a server that stops does not wait for ever, and its readers are let go', async () => {
  await using db = await openMemory()
  const journal = openTestJournal(
    db,
    commitsThat(db, () => Promise.reject(GONE)),
  )
  const log = journal.open('1')
  log.append(1)
  const reading = journal.read('1')
  const giveUp = new AbortController()
  const closing = log.close([2], { giveUp: giveUp.signal })
  await sleep(30)
  giveUp.abort()

  await expect(closing).rejects.toBe(GONE)
  log.abandon()
  expect(await reading).toEqual([1])
})

test('an answer that is lost between the commit and its reply is not written twice', async () => {
  await using db = await openMemory()
  // every second write is committed and then reported as failed
  const journal = openTestJournal(
    db,
    commitsThat(db, undefined, (attempt) => (attempt % 2 === 1 ? Promise.reject(CUT) : undefined)),
  )
  const log = journal.open('1')
  const reading = journal.read('1')
  for (const number of range(1, 10)) {
    log.append(number)
    await journal.flush()
  }
  await log.close([11, 12])

  expect(await reading).toEqual(range(1, 12))
  expect(await journal.stored('1')).toEqual(range(1, 12))
  expect(journal.errors).toEqual([])
})

test('a run that another process has ended meanwhile keeps that end, and its readers get it', async () => {
  await using db = await openMemory()
  const journal = openTestJournal(db)
  const log = journal.open('1')
  log.append(1)
  await journal.flush()
  const reading = journal.read('1')
  await sleep(5)
  const foreign = segmentInsert({ runId: '1', firstSeq: 2, events: [2, 3] }, { now: 1, endsRun: true })
  await db.insertInto('journal_segment').values(foreign).execute()

  await expect(log.close([2])).rejects.toThrow(/UNIQUE/)
  log.abandon()
  expect(await reading).toEqual([1, 2, 3])
  expect(await journal.stored('1')).toEqual([1, 2, 3])
})

test('a write that is refused is reported once, not again and again', async () => {
  await using db = await openMemory()
  const bug = new Error('a bug')
  const journal = openTestJournal(
    db,
    commitsThat(db, () => Promise.reject(bug)),
  )
  journal.open('1').append(1)
  await sleep(400)

  expect(journal.errors).toEqual([bug])
})

test.each(['live', 'elsewhere'])('a reader that leaves is gone at once (%s)', async (where) => {
  await using db = await openMemory()
  const [here, there] = [openTestJournal(db), openTestJournal(db)]
  const log = here.open('1')
  log.append(1)
  await here.flush()
  const leaving = new AbortController()
  const reading = (where === 'live' ? here : there).read('1', 0, { signal: leaving.signal })
  await sleep(30)
  const leftAt = performance.now()
  leaving.abort()

  expect(await reading).toEqual([1])
  expect(performance.now() - leftAt).toBeLessThan(100)
  expect(await here.read('1', 0, { signal: leaving.signal })).toEqual([])
})

test.skipIf(testDatabases().length === 1)('MariaDB dies in the middle of a run: the end comes when it is back', async () => {
  await using server = await startMariadb()
  const db = await openDatabase({ kind: 'mysql', url: server.url() })
  await migrate(db)
  const journal = openTestJournal(db)
  const log = journal.open('1')
  log.append(1)
  await journal.flush()
  const reading = journal.read('1')
  await server.kill()
  for (const number of range(2, 20)) log.append(number)
  const closing = log.close([21])
  await sleep(300)
  await server.start()
  await closing

  expect(await reading).toEqual(range(1, 21))
  expect(await journal.stored('1')).toEqual(range(1, 21))
  expect(journal.errors).toEqual([])
  await db.destroy()
})

type Around = (attempt: number) => Promise<unknown> | undefined

/** Commits of this database that wait or fail before they are made, or lose their answer after. */
function commitsThat(db: Db, before?: Around, after?: Around): GroupCommit & { attempts: () => number } {
  const commits = createGroupCommit(db)
  let attempts = 0
  return {
    attempts: () => attempts,
    idle: () => commits.idle(),
    async write(unit) {
      const attempt = ++attempts
      await before?.(attempt)
      await commits.write(unit)
      await after?.(attempt)
    },
  }
}

function createGate() {
  const gate = { open: () => {} }
  const passed = new Promise<void>((resolve) => (gate.open = resolve))
  return { passed, open: () => gate.open() }
}

async function openMemory(): Promise<Db & AsyncDisposable> {
  const db = await openDatabase({ kind: 'sqlite', path: ':memory:' })
  await migrate(db)
  return db
}
