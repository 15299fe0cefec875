import type { Canvas, CanvasEdge, CanvasNode } from './canvas-document.ts'

/**
 * Without the nodes that no edge leads to, such as comments, and the edges that leave them; Entry and Exit stay. The same in
 * each body. One pass: a node that loses its last incoming edge by this stays. `removed` has the ids in the order of the canvas.
 */
export function pruneCanvas(canvas: Canvas): { canvas: Canvas; removed: string[] } {
  const removed: string[] = []
  return { canvas: prunePart(canvas, removed), removed }
}

function prunePart({ nodes, edges }: Canvas, removed: string[]): Canvas {
  const targets = new Set(edges.map(({ to }) => to))
  const isolated = new Set<string>()
  const kept: CanvasNode[] = []
  for (const node of nodes) {
    if (targets.has(node.id) || isEntry(node) || isExit(node)) {
      kept.push(pruneBody(node, removed))
    } else {
      isolated.add(node.id)
      removed.push(node.id)
    }
  }
  return { nodes: kept, edges: edges.filter((edge: CanvasEdge) => !isolated.has(edge.from)) }
}

function pruneBody(node: CanvasNode, removed: string[]): CanvasNode {
  if (node.blocks.length === 0) return node
  const body = prunePart({ nodes: node.blocks, edges: node.edges }, removed)
  return { ...node, blocks: body.nodes, edges: body.edges }
}

export const isEntry = ({ type }: CanvasNode): boolean => type === '1'
export const isExit = ({ type }: CanvasNode): boolean => type === '2'
