import { fireEvent, screen, waitFor, within } from '@testing-library/react'
import { expect, test } from 'vitest'
import { fakeConsoleApi } from '../../../test/fake-console-api.ts'
import { renderConsole } from '../../../test/render-console.tsx'
import { ApiKeyList } from './api-key-list.tsx'
import { NewKeyDialog } from './new-key-dialog.tsx'

const PAT = '/api/permission_api/pat'
const DAY_MS = 86_400_000

/** The routes of keys answer with fields beside `data`; `routes` are those that answer otherwise. */
function fakePatRoutes(keys: object[], { secret = '', routes = {} }: { secret?: string; routes?: FakeRoutes } = {}) {
  const api = fakeConsoleApi(routes)
  const plain = globalThis.fetch
  globalThis.fetch = async (input, init) => {
    const reply = await plain(input, init)
    if (reply.status !== 404) return reply
    return Response.json({ code: 0, msg: '', data: {}, api_keys: keys, total: keys.length, id: 9, name: 'shop', api_key: secret })
  }
  const bodyOf = (part: string) => api.requests.find(({ path }) => path.includes(part))?.body
  return { ...api, bodyOf }
}
type FakeRoutes = Parameters<typeof fakeConsoleApi>[0]

const key = (part: object) => ({
  id: 7,
  name: 'shop',
  api_key: 'pat_****ab12',
  expired_at: 0,
  created_at: Date.now(),
  last_used_at: 0,
  ...part,
})

test('a key is shown once: closed, it is nowhere on the page', async () => {
  const { requests } = fakePatRoutes([], { secret: 'pat_the_whole_secret' })
  let isClosed = false
  const { person, queryClient } = renderConsole(<NewKeyDialog name="shop" onClose={() => (isClosed = true)} />)
  await person.click(screen.getByText('In 30 days'))
  await person.click(screen.getByRole('button', { name: 'Make the key' }))

  const field = await screen.findByLabelText<HTMLInputElement>('The new key')
  expect(field.value).toBe('pat_the_whole_secret')
  const body = requests.find(({ path }) => path.includes('create_'))?.body
  expect(body).toMatchObject({ name: 'shop', expire: expect.toSatisfy((ms: number) => Math.abs(ms - Date.now() - 30 * DAY_MS) < 60_000) })

  await person.click(screen.getByRole('button', { name: 'I have copied it' }))
  expect(isClosed).toBe(true)
  const cached = queryClient.getMutationCache().getAll()
  await waitFor(() => expect(JSON.stringify(cached.map(({ state }) => state.data))).not.toContain('secret'))
})

test('a key without a name is not made', async () => {
  const { requests } = fakePatRoutes([])
  const { person } = renderConsole(<NewKeyDialog onClose={() => undefined} />)
  await person.click(screen.getByRole('button', { name: 'Make the key' }))
  await screen.findByText('Give it a name')
  expect(requests).toEqual([])
})

test('the list says which keys have expired or will soon', async () => {
  const now = Date.now()
  fakePatRoutes([key({}), key({ id: 8, name: 'old', expired_at: now - DAY_MS }), key({ id: 9, name: 'soon', expired_at: now + DAY_MS })])
  renderConsole(<ApiKeyList createButton={null} />)
  await screen.findByText('shop')
  expect([screen.getByText('Active'), screen.getAllByText('Expired')[0], screen.getByText('Expires soon')]).toHaveLength(3)
  expect(screen.getAllByText('pat_****ab12')).toHaveLength(3)
})

test('deleting asks first and names the key', async () => {
  const { requests } = fakePatRoutes([key({})])
  const { person } = renderConsole(<ApiKeyList createButton={null} />)
  await person.click(await screen.findByRole('button', { name: 'Delete shop' }))
  await screen.findByText('Delete the key “shop”?')
  expect(requests.some(({ path }) => path === `${PAT}/delete_personal_access_token_and_permission`)).toBe(false)
  await person.click(screen.getByRole('button', { name: 'Delete key' }))
  await waitFor(() => expect(requests.find(({ path }) => path.includes('delete_'))?.body).toEqual({ id: '7' }))
})

test('a key is made with what it may do; what is left alone is not limited', async () => {
  const agents = { items: [{ id: '123456', name: 'Shop helper' }], total: 1 }
  const { bodyOf } = fakePatRoutes([], { secret: 'pat_x', routes: { 'GET /api/console/agents': { data: agents } } })
  const { person } = renderConsole(<NewKeyDialog name="shop" onClose={() => undefined} />)
  await person.click(screen.getByRole('button', { name: /No limits/ }))
  // by label and text: roles are slow to find in a form of this size
  const only = (group: string) => within(screen.getByLabelText(group, { selector: '[role=radiogroup]' })).getByText('Only these')
  await person.click(only('Actions'))
  await person.click(screen.getByLabelText(/^Chat/))
  await person.click(only('Agents'))
  expect(screen.getByText(/no agent exists for this key/)).toBeTruthy()
  await person.click(screen.getByLabelText('Agents', { selector: '[role=combobox]' }))
  await person.click(await screen.findByText('Shop helper'))
  fireEvent.change(screen.getByLabelText('Addresses'), { target: { value: '10.0.0.0/8, 203.0.113.7' } })
  fireEvent.change(screen.getByLabelText('Calls per minute'), { target: { value: '60' } })
  await screen.findByText('Only: Chat · 1 agent · from 2 ranges · 60 calls a minute')

  await person.click(screen.getByRole('button', { name: 'Make the key' }))
  await screen.findByLabelText('The new key')
  const policy = { actions: ['chat'], bot_ids: ['123456'], allowed_cidrs: ['10.0.0.0/8', '203.0.113.7'], requests_per_minute: 60 }
  expect(bodyOf('create_')).toEqual({ name: 'shop', expire: 0, policy })
})

test('what the server refuses of the policy stands at its field, folded away or not', async () => {
  const update = `POST ${PAT}/update_personal_access_token_and_permission`
  const msg = 'policy.allowed_cidrs.1: must be an address or a range such as 203.0.113.7'
  const limited = key({ policy: { allowed_cidrs: ['10.0.0.0/8'], requests_per_minute: 5 } })
  const { requests } = fakePatRoutes([limited], { routes: { [update]: { status: 422, msg } } })
  const { person } = renderConsole(<ApiKeyList createButton={null} />)
  await person.click(await screen.findByRole('button', { name: 'Edit shop' }))
  const dialog = await screen.findByRole('dialog', { name: 'Edit the key “shop”' })
  const fold = within(dialog).getByRole('button', { name: /^Limits/ })
  expect(fold.textContent).toContain('From 10.0.0.0/8 · 5 calls a minute')
  await person.click(fold)
  await person.type(within(dialog).getByLabelText('Addresses'), '\nnowhere')
  await person.click(fold)
  await person.click(within(dialog).getByRole('button', { name: 'Save' }))

  await within(dialog).findByText(/^“nowhere” is no address or range/)
  expect(fold.getAttribute('aria-expanded')).toBe('true')
  const sent = requests.find(({ path }) => path.includes('update_'))?.body
  expect(sent).toEqual({ id: '7', name: 'shop', policy: { allowed_cidrs: ['10.0.0.0/8', 'nowhere'], requests_per_minute: 5 } })
})

test('a new name leaves the policy and the expiry alone', async () => {
  const { bodyOf } = fakePatRoutes([key({ policy: { bot_ids: [] }, expired_at: Date.now() + 30 * DAY_MS })])
  const { person } = renderConsole(<ApiKeyList createButton={null} />)
  await screen.findByText('No agents')
  await person.click(screen.getByRole('button', { name: 'Edit shop' }))
  const dialog = await screen.findByRole('dialog')
  await person.type(within(dialog).getByLabelText('Name'), ' 2')
  await person.click(within(dialog).getByRole('button', { name: 'Save' }))
  await waitFor(() => expect(bodyOf('update_')).toEqual({ id: '7', name: 'shop 2' }))
})

test('rotating shows the new secret once, and says how long the old one works', async () => {
  const old = { last4: 'zz99', valid_until: Date.now() + DAY_MS, last_used_at: 0 }
  const { bodyOf } = fakePatRoutes([key({ old_secrets: [old] })], { secret: 'pat_the_new_one' })
  const { person, queryClient } = renderConsole(<ApiKeyList createButton={null} />)
  await screen.findByText(/earlier secret …zz99 is valid until/)
  await person.click(screen.getByRole('button', { name: 'Rotate shop' }))
  await person.click(await screen.findByText('for 7 days'))
  await person.click(screen.getByRole('button', { name: 'Make a new secret' }))

  const field = await screen.findByLabelText<HTMLInputElement>('The new key')
  expect(field.value).toBe('pat_the_new_one')
  expect(bodyOf('rotate_')).toEqual({ id: '7', overlap_seconds: 7 * 86_400 })
  await screen.findByText(/The old secret, pat_\*\*\*\*ab12, is valid until/)
  await person.click(screen.getByRole('button', { name: 'I have copied it' }))
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
  const cached = queryClient.getMutationCache().getAll()
  expect(JSON.stringify(cached.map(({ state }) => state.data))).not.toContain('the_new_one')
})

test('disabling asks first, enabling does not', async () => {
  const { requests } = fakePatRoutes([key({}), key({ id: 8, name: 'old', disabled: true })])
  const { person } = renderConsole(<ApiKeyList createButton={null} />)
  await person.click(await screen.findByRole('button', { name: 'Enable old' }))
  const changes = () => requests.flatMap(({ path, body }) => (path.includes('update_') ? [body] : []))
  await waitFor(() => expect(changes()).toEqual([{ id: '8', disabled: false }]))
  await person.click(screen.getByRole('button', { name: 'Disable shop' }))
  await person.click(await screen.findByRole('button', { name: 'Disable key' }))
  await waitFor(() => expect(changes()[1]).toEqual({ id: '7', disabled: true }))
})

test('one click leads to the usage of a key', async () => {
  fakePatRoutes([key({})])
  const { person, router } = renderConsole(<ApiKeyList createButton={null} />)
  await person.click(await screen.findByRole('link', { name: 'Usage of shop' }))
  expect(router.state.location).toMatchObject({ pathname: '/usage', search: '?key=7' })
})
