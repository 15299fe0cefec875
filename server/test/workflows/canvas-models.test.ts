import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ValueObject } from '../../src/workflows/values/value.ts'
import { drawCanvas, fields, input, literal, params, ref } from '../support/canvas-builder.ts'
import type { CanvasJson, Input, NodeSketch, Params, TypeFields } from '../support/canvas-builder.ts'
import { openCanvasHouse, saidIn } from '../support/canvas-house.ts'
import type { CanvasHouse } from '../support/canvas-house.ts'
import { answers, calls, reasons, says } from '../support/fake-provider.ts'
import { concat, single, text } from '../support/node-sketches.ts'
import { startPlainServer } from '../support/plain-server.ts'

let house: CanvasHouse
beforeAll(async () => void (house = await openCanvasHouse()))
afterAll(() => house[Symbol.asyncDispose]())
beforeEach(() => {
  house.provider.requests.length = 0
  house.provider.script = says('fine')
})

/** As the editor writes them: texts under any type. */
const llmParam = (more: Params = {}) =>
  params({
    ...{
      modelType: literal('1737521813', 'integer'),
      modleName: 'any',
      generationDiversity: 'balance',
      temperature: literal('0.8', 'float'),
    },
    ...{
      topP: literal('0.7', 'float'),
      frequencyPenalty: literal('0', 'float'),
      maxTokens: literal('4096', 'integer'),
      responseFormat: literal('2', 'integer'),
    },
    ...{ prompt: 'Where?', systemPrompt: '', enableChatHistory: literal(false, 'boolean'), chatHistoryRound: literal('3', 'integer') },
    ...more,
  })
const draw = (node: NodeSketch, entry?: TypeFields): CanvasJson => single(3, node, { entry })
const got = async (canvas: CanvasJson, args: ValueObject = {}) => ((await house.results(canvas, args)) as ValueObject).got
const messages = () => house.provider.lastRequest.body.messages

describe('a model', () => {
  test('gets its settings, its prompts filled in, and gives its text; tokens are counted', async () => {
    house.provider.script = answers(['In ', 'Rome'], { usage: { input: 7, output: 2 } })
    const node: NodeSketch = {
      params: { Who: ref('entry.who'), all: fields({ list: ref('entry.list', ['integer']) }) },
      inputs: {
        llmParam: llmParam({ systemPrompt: 'Be {{Who}}.', prompt: '{{Who}}? {{all.list[1]}} {{all}} {{nobody}} {{ Who }}' }),
        fcParamVar: {},
        batch: { batchEnable: false },
      },
      outputs: { Answer: 'string' },
    }
    const ran = await house.play(draw(node, { who: 'string', list: ['integer'] }), { who: 'Ada', list: [1, 2] })
    expect(ran.output).toEqual({ got: { Answer: 'In Rome' } })
    expect(ran.run.usage).toEqual({ inputTokens: 7, outputTokens: 2 })
    expect(house.provider.lastRequest.body).toMatchObject({
      model: 'model-1737521813',
      temperature: 0.8,
      top_p: 0.7,
      max_tokens: 4096,
      stream: false,
    })
    expect(messages()).toEqual([
      { role: 'system', content: 'Be Ada.' },
      { role: 'user', content: 'Ada? 2 {"list":[1,2]} {{nobody}} {{Who }}' },
    ])
  })

  test('without prompts gets an empty question', async () => {
    await got(draw({ inputs: { llmParam: params({ modelType: '1' }) }, ...text }))
    expect(messages()).toEqual([{ role: 'user', content: '' }])
  })

  test('is asked for JSON where more than a text is declared, and what it says is read and converted', async () => {
    house.provider.script = says('\n```json\n{"name":"Ada","age":"36","tags":["a",1],"extra":true}\n```\t')
    const node = {
      inputs: { llmParam: llmParam() },
      outputs: { name: 'string', 'age!': 'integer', tags: ['string'], home: { city: 'string' } } as TypeFields,
    }
    expect(await got(draw(node))).toEqual({ name: 'Ada', age: 36, tags: ['a', '1'], home: { city: null }, extra: true })
    expect(messages().at(-1)?.content).toMatch(/^Where\?[\s\S]*"age":\{"type":"integer"\}[\s\S]*"required":\["age"\]/)
  })

  test('that does not say JSON gives nulls, and a warning', async () => {
    house.provider.script = says('I would rather not.')
    const ran = await house.play(draw({ inputs: { llmParam: llmParam() }, outputs: { name: 'string', list: ['integer'] } }))
    expect(ran.output).toEqual({ got: { name: null, list: null } })
    expect((await house.records(ran)).find(({ nodeId }) => nodeId === '101')?.warnings).toHaveLength(1)
  })

  test('with one text declared is not asked for JSON, whatever its format says', async () => {
    house.provider.script = answers([reasons('hm'), '{"a":1}'])
    const outputs: TypeFields = { reasoning_content: 'string', output: 'string' }
    expect(await got(draw({ inputs: { llmParam: llmParam() }, outputs }))).toEqual({ output: '{"a":1}', reasoning_content: 'hm' })
    expect(messages()).toEqual([{ role: 'user', content: 'Where?' }])
  })

  test('sees pictures where the canvas has pictures', async () => {
    const node: NodeSketch = {
      params: { pic: ref('entry.pic', 'image') },
      inputs: { llmParam: llmParam({ prompt: 'See {{pic}}!' }) },
      ...text,
    }
    await got(draw(node, { pic: 'image' }), { pic: 'https://files.example/a.png?x-wf-file_name=a.png' })
    expect(messages()).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'See ' },
          { type: 'image_url', image_url: { url: 'https://files.example/a.png' } },
          { type: 'text', text: '!' },
        ],
      },
    ])
  })

  test('in batch mode is asked once for each element, in which its own id means the element', async () => {
    house.provider.script = (request) => says(`re: ${request.lastUserText}`)
    const canvas = drawCanvas()
      .entry({ list: [{ q: 'string' }], lang: 'string' })
      .node('101', 3, {
        params: { q: ref('101.item1.q'), lang: ref('entry.lang') },
        inputs: {
          llmParam: llmParam({ prompt: '{{q}} in {{lang}}' }),
          batch: {
            batchEnable: true,
            batchSize: 100,
            concurrentSize: 10,
            inputLists: params({ item1: ref('entry.list', [{ q: 'string' }]) }),
          },
        },
        outputs: { outputList: [{ output: 'string' }] },
      })
      .exit({ got: ref('101.outputList', [{ output: 'string' }]), first: ref('101.outputList.output') })
      .edges('entry > 101 > exit')
      .build()
    expect(await house.results(canvas, { list: [{ q: 'a' }, { q: 'b' }], lang: 'French' })).toEqual({
      got: [{ output: 're: a in French' }, { output: 're: b in French' }],
      first: 're: a in French',
    })
  })
})

describe('an intent', () => {
  const settings = {
    modelName: 'any',
    modelType: 5,
    temperature: 1,
    topP: 0.7,
    maxTokens: 2000,
    responseFormat: 2,
    prompt: input('{{query}}'),
    systemPrompt: input('Be {{query}}.'),
    enableChatHistory: false,
    chatHistoryRound: 3,
  }
  const canvas = (mode: string) =>
    drawCanvas()
      .entry({ query: 'string' })
      .node('101', 22, {
        params: { query: ref('entry.query') },
        inputs: {
          intents: [{ name: 'buy' }, { name: 'sell' }],
          mode,
          llmParam: settings,
          chatHistorySetting: { enableChatHistory: false, chatHistoryRound: 3 },
        },
        outputs: { classificationId: 'integer', reason: 'string' },
      })
      .node('102', 15, concat('buying'))
      .node('103', 15, concat('selling'))
      .node('104', 15, concat('else'))
      .node('105', 32, {
        inputs: { mergeGroups: [{ name: 'way', variables: [ref('102.output'), ref('103.output'), ref('104.output')] }] },
        outputs: { way: 'string' },
      })
      .exit({ id: ref('101.classificationId', 'integer'), reason: ref('101.reason'), way: ref('105.way') })
      .edges('entry > 101:branch_0 > 102 > 105', '101:branch_1 > 103 > 105', '101:default > 104 > 105 > exit')
      .build()

  test('ids begin at 1 and ports at branch_0; 0 is anything else', async () => {
    const found = async (reply: string, mode = 'all') => {
      house.provider.script = says(reply)
      return house.results(canvas(mode), { query: 'a car' })
    }
    expect(await found('Sure: {"classificationId": 1, "reason": "wants"} Ok?')).toEqual({ id: 1, reason: 'wants', way: 'buying' })
    expect(await found('{"classificationId":2,"reason":""}')).toEqual({ id: 2, reason: '', way: 'selling' })
    expect(await found('{"classificationId":0,"reason":"none"}')).toEqual({ id: 0, reason: 'none', way: 'else' })
    expect(await found('2', 'top_speed')).toEqual({ id: 2, reason: '', way: 'selling' })
    expect(await found('0', 'top_speed')).toEqual({ id: 0, reason: '', way: 'else' })
    await expect(found('I think selling', 'top_speed')).rejects.toThrow('number of an intent')
    await expect(found('no idea')).rejects.toThrow('number of an intent')
  })

  test('gets real numbers and typed texts as settings', async () => {
    house.provider.script = says('{"classificationId":1}')
    await house.results(canvas('all'), { query: 'a car' })
    expect(house.provider.lastRequest.body).toMatchObject({ model: 'model-5', temperature: 1, top_p: 0.7, max_tokens: 2000 })
    expect(messages()[0]?.content).toContain('Be a car.')
    expect(messages().at(-1)).toEqual({ role: 'user', content: 'a car' })
  })
})

describe('tools of a model', () => {
  const setting = (request: object[], response: object[] = []) => ({
    is_draft: false,
    plugin_id: '0',
    fc_setting: { request_params: request, response_params: response },
  })
  const withTools = (fcParam: object, exit?: (drawing: ReturnType<typeof drawCanvas>) => unknown) => {
    const drawing = drawCanvas()
      .entry({})
      .node('101', 3, { inputs: { llmParam: llmParam(), fcParam }, ...text })
    if (exit) exit(drawing)
    else drawing.exit({ got: ref('101.output') })
    return drawing.edges('entry > 101 > exit').build()
  }
  const workflowSkill = (workflow_id: string, more: object = {}) => ({
    workflowFCParam: { workflowList: [{ workflow_id, workflow_version: '', ...more }] },
  })

  test('a workflow gets what the model says and what the builder decided, and the model what the builder lets it see', async () => {
    const id = await house.store(
      drawCanvas()
        .entry({ 'city!': 'string', key: 'string', days: 'integer' }, { days: '1' })
        .exit({ said: ref('entry.city'), key: ref('entry.key'), days: ref('entry.days', 'integer') })
        .edges('entry > exit')
        .build(),
      { name: 'weather' },
    )
    const more = setting(
      [
        { name: 'key', local_disable: true, local_default: 's3cret' },
        { name: 'city', local_disable: false, local_default: '' },
      ],
      [{ name: 'key', local_disable: true }],
    )
    house.provider.script = [answers([calls('ts_weather_weather', { city: 'Rome', key: 'guessed' })]), says('Sunny.')]
    expect(await house.results(withTools(workflowSkill(id, more)))).toEqual({ got: 'Sunny.' })

    const [asked, told] = house.provider.requests
    expect(asked?.body.tools).toMatchObject([
      {
        function: {
          name: 'ts_weather_weather',
          parameters: { properties: { city: { type: 'string' }, days: { type: 'integer' } }, required: ['city'] },
        },
      },
    ])
    expect(JSON.stringify(asked?.body.tools)).not.toContain('key')
    expect(told?.body.messages.at(-1)).toMatchObject({ role: 'tool', content: '{"days":1,"said":"Rome"}' })
  })

  test('a workflow that answers, answers in the model’s place', async () => {
    const id = await house.store(
      drawCanvas()
        .entry({ city: 'string' })
        .answer('It rains in {{c}}.', { c: ref('entry.city') })
        .edges('entry > exit')
        .build(),
      { name: 'weather' },
    )
    house.provider.script = answers(['Let me see.', calls('ts_weather_weather', { city: 'Rome' })])
    expect(await house.results(withTools(workflowSkill(id)))).toEqual({ got: 'It rains in Rome.' })
    expect(house.provider.requests).toHaveLength(1)
  })

  test('one that streams its answer is passed on as it comes', async () => {
    const id = await house.store(
      drawCanvas()
        .entry({})
        .node('301', 3, { inputs: { llmParam: params({ modelType: '2', prompt: 'p' }) }, ...text })
        .answer('{{a}}', { a: ref('301.output') }, { streaming: true })
        .edges('entry > 301 > exit')
        .build(),
      { name: 'teller' },
    )
    house.provider.script = (request) => (request.body.model === 'model-2' ? says('one ', 'two') : answers([calls('ts_teller_teller', {})]))
    const canvas = withTools(workflowSkill(id), (drawing) => drawing.answer('So: {{a}}', { a: ref('101.output') }, { streaming: true }))
    expect(saidIn(await house.play(canvas))).toEqual(['So: ', 'one ', 'two'])
  })

  test('that fail are told to the model; one that never stops calling is stopped', async () => {
    const id = await house.store(
      drawCanvas()
        .entry({})
        .node('101', 59, { params: { input: 'x' }, outputs: { output: 'object' } })
        .exit({})
        .edges('entry > 101 > exit')
        .build(),
      { name: 'broken' },
    )
    house.provider.script = [answers([calls('ts_broken_broken', {})]), says('Never mind.')]
    expect(await house.results(withTools(workflowSkill(id)))).toEqual({ got: 'Never mind.' })
    expect(messages().at(-1)?.content).toContain('not valid JSON')

    house.provider.script = answers([calls('ts_broken_broken', {})])
    expect(await house.play(withTools(workflowSkill(id)))).toMatchObject({ status: 'failed', error: expect.stringContaining('12 steps') })
  })

  test('operations of a plugin have their own names', async () => {
    await using server = await startPlainServer((request, response) => response.end(JSON.stringify({ echo: request.url, secret: 1 })))
    const paths = {
      '/weather': {
        get: {
          operationId: 'getWeather',
          summary: 'Weather',
          parameters: [{ name: 'city', in: 'query', required: true, schema: { type: 'string' } }],
          responses: {},
        },
      },
    }
    await house.makePlugin('7001', server.url, paths)
    const plugin = {
      plugin_id: '7001',
      api_id: 'getWeather',
      api_name: 'getWeather',
      plugin_version: '',
      is_draft: false,
      ...{ fc_setting: { request_params: [], response_params: [{ name: 'secret', local_disable: true }] } },
    }
    house.provider.script = [answers([calls('getWeather', { city: 'Rome' })]), says('Sunny.')]
    expect(await house.results(withTools({ pluginFCParam: { pluginList: [plugin] } }))).toEqual({ got: 'Sunny.' })
    expect(messages().at(-1)).toMatchObject({ role: 'tool', content: '{"echo":"/weather?city=Rome"}' })
  })
})

describe('a plugin node', () => {
  test('sends its inputs and gives what comes back, undeclared fields included', async () => {
    await using server = await startPlainServer((request, response) =>
      response.end(`{"echo":${JSON.stringify(request.text)},"count":"3","more":{"a":[1]}}`),
    )
    const body = {
      content: { 'application/json': { schema: { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer' } } } } },
    }
    await house.makePlugin('7002', server.url, { '/w': { post: { operationId: 'post_weather', requestBody: body, responses: {} } } })
    const apiParam = params({
      apiID: 'post_weather',
      apiName: 'post_weather',
      pluginID: '7002',
      pluginName: 'weather',
      pluginVersion: '0',
      tips: '',
      outDocLink: '',
    })
    const canvas = drawCanvas()
      .entry({ city: 'string' })
      .node('101', 4, {
        params: { city: ref('entry.city'), days: literal('2', 'integer') },
        inputs: { apiParam, pluginFrom: 'library' },
        outputs: { count: 'integer', missing: 'string' },
      })
      .exit({
        count: ref('101.count', 'integer'),
        echo: ref('101.echo'),
        more: ref('101.more.a', ['integer']),
        missing: ref('101.missing'),
      } satisfies Record<string, Input>)
      .edges('entry > 101 > exit')
      .build()
    expect(await house.results(canvas, { city: 'Rome' })).toEqual({ count: 3, echo: '{"city":"Rome","days":2}', more: [1], missing: '' })
  })
})

describe('knowledge', () => {
  const datasetParam = params({
    datasetList: literal(['7001'], ['string']),
    topK: literal(5, 'integer'),
    minScore: literal(0.5, 'float'),
    strategy: literal(1, 'integer'),
  })
  const sketch = (given: Params, inputs: object = {}): NodeSketch => ({
    params: given,
    inputs: { datasetParam, ...inputs },
    outputs: { outputList: [{ output: 'string' }], isSuccess: 'boolean' },
  })

  test.for<[type: number, node: NodeSketch]>([
    [6, sketch({ Query: 'q' }, { chatHistorySetting: { enableChatHistory: false, chatHistoryRound: 3 } })],
    [
      27,
      sketch(
        { knowledge: 'https://files.example/a.pdf' },
        { strategyParam: { parsingStrategy: { parsingType: 'fast' }, chunkStrategy: { chunkType: 'default' }, indexStrategy: {} } },
      ),
    ],
    [60, sketch({ documentID: '1' })],
  ])('is read where a node of the type %d has it, and not there when that runs', async ([type, node]) => {
    expect(await house.play(single(type, node))).toMatchObject({ status: 'failed', error: expect.stringContaining('no knowledge base') })
    const handled = single(type, { ...node, onError: { processType: 2, dataOnErr: '{"outputList":[]}' } })
    expect(await house.results(handled)).toMatchObject({ got: { outputList: [], isSuccess: false } })
  })

  test('as a skill of a model fails its node', async () => {
    const fcParam = { knowledgeFCParam: { knowledgeList: [{ id: '7001' }], global_setting: { search_mode: 0, top_k: 3, min_score: 0.5 } } }
    const ran = await house.play(draw({ inputs: { llmParam: llmParam(), fcParam }, ...text }))
    expect(ran).toMatchObject({ status: 'failed', error: expect.stringContaining('no knowledge base') })
  })
})
