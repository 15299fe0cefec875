import { hostname } from 'node:os'
import type { Selectable } from 'kysely'
import type { Clock } from '../lib/clock.ts'
import type { Db } from './database.ts'
import type { WorkerTable } from './tables.ts'

/** A process that has not renewed its row for so long is dead. */
export const LEASE_MS = 7_500
export const SWEEP_EVERY_MS = 2_000
/** One that this machine still shows may only be slow; or it hangs, or its number has gone to another program. */
const HUNG_MS = 60_000
/** Distinguishes this process from an earlier one that had its number, as after a container restart. */
export const LIFE = String(Math.round(performance.timeOrigin))

type Seen = { renewal: number; silentMs: number }

/**
 * Makes the function that removes the rows of dead processes, to be called every SWEEP_EVERY_MS.
 * @NOTE who is silent is told by what this process sees, not by comparing clocks: those of two machines differ, and are put right. Time
 * in which it could not look counts for nobody either: after an outage of the database all are as alive as before it.
 */
export function createWorkerSweep(db: Db, monotonic: Clock = () => performance.now()): () => Promise<void> {
  let seen = new Map<string, Seen>()
  let lookedAt = monotonic()

  return async () => {
    const rows = await db.selectFrom('worker').selectAll().execute()
    const now = monotonic()
    const passedMs = Math.min(now - lookedAt, SWEEP_EVERY_MS * 1.5)
    lookedAt = now
    seen = new Map(rows.map((row) => [row.token, look(row, seen.get(row.token), passedMs)]))

    for (const row of rows) {
      const { silentMs = 0 } = seen.get(row.token) ?? {}
      if (mayBeAlive(row) && silentMs < (row.host === hostname() ? HUNG_MS : LEASE_MS)) continue
      // not if it has said something meanwhile
      await db
        .deleteFrom('worker')
        .where('id', '=', row.id)
        .where('token', '=', row.token)
        .where('expires_at', '=', row.expires_at)
        .execute()
    }
  }
}

function look({ expires_at: renewal }: Selectable<WorkerTable>, before: Seen | undefined, passedMs: number): Seen {
  return { renewal, silentMs: before?.renewal === renewal ? before.silentMs + passedMs : 0 }
}

type Holder = Pick<Selectable<WorkerTable>, 'host' | 'pid' | 'token'>

/** False for a process of this machine that is gone. */
export function mayBeAlive({ host, pid, token }: Holder): boolean {
  if (host !== hostname()) return true
  return pid === process.pid ? token.startsWith(`${LIFE}-`) : isProcessAlive(pid)
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
