import type { ValueObject } from '../values/value.ts'
import type { Graph } from './graph.ts'
import { runsInStreamMode } from './graph-streams.ts'
import { createBudget } from './run-environment.ts'
import type { RunEnvironment } from './run-environment.ts'
import { runGraph } from './run-graph.ts'
import type { WaitingEvent } from './waiting-event.ts'

export type WorkflowJob = { graph: Graph; args: ValueObject; signal: AbortSignal }
export type WorkflowEnd = { kind: 'done'; outputs: ValueObject } | { kind: 'waiting'; events: WaitingEvent[] }
export type RunEnvironmentSettings = Omit<RunEnvironment, 'budget' | 'nextOrdinal' | 'walkGraph'> & {
  maxNodeRuns?: number
  /** The last ordinal of earlier lives. */
  lastOrdinal?: number
}

/**
 * A whole workflow, from its entry to its end or to where somebody is waited for. Rejects with a
 * NodeError of the node that failed, or with the signal's reason.
 */
export async function runWorkflow(
  { maxNodeRuns, lastOrdinal = 0, ...settings }: RunEnvironmentSettings,
  { graph, args, signal }: WorkflowJob,
): Promise<WorkflowEnd> {
  let ordinal = lastOrdinal
  const env: RunEnvironment = { ...settings, budget: createBudget(maxNodeRuns), nextOrdinal: () => ++ordinal, walkGraph: runGraph }
  const streams = await runsInStreamMode(graph, env.loadWorkflow)
  const place = { path: '', args, streams, isOutermost: true, depth: 0, signal }
  const end = await runGraph(graph, { env, place, scope: { outcomes: new Map() } })
  return end.kind === 'streaming' ? end.ended : end
}
