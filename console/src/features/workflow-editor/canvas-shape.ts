import { readAt, toPlainText } from './canvas-json.ts'
import type { Json } from './canvas-json.ts'
import { COMMENT, childrenOf } from './canvas-model.ts'
import type { CanvasIndex, CanvasNode, Point } from './canvas-model.ts'
import type { Port } from './canvas-ports.ts'

/** How large things are drawn. The style sheet of nodes says the same. */
export const NODE_WIDTH = 232
export const HEAD_HEIGHT = 56
const PORT_HEIGHT = 26
const PORTS_PADDING = 8
const BODY_PADDING = 56
const BODY_LEAST = { width: 320, height: 180 }

export type Size = { width: number; height: number }
export type ShapeOf = (node: CanvasNode) => Size

/** Of a node without a body. */
export function sizeOf({ type, data }: CanvasNode, ports: Port[]): Size {
  if (type === COMMENT) return { width: sideOf(readAt(data, 'size.width'), 240), height: sideOf(readAt(data, 'size.height'), 150) }
  const named = ports.filter(({ name, isInner }) => name !== '' && !isInner).length
  return { width: NODE_WIDTH, height: HEAD_HEIGHT + (named > 0 ? named * PORT_HEIGHT + PORTS_PADDING : 0) }
}

const sideOf = (value: Json | undefined, usual: number) => Math.min(1_200, Math.max(80, Number(toPlainText(value)) || usual))

/** The frame of a loop or batch, and by how much its nodes are moved to stand in it. */
export function bodyShape(index: CanvasIndex, id: string, shapeOf: ShapeOf): { size: Size; offset: Point } {
  const children = childrenOf(index, id)
  if (children.length === 0) return { size: BODY_LEAST, offset: { x: BODY_PADDING, y: HEAD_HEIGHT + BODY_PADDING } }

  const boxes = children.map((node) => ({ ...node.position, ...shapeOf(node) }))
  const left = Math.min(0, ...boxes.map(({ x }) => x))
  const top = Math.min(0, ...boxes.map(({ y }) => y))
  const offset = { x: BODY_PADDING - left, y: HEAD_HEIGHT + BODY_PADDING - top }
  const size = {
    width: Math.max(BODY_LEAST.width, ...boxes.map(({ x, width }) => x + width + offset.x + BODY_PADDING)),
    height: Math.max(BODY_LEAST.height, ...boxes.map(({ y, height }) => y + height + offset.y + BODY_PADDING)),
  }
  return { size, offset }
}
