import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { hostname } from 'node:os'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { testDatabases } from '../../test/support/test-databases.ts'
import type { Db } from './database.ts'
import { doClocksAgree, listLiveWorkers, takeWorkerLease } from './worker-lease.ts'
import type { WorkerLease } from './worker-lease.ts'
import { LEASE_MS, SWEEP_EVERY_MS, createWorkerSweep } from './worker-sweep.ts'

const NOW = Date.UTC(2026, 0, 1)
const ALL = 32

describe.each(testDatabases())('worker numbers on $name', ({ open }) => {
  test('processes that start together have different ones', async () => {
    await using db = await open()
    await using held = leases(db)
    const { take } = held

    const taken = await Promise.all(Array.from({ length: ALL }, () => take()))

    expect(taken.map((lease) => lease.workerId).sort((a, b) => a - b)).toEqual(Array.from({ length: ALL }, (_, id) => id))
    expect((await listLiveWorkers(db)).sort()).toEqual(taken.map((lease) => lease.token).sort())
    await expect(take()).rejects.toThrow('all 32 worker numbers are in use')
  })

  test('one that is released can be taken again, and a late release frees nobody else’s', async () => {
    await using db = await open()
    await using held = leases(db)
    const { take } = held
    const first = await take()
    await first.release()
    const second = await take()
    await first.release()

    expect(second.workerId).toBe(first.workerId)
    expect(await listLiveWorkers(db)).toEqual([second.token])
  })

  test('a process of this machine that is gone frees its number at once', async () => {
    await using db = await open()
    await using held = leases(db)
    const { take } = held
    await insertWorker(db, 0, { token: 'crashed', pid: await deadPid() })
    expect(await listLiveWorkers(db)).toEqual([])

    expect((await take()).workerId).toBe(0)
    expect(await tokens(db)).not.toContain('crashed')
  })

  test('an earlier process that had the number of this one is gone too, as after a restart of a container', async () => {
    await using db = await open()
    await using held = leases(db)
    const { take } = held
    await insertWorker(db, 0, { token: '1700000000000-0b0e', pid: process.pid })
    const { token } = await take()

    expect(await listLiveWorkers(db)).toEqual([token])
    expect(await tokens(db)).toEqual([token])
  })

  test('a machine that is silent frees its number, whatever its clock says; one that speaks keeps it', async () => {
    await using db = await open()
    await using held = leases(db)
    const { take } = held
    await insertWorker(db, 0, { token: 'a neighbour', pid: process.ppid })
    await insertWorker(db, 1, { token: 'silent', host: 'elsewhere', expires_at: NOW + 1_000_000 })
    await insertWorker(db, 2, { token: 'speaks', host: 'elsewhere', expires_at: 5 })
    expect((await take()).workerId).toBe(3)
    const watch = createWatch(db)
    for (let passed = 0; passed < LEASE_MS; passed += SWEEP_EVERY_MS) {
      expect(await tokens(db)).toContain('silent')
      await db
        .updateTable('worker')
        .set((worker) => ({ expires_at: worker('expires_at', '+', 1) }))
        .where('id', '=', 2)
        .execute()
      await watch.sweepAfter(SWEEP_EVERY_MS)
    }
    await watch.sweepAfter(SWEEP_EVERY_MS)

    expect(await tokens(db)).toEqual(expect.arrayContaining(['a neighbour', 'speaks']))
    expect(await listLiveWorkers(db)).not.toContain('silent')
    expect((await take()).workerId).toBe(1)
  })

  test('after an outage in which nobody could be seen all are as alive as before', async () => {
    await using db = await open()
    await insertWorker(db, 1, { token: 'far away', host: 'elsewhere' })
    const watch = createWatch(db)
    await watch.sweepAfter(SWEEP_EVERY_MS)
    await watch.sweepAfter(600_000)
    expect(await tokens(db)).toEqual(['far away'])
  })

  test('a process that slept for so long that its number was given away has another one', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    await using db = await open()
    await using held = leases(db)
    const { take } = held
    const sleeper = await take()
    await db.deleteFrom('worker').execute()
    await insertWorker(db, 0, { token: 'quicker', host: 'elsewhere' })
    await vi.advanceTimersByTimeAsync(LEASE_MS)

    await expect.poll(() => sleeper.workerId).toBe(1)
    expect((await tokens(db)).sort()).toEqual(['quicker', sleeper.token].sort())
    vi.useRealTimers()
  })

  test('one whose clock is far from that of the others does not go by it', async () => {
    await using db = await open()
    await insertWorker(db, 1, { token: 'far away', host: 'elsewhere' })

    expect(await doClocksAgree(db, () => NOW + 30_000)).toBe(true)
    expect(await doClocksAgree(db, () => NOW - 30_000)).toBe(true)
    expect(await doClocksAgree(db, () => NOW + 3_600_000)).toBe(false)
    expect(await doClocksAgree(db, () => NOW - 3_600_000)).toBe(false)
  })
})

test('a lease is renewed for as long as its process lives', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const [database] = testDatabases()
  await using db = await database?.open()
  if (!db) return
  await using held = leases(db)
  const { take, time } = held
  const { token } = await take()

  for (let second = 0; second < 60; second++) {
    time.now += 1_000
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await listLiveWorkers(db)).toEqual([token])
    expect(await doClocksAgree(db, () => time.now)).toBe(true)
  }
})

/** Leases on a clock of the test's own; they are given back when it is over. */
function leases(db: Db) {
  const time = { now: NOW }
  const failures: unknown[] = []
  const taken: WorkerLease[] = []
  return {
    time,
    async take() {
      const lease = await takeWorkerLease({ db, clock: () => time.now, onError: (cause) => failures.push(cause) })
      taken.push(lease)
      return lease
    },
    async [Symbol.asyncDispose]() {
      for (const lease of taken) await lease.release()
      expect(failures).toEqual([])
    },
  }
}

/** Sweeps, as if so much time had passed. */
function createWatch(db: Db) {
  let now = 0
  const sweep = createWorkerSweep(db, () => now)
  return {
    async sweepAfter(ms: number) {
      now += ms
      await sweep()
    },
  }
}

async function insertWorker(
  db: Db,
  id: number,
  worker: { token: string; pid?: number; host?: string; expires_at?: number },
): Promise<void> {
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
