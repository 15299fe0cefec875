import type { ValueObject } from '../values/value.ts'
import type { TextStream } from './text-stream.ts'

/** What became of a node in this walk of its graph. */
export type Outcome =
  | { kind: 'skipped' }
  /** `streams` are what was written piece by piece, for those who say it again. */
  | { kind: 'done'; outputs: ValueObject; port: string; streams?: Record<string, TextStream> }
  /** Done but for what it still writes. */
  | { kind: 'streaming'; streams: Record<string, TextStream> }

/** Outcomes of one walk, by node id; what is not here is looked up around it. */
export type Scope = { outcomes: Map<string, Outcome>; around?: Scope }

export function findOutcome(scope: Scope, nodeId: string): Outcome | undefined {
  return scope.outcomes.get(nodeId) ?? (scope.around && findOutcome(scope.around, nodeId))
}

/** Whether the edge leads on: a node that left by a port opens that port's edges only. */
export function isLive(outcome: Outcome | undefined, port: string): boolean {
  if (!outcome || outcome.kind === 'skipped') return false
  const left = outcome.kind === 'done' ? outcome.port : ''
  if (left === '' || port === '') return port !== 'branch_error' && left !== 'branch_error'
  return left === port
}
