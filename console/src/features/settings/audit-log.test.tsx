import { fireEvent, screen, within } from '@testing-library/react'
import { expect, test } from 'vitest'
import type { AuditEntry } from '../../../../server/src/http/console/audit-wire.ts'
import { fakeConsoleApi } from '../../../test/fake-console-api.ts'
import { renderConsole } from '../../../test/render-console.tsx'
import { AuditLog } from './audit-log.tsx'

const entry = (part: Partial<AuditEntry>): AuditEntry => ({
  ...{ id: '1', at: Date.UTC(2026, 0, 5), actor_kind: 'session', actor_user_id: '1', actor_email: 'ada@example.com', key_id: null },
  ...{ address: '10.0.0.9', action: 'key.rotate', target_kind: 'key', target_id: '7', details: {} },
  ...part,
})

const users = {
  data: { items: [{ id: '1', email: 'ada@example.com', name: 'Ada', role: 'admin', is_disabled: false, created_at: 1 }], total: 1 },
}

function renderLog(items: AuditEntry[], at = '/') {
  const { requests } = fakeConsoleApi({
    'GET /api/console/audit': { data: { items, total: items.length } },
    'GET /api/console/users': users,
  })
  const lastQuery = () => {
    const asked = requests.filter(({ path }) => path.endsWith('/audit')).at(-1)
    return asked && Object.fromEntries(asked.query)
  }
  return { lastQuery, ...renderConsole(<AuditLog />, { at }) }
}

test('an entry says who did what to what, from where; what has no name is shown as it is', async () => {
  renderLog([
    entry({ details: { overlap_seconds: 60 } }),
    entry({ id: '2', actor_kind: 'key', key_id: '3', action: 'agent.publish', target_kind: 'agent', target_id: '9' }),
    entry({ id: '3', actor_kind: 'command', actor_user_id: null, actor_email: null, address: 'root@host', details: { name: 'shop' } }),
    entry({ id: '4', actor_user_id: null, actor_email: null, action: 'user.sign_in_failed', target_kind: 'user', target_id: '' }),
    entry({ id: '6', action: 'key.update', details: { disabled: true } }),
    entry({ id: '5', actor_user_id: '44', actor_email: null, action: 'thing.new', target_kind: 'thing' }),
  ])
  const rows = within(await screen.findByRole('table', { name: 'Audit log' }))
    .getAllByRole('row')
    .slice(1)
  const textOf = (row: HTMLElement) =>
    within(row)
      .getAllByRole('cell')
      .slice(0, 4)
      .map((cell) => cell.textContent.trim())
  expect(rows.map(textOf)).toEqual([
    ['ada@example.com', 'Key rotated', 'Key 7', '10.0.0.9'],
    ['ada@example.com API key 3', 'Agent published', 'Agent 9', '10.0.0.9'],
    ['Command line', 'Key rotated', 'Key 7 “shop”', 'root@host'],
    ['Nobody signed in', 'Sign-in refused', 'User', '10.0.0.9'],
    ['ada@example.com', 'Key disabled', 'Key 7', '10.0.0.9'],
    ['User 44', 'thing.new', 'thing 7', '10.0.0.9'],
  ])
})

test('filters are in the address; a day begins here', async () => {
  const { person, router, lastQuery } = renderLog([entry({})], '/?actor=1')
  await screen.findByRole('table')
  expect(lastQuery()).toEqual({ page: '1', size: '20', actor: '1' })
  await person.type(screen.getByRole('combobox', { name: 'What was done' }), 'all: api')
  await person.click(await screen.findByTitle('All: API keys'))
  fireEvent.change(screen.getByLabelText('Since'), { target: { value: '2026-01-05' } })
  expect(Object.fromEntries(new URLSearchParams(router.state.location.search))).toEqual({ actor: '1', action: 'key.', since: '2026-01-05' })
  await screen.findByRole('table')
  expect(lastQuery()).toMatchObject({ action: 'key.', actor: '1', from: String(new Date(2026, 0, 5).getTime()) })
})

test('the details are all that was recorded', async () => {
  const { person } = renderLog([entry({ details: { overlap_seconds: 3600 } })])
  await person.click(await screen.findByRole('button', { name: 'Details of entry 1' }))
  const dialog = await screen.findByRole('dialog')
  for (const text of ['Entry 1', 'ada@example.com', 'the console', '10.0.0.9', 'key.rotate', 'overlap_seconds', '3600'])
    expect(within(dialog).getByText(text)).toBeTruthy()
})

test('where nothing is found, one button shows all again', async () => {
  const { person, router } = renderLog([], '/?action=key.&page=3')
  await screen.findByText('No entry is like that')
  await person.click(screen.getByRole('button', { name: 'Show all' }))
  expect(router.state.location.search).toBe('')
  await screen.findByText('Nothing has been recorded yet')
})
