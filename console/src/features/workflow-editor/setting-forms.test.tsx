import { screen, within } from '@testing-library/react'
import { expect, test } from 'vitest'
import type { NodeTypeInfo, SettingHint, Workflow } from '../../../../server/src/http/console/builder-workflow-wire.ts'
import { renderConsole } from '../../../test/render-console.tsx'
import { indexCanvas } from './canvas-model.ts'
import { readAt } from './canvas-json.ts'
import { EditorRoomProvider, useEditorState } from './editor-room.ts'
import { createEditorStore } from './editor-store.ts'
import { SettingField } from './setting-field.tsx'
import { createWorkflowStash } from './workflow-stash.ts'

const words = (en: string) => ({ en, zh: en })
const types = new Map<string, NodeTypeInfo>()

/** One setting of one node; answers what its `data` is now. */
function openSetting(type: string, { inputs, outputs = [] }: { inputs: object; outputs?: object[] }, hint: SettingHint) {
  const nodes = [{ id: '5', type, data: { inputs, outputs } }]
  const workflow: Workflow = {
    ...{ id: '7', revision: 'r1', created_at: 1, updated_at: 1, live: null, has_unpublished_changes: true, inputs: [] },
    draft: {
      ...{ name: 'w', description: '', icon_url: '', mode: 'workflow' },
      app_id: null,
      on_crash: 'resume',
      canvas: JSON.stringify({ nodes }),
    },
  }
  const { draft: _draft, ...stored } = workflow
  const stash = createWorkflowStash({ userId: '1', workflowId: crypto.randomUUID() })
  const store = createEditorStore(workflow, { stash, save: async () => stored })
  const room = { workflowId: '7', store, types, issues: [], selectedId: '5', select: () => undefined }
  const Open = () => {
    const node = useEditorState(({ canvas }) => indexCanvas(canvas).nodes.get('5'))
    return node && <SettingField node={node} hint={hint} />
  }
  const view = renderConsole(
    <EditorRoomProvider value={room}>
      <Open />
    </EditorRoomProvider>,
  )
  return { ...view, dataAt: (path: string) => readAt(indexCanvas(store.getState().canvas).nodes.get('5')?.data, path) }
}

test('a group that is renamed renames its output, and keeps what else is known of it', async () => {
  const variables = [{ type: 'integer', value: { type: 'ref', content: { source: 'block-output', blockID: '1', name: 'n' } } }]
  const outputs = [{ name: 'Group1', type: 'string', description: 'mine' }]
  const hint: SettingHint = { path: 'inputs.mergeGroups', kind: 'json', label: words('Groups') }
  const { person, dataAt } = openSetting('32', { inputs: { mergeGroups: [{ name: 'Group1', variables }] }, outputs }, hint)
  await person.type(screen.getByRole('textbox', { name: 'Name' }), 's')
  expect(dataAt('outputs')).toEqual([{ name: 'Group1s', type: 'integer', description: 'mine' }])
  await person.click(screen.getByRole('button', { name: 'Add group' }))
  expect(dataAt('outputs')).toMatchObject([{ name: 'Group1s' }, { name: 'Group1', type: 'string' }])
  await person.click(within(screen.getByRole('group', { name: 'Group1s' })).getByRole('button', { name: 'Remove Group1s' }))
  expect(dataAt('outputs')).toMatchObject([{ name: 'Group1' }])
})

test('a variable of the app says its name and scope in all places of the canvas', async () => {
  const hint: SettingHint = { path: 'inputs.inputParameters', kind: 'json', label: words('Variables') }
  const { person, dataAt } = openSetting('40', { inputs: { inputParameters: [], variableTypeMap: {} } }, hint)
  await person.click(screen.getByRole('button', { name: 'Add variable' }))
  await person.type(screen.getByRole('textbox', { name: 'Variable' }), 'region')
  await person.type(screen.getByRole('textbox', { name: 'New value of region' }), 'eu')
  expect(dataAt('inputs')).toEqual({
    inputParameters: [
      {
        name: 'region',
        left: {
          type: 'string',
          value: { type: 'ref', content: { source: 'global_variable_app', path: ['region'], blockID: '', name: '' } },
        },
        input: { type: 'string', value: { type: 'literal', content: 'eu' } },
      },
    ],
    variableTypeMap: { region: 'global_variable_app' },
  })
})

test('the form of an input node and its outputs are the same fields', async () => {
  const field = { type: 'string', name: 'input', required: true }
  const hint: SettingHint = { path: 'inputs.outputSchema', kind: 'long_text', label: words('Fields') }
  const { person, dataAt } = openSetting('30', { inputs: { outputSchema: JSON.stringify([field]) }, outputs: [field] }, hint)
  await person.type(screen.getByRole('textbox', { name: 'Name' }), 's')
  expect(dataAt('inputs.outputSchema')).toBe(JSON.stringify([{ ...field, name: 'inputs' }]))
  expect(dataAt('outputs')).toEqual([{ ...field, name: 'inputs' }])
})

test('a token is put where the request looks for it', async () => {
  const auth = { authOpen: true, authType: 'BEARER_AUTH', authData: { customData: { addTo: 'query' } } }
  const hint: SettingHint = { path: 'inputs.auth', kind: 'json', label: words('Authentication') }
  const { person, dataAt } = openSetting('45', { inputs: { auth } }, hint)
  await person.type(screen.getByRole('textbox', { name: 'Token' }), 't')
  const input = { type: 'string', value: { type: 'literal', content: 't' } }
  expect(dataAt('inputs.auth')).toEqual({
    ...auth,
    authData: { ...auth.authData, bearerTokenData: [{ name: 'token', type: 'string', input }] },
  })
})
