import { expect, test } from 'vitest'
import { drawCanvas, ref } from '../../../../server/test/support/canvas-builder.ts'
import { duplicateNode, moveNodes, removeParts, setSetting } from './canvas-edits.ts'
import { parseJsonText, readAt, toJsonText } from './canvas-json.ts'
import type { JsonObject } from './canvas-json.ts'
import { indexCanvas } from './canvas-model.ts'
import { connectNodes, mayConnect, setTargets } from './connect-nodes.ts'

const drawn = (canvas: unknown) => parseJsonText(JSON.stringify(canvas)) as JsonObject
const plain = (canvas: JsonObject): unknown => JSON.parse(toJsonText(canvas))

const looped = () =>
  drawCanvas()
    .entry({ tags: ['string'] })
    .loop('103', { params: { tag: ref('entry.tags', ['string']) }, outputs: { all: ref('201.output', ['string']) } }, (body) =>
      body
        .node('201', 15, { params: { tag: ref('103.tag') }, inputs: { x_unknown: { kept: true } } })
        .node('202', 15)
        .edges('start > 201 > 202 > end'),
    )
    .exit({ all: ref('103.all', ['string']) })
    .edges('entry > 103:loop-output > exit')
    .build()

test('a setting in a body changes that field and nothing else', () => {
  const before = drawn(looped())
  const after = setSetting(before, { id: '201', path: 'inputs.x_unknown.kept', value: false })
  const wanted = looped()
  Object.assign(wanted.nodes[1]?.blocks?.[0]?.data.inputs.x_unknown as object, { kept: false })
  expect(plain(after)).toEqual(wanted)
  expect(readAt(after, 'nodes.0')).toBe(readAt(before, 'nodes.0'))
})

test('moving writes positions only', () => {
  const after = moveNodes(drawn(looped()), new Map([['202', { x: 7, y: 8 }]]))
  const wanted = looped()
  Object.assign(wanted.nodes[1]?.blocks?.[1] ?? {}, { meta: { position: { x: 7, y: 8 } } })
  expect(plain(after)).toEqual(wanted)
})

test('a node goes with its edges, a loop with its body', () => {
  const canvas = drawn(looped())
  const without = indexCanvas(removeParts(canvas, { nodeIds: new Set(['201']), edges: [] }))
  expect(without.edges.filter(({ parentId }) => parentId === '103').map(({ key }) => key)).toEqual(['202:>103:loop-function-inline-input'])
  const empty = indexCanvas(removeParts(canvas, { nodeIds: new Set(['103']), edges: [] }))
  expect([...empty.nodes.keys()]).toEqual(['100001', '900001'])
  expect(empty.edges).toEqual([])
})

test('edges stay in their part: a body reaches its loop by the inner ports only', () => {
  const canvas = drawn(looped())
  const ends = (source: string, target: string, sourceHandle: string | null = null) => ({
    source,
    target,
    sourceHandle,
    targetHandle: null,
  })
  expect(mayConnect(canvas, ends('100001', '900001'))).toBe(true)
  expect(mayConnect(canvas, ends('100001', '201'))).toBe(false)
  expect(mayConnect(canvas, ends('201', '900001'))).toBe(false)
  expect(mayConnect(canvas, ends('103', '202', 'loop-function-inline-output'))).toBe(true)
  const joined = connectNodes(canvas, ends('201', '103'))
  expect(indexCanvas(joined).edges.findLast(({ parentId }) => parentId === '103')).toMatchObject({
    from: '201',
    to: '103',
    toPort: 'loop-function-inline-input',
    parentId: '103',
  })
  expect(connectNodes(joined, ends('201', '103'))).toBe(joined)
})

test('the targets of a port are replaced, those of other ports stay', () => {
  const canvas = drawn(
    drawCanvas()
      .entry({})
      .selector('101', [{ if: [[9, ref('entry.a')]] }])
      .node('102', 15)
      .exit({})
      .edges('entry > 101:true > 102', '101:false > exit')
      .build(),
  )
  const { edges } = indexCanvas(setTargets(canvas, { id: '101', port: 'true', targets: ['900001'] }))
  expect(edges.filter(({ from }) => from === '101').map(({ key }) => key)).toEqual(['101:false>900001:', '101:true>900001:'])
})

test('a copy of a loop has a body of its own, which refers to itself', () => {
  const copy = duplicateNode(drawn(looped()), '103')
  const index = indexCanvas(copy?.canvas ?? {})
  const children = [...index.nodes.values()].filter(({ parentId }) => parentId === copy?.id)
  expect(children).toHaveLength(2)
  expect(index.nodes.size).toBe(8)
  expect(JSON.stringify(children[0]?.json)).toContain(`"blockID":"${copy?.id ?? ''}"`)
  expect(index.edges.filter(({ parentId }) => parentId === copy?.id)).toHaveLength(3)
})
