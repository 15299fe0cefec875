import { CompiledQuery, sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { dialectOf } from '../db/database.ts'
import type { Db } from '../db/database.ts'
import { createSnowflake, firstIdAt } from '../lib/snowflake.ts'
import { noteStatements } from '../../test/support/explained-statements.ts'
import { testDatabases } from '../../test/support/test-databases.ts'
import { createMeasures } from './measures.ts'
import { selectChats, selectWorkflowRuns } from './usage-store.ts'
import { reportUsage } from './usage-report.ts'
import type { UsageRequest } from './usage-report.ts'
import { createUsageSums } from './usage-sums.ts'

const START = Date.UTC(2026, 0, 1)
const HOUR = 3_600_000

test('percentiles are within three percent, whatever the size of the values', () => {
  for (const scale of [1, 40, 1_000, 300_000]) {
    const measures = createMeasures()
    for (let n = 1; n <= 1_000; n++) measures.add({ ...fact, latencyMs: n * scale })
    const { p50 = 0, p95 = 0 } = measures.build().latencyMs
    expect(Math.abs(p50 - 500 * scale) / (500 * scale)).toBeLessThan(0.03)
    expect(Math.abs(p95 - 950 * scale) / (950 * scale)).toBeLessThan(0.03)
  }
  expect(createMeasures().build().latencyMs).toEqual({ p50: undefined, p95: undefined })
})

const fact = {
  ...{ id: '1', subjectId: '1', keyId: '1', outcome: 'done' as const, inputTokens: 1, outputTokens: 2 },
  ...{ createdAt: START, latencyMs: undefined, firstTokenMs: undefined },
}

describe.each(testDatabases())('a report on $name', ({ open }) => {
  test('counts each call once, over all pages and for its owner alone', async () => {
    await using db = await open()
    await insertRuns(db, { ownerId: '1', count: 5_001 })
    await insertRuns(db, { ownerId: '2', count: 10 })
    const request = { ownerId: '1', kind: 'chat', bucket: 'hour', offsetMinutes: 0, from: START, to: START + 10 * HOUR } as const
    const { total, buckets, subjects, keys } = await report(db, request)

    expect(total).toMatchObject({ calls: 5_001, inputTokens: 5_001 * 3, outputTokens: 5_001 * 5 })
    expect(buckets.map(({ calls }) => calls).reduce((sum, calls) => sum + calls, 0)).toBe(5_001)
    expect(buckets[0]?.calls).toBeGreaterThan(400)
    expect(subjects.map(({ id, calls }) => [id, calls])).toEqual([
      ['71', 2_501],
      ['70', 2_500],
    ])
    expect(keys.map(({ id }) => id)).toEqual(['0'])

    const half = await report(db, { ...request, to: START + 5 * HOUR, subjectId: '70' })
    expect(half.total.calls).toBeGreaterThan(1_200)
    expect(half.total.calls).toBeLessThan(1_300)
  })

  test('is the same when it is asked for again, in other parts and by another server', async () => {
    await using db = await open()
    await insertRuns(db, { ownerId: '1', count: 3_000 })
    const sums = createUsageSums({ db, clock: () => START + 7 * HOUR })
    const range = { ownerId: '1', kind: 'chat', offsetMinutes: 330, to: START + 10 * HOUR } as const
    for (const bucket of ['hour', 'day', 'hour', 'day'] as const) {
      for (const from of [START, START + 0.4 * HOUR]) {
        for (const only of [{}, { subjectId: '70' }, { keyId: '7' }, { subjectIds: new Set(['71']) }]) {
          const request = { ...range, bucket, from, ...only }
          expect(await report(db, request, sums)).toEqual(await report(db, request))
        }
      }
    }
  })

  test('reads again only what is not settled: calls that were open, and the newest hour', async () => {
    await using db = await open()
    await insertRuns(db, { ownerId: '1', count: 1_000 })
    const { id: waiting } = await db.selectFrom('run').select('id').orderBy('id').executeTakeFirstOrThrow()
    await db.updateTable('run').set({ status: 'requires_action' }).where('id', '=', String(waiting)).execute()
    const sums = createUsageSums({ db, clock: () => START + 10 * HOUR })
    const request = { ownerId: '1', kind: 'chat', bucket: 'hour', offsetMinutes: 0, from: START, to: START + 10 * HOUR } as const
    const { total, buckets } = await report(db, request, sums)
    expect([total.calls, total.open, buckets[0]?.open]).toEqual([1_000, 1, 1])

    await db.updateTable('run').set({ status: 'completed', output_tokens: 1_000 }).where('id', '=', String(waiting)).execute()
    const { noted, statements } = noteStatements(db)
    const again = await report(noted, request, createUsageSums({ db: noted, clock: () => START + 10 * HOUR }))
    expect(again.total).toMatchObject({ calls: 1_000, open: 0, outputTokens: 999 * 5 + 1_000 })
    expect(await report(db, request, sums)).toEqual(again)

    statements.length = 0
    const watched = createUsageSums({ db: noted, clock: () => START + 10 * HOUR })
    await report(noted, request, watched)
    statements.length = 0
    await db.updateTable('run').set({ input_tokens: 0 }).execute()
    const remembered = await report(noted, request, watched)
    expect(remembered.buckets.map(({ inputTokens }) => inputTokens > 0)).toEqual([...Array.from({ length: 9 }, () => true), false])
    expect(statements.filter(({ sql: text }) => /from .run./.test(text))).toHaveLength(1)
  })

  test('is given up when nobody waits for it any more', async () => {
    await using db = await open()
    await insertRuns(db, { ownerId: '1', count: 3 })
    const request = { ownerId: '1', kind: 'chat', bucket: 'hour', offsetMinutes: 0, from: START, to: START + HOUR } as const
    const deps = { db, sums: createUsageSums({ db, clock: () => START }) }
    await expect(reportUsage(deps, request, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone')
  })

  test('reads a range of an index, of everything and of one agent', async () => {
    await using db = await open()
    await insertRuns(db, { ownerId: '1', count: 3_000 })
    await insertRuns(db, { ownerId: '2', count: 3_000 })
    if (dialectOf(db) === 'mysql') await sql`analyze table run, workflow_run`.execute(db)
    const range = { ownerId: '1', fromId: firstIdAt(START), toId: firstIdAt(START + HOUR), limit: 2_000 }
    for (const filter of [range, { ...range, subjectId: '70' }]) {
      const isOne = 'subjectId' in filter
      expect(await planOf(db, selectChats(db, filter))).toMatch(isOne ? /run_of_bot\b/ : /run_of_owner\b/)
      expect(await planOf(db, selectWorkflowRuns(db, filter))).toMatch(isOne ? /workflow_run_of\b/ : /workflow_run_of_owner\b/)
    }
  })
})

const report = (db: Db, request: UsageRequest, sums = createUsageSums({ db, clock: () => START + 24 * HOUR })) =>
  reportUsage({ db, sums }, request, new AbortController().signal)

/** How the database finds what is asked for. */
async function planOf(db: Db, query: { compile(): CompiledQuery }): Promise<string> {
  const { sql: text, parameters } = query.compile()
  const explain = dialectOf(db) === 'mysql' ? 'explain' : 'explain query plan'
  const { rows } = await db.executeQuery(CompiledQuery.raw(`${explain} ${text}`, [...parameters]))
  return JSON.stringify(rows)
}

async function insertRuns(db: Db, { ownerId, count }: { ownerId: string; count: number }): Promise<void> {
  const time = { now: START }
  const nextId = createSnowflake(Number(ownerId), () => time.now)
  const rows = Array.from({ length: count }, (_, n) => {
    time.now = START + Math.floor((n * 10 * HOUR) / count)
    return {
      ...{
        id: nextId(),
        owner_id: ownerId,
        bot_id: String(70 + ((n + 1) % 2)),
        bot_version_id: '9',
        conversation_id: '1',
        section_id: '1',
      },
      ...{
        end_user: '',
        status: 'completed' as const,
        meta_data: '{}',
        answer_id: '1',
        input_tokens: 3,
        output_tokens: 5,
        client_style: 'sdk',
      },
      ...{ message_meta: '{}', saves_history: 1, callback_url: '', worker_token: '', waiting: '', first_token_ms: 10 },
      ...{ created_at: time.now, started_at: time.now, finished_at: time.now + 100 },
    }
  })
  for (let at = 0; at < rows.length; at += 500)
    await db
      .insertInto('run')
      .values(rows.slice(at, at + 500))
      .execute()
}
