import type { Connection } from '@xyflow/react'
import { addEdge, removeParts } from './canvas-edits.ts'
import type { EdgeEnds } from './canvas-edits.ts'
import { portOf } from './canvas-flow.ts'
import type { JsonObject } from './canvas-json.ts'
import { indexCanvas } from './canvas-model.ts'
import type { CanvasIndex } from './canvas-model.ts'
import { INNER_PORT, bodyEndPort } from './canvas-ports.ts'

type Ends = Pick<Connection, 'source' | 'sourceHandle' | 'target' | 'targetHandle'>

/** Both are in the same part: the outer graph or one body; a loop belongs to its own body by its inner ports. */
export function mayConnect(canvas: JsonObject, connection: Ends): boolean {
  return partOf(indexCanvas(canvas), connection) !== undefined
}

/** The canvas with this edge; the same canvas when it is there already, or crosses the border of a body. */
export function connectNodes(canvas: JsonObject, connection: Ends): JsonObject {
  const index = indexCanvas(canvas)
  const part = partOf(index, connection)
  const ends = toEnds(index, connection)
  const isThere = index.edges.some(({ from, fromPort, to }) => from === ends.from && fromPort === ends.fromPort && to === ends.to)
  return part === undefined || isThere ? canvas : addEdge(canvas, ends, part.parentId)
}

/** The port of a node leads to these nodes and no others. */
export function setTargets(canvas: JsonObject, { id, port, targets }: { id: string; port: string; targets: string[] }): JsonObject {
  const before = indexCanvas(canvas).edges.filter(({ from, fromPort }) => from === id && fromPort === port)
  const gone = before.filter(({ to }) => !targets.includes(to))
  const kept = removeParts(canvas, { nodeIds: new Set(), edges: gone })
  return targets.reduce((drawn, target) => connectNodes(drawn, { source: id, sourceHandle: port, target, targetHandle: null }), kept)
}

function partOf({ nodes }: CanvasIndex, { source, sourceHandle, target }: Ends): { parentId: string | undefined } | undefined {
  const [from, to] = [nodes.get(source), nodes.get(target)]
  if (!from || !to || from === to) return undefined
  if (INNER_PORT.test(sourceHandle ?? '')) return to.parentId === from.id ? { parentId: from.id } : undefined
  if (from.parentId === to.id) return { parentId: to.id }
  return from.parentId === to.parentId ? { parentId: from.parentId } : undefined
}

function toEnds({ nodes }: CanvasIndex, { source, sourceHandle, target }: Ends): EdgeEnds {
  const [from, to] = [nodes.get(source), nodes.get(target)]
  const toPort = from && to && from.parentId === to.id ? bodyEndPort(to.type) : ''
  return { from: source, fromPort: portOf(sourceHandle), to: target, toPort }
}
