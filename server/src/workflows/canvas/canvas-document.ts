import { isRecord } from '../../lib/json-schema.ts'
import { CanvasProblem } from './canvas-problem.ts'
import { canonicalKeys } from './canvas-keys.ts'

/** A canvas as Coze Studio exports it, read once: the graph and each node's settings, still untyped. */
export type Canvas = { nodes: CanvasNode[]; edges: CanvasEdge[] }

export type CanvasNode = {
  id: string
  /** A number as text. */
  type: string
  title: string
  description: string
  /** `data.inputs`: the node's own settings, names in their canonical spelling. */
  inputs: Record<string, unknown>
  /** `data.outputs`. */
  outputs: unknown
  /** Of a loop or batch. */
  blocks: CanvasNode[]
  edges: CanvasEdge[]
}

/** Ports are empty where the canvas names none. */
export type CanvasEdge = { from: string; fromPort: string; to: string; toPort: string }

export const MAX_NODES = 2_000
const MAX_DEPTH = 60

/** From the JSON object or its text. Throws a CanvasProblem. */
export function parseCanvas(source: unknown): Canvas {
  const raw = canonicalKeys(typeof source === 'string' ? parseText(source) : source)
  if (!isRecord(raw) || !Array.isArray(raw.nodes))
    throw new CanvasProblem('nodes', 'this is no canvas: it has no list of nodes. Export it from Coze Studio')

  const canvas = { nodes: parseNodes(raw.nodes, 'nodes', 0), edges: parseEdges(raw.edges, 'edges') }
  const nodes = withBodies(canvas.nodes)
  if (nodes.length > MAX_NODES) throw new CanvasProblem('nodes', `the canvas has ${nodes.length} nodes: at most ${MAX_NODES} are taken`)
  assertDistinct(nodes)
  return canvas
}

const withBodies = (nodes: CanvasNode[]): CanvasNode[] => nodes.flatMap((node) => [node, ...withBodies(node.blocks)])

function parseText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw new CanvasProblem('', `the canvas is not valid JSON: ${cause instanceof Error ? cause.message : ''}`)
  }
}

function parseNodes(raw: unknown, at: string, depth: number): CanvasNode[] {
  if (raw === undefined || raw === null) return []
  if (!Array.isArray(raw)) throw new CanvasProblem(at, 'must be a list of nodes')
  if (depth > MAX_DEPTH) throw new CanvasProblem(at, `is nested deeper than ${MAX_DEPTH} levels`)
  return raw.map((node: unknown, index) => parseNode(node, `${at}[${index}]`, depth))
}

function parseNode(raw: unknown, at: string, depth: number): CanvasNode {
  if (!isRecord(raw)) throw new CanvasProblem(at, 'must be a node')
  const { id, type } = raw
  if (typeof id !== 'string' || !ID.test(id))
    throw new CanvasProblem(`${at}.id`, 'must be a text of at most 64 letters, digits, - and _ that begins with a letter or digit')
  if (typeof type !== 'string' && typeof type !== 'number')
    throw new CanvasProblem(`${at}.type`, 'must be the number of a node type, as text')

  const data = isRecord(raw.data) ? raw.data : {}
  const meta = isRecord(data.nodeMeta) ? data.nodeMeta : {}
  return {
    id,
    type: String(type),
    title: typeof meta.title === 'string' ? meta.title.slice(0, TITLE_CHARS) : '',
    description: typeof meta.description === 'string' ? meta.description : '',
    inputs: isRecord(data.inputs) ? data.inputs : {},
    outputs: data.outputs ?? [],
    blocks: parseNodes(raw.blocks, `${at}.blocks`, depth + 1),
    edges: parseEdges(raw.edges, `${at}.edges`),
  }
}

/** What a run does is recorded under ids with `/`, `#`, `@` and `$` between them. */
const ID = /^[0-9A-Za-z][\w-]{0,63}$/
/** It is with all that its node does. */
const TITLE_CHARS = 500

function parseEdges(raw: unknown, at: string): CanvasEdge[] {
  if (raw === undefined || raw === null) return []
  if (!Array.isArray(raw)) throw new CanvasProblem(at, 'must be a list of edges')
  return raw.map((edge: unknown, index) => {
    if (!isRecord(edge) || typeof edge.sourceNodeID !== 'string' || typeof edge.targetNodeID !== 'string')
      throw new CanvasProblem(`${at}[${index}]`, 'must be an edge with sourceNodeID and targetNodeID')
    const { sourceNodeID: from, targetNodeID: to } = edge
    return { from, fromPort: parsePort(edge.sourcePortID), to, toPort: parsePort(edge.targetPortID) }
  })
}

const parsePort = (raw: unknown): string => (typeof raw === 'string' ? raw : '')

function assertDistinct(nodes: CanvasNode[]): void {
  const seen = new Set<string>()
  for (const { id } of nodes) {
    if (seen.has(id)) throw new CanvasProblem('nodes', `the node id ${JSON.stringify(id)} is there twice`)
    seen.add(id)
  }
}
