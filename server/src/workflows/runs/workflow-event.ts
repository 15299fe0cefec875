import type { WaitingEvent } from '../engine/waiting-event.ts'
import type { TokenUsage } from '../engine/node-type.ts'
import type { WorkflowRunError } from './workflow-run.ts'

/** What readers of a run are told, in the order of the journal. */
export type WorkflowEvent =
  | WorkflowMessage
  /** The run waits for an answer to this. */
  | { type: 'waiting'; event: WaitingEvent }
  | ({ type: 'succeeded' } & RunTotals)
  | ({ type: 'failed'; error: WorkflowRunError } & RunTotals)
  | ({ type: 'canceled' } & RunTotals)

export type RunTotals = { usage: TokenUsage; finishedAt: number }

/** A part of what a node says. */
export type WorkflowMessage = {
  type: 'message'
  nodeId: string
  /** The canvas's number. */
  nodeType: string
  nodeTitle: string
  /** Counts the parts of each node, from 0. */
  seq: number
  content: string
  isLast: boolean
  /** Of a chatflow's run: the message this is a part of. */
  messageId?: string
  /** With the last part of such a message: all of it. */
  whole?: string
  contentType?: 'text' | 'card'
}
