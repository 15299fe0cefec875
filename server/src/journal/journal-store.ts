import type { Insertable } from 'kysely'
import type { Db } from '../db/database.ts'
import type { JournalSegmentTable } from '../db/tables.ts'
import type { Batch } from './live-log.ts'

/** One numbered event of a run; numbers start at 1 and have no gaps. `last` marks the end of the run. */
export type JournalEntry<E> = { seq: number; event: E; last: boolean }

const SEGMENTS_PER_PAGE = 50

export function segmentInsert(
  { runId, firstSeq, events }: { runId: string; firstSeq: number; events: unknown[] },
  { now, endsRun }: { now: number; endsRun: boolean },
): Insertable<JournalSegmentTable> {
  return {
    run_id: runId,
    first_seq: firstSeq,
    last_seq: firstSeq + events.length - 1,
    events: JSON.stringify(events),
    ends_run: endsRun ? 1 : 0,
    created_at: now,
  }
}

const CHARS_PER_SEGMENT = 1_000_000

/** Several where one would be large: a database hangs up on a statement that is. */
export function toSegments<E>(batch: Batch<E>, { now, endsRun }: { now: number; endsRun: boolean }): Insertable<JournalSegmentTable>[] {
  const { runId, firstSeq, events } = batch
  const whole = segmentInsert(batch, { now, endsRun })
  if (events.length === 1 || whole.events.length < CHARS_PER_SEGMENT) return [whole]

  const middle = Math.floor(events.length / 2)
  return [
    ...toSegments({ runId, firstSeq, events: events.slice(0, middle) }, { now, endsRun: false }),
    ...toSegments({ runId, firstSeq: firstSeq + middle, events: events.slice(middle) }, { now, endsRun }),
  ]
}

/** A page of the stored entries after the cursor, in order; empty when there are none. */
export async function listEntries<E>(db: Db, runId: string, cursor: number): Promise<JournalEntry<E>[]> {
  const segments = await db
    .selectFrom('journal_segment')
    .select(['first_seq', 'last_seq', 'events', 'ends_run'])
    .where('run_id', '=', runId)
    .where('last_seq', '>', cursor)
    .orderBy('first_seq')
    .limit(SEGMENTS_PER_PAGE)
    .execute()
  return segments.flatMap((segment) =>
    parseEvents<E>(segment.events)
      .map((event, index) => {
        const seq = segment.first_seq + index
        return { seq, event, last: segment.ends_run === 1 && seq === segment.last_seq }
      })
      .filter((entry) => entry.seq > cursor),
  )
}

/** What a dead process had stored of a run: where its numbering stands and whether the end is there. */
export async function findLastEntry(db: Db, runId: string): Promise<{ seq: number; ended: boolean }> {
  const row = await db
    .selectFrom('journal_segment')
    .select(['last_seq', 'ends_run'])
    .where('run_id', '=', runId)
    .orderBy('first_seq', 'desc')
    .limit(1)
    .executeTakeFirst()
  return { seq: row?.last_seq ?? 0, ended: row?.ends_run === 1 }
}

export type Segment = { lastSeq: number; events: string; endsRun: boolean }

/** The segment that starts with that number, its events as they were written. */
export async function findSegment(db: Db, runId: string, firstSeq: number): Promise<Segment | undefined> {
  const row = await db
    .selectFrom('journal_segment')
    .select(['last_seq', 'events', 'ends_run'])
    .where('run_id', '=', runId)
    .where('first_seq', '=', firstSeq)
    .executeTakeFirst()
  return row && { lastSeq: row.last_seq, events: row.events, endsRun: row.ends_run === 1 }
}

/**
 * A connection may be lost between a commit and its answer: the write has failed, and its segment is
 * stored. Undefined when there is none, or it is not of this log: another process has ended the run.
 */
export async function findOwnSegment<E>(
  db: Db,
  { runId, firstSeq, events }: Batch<E>,
): Promise<{ lastSeq: number; endsRun: boolean } | undefined> {
  const found = await findSegment(db, runId, firstSeq)
  const own = found && JSON.stringify(events.slice(0, found.lastSeq - firstSeq + 1))
  return found?.events === own ? found : undefined
}

/**
 * Deletes the journals of up to `limit` runs with ids below this one to which nothing was added since `before`, the oldest first; answers
 * how many went. Ids are ordered in time, but an old run may have gone on a moment ago.
 */
export async function deleteJournalsBelow(
  db: Db,
  { runId, before, limit }: { runId: string; before: number; limit: number },
): Promise<number> {
  const old = await db
    .selectFrom('journal_segment')
    .select('run_id')
    .where('run_id', '<', runId)
    .groupBy('run_id')
    .having((eb) => eb.fn.max('created_at'), '<', before)
    .orderBy('run_id')
    .limit(limit)
    .execute()
  const runIds = old.map((row) => String(row.run_id))
  if (runIds.length > 0) await db.deleteFrom('journal_segment').where('run_id', 'in', runIds).execute()
  return runIds.length
}

// events were written by this product: the cast is the parser
const parseEvents = <E>(json: string): E[] => JSON.parse(json) as E[]
