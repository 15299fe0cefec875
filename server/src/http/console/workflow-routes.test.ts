import { describe, expect, test } from 'vitest'
import { drawCanvas, params, ref } from '../../../test/support/canvas-builder.ts'
import { openConsole } from '../../../test/support/console-client.ts'
import { useTestApp } from '../../../test/support/test-app.ts'
import type { Json } from '../../../test/support/test-app.ts'
import { testDatabases } from '../../../test/support/test-databases.ts'

const greeting = (text = 'Hello {{String1}}') =>
  JSON.stringify(
    drawCanvas()
      .entry({ name: 'string', 'times!': 'integer' }, { name: 'you' })
      .node('101', 15, {
        ...{ title: 'greet', params: { String1: ref('entry.name') }, outputs: { output: 'string' } },
        inputs: { method: 'concat', concatParams: params({ concatResult: text }) },
      })
      .exit({ greeting: ref('101.output') })
      .edges('entry > 101 > exit')
      .build(),
  )

const BROKEN = JSON.stringify(
  drawCanvas()
    .entry({ name: 'string' })
    .node('101', 15, { title: 'lonely', inputs: { method: 'concat', concatParams: [] }, outputs: { output: 'string' } })
    .exit({ greeting: ref('101.output') })
    .edges('entry > 101')
    .build(),
)

describe.each(testDatabases())('workflows in the console on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  test('a new one can run at once; an imported one says what it wants to know', async () => {
    const ada = await openConsole(app)
    const empty = await ada.make('workflows', { name: 'Empty' })
    expect(empty).toMatchObject({
      draft: { name: 'Empty', mode: 'workflow', on_crash: 'resume', app_id: null },
      inputs: [{ name: 'input', type: { kind: 'string' }, required: false, default: null }],
      ...{ groups: [], live: null, has_unpublished_changes: true },
    })
    expect((await ada.make('workflows', { name: 'Talk', mode: 'chatflow' })).inputs).toMatchObject([
      { name: 'USER_INPUT' },
      { name: 'CONVERSATION_NAME' },
    ])

    const imported = await ada.make('workflows', { name: 'Greet', canvas: greeting() })
    expect(imported.inputs).toMatchObject([
      { name: 'name', type: { kind: 'string' }, required: false, default: 'you' },
      { name: 'times', type: { kind: 'integer' }, required: true, default: null },
    ])
    const { groups, ...read } = imported
    expect(groups).toEqual([])
    expect(await ada.read(`workflows/${imported.id}`)).toEqual(read)
    const wrapped = JSON.stringify({ data: { workflow: { schema_json: greeting() } } })
    expect((await ada.make('workflows', { name: 'Wrapped', canvas: wrapped })).draft.canvas).toBe(imported.draft.canvas)
  })

  test('a canvas with issues is kept, with each of them at its node; it is published when it is mended', async () => {
    const ada = await openConsole(app)
    const workflow = await ada.make('workflows', { name: 'Broken', canvas: BROKEN })
    expect(workflow.groups).toEqual([
      {
        workflow_id: null,
        name: 'Broken',
        issues: [{ node_id: '101', node_title: 'lonely', edge: null, path: '', message: expect.stringContaining('not connected') }],
      },
    ])
    expect(await ada.make(`workflows/${workflow.id}/check`)).toEqual({ groups: workflow.groups })
    expect(await ada.make(`workflows/${workflow.id}/check`, { canvas: greeting() })).toEqual({ groups: [] })
    expect(await ada.post(`workflows/${workflow.id}/publish`)).toMatchObject({
      status: 422,
      body: { msg: 'the workflow cannot be published before its canvas is mended: 1 issue', groups: workflow.groups },
    })

    const { draft, revision } = workflow
    const saved = await ada.save(`workflows/${workflow.id}/draft`, { draft: { ...draft, canvas: greeting() }, revision })
    const published = await ada.make(`workflows/${workflow.id}/publish`, { note: 'mended', revision: saved.revision })
    expect(published).toMatchObject({ live: { version: expect.any(String), note: 'mended' }, has_unpublished_changes: false })
    const run = await app.call('POST', '/v1/workflow/run', { workflow_id: workflow.id, parameters: { name: 'Ada', times: 1 } })
    expect(JSON.parse(run.body.data)).toEqual({ greeting: 'Hello Ada' })
  })

  test('what is no canvas is refused, in words', async () => {
    const ada = await openConsole(app)
    const refusal = async (canvas: string) => (await ada.post('workflows', { name: 'x', canvas })).body.msg
    expect(await refusal('{')).toContain('the canvas is not valid JSON')
    expect(await refusal('[]')).toContain('must be a JSON object')
    const odd = await ada.make('workflows', { name: 'odd', canvas: '{"nodes":5}' })
    expect(odd).toMatchObject({ inputs: null, groups: [{ issues: [{ node_id: null, message: expect.stringContaining('no canvas') }] }] })
    const future = greeting().replace('"type":"15"', '"type":"4711"')
    expect((await ada.make('workflows', { name: 'x', canvas: future })).groups[0].issues[0]).toMatchObject({ node_id: '101' })
  })

  test('two tabs: the second is told, and nothing is overwritten', async () => {
    const ada = await openConsole(app)
    const workflow = await ada.make('workflows', { name: 'Tabs', canvas: greeting() })
    const save = (draft: object, revision: string) =>
      ada.put(`workflows/${workflow.id}/draft`, { draft: { ...workflow.draft, ...draft }, revision })

    const first = await save({ canvas: greeting('one') }, workflow.revision)
    expect(first.status).toBe(200)
    expect(await save({ canvas: greeting('two') }, workflow.revision)).toMatchObject({ status: 409 })
    expect((await ada.read(`workflows/${workflow.id}`)).draft.canvas).toContain('one')
    expect(await ada.post(`workflows/${workflow.id}/publish`, { revision: workflow.revision })).toMatchObject({ status: 409 })
    await ada.make(`workflows/${workflow.id}/publish`, { revision: first.body.data.revision })
    const all = await Promise.all(Array.from({ length: 6 }, (_, n) => save({ description: `tab ${n}` }, first.body.data.revision)))
    expect(all.map(({ status }) => status).toSorted()).toEqual([200, 409, 409, 409, 409, 409])
  })

  test('versions: listed, read, rolled back to, taken offline, deleted', async () => {
    const ada = await openConsole(app)
    const workflow = await ada.make('workflows', { name: 'Versions', canvas: greeting('one {{String1}}') })
    const at = `workflows/${workflow.id}`
    const one = await ada.make(`${at}/publish`, { version: 'v1.0.0' })
    await ada.save(`${at}/draft`, { draft: { ...workflow.draft, canvas: greeting('two {{String1}}') }, revision: one.revision })
    await ada.make(`${at}/publish`, { version: 'v2.0.0' })
    const run = async () => (await app.call('POST', '/v1/workflow/run', { workflow_id: workflow.id, parameters: { times: 1 } })).body
    expect(JSON.parse((await run()).data)).toEqual({ greeting: 'two you' })

    expect(await ada.read(`${at}/versions`)).toMatchObject({
      items: [
        { version: 'v2.0.0', is_live: true },
        { version: 'v1.0.0', is_live: false },
      ],
      total: 2,
    })
    expect((await ada.read(`${at}/versions/v1.0.0`)).draft.canvas).toContain('one')
    expect(await ada.make(`${at}/roll-back`, { version: 'v1.0.0' })).toMatchObject({ live: { version: 'v1.0.0' } })
    expect(JSON.parse((await run()).data)).toEqual({ greeting: 'one you' })
    expect(await ada.make(`${at}/unpublish`)).toMatchObject({ live: null })
    expect((await run()).msg).toContain('not published')

    expect(await ada.delete(at, { name: 'Version' })).toMatchObject({ status: 422 })
    expect(await ada.delete(at, { name: 'Versions' })).toMatchObject({ status: 200 })
    expect(await ada.get(at)).toMatchObject({ status: 404 })
  })

  test('the list: search, mode, status, pages', async () => {
    const builder = await app.makeUser()
    const bob = await openConsole(app, builder.email)
    for (const each of ['one', 'Two', 'three']) await bob.make('workflows', { name: each, mode: each === 'Two' ? 'chatflow' : 'workflow' })
    const { items } = await bob.read('workflows')
    await bob.make(`workflows/${items[0].id}/publish`)
    const names = async (query: string) => {
      const page = await bob.read(`workflows?${query}`)
      return [page.items.map((item: Json) => item.name), page.total]
    }

    expect(await names('size=2')).toEqual([['three', 'Two'], 3])
    expect(await names('search=t')).toEqual([['three', 'Two'], 2])
    expect(await names('mode=chatflow')).toEqual([['Two'], 1])
    expect(await names('status=published')).toEqual([['three'], 1])
    expect(await names('status=draft&page=2&size=1')).toEqual([['one'], 2])
  })

  test('the catalogue of nodes is there for the editor', async () => {
    const { items } = await (await openConsole(app)).read('node-types')
    expect(items.find((item: Json) => item.code === '8')).toMatchObject({
      ...{ name: 'If', label: { en: 'If', zh: '选择器' }, port_rule: 'conditions', has_input: true, can_add: true },
      ports: [{ id: 'true' }, { id: 'false' }],
    })
  })
})
