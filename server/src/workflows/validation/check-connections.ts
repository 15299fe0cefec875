import type { CanvasEdge, CanvasNode } from '../canvas/canvas-document.ts'
import { isComposite } from '../canvas/node-outputs.ts'
import { nodeIssue } from './canvas-issue.ts'
import type { CanvasIssue } from './canvas-issue.ts'
import type { CanvasPart } from './canvas-part.ts'
import { findCycles } from './find-cycles.ts'
import type { Plans } from './plan-nodes.ts'

/** Every node leads on, by all of its ports; loops and batches also into their bodies. */
export function checkConnections(parts: CanvasPart[], plans: Plans): CanvasIssue[] {
  return parts.flatMap(({ nodes, edges }) => {
    const used = portsInUse(edges)
    return [...nodes.values()].flatMap((node) => checkNode(node, { used: used.get(node.id), ports: plans.get(node)?.ports ?? [] }))
  })
}

const ENTRY = '1'
/** Exit, Break and Continue end their path. */
const ends = new Set(['2', '19', '29'])

/** `used`: the ports by which edges leave the node. */
function checkNode(node: CanvasNode, { used, ports }: { used: Set<string> | undefined; ports: string[] }): CanvasIssue[] {
  if (ends.has(node.type)) return []
  if (node.type === ENTRY) return used ? [] : [nodeIssue(node, 'node "start" not connected')]

  const missing = ports.filter((port) => !used?.has(port))
  const issues = missing.length > 0 ? [nodeIssue(node, missing.map((port) => portMessage(node, port)).join(''))] : []
  if (ports.length === 0 && !used) issues.push(nodeIssue(node, `node "${node.title}" not connected`))
  if (isComposite(node) && !node.edges.some(({ from }) => from === node.id))
    issues.push(nodeIssue(node, portMessage(node, inlineOutput(node))))
  return issues
}

const portMessage = ({ title }: CanvasNode, port: string) => `node "${title}"'s port "${port}" not connected;`
const inlineOutput = ({ type }: CanvasNode) => `${type === '21' ? 'loop' : 'batch'}-function-inline-output`

function portsInUse(edges: CanvasEdge[]): Map<string, Set<string>> {
  const used = new Map<string, Set<string>>()
  for (const { from, fromPort } of edges) {
    const ports = used.get(from)
    if (ports) ports.add(fromPort)
    else used.set(from, new Set([fromPort]))
  }
  return used
}

/** One issue for each edge that lies on a cycle. */
export function checkCycles(parts: CanvasPart[]): CanvasIssue[] {
  return parts.flatMap(({ edges, around }) => {
    const own = edges.filter(({ from, to }) => from !== around?.node.id && to !== around?.node.id)
    return findCycles(own).map(({ from, to }) => ({
      edge: { from, to },
      message: 'line connections do not allow parallel lines to intersect and form loops with each other',
    }))
  })
}

/** A loop or batch is no part of the body of another one. */
export function checkNesting(parts: CanvasPart[]): CanvasIssue[] {
  return parts.flatMap(({ nodes, around }) =>
    around && [...nodes.values()].some(isComposite) ? [nodeIssue(around.node, 'composite nodes such as batch/loop cannot be nested')] : [],
  )
}
