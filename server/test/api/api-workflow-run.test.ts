import { describe, expect, test } from 'vitest'
import { appVariablesSchema } from '../../src/bots/app-store.ts'
import { saveApp } from '../../src/bots/apps.ts'
import { drawCanvas, params, ref, variable } from '../support/canvas-builder.ts'
import { answers, fails, hang, wait } from '../support/fake-provider.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { keepsItsSecrets } from '../support/secret-search.ts'
import { startSecondNode } from '../support/second-node.ts'
import { startTestApp, useTestApp } from '../support/test-app.ts'
import type { Json, TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'
import { asking, brackets, publish, reading, speaking, useProvider } from '../support/workflow-app.ts'

const NO_USAGE = { token_count: 0, input_count: 0, output_count: 0 }
const BIG = '7234567890123456789'

describe.each(testDatabases())('whole runs of workflows on $name', ({ name }) => {
  const app = useTestApp({ database: name })

  describe('works', () => {
    describe('with a result', () => givesResults(app))
    describe('later', () => answersLater(app))
    describe('once', () => runsOnce(app))
    describe('without a result', () => givesReasons(app))
  })
  describe('refuses bad input', () => refuses(app))
  describe('refuses the wrong key', () => {
    test('another user’s workflow does not exist, and no key is no entry', async () => {
      const workflow_id = await publish(app, brackets())
      const { apiKey } = await app.makeUser()
      const body = { workflow_id, parameters: { word: 'hi' } }
      for (const path of ['/v1/workflow/run', '/v1/workflow/stream_run']) {
        expectRefusal(await app.call('POST', path, body, { apiKey }), { status: 404, message: 'workflow not found' })
        const keyless = await app.call('POST', path, body, { apiKey: '' })
        expectRefusal(keyless, { status: 401, message: 'missing authorization in header' })
      }
    })
  })

  keepsItsSecrets(app)
})

const run = (app: TestApp, body: object, headers: Record<string, string> = {}) => app.call('POST', '/v1/workflow/run', body, { headers })
const resultOf = (body: Json): Json => JSON.parse(body.data)

function givesResults(app: TestApp): void {
  test('the body is the one that Coze answers, whole', async () => {
    const workflow_id = await publish(app, brackets())
    const { status, body, headers } = await run(app, { workflow_id, parameters: { word: '<b>' } })
    expect(status).toBe(200)
    expect(body).toEqual({
      ...{ code: 0, msg: 'Success', data: '{"said":"\\u003c\\u003cb\\u003e\\u003e","times":1}' },
      ...{ execute_id: expect.stringMatching(/^\d{14,16}$/), token: 0, cost: '0', usage: NO_USAGE },
      debug_url: `${app.url}/workflows/${workflow_id}/runs/${body.execute_id}`,
      detail: { logid: headers.get('x-tt-logid') },
    })
  })

  test('ids are numbers or texts, 19 digits long if they want to be; parameters are an object or its text', async () => {
    await publish(app, brackets(), { id: BIG })
    for (const workflow_id of [`"${BIG}"`, BIG]) {
      for (const parameters of ['{"word":"hi","times":"7"}', JSON.stringify('{"word":"hi","times":7}')]) {
        const { body } = await run(app, `{"workflow_id":${workflow_id},"parameters":${parameters}}` as never)
        expect(resultOf(body)).toEqual({ said: '<hi>', times: 7 })
      }
    }
    const neighbour = await run(app, '{"workflow_id":7234567890123456788,"parameters":{"word":"hi"}}' as never)
    expect(neighbour.status).toBe(404)
  })

  test('integers that JavaScript rounds stay exact', async () => {
    const workflow_id = await publish(app, brackets())
    const { body } = await run(app, `{"workflow_id":${workflow_id},"parameters":{"word":"hi","times":9007199254740993}}` as never)
    expect(body.data).toContain('"times":9007199254740993')
  })

  test('fields that are null, empty or not known mean nothing', async () => {
    const workflow_id = await publish(app, brackets())
    const nothing = {
      app_id: '',
      bot_id: null,
      connector_id: '',
      workflow_version: '',
      version: null,
      ext: null,
      user_id: null,
      is_async: null,
    }
    const { body } = await run(app, { workflow_id, parameters: { word: 'hi', nobody: [1] }, execute_mode: 'DEBUG', ...nothing })
    expect(resultOf(body)).toEqual({ said: '<hi>', times: 1 })
    for (const parameters of [undefined, null, '', {}]) {
      const workflow_id = await publish(app, reading())
      expect((await run(app, { workflow_id, parameters })).body.msg).not.toMatch(/parameters/)
    }
  })

  test('a workflow that answers with a text has it wrapped, and the tokens of its models are counted', async () => {
    await useProvider(app)
    app.provider.script = answers(['Hel', 'lo'], { usage: { input: 5, output: 2 } })
    const { body } = await run(app, { workflow_id: await publish(app, speaking()), parameters: { topic: 'cats' } })
    expect(resultOf(body)).toEqual({ content_type: 1, data: 'Hello', type_for_model: 2 })
    expect(body).toMatchObject({ token: 7, usage: { token_count: 7, input_count: 5, output_count: 2 } })
    expect(app.provider.lastRequest.lastUserText).toBe('cats')
  })

  test('the live version runs, or the one that is named', async () => {
    const answering = (text: string) => drawCanvas().entry({}).answer(text, {}).edges('entry > exit').build()
    const workflow_id = await publish(app, answering('first'), { version: 'v1' })
    await publish(app, answering('second'), { id: workflow_id, version: 'v2' })
    const said = async (body: object) => resultOf((await run(app, { workflow_id, ...body })).body).data
    expect(await said({})).toBe('second')
    expect(await said({ workflow_version: 'v1' })).toBe('first')
    expect(await said({ version: 'v1' })).toBe('first')
    expect((await run(app, { workflow_id, version: 'v3' })).text).toContain(`has no version v3`)
  })

  test('its nodes have code, and the variables of its app and of the end user', async () => {
    const variables = appVariablesSchema.parse([
      { name: 'city', default: 'Paris' },
      { name: 'count', type: 'integer', default: '3' },
    ])
    const shop = { name: 'shop', description: '', iconUrl: '', version: '1.0.0', conversations: [], variables }
    await saveApp(app.core, { userId: app.userId }, { id: '700001', ...shop })
    const workflow_id = await publish(app, remembering())
    const before = await run(app, { workflow_id, app_id: 700001, parameters: { to: 'Rome' }, ext: { user_id: 'ada' } })
    expect(resultOf(before.body)).toEqual({ was: 'Paris', is: 'Rome', doubled: 6, who: 'ada' })

    const saidTwice = { workflow_id, project_id: '700001', parameters: { to: 'Oslo' }, user_id: 'ada' }
    expect(resultOf((await run(app, saidTwice)).body).was).toBe('Rome')
    expect(resultOf((await run(app, { ...saidTwice, user_id: 'bob' })).body).was).toBe('Paris')
    expect((await run(app, { workflow_id, parameters: { to: 'x' } })).body).toMatchObject({ code: 777777764, data: null })
  })

  test('URLs lead nowhere where the server’s own network is', async () => {
    const canvas = drawCanvas()
      .entry({})
      .node('101', 45, {
        inputs: {
          apiInfo: { method: 'GET', url: `${app.provider.baseUrl}/models` },
          ...{ body: { bodyType: 'EMPTY' }, headers: [], params: [], auth: { authOpen: false }, setting: { timeout: 5, retryTimes: 0 } },
        },
        outputs: { body: 'string', statusCode: 'integer', headers: 'string' },
      })
      .exit({ body: ref('101.body') })
      .edges('entry > 101 > exit')
      .build()
    const { body } = await run(app, { workflow_id: await publish(app, canvas) })
    expect(body).toMatchObject({ data: null, msg: expect.stringMatching(/private|loopback|not allowed|127\.0\.0\.1/) })
    expect(app.provider.requests).toEqual([])
  })

  test('runs are counted for the operator', async () => {
    const workflow_id = await publish(app, brackets())
    const counted = async () =>
      Number(/workflow_runs_total\{status="succeeded"\} (\d+)/.exec((await app.call('GET', '/metrics')).text)?.[1] ?? 0)
    const before = await counted()
    await run(app, { workflow_id, parameters: { word: 'hi' } })
    expect(await counted()).toBe(before + 1)
  })
}

const remembering = () =>
  drawCanvas()
    .entry({ 'to!': 'string' })
    .node('101', 15, {
      ...{ params: { String1: variable('user', 'city') }, outputs: { output: 'string' } },
      inputs: { method: 'concat', concatParams: params({ concatResult: '{{String1}}' }) },
    })
    .node('102', 40, {
      inputs: { inputParameters: [{ name: 'city', left: variable('user', 'city'), input: ref('entry.to') }] },
      outputs: { isSuccess: 'boolean' },
    })
    .node('103', 5, {
      ...{ params: { count: variable('app', 'count', 'integer') }, outputs: { twice: 'integer' } },
      inputs: { language: 5, code: 'async function main({ params }: Args): Promise<Output> { return { twice: params.count * 2 } }' },
    })
    .exit({
      ...{ was: ref('101.output'), is: variable('user', 'city'), doubled: ref('103.twice', 'integer') },
      who: variable('system', 'sys_uuid'),
    })
    .edges('entry > 101 > 102 > 103 > exit')
    .build()

function answersLater(app: TestApp): void {
  const historyOf = async (workflow_id: string, execute_id: string): Promise<Json> =>
    (await app.call('GET', `/v1/workflow/get_run_history?workflow_id=${workflow_id}&execute_id=${execute_id}`)).body.data[0]

  test('is_async answers at once, and the history has the result', async () => {
    const workflow_id = await publish(app, brackets())
    const { status, body } = await run(app, { workflow_id, parameters: { word: 'hi' }, is_async: true })
    expect(status).toBe(200)
    expect(body).toMatchObject({ code: 0, msg: 'Success', data: null, execute_id: expect.any(String), debug_url: expect.any(String) })
    await expect
      .poll(() => historyOf(workflow_id, body.execute_id))
      .toMatchObject({
        ...{ execute_status: 'Success', run_mode: 2, output: '{"said":"\\u003chi\\u003e","times":1}' },
      })
  })

  test('Prefer: respond-async leads to the result and to the stream', async () => {
    await useProvider(app)
    app.provider.script = answers(['Hel', wait(300), 'lo'])
    const workflow_id = await publish(app, speaking())
    const started = performance.now()
    const { status, headers, body } = await run(app, { workflow_id, parameters: { topic: 'cats' } }, { prefer: 'respond-async' })
    expect(performance.now() - started).toBeLessThan(280)
    expect(status).toBe(202)
    const query = `workflow_id=${workflow_id}&execute_id=${body.execute_id}`
    expect(headers.get('location')).toBe(`/v1/workflow/get_run_history?${query}`)
    expect(headers.get('preference-applied')).toBe('respond-async')
    expect(body).toMatchObject({ code: 0, data: null, stream_url: `/v1/workflow/stream?${query}` })
    expect((await app.call('GET', body.stream_url)).text).toContain('event: Done')
    expect(await historyOf(workflow_id, body.execute_id)).toMatchObject({ execute_status: 'Success' })
  })

  test('a server that stops says where the result will be', async () => {
    await using stopping = await startTestApp({ env: { DRAIN_SECONDS: '0' } })
    await useProvider(stopping)
    stopping.provider.script = answers([hang()])
    const workflow_id = await publish(stopping, speaking())
    const waiting = run(stopping, { workflow_id, parameters: { topic: 'cats' } })
    await stopping.provider.untilRequests(1)
    await stopping.stop()
    const { status, body } = await waiting
    expect([status, body.code]).toEqual([503, 503])
    expect(body).toMatchObject({ msg: expect.stringContaining('get_run_history'), execute_id: expect.stringMatching(/^\d+$/) })
  })

  test('Prefer: wait=10, respond-async is the result when it comes in time', async () => {
    const workflow_id = await publish(app, brackets())
    const { status, body } = await run(app, { workflow_id, parameters: { word: 'hi' } }, { prefer: 'wait=10, respond-async' })
    expect([status, resultOf(body).said]).toEqual([200, '<hi>'])
  })
}

function runsOnce(app: TestApp): void {
  const countRuns = async (workflowId: string) =>
    (await app.core.db.selectFrom('workflow_run').select('id').where('workflow_id', '=', workflowId).execute()).length

  test('50 times the same Idempotency-Key at once is one run, one question to the model and one result', async () => {
    await useProvider(app)
    app.provider.script = answers(['Hel', wait(100), 'lo'])
    const workflow_id = await publish(app, speaking())
    const body = { workflow_id, parameters: { topic: 'cats' } }
    const replies = await Promise.all(Array.from({ length: 50 }, () => run(app, body, { 'idempotency-key': 'fifty' })))
    expect(new Set(replies.map(({ body: { execute_id, data } }) => `${execute_id} ${data}`)).size).toBe(1)
    expect(resultOf(replies[0]?.body).data).toBe('Hello')
    expect([await countRuns(workflow_id), app.provider.requests.length]).toEqual([1, 1])

    const again = await run(app, body, { 'idempotency-key': 'fifty' })
    expect(again.body.execute_id).toBe(replies[0]?.body.execute_id)
    const other = await run(app, { ...body, parameters: { topic: 'dogs' } }, { 'idempotency-key': 'fifty' })
    expectRefusal(other, { status: 422, message: /^this Idempotency-Key was used for another request/ })
  })

  test('also asynchronously, and on another node', async () => {
    await using other = await startSecondNode(app)
    const workflow_id = await publish(app, brackets())
    const body = { workflow_id, parameters: { word: 'hi' }, is_async: true }
    const headers = { 'idempotency-key': 'later', authorization: `Bearer ${app.apiKey}`, 'content-type': 'application/json' }
    const there = async () => {
      const reply = await fetch(`${other.url}/v1/workflow/run`, { method: 'POST', headers, body: JSON.stringify(body) })
      return { body: (await reply.json()) as Json }
    }
    const replies = await Promise.all([
      ...Array.from({ length: 10 }, there),
      ...Array.from({ length: 10 }, () => run(app, body, { 'idempotency-key': 'later' })),
    ])
    expect(new Set(replies.map((reply) => reply.body.execute_id)).size).toBe(1)
    expect(await countRuns(workflow_id)).toBe(1)
  })
}

function givesReasons(app: TestApp): void {
  const failure = (known: object) => ({
    ...{ code: expect.any(Number), msg: expect.any(String), message: expect.any(String), request_id: expect.stringMatching(/^req_/) },
    ...{ data: null, debug_url: expect.any(String), execute_id: expect.any(String), token: 0, cost: '0', usage: NO_USAGE },
    detail: { logid: expect.stringMatching(/^req_/) },
    ...known,
  })

  test('a run that fails is HTTP 200 with its code, and the text says which node', async () => {
    const workflow_id = await publish(app, reading())
    const { status, body } = await run(app, { workflow_id, parameters: { text: 'no JSON' } })
    expect(status).toBe(200)
    expect(body).toEqual(failure({ code: 720701013 }))
    expect(body.msg).toMatch(/JSON/)
    expect(body.message).toBe(body.msg)
  })

  test('so is one whose model fails', async () => {
    await useProvider(app)
    app.provider.script = fails(400, { message: 'no such model' })
    const { status, body } = await run(app, { workflow_id: await publish(app, speaking()), parameters: { topic: 'x' } })
    expect(status).toBe(200)
    expect(body.code).toBeGreaterThan(0)
    expect(body.data).toBeNull()
  })

  test('one that waits is code 6039, with what it waits for, and can be gone on with', async () => {
    const workflow_id = await publish(app, asking())
    const { status, body } = await run(app, { workflow_id, parameters: { USER_INPUT: 'x' } })
    expect(status).toBe(200)
    const data = '{"messages":[{"type":"question","content_type":"text","content":"Where to?","id":"101_0"}]}'
    const interrupt_data = { event_id: expect.stringMatching(new RegExp(`^${body.execute_id}/\\d+$`)), type: 2, data }
    expect(body).toEqual(failure({ code: 6039, msg: expect.stringContaining('"place"'), interrupt_data }))

    const answer = { workflow_id, event_id: body.interrupt_data.event_id, resume_data: 'Rome', interrupt_type: 2 }
    expect((await app.call('POST', '/v1/workflow/stream_resume', answer)).text).toContain('How far?')
  })

  test('one that is canceled says so', async () => {
    await useProvider(app)
    app.provider.script = answers([hang()])
    const workflow_id = await publish(app, speaking())
    const running = run(app, { workflow_id, parameters: { topic: 'x' } })
    await app.provider.untilRequests(1)
    const [{ execute_id }] = (await app.call('GET', `/v1/workflow/get_run_history?workflow_id=${workflow_id}`)).body.data
    await app.call('POST', '/v1/workflow/cancel', { workflow_id, execute_id })
    expect((await running).body).toEqual(failure({ code: 777777777 }))
    await app.provider.untilAborted()
  })
}

function refuses(app: TestApp): void {
  test('parameters that do not fit are HTTP 400 and code 4000, and no run', async () => {
    const workflow_id = await publish(app, brackets())
    const cases: [unknown, RegExp][] = [
      [{}, /^parameters\.word is required$/],
      [{ word: 'a', times: 'many' }, /^parameters: .*times/],
      [{ word: 'a', tags: 7 }, /^parameters: .*tags/],
      ['no JSON', /^parameters: the text is not valid JSON$/],
      ['[1]', /^parameters must be an object, or the JSON text of one$/],
      ['"word"', /^parameters must be an object, or the JSON text of one$/],
      ['['.repeat(2_000), /^parameters: the text is not valid JSON$/],
    ]
    for (const path of ['/v1/workflow/run', '/v1/workflow/stream_run']) {
      for (const [parameters, message] of cases)
        expectRefusal(await app.call('POST', path, { workflow_id, parameters }), { status: 400, code: 4000, message })
    }
    expect((await app.call('GET', `/v1/workflow/get_run_history?workflow_id=${workflow_id}`)).body.data).toEqual([])
  })

  test('fields of the wrong kind are HTTP 422, and the message names the field', async () => {
    const workflow_id = await publish(app, brackets())
    const cases: [object, string | RegExp][] = [
      [{}, 'workflow id is required'],
      [{ workflow_id: 'x' }, /^workflow_id: must be a positive whole number/],
      [{ workflow_id: 1.5 }, /^workflow_id: must be a positive whole number/],
      [{ workflow_id: '99999999999999999999' }, /^workflow_id: must be a positive whole number/],
      [{ workflow_id, parameters: [1] }, 'parameters: must be an object, or the JSON text of one'],
      [{ workflow_id, parameters: 7 }, 'parameters: must be an object, or the JSON text of one'],
      [{ workflow_id, app_id: 'x' }, /^app_id: must be a positive whole number/],
      [{ workflow_id, bot_id: {} }, /^bot_id: must be a positive whole number/],
      [{ workflow_id, is_async: 'yes' }, 'is_async: must be true or false'],
      [{ workflow_id, version: 7 }, 'version: must be the name of a published version'],
      [{ workflow_id, ext: 'x' }, 'ext: must be an object'],
      [{ workflow_id, ext: { user_id: [] } }, /^ext\.user_id: must be a string/],
      [{ workflow_id, user_id: 'x'.repeat(256) }, 'user_id: must have at most 255 characters'],
      [{ workflow_id, parameters: { word: 'x' }, app_id: '1', bot_id: '1' }, 'send app_id or bot_id, not both'],
    ]
    for (const [body, message] of cases) expectRefusal(await run(app, body), { status: 422, message })
    expectRefusal(await run(app, '{"workflow_id":' as never), { status: 422, message: 'the body is not valid JSON' })
    expectRefusal(await run(app, [] as never), { status: 422, message: /JSON object/ })
  })

  test('what is not there or not published', async () => {
    const draft = await publish(app, brackets(), { isPublished: false })
    expectRefusal(await run(app, { workflow_id: '1' }), { status: 404, message: 'workflow not found' })
    expectRefusal(await run(app, { workflow_id: draft }), { status: 404, code: 6031, message: /is not published/ })
    const workflow_id = await publish(app, brackets())
    const words = { parameters: { word: 'x' } }
    expectRefusal(await run(app, { workflow_id, ...words, app_id: '1' }), { status: 404, message: 'app not found' })
    expectRefusal(await run(app, { workflow_id, ...words, bot_id: '1' }), { status: 404, message: /bot not found/ })
  })

  test('headers that say nothing', async () => {
    const body = { workflow_id: await publish(app, brackets()), parameters: { word: 'x' } }
    expectRefusal(await run(app, body, { prefer: 'wait=soon, respond-async' }), { status: 422, message: /^Prefer: wait/ })
    expectRefusal(await run(app, body, { 'idempotency-key': 'ä' }), { status: 422, message: /^Idempotency-Key must be/ })
  })

  test('names that are dangerous elsewhere are only names', async () => {
    const workflow_id = await publish(app, brackets())
    const body = `{"workflow_id":${workflow_id},"parameters":{"__proto__":{"word":"x"},"constructor":{"word":"x"}}}`
    expectRefusal(await run(app, body as never), { status: 400, code: 4000, message: 'parameters.word is required' })
    expect(({} as Json).word).toBeUndefined()
  })

  test('a value of 1 MB is taken, a body of 5 MB is not', async () => {
    const workflow_id = await publish(app, brackets())
    const { body } = await run(app, { workflow_id, parameters: { word: 'x'.repeat(1_000_000) } })
    expect(resultOf(body).said.length).toBe(1_000_002)
    expect((await run(app, { workflow_id, parameters: { word: 'x'.repeat(5_000_000) } })).status).toBe(413)
  })
}
