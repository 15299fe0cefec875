import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { pause, repeat } from '../lib/background.ts'
import type { Clock } from '../lib/clock.ts'
import { isDuplicate } from './database.ts'
import type { Db } from './database.ts'
import { LEASE_MS, LIFE, SWEEP_EVERY_MS, createWorkerSweep, mayBeAlive } from './worker-sweep.ts'

/**
 * Every process takes one of 32 worker numbers for as long as it lives: the number makes its ids
 * unique, and the row that is renewed all the time says to the others that it is alive. A process of
 * this machine that is gone frees its number at once, one of another machine when it has been silent
 * for LEASE_MS (see worker-sweep.ts).
 */
export type WorkerLease = {
  /** It is another one after this process slept for so long that its number was given away. */
  readonly workerId: number
  /** Names this life of this process. */
  token: string
  release(): Promise<void>
}

const RENEW_MS = 2_000
const WORKERS = 32
/** So long a start waits for a number, should all be taken: by then those of dead processes are free. */
const PATIENCE_MS = LEASE_MS + 4_000

export type LeaseDeps = { db: Db; clock: Clock; onError: (cause: unknown) => void }

export async function takeWorkerLease({ db, clock, onError }: LeaseDeps): Promise<WorkerLease> {
  const token = `${LIFE}-${randomUUID().slice(0, 13)}`
  let workerId = await claimFreeWorker(db, clock, token)
  const renewal = repeat(
    RENEW_MS,
    async () => {
      const renewed = await db
        .updateTable('worker')
        .set({ expires_at: clock() + LEASE_MS })
        .where('id', '=', workerId)
        .where('token', '=', token)
        .executeTakeFirst()
      // this process slept past its lease and another one swept it away
      if (renewed.numUpdatedRows > 0n || (await tryInsert(db, clock, { id: workerId, token }))) return
      workerId = await claimFreeWorker(db, clock, token)
    },
    onError,
  )

  return {
    get workerId() {
      return workerId
    },
    token,
    async release() {
      await renewal.stop()
      await db.deleteFrom('worker').where('id', '=', workerId).where('token', '=', token).execute()
    },
  }
}

/** Tokens of the processes that are alive now. */
export async function listLiveWorkers(db: Db): Promise<string[]> {
  const rows = await db.selectFrom('worker').selectAll().execute()
  return rows.filter(mayBeAlive).map((row) => row.token)
}

const SKEW_MS = 60_000

/**
 * Whether it is the same time for all processes, by and large. Where it is not, nobody can say how old the runs of another process are,
 * and nothing must be given up or deleted for its age.
 */
export async function doClocksAgree(db: Db, clock: Clock): Promise<boolean> {
  const rows = await db.selectFrom('worker').selectAll().execute()
  return rows.filter(mayBeAlive).every((row) => Math.abs(row.expires_at - LEASE_MS - clock()) < SKEW_MS)
}

const SETTLED_MS = LEASE_MS

/**
 * Of runs that look too old, or whose process is gone, those that may be given up: what a process that lives has begun counts as old
 * only where the clocks still agree when every process has had the time to say what its clock is.
 */
export async function withoutDoubtful<R extends { workerToken: string }>(
  { db, clock }: Pick<LeaseDeps, 'db' | 'clock'>,
  runs: R[],
  liveWorkers: string[],
): Promise<R[]> {
  const isOld = ({ workerToken }: R) => liveWorkers.includes(workerToken)
  if (!runs.some(isOld)) return runs

  await pause(SETTLED_MS)
  return (await doClocksAgree(db, clock)) ? runs : runs.filter((run) => !isOld(run))
}

async function claimFreeWorker(db: Db, clock: Clock, token: string): Promise<number> {
  const sweep = createWorkerSweep(db)
  const deadline = performance.now() + PATIENCE_MS
  while (performance.now() < deadline) {
    await sweep()
    const taken = new Set((await db.selectFrom('worker').select('id').execute()).map((row) => row.id))
    const free = Array.from({ length: WORKERS }, (_, id) => id).find((id) => !taken.has(id))
    if (free === undefined) await pause(SWEEP_EVERY_MS / 4)
    else if (await tryInsert(db, clock, { id: free, token })) return free
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
