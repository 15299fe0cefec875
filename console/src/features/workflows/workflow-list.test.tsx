import { screen, within } from '@testing-library/react'
import { expect, test } from 'vitest'
import { fakeConsoleApi } from '../../../test/fake-console-api.ts'
import { renderConsole } from '../../../test/render-console.tsx'
import { ImportCanvasDialog } from './import-canvas-dialog.tsx'
import { WorkflowList } from './workflow-list.tsx'

const item = {
  ...{ id: '7', name: '<img onerror=alert(1)>', description: '', icon_url: '', mode: 'chatflow', app_id: null },
  ...{ version: 'v2', published_at: 1, created_at: 1, updated_at: 1 },
}
const LIST = 'GET /api/console/workflows'

test('shows what there is, and asks the server for what is looked for', async () => {
  const { requests } = fakeConsoleApi({ [LIST]: { data: { items: [item], total: 1 } } })
  const { person } = renderConsole(<WorkflowList actions={null} />, { at: '/?page=2&status=published' })
  expect((await screen.findByRole('link', { name: '<img onerror=alert(1)>' })).getAttribute('href')).toBe('/workflows/7')
  expect(screen.getByText('Live: v2')).toBeTruthy()
  expect(Object.fromEntries(requests[0]?.query ?? [])).toEqual({ page: '2', size: '20', status: 'published' })

  await person.type(screen.getByRole('searchbox'), 'img')
  await expect
    .poll(() => Object.fromEntries(requests.at(-1)?.query ?? []))
    .toEqual({ page: '1', size: '20', search: 'img', status: 'published' })
})

test('is deleted only with its name typed in', async () => {
  const { requests } = fakeConsoleApi({
    [LIST]: { data: { items: [{ ...item, name: 'Old' }], total: 1 } },
    'DELETE /api/console/workflows/7': {},
  })
  const { person } = renderConsole(<WorkflowList actions={null} />)
  await person.click(await screen.findByRole('button', { name: 'More about Old' }))
  await person.click(await screen.findByRole('menuitem', { name: 'Delete' }))
  const dialog = await screen.findByRole('dialog')
  expect(dialog.textContent).toContain('Delete the workflow “Old”?')
  const button = within(dialog).getByRole<HTMLButtonElement>('button', { name: 'Delete workflow' })
  expect(button.disabled).toBe(true)
  await person.type(within(dialog).getByLabelText('Type Old to confirm'), 'Old')
  await person.click(button)
  await expect.poll(() => requests.find(({ method }) => method === 'DELETE')?.body).toEqual({ name: 'Old' })
})

test('a pasted canvas is imported as it is, its issues are listed', async () => {
  const issue = { node_id: '5', node_title: 'Ask', edge: null, path: 'inputs.question', message: 'must be a text' }
  const groups = [{ workflow_id: null, name: '', issues: [issue] }]
  const { requests } = fakeConsoleApi({ 'POST /api/console/workflows': { data: { id: '9', draft: { name: 'Guide' }, groups } } })
  const { person } = renderConsole(<ImportCanvasDialog open onClose={() => undefined} />)
  const canvas = '{"nodes":[{"id":"1","n":12345678901234567890}]}'
  await person.click(screen.getByLabelText('Or paste the canvas'))
  await person.paste(canvas)
  await screen.findByText('1 node')
  await person.type(screen.getByLabelText('Name'), 'Guide')
  await person.click(screen.getByRole('button', { name: 'Import' }))
  expect((await screen.findByRole('listitem')).textContent).toContain('Ask: must be a text inputs.question')
  expect(requests[0]?.body).toEqual({ name: 'Guide', mode: 'workflow', canvas })
})

test('what Coze Studio answers with a canvas in it can be pasted too, and is mended in place', async () => {
  fakeConsoleApi({})
  const { person } = renderConsole(<ImportCanvasDialog open onClose={() => undefined} />)
  const field = screen.getByLabelText<HTMLTextAreaElement>('Or paste the canvas')
  await person.click(field)
  await person.paste(JSON.stringify({ data: { workflow: { schema_json: '{"nodes":[{"id":"1"},{"name":"USER_INPUT"}]}' } } }))
  await screen.findByText('2 nodes')
  expect(screen.getByRole<HTMLInputElement>('radio', { name: 'Chatflow' }).checked).toBe(true)

  await person.paste(' ')
  expect(field.value.startsWith('{"data"')).toBe(true)
})
