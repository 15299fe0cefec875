import { configure, screen, within } from '@testing-library/react'
import { expect, test } from 'vitest'
import { drawCanvas, ref } from '../../../../server/test/support/canvas-builder.ts'
import { fakeConsoleApi } from '../../../test/fake-console-api.ts'
import { renderConsole } from '../../../test/render-console.tsx'
import { WorkflowEditor } from './workflow-editor.tsx'

const words = (en: string) => ({ en, zh: en })
const kind = (code: string, en: string, more: object = {}) => ({
  ...{ code, name: en, label: words(en), description: words(`what ${en} does`), group: 'flow', ports: [{ id: '', label: words('') }] },
  ...{ port_rule: 'none', has_input: true, has_body: false, only_in_body: false, handles_errors: false, can_add: true },
  ...{ settings: [], initial: { nodeMeta: { title: en }, inputs: {} }, ...more },
})
const settings = [
  { path: 'inputs.inputParameters', kind: 'inputs', label: words('Inputs') },
  { path: 'inputs.limit', kind: 'number', label: words('Limit') },
  { path: 'inputs.llmParam', param: 'prompt', kind: 'long_text', label: words('Prompt') },
]
const items = [
  kind('1', 'Start', { has_input: false, can_add: false }),
  kind('2', 'End', { ports: [], can_add: false }),
  kind('15', 'Text', { settings }),
  kind('8', 'If', {
    ...{ port_rule: 'conditions', ports: [{ id: 'false', label: words('else') }] },
    settings: [{ path: 'inputs.branches', kind: 'conditions', label: words('Branches') }],
  }),
]
const PATH = '/api/console/workflows/7'

/** The editor on a server that stores; `issues` are those of every check. */
function openEditor(canvas: unknown, issues: object[] = []) {
  const draft = {
    name: 'Guide',
    description: '',
    icon_url: '',
    mode: 'workflow',
    app_id: null,
    on_crash: 'resume',
    canvas: JSON.stringify(canvas),
  }
  const stored = { id: '7', revision: 'r1', created_at: 1, updated_at: 1, live: null, has_unpublished_changes: true, inputs: [] }
  const saved: { nodes: { id: string; data: unknown }[]; edges: object[] }[] = []
  const texts: string[] = []
  fakeConsoleApi({
    [`GET ${PATH}`]: { data: { ...stored, draft } },
    'GET /api/console/node-types': { data: { items } },
    [`POST ${PATH}/check`]: { data: { groups: issues.length > 0 ? [{ workflow_id: null, name: '', issues }] : [] } },
    [`PUT ${PATH}/draft`]: ({ body }) => {
      texts.push((body as { draft: { canvas: string } }).draft.canvas)
      saved.push(JSON.parse(texts.at(-1) ?? ''))
      return { data: { ...stored, revision: `r${saved.length + 1}` } }
    },
  })
  return { ...renderConsole(<WorkflowEditor workflowId="7" />), saved, texts }
}

// all of the editor in a made-up browser: seconds, and many of them on a machine that does other things too
const PATIENT = { timeout: 60_000 }
configure({ asyncUtilTimeout: 20_000 })

const issueAt = (node_id: string) => [{ node_id, node_title: 'Join', edge: null, path: 'inputs.limit', message: 'must be a number' }]

const joined = () =>
  drawCanvas()
    .entry({ city: 'string' })
    .node('101', 15, {
      ...{ title: 'Join', params: { city: ref('entry.city') } },
      inputs: {
        limit: 3,
        x_unknown: ['kept'],
        llmParam: [{ name: 'prompt', input: { type: 'string', value: { type: 'literal', content: 'old' } } }],
      },
    })
    .exit({})
    .edges('entry > 101 > exit')
    .build()

test('an issue leads to its node; a setting is saved, and nothing else has changed', PATIENT, async () => {
  const { person, saved } = openEditor(joined(), issueAt('101'))
  await person.click(await screen.findByRole('button', { name: '1 issue' }))
  await person.click(
    within(await screen.findByRole('region', { name: 'What keeps it from running' })).getByRole('button', { name: 'Join' }),
  )
  const panel = await screen.findByRole('region', { name: 'Join' })
  expect(within(panel).getByText('must be a number')).toBeTruthy()
  const prompt = within(panel).getByLabelText('Prompt')
  await person.clear(prompt)
  await person.type(prompt, 'new')
  const wanted = joined()
  Object.assign(wanted.nodes[1]?.data.inputs ?? {}, {
    llmParam: [{ name: 'prompt', input: { type: 'string', value: { type: 'literal', content: 'new' } } }],
  })
  await expect.poll(() => saved.at(-1), { timeout: 10_000 }).toEqual(wanted)
})

test('any field is edited as JSON; what is no JSON is refused', PATIENT, async () => {
  const { person, texts } = openEditor(joined(), issueAt('101'))
  await person.click(await screen.findByRole('button', { name: '1 issue' }))
  await person.click(await screen.findByRole('button', { name: 'Join' }))
  await person.click(await screen.findByRole('tab', { name: 'JSON' }))
  const field = await screen.findByLabelText(/Everything the canvas holds/)
  await person.clear(field)
  await person.click(field)
  await person.paste('{"inputs": ')
  await person.click(screen.getByRole('button', { name: 'Apply' }))
  await screen.findByText(/This is not valid JSON/)
  await person.clear(field)
  await person.click(field)
  await person.paste('{"inputs": {"mine": 12345678901234567890}}')
  await person.click(screen.getByRole('button', { name: 'Apply' }))
  await expect.poll(() => texts.at(-1), { timeout: 10_000 }).toContain('"data":{"inputs":{"mine":12345678901234567890}}')
})

test('a branch that is removed takes its line along, and the ones behind it keep theirs', PATIENT, async () => {
  const canvas = drawCanvas()
    .entry({ a: 'string' })
    .selector('101', [{ if: [[9, ref('entry.a')]] }, { if: [[10, ref('entry.a')]] }], { title: 'Join' })
    .node('102', 15)
    .node('103', 15)
    .exit({})
    .edges('entry > 101:true > 102 > exit', '101:true_1 > 103 > exit', '101:false > exit')
    .build()
  const { person, saved } = openEditor(canvas, issueAt('101'))
  await person.click(await screen.findByRole('button', { name: '1 issue' }))
  await person.click(await screen.findByRole('button', { name: 'Join' }))
  await person.click(await screen.findByRole('button', { name: 'Remove Branch 1' }))
  await expect
    .poll(() => saved.at(-1)?.edges.filter((edge) => 'sourcePortID' in edge), { timeout: 10_000 })
    .toEqual([
      { sourceNodeID: '101', sourcePortID: 'true', targetNodeID: '103' },
      { sourceNodeID: '101', sourcePortID: 'false', targetNodeID: '900001' },
    ])
})
