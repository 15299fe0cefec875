import { expect, test } from 'vitest'
import type { NodeRecord } from '../../../../server/src/http/console/workflow-run-wire.ts'
import { openRows, toBar, toTraceRows } from './trace-tree.ts'

const record = (path: string, more: Partial<NodeRecord> = {}): NodeRecord => ({
  ...{ path, node_id: path, node_type: '15', title: path, state: 'done', started_at: 0, finished_at: 10 },
  ...{ usage: { input_tokens: 0, output_tokens: 0 }, attempts: 1, error: null },
  ...{ inputs: '{}', outputs: '{}', is_cut: false, port: '', warnings: [], ...more },
})

test('passes of a loop and nodes of a called workflow lie below what they are a part of', () => {
  const rows = toTraceRows(['1', '5', '5#0', '5#0/7', '5#1', '5#1/7', '8', '8/100001', '9'].map((path) => record(path)))
  expect(rows.map((row) => `${' '.repeat(row.depth)}${row.record.path}`)).toEqual([
    ...['1', '5', ' 5#0', '  5#0/7', ' 5#1', '  5#1/7'],
    ...['8', ' 8/100001', '9'],
  ])
  expect(rows.find(({ pass }) => pass === 2)?.record.path).toBe('5#1')
  expect(openRows(rows, new Set(['5'])).map((row) => row.record.path)).toEqual(['1', '5', '8', '8/100001', '9'])
})

test('what its surroundings have no record of on this page stands by itself', () => {
  expect(toTraceRows([record('5#3/7'), record('9')]).map(({ depth }) => depth)).toEqual([0, 0])
})

test('bars stay within the run, and can be seen', () => {
  const span = { from: 100, to: 200 }
  expect(toBar(record('1', { started_at: 150, finished_at: 200 }), span)).toEqual({ left: 50, width: 50 })
  expect(toBar(record('1', { started_at: 200, finished_at: 200 }), span)).toEqual({ left: 99, width: 0.8 })
  expect(toBar(record('1', { started_at: 100, finished_at: null }), span)).toEqual({ left: 0, width: 100 })
})
