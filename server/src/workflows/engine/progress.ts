import type { Value, ValueObject } from '../values/value.ts'
import type { TokenUsage } from './node-type.ts'
import type { WaitingEvent } from './waiting-event.ts'

/**
 * What a run has done so far, by place: both its checkpoint and its trace. A run that goes on, after
 * a wait or a crash, is walked again from its start; what is found here is not done again.
 */
export interface Progress {
  /** From an earlier life of the run. */
  find(path: string): NodeRecord | undefined
  /** Notes it; stored soon, together with the messages said before. */
  put(record: NodeRecord): void
  /** Resolves when everything noted so far is stored. */
  store(): Promise<void>
}

/** As long as the store takes. */
export const MAX_PATH_CHARS = 700

export type NodeRecord = {
  /** Ids from outside in: `192046#2/131543` is a node in the third pass of a loop, `187/100001` one in a sub-workflow. */
  path: string
  /** Counts what the run has begun, from 1; 0 for what is no part of it. */
  ordinal: number
  nodeId: string
  /** The canvas's number; empty for a pass of a loop or batch. */
  nodeType: string
  title: string
  state: 'running' | 'waiting' | 'done' | 'failed'
  inputs: ValueObject
  outputs: ValueObject
  port: string
  /** Of a node that waits. */
  events: WaitingEvent[]
  saved?: Value
  usage: TokenUsage
  attempts: number
  /** Also set on a node that went on after an error. */
  error?: { code: number; message: string }
  warnings: string[]
  startedAt: number
  finishedAt: number
}
