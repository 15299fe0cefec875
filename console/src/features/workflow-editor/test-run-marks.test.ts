import { expect, test } from 'vitest'
import type { NodeState } from '../../../../server/src/http/console/workflow-run-wire.ts'
import { toMarks } from './test-run-marks.ts'

const state = (path: string, more: Partial<NodeState> = {}): NodeState => ({
  ...{ path, node_id: path.split('/').at(-1) ?? '', node_type: '15', title: '', state: 'done', started_at: 0, finished_at: 5 },
  ...{ usage: { input_tokens: 0, output_tokens: 0 }, attempts: 1, error: null, ...more },
})

test('nodes in a loop count their passes, and the most urgent state is shown', () => {
  const marks = toMarks([
    state('5', { state: 'running', finished_at: null }),
    state('5#0'),
    state('5#0/7'),
    state('5#1/7', { state: 'waiting' }),
  ])
  expect(marks.get('7')).toEqual({ state: 'waiting', count: 2, ms: 10 })
  expect(marks.get('5')).toEqual({ state: 'running', count: 1, ms: undefined })
})

test('nodes of a called workflow leave no mark, though their ids are those of this one', () => {
  expect([...toMarks([state('100001'), state('8'), state('8/100001', { state: 'failed' }), state('8/5#0/7')]).keys()]).toEqual([
    '100001',
    '8',
  ])
  expect(toMarks([state('100001'), state('8/100001', { state: 'failed' })]).get('100001')?.state).toBe('done')
})
