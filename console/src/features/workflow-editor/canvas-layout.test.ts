import { expect, test } from 'vitest'
import type { NodeTypeInfo } from '../../../../server/src/http/console/builder-workflow-wire.ts'
import { drawCanvas, ref } from '../../../../server/test/support/canvas-builder.ts'
import { parseJsonText } from './canvas-json.ts'
import type { JsonObject } from './canvas-json.ts'
import { layOutCanvas } from './canvas-layout.ts'
import { childrenOf, indexCanvas } from './canvas-model.ts'
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
  const sizeOf = (id: string) => (id === '104' ? bodyShape(index, '104', shapeOf).size : shapeOf())

  for (const { from, to, parentId } of index.edges) {
    if (from === parentId || to === parentId) continue
    expect(index.nodes.get(from)?.position.x).toBeLessThan(index.nodes.get(to)?.position.x ?? 0)
  }
  for (const parentId of [undefined, '104']) {
    const boxes = childrenOf(index, parentId).map(({ id, position }) => ({ ...position, ...sizeOf(id) }))
    const overlaps = boxes.flatMap((one, place) => boxes.slice(place + 1).filter((other) => isOver(one, other)))
    expect(overlaps).toEqual([])
  }
  expect(bodyShape(index, '104', shapeOf).size.width).toBeGreaterThan(2 * 232)
})

test('a circle is laid out too', () => {
  const canvas = drawCanvas().entry({}).node('101', 15).node('102', 15).exit({}).edges('entry > 101 > 102 > 101', '102 > exit').build()
  const laid = layOutCanvas(parseJsonText(JSON.stringify(canvas)) as JsonObject, types, shapeOf)
  expect(indexCanvas(laid).nodes.size).toBe(4)
})

type Box = { x: number; y: number; width: number; height: number }
const isOver = (one: Box, other: Box) =>
  one.x < other.x + other.width && other.x < one.x + one.width && one.y < other.y + other.height && other.y < one.y + one.height
