/**
 * Runs every test once and closes with the line that people and CI read: `N passed, N failed`, and `, N skipped` where any were.
 *
 * Vitest runs in a process of its own, so that the line is the last one and true even when Vitest crashes or a test ends the process.
 * Arguments are handed to Vitest: `npm test -- server/src/lib`.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { TestCounts } from './test-count-reporter.ts'

const { counts, exitCode } = await runVitest(process.argv.slice(2))
const result = judge(counts, exitCode)
if (result.remark) console.log(result.remark)
console.log(closingLine(result.counts))
process.exitCode = result.ok ? 0 : 1

async function runVitest(args: string[]): Promise<{ counts: TestCounts | undefined; exitCode: number | null }> {
  const cli = fileURLToPath(new URL('./vitest.mjs', import.meta.resolve('vitest/package.json')))
  const reporter = fileURLToPath(new URL('test-count-reporter.ts', import.meta.url))
  const vitest = fork(cli, ['run', '--reporter=default', `--reporter=${reporter}`, ...args])

  let counts: TestCounts | undefined
  vitest.on('message', (message) => {
    counts = parseCounts(message) ?? counts
  })
  // a terminal sends Ctrl-C to both processes; waiting lets Vitest stop its workers and report
  process.on('SIGINT', () => undefined)
  process.on('SIGTERM', () => vitest.kill('SIGTERM'))

  await once(vitest, 'close')
  return { counts, exitCode: vitest.exitCode }
}

function judge(counts: TestCounts | undefined, exitCode: number | null): { ok: boolean; counts: TestCounts; remark?: string } {
  const ended = exitCode === null ? 'was killed' : `ended with code ${exitCode}`
  if (!counts) return { ok: false, counts: { passed: 0, failed: 1, skipped: 0 }, remark: `Vitest ${ended} before it had a result.` }

  if (exitCode !== 0 && counts.failed === 0) {
    return { ok: false, counts: { ...counts, failed: 1 }, remark: `No test failed, but Vitest ${ended}: it says why above.` }
  }
  if (counts.passed + counts.failed === 0) return { ok: false, counts, remark: 'Every test was skipped.' }
  return { ok: counts.failed === 0, counts }
}

function closingLine({ passed, failed, skipped }: TestCounts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

function parseCounts(message: unknown): TestCounts | undefined {
  if (typeof message !== 'object' || message === null) return undefined
  const { passed, failed, skipped }: Partial<Record<keyof TestCounts, unknown>> = message
  if (typeof passed !== 'number' || typeof failed !== 'number' || typeof skipped !== 'number') return undefined
  return { passed, failed, skipped }
}
