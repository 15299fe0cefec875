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
const BODY_PADDING = 48
const BODY_GAP = 32
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

export type BodyShape = {
  /** Of the whole: what the person takes hold of, and the frame of the body below it. */
  size: Size
  /** Where the node itself and its frame stand in that. */
  head: Point
  frame: Point & Size
  /** By how much nodes of the body are drawn away from where the canvas has them. */
  offset: Point
}

/**
 * A loop or batch, drawn as Coze Studio does: a node like others, and a frame for its body, whose place the canvas knows. Exports leave no
 * more room than that for a loop among its neighbours.
 */
export function bodyShape(index: CanvasIndex, node: CanvasNode, shapeOf: ShapeOf): BodyShape {
  const boxes = childrenOf(index, node.id).map((child) => ({ ...child.position, ...shapeOf(child) }))
  const left = boxes.length > 0 ? Math.min(...boxes.map(({ x }) => x)) : 0
  const top = boxes.length > 0 ? Math.min(...boxes.map(({ y }) => y)) : 0
  const place = node.bodyPosition ?? bodyBelow(node.position)
  const x = place.x - node.position.x + left - BODY_PADDING
  // never over the node itself
  const y = Math.max(HEAD_HEIGHT + BODY_GAP, place.y - node.position.y + top - BODY_PADDING)
  const width = Math.max(BODY_LEAST.width, ...boxes.map((box) => box.x + box.width - left + 2 * BODY_PADDING))
  const height = Math.max(BODY_LEAST.height, ...boxes.map((box) => box.y + box.height - top + 2 * BODY_PADDING))

  const head = { x: Math.max(0, -x), y: 0 }
  const frame = { x: x + head.x, y, width, height }
  return {
    ...{ head, frame, offset: { x: frame.x + BODY_PADDING - left, y: y + BODY_PADDING - top } },
    size: { width: Math.max(head.x + NODE_WIDTH, frame.x + width), height: y + height },
  }
}

/** Where a body begins that nobody has given a place: right below its node. */
export const bodyBelow = ({ x, y }: Point): Point => ({ x: x + BODY_PADDING, y: y + HEAD_HEIGHT + BODY_GAP + BODY_PADDING })
