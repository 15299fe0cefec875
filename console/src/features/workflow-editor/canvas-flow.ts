import type { Edge, Node } from '@xyflow/react'
import type { CanvasIssue, NodeTypeInfo } from '../../../../server/src/http/console/builder-workflow-wire.ts'
import type { Language } from '../../lib/languages.ts'
import { BATCH, COMMENT, LOOP, indexCanvas, nameOf } from './canvas-model.ts'
import type { CanvasEdge, CanvasIndex, CanvasNode, Point } from './canvas-model.ts'
import type { JsonObject } from './canvas-json.ts'
import { portsOf } from './canvas-ports.ts'
import type { Port, PortNaming } from './canvas-ports.ts'
import { bodyShape, sizeOf } from './canvas-shape.ts'
import type { BodyShape, Size } from './canvas-shape.ts'
import type { NodeMark } from './test-run-marks.ts'
import type { NodeTypeMap } from './workflow-editor-queries.ts'

/** What a drawn node shows. `code` is its type. */
export type FlowData = {
  id: string
  title: string
  code: string
  typeLabel: string
  group: NodeTypeInfo['group']
  ports: Port[]
  hasInput: boolean
  issues: string[]
  mark: NodeMark | undefined
  body: BodyShape | undefined
  canvasNode: CanvasNode
}
export type FlowNode = Node<FlowData, 'plain' | 'body' | 'comment'>
export type FlowEdge = Edge<{ ends: CanvasEdge }>
export type Flow = {
  nodes: FlowNode[]
  edges: FlowEdge[]
  /** By how much nodes are drawn away from where the canvas has them. */
  shifts: ReadonlyMap<string, Point>
}

export type FlowSources = {
  canvas: JsonObject
  types: NodeTypeMap
  issues: CanvasIssue[]
  marks: ReadonlyMap<string, NodeMark>
  naming: PortNaming
}

/** What React Flow draws for a canvas. A node that looks as before is the same object as before. */
export function toFlow({ canvas, types, issues, marks, naming }: FlowSources): Flow {
  const index = indexCanvas(canvas)
  const portsUsed = Map.groupBy(index.edges, ({ from }) => from)
  const portsFor = (node: CanvasNode) => withUsed(portsOf(node, types.get(node.type), naming), portsUsed.get(node.id) ?? [])
  const issuesOf = Map.groupBy(issues, ({ node_id }) => node_id)
  const shifts = new Map<string, Point>()
  const offsets = new Map<string, Point>()
  const counts = new Map([...Map.groupBy(index.nodes.values(), ({ type }) => type)].map(([type, nodes]) => [type, nodes.length]))

  const nodes = [...index.nodes.values()].map((node) => {
    const ports = portsFor(node)
    const body = hasBody(node, types) ? bodyShape(index, node, (child) => sizeOf(child, portsFor(child))) : undefined
    if (body) offsets.set(node.id, body.offset)
    const offset = offsets.get(node.parentId ?? '') ?? ORIGIN
    const shift = body ? { x: offset.x - body.head.x, y: offset.y - body.head.y } : offset
    if (shift !== ORIGIN) shifts.set(node.id, shift)
    return drawNode(node, {
      ...{ types, ports, body, size: body?.size ?? sizeOf(node, ports), language: naming.language },
      isOnly: counts.get(node.type) === 1,
      shift,
      issues: (issuesOf.get(node.id) ?? []).map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)),
      mark: marks.get(node.id),
    })
  })
  return { nodes, edges: index.edges.map((edge) => drawEdge(edge, index, issues)), shifts }
}

const ORIGIN = { x: 0, y: 0 }
const isBodyType = (type: string) => type === LOOP || type === BATCH
const hasBody = ({ type }: CanvasNode, types: NodeTypeMap) => types.get(type)?.has_body ?? isBodyType(type)

/** An edge that leaves by a port the node does not have any more is shown all the same. */
function withUsed(ports: Port[], edges: CanvasEdge[]): Port[] {
  const unknown = new Set(edges.map(({ fromPort }) => fromPort).filter((id) => !ports.some((port) => port.id === id)))
  return unknown.size === 0 ? ports : [...ports, ...[...unknown].map((id) => ({ id, name: id === '' ? '?' : id, isInner: false }))]
}

type Look = {
  types: NodeTypeMap
  ports: Port[]
  size: Size
  shift: Point
  body: BodyShape | undefined
  isOnly: boolean
  issues: string[]
  mark: NodeMark | undefined
  language: Language
}

const drawn = new WeakMap<CanvasNode, { signature: string; node: FlowNode }>()

function drawNode(canvasNode: CanvasNode, look: Look): FlowNode {
  const { types, ports, size, shift, body, isOnly, issues, mark, language } = look
  const type = types.get(canvasNode.type)
  const signature = JSON.stringify([ports, size, shift, body, isOnly, issues, mark, language])
  const before = drawn.get(canvasNode)
  if (before?.signature === signature) return before.node

  const { id, position, parentId } = canvasNode
  const typeLabel = type?.label[language] ?? canvasNode.type
  const node: FlowNode = {
    ...{ id, type: shapeOf(canvasNode, types), parentId, ...size },
    position: { x: position.x + shift.x, y: position.y + shift.y },
    // between a loop and its body lies what belongs to others
    ...(body && { style: { pointerEvents: 'none' as const } }),
    deletable: !isOnly || (type?.can_add ?? true),
    ariaLabel: [typeLabel, nameOf(canvasNode), ...issues].join(', '),
    data: {
      ...{ id, title: canvasNode.title, code: canvasNode.type, typeLabel, ports, issues, mark, body, canvasNode },
      ...facesOf(type),
    },
  }
  drawn.set(canvasNode, { signature, node })
  return node
}

const facesOf = (type: NodeTypeInfo | undefined): Pick<FlowData, 'group' | 'hasInput'> => ({
  group: type?.group ?? 'other',
  hasInput: type?.has_input ?? true,
})

function shapeOf(node: CanvasNode, types: NodeTypeMap): 'plain' | 'body' | 'comment' {
  if (node.type === COMMENT) return 'comment'
  return hasBody(node, types) ? 'body' : 'plain'
}

/** React Flow wants a name for every port. */
export const handleOf = (port: string): string => (port === '' ? 'plain' : port)
export const portOf = (handle: string | null | undefined): string => (handle === 'plain' || !handle ? '' : handle)
export const INPUT_HANDLE = 'input'

function drawEdge(edge: CanvasEdge, { nodes }: CanvasIndex, issues: CanvasIssue[]): FlowEdge {
  const name = (id: string) => {
    const node = nodes.get(id)
    return node ? nameOf(node) : id
  }
  const isWrong = issues.some((issue) => issue.edge?.from === edge.from && issue.edge.to === edge.to)
  return {
    id: `${edge.parentId ?? ''}|${edge.key}`,
    source: edge.from,
    sourceHandle: handleOf(edge.fromPort),
    target: edge.to,
    targetHandle: edge.to === edge.parentId ? 'body-end' : INPUT_HANDLE,
    ariaLabel: `${name(edge.from)} → ${name(edge.to)}`,
    data: { ends: edge },
    // above the frame of a loop
    ...(edge.parentId !== undefined && { zIndex: 1 }),
    ...(isWrong && { className: 'is-wrong' }),
  }
}
