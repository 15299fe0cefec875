import { expect, test } from 'vitest'
import { drawCanvas } from '../../../../server/test/support/canvas-builder.ts'
import { compareCanvases } from './canvas-diff.ts'
import { isObject, parseJsonText } from './canvas-json.ts'

const parsed = (canvas: unknown) => {
  const json = parseJsonText(JSON.stringify(canvas))
  return isObject(json) ? json : {}
}
const base = () =>
  drawCanvas()
    .entry({})
    .node('101', 15, { title: 'Join', inputs: { limit: 3, words: ['a', 'b'] } })

test('says which nodes and lines came and went, and which values of a node are others', () => {
  const before = parsed(base().node('102', 15).exit({}).edges('entry > 101 > 102 > exit').build())
  const drawing = drawCanvas()
    .entry({})
    .node('101', 15, { title: 'Join', inputs: { limit: 4, words: ['a', 'c'] } })
  const after = parsed(drawing.node('103', 15, { title: 'New' }).exit({}).edges('entry > 101 > 103 > exit').build())

  const { nodes, edges } = compareCanvases(before, after)
  expect(nodes.map(({ node, kind }) => `${kind} ${node.id}`)).toEqual(['changed 101', 'added 103', 'removed 102'])
  expect(nodes[0]?.values).toEqual([
    { path: 'inputs.limit', before: '3', after: '4' },
    { path: 'inputs.words[1]', before: 'b', after: 'c' },
  ])
  expect(edges.map(({ kind, to }) => `${kind} ${to}`)).toHaveLength(4)
})

test('a node that was only moved is no change of what runs', () => {
  const canvas = base().exit({}).edges('entry > 101 > exit').build()
  const moved = { ...canvas, nodes: canvas.nodes.map((node) => ({ ...node, meta: { position: { x: 9_000, y: 1 } } })) }
  expect(compareCanvases(parsed(canvas), parsed(moved))).toEqual({ nodes: [], edges: [], moved: 3 })
})
