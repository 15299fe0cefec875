import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '../../src/db/database.ts'
import type { NodeResult, NodeRun } from '../../src/workflows/engine/node-type.ts'
import { drawCanvas, ref } from './canvas-builder.ts'
import type { CanvasJson } from './canvas-builder.ts'
import type { Probes } from './engine-house.ts'

const text = { outputs: { output: 'string' } } as const

/** For a step that ends only when it is stopped. */
export const FOREVER = 3_600_000

/** Two steps, one after the other; both are probes. */
export const twoSteps = (): CanvasJson =>
  drawCanvas()
    .entry({ word: 'string' })
    .node('101', 900, { params: { output: ref('entry.word') }, ...text })
    .node('102', 900, { params: { output: ref('101.output') }, ...text })
    .exit({ word: ref('102.output') })
    .edges('entry > 101 > 102 > exit')
    .build()

/** Writes down which process executed which step of which run, and for how long each hangs. */
export function createRunDiary() {
  const lines: { process: string; runId: string; step: string }[] = []

  return {
    lines,
    probes(process: string, ms: Record<string, number> = {}): Probes {
      const step = async ({ node, inputs, services, signal }: NodeRun): Promise<NodeResult> => {
        lines.push({ process, runId: services.context.runId, step: node.id })
        const pauseMs = ms[node.id] ?? 0
        if (pauseMs > 0) await sleep(pauseMs, undefined, { signal })
        return { kind: 'done', outputs: { output: inputs.output ?? '' } }
      }
      return { 101: step, 102: step }
    },
    /** How often each run has begun this step. */
    counts(step: string): Map<string, number> {
      const counts = new Map<string, number>()
      for (const line of lines) if (line.step === step) counts.set(line.runId, (counts.get(line.runId) ?? 0) + 1)
      return counts
    },
  }
}

/** How many runs have which status. */
export async function statusesOf(db: Db): Promise<Record<string, number>> {
  const rows = await db.selectFrom('workflow_run').select('status').execute()
  const counts: Record<string, number> = {}
  for (const { status } of rows) counts[status] = (counts[status] ?? 0) + 1
  return counts
}
