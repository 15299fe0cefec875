import { expect, test } from 'vitest'
import type { NodeTypeInfo } from '../../../../server/src/http/console/builder-workflow-wire.ts'
import { drawCanvas, ref } from '../../../../server/test/support/canvas-builder.ts'
import { moveNodes } from './canvas-edits.ts'
import { parseJsonText } from './canvas-json.ts'
import type { JsonObject } from './canvas-json.ts'
import { layOutCanvas } from './canvas-layout.ts'
import { childrenOf, indexCanvas } from './canvas-model.ts'
import type { CanvasIndex } from './canvas-model.ts'
import { bodyShape } from './canvas-shape.ts'

const words = { en: '', zh: '' }
const loop: NodeTypeInfo = {
  ...{ code: '21', name: 'Loop', label: words, description: words, group: 'logic', ports: [], port_rule: 'none', has_input: true },
  ...{ has_body: true, only_in_body: false, handles_errors: false, can_add: true, settings: [], initial: {} },
}
const types = new Map([['21', loop]])
const shapeOf = () => ({ width: 232, height: 56 })

test('the flow goes from left to right, nothing lies on anything else, and bodies fit into their loops', () => {
  const canvas = drawCanvas()
    .entry({ tags: ['string'] })
    .selector('101', [{ if: [[9, ref('entry.tags')]] }])
    .node('102', 15)
    .node('103', 15)
    .loop('104', {}, (body) => body.node('201', 15).node('202', 15).node('203', 15).edges('start > 201 > 203 > end', 'start > 202 > 203'))
    .exit({})
    .edges('entry > 101:true > 102 > 104:loop-output > exit', '101:false > 103 > 104')
    .build()
  const index = indexCanvas(layOutCanvas(parseJsonText(JSON.stringify(canvas)) as JsonObject, types, shapeOf))
  const sizeOf = (id: string) => (id === '104' ? loopShape(index).size : shapeOf())

  for (const { from, to, parentId } of index.edges) {
    if (from === parentId || to === parentId) continue
    expect(index.nodes.get(from)?.position.x).toBeLessThan(index.nodes.get(to)?.position.x ?? 0)
  }
  for (const parentId of [undefined, '104']) {
    const boxes = childrenOf(index, parentId).map(({ id, position }) => ({ ...position, ...sizeOf(id) }))
    const overlaps = boxes.flatMap((one, place) => boxes.slice(place + 1).filter((other) => isOver(one, other)))
    expect(overlaps).toEqual([])
  }
  expect(loopShape(index).size.width).toBeGreaterThan(2 * 232)
})

test('a loop that Coze Studio has drawn stands where it was drawn, and its body goes with it', () => {
  const drawing = drawCanvas()
    .entry({})
    .loop('104', {}, (body) => body.node('201', 15).edges('start > 201 > end'))
    .exit({})
    .edges('entry > 104:loop-output > exit')
    .build()
  const nodes = drawing.nodes.map((node) =>
    node.id === '104' ? { ...node, meta: { position: { x: 600, y: -100 }, canvasPosition: { x: 200, y: 180 } } } : node,
  )
  const canvas = parseJsonText(JSON.stringify({ ...drawing, nodes })) as JsonObject
  const shape = loopShape(indexCanvas(canvas))
  const child = childrenOf(indexCanvas(canvas), '104')[0]?.position ?? { x: 0, y: 0 }
  // the first node of the body, as seen from the loop's own corner
  expect({ x: child.x + shape.offset.x - shape.head.x, y: child.y + shape.offset.y }).toEqual({ x: child.x - 400, y: child.y + 280 })

  const moved = indexCanvas(moveNodes(canvas, new Map([['104', { x: 610, y: -80 }]])))
  expect(moved.nodes.get('104')?.bodyPosition).toEqual({ x: 210, y: 200 })
  expect(loopShape(moved)).toEqual(shape)
})

test('a circle is laid out too', () => {
  const canvas = drawCanvas().entry({}).node('101', 15).node('102', 15).exit({}).edges('entry > 101 > 102 > 101', '102 > exit').build()
  const laid = layOutCanvas(parseJsonText(JSON.stringify(canvas)) as JsonObject, types, shapeOf)
  expect(indexCanvas(laid).nodes.size).toBe(4)
})

function loopShape(index: CanvasIndex) {
  const node = index.nodes.get('104')
  if (!node) throw new Error('there is no loop')
  return bodyShape(index, node, shapeOf)
}

type Box = { x: number; y: number; width: number; height: number }
const isOver = (one: Box, other: Box) =>
  one.x < other.x + other.width && other.x < one.x + one.width && one.y < other.y + other.height && other.y < one.y + one.height
