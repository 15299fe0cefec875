import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Selectable } from 'kysely'
import { repeat } from '../lib/background.ts'
import type { Clock } from '../lib/clock.ts'
import { isDuplicate } from './database.ts'
import type { Db } from './database.ts'
import type { WorkerTable } from './tables.ts'

/**
 * Every process takes one of 32 worker numbers for as long as it lives: the number makes its ids
 * unique, and the lease says to the others that it is alive. A process of this machine that is
 * gone frees its lease at once, one of another machine when the lease expires.
 */
export type WorkerLease = {
  workerId: number
  /** Names this life of this process. */
  token: string
  release(): Promise<void>
}

export const LEASE_MS = 15_000
const RENEW_MS = 4_000
// distinguishes this process from an earlier one that had its number, as after a container restart
const LIFE = String(Math.round(performance.timeOrigin))
const WORKERS = 32

export type LeaseDeps = { db: Db; clock: Clock; onError: (cause: unknown) => void }

export async function takeWorkerLease({ db, clock, onError }: LeaseDeps): Promise<WorkerLease> {
  const token = `${LIFE}-${randomUUID().slice(0, 13)}`
  const workerId = await claimFreeWorker(db, clock, token)
  const renewal = repeat(
    RENEW_MS,
    async () => {
      const renewed = await db
        .updateTable('worker')
        .set({ expires_at: clock() + LEASE_MS })
        .where('id', '=', workerId)
        .where('token', '=', token)
        .executeTakeFirst()
      // this process slept past its lease and another one swept it away: it takes its number back, if nobody else has it
      if (renewed.numUpdatedRows === 0n && !(await tryInsert(db, clock, { id: workerId, token })))
        throw new Error(`worker number ${workerId} was taken by another process: restart this one`)
    },
    onError,
  )

  return {
    workerId,
    token,
    async release() {
      await renewal.stop()
      await db.deleteFrom('worker').where('id', '=', workerId).where('token', '=', token).execute()
    },
  }
}

/** Tokens of the processes that are alive now. */
export async function listLiveWorkers(db: Db, clock: Clock): Promise<string[]> {
  const rows = await db.selectFrom('worker').selectAll().execute()
  return rows.filter((row) => isAlive(row, clock)).map((row) => row.token)
}

async function claimFreeWorker(db: Db, clock: Clock, token: string): Promise<number> {
  for (let attempt = 0; attempt < WORKERS * 4; attempt++) {
    const rows = await db.selectFrom('worker').selectAll().execute()
    for (const row of rows) {
      if (isAlive(row, clock)) continue
      await db.deleteFrom('worker').where('id', '=', row.id).where('token', '=', row.token).execute()
    }
    const taken = new Set(rows.map((row) => row.id))
    const free = Array.from({ length: WORKERS }, (_, id) => id).find((id) => !taken.has(id))
    if (free === undefined) continue
    if (await tryInsert(db, clock, { id: free, token })) return free
  }
  throw new Error(`all ${WORKERS} worker numbers are in use`)
}

async function tryInsert(db: Db, clock: Clock, worker: { id: number; token: string }): Promise<boolean> {
  try {
    await db
      .insertInto('worker')
      .values({ ...worker, host: hostname(), pid: process.pid, expires_at: clock() + LEASE_MS })
      .execute()
    return true
  } catch (cause) {
    if (isDuplicate(cause)) return false
    throw cause
  }
}

type Holder = Pick<Selectable<WorkerTable>, 'host' | 'pid' | 'token' | 'expires_at'>

function isAlive({ host, pid, token, expires_at }: Holder, clock: Clock): boolean {
  if (expires_at < clock()) return false
  if (host === hostname() && pid === process.pid) return token.startsWith(`${LIFE}-`)
  return host !== hostname() || isProcessAlive(pid)
}

function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    // EPERM: it lives under another user
    return cause instanceof Error && 'code' in cause && cause.code === 'EPERM'
  }
}
