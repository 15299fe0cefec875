import { dialectOf } from './database.ts'
import type { Db } from './database.ts'
import type { AuthTime } from './account-tables.ts'

/**
 * The tables that better-auth writes are the only ones whose times are not milliseconds: it knows
 * ISO text on SQLite and DATETIME on MySQL, and nothing else. Both compare in the order of time.
 */
export const toAuthTime = (db: Db, ms: number): AuthTime => (dialectOf(db) === 'mysql' ? new Date(ms) : new Date(ms).toISOString())

export const fromAuthTime = (time: AuthTime): number => new Date(time).getTime()
