import { describe, expect, test } from 'vitest'
import { drawCanvas, fields, input, params, ref, variable } from '../../../test/support/canvas-builder.ts'
import type { Drawing } from '../../../test/support/canvas-builder.ts'
import { issuesOf, messagesOf } from '../../../test/support/drawing-issues.ts'
import type { ValueType } from '../values/value-type.ts'

const CONNECTED = 'entry > 101 > exit'
const text = { params: { String1: 'a' }, outputs: { output: 'string' } } as const

describe('what cannot be run', () => {
  const settingIssues = async (sketch: Parameters<Drawing['node']>[2], type = 15) =>
    issuesOf(
      drawCanvas()
        .entry({ list: ['string'] })
        .node('101', type, { title: 'it', ...sketch })
        .exit({})
        .edges(CONNECTED),
    )

  test('a node that refers to itself', async () => {
    expect(await settingIssues({ params: { a: fields({ b: ref('101.output') }) } })).toEqual([
      { nodeId: '101', nodeTitle: 'it', path: 'inputs.inputParameters[0].input', message: 'node "it" refers to itself' },
    ])
  })

  test('two values for one name', async () => {
    const twice = [...params({ a: 'x' }), ...params({ a: 'y' })]
    const inputs = { inputParameters: [...twice, { name: 'o', input: { type: 'object', schema: twice, value: { type: 'object_ref' } } }] }
    const message = 'there are two values for "a": use a name once'
    expect(await settingIssues({ inputs })).toEqual([
      { nodeId: '101', nodeTitle: 'it', path: 'inputs.inputParameters[1]', message },
      { nodeId: '101', nodeTitle: 'it', path: 'inputs.inputParameters[2].input.schema[1]', message },
    ])

    const loop = drawCanvas()
      .entry({})
      .loop('101', { params: { a: [1] }, variables: { a: 1 } }, (body) => body.node('201', 15, text).edges('start > 201 > end'))
      .exit({})
      .edges(CONNECTED)
    expect(await messagesOf(loop)).toEqual([message])
  })

  test('default data that is not there', async () => {
    expect(await settingIssues({ ...text, onError: { processType: 2, dataOnErr: '' } })).toEqual([
      {
        ...{ nodeId: '101', nodeTitle: 'it', path: 'inputs.settingOnError.dataOnErr' },
        message: 'must hold the data to go on with after an error',
      },
    ])
  })

  test('a right side that an operator does not take', async () => {
    const operators = (...conditions: [number, string, ReturnType<typeof input>?][]) =>
      drawCanvas()
        .entry({})
        .selector('101', [{ if: conditions }], { title: 'it' })
        .exit({})
        .edges('entry > 101:true > exit', '101:false > exit')

    expect(await issuesOf(operators([9, 'a'], [10, 'a', ref('.')], [1, 'a', input('b')]))).toEqual([])
    expect(await issuesOf(operators([9, 'a'], [12, 'a', input('b')]))).toEqual([
      {
        ...{ nodeId: '101', nodeTitle: 'it', path: 'inputs.branches[0].condition.conditions[1].right' },
        message: 'the operator 12 compares with nothing: remove the right side',
      },
    ])
  })

  test('batch mode without its one list of objects', async () => {
    const batch = { batchEnable: true, batchSize: 10, concurrentSize: 2, inputLists: params({ item: ref('entry.list', ['string']) }) }
    const own = { params: { a: ref('101.item') }, inputs: { batch } }

    expect(await settingIssues({ ...own, outputs: { rows: [{ output: 'string' }] } }, 3)).toEqual([])
    expect(await settingIssues({ ...own, outputs: { output: 'string' } }, 3)).toEqual([
      {
        ...{ nodeId: '101', nodeTitle: 'it', path: 'outputs' },
        message: 'a node in batch mode must have exactly one output, which is a list of objects',
      },
    ])
  })

  test('two assignments to one variable; the app and the user may have one of the same name', async () => {
    const assign = (scope: 'app' | 'user', name: string) => ({ name, left: variable(scope, name), input: input('x') })
    const assignments = (...inputParameters: ReturnType<typeof assign>[]) => settingIssues({ inputs: { inputParameters } }, 40)

    expect(await assignments(assign('app', 'city'), assign('user', 'city'))).toEqual([])
    expect(await assignments(assign('app', 'city'), assign('app', 'city'))).toEqual([
      expect.objectContaining({ path: 'inputs.inputParameters[1]' }),
    ])
  })

  test('loop nodes outside of a loop, and variables that the loop does not have', async () => {
    const set = (name: string) => ({ inputs: { inputParameters: [{ left: ref(`101.${name}`), right: input('x') }] } })
    const canvas = drawCanvas()
      .entry({})
      .loop('101', { title: 'again', params: { list: [1] }, variables: { total: 1 } }, (body) =>
        body.node('201', 20, set('total')).node('202', 20, set('sum')).edges('start > 201 > 202 > end'),
      )
      .batch('102', { params: { list: [1] } }, (body) => body.node('203', 19, { title: 'stop' }).edges('start > 203'))
      .exit({})
      .edges('entry > 101 > 102 > exit')

    expect(await messagesOf(canvas)).toEqual(['"sum" is no variable of the loop "again"', 'node "stop" works only in the body of a loop'])
  })

  test('a path through a list of texts, from outside and from a body', async () => {
    const canvas = drawCanvas()
      .entry({ list: ['string'], rows: [{ tags: ['string'] }] })
      .node('101', 15, { title: 'source', outputs: { texts: ['string'], rows: [{ tags: [['string']], name: 'string' }] } })
      .node('102', 15, { params: { good: ref('101.rows.name'), bad: ref('101.texts.name'), deep: ref('101.rows.tags.x') } })
      .loop('103', { title: 'again', params: { row: ref('entry.rows', [{ tags: ['string'] }]) } }, (body) =>
        body.node('201', 15, { params: { good: ref('103.row.tags'), bad: ref('103.row.tags.x') } }).edges('start > 201 > end'),
      )
      .exit({ passed: ref('entry.list.name') })
      .edges('entry > 101 > 102 > 103 > exit')

    expect(await messagesOf(canvas)).toEqual([
      '"texts.name" of node "source" cannot be read: "texts" is a list whose elements are no objects',
      '"rows.tags.x" of node "source" cannot be read: "rows.tags" is a list whose elements are no objects',
      '"row.tags.x" of node "again" cannot be read: "row.tags" is a list whose elements are no objects',
    ])
  })

  test('outputs of a loop that its body does not have', async () => {
    const outputs = { last: ref('101.total'), good: ref('201.output', ['string']), bad: ref('203.output', ['string']) }
    const canvas = drawCanvas()
      .entry({})
      .loop('101', { params: { list: [1] }, variables: { total: 1 }, outputs }, (body) =>
        body.node('201', 15, text).edges('start > 201 > end'),
      )
      .exit({})
      .edges(CONNECTED)

    expect(await issuesOf(canvas)).toEqual([
      {
        ...{ nodeId: '101', nodeTitle: 'node 101', path: 'outputs[2].input' },
        message: 'the node id "101" on which node id "203" depends does not exist',
      },
    ])
  })

  test('a node that reads from one behind it, also out of a body', async () => {
    const canvas = drawCanvas()
      .entry({})
      .node('101', 15, { title: 'early', params: { a: ref('102.output') } })
      .node('102', 15, { title: 'late', ...text })
      .loop('103', { title: 'loop', params: { list: [1] } }, (body) =>
        body.node('201', 15, { params: { a: ref('104.output') } }).edges('start > 201 > end'),
      )
      .node('104', 15, { title: 'after', ...text })
      .exit({})
      .edges('entry > 101 > 102 > 103 > 104 > exit')

    expect(await issuesOf(canvas)).toEqual([
      {
        ...{ nodeId: '101', nodeTitle: 'early', edge: { from: '102', to: '101' } },
        message: 'node "early" reads from node "late", which waits for it: read from nodes that run before',
      },
      {
        ...{ nodeId: '103', nodeTitle: 'loop', edge: { from: '104', to: '103' } },
        message: 'node "loop" reads from node "after", which waits for it: read from nodes that run before',
      },
    ])
  })
})

describe('types of global variables', () => {
  const assign = (name: string, type: Parameters<typeof variable>[2]) => ({ name, left: variable('app', name, type), input: input('x') })
  const inputParameters = [assign('city', 'string'), assign('count', 'string'), assign('tags', ['integer']), assign('other', 'float')]
  const canvas = drawCanvas().entry({}).node('101', 40, { title: 'set', inputs: { inputParameters } }).exit({}).edges(CONNECTED)
  const known: Record<string, ValueType> = {
    city: { kind: 'string' },
    count: { kind: 'integer' },
    tags: { kind: 'list', element: { kind: 'string' } },
  }

  test('are those of the app or agent', async () => {
    expect(await issuesOf(canvas, { findVariableType: (_scope, name) => known[name] })).toEqual([
      {
        ...{ nodeId: '101', nodeTitle: 'set', path: 'inputs.inputParameters[1].left' },
        message: 'node name set,param [count], type mismatch',
      },
      {
        ...{ nodeId: '101', nodeTitle: 'set', path: 'inputs.inputParameters[2].left' },
        message: 'node name set,param [tags], array element type mismatch',
      },
    ])
  })

  test('are not asked for without one', async () => {
    expect(await issuesOf(canvas)).toEqual([])
  })
})
