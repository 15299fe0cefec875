import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openTestJournal, range } from '../../test/support/test-journal.ts'
import type { TestJournal } from '../../test/support/test-journal.ts'
import { openDatabase } from '../db/database.ts'
import { migrate } from '../db/migrate.ts'

/** What may happen to a run, in any order. A reader leaves after each page and comes back, here or in another process. */
const happenings = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 300 }) }),
    fc.record({ kind: fc.constant('flush' as const) }),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 5 }) }),
    fc.record({ kind: fc.constant('join' as const), elsewhere: fc.boolean(), pages: fc.array(fc.integer({ min: 1, max: 400 })) }),
  ),
  { minLength: 5, maxLength: 25 },
)

test('however writing, storing, leaving and coming back interleave, every reader has 1…n once and in order', async () => {
  const db = await openDatabase({ kind: 'sqlite', path: ':memory:' })
  await migrate(db)
  const [here, there] = [openTestJournal(db), openTestJournal(db)]
  let runs = 0

  await fc.assert(
    fc.asyncProperty(happenings, fc.integer({ min: 1, max: 3 }), async (steps, closing) => {
      const runId = String(++runs)
      const log = here.open(runId)
      log.append(1)
      await here.flush()
      let written = 1
      const readers: Promise<number[]>[] = []
      for (const step of steps) {
        if (step.kind === 'append') for (let left = step.count; left > 0; left--) log.append(++written)
        else if (step.kind === 'flush') await here.flush()
        else if (step.kind === 'pass') await sleep(step.ms)
        else readers.push(readInPages(step.elsewhere ? there : here, runId, step.pages))
      }
      const end = range(written + 1, written + closing)
      await log.close(end)

      for (const seen of await Promise.all(readers)) expect(seen).toEqual(range(1, written + closing))
      expect(await here.read(runId)).toEqual(range(1, written + closing))
    }),
    { numRuns: 25 },
  )
  expect([...here.errors, ...there.errors]).toEqual([])
  await db.destroy()
}, 60_000)

/** Leaves after each of the given numbers of events and comes back with the last number it has. */
async function readInPages(journal: TestJournal, runId: string, pages: number[]): Promise<number[]> {
  const seen: number[] = []
  for (const leaveAfter of [...pages, Infinity]) seen.push(...(await journal.read(runId, seen.length, { leaveAfter })))
  return seen
}
