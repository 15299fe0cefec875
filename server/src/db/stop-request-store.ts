import { isDuplicate } from './database.ts'
import type { Db } from './database.ts'

/** Says that a run is to be stopped, whoever executes it. Saying it twice is no error. */
export async function insertStopRequest(db: Db, { runId, now }: { runId: string; now: number }): Promise<void> {
  try {
    await db.insertInto('stop_request').values({ run_id: runId, created_at: now }).execute()
  } catch (cause) {
    if (!isDuplicate(cause)) throw cause
  }
}

const AT_MOST = 1_000

/** Runs that are to be stopped, the oldest requests first. */
export async function listStopRequests(db: Db): Promise<string[]> {
  const rows = await db.selectFrom('stop_request').select('run_id').orderBy('created_at').limit(AT_MOST).execute()
  return rows.map((row) => String(row.run_id))
}

export async function deleteStopRequest(db: Db, runId: string): Promise<void> {
  await db.deleteFrom('stop_request').where('run_id', '=', runId).execute()
}

export async function deleteStopRequestsBefore(db: Db, before: number): Promise<void> {
  await db.deleteFrom('stop_request').where('created_at', '<', before).execute()
}
