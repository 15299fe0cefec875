import { setImmediate } from 'node:timers/promises'
import type { Insertable } from 'kysely'
import { AppError } from '../lib/app-error.ts'
import { pause } from '../lib/background.ts'
import { isDatabaseUnavailable } from './database.ts'
import type { Db } from './database.ts'
import { createRowInserts } from './row-inserts.ts'
import type { InsertRows } from './row-inserts.ts'
import type { Tables } from './tables.ts'

/**
 * What one use case writes, all or nothing. Units that are ready at the same time share one
 * transaction and their inserts share statements: at thousands of runs a second the commit, not
 * the row, is what costs.
 */
export type WriteUnit = {
  /** Runs before anything of the unit is written; an AppError refuses this unit and no other. It may write only as its last act. */
  guard?: (tx: Db) => Promise<void>
  insert?: { [T in keyof Tables]?: Insertable<Tables[T]>[] }
  update?: (tx: Db) => Promise<unknown>
}

/** Both, one after the other. */
export function alsoUpdating(unit: WriteUnit, update: WriteUnit['update']): WriteUnit {
  if (!update) return unit
  return {
    ...unit,
    async update(tx) {
      await unit.update?.(tx)
      await update(tx)
    },
  }
}

export interface GroupCommit {
  /** Resolves when the unit is committed; rejects with the guard's AppError or the database's error, and then nothing of the unit is written. */
  write(unit: WriteUnit): Promise<void>
  /** Resolves when all that was handed in is settled. */
  idle(): Promise<void>
}

type Pending = { unit: WriteUnit; resolve: () => void; reject: (cause: unknown) => void }

const MAX_UNITS = 128
const ROWS_PER_STATEMENT = 200
// @NOTE a MariaDB takes 16 MB in one packet unless told otherwise, and hangs up on more; one row is always tried
const CHARS_PER_STATEMENT = 1_000_000
const BUSY_RETRIES = 12

export function createGroupCommit(db: Db): GroupCommit {
  const queue: Pending[] = []
  const deps: CommitDeps = { db, insertRows: createRowInserts() }
  let draining: Promise<void> | undefined

  async function drain() {
    // what becomes ready in this turn of the event loop joins the first transaction
    await setImmediate()
    while (queue.length > 0) await commit(deps, queue.splice(0, MAX_UNITS))
    draining = undefined
  }

  return {
    write(unit) {
      return new Promise((resolve, reject) => {
        queue.push({ unit, resolve, reject })
        draining ??= drain()
      })
    },
    async idle() {
      while (draining) await draining
    },
  }
}

type CommitDeps = { db: Db; insertRows: InsertRows }

/** Commits the group; when it fails, each unit on its own, so that one bad unit fails alone. Never rejects. */
async function commit(deps: CommitDeps, group: Pending[]): Promise<void> {
  try {
    const refused = await commitWhenFree(deps, group)
    for (const pending of group) {
      if (refused.has(pending)) pending.reject(refused.get(pending))
      else pending.resolve()
    }
  } catch (cause) {
    const single = group.length === 1 ? group[0] : undefined
    if (single) return single.reject(cause)
    if (isDatabaseUnavailable(cause)) return group.forEach((pending) => pending.reject(cause))
    for (const pending of group) await commit(deps, [pending])
  }
}

/** Another process may hold SQLite's write lock for a moment: waits for it without blocking the event loop. */
async function commitWhenFree({ db, insertRows }: CommitDeps, group: Pending[]): Promise<Map<Pending, unknown>> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().execute((tx) => apply({ tx, insertRows }, group))
    } catch (cause) {
      if (attempt > BUSY_RETRIES || !isLocked(cause)) throw cause
      await pause(20 * attempt)
    }
  }
}

function isLocked(cause: unknown): boolean {
  if (!(cause instanceof Error) || !('code' in cause)) return false
  return String(cause.code).startsWith('SQLITE_BUSY') || cause.code === 'ER_LOCK_DEADLOCK'
}

async function apply({ tx, insertRows }: { tx: Db; insertRows: InsertRows }, group: Pending[]): Promise<Map<Pending, unknown>> {
  const refused = new Map<Pending, unknown>()
  for (const pending of group) {
    if (!pending.unit.guard) continue
    try {
      await pending.unit.guard(tx)
    } catch (cause) {
      if (!(cause instanceof AppError)) throw cause
      refused.set(pending, cause)
    }
  }

  const accepted = group.filter((pending) => !refused.has(pending)).map((pending) => pending.unit)
  for (const [table, rows] of mergedInserts(accepted)) {
    for (const batch of statementsOf(rows)) await insertRows(tx, table, batch)
  }
  for (const unit of accepted) await unit.update?.(tx)
  return refused
}

function mergedInserts(units: WriteUnit[]): Map<keyof Tables, Insertable<Tables[keyof Tables]>[]> {
  const merged = new Map<keyof Tables, Insertable<Tables[keyof Tables]>[]>()
  for (const { insert } of units) {
    for (const [table, rows] of insertsOf(insert)) {
      const known = merged.get(table)
      if (known) known.push(...rows)
      else merged.set(table, [...rows])
    }
  }
  return merged
}

/** Rows in portions that one statement can take. */
export function* statementsOf<R extends object>(rows: R[]): Generator<R[]> {
  let batch: R[] = []
  let chars = 0
  for (const row of rows) {
    const size = charsOf(row)
    if (batch.length === ROWS_PER_STATEMENT || (batch.length > 0 && chars + size > CHARS_PER_STATEMENT)) {
      yield batch
      batch = []
      chars = 0
    }
    batch.push(row)
    chars += size
  }
  if (batch.length > 0) yield batch
}

function charsOf(row: object): number {
  return Object.values(row).reduce<number>((sum, value) => sum + (typeof value === 'string' ? value.length : 0), 0)
}

function insertsOf(insert: WriteUnit['insert']): [keyof Tables, Insertable<Tables[keyof Tables]>[]][] {
  return Object.entries(insert ?? {}) as [keyof Tables, Insertable<Tables[keyof Tables]>[]][]
}
