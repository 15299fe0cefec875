import type { Canvas, CanvasEdge, CanvasNode } from '../canvas/canvas-document.ts'
import { isComposite } from '../canvas/node-outputs.ts'

/** The outer graph of a canvas, or the body of a loop or batch: edges stay inside of one. */
export type CanvasPart = {
  nodes: ReadonlyMap<string, CanvasNode>
  edges: CanvasEdge[]
  /** The loop or batch whose body this is, and the graph that one is in. */
  around?: { node: CanvasNode; part: CanvasPart }
}

/** The outer graph first, each body after the graph it is in. */
export function listParts(canvas: Canvas): CanvasPart[] {
  const parts = [toPart(canvas)]
  for (const part of parts) {
    for (const node of part.nodes.values()) {
      if (isComposite(node)) parts.push(toPart({ nodes: node.blocks, edges: node.edges }, { node, part }))
    }
  }
  return parts
}

function toPart({ nodes, edges }: Canvas, around?: CanvasPart['around']): CanvasPart {
  return { nodes: new Map(nodes.map((node) => [node.id, node])), edges, around }
}

/** The node of that id as a reference from this part means it: here, or in a graph around. */
export function findNode(part: CanvasPart, nodeId: string): CanvasNode | undefined {
  for (let here: CanvasPart | undefined = part; here; here = here.around?.part) {
    const found = here.nodes.get(nodeId)
    if (found) return found
  }
  return undefined
}
