import { describe, expect, test } from 'vitest'
import { testDatabases } from '../../test/support/test-databases.ts'
import type { Db } from '../db/database.ts'
import { deleteJournalsBelow, findLastEntry, findSegment, listEntries, segmentInsert } from './journal-store.ts'

describe.each(testDatabases())('stored segments on $name', ({ open }) => {
  test('come back as they were, numbered, from the middle of a segment too', async () => {
    await using db = await open()
    const events = [{ type: 'answer_delta', text: '你好\u2028 "quoted" \0 🚀' }, { type: 'run_completed' }, null, [1.5]]
    await insert(db, { runId: '9007199254740993', events })
    await insert(db, { runId: '9007199254740993', firstSeq: 5, events: ['end'], endsRun: true })

    const entries = await listEntries(db, '9007199254740993', 0)
    expect(entries.map((entry) => entry.event)).toEqual([...events, 'end'])
    expect(entries.map((entry) => [entry.seq, entry.last])).toEqual([
      [1, false],
      [2, false],
      [3, false],
      [4, false],
      [5, true],
    ])
    expect(await listEntries(db, '9007199254740993', 2)).toEqual(entries.slice(2))
    expect(await listEntries(db, '9007199254740993', 5)).toEqual([])
    expect(await listEntries(db, '9007199254740992', 0)).toEqual([])
  })

  test('the last entry says where the numbering stands and whether that is the end', async () => {
    await using db = await open()
    expect(await findLastEntry(db, '1')).toEqual({ seq: 0, ended: false })

    await insert(db, { runId: '1', events: [1, 2, 3] })
    expect(await findLastEntry(db, '1')).toEqual({ seq: 3, ended: false })

    await insert(db, { runId: '1', firstSeq: 4, events: [4], endsRun: true })
    expect(await findLastEntry(db, '1')).toEqual({ seq: 4, ended: true })
    expect(await findSegment(db, '1', 4)).toEqual({ lastSeq: 4, events: '[4]', endsRun: true })
    expect(await findSegment(db, '1', 2)).toBeUndefined()
  })

  test('old ones are deleted, a limited number at a time, and young ones stay', async () => {
    await using db = await open()
    for (const run of [1, 2, 3, 4, 5]) await insert(db, { runId: String(run), events: [run], endsRun: true, now: run * 1_000 })
    const left = async () => (await db.selectFrom('journal_segment').select('run_id').orderBy('run_id').execute()).map((row) => row.run_id)

    const old = { runId: '4', before: 9_000, limit: 2 }
    expect(await deleteJournalsBelow(db, old)).toBe(2)
    expect(await left()).toEqual([3, 4, 5])
    expect(await deleteJournalsBelow(db, old)).toBe(1)
    expect(await deleteJournalsBelow(db, old)).toBe(0)
    expect(await left()).toEqual([4, 5])
  })

  test('that of an old run that has just gone on stays, all of it', async () => {
    await using db = await open()
    await insert(db, { runId: '1', events: [1], endsRun: true, now: 1_000 })
    await insert(db, { runId: '1', firstSeq: 2, events: [2], endsRun: false, now: 8_000 })
    await insert(db, { runId: '2', events: [1], endsRun: true, now: 2_000 })

    expect(await deleteJournalsBelow(db, { runId: '9', before: 5_000, limit: 10 })).toBe(1)
    expect((await listEntries<number>(db, '1', 0)).map(({ event }) => event)).toEqual([1, 2])
    expect(await deleteJournalsBelow(db, { runId: '9', before: 8_001, limit: 10 })).toBe(1)
    expect(await listEntries(db, '1', 0)).toEqual([])
  })
})

type Stored = { runId: string; firstSeq?: number; events: unknown[]; endsRun?: boolean; now?: number }

async function insert(db: Db, { runId, firstSeq = 1, events, endsRun = false, now = 1 }: Stored): Promise<void> {
  await db.insertInto('journal_segment').values(segmentInsert({ runId, firstSeq, events }, { now, endsRun })).execute()
}
