import { screen, waitFor } from '@testing-library/react'
import { expect, test } from 'vitest'
import { fakeConsoleApi } from '../../../test/fake-console-api.ts'
import { renderConsole } from '../../../test/render-console.tsx'
import { ApiKeyList } from './api-key-list.tsx'
import { NewKeyDialog } from './new-key-dialog.tsx'

const PAT = '/api/permission_api/pat'
const DAY_MS = 86_400_000

/** These routes answer with fields beside `data`. */
function fakePatRoutes(keys: object[], secret = '') {
  const api = fakeConsoleApi({})
  const plain = globalThis.fetch
  globalThis.fetch = async (input, init) => {
    await plain(input, init)
    return Response.json({ code: 0, msg: '', data: {}, api_keys: keys, total: keys.length, id: 9, name: 'shop', api_key: secret })
  }
  return api
}

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
  const { requests } = fakePatRoutes([], 'pat_the_whole_secret')
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
