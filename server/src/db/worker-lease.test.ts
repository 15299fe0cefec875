import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { hostname } from 'node:os'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { testDatabases } from '../../test/support/test-databases.ts'
import type { Db } from './database.ts'
import { LEASE_MS, listLiveWorkers, takeWorkerLease } from './worker-lease.ts'

const NOW = Date.UTC(2026, 0, 1)
const ALL = 32

describe.each(testDatabases())('worker numbers on $name', ({ open }) => {
  test('processes that start together have different ones', async () => {
    await using db = await open()
    const { take } = leases(db)

    const taken = await Promise.all(Array.from({ length: ALL }, () => take()))

    expect(taken.map((lease) => lease.workerId).sort((a, b) => a - b)).toEqual(Array.from({ length: ALL }, (_, id) => id))
    expect((await listLiveWorkers(db, () => NOW)).sort()).toEqual(taken.map((lease) => lease.token).sort())
    await expect(take()).rejects.toThrow('all 32 worker numbers are in use')
  })

  test('one that is released can be taken again, and a late release frees nobody else’s', async () => {
    await using db = await open()
    const { take } = leases(db)
    const first = await take()
    await first.release()
    const second = await take()
    await first.release()

    expect(second.workerId).toBe(first.workerId)
    expect(await listLiveWorkers(db, () => NOW)).toEqual([second.token])
  })

  test('a process of this machine that is gone frees its number at once', async () => {
    await using db = await open()
    const { take } = leases(db)
    await insertWorker(db, 0, { token: 'crashed', pid: await deadPid() })
    expect(await listLiveWorkers(db, () => NOW)).toEqual([])

    // the first takes the next free one, and has swept by then
    await take()
    expect((await take()).workerId).toBe(0)
    expect(await tokens(db)).not.toContain('crashed')
  })

  test('an earlier process that had the number of this one is gone too, as after a restart of a container', async () => {
    await using db = await open()
    const { take } = leases(db)
    await insertWorker(db, 0, { token: '1700000000000-0b0e', pid: process.pid })
    const { token } = await take()

    expect(await listLiveWorkers(db, () => NOW)).toEqual([token])
    expect(await tokens(db)).toEqual([token])
  })

  test('another process that lives keeps its number, and so does another machine until its lease is over', async () => {
    await using db = await open()
    const { take, time } = leases(db)
    await insertWorker(db, 0, { token: 'a neighbour', pid: process.ppid })
    await insertWorker(db, 1, { token: 'far away', host: 'elsewhere' })
    const live = async () => (await listLiveWorkers(db, () => time.now)).sort()
    expect((await take()).workerId).toBe(2)
    expect(await live()).toHaveLength(3)

    time.now += LEASE_MS
    expect(await live()).toHaveLength(3)
    time.now += 1
    expect(await live()).toEqual([])
    await take()
    expect(await tokens(db)).not.toContain('far away')
  })
})

test('a lease is renewed for as long as its process lives', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const [database] = testDatabases()
  await using db = await database?.open()
  if (!db) return
  const { take, time } = leases(db)
  const { token } = await take()

  for (let second = 0; second < 60; second++) {
    time.now += 1_000
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await listLiveWorkers(db, () => time.now)).toEqual([token])
  }
})

/** Leases on a clock of the test's own; they are given back when it is over. */
function leases(db: Db) {
  const time = { now: NOW }
  const failures: unknown[] = []
  const taken: { release(): Promise<void> }[] = []
  onTestFinished(() => expect(failures).toEqual([]))
  return {
    time,
    async take() {
      const lease = await takeWorkerLease({ db, clock: () => time.now, onError: (cause) => failures.push(cause) })
      taken.push(lease)
      return lease
    },
  }
}

async function insertWorker(db: Db, id: number, worker: { token: string; pid?: number; host?: string }): Promise<void> {
  await db
    .insertInto('worker')
    .values({ id, host: hostname(), pid: 1, expires_at: NOW + LEASE_MS, ...worker })
    .execute()
}

async function tokens(db: Db): Promise<string[]> {
  return (await db.selectFrom('worker').select('token').execute()).map((row) => row.token)
}

async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' })
  const { pid } = child
  await once(child, 'exit')
  if (pid === undefined) throw new Error('no process')
  return pid
}
