import type { CanvasNode } from '../canvas/canvas-document.ts'
import type { Field } from '../values/value-type.ts'
import type { Value, ValueObject } from '../values/value.ts'
import type { Binding, TextWriter } from './graph.ts'
import type { NodeServices } from './node-services.ts'
import type { TextStream } from './text-stream.ts'
import type { WaitingEvent } from './waiting-event.ts'

/** A kind of node: data, a parser for its settings and one function. */
export interface NodeType<Config = unknown> {
  /** The `type` of a canvas, such as `15`. */
  code: string
  /** Its name in events, such as `Text`. */
  name: string
  /** Inputs that are missing or null get the zero of their type. */
  fillsInputs: boolean
  /** Declared outputs that are missing become null. */
  fillsOutputs: boolean
  /** It starts while a text it reads is still being written, and finds that in `streams`. */
  readsStreams?: boolean
  /** Cannot be taken back or costs money: its result is stored before any other node begins, so that a crash does not repeat it. */
  hasEffects?: boolean
  /** Its outputs become values of the loop around it: loop variables, and that it breaks off. */
  setsAround?: boolean
  /** Inputs without a declared type have that of their source. */
  takesTypesOfSources?: boolean
  /** Throws a CanvasProblem. */
  parse(node: CanvasNode): NodePlan<Config>
  /**
   * Rejects with a NodeError for what the builder of the workflow should know, or with the signal's reason; anything else
   * is a bug. Waiting for a person is a result.
   */
  run(run: NodeRun<Config>): Promise<NodeResult>
}

export type NodePlan<Config> = {
  config: Config
  inputs: Binding[]
  /** The ports that must be connected, without those of error handling. None: any edge leads on. */
  ports?: string[]
  /** In place of the canvas's `outputs`, where those are not plain variables. */
  outputs?: Field[]
  writesText?: TextWriter
}

/** One execution of a node, all its attempts. */
export type NodeRun<Config = unknown> = {
  node: { id: string; title: string; outputs: Field[] }
  config: Config
  /** Collected, converted to the declared types, filled. */
  inputs: ValueObject
  /** Inputs that are or were written piece by piece, by name; only for types that read streams, and then not in `inputs`. */
  streams: Record<string, TextStream>
  /** Whether the source of this input was skipped; for types that tell that from null. */
  isSkipped(input: string): boolean
  /** Models are to be asked for streams, as somebody may read along. */
  streaming: boolean
  /** 0 for the first attempt. */
  attempt: number
  signal: AbortSignal
  services: NodeServices
  /** A part of a message to the caller of the run; the message ends with `isLast`. */
  say(text: string, options: { isLast: boolean }): void
  addUsage(usage: TokenUsage): void
  /** For the trace: something the builder may want to know, such as a value that could not be converted. */
  warn(message: string): void
  /** What this node saved before it waited or before a crash. */
  saved: Value | undefined
  /** Keeps it with the run's state from now on. */
  save(state: Value): void
  /** Set when this node waited and now has the answer to its event. */
  answer: string | undefined
  /** A new event to wait with. `type`: 2 for a question, 5 for an input form. */
  createEvent(type: number, data: string): WaitingEvent
  /** Runs the body once. The pass's nodes read `seed` as the outputs of this node. */
  runBody(pass: Pass): Promise<PassResult>
  /** Runs another workflow as a part of this run. `key` tells several calls by one node apart; it must be the same after a crash. */
  callWorkflow(call: WorkflowCall): Promise<WorkflowResult>
}

export type TokenUsage = { inputTokens: number; outputTokens: number }

export type NodeResult =
  | { kind: 'done'; outputs: ValueObject; port?: string }
  /** Goes on writing: nodes that read streams start now, all others when `finished` gives the whole outputs. */
  | { kind: 'streaming'; streams: Record<string, TextStream>; finished: Promise<ValueObject> }
  /** Stops here until somebody answers the first of the events; the node then runs again, with what it saved. */
  | { kind: 'waiting'; events: WaitingEvent[] }

/** `keep` names the body's nodes whose outputs are needed afterwards; no others are kept. */
export type Pass = { index: number; seed: ValueObject; keep: string[]; signal?: AbortSignal }

export type PassResult =
  /** `seed` as the pass has left it; `outputs` of the nodes to keep that did run. */
  { kind: 'done'; seed: ValueObject; outputs: Record<string, ValueObject> } | { kind: 'waiting'; events: WaitingEvent[] }

export type WorkflowCall = {
  workflowId: string
  /** Empty: the draft. */
  version: string
  key: string
  inputs: ValueObject
}

export type WorkflowResult =
  /** `isAnswer`: the result is a text for people, in `outputs.output`. */
  | { kind: 'done'; outputs: ValueObject; isAnswer: boolean }
  | { kind: 'streaming'; streams: Record<string, TextStream>; finished: Promise<ValueObject> }
  | { kind: 'waiting'; events: WaitingEvent[] }
