import { expect, test } from 'vitest'
import { drawCanvas } from '../../../test/support/canvas-builder.ts'
import { parseCanvas } from './canvas-document.ts'
import type { Canvas } from './canvas-document.ts'
import { pruneCanvas } from './prune-canvas.ts'

const idsOf = ({ nodes }: Canvas): string[] => nodes.flatMap((node) => [node.id, ...node.blocks.map(({ id }) => id)])

test('comments and other nodes that nothing leads to are left out, with the edges that leave them', () => {
  const canvas = drawCanvas()
    .entry({})
    .node('101', 15)
    .node('102', 31)
    .node('103', 15)
    .exit({})
    .edges('entry > 101 > exit', '103 > exit')
    .build()
  const pruned = pruneCanvas(parseCanvas(canvas))

  expect(pruned.removed).toEqual(['102', '103'])
  expect(idsOf(pruned.canvas)).toEqual(['100001', '101', '900001'])
  expect(pruned.canvas.edges.map(({ from }) => from)).toEqual(['100001', '101'])
})

test('a body loses its isolated nodes too, a removed loop goes with its whole body', () => {
  const canvas = drawCanvas()
    .entry({})
    .loop('101', {}, (body) => body.node('201', 15).node('202', 15).edges('start > 201 > end', '202 > end'))
    .loop('102', {}, (body) => body.node('203', 15))
    .exit({})
    .edges('entry > 101 > exit')
    .build()
  const pruned = pruneCanvas(parseCanvas(canvas))

  expect(pruned.removed).toEqual(['202', '102'])
  expect(idsOf(pruned.canvas)).toEqual(['100001', '101', '201', '900001'])
  expect(pruned.canvas.nodes[1]?.edges.map(({ from }) => from)).toEqual(['101', '201'])
})

test('a node that loses its last incoming edge stays: there is one pass', () => {
  const canvas = drawCanvas().entry({}).node('101', 15).node('102', 15).exit({}).edges('entry > exit', '101 > 102 > exit').build()
  const pruned = pruneCanvas(parseCanvas(canvas))

  expect(pruned.removed).toEqual(['101'])
  expect(idsOf(pruned.canvas)).toEqual(['100001', '102', '900001'])
})

test('Entry and Exit stay without any edge, and the canvas that was given stays as it was', () => {
  const canvas = parseCanvas(drawCanvas().entry({}).node('101', 15).exit({}).build())

  expect(idsOf(pruneCanvas(canvas).canvas)).toEqual(['100001', '900001'])
  expect(idsOf(canvas)).toEqual(['100001', '101', '900001'])
})
