import { expect, test } from 'vitest'
import { drawCanvas, literal, params, ref } from '../../../test/support/canvas-builder.ts'
import type { Drawing, NodeSketch } from '../../../test/support/canvas-builder.ts'
import { parseCanvas } from './canvas-document.ts'
import { CanvasProblem } from './canvas-problem.ts'
import { describeCanvas } from './describe-canvas.ts'

const describeDrawing = (drawing: Drawing) => describeCanvas(parseCanvas(drawing.build()))
const plain = { required: false, description: '' }

test('inputs are those of the Entry, with defaults and what is required', () => {
  const { inputs } = describeDrawing(
    drawCanvas()
      .entry({ 'city!': 'string', photo: 'image', tags: ['string'] }, { tags: ['a'] })
      .exit({}),
  )

  expect(inputs).toEqual([
    { name: 'city', type: { kind: 'string' }, required: true, description: '', defaultText: undefined },
    { name: 'photo', type: { kind: 'file', file: 'image' }, ...plain, defaultText: undefined },
    { name: 'tags', type: { kind: 'list', element: { kind: 'string' } }, ...plain, defaultText: '["a"]' },
  ])
})

test('outputs have their declared types, and those of what they refer to where the declaration leaves them open', () => {
  const outputs = {
    open: ref('101.user', 'object'),
    rows: ref('102.rows', 'list'),
    name: ref('101.user.name'),
    text: 'x',
    other: ref('101.text', 'object'),
  }
  const drawing = drawCanvas()
    .entry({})
    .node('101', 5, { outputs: { user: { name: 'string' }, text: 'string' } })
    .loop('102', { params: { list: [1] }, outputs: { rows: ref('201.row', ['integer']) } }, (body) =>
      body.node('201', 15, { outputs: { row: 'integer' } }).edges('start > 201 > end'),
    )
    .exit(outputs)
    .edges('entry > 101 > 102 > exit')
  const found = describeDrawing(drawing)

  expect(found.isAnswer).toBe(false)
  expect(found.outputs.map(({ name, type }) => [name, type])).toEqual([
    ['open', { kind: 'object', fields: [expect.objectContaining({ name: 'name' })] }],
    ['rows', { kind: 'list', element: { kind: 'integer' } }],
    ['name', { kind: 'string' }],
    ['text', { kind: 'string' }],
    ['other', { kind: 'object' }],
  ])
})

test('an answer is one text', () => {
  const found = describeDrawing(drawCanvas().entry({}).answer('{{a}}', { a: 1 }))

  expect([found.isAnswer, found.outputs]).toEqual([true, [{ name: 'output', type: { kind: 'string' }, ...plain }]])
})

test('what the nodes use is named once, that of bodies included, that of nodes that are not run not', () => {
  const model = (modelType: string, more: Record<string, unknown> = {}): NodeSketch => ({
    inputs: { llmParam: params({ modelType, enableChatHistory: true, chatHistoryRound: literal('4', 'integer') }), ...more },
  })
  const fcParam = {
    workflowFCParam: { workflowList: [{ workflow_id: '70', workflow_version: 'v1' }] },
    pluginFCParam: { pluginList: [{ plugin_id: '80', api_id: '81', api_name: 'find' }] },
    knowledgeFCParam: { knowledgeList: [{ id: '90' }] },
  }
  const settingOnError = { ext: { backupLLmParam: '{"modelType":2}' } }
  const knowledge = { inputs: { datasetParam: params({ datasetList: literal(['91', '90'], ['string']) }) } }
  const drawing = drawCanvas()
    .entry({})
    .loop('101', { params: { list: [1] } }, (body) =>
      body.node('201', 3, model('1', { fcParam, settingOnError })).edges('start > 201 > end'),
    )
    .node('102', 4, { inputs: { apiParam: params({ pluginID: '82', apiID: '83' }) } })
    .node('103', 6, { inputs: { ...knowledge.inputs, chatHistorySetting: { enableChatHistory: true, chatHistoryRound: 7 } } })
    .node('104', 9, { inputs: { workflowId: '71', workflowVersion: '' } })
    .node('105', 22, { inputs: { llmParam: { modelType: 1 }, chatHistorySetting: { enableChatHistory: false, chatHistoryRound: 30 } } })
    .node('106', 43, { inputs: { databaseInfoList: [{ databaseInfoID: '60' }] } })
    .node('107', 18, { inputs: { llmParam: { modelType: 3 } } })
    .node('108', 60, knowledge)
    .node('109', 3, model('9'))
    .exit({})
    .edges('entry > 101 > 102 > 103 > 104 > 105 > 106 > 107 > 108 > exit')

  expect(describeDrawing(drawing)).toMatchObject({
    workflows: [
      { workflowId: '70', version: 'v1' },
      { workflowId: '71', version: '' },
    ],
    pluginIds: ['80', '82'],
    modelTypes: ['1', '2', '3'],
    knowledgeIds: ['90', '91'],
    tableIds: ['60'],
    historyRounds: 7,
  })
})

test('a canvas that uses nothing says so, one that cannot be read is refused', () => {
  expect(describeDrawing(drawCanvas().entry({}).exit({}).edges('entry > exit'))).toEqual({
    ...{ inputs: [], outputs: [], isAnswer: false, workflows: [], pluginIds: [], modelTypes: [], knowledgeIds: [], tableIds: [] },
    historyRounds: 0,
  })
  const unreadable = drawCanvas()
    .entry({})
    .node('101', 22, { inputs: { llmParam: 'x' } })
    .exit({})
    .edges('entry > 101 > exit')
  expect(() => describeDrawing(unreadable)).toThrow(CanvasProblem)
})
