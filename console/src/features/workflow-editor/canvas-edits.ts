import type { NodeTypeInfo } from '../../../../server/src/http/console/builder-workflow-wire.ts'
import { isObject, listAt, textAt, writeAt } from './canvas-json.ts'
import type { Json, JsonObject } from './canvas-json.ts'
import { BODY_POSITION, indexCanvas, placeOf, toEdge } from './canvas-model.ts'
import type { CanvasEdge, Point } from './canvas-model.ts'
import { INNER_PORT } from './canvas-ports.ts'

/** Each edit answers a new canvas; all that it is not about stays as it was, field by field. */

export type EdgeEnds = Pick<CanvasEdge, 'from' | 'fromPort' | 'to' | 'toPort'>

export function updateNode(canvas: JsonObject, id: string, change: (node: JsonObject) => JsonObject): JsonObject {
  return mapParts(canvas, (part) => ({
    ...part,
    nodes: part.nodes.map((node) => (isObject(node) && textAt(node, 'id') === id ? change(node) : node)),
  }))
}

/** `path` is below the node's `data`. */
export const setSetting = (canvas: JsonObject, { id, path, value }: { id: string; path: string; value: Json | undefined }): JsonObject =>
  updateNode(canvas, id, (node) => writeAt(node, path === '' ? 'data' : `data.${path}`, value))

export function moveNodes(canvas: JsonObject, positions: ReadonlyMap<string, Point>): JsonObject {
  return mapParts(canvas, (part) => ({
    ...part,
    nodes: part.nodes.map((node) => {
      const position = isObject(node) ? positions.get(textAt(node, 'id')) : undefined
      return position && isObject(node) ? moveNode(node, position) : node
    }),
  }))
}

/** The body of a loop goes with it. */
function moveNode(node: JsonObject, to: Point): JsonObject {
  const { position: from, bodyPosition: body } = placeOf(node)
  const moved = writePoint(node, 'meta.position', to)
  return body ? writePoint(moved, BODY_POSITION, { x: body.x + to.x - from.x, y: body.y + to.y - from.y }) : moved
}

const writePoint = (node: JsonObject, path: string, { x, y }: Point): JsonObject =>
  writeAt(writeAt(node, `${path}.x`, Math.round(x)), `${path}.y`, Math.round(y))

/** Where the body of a loop stands. */
export const placeBody = (canvas: JsonObject, id: string, place: Point): JsonObject =>
  updateNode(canvas, id, (node) => writePoint(node, BODY_POSITION, place))

export type NewNode = { type: NodeTypeInfo; title: string; position: Point; parentId: string | undefined }

/** Answers the node's id too. */
export function addNode(canvas: JsonObject, { type, title, position, parentId }: NewNode): { canvas: JsonObject; id: string } {
  const id = freeId(canvas)
  const node: JsonObject = {
    ...{ id, type: type.code, meta: { position } },
    data: withTitle(parseInitial(type.initial), title),
    ...(type.has_body && { blocks: [], edges: [] }),
  }
  return { id, canvas: mapPart(canvas, parentId, ({ nodes, edges }) => ({ nodes: [...nodes, node], edges })) }
}

const withTitle = (data: JsonObject, title: string) => writeAt(data, 'nodeMeta.title', title)

/** What came as JSON is JSON. */
function parseInitial(initial: NodeTypeInfo['initial']): JsonObject {
  return structuredClone(initial) as JsonObject
}

/** A copy beside it, without its edges. Bodies are copied whole; references among copies follow them. */
export function duplicateNode(canvas: JsonObject, id: string): { canvas: JsonObject; id: string } | undefined {
  const found = indexCanvas(canvas).nodes.get(id)
  if (!found) return undefined
  const { nodes } = indexCanvas(canvas)
  const inside = [...nodes.values()].filter((node) => isInside(nodes, node.id, id))
  const ids = new Map<string, string>()
  for (const each of [id, ...inside.map((node) => node.id)]) ids.set(each, freeId(canvas, new Set(ids.values())))
  const copyId = ids.get(id) ?? id
  const copied = renameIds(found.json, ids)
  if (!isObject(copied)) return undefined

  const { x, y } = found.position
  const placed = moveNode(copied, { x: x + 40, y: y + 60 })
  return { id: copyId, canvas: mapPart(canvas, found.parentId, (part) => ({ ...part, nodes: [...part.nodes, placed] })) }
}

function isInside(nodes: ReturnType<typeof indexCanvas>['nodes'], id: string, outer: string): boolean {
  const parentId = nodes.get(id)?.parentId
  return parentId !== undefined && (parentId === outer || isInside(nodes, parentId, outer))
}

const ID_KEYS = new Set(['id', 'blockid', 'sourcenodeid', 'targetnodeid'])

function renameIds(value: Json, ids: ReadonlyMap<string, string>): Json {
  if (Array.isArray(value)) return value.map((each) => renameIds(each, ids))
  if (!isObject(value)) return value
  const entries = Object.entries(value).map(([key, each]): [string, Json] => {
    const renamed = ID_KEYS.has(key.toLowerCase()) && typeof each === 'string' ? ids.get(each) : undefined
    return [key, renamed ?? renameIds(each, ids)]
  })
  return Object.fromEntries(entries)
}

/** Of the same part of the canvas as the edge: a body's edges are kept with its loop. */
export function addEdge(canvas: JsonObject, { from, fromPort, to, toPort }: EdgeEnds, parentId: string | undefined): JsonObject {
  const edge: JsonObject = {
    ...{ sourceNodeID: from, targetNodeID: to },
    ...(fromPort !== '' && { sourcePortID: fromPort }),
    ...(toPort !== '' && { targetPortID: toPort }),
  }
  return mapPart(canvas, parentId, ({ nodes, edges }) => ({ nodes, edges: [...edges, edge] }))
}

/** Nodes go with all edges at them. */
export function removeParts(canvas: JsonObject, { nodeIds, edges }: { nodeIds: ReadonlySet<string>; edges: EdgeEnds[] }): JsonObject {
  const unwanted = new Set(edges.map(endsKey))
  return mapParts(canvas, (part) => ({
    nodes: part.nodes.filter((node) => !nodeIds.has(textAt(node, 'id'))),
    edges: part.edges.filter((json) => {
      const edge = toEdge(json)
      return !edge || !(unwanted.has(endsKey(edge)) || nodeIds.has(edge.from) || nodeIds.has(edge.to))
    }),
  }))
}

const endsKey = ({ from, fromPort, to, toPort }: EdgeEnds) => `${from}:${fromPort}>${to}:${toPort}`

/** Edges of a port follow when its number changes; undefined removes them. */
export function renamePorts(canvas: JsonObject, id: string, rename: (port: string) => string | undefined): JsonObject {
  return mapParts(canvas, ({ nodes, edges }) => ({
    nodes,
    edges: edges.flatMap((json) => {
      const edge = toEdge(json)
      if (!isObject(json) || edge?.from !== id || INNER_PORT.test(edge.fromPort)) return [json]
      const port = rename(edge.fromPort)
      if (port === undefined) return []
      return port === edge.fromPort ? [json] : [writeAt(json, 'sourcePortID', port === '' ? undefined : port)]
    }),
  }))
}

type Part = { nodes: Json[]; edges: Json[] }

function mapPart(canvas: JsonObject, parentId: string | undefined, change: (part: Part) => Part): JsonObject {
  if (parentId === undefined) return writePart(canvas, 'nodes', change)
  return updateNode(canvas, parentId, (node) => writePart(node, 'blocks', change))
}

function mapParts(canvas: JsonObject, change: (part: Part) => Part): JsonObject {
  const mapBodies = (part: Part): Part => {
    const { nodes, edges } = change(part)
    return { nodes: nodes.map((node) => (hasBody(node) ? writePart(node, 'blocks', mapBodies) : node)), edges }
  }
  return writePart(canvas, 'nodes', mapBodies)
}

const hasBody = (node: Json): node is JsonObject => isObject(node) && listAt(node, 'blocks').length > 0

/** Untouched lists, and lists that are not there, stay as they are. */
function writePart(owner: JsonObject, list: 'nodes' | 'blocks', change: (part: Part) => Part): JsonObject {
  const before = { nodes: listAt(owner, list), edges: listAt(owner, 'edges') }
  const after = change(before)
  const withNodes = isSame(before.nodes, after.nodes) ? owner : writeAt(owner, list, after.nodes)
  return isSame(before.edges, after.edges) ? withNodes : writeAt(withNodes, 'edges', after.edges)
}

const isSame = (before: Json[], after: Json[]) => before.length === after.length && before.every((each, index) => each === after[index])

function freeId(canvas: JsonObject, also: ReadonlySet<string> = new Set()): string {
  const { nodes } = indexCanvas(canvas)
  for (;;) {
    const id = String(100_002 + Math.floor(Math.random() * 799_998))
    if (!nodes.has(id) && !also.has(id)) return id
  }
}
