import { describe, expect, test } from 'vitest'
import { drawCanvas, params, ref } from '../../../test/support/canvas-builder.ts'
import { openConsole } from '../../../test/support/console-client.ts'
import type { ConsoleClient } from '../../../test/support/console-client.ts'
import { answers, hang } from '../../../test/support/fake-answers.ts'
import type { Frame } from '../../../test/support/sse-frames.ts'
import { useTestApp } from '../../../test/support/test-app.ts'
import type { Json } from '../../../test/support/test-app.ts'
import { testDatabases } from '../../../test/support/test-databases.ts'

const concat = (text: string, from: string) => ({
  ...{ title: 'text', params: { String1: ref(from) }, outputs: { output: 'string' as const } },
  inputs: { method: 'concat', concatParams: params({ concatResult: text }) },
})

const asking = drawCanvas()
  .entry({ count: 'integer', tags: ['string'] })
  .node('101', 15, concat('you said {{String1}}', 'entry.count'))
  .node('102', 18, {
    ...{ title: 'ask', params: { so_far: ref('101.output') }, outputs: { USER_RESPONSE: 'string' } },
    inputs: {
      question: '{{so_far}}, and your name?',
      answer_type: 'text',
      option_type: 'static',
      options: [],
      extra_output: false,
      limit: 3,
    },
  })
  .exit({ text: ref('101.output'), name: ref('102.USER_RESPONSE'), tags: ref('entry.tags', ['string']) })
  .edges('entry > 101 > 102 > exit')
  .build()

const make = async (console: ConsoleClient, canvas: object, settings: object = {}): Promise<string> =>
  (await console.make('workflows', { name: 'Runs', canvas: JSON.stringify(canvas), ...settings })).id

const statesIn = (frames: Frame[]) => {
  const nodes = frames.filter(({ event }) => event === 'nodes').flatMap(({ data }) => data.nodes as Json[])
  return Object.fromEntries(nodes.map((node) => [node.node_id, node.state]))
}
const endOf = (frames: Frame[]): Json => frames.find(({ event }) => event === 'run')?.data.run

describe.each(testDatabases())('runs in the console on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  test('a test run of the draft: inputs as texts, nodes live, the question answered in place', async () => {
    const ada = await openConsole(app)
    const workflowId = await make(ada, asking)
    const run = await ada.make(`workflows/${workflowId}/test-runs`, { parameters: { count: '3', tags: '["a","b"]' } })
    expect(run).toMatchObject({ workflow_id: workflowId, version: '', cursor: 0 })

    const frames = await ada.stream(`workflow-runs/${run.id}/stream`)
    expect(statesIn(frames)).toEqual({ '100001': 'done', '101': 'done', '102': 'waiting' })
    expect(frames.at(-1)?.event).toBe('end')
    const waiting = endOf(frames)
    expect(waiting).toMatchObject({ status: 'waiting', waiting: [{ node_id: '102', node_title: 'ask', type: 'question' }] })
    expect(waiting.waiting[0].data).toContain('you said 3, and your name?')

    const answer = { event_id: waiting.waiting[0].event_id, data: 'Ada' }
    const going = await ada.make(`workflow-runs/${run.id}/answer`, answer)
    const rest = await ada.stream(`workflow-runs/${run.id}/stream?starting_after=${going.cursor}`)
    expect(statesIn(rest)).toMatchObject({ '102': 'done', '900001': 'done' })
    expect(endOf(rest)).toMatchObject({ status: 'succeeded', finished_at: expect.any(Number), waiting: [] })
    expect(JSON.parse(endOf(rest).output)).toEqual({ name: 'Ada', tags: ['a', 'b'], text: 'you said 3' })
    expect(await ada.read(`workflow-runs/${run.id}`)).toEqual(endOf(rest))
    expect(await ada.post(`workflow-runs/${run.id}/answer`, answer)).toMatchObject({ status: 409 })
    expect(await ada.post(`workflow-runs/${run.id}/answer`, { ...answer, event_id: '1/2' })).toMatchObject({ status: 404 })
  })

  test('the trace: what went in and came out of each node, long values cut and to be had whole', async () => {
    const ada = await openConsole(app)
    const long = 'x'.repeat(30_000)
    const canvas = drawCanvas()
      .entry({ word: 'string' })
      .node('101', 15, concat('<{{String1}}>', 'entry.word'))
      .exit({ text: ref('101.output') })
      .edges('entry > 101 > exit')
      .build()
    const workflowId = await make(ada, canvas)
    const run = await ada.make(`workflows/${workflowId}/test-runs`, { parameters: { word: long } })
    await ada.stream(`workflow-runs/${run.id}/stream`)

    const { items, total } = await ada.read(`workflow-runs/${run.id}/nodes`)
    expect(items.map((node: Json) => [node.node_id, node.node_type, node.state, node.is_cut])).toEqual([
      ['100001', '1', 'done', true],
      ['101', '15', 'done', true],
      ['900001', '2', 'done', true],
    ])
    expect(total).toBe(3)
    expect(items[1].outputs).toHaveLength(20_000)
    const whole = await ada.read(`workflow-runs/${run.id}/node?path=${items[1].path}`)
    expect(whole).toMatchObject({ is_cut: false, error: null, attempts: 1, warnings: [] })
    expect(JSON.parse(whole.outputs)).toEqual({ output: `<${long}>` })
    expect((await ada.read(`workflow-runs/${run.id}/nodes?page=2&size=2`)).items).toHaveLength(1)
    expect(await ada.get(`workflow-runs/${run.id}/node?path=$variables`)).toMatchObject({ status: 404 })
  })

  test('one node alone, with given inputs', async () => {
    const ada = await openConsole(app)
    const workflowId = await make(ada, asking)
    const run = await ada.make(`workflows/${workflowId}/test-runs`, { only_node: '101', parameters: { String1: 'this' } })
    const ended = endOf(await ada.stream(`workflow-runs/${run.id}/stream`))
    expect(ended).toMatchObject({ status: 'succeeded', only_node: '101' })
    expect(JSON.parse(ended.output)).toEqual({ output: 'you said this' })
    expect(await ada.post(`workflows/${workflowId}/test-runs`, { only_node: '4711' })).toMatchObject({ status: 404 })
  })

  test('a chatflow is talked to, in one conversation, which is a test', async () => {
    const ada = await openConsole(app)
    const canvas = drawCanvas()
      .entry({ USER_INPUT: 'string', CONVERSATION_NAME: 'string' })
      .answer('you said {{text}}', { text: ref('entry.USER_INPUT') })
      .edges('entry > exit')
      .build()
    const workflowId = await make(ada, canvas, { mode: 'chatflow' })
    const first = await ada.make(`workflows/${workflowId}/test-runs`, { message: 'hi' })
    const ended = endOf(await ada.stream(`workflow-runs/${first.id}/stream`))
    expect(ended).toMatchObject({ status: 'succeeded', is_answer: true, conversation_id: expect.any(String) })
    expect(JSON.parse(ended.output).data).toBe('you said hi')

    const second = await ada.make(`workflows/${workflowId}/test-runs`, { message: 'again', conversation_id: ended.conversation_id })
    await ada.stream(`workflow-runs/${second.id}/stream`)
    const { items, chats } = await ada.read(`conversations/${ended.conversation_id}/messages`)
    expect(items.map((message: Json) => message.content)).toEqual(['hi', 'you said hi', 'again', 'you said again'])
    expect(chats).toMatchObject([{ kind: 'chatflow', status: 'succeeded' }, { kind: 'chatflow' }])
    expect((await ada.read('conversations?kind=test')).items[0].id).toBe(ended.conversation_id)
  })

  test('a run can be stopped, and what fails says why', async () => {
    app.provider.script = answers([hang()])
    await app.core.db.updateTable('model').set({ name: 'default' }).where('name', '=', 'scripted').execute()
    const ada = await openConsole(app)
    const canvas = drawCanvas()
      .entry({ word: 'string' })
      .node('101', 3, { title: 'model', inputs: { llmParam: params({ modelType: '', prompt: 'hi' }) }, outputs: { output: 'string' } })
      .exit({ text: ref('101.output') })
      .edges('entry > 101 > exit')
      .build()
    const workflowId = await make(ada, canvas)
    const run = await ada.make(`workflows/${workflowId}/test-runs`)
    await app.provider.untilRequests(1)
    const reading = ada.stream(`workflow-runs/${run.id}/stream`)
    expect(await ada.make(`workflow-runs/${run.id}/cancel`)).toMatchObject({ status: 'canceled' })
    expect(endOf(await reading)).toMatchObject({ status: 'canceled' })
    expect(await ada.post(`workflow-runs/${run.id}/cancel`)).toMatchObject({ status: 400 })

    await app.provider.close()
    const failing = await ada.make(`workflows/${workflowId}/test-runs`)
    const frames = await ada.stream(`workflow-runs/${failing.id}/stream`)
    expect(endOf(frames)).toMatchObject({ status: 'failed', error: { code: expect.any(Number), message: expect.any(String) } })
    expect(statesIn(frames)['101']).toBe('failed')
  })

  test('the history: live runs and tests, by status, in pages', async () => {
    const ada = await openConsole(app)
    const canvas = drawCanvas()
      .entry({ word: 'string' })
      .exit({ text: ref('entry.word') })
      .edges('entry > exit')
      .build()
    const workflowId = await make(ada, canvas)
    const at = `workflows/${workflowId}`
    for (const word of ['one', 'two'])
      await ada.stream(`workflow-runs/${(await ada.make(`${at}/test-runs`, { parameters: { word } })).id}/stream`)
    await ada.make(`${at}/publish`)
    await app.call('POST', '/v1/workflow/run', { workflow_id: workflowId, parameters: { word: 'live' } })

    const { items, total } = await ada.read(`${at}/runs`)
    expect(total).toBe(3)
    expect(items.map((run: Json) => [run.status, run.mode, run.version !== ''])).toEqual([
      ['succeeded', 'sync', true],
      ['succeeded', 'stream', false],
      ['succeeded', 'stream', false],
    ])
    expect((await ada.read(`${at}/runs?kind=live`)).items).toEqual([items[0]])
    expect(await ada.read(`${at}/runs?kind=test&size=1&page=2`)).toEqual({ items: [items[2]], total: 2 })
    expect(await ada.read(`${at}/runs?status=failed`)).toEqual({ items: [], total: 0 })
    expect(await ada.get(`${at}/runs?status=odd`)).toMatchObject({ status: 422 })
  })
})
