import { convertValue } from '../values/convert-value.ts'
import { fieldOf } from '../values/value.ts'
import type { ValueObject } from '../values/value.ts'
import type { Binding, Graph, GraphNode } from './graph.ts'

/**
 * One node of a graph as a graph of its own, to try it out: its inputs are what is given by their
 * names; those that are not given are as if their sources had been skipped. Undefined when there is no such node.
 */
export function soloGraph(graph: Graph, nodeId: string, given: ValueObject): Graph | undefined {
  const node = findNode(graph, nodeId)
  if (!node) return undefined

  const alone: GraphNode = { ...withInputs(node, given), incoming: [], reads: [], body: node.body && withGivenBody(node, node.body, given) }
  const nodes = new Map([[nodeId, alone]])
  return { nodes, order: [alone], dependents: new Map(), streams: false, streamsLike: [], resultOf: nodeId }
}

function findNode(graph: Graph, nodeId: string): GraphNode | undefined {
  return graph.nodes.get(nodeId) ?? graph.order.map(({ body }) => body?.nodes.get(nodeId)).find((node) => node !== undefined)
}

function withInputs(node: GraphNode, given: ValueObject): GraphNode {
  return { ...node, inputs: node.inputs.map((binding) => withValue(binding, given)) }
}

function withValue(binding: Binding, given: ValueObject): Binding {
  const value = fieldOf(given, binding.name)
  if (value === undefined) return binding
  return { ...binding, source: { from: 'literal', value: binding.type ? convertValue(value, binding.type).value : value } }
}

/** A node in batch mode is a batch around one inner node, which has the rest of its inputs. */
function withGivenBody(node: GraphNode, body: Graph, given: ValueObject): Graph {
  const [inner] = body.order
  if (inner?.id !== `${node.id}_inner`) return body
  const isCurrent = ({ source }: Binding) => source.from === 'node' && source.nodeId === node.id
  const alone = { ...inner, inputs: inner.inputs.map((binding) => (isCurrent(binding) ? binding : withValue(binding, given))) }
  return { ...body, nodes: new Map([[alone.id, alone]]), order: [alone] }
}
