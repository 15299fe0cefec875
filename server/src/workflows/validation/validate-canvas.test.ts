import { describe, expect, test } from 'vitest'
import { drawCanvas, fields, literal, ref, variable } from '../../../test/support/canvas-builder.ts'
import type { CanvasJson, Drawing } from '../../../test/support/canvas-builder.ts'
import { issuesOf, messagesOf, nodeTypes } from '../../../test/support/drawing-issues.ts'
import { parseCanvas } from '../canvas/canvas-document.ts'
import { validateCanvas } from './validate-canvas.ts'

const CONNECTED = 'entry > 101 > exit'
const text = { params: { String1: 'a' }, outputs: { output: 'string' } } as const

describe('a canvas without issues', () => {
  test('has a selector, a loop, a batch, error branches and texts that reach across', async () => {
    expect(await issuesOf(wholeCanvas())).toEqual([])
  })

  test('may have comments and left-over nodes that cannot be read: they are not run', async () => {
    const canvas = drawCanvas()
      .entry({})
      .node('101', 31)
      .node('102', 16)
      .node('103', 15, { inputs: { inputParameters: 'no list' } })
      .exit({})
      .edges('entry > exit', '102 > exit')

    expect(await issuesOf(canvas)).toEqual([])
  })
})

describe('the ends', () => {
  test('an Entry and an Exit are needed, with their ids', async () => {
    const canvas = drawCanvas().node('7', 1).node('101', 15, text).edges('7 > 101 > 101')

    expect(await messagesOf(canvas)).toEqual([
      'the Entry node must have the id 100001, not 7',
      'the canvas has no Exit node: it must have one, of the type 2 and with the id 900001',
    ])
  })

  test('a second one is too many, above all in a body', async () => {
    const canvas = drawCanvas()
      .entry({})
      .loop('101', { params: { list: [1] } }, (body) => body.node('201', 2).edges('start > 201'))
      .node('102', 1, { title: 'again' })
      .exit({})
      .edges(CONNECTED)

    expect(await issuesOf(canvas)).toEqual([
      { nodeId: '102', nodeTitle: 'again', message: 'the canvas has more than one Entry node: keep one' },
      { nodeId: '201', nodeTitle: 'node 201', message: 'the canvas has more than one Exit node: keep one' },
      { nodeId: '201', nodeTitle: 'node 201', message: 'the Exit node is in the body of a loop or batch: move it out' },
    ])
  })

  test('nothing leads back to the Entry or on from the Exit', async () => {
    const canvas = drawCanvas().entry({}).node('101', 15, text).exit({}).edges('entry > 101 > entry', '101 > exit > 101')

    expect(await messagesOf(canvas)).toEqual(['no edge may lead to the Entry node', 'no edge may leave the Exit node'])
  })
})

describe('nodes', () => {
  test('of hosted Coze and of no known kind are named', async () => {
    const canvas = drawCanvas().entry({}).node('101', 16, { title: 'paint' }).node('102', 99).exit({}).edges('entry > 101 > 102 > exit')

    expect(await issuesOf(canvas)).toEqual([
      {
        nodeId: '101',
        nodeTitle: 'paint',
        path: 'type',
        message: 'node "paint" is of the type 16 (ImageGenerate), which exists only in hosted Coze and cannot run here: replace it',
      },
      { nodeId: '102', nodeTitle: 'node 102', path: 'type', message: 'node "node 102" is of the type 99, which is not known: replace it' },
    ])
  })

  test('whose settings cannot be read are all reported, bodies included', async () => {
    const canvas = drawCanvas()
      .entry({})
      .node('101', 15, { inputs: { inputParameters: 'a' } })
      .loop('102', {}, (body) => body.node('201', 15, { inputs: { inputParameters: [{ name: 'x' }] } }).edges('start > 201 > end'))
      .exit({})
      .edges('entry > 101 > 102 > exit')

    expect(await issuesOf(canvas)).toEqual([
      {
        nodeId: '101',
        nodeTitle: 'node 101',
        path: 'inputs.inputParameters',
        message: 'must be a list of parameters',
      },
      {
        nodeId: '201',
        nodeTitle: 'node 201',
        path: 'inputs.inputParameters[0].input',
        message: 'must have a type and a value',
      },
    ])
  })

  test('with an edge to nowhere, or into another graph, are reported', async () => {
    const canvas = drawCanvas()
      .entry({})
      .loop('101', { params: { list: [1] } }, (body) => body.node('201', 15, text).edges('start > 201 > exit'))
      .exit({})
      .edges('entry > 101 > exit', '666 > exit', '101 > 201')

    expect(await issuesOf(canvas)).toEqual([
      { edge: { from: '666', to: '900001' }, message: 'an edge leads from "666" to "900001", but there is no node "666" here' },
      { edge: { from: '101', to: '201' }, message: 'an edge leads from "101" to "201", but there is no node "201" here' },
      { edge: { from: '201', to: '900001' }, message: 'an edge leads from "201" to "900001", but there is no node "900001" here' },
    ])
  })

  test('that are comments have no edges', async () => {
    const canvas = drawCanvas().entry({}).node('101', 31, { title: 'note' }).exit({}).edges('entry > 101', 'entry > exit')

    expect(await issuesOf(canvas)).toEqual([
      { nodeId: '101', nodeTitle: 'note', edge: { from: '100001', to: '101' }, message: 'a comment is not run: remove the edges at it' },
    ])
  })
})

describe('connections', () => {
  test('an Entry that leads nowhere and a node that does not go on', async () => {
    expect(await issuesOf(drawCanvas().entry({}).exit({}))).toEqual([
      { nodeId: '100001', nodeTitle: 'start', message: 'node "start" not connected' },
    ])

    const canvas = drawCanvas()
      .entry({})
      .node('101', 15, { title: 'dead end', ...text })
      .exit({})
      .edges('entry > 101', 'entry > exit')
    expect(await issuesOf(canvas)).toEqual([{ nodeId: '101', nodeTitle: 'dead end', message: 'node "dead end" not connected' }])
  })

  test('ports that are not in use share one message', async () => {
    const canvas = drawCanvas()
      .entry({})
      .selector('101', [{ if: [[1, 'a', 'b']] }, { if: [[1, 'a', 'c']] }], { title: 'choose' })
      .node('102', 15, { title: 'risky', ...text, onError: { processType: 3 } })
      .exit({})
      .edges('entry > 101', '101:true_1 > 102:branch_error > exit', '101:true_2 > exit')

    expect(await issuesOf(canvas)).toEqual([
      {
        nodeId: '101',
        nodeTitle: 'choose',
        message: 'node "choose"\'s port "true" not connected;node "choose"\'s port "false" not connected;',
      },
      { nodeId: '102', nodeTitle: 'risky', message: 'node "risky"\'s port "default" not connected;' },
    ])
  })

  test('an error branch that is switched off needs no edges of its own', async () => {
    const canvas = drawCanvas()
      .entry({})
      .node('101', 15, { ...text, onError: { switch: false, processType: 3 } })
      .exit({})
      .edges(CONNECTED)

    expect(await issuesOf(canvas)).toEqual([])
  })

  test('bodies begin and go on; Break and Continue end their path', async () => {
    const canvas = drawCanvas()
      .entry({ list: ['string'] })
      .loop('101', { title: 'empty', params: { one: ref('entry.list', ['string']) } }, () => undefined)
      .loop('102', { params: { one: ref('entry.list', ['string']) } }, (body) =>
        body
          .selector('201', [{ if: [[1, 'a', 'b']] }])
          .node('202', 19)
          .node('203', 29)
          .edges('start > 201:true > 202', '201:false > 203'),
      )
      .batch('103', { params: { one: ref('entry.list', ['string']) } }, (body) =>
        body.node('204', 15, { title: 'half', ...text }).edges('start > 204'),
      )
      .exit({})
      .edges('entry > 101:loop-output > 102:loop-output > 103:batch-output > exit')

    expect(await messagesOf(canvas)).toEqual([
      'node "empty"\'s port "loop-function-inline-output" not connected;',
      'node "half" not connected',
    ])
  })
})

test('each edge of a cycle is reported, outside and in a body', async () => {
  const message = 'line connections do not allow parallel lines to intersect and form loops with each other'
  const canvas = drawCanvas()
    .entry({})
    .node('101', 15, text)
    .node('102', 15, text)
    .loop('103', { params: { list: [1] } }, (body) =>
      body.node('201', 15, text).node('202', 15, text).edges('start > 201 > 202 > 201', '202 > end'),
    )
    .exit({})
    .edges('entry > 101 > 102 > 101', '102 > 103 > exit')

  expect(await issuesOf(canvas)).toEqual([
    { edge: { from: '101', to: '102' }, message },
    { edge: { from: '102', to: '101' }, message },
    { edge: { from: '201', to: '202' }, message },
    { edge: { from: '202', to: '201' }, message },
  ])
})

test('a batch in a loop is reported at the loop', async () => {
  const canvas = drawCanvas()
    .entry({})
    .loop('101', { title: 'outer', params: { list: [1] } }, (body) =>
      body
        .batch('201', { params: { list: [1] } }, (inner) => inner.node('301', 15, text).edges('start > 301 > end'))
        .edges('start > 201 > end'),
    )
    .exit({})
    .edges(CONNECTED)

  expect(await issuesOf(canvas)).toEqual([
    { nodeId: '101', nodeTitle: 'outer', message: 'composite nodes such as batch/loop cannot be nested' },
  ])
})

describe('references', () => {
  test('to nothing, to nodes that do not run, and names that are none', async () => {
    const canvas = drawCanvas()
      .entry({})
      .node('101', 15, { params: { '1st': 'a', gone: ref('555.output'), deep: fields({ x: fields({ y: ref('103.output') }) }) } })
      .node('102', 15, text)
      .node('103', 15, text)
      .exit({ out: ref('.output') })
      .edges('entry > 101 > exit', '102 > 103 > exit')

    const at = (index: number) => `inputs.inputParameters[${index}]`
    expect(await issuesOf(canvas)).toEqual([
      {
        ...{ nodeId: '101', nodeTitle: 'node 101', path: at(0) },
        message: 'parameter name only allows number or alphabet, and must begin with alphabet, but it\'s "1st"',
      },
      {
        ...{ nodeId: '101', nodeTitle: 'node 101', path: `${at(1)}.input` },
        message: 'the node id "101" on which node id "555" depends does not exist',
      },
      {
        ...{ nodeId: '101', nodeTitle: 'node 101', path: `${at(2)}.input.schema[0].input.schema[0].input` },
        message: 'the node id "101" on which node id "103" depends does not exist',
      },
      { nodeId: '900001', nodeTitle: 'end', path: `${at(0)}.input`, message: 'ref block error,[blockID] is empty' },
    ])
  })

  test('a body reads from outside, but nobody reads from a body', async () => {
    const canvas = drawCanvas()
      .entry({ list: ['string'] })
      .loop('101', { params: { one: ref('entry.list', ['string']) } }, (body) =>
        body
          .node('201', 15, { ...text, params: { a: ref('101.one'), b: ref('entry.list'), c: ref('101.index') } })
          .edges('start > 201 > end'),
      )
      .exit({ out: ref('201.output') })
      .edges(CONNECTED)

    expect(await messagesOf(canvas)).toEqual(['the node id "900001" on which node id "201" depends does not exist'])
  })

  test('of nodes that the Entry does not lead to are left alone', async () => {
    const canvas = drawCanvas()
      .entry({})
      .node('101', 15, text)
      .node('102', 15, { params: { 'no name': ref('entry.a') } })
      .exit({})
      .edges('entry > exit', '101 > 102 > exit')

    expect(await issuesOf(canvas)).toEqual([])
  })
})

test('2,000 nodes and 10,000 edges are checked in well under a second', async () => {
  const canvas = largeCanvas()
  const parsed = parseCanvas(canvas)
  const startedAt = performance.now()
  const groups = await validateCanvas(parsed, { nodeTypes, loadSubWorkflow: async () => undefined })

  expect(groups).toEqual([])
  expect(performance.now() - startedAt).toBeLessThan(1_000)
  expect([parsed.nodes.length, parsed.edges.length]).toEqual([2_000, 9_985])
})

/** A chain, with edges to each of the next nodes, where each node reads from the one before. */
function largeCanvas(): CanvasJson {
  const drawing = drawCanvas().entry({ output: 'string' }).exit({})
  const ids = ['entry', ...Array.from({ length: 1_998 }, (_, index) => `n${index}`), 'exit']
  ids
    .slice(1, -1)
    .forEach((id, index) => drawing.node(id, 15, { params: { a: ref(`${ids[index]}.output`) }, outputs: { output: 'string' } }))
  ids.forEach((from, index) => ids.slice(index + 1, index + 6).forEach((to) => drawing.edges(`${from} > ${to}`)))
  return drawing.build()
}

function wholeCanvas(): Drawing {
  return drawCanvas()
    .entry({ list: ['string'], user: { name: 'string' } })
    .selector('101', [{ if: [[1, ref('entry.user.name'), 'a']] }, { if: [[9, ref('entry.user.name')]], any: true }])
    .node('102', 15, { params: { String1: ref('entry.user.name'), all: ref('entry', 'object') }, outputs: { output: 'string' } })
    .loop('103', { params: { one: ref('entry.list', ['string']) }, variables: { total: 1 }, outputs: { last: ref('103.total') } }, (body) =>
      body
        .node('201', 15, { params: { a: ref('103.one'), b: ref('102.output'), c: literal([1], ['integer']) } })
        .edges('start > 201 > end'),
    )
    .batch('104', { params: { one: ref('103.texts', ['string']) }, outputs: { all: ref('202.output', ['string']) } }, (body) =>
      body.node('202', 15, { params: { a: ref('104.one') }, outputs: { output: 'string' } }).edges('start > 202 > end'),
    )
    .node('105', 15, { onError: { processType: 3 }, params: { a: fields({ b: ref('104.all', ['string']) }) } })
    .exit({ out: ref('105.output'), other: variable('app', 'city') })
    .edges('entry > 101:true > 102 > 103:loop-output > 104:batch-output > 105:default > exit')
    .edges('101:true_1 > exit', '101:false > exit', '105:branch_error > exit')
}
