import type { Canvas, CanvasEdge, CanvasNode } from '../canvas/canvas-document.ts'
import { CanvasProblem } from '../canvas/canvas-problem.ts'
import { parseFields } from '../canvas/canvas-values.ts'
import { findType, parseOutputs, parsePassOutputs } from '../canvas/node-outputs.ts'
import { pruneCanvas } from '../canvas/prune-canvas.ts'
import { isBatched, toBatch } from './batched-node.ts'
import { parseErrorPolicy } from './error-policy.ts'
import type { Binding, ControlEdge, Graph, GraphNode } from './graph.ts'
import { findStreams } from './graph-streams.ts'
import type { NodeType } from './node-type.ts'

/** The kinds of nodes there are, by their code. */
export type NodeTypes = ReadonlyMap<string, NodeType>

/** Makes a canvas ready to run. Throws a CanvasProblem for the first thing that cannot be; the validator finds them all. */
export function compileCanvas(canvas: Canvas, types: NodeTypes): Graph {
  const pruned = pruneCanvas(canvas).canvas
  const drawn = new Map(pruned.nodes.flatMap((node) => [node, ...node.blocks]).map((node) => [node.id, node]))
  const graph = compileNodes(pruned, { types, drawn })
  return { ...graph, ...findStreams(graph) }
}

type Compiling = { types: NodeTypes; drawn: ReadonlyMap<string, CanvasNode>; around?: string }
type Part = { nodes: CanvasNode[]; edges: CanvasEdge[] }

/** `around` is the loop or batch whose body this is. */
function compileNodes({ nodes, edges }: Part, compiling: Compiling): Graph {
  const incoming = Map.groupBy(edges, ({ to }) => to)
  const compiled = nodes
    .filter(({ type }) => type !== COMMENT)
    .map((node) => compileNode(node, (incoming.get(node.id) ?? []).map(toControlEdge), compiling))
  const ids = new Set(compiled.map((node) => node.id))
  const known = new Map(compiled.map((node) => [node.id, withReads(node, ids)]))
  for (const { from, to } of edges) {
    for (const id of [from, to]) {
      if (!ids.has(id) && id !== compiling.around)
        throw new CanvasProblem('edges', `an edge names the node ${JSON.stringify(id)}, which does not exist`)
    }
  }
  return toGraph(known)
}

function toGraph(nodes: Map<string, GraphNode>): Graph {
  const dependents = dependentsOf(nodes)
  return { nodes, order: sort(nodes, dependents), dependents, streams: false, streamsLike: [] }
}

const COMMENT = '31'

function compileNode(node: CanvasNode, incoming: ControlEdge[], compiling: Compiling): GraphNode {
  try {
    if (!isBatched(node)) return compilePlain(node, incoming, compiling)

    const { batch, inner } = toBatch(node)
    const body = compilePlain(inner, [{ from: node.id, port: '' }], { ...compiling, around: node.id })
    const compiled = compilePlain(batch, incoming, compiling)
    return { ...compiled, body: toGraph(new Map([[inner.id, body]])) }
  } catch (cause) {
    if (cause instanceof CanvasProblem && cause.nodeId === '') cause.nodeId = node.id
    throw cause
  }
}

function compilePlain(node: CanvasNode, incoming: ControlEdge[], compiling: Compiling): GraphNode {
  const type = compiling.types.get(node.type)
  if (!type) throw new CanvasProblem('type', `nodes of the type ${node.type} are not known`)

  const plan = type.parse(node)
  return {
    id: node.id,
    title: node.title || type.name,
    type,
    config: plan.config,
    inputs: type.takesTypesOfSources ? plan.inputs.map((binding) => withSourceType(binding, compiling)) : plan.inputs,
    outputs: plan.outputs ?? parseFields(node.outputs, 'outputs'),
    writesText: plan.writesText,
    onError: parseErrorPolicy(node.inputs.settingOnError),
    incoming,
    reads: [],
    body: hasBody(node) ? compileNodes({ nodes: node.blocks, edges: node.edges }, { ...compiling, around: node.id }) : undefined,
  }
}

function withSourceType(binding: Binding, { drawn, around }: Compiling): Binding {
  const { type, source } = binding
  const from = source.from === 'node' ? drawn.get(source.nodeId) : undefined
  if (type || source.from !== 'node' || !from) return binding
  const found = findType(source.nodeId === around ? parsePassOutputs(from) : parseOutputs(from), source.path)
  return found.kind === 'found' ? { ...binding, type: found.type } : binding
}

const hasBody = ({ type }: CanvasNode) => type === '21' || type === '28'

/** Ports between a loop or batch and its surroundings are no choice. */
function toControlEdge({ from, fromPort }: CanvasEdge): ControlEdge {
  return { from, port: /^(loop|batch)-/.test(fromPort) ? '' : fromPort }
}

/** What it reads from without being led there, its body included; what is outside of this graph is done before. */
function withReads(node: GraphNode, ids: Set<string>): GraphNode {
  const led = new Set(node.incoming.map(({ from }) => from))
  const reads = new Set([...nodesIn(node.inputs), ...nodesInBody(node.body)])
  return { ...node, reads: [...reads].filter((id) => ids.has(id) && !led.has(id) && id !== node.id) }
}

function nodesInBody(body: Graph | undefined): string[] {
  return (body?.order ?? []).flatMap((node) => [...nodesIn(node.inputs), ...nodesInBody(node.body)])
}

function nodesIn(bindings: Binding[]): string[] {
  return bindings.flatMap(({ source }) => {
    if (source.from === 'node') return [source.nodeId]
    return source.from === 'fields' ? nodesIn(source.fields) : []
  })
}

/** Each node after all it waits for (Kahn). Throws for a cycle. */
function sort(nodes: Map<string, GraphNode>, dependents: Map<string, GraphNode[]>): GraphNode[] {
  const waitsFor = new Map([...nodes.values()].map((node) => [node.id, dependencies(node, nodes).length]))
  const order = [...nodes.values()].filter((node) => waitsFor.get(node.id) === 0)
  for (const node of order) {
    for (const dependent of dependents.get(node.id) ?? []) {
      const left = (waitsFor.get(dependent.id) ?? 0) - 1
      waitsFor.set(dependent.id, left)
      if (left === 0) order.push(dependent)
    }
  }
  if (order.length === nodes.size) return order
  throw new CanvasProblem('edges', 'line connections do not allow parallel lines to intersect and form loops with each other')
}

/** The nodes of this graph that it waits for, one entry for each of them. */
export function dependencies(node: GraphNode, nodes: ReadonlyMap<string, GraphNode>): string[] {
  return [...new Set([...node.incoming.map(({ from }) => from), ...node.reads])].filter((id) => nodes.has(id))
}

function dependentsOf(nodes: ReadonlyMap<string, GraphNode>): Map<string, GraphNode[]> {
  const dependents = new Map<string, GraphNode[]>()
  for (const node of nodes.values()) {
    for (const id of dependencies(node, nodes)) {
      const known = dependents.get(id)
      if (known) known.push(node)
      else dependents.set(id, [node])
    }
  }
  return dependents
}
