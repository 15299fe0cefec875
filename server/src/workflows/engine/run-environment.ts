import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../../lib/clock.ts'
import type { Field } from '../values/value-type.ts'
import type { ValueObject } from '../values/value.ts'
import type { Graph } from './graph.ts'
import { NodeError, nodeErrors } from './node-error.ts'
import type { NodeServices } from './node-services.ts'
import type { Progress } from './progress.ts'
import type { Scope } from './run-scope.ts'
import type { TextStream } from './text-stream.ts'
import type { WaitingEvent } from './waiting-event.ts'

/** What all nodes of a run share. */
export type RunEnvironment = {
  services: NodeServices
  progress: Progress
  clock: Clock
  nextId: () => string
  /** Somebody's answer to an event of this run. */
  resume?: { eventId: string; data: string }
  onMessage: (message: NodeMessage) => void
  /** A sub-workflow or a workflow that a model calls; an empty version is the draft. Rejects with a NodeError. */
  loadWorkflow(workflowId: string, version: string): Promise<LoadedWorkflow>
  /** For the next node or pass that begins. */
  nextOrdinal: () => number
  budget: Budget
  /** `runGraph`, for the nodes that have graphs inside. */
  walkGraph(graph: Graph, walk: Walk): Promise<GraphEnd>
}

export type Walk = { env: RunEnvironment; place: Place; scope: Scope }

export type GraphEnd =
  /** What the end node gave; empty for a body. */
  | { kind: 'done'; outputs: ValueObject }
  /** `finished` gives the outputs; `ended` how it ends when somebody else of the graph may still wait. */
  | { kind: 'streaming'; streams: Record<string, TextStream>; finished: Promise<ValueObject>; ended: Promise<WholeEnd> }
  | { kind: 'waiting'; events: WaitingEvent[] }
export type WholeEnd = Exclude<GraphEnd, { kind: 'streaming' }>

export type LoadedWorkflow = { graph: Graph; inputs: Field[]; isAnswer: boolean }

/** A part of a message from a node to the caller. */
export type NodeMessage = {
  nodeId: string
  nodeType: string
  title: string
  /** Of the node's record: two executions of a node are two messages. */
  path: string
  content: string
  isLast: boolean
}

/** Where in the run a graph is walked. */
export type Place = {
  /** Of its nodes' records: empty, or ends in `/`. */
  path: string
  /** What the entry node gets; absent in a body. */
  args?: ValueObject
  /** Models may stream here. */
  streams: boolean
  /** Whether the end node speaks to the caller: the outermost does. */
  isOutermost: boolean
  /** Workflows around it. */
  depth: number
  signal: AbortSignal
}

/** Why a node was stopped that did nothing wrong. */
export class AnotherFailed extends Error {}

/** Bounds what a run may do, and lets others have their turn: a loop of nodes that wait for nothing would starve the server. */
export interface Budget {
  /** Before a node or a pass. Throws a NodeError when there were too many. */
  spend(): Promise<void> | undefined
  /** For work that is not counted: what an earlier life has done. */
  rest(): Promise<void> | undefined
  /** For what is stored. Throws a NodeError when it is too much. */
  keep(chars: number): void
}

const MAX_NODE_RUNS = 100_000
/** All of it is in memory when the run goes on after a crash or a wait. */
const MAX_KEPT_CHARS = 100_000_000
const TURN = 64
const TURN_MS = 10

export function createBudget(max = MAX_NODE_RUNS): Budget {
  let spent = 0
  let kept = 0
  let steps = 0
  let began = performance.now()

  function rest(): Promise<void> | undefined {
    if (++steps % TURN > 0 && performance.now() - began < TURN_MS) return undefined
    return setImmediate().then(() => void (began = performance.now()))
  }

  return {
    rest,
    spend() {
      if (++spent > max) throw failure(`more than ${max} nodes were executed in this run: does a loop never end?`)
      return rest()
    },
    keep(chars) {
      kept += chars
      if (kept > MAX_KEPT_CHARS) throw failure(`the nodes of this run have given more than ${MAX_KEPT_CHARS} characters together`)
    },
  }
}

const failure = (what: string) => new NodeError(nodeErrors.executionFailed, `Workflow execution failure: ${what}`)
