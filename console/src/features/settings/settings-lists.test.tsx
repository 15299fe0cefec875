import { screen, waitFor, within } from '@testing-library/react'
import { expect, test } from 'vitest'
import type { Model } from '../../../../server/src/http/console/model-wire.ts'
import type { Status } from '../../../../server/src/http/console/status-wire.ts'
import type { User } from '../../../../server/src/http/console/user-wire.ts'
import { fakeConsoleApi } from '../../../test/fake-console-api.ts'
import { renderConsole } from '../../../test/render-console.tsx'
import { ModelList } from './model-list.tsx'
import { ServerStatus } from './server-status.tsx'
import { UserList } from './user-list.tsx'

const MODEL: Model = {
  ...{ id: '4', name: 'fast', protocol: 'openai', base_url: 'https://llm.example/v1', provider_model: 'f-1', has_api_key: true },
  ...{ is_built_in: false, created_at: 1, updated_at: 1 },
}
const models = { data: { items: [MODEL], total: 1 } }
const USER: User = { id: '1', email: 'ada@example.com', name: 'Ada', role: 'admin', is_disabled: false, created_at: 1 }

test('a model whose test fails says what is wrong', async () => {
  const { requests } = fakeConsoleApi({
    'GET /api/console/models': models,
    'POST /api/console/models/test': { data: { ok: false, kind: 'auth', message: 'status 401. Check the API key' } },
  })
  const { person } = renderConsole(<ModelList />)
  await person.click(await screen.findByRole('button', { name: 'Test fast' }))
  const alert = await screen.findByRole('alert')
  expect(alert.textContent).toContain('The provider does not accept the key')
  expect(alert.textContent).toContain('Check the API key')
  expect(requests.filter(({ method }) => method === 'POST')).toMatchObject([{ body: { id: '4', base_url: 'https://llm.example/v1' } }])
})

test('changing a model keeps its key unless another is entered, and a refusal keeps the dialog', async () => {
  let tries = 0
  const { requests } = fakeConsoleApi({
    'GET /api/console/models': models,
    'PUT /api/console/models/4': () => (tries++ === 0 ? { status: 422, msg: 'api_key: enter it again' } : { data: MODEL }),
  })
  const { person } = renderConsole(<ModelList />)
  await person.click(await screen.findByRole('button', { name: 'Change fast' }))
  const dialog = await screen.findByRole('dialog', { name: 'Change the model “fast”' })
  await person.click(within(dialog).getByRole('button', { name: 'Save' }))
  expect((await within(dialog).findByRole('alert')).textContent).toContain('enter it again')

  await person.type(within(dialog).getByLabelText('API key'), 'sk-new')
  await person.click(within(dialog).getByRole('button', { name: 'Save' }))
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
  expect(requests.filter(({ method }) => method === 'PUT').map(({ body }) => body)).toMatchObject([
    { api_key: null },
    { api_key: 'sk-new' },
  ])
  expect(document.body.innerHTML).not.toContain('sk-new')
})

test('a model may be on any host and port that the server can reach', async () => {
  const { requests } = fakeConsoleApi({
    'GET /api/console/models': models,
    'POST /api/console/models/test': { data: { ok: true, latency_ms: 1, answer: 'ok' } },
  })
  const { person } = renderConsole(<ModelList />)
  await person.click(await screen.findByRole('button', { name: 'Add a model' }))
  const dialog = await screen.findByRole('dialog')
  await person.type(within(dialog).getByLabelText('Model of the provider'), 'm')
  const url = within(dialog).getByLabelText('Base URL')
  await person.click(url)
  await person.paste('ollama:11434')
  await person.click(within(dialog).getByRole('button', { name: 'Test connection' }))
  await within(dialog).findByText(/begins with http/)

  for (const good of ['http://ollama:11434/v1', 'http://127.0.0.1:9']) {
    await person.clear(url)
    await person.paste(good)
    await person.click(within(dialog).getByRole('button', { name: /^Test/ }))
    await waitFor(() => expect(requests.at(-1)?.body).toMatchObject({ base_url: good }))
  }
})

test('who is no administrator sees the models, and nothing to change', async () => {
  fakeConsoleApi({ 'GET /api/console/models': models })
  renderConsole(<ModelList />, { user: { id: '2', email: 'bob@example.com', name: 'Bob', role: 'user' } })
  await screen.findByRole('table', { name: 'Models' })
  expect(screen.queryByRole('button', { name: /fast|Add/ })).toBeNull()
})

test('a user is disabled only after a question that names them, and never oneself', async () => {
  const { requests } = fakeConsoleApi({
    'GET /api/console/users': { data: { items: [USER, { ...USER, id: '2', email: 'bob@example.com', role: 'user' }], total: 2 } },
    'PUT /api/console/users/2': { data: USER },
  })
  const { person } = renderConsole(<UserList />)
  await person.click(await screen.findByRole('button', { name: 'Disable bob@example.com' }))
  expect(screen.queryByRole('button', { name: 'Disable ada@example.com' })).toBeNull()
  const dialog = await screen.findByRole('dialog', { name: 'Disable bob@example.com?' })
  await person.click(within(dialog).getByRole('button', { name: 'Disable user' }))
  await waitFor(() => expect(requests.find(({ method }) => method === 'PUT')?.body).toEqual({ is_disabled: true }))
})

test('the status names what does not work and what to do', async () => {
  const part = { kind: 'SQLite', version: '3.50', is_ok: true, problem: '', latency_ms: 1, free_bytes: null }
  const status: Status = {
    ...{ version: '0.1.0', node_version: '24.9.0', started_at: 1, uptime_ms: 5, public_url: 'http://x', database: part, redis: null },
    ...{ storage: { ...part, kind: 'disk', is_ok: false, problem: 'the disk is full: free some space', free_bytes: 0 } },
    ...{ running_runs: 2, open_streams: 1, memory_bytes: 1e8, nodes: 1 },
  }
  fakeConsoleApi({ 'GET /api/console/status': { data: status } })
  renderConsole(<ServerStatus />)
  const storage = await screen.findByRole('region', { name: 'File storage' })
  expect(storage.textContent).toContain('Does not work')
  expect(storage.textContent).toContain('the disk is full')
  expect(screen.getByRole('region', { name: 'Redis' }).textContent).toContain('Not used')
})
