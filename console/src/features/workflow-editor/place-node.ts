import type { NodeTypeInfo } from '../../../../server/src/http/console/builder-workflow-wire.ts'
import { addNode } from './canvas-edits.ts'
import type { JsonObject } from './canvas-json.ts'
import { childrenOf, indexCanvas } from './canvas-model.ts'
import type { CanvasIndex, CanvasNode, Point } from './canvas-model.ts'
import { portsOf } from './canvas-ports.ts'
import type { PortNaming } from './canvas-ports.ts'
import { NODE_WIDTH } from './canvas-shape.ts'
import { connectNodes } from './connect-nodes.ts'
import type { NodeTypeMap } from './workflow-editor-queries.ts'

/** Where a new node goes: into the body of `inside`, and behind `after` when that has a way on. */
export type Spot = { inside: CanvasNode | undefined; after: CanvasNode | undefined }

/** Beside what is selected: into the body of a loop that is selected or that the selected node is in. */
export function findSpot(index: CanvasIndex, selectedId: string | undefined, types: NodeTypeMap): Spot {
  const selected = selectedId === undefined ? undefined : index.nodes.get(selectedId)
  if (!selected) return { inside: undefined, after: undefined }
  if (types.get(selected.type)?.has_body) return { inside: selected, after: undefined }
  const inside = selected.parentId === undefined ? undefined : index.nodes.get(selected.parentId)
  return { inside, after: selected }
}

/** Bodies hold no bodies, and some kinds stand in bodies only. */
export function mayStand({ inside }: Spot, type: NodeTypeInfo): boolean {
  if (!type.can_add) return false
  return inside ? !type.has_body : !type.only_in_body
}

export type Placing = { type: NodeTypeInfo; title: string; spot: Spot; types: NodeTypeMap; naming: PortNaming }

/** The new node, connected to the one before it where a port of that is free, else to the beginning of the body. */
export function placeNode(canvas: JsonObject, { type, title, spot, types, naming }: Placing): { canvas: JsonObject; id: string } {
  const index = indexCanvas(canvas)
  const added = addNode(canvas, { type, title, position: freePlace(index, spot), parentId: spot.inside?.id })
  const from = spot.after ?? (spot.inside && childrenOf(index, spot.inside.id).length === 0 ? spot.inside : undefined)
  const port = from && type.has_input ? freePort(index, from, { types, naming, isInner: from === spot.inside }) : undefined
  if (!from || port === undefined) return added
  return { ...added, canvas: connectNodes(added.canvas, { source: from.id, sourceHandle: port, target: added.id, targetHandle: null }) }
}

const GAP = 88
const STEP = 110

/** To the right of the one before, below what is there already. */
function freePlace(index: CanvasIndex, { inside, after }: Spot): Point {
  const others = childrenOf(index, inside?.id)
  const start = after?.position ?? rightmost(others)
  const x = start ? start.x + NODE_WIDTH + GAP : 0
  let y = start?.y ?? 0
  while (others.some(({ position }) => Math.abs(position.x - x) < NODE_WIDTH && Math.abs(position.y - y) < STEP)) y += STEP
  return { x, y }
}

const rightmost = (nodes: CanvasNode[]): Point | undefined =>
  nodes.map(({ position }) => position).toSorted((one, other) => other.x - one.x)[0]

type PortSearch = { types: NodeTypeMap; naming: PortNaming; isInner: boolean }

function freePort(index: CanvasIndex, node: CanvasNode, { types, naming, isInner }: PortSearch): string | undefined {
  const used = new Set(index.edges.filter(({ from }) => from === node.id).map(({ fromPort }) => fromPort))
  return portsOf(node, types.get(node.type), naming).find((port) => port.isInner === isInner && !used.has(port.id))?.id
}
