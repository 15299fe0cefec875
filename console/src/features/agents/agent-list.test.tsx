import { screen, waitFor } from '@testing-library/react'
import { expect, test } from 'vitest'
import { fakeConsoleApi } from '../../../test/fake-console-api.ts'
import { renderConsole } from '../../../test/render-console.tsx'
import { AgentList } from './agent-list.tsx'

const item = (id: number, name = `Agent ${id}`) => ({
  ...{ id: String(id), name, description: '', icon_url: 'https://evil.example/spy.png', version: null, published_at: null },
  ...{ created_at: 1, updated_at: Date.now(), last_call_at: null },
})
const render = (at = '/agents') =>
  renderConsole(<AgentList createButton={<button type="button">New agent</button>} />, { at, path: '/agents' })

test('without any agent it says what to do', async () => {
  fakeConsoleApi({ 'GET /api/console/agents': { data: { items: [], total: 0 } } })
  render()
  await screen.findByRole('heading', { name: 'Make your first agent' })
  expect(screen.getByRole('button', { name: 'New agent' })).toBeDefined()
})

test('of 10,000 agents one page is asked for; the page, the search and the status are in the address', async () => {
  const { requests } = fakeConsoleApi({
    'GET /api/console/agents': ({ query }) => ({ data: { items: [item(Number(query.get('page')) * 100)], total: 10_000 } }),
  })
  const { person, router } = render('/agents?page=3')
  await screen.findByRole('link', { name: 'Agent 300' })
  expect(requests[0]?.query.get('size')).toBe('20')
  await person.click(screen.getByTitle('4'))
  await screen.findByRole('link', { name: 'Agent 400' })

  await person.type(screen.getByRole('searchbox'), 'tea')
  await waitFor(() => expect(requests.at(-1)?.query.get('search')).toBe('tea'))
  expect(requests.at(-1)?.query.get('page')).toBe('1')
  await person.click(screen.getByText('Published'))
  await waitFor(() => expect(router.state.location.search).toBe('?q=tea&status=published'))
})

test('a search without result offers to show all', async () => {
  fakeConsoleApi({
    'GET /api/console/agents': ({ query }) => ({ data: query.get('search') ? { items: [], total: 0 } : { items: [item(1)], total: 1 } }),
  })
  const { person } = render('/agents?q=nothing')
  await person.click(await screen.findByRole('button', { name: 'Show all agents' }))
  await screen.findByRole('link', { name: 'Agent 1' })
})

test('hostile names are text, and pictures of other servers are not fetched', async () => {
  fakeConsoleApi({ 'GET /api/console/agents': { data: { items: [item(1, '<img src=x onerror=alert(1)>')], total: 1 } } })
  const { container } = render()
  await screen.findByRole('link', { name: '<img src=x onerror=alert(1)>' })
  expect(container.querySelector('img')).toBeNull()
})

test('a server that fails is said, and asked again on demand', async () => {
  let isBroken = true
  fakeConsoleApi({ 'GET /api/console/agents': () => (isBroken ? { status: 500, msg: 'bug' } : { data: { items: [item(1)], total: 1 } }) })
  const { person } = render()
  const retry = await screen.findByRole('button', { name: 'Try again' })
  isBroken = false
  await person.click(retry)
  await screen.findByRole('link', { name: 'Agent 1' })
})
