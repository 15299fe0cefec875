import { screen, within } from '@testing-library/react'
import { expect, test } from 'vitest'
import type { NodeRecord, WorkflowRun } from '../../../../server/src/http/console/workflow-run-wire.ts'
import { fakeConsoleApi } from '../../../test/fake-console-api.ts'
import { renderConsole } from '../../../test/render-console.tsx'
import { RunTrace } from './run-trace.tsx'

const usage = { input_tokens: 1_200, output_tokens: 34 }
const run: WorkflowRun = {
  ...{
    id: '9',
    workflow_id: '7',
    version: 'v1',
    status: 'failed',
    mode: 'sync',
    end_user: 'ann',
    usage,
    created_at: 1_000,
    finished_at: 4_200,
  },
  ...{
    error: { code: 5_000, message: 'it broke' },
    only_node: null,
    conversation_id: null,
    input: '{"n":12345678901234567890}',
    output: '',
  },
  ...{ is_answer: false, waiting: [], log_id: 'req_1' },
}
const record = (path: string, more: Partial<NodeRecord> = {}): NodeRecord => ({
  ...{
    path,
    node_id: path,
    node_type: '15',
    title: `node ${path}`,
    state: 'done',
    started_at: 1_000,
    finished_at: 2_000,
    usage,
    attempts: 1,
  },
  ...{ error: null, inputs: '{"a":1}', outputs: '{"b":2}', is_cut: false, port: '', warnings: [], ...more },
})
const RUN = '/api/console/workflow-runs/9'

test('shows what every step was given and gave, and the whole of what was cut', async () => {
  const items = [
    ...[record('1'), record('5', { title: 'Loop' }), record('5#0', { title: '' }), record('5#0/7', { title: 'Inside' })],
    record('6', {
      title: 'Last',
      state: 'failed',
      error: { code: 5_000, message: 'no way' },
      warnings: ['a value was cut'],
      is_cut: true,
      attempts: 3,
    }),
  ]
  fakeConsoleApi({
    [`GET ${RUN}`]: { data: run },
    [`GET ${RUN}/nodes`]: { data: { items, total: 5 } },
    [`GET ${RUN}/node`]: ({ query }) => ({ data: record(query.get('path') ?? '', { outputs: '{"whole":true}' }) }),
    'GET /api/console/node-types': { data: { items: [{ code: '15', label: { en: 'Text', zh: '文本处理' } }] } },
  })
  const { person, router } = renderConsole(<RunTrace workflowId="7" runId="9" />)
  await screen.findByText('it broke')
  expect(screen.getByText('1,200 in, 34 out')).toBeTruthy()
  expect(screen.getByRole('region', { name: 'Inputs of the run' }).textContent).toContain('12345678901234567890')
  expect(await screen.findByText('Pass 1')).toBeTruthy()

  await person.click(screen.getByRole('button', { name: 'Hide what is inside of Loop' }))
  expect(screen.queryByText('Inside')).toBeNull()

  await person.click(screen.getByRole('button', { name: /^Last/ }))
  const details = await screen.findByRole('region', { name: 'Last' })
  expect(within(details).getByText('no way')).toBeTruthy()
  expect(within(details).getByText('a value was cut')).toBeTruthy()
  expect(router.state.location.search).toBe('?step=6')
  await person.click(within(details).getByRole('button', { name: 'Show all of it' }))
  await within(details).findByText(/"whole": true/)
})

test('a run that waits is answered here', async () => {
  const event = { event_id: '9/1', node_id: '1', node_title: 'ask', type: 'question' }
  const data = JSON.stringify({ messages: [{ type: 'question', content_type: 'text', content: 'Where to?' }] })
  let status = 'waiting'
  const { requests } = fakeConsoleApi({
    [`GET ${RUN}`]: () => ({ data: { ...run, error: null, status, waiting: status === 'waiting' ? [{ ...event, data }] : [] } }),
    [`GET ${RUN}/nodes`]: { data: { items: [], total: 0 } },
    [`POST ${RUN}/answer`]: () => {
      status = 'succeeded'
      return { data: { ...run, cursor: 3 } }
    },
  })
  const { person } = renderConsole(<RunTrace workflowId="7" runId="9" />)
  await person.type(await screen.findByLabelText('Your answer'), 'Rome')
  await person.click(screen.getByRole('button', { name: 'Send answer' }))
  await screen.findByText('Succeeded')
  expect(requests.find(({ method }) => method === 'POST')?.body).toEqual({ event_id: '9/1', data: 'Rome' })
})
