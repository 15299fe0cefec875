import { describe, expect, test } from 'vitest'
import { drawCanvas, params, ref } from '../support/canvas-builder.ts'
import { answers, hang, says } from '../support/fake-provider.ts'
import { SECONDS } from '../support/chat-shapes.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { useTestApp } from '../support/test-app.ts'
import type { Json, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'
import { asking, brackets, framesOf, publish, reading, speaking, useProvider } from '../support/workflow-app.ts'

const NO_RUN = { status: 404, message: 'the run does not exist: check execute_id and workflow_id' }

describe.each(testDatabases())('histories of workflows on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  describe('works', () => {
    describe('for runs', () => listsRuns(app))
    describe('for the nodes of a run', () => listsNodes(app))
  })
  describe('refuses bad input', () => {
    test('ids that are none, pages that are none, and what is not there', async () => {
      const { workflow_id, execute_id } = await runBrackets(app)
      const refusal = async (path: string) => app.call('GET', path)
      expectRefusal(await refusal('/v1/workflow/get_run_history'), { status: 422, message: 'workflow id is required' })
      expectRefusal(await refusal('/v1/workflow/get_run_history?workflow_id=x'), { status: 422, message: /^workflow_id: must be/ })
      const history = `/v1/workflow/get_run_history?workflow_id=${workflow_id}`
      expectRefusal(await refusal(`${history}&page_num=0`), { status: 422, message: 'page_num: must be a page number from 1' })
      expectRefusal(await refusal(`${history}&page_size=101`), { status: 422, message: 'page_size: must be a number from 1 to 100' })
      expectRefusal(await refusal(`${history}&execute_id=7`), NO_RUN)
      expectRefusal(await refusal(`/v1/workflow/get_run_history?workflow_id=7&execute_id=${execute_id}`), NO_RUN)
      expectRefusal(await refusal('/v1/workflow/get_run_history?workflow_id=7'), { status: 404, message: 'workflow not found' })
      expectRefusal(await refusal(`/v1/workflows/7/run_histories/${execute_id}`), NO_RUN)
      expectRefusal(await refusal(`/v1/workflows/${workflow_id}/run_histories/x`), { status: 422, message: /^execute_id: must be/ })
      const nodes = `/v1/workflows/${workflow_id}/run_histories/${execute_id}/execute_nodes`
      expectRefusal(await refusal(`${nodes}/nothing`), { status: 404, message: /^the run has no such execution of a node/ })
      expectRefusal(await refusal(`${nodes}?page_size=0`), { status: 422, message: 'page_size: must be a number from 1 to 100' })
    })
  })
  describe('refuses the wrong key', () => {
    test('another user sees no runs and no nodes', async () => {
      const { workflow_id, execute_id } = await runBrackets(app)
      const { apiKey } = await app.makeUser()
      const list = `/v1/workflow/get_run_history?workflow_id=${workflow_id}`
      expectRefusal(await app.call('GET', list, undefined, { apiKey }), { status: 404, message: 'workflow not found' })
      const single = `/v1/workflows/${workflow_id}/run_histories/${execute_id}`
      for (const path of [`${list}&execute_id=${execute_id}`, single, `${single}/execute_nodes`, `${single}/execute_nodes/x`]) {
        expectRefusal(await app.call('GET', path, undefined, { apiKey }), NO_RUN)
        expect((await app.call('GET', path, undefined, { apiKey: '' })).status).toBe(401)
      }
    })
  })

  keepsItsSecrets(app)
})

async function runBrackets(app: TestApp, more: object = {}): Promise<{ workflow_id: string; execute_id: string }> {
  const workflow_id = await publish(app, brackets())
  const { body } = await app.call('POST', '/v1/workflow/run', { workflow_id, parameters: { word: 'hi' }, ...more })
  return { workflow_id, execute_id: body.execute_id }
}

const historyOf = async (app: TestApp, workflow_id: string, query = ''): Promise<Json> =>
  (await app.call('GET', `/v1/workflow/get_run_history?workflow_id=${workflow_id}${query}`)).body

const retrieve = async (app: TestApp, workflow_id: string, execute_id: string): Promise<Json> =>
  (await app.call('GET', `/v1/workflows/${workflow_id}/run_histories/${execute_id}`)).body.data

function listsRuns(app: TestApp): void {
  test('a run has the keys of Coze Studio and of hosted Coze, and ids are texts', async () => {
    const bot_id = await app.makeBot(app.userId)
    const { workflow_id, execute_id } = await runBrackets(app, { bot_id, user_id: 'ada', connector_id: '999' })
    const body = await historyOf(app, workflow_id, `&execute_id=${execute_id}`)
    const usage = { token_count: 0, input_count: 0, output_count: 0 }
    const item = {
      ...{ execute_id, execute_status: 'Success', workflow_id, workflow_version: 'v0.0.1', bot_id, app_id: '0', connector_id: '999' },
      ...{ connector_uid: 'ada', run_mode: 0, create_time: SECONDS, update_time: SECONDS, is_output_trimmed: false },
      ...{ input: '{"word":"hi"}', output: '{"said":"\\u003chi\\u003e","times":1}', token: '0', cost: '0', usage },
      ...{ error_code: '', error_message: '', error_msg: '', logid: expect.stringMatching(/^req_\d+$/) },
      debug_url: `${app.url}/workflows/${workflow_id}/runs/${execute_id}`,
    }
    expect(body).toEqual({ code: 0, msg: '', data: [{ ...item, log_id: expect.any(String) }], has_more: false, detail: expect.anything() })
    expect(body.data[0].log_id).toBe(body.data[0].logid)
    expect(await retrieve(app, workflow_id, execute_id)).toEqual([{ ...body.data[0], node_execute_status: expect.any(Object) }])
  })

  test('without execute_id: the newest first, in pages', async () => {
    const workflow_id = await publish(app, brackets())
    for (const word of ['1', '2', '3']) await app.call('POST', '/v1/workflow/run', { workflow_id, parameters: { word } })
    const words = async (query: string) => {
      const { data, has_more } = await historyOf(app, workflow_id, query)
      return [...data.map((run: Json) => JSON.parse(run.input).word), has_more]
    }
    expect(await words('')).toEqual(['3', '2', '1', false])
    expect(await words('&page_size=2')).toEqual(['3', '2', true])
    expect(await words('&page_size=2&page_num=2')).toEqual(['1', false])
    expect(await words('&page_num=9')).toEqual([false])
    expect(await historyOf(app, await publish(app, brackets()))).toMatchObject({ data: [], has_more: false })
  })

  test('failed: with the code that callers know', async () => {
    const workflow_id = await publish(app, reading())
    const { body } = await app.call('POST', '/v1/workflow/run', { workflow_id, parameters: { text: 'no JSON' } })
    const [item] = (await historyOf(app, workflow_id)).data
    expect(item).toMatchObject({
      execute_status: 'Fail',
      error_code: '720701013',
      error_message: body.msg,
      error_msg: body.msg,
      output: '',
    })
  })

  test('waiting: Running, with what it waits for', async () => {
    const workflow_id = await publish(app, asking())
    const { body } = await app.call('POST', '/v1/workflow/run', { workflow_id })
    const waiting = { execute_status: 'Running', interrupt_data: body.interrupt_data }
    expect((await historyOf(app, workflow_id)).data).toMatchObject([waiting])
    expect(await retrieve(app, workflow_id, body.execute_id)).toMatchObject([waiting])
  })

  test('running, and canceled: Cancel as in Coze Studio, Fail for the SDKs', async () => {
    await useProvider(app)
    app.provider.script = answers([hang()])
    const workflow_id = await publish(app, speaking())
    const { execute_id } = (await app.call('POST', '/v1/workflow/run', { workflow_id, is_async: true })).body
    await app.provider.untilRequests(1)
    expect((await historyOf(app, workflow_id)).data).toMatchObject([{ execute_id, execute_status: 'Running', run_mode: 2 }])
    await app.call('POST', '/v1/workflow/cancel', { workflow_id, execute_id })
    expect((await historyOf(app, workflow_id)).data).toMatchObject([{ execute_status: 'Cancel', error_code: '777777777' }])
    expect(await retrieve(app, workflow_id, execute_id)).toMatchObject([{ execute_status: 'Fail', error_code: '777777777' }])
  })
}

/** A loop over two words, with a model in each pass. */
const looping = () =>
  drawCanvas()
    .entry({ words: ['string'] })
    .loop(
      '101',
      { title: 'each', params: { word: ref('entry.words', ['string']) }, outputs: { said: ref('201.output', ['string']) } },
      (body) =>
        body
          .node('201', 3, {
            ...{ title: 'model', params: { word: ref('101.word') }, outputs: { output: 'string' } },
            inputs: { llmParam: params({ prompt: '{{word}}' }) },
          })
          .edges('start > 201 > end'),
    )
    .exit({ said: ref('101.said', ['string']) })
    .edges('entry > 101:loop-output > exit')
    .build()

function listsNodes(app: TestApp): void {
  const nodesOf = async (workflow_id: string, execute_id: string, query = ''): Promise<Json> =>
    (await app.call('GET', `/v1/workflows/${workflow_id}/run_histories/${execute_id}/execute_nodes${query}`)).body

  test('in the order in which they began, passes of loops and what is in them too', async () => {
    await useProvider(app)
    app.provider.script = ({ lastUserText }) => says(`<${lastUserText}>`)
    const workflow_id = await publish(app, looping())
    const { execute_id } = (await app.call('POST', '/v1/workflow/run', { workflow_id, parameters: { words: ['a', 'b'] } })).body
    const { data, has_more } = await nodesOf(workflow_id, execute_id)
    expect(has_more).toBe(false)
    const paths: string[] = data.map((node: Json) => node.path)
    expect(new Set(paths).size).toBe(paths.length)
    expect(paths[0]).toBe('100001')
    expect(paths.at(-1)).toBe('900001')
    expect(paths.filter((path) => path.startsWith('$'))).toEqual([])

    const models = data.filter((node: Json) => node.node_id === '201')
    expect(models.map(({ path, output }: Json) => [path, output])).toEqual([
      ['101#0/201', '{"output":"<a>"}'],
      ['101#1/201', '{"output":"<b>"}'],
    ])
    expect(models[0]).toEqual({
      ...{
        node_execute_uuid: expect.stringMatching(/^[\w-]{22}$/),
        path: '101#0/201',
        node_id: '201',
        node_type: 'LLM',
        node_title: 'model',
      },
      ...{ status: 'done', is_finish: true, input: '{"word":"a"}', output: '{"output":"<a>"}', node_output: '{"output":"<a>"}', port: '' },
      ...{ token: '2', usage: { token_count: 2, input_count: 1, output_count: 1 }, attempts: 1, warnings: [] },
      ...{ error_code: '', error_message: '', create_time: SECONDS, update_time: SECONDS, duration_ms: expect.any(Number) },
    })
  })

  test('in pages, and one by one', async () => {
    const { workflow_id, execute_id } = await runBrackets(app)
    const pages = [1, 2, 3].map((page) => nodesOf(workflow_id, execute_id, `?page_size=2&page_num=${page}`))
    const listed = await Promise.all(pages)
    expect(listed.map(({ data, has_more }) => [data.map((node: Json) => node.node_id), has_more])).toEqual([
      [['100001', '101'], true],
      [['900001'], false],
      [[], false],
    ])
    for (const node of listed[0].data) {
      const { body } = await app.call(
        'GET',
        `/v1/workflows/${workflow_id}/run_histories/${execute_id}/execute_nodes/${node.node_execute_uuid}`,
      )
      expect(body.data).toEqual(node)
    }
    const [{ node_execute_status: statuses }] = await retrieve(app, workflow_id, execute_id)
    expect(statuses['101']).toEqual({
      ...{ node_id: '101', node_execute_uuid: listed[0].data[1].node_execute_uuid, is_finish: true, update_time: SECONDS },
    })
  })

  test('those that failed or wait say so', async () => {
    const failing = await publish(app, reading())
    const failed = (await app.call('POST', '/v1/workflow/run', { workflow_id: failing, parameters: { text: 'no JSON' } })).body
    expect((await nodesOf(failing, failed.execute_id)).data[1]).toMatchObject({
      status: 'failed',
      is_finish: true,
      error_code: '720701013',
    })

    const workflow_id = await publish(app, asking())
    const path = '/v1/workflow/stream_run'
    await framesOf(app, { workflow_id }, { path })
    const [{ execute_id }] = (await historyOf(app, workflow_id)).data
    expect((await nodesOf(workflow_id, execute_id)).data[1]).toMatchObject({ node_title: 'place', status: 'waiting', is_finish: false })
  })
}
