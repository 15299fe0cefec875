import type { NodeTypeInfo } from '../../../../server/src/http/console/builder-workflow-wire.ts'
import { moveNodes, placeBody } from './canvas-edits.ts'
import type { JsonObject } from './canvas-json.ts'
import { childrenOf, indexCanvas } from './canvas-model.ts'
import type { CanvasEdge, CanvasIndex, CanvasNode, Point } from './canvas-model.ts'
import { HEAD_HEIGHT, bodyBelow, bodyShape } from './canvas-shape.ts'
import type { ShapeOf, Size } from './canvas-shape.ts'

const GAP_X = 88
const GAP_Y = 36
// forth and back, twice
const SWEEPS = 4

/** From left to right in the order of the flow, bodies first. `plainShape` is of nodes without a body. */
export function layOutCanvas(canvas: JsonObject, types: ReadonlyMap<string, NodeTypeInfo>, plainShape: ShapeOf): JsonObject {
  const bodies = [...indexCanvas(canvas).nodes.values()].filter((node) => types.get(node.type)?.has_body).map(({ id }) => id)
  // inner parts first: their size decides how much room their loop takes
  const parts = [...bodies.toReversed(), undefined]
  return parts.reduce((drawn, parentId) => {
    const index = indexCanvas(drawn)
    const shapeOf: ShapeOf = (node) => (types.get(node.type)?.has_body ? bodyShape(index, node, plainShape).size : plainShape(node))
    const isBody = ({ type }: CanvasNode) => types.get(type)?.has_body === true
    const moved = moveNodes(drawn, layOutPart(index, parentId, { shapeOf, isBody }))
    const owner = parentId === undefined ? undefined : index.nodes.get(parentId)
    return owner ? placeBody(moved, owner.id, bodyBelow(owner.position)) : moved
  }, canvas)
}

type Shapes = { shapeOf: ShapeOf; isBody: (node: CanvasNode) => boolean }

function layOutPart(index: CanvasIndex, parentId: string | undefined, { shapeOf, isBody }: Shapes): Map<string, Point> {
  const nodes = childrenOf(index, parentId)
  const edges = index.edges.filter(({ from, to, parentId: owner }) => owner === parentId && from !== parentId && to !== parentId)
  const columns = orderColumns(toColumns(nodes, edges), edges)
  const toBox = (node: CanvasNode): Box => {
    const size = shapeOf(node)
    return { id: node.id, size, tail: isBody(node) ? size.height - HEAD_HEIGHT : 0 }
  }
  return placeColumns(columns.map((column) => column.map(toBox)))
}

/** Each node one column after the last one that leads to it. What goes round in a circle keeps the first way. */
function toColumns(nodes: CanvasNode[], edges: CanvasEdge[]): CanvasNode[][] {
  const incoming = Map.groupBy(edges, ({ to }) => to)
  const depths = new Map<string, number>()
  const depthOf = (id: string, path: ReadonlySet<string>): number => {
    const known = depths.get(id)
    if (known !== undefined) return known
    const before = (incoming.get(id) ?? []).filter(({ from }) => !path.has(from) && from !== id)
    const depth = Math.max(0, ...before.map(({ from }) => depthOf(from, new Set([...path, id])) + 1))
    depths.set(id, depth)
    return depth
  }
  const deepest = Math.max(-1, ...nodes.map(({ id }) => depthOf(id, new Set())))
  return Array.from({ length: deepest + 1 }, (_, depth) => nodes.filter(({ id }) => depths.get(id) === depth))
}

/** Nodes stand where their neighbours do, on average: fewer edges cross. */
function orderColumns(columns: CanvasNode[][], edges: CanvasEdge[]): CanvasNode[][] {
  const before = Map.groupBy(edges, ({ to }) => to)
  const after = Map.groupBy(edges, ({ from }) => from)
  let ordered = columns
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const places = new Map(ordered.flatMap((column) => column.map((node, place) => [node.id, place / Math.max(1, column.length - 1)])))
    const forward = sweep % 2 === 0
    const wish = (node: CanvasNode) => {
      const ids = forward ? (before.get(node.id) ?? []).map(({ from }) => from) : (after.get(node.id) ?? []).map(({ to }) => to)
      const known = ids.map((id) => places.get(id)).filter((place) => place !== undefined)
      return known.length > 0 ? known.reduce((sum, place) => sum + place, 0) / known.length : (places.get(node.id) ?? 0)
    }
    ordered = ordered.map((column) => column.toSorted((one, other) => wish(one) - wish(other)))
  }
  return ordered
}

/** `tail`: what hangs below the part that lines lead to, such as the body of a loop. */
type Box = { id: string; size: Size; tail: number }

/** Columns stand around one line, so that what follows what is a short way. */
function placeColumns(columns: Box[][]): Map<string, Point> {
  const positions = new Map<string, Point>()
  const heights = columns.map((column) => column.reduce((sum, { size }) => sum + size.height + GAP_Y, -GAP_Y) - (column.at(-1)?.tail ?? 0))
  const tallest = Math.max(0, ...heights)
  let x = 0
  columns.forEach((column, place) => {
    let y = Math.round((tallest - (heights[place] ?? 0)) / 2)
    for (const { id, size } of column) {
      positions.set(id, { x, y })
      y += size.height + GAP_Y
    }
    x += Math.max(0, ...column.map(({ size }) => size.width)) + GAP_X
  })
  return positions
}
