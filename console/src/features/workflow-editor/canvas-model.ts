import { isObject, listAt, readAt, textAt, toPlainText } from './canvas-json.ts'
import type { Json, JsonObject } from './canvas-json.ts'

/** A node of a canvas with what the editor must know of it; `json` is the node itself, with all that the editor does not know. */
export type CanvasNode = {
  id: string
  type: string
  title: string
  position: Point
  /** Of a loop or batch that the canvas has a place for: where the nodes of its body are counted from. */
  bodyPosition: Point | undefined
  data: JsonObject
  json: JsonObject
  /** The loop or batch whose body it is in. */
  parentId: string | undefined
}
/** Ports are empty where the canvas names none. */
export type CanvasEdge = { key: string; from: string; fromPort: string; to: string; toPort: string; parentId: string | undefined }
export type Point = { x: number; y: number }

/** Nodes in the order of the canvas, a loop before its body. */
export type CanvasIndex = { nodes: Map<string, CanvasNode>; edges: CanvasEdge[] }

export const ENTRY = '1'
export const EXIT = '2'
export const QUESTION = '18'
export const INPUT = '30'
export const LOOP = '21'
export const BATCH = '28'
export const COMMENT = '31'
export const BODY_POSITION = 'meta.canvasPosition'

const known = new WeakMap<JsonObject, CanvasIndex>()

/** The same index for the same canvas. What is no node and no edge is left out. */
export function indexCanvas(canvas: JsonObject): CanvasIndex {
  const found = known.get(canvas)
  if (found) return found
  const index: CanvasIndex = { nodes: new Map(), edges: [] }
  addPart(index, { nodes: listAt(canvas, 'nodes'), edges: listAt(canvas, 'edges'), parentId: undefined })
  known.set(canvas, index)
  return index
}

type Part = { nodes: Json[]; edges: Json[]; parentId: string | undefined }

function addPart(index: CanvasIndex, { nodes, edges, parentId }: Part): void {
  for (const json of nodes) {
    const node = toNode(json, parentId)
    if (!node || index.nodes.has(node.id)) continue
    index.nodes.set(node.id, node)
    addPart(index, { nodes: listAt(json, 'blocks'), edges: listAt(json, 'edges'), parentId: node.id })
  }
  const seen = new Map<string, number>()
  for (const json of edges) {
    const edge = toEdge(json)
    if (!edge) continue
    const key = `${edge.from}:${edge.fromPort}>${edge.to}:${edge.toPort}`
    const count = seen.get(key) ?? 0
    seen.set(key, count + 1)
    index.edges.push({ ...edge, parentId, key: count === 0 ? key : `${key}#${count}` })
  }
}

const nodesSeen = new WeakMap<JsonObject, CanvasNode>()

function toNode(json: Json, parentId: string | undefined): CanvasNode | undefined {
  if (!isObject(json)) return undefined
  const seen = nodesSeen.get(json)
  if (seen?.parentId === parentId && seen) return seen

  const data = readAt(json, 'data')
  const node: CanvasNode = {
    id: textAt(json, 'id'),
    type: textAt(json, 'type'),
    title: textAt(json, 'data.nodeMeta.title'),
    ...placeOf(json),
    data: isObject(data) ? data : {},
    json,
    parentId,
  }
  if (node.id === '') return undefined
  nodesSeen.set(json, node)
  return node
}

export function toEdge(json: Json): Omit<CanvasEdge, 'key' | 'parentId'> | undefined {
  if (!isObject(json)) return undefined
  const [from, to] = [textAt(json, 'sourceNodeID'), textAt(json, 'targetNodeID')]
  if (from === '' || to === '') return undefined
  return { from, to, fromPort: textAt(json, 'sourcePortID'), toPort: textAt(json, 'targetPortID') }
}

export const placeOf = (node: JsonObject): Pick<CanvasNode, 'position' | 'bodyPosition'> => ({
  position: pointAt(node, 'meta.position'),
  bodyPosition: isObject(readAt(node, BODY_POSITION)) ? pointAt(node, BODY_POSITION) : undefined,
})

const pointAt = (json: Json, path: string): Point => ({ x: numberAt(json, `${path}.x`), y: numberAt(json, `${path}.y`) })

function numberAt(json: Json, path: string): number {
  const value = Number(toPlainText(readAt(json, path)))
  return Number.isFinite(value) ? value : 0
}

export const childrenOf = ({ nodes }: CanvasIndex, parentId: string | undefined): CanvasNode[] =>
  [...nodes.values()].filter((node) => node.parentId === parentId)

/** What people call it: its title, else its id. */
export const nameOf = ({ title, id }: CanvasNode): string => (title.trim() === '' ? id : title)
