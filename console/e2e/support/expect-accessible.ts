import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import type { ConsoleVisit } from './console-visit.ts'

type AxeResults = { violations: { id: string; impact: string | null; nodes: { html: string; failureSummary?: string }[] }[] }

const axeFile = fileURLToPath(import.meta.resolve('axe-core/axe.min.js'))

/** axe finds nothing serious or critical on the page as it is now, contrast included. */
export async function expectAccessible({ page }: ConsoleVisit): Promise<void> {
  await page.evaluate(await readFile(axeFile, 'utf8'))
  const { violations } = await page.evaluate<AxeResults>("axe.run(document, { resultTypes: ['violations'] })")
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
  expect(serious.map(({ id, nodes }) => ({ id, at: nodes.map(({ html, failureSummary }) => `${html}\n${failureSummary}`) }))).toEqual([])
}
