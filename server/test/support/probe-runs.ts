import { setTimeout as sleep } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import type { NodeResult, NodeRun } from '../../src/workflows/engine/node-type.ts'
import type { WaitingEvent } from '../../src/workflows/engine/waiting-event.ts'
import { drawCanvas, ref } from './canvas-builder.ts'
import type { CanvasJson } from './canvas-builder.ts'
import { withProbe } from './engine-house.ts'
import type { Probes } from './engine-house.ts'
import type { TestDatabase } from './test-databases.ts'
import { openWorkflowRunHouse } from './workflow-run-house.ts'

/** Workflows of probes, for tests of what becomes of their runs. */

export const text = { outputs: { output: 'string' } } as const
export const BOB = { userId: '2', keyId: '8' }

export const chain = (...types: number[]): CanvasJson => {
  const drawing = drawCanvas()
    .entry({ word: 'string' })
    .exit({ result: ref(`${100 + types.length}.output`), word: ref('entry.word') })
  types.forEach((type, at) =>
    drawing.node(String(101 + at), type, { params: { output: ref(at === 0 ? 'entry.word' : `${100 + at}.output`) }, ...text }),
  )
  return drawing.edges(`entry > ${types.map((_type, at) => 101 + at).join(' > ')} > exit`).build()
}

const parseEvent = (json: string) => JSON.parse(json) as WaitingEvent

/** Asks once, as a question node does. */
export const asking = (run: NodeRun): NodeResult => {
  if (run.answer !== undefined) return { kind: 'done', outputs: { output: run.answer } }
  if (typeof run.saved === 'string') return { kind: 'waiting', events: [parseEvent(run.saved)] }
  const event = run.createEvent(2, '{"messages":[]}')
  run.save(JSON.stringify(event))
  return { kind: 'waiting', events: [event] }
}

export const hanging = ({ signal }: NodeRun): Promise<NodeResult> => sleep(30_000, { kind: 'done', outputs: {} } as const, { signal })

/** A house on a database of its own, which is gone when the test is over. */
export async function openProbeHouse(
  { open }: TestDatabase,
  probes: Probes = {},
  settings: { workerToken?: string; workerId?: number } = {},
) {
  const db = await open()
  onTestFinished(() => db[Symbol.asyncDispose]())
  return { db, ...openWorkflowRunHouse(db, { types: withProbe(probes), ...settings }) }
}
