import { fireEvent, screen, within } from '@testing-library/react'
import { expect, test } from 'vitest'
import type { Measures, Usage } from '../../../../server/src/http/console/usage-wire.ts'
import { fakeConsoleApi } from '../../../test/fake-console-api.ts'
import { renderConsole } from '../../../test/render-console.tsx'
// loaded before the clock of a test runs: it is large
import './usage-charts.tsx'
import { parseDayRange, rangeOfPreset } from './usage-range.ts'
import { UsageReport } from './usage-report.tsx'

const measures = (calls: number): Measures => ({
  ...{ calls, errors: 1, canceled: 0, open: 0, input_tokens: 100 * calls, output_tokens: 10 * calls },
  ...{ latency_p50_ms: 900, latency_p95_ms: 2_400, first_token_p50_ms: 120, first_token_p95_ms: null },
})
const DAY = new Date(2026, 0, 5).getTime()
const usage = (calls: number): Usage => ({
  total: measures(calls),
  buckets: [{ from: DAY, to: DAY + 86_400_000, ...measures(calls) }],
  by_agent: [{ agent_id: '9', name: '<img onerror>', ...measures(calls) }],
  by_workflow: null,
  by_key: [{ key_id: '3', name: 'shop', last_four: 'wxyz', is_deleted: true, ...measures(calls) }],
})

// three tabs are drawn, and asked by role: slow where much else runs
test('the tables have the numbers; an agent can be looked at alone', { timeout: 60_000 }, async () => {
  const { requests } = fakeConsoleApi({ 'GET /api/console/usage': { data: usage(1234) } })
  const { person, router } = renderConsole(<UsageReport />)
  const overTime = await screen.findByRole('table', { name: 'Over time' })
  const row = within(overTime).getByRole('row', { name: /Jan 5/ })
  expect(
    within(row)
      .getAllByRole('cell')
      .map((cell) => cell.textContent),
  ).toEqual(['1,234', '1', '0', '123,400', '12,340', '900 ms', '2.4 s', '120 ms', '–'])

  await person.click(screen.getByRole('tab', { name: 'By key' }))
  expect(await screen.findByRole('button', { name: 'shop …wxyz (deleted)' })).toBeTruthy()
  await person.click(screen.getByRole('tab', { name: 'By agent' }))
  await person.click(await screen.findByRole('button', { name: '<img onerror>' }))
  expect(router.state.location.search).toBe('?subject=9')
  expect(await screen.findByText('Only the agent <img onerror>')).toBeTruthy()
  expect(requests.at(-1)?.query.get('agent_id')).toBe('9')
})

test('without a call the page says so; days out of order are not asked for', async () => {
  const { requests } = fakeConsoleApi({ 'GET /api/console/usage': { data: usage(0) } })
  renderConsole(<UsageReport />, { at: '/?from=2026-01-01&to=2026-01-05' })
  expect(await screen.findByRole('heading', { name: 'No chats in this time' })).toBeTruthy()
  const asked = requests.length
  fireEvent.change(screen.getByLabelText('Last day'), { target: { value: '2025-12-01' } })
  expect((await screen.findByRole('alert')).textContent).toContain('Choose two days')
  expect(requests).toHaveLength(asked)
})

test('what cannot be read is an error that can be tried again', async () => {
  fakeConsoleApi({ 'GET /api/console/usage': { status: 500, msg: 'boom' } })
  renderConsole(<UsageReport />)
  expect(await screen.findByRole('button', { name: 'Try again' })).toBeTruthy()
})

test('ranges are whole days of this place', () => {
  const now = new Date(2026, 0, 10, 15, 20).getTime()
  expect(rangeOfPreset('week', now)).toEqual({ from: new Date(2026, 0, 4).getTime(), to: new Date(2026, 0, 11).getTime() })
  expect(rangeOfPreset('day', now).to).toBe(new Date(2026, 0, 10, 16).getTime())
  expect(parseDayRange('2026-02-30', '2026-03-01')).toBeUndefined()
  expect(parseDayRange('2024-01-01', '2026-01-01')).toBeUndefined()
})

test('a key that is looked at alone has a name without calls, and stays for workflows', async () => {
  const key = { id: 7, name: 'shop', api_key: 'pat_****ab12' }
  const { requests } = fakeConsoleApi({ 'GET /api/console/usage': { data: usage(0) } })
  const plain = globalThis.fetch
  globalThis.fetch = async (input, init) => {
    const reply = await plain(input, init)
    return reply.status === 404 ? Response.json({ code: 0, data: {}, ...key }) : reply
  }
  const { person } = renderConsole(<UsageReport />, { at: '/?key=7' })
  await screen.findByText('Only the key shop …ab12')
  await person.click(screen.getByText('Workflow runs'))
  await screen.findByText('Only the key shop …ab12')
  expect(
    requests
      .filter(({ path }) => path.endsWith('/usage'))
      .at(-1)
      ?.query.toString(),
  ).toMatch(/kind=workflow.*key_id=7/)
})
