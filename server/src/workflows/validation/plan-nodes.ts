import type { CanvasNode } from '../canvas/canvas-document.ts'
import { CanvasProblem } from '../canvas/canvas-problem.ts'
import { parseBindings } from '../canvas/canvas-values.ts'
import { isComposite, parseOutputs } from '../canvas/node-outputs.ts'
import { isBatched, toBatch } from '../engine/batched-node.ts'
import type { NodeTypes } from '../engine/compile-graph.ts'
import { BRANCH_ERROR, parseErrorPolicy } from '../engine/error-policy.ts'
import type { Binding } from '../engine/graph.ts'
import type { NodeType } from '../engine/node-type.ts'
import { parseBodyOutputs } from '../nodes/body-outputs.ts'
import type { Field } from '../values/value-type.ts'
import { nodeIssue } from './canvas-issue.ts'
import type { CanvasIssue } from './canvas-issue.ts'
import type { CanvasPart } from './canvas-part.ts'

/** A node whose settings could be read. */
export type PlannedNode = {
  /** What it reads from other nodes; in batch mode without the reads of its own current element. */
  reads: Read[]
  /** What a loop or batch reads from its body, for its outputs. */
  bodyReads: Read[]
  outputs: Field[]
  /** The ports that must be connected in the node's own graph, those of error handling included. */
  ports: string[]
  /** What can be read but not run: reported after the drawing itself is found to be right. */
  late: CanvasIssue[]
}
/** `at`: its place in the canvas, where that is known. */
export type Read = { input: string; nodeId: string; path: string[]; at?: string }
export type Plans = ReadonlyMap<CanvasNode, PlannedNode>

/** Reads the settings of every node of a known type; an issue for each node where that fails. */
export function planNodes(parts: CanvasPart[], types: NodeTypes): { plans: Plans; issues: CanvasIssue[] } {
  const plans = new Map<CanvasNode, PlannedNode>()
  const issues: CanvasIssue[] = []
  for (const node of parts.flatMap((part) => [...part.nodes.values()])) {
    const type = types.get(node.type)
    const { found, issue } = type ? attempt(node, () => planNode(node, type, types)) : {}
    if (found) plans.set(node, found)
    if (issue) issues.push(issue)
  }
  return { plans, issues }
}

function planNode(node: CanvasNode, type: NodeType, types: NodeTypes): PlannedNode {
  const batched = isBatched(node) ? attempt(node, () => planBatched(node, type, types)) : {}
  const policy = attempt(node, () => parseErrorPolicy(node.inputs.settingOnError))
  const plan = batched.found ?? planPlain(node, type)
  const reads = isBatched(node) ? plan.reads.filter(({ nodeId }) => nodeId !== node.id) : plan.reads
  const errorPorts = policy.found?.then === 'branch' ? ['default', BRANCH_ERROR] : []
  return {
    ...plan,
    reads,
    ports: [...new Set([...plan.ports, ...errorPorts])],
    late: [batched.issue, policy.issue].filter((issue) => issue !== undefined),
  }
}

type Plan = Omit<PlannedNode, 'late'>

function planPlain(node: CanvasNode, type: NodeType): Plan {
  const { inputs, outputs, ports } = type.parse(node)
  return {
    reads: inputs.flatMap((input) => readsOf(input)),
    bodyReads: isComposite(node) ? bodyReadsOf(node) : [],
    outputs: outputs ?? parseOutputs(node),
    ports: ports ?? [],
  }
}

function bodyReadsOf(node: CanvasNode): Read[] {
  const variables = parseBindings(node.inputs.variableParameters, 'inputs.variableParameters').map(({ name }) => name)
  return parseBodyOutputs(node, variables).flatMap((output, index) =>
    output.from === 'body' ? [{ input: output.name, nodeId: output.nodeId, path: output.path, at: `outputs[${index}].input` }] : [],
  )
}

function planBatched(node: CanvasNode, type: NodeType, types: NodeTypes): Plan {
  const { batch, inner } = toBatch(node)
  const lists = types.get(batch.type)?.parse(batch).inputs ?? []
  const { reads, ports } = planPlain(inner, type)
  return { reads: [...lists.flatMap((list) => readsOf(list)), ...reads], bodyReads: [], outputs: parseOutputs(node), ports }
}

function readsOf({ name, source }: Binding, input = name): Read[] {
  if (source.from === 'node') return [{ input, nodeId: source.nodeId, path: source.path }]
  return source.from === 'fields' ? source.fields.flatMap((field) => readsOf(field, input)) : []
}

function attempt<T>(node: CanvasNode, parse: () => T): { found?: T; issue?: CanvasIssue } {
  try {
    return { found: parse() }
  } catch (cause) {
    if (!(cause instanceof CanvasProblem)) throw cause
    return { issue: nodeIssue(node, cause.message, cause.path) }
  }
}
