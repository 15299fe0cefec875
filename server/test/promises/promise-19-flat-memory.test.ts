import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { soak } from '../../../bench/soak.ts'

/** Promise 19: memory stays flat, whoever hangs up. `npm run bench:soak` does it with 100,000 runs. */
test('2,000 runs, of which every tenth loses its client, leave nothing behind', { timeout: 300_000 }, async () => {
  const home = await mkdtemp(join(tmpdir(), 'coze-plus-soak-'))
  const samples = await soak({ runs: 2_000, every: 500, home })
  await rm(home, { recursive: true })

  expect(samples.map(({ runs }) => runs)).toEqual([500, 1_000, 1_500, 2_000])
  const [, second, , last] = samples.map(({ heapMb }) => heapMb)
  // a run that were kept whole, with its pieces, would be 10 KB or more: 10 MB of the 1,000
  expect(last).toBeLessThan((second ?? 0) + 8)
})
