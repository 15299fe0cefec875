import type { Field, ValueType } from '../values/value-type.ts'
import type { Value } from '../values/value.ts'
import type { NodeType } from './node-type.ts'

/**
 * A canvas made ready to run: node settings are parsed, references resolved to sources, edges
 * turned into what each node waits for. It never changes, so all runs of a version share one.
 */
export type Graph = {
  nodes: ReadonlyMap<string, GraphNode>
  /** In an order in which a node comes after all it waits for. */
  order: readonly GraphNode[]
  /** Who waits for each node. */
  dependents: ReadonlyMap<string, readonly GraphNode[]>
  /** Whether a model's text reaches a streaming answer: then models are asked for streams. Never in a body. */
  streams: boolean
  /** Workflows whose text reaches a streaming answer: when one of them streams, so does this one. */
  streamsLike: readonly CalledWorkflow[]
  /** Whose outputs are the result; the end node's unless it is given. */
  resultOf?: string
}

export type GraphNode = {
  id: string
  title: string
  /** What it does. */
  type: NodeType
  /** Its settings, as its type's `parse` gave them. */
  config: unknown
  inputs: Binding[]
  outputs: Field[]
  writesText?: TextWriter
  onError: ErrorPolicy
  /** Control edges that lead to it. A body's node that starts a pass has one with `from` of the loop or batch. */
  incoming: ControlEdge[]
  /** Nodes of the same graph that it reads from, without those that `incoming` names. */
  reads: string[]
  /** Of a loop or batch. */
  body?: Graph
}

/** What writes a text piece by piece where that is wanted: a model, or a workflow that may do so. */
export type TextWriter = 'model' | CalledWorkflow

/** An empty version means the draft. */
export type CalledWorkflow = { workflowId: string; version: string }

/** `port` is empty where the source has none to choose from. */
export type ControlEdge = { from: string; port: string }

/** A declared input and where its value comes from. Without a declared type the value stays as it is. */
export type Binding = { name: string; type?: ValueType; source: Source }

export type Source =
  | { from: 'literal'; value: Value }
  /**
   * An empty path is the whole output. Inside a body the id may be that of the loop or batch: then the path's first name is
   * a list (its current element), `index`, or a loop variable.
   */
  | { from: 'node'; nodeId: string; path: string[] }
  | { from: 'variable'; scope: VariableScope; path: string[] }
  /** An object put together from sources of its own. */
  | { from: 'fields'; fields: Binding[] }

export type VariableScope = 'app' | 'user' | 'system'

/** `settingOnError` of a canvas. */
export type ErrorPolicy = {
  /** `throw` the error, go on with `default` data, or leave by the port `branch_error`. */
  then: 'throw' | 'default' | 'branch'
  /** JSON text of the outputs to go on with. */
  defaultText: string
  /** Attempts after the first one. */
  retries: number
  /** For all attempts together; 0 for none. */
  timeoutMs: number
}
