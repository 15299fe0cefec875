import { expect, onTestFinished, test } from 'vitest'
import type { CanvasNode } from '../canvas/canvas-document.ts'
import { canonicalKeys } from '../canvas/canvas-keys.ts'
import { NodeError, nodeErrors } from '../engine/node-error.ts'
import { ModelError } from '../../models/model-adapter.ts'
import type { NodeRunSettings } from '../../../test/support/node-run.ts'
import { runNode } from '../../../test/support/node-run.ts'
import { answers, cut, fails, hang, reasons, says, wait } from '../../../test/support/fake-provider.ts'
import { errorOf, outputsOf, startModelServices, streamingOf } from '../../../test/support/model-node.ts'
import { llmNode } from './llm-node.ts'

const param = (name: string, content: unknown, type = 'string') => ({ name, input: { type, value: { type: 'literal', content } } })
const input = (name: string, type: Record<string, unknown> = { type: 'string' }) => ({
  name,
  input: { ...type, value: { type: 'ref', content: { source: 'block-output', blockID: '100001', name } } },
})

type LlmCanvas = { llmParam?: unknown; inputParameters?: unknown; settingOnError?: unknown; outputs?: unknown; fcParam?: unknown }

/** A model node as a canvas has it. */
function llm({ outputs = [{ name: 'output', type: 'string' }], llmParam = [], ...inputs }: LlmCanvas): Partial<CanvasNode> {
  return { outputs: canonicalKeys(outputs), inputs: canonicalKeys({ llmParam, ...inputs }) as Record<string, unknown> }
}

const run = (canvas: LlmCanvas, settings: NodeRunSettings) => runNode(llmNode, llm(canvas), settings)

test('a prompt is filled in and the answer is the one output', async () => {
  const { provider, services, modelTypes } = await startModelServices(answers(['Bon', 'jour'], { usage: { input: 7, output: 2 } }))
  const llmParam = [
    param('modelType', '1737521813', 'integer'),
    param('modleName', 'any'),
    param('generationDiversity', 'balance', 'float'),
    param('temperature', '0.8', 'float'),
    param('topP', 0.7, 'float'),
    param('maxTokens', '4096', 'integer'),
    param('responseFormat', '2', 'integer'),
    param('systemPrompt', 'Speak {{lang}}.'),
    param('prompt', 'Greet {{user.name}}, {{nobody}}'),
  ]
  const inputParameters = [input('lang'), input('user', { type: 'object', schema: [{ name: 'name', type: 'string' }] })]

  const { result, report } = await run({ llmParam, inputParameters }, { services, inputs: { lang: 'French', user: { name: 'Anna' } } })

  expect(outputsOf(result)).toEqual({ output: 'Bonjour' })
  expect(report.usage).toEqual({ inputTokens: 7, outputTokens: 2 })
  expect(modelTypes).toEqual(['1737521813'])
  expect(provider.lastRequest.body).toMatchObject({
    ...{ temperature: 0.8, top_p: 0.7, max_tokens: 4096, stream: false, user: 'anna' },
    messages: [
      { role: 'system', content: 'Speak French.' },
      { role: 'user', content: 'Greet Anna, {{nobody}}' },
    ],
  })
  expect(provider.lastRequest.body.response_format).toBeUndefined()
})

test('without prompts the model gets one empty message of the user', async () => {
  const { provider, services } = await startModelServices(says('hm'))

  await run({ llmParam: [param('systemPrompt', '')] }, { services })

  expect(provider.lastRequest.body.messages).toEqual([{ role: 'user', content: '' }])
})

test('an input whose source was skipped prints as nothing', async () => {
  const { provider, services } = await startModelServices(says('hm'))

  await run(
    { llmParam: [param('prompt', 'a{{b}}c'), param('systemPrompt', '{{b}}')], inputParameters: [input('b')] },
    { services, inputs: { b: '' }, skipped: ['b'] },
  )

  expect(provider.lastRequest.body.messages).toEqual([{ role: 'user', content: 'ac' }])
})

test('in a chatflow the model gets the earlier rounds, between the prompts', async () => {
  const history = [
    { role: 'user', content: 'one' } as const,
    { role: 'assistant', content: 'two' } as const,
    { role: 'user', content: 'three' } as const,
    { role: 'assistant', content: 'four' } as const,
  ]
  const { provider, services } = await startModelServices(says('hm'), { history })
  const llmParam = [param('systemPrompt', 's'), param('prompt', 'p'), param('enableChatHistory', true, 'boolean')]

  await run({ llmParam: [...llmParam, param('chatHistoryRound', '1')] }, { services })
  expect(provider.lastRequest.body.messages.map(({ content }) => content)).toEqual(['s', 'three', 'four', 'p'])

  await run({ llmParam }, { services })
  expect(provider.lastRequest.body.messages).toHaveLength(6)

  await run({ llmParam: [param('chatHistoryRound', '3'), param('enableChatHistory', false)] }, { services })
  expect(provider.lastRequest.body.messages).toHaveLength(1)
})

test('pictures become parts of the question, other files stay URLs', async () => {
  const { provider, services } = await startModelServices(says('a cat'))
  const inputParameters = [
    input('pic', { type: 'string', assistType: 2 }),
    input('pics', { type: 'list', schema: { type: 'string', assistType: 2 } }),
    input('doc', { type: 'string', assistType: 3 }),
    input('none', { type: 'string', assistType: 2 }),
  ]
  const llmParam = [param('prompt', 'See {{pic}} and {{pics[1]}}{{pics}} in {{doc}}{{none}}.'), param('systemPrompt', 'About {{pic}}')]
  const inputs = { pic: 'http://h/1.png', pics: ['https://h/2.png', 'https://h/3.png'], doc: 'http://h/a.pdf', none: '' }

  await run({ inputParameters, llmParam }, { services, inputs })

  const picture = (url: string) => ({ type: 'image_url', image_url: { url } })
  expect(provider.lastRequest.body.messages).toEqual([
    { role: 'system', content: 'About http://h/1.png' },
    {
      role: 'user',
      content: [
        ...[{ type: 'text', text: 'See ' }, picture('http://h/1.png'), { type: 'text', text: ' and ' }],
        ...[picture('https://h/3.png'), picture('https://h/2.png'), picture('https://h/3.png')],
        { type: 'text', text: ' in http://h/a.pdf.' },
      ],
    },
  ])
})

test('a file name behind a picture that no model could load stays text', async () => {
  const { provider, services } = await startModelServices(says('hm'))

  await run(
    { inputParameters: [input('pic', { type: 'string', assistType: 2 })], llmParam: [param('prompt', '{{pic}}')] },
    { services, inputs: { pic: 'file:///etc/passwd' } },
  )

  expect(provider.lastRequest.body.messages).toEqual([{ role: 'user', content: 'file:///etc/passwd' }])
})

const form = [
  { name: 'name', type: 'string', description: 'of the person' },
  { name: 'age', type: 'integer', required: true },
  { name: 'tags', type: 'list', schema: { type: 'string' } },
]

test('several outputs are asked for as JSON, and converted', async () => {
  const { provider, services } = await startModelServices(
    says('```json\n{"name": "eino", "age": "7", "tags": ["a", 1], "more": true}\n```'),
  )

  const { result, report } = await run({ outputs: form, llmParam: [param('prompt', 'who?'), param('responseFormat', '2')] }, { services })

  expect(outputsOf(result)).toEqual({ name: 'eino', age: 7, tags: ['a', '1'], more: true })
  expect(report.warnings).toEqual([])
  const { lastUserText } = provider.lastRequest
  expect(lastUserText).toMatch(/^who\?\n\nAnswer with one JSON object/)
  expect(JSON.parse(lastUserText.slice(lastUserText.indexOf('{')))).toEqual({
    type: 'object',
    properties: {
      name: { type: 'string', description: 'of the person' },
      age: { type: 'integer' },
      tags: { type: 'array', items: { type: 'string' } },
    },
    required: ['age'],
  })
})

test('an answer that is no JSON gives no values, with a warning', async () => {
  const { services } = await startModelServices(says('I would rather not.'))

  const { result, report } = await run({ outputs: form }, { services })

  expect(outputsOf(result)).toEqual({})
  expect(report.warnings).toEqual(['the answer of the model is not the JSON object that was asked for: I would rather not.'])
})

test('a value of the wrong type becomes null, with a warning', async () => {
  const { services } = await startModelServices(says('{"age": "old", "tags": "none"}'))

  const { result, report } = await run({ outputs: form }, { services })

  expect(outputsOf(result)).toEqual({ age: null, tags: [] })
  expect(report.warnings).toHaveLength(2)
})

test('a megabyte of JSON is taken, a million brackets are not', async () => {
  const { provider, services } = await startModelServices(says(JSON.stringify({ name: 'x'.repeat(1_000_000), age: 1 })))
  const { result } = await run({ outputs: form }, { services })
  expect(outputsOf(result).name).toHaveLength(1_000_000)

  provider.script = says('{"tags":' + '['.repeat(1_000_000))
  const { report } = await run({ outputs: form }, { services })
  expect(report.warnings[0]?.length).toBeLessThan(400)
})

test('one text is never asked for as JSON, what error handling adds aside', async () => {
  const { provider, services } = await startModelServices(says('{"a": 1}'))
  const outputs = [
    { name: 'answer', type: 'string' },
    { name: 'errorBody', type: 'object', readonly: true, schema: [] },
    { name: 'isSuccess', type: 'boolean', readonly: true },
  ]

  const { result } = await run({ outputs, llmParam: [param('responseFormat', 2)] }, { services })

  expect(outputsOf(result)).toEqual({ answer: '{"a": 1}' })
  expect(provider.lastRequest.lastUserText).toBe('')
})

test('an output that is no text is asked for as JSON', async () => {
  const { services } = await startModelServices(says('{"count": 3}'))

  const { result } = await run({ outputs: [{ name: 'count', type: 'integer' }] }, { services })

  expect(outputsOf(result)).toEqual({ count: 3 })
})

test('Markdown is asked for with rules for it', async () => {
  const { provider, services } = await startModelServices(says('# Hi'))

  const { result } = await run({ llmParam: [param('prompt', 'p'), param('responseFormat', '1')] }, { services })

  expect(outputsOf(result)).toEqual({ output: '# Hi' })
  expect(provider.lastRequest.lastUserText).toMatch(/^p\n\n.*Markdown/)
})

test('thoughts are an output where they are declared', async () => {
  const { services } = await startModelServices(answers([reasons('hm, '), reasons('well'), 'yes']))
  const reasoning = { name: 'reasoning_content', type: 'string' }

  const declared = await run({ outputs: [{ name: 'output', type: 'string' }, reasoning] }, { services })
  expect(outputsOf(declared.result)).toEqual({ output: 'yes', reasoning_content: 'hm, well' })

  const undeclared = await run({}, { services })
  expect(outputsOf(undeclared.result)).toEqual({ output: 'yes' })
})

test('an answer that was cut off is worth a warning', async () => {
  const { services } = await startModelServices(answers(['and th'], { finishReason: 'length' }))

  const { report } = await run({}, { services })

  expect(report.warnings).toEqual(['the answer of the model was cut off: it is longer than its maximum of tokens'])
})

test.each([429, 500, 400])('a provider that fails with %i is the failure of the node', async (status) => {
  const { services } = await startModelServices(fails(status, { message: 'not now' }))

  const error = await errorOf(run({}, { services }))

  expect(error).toBeInstanceOf(NodeError)
  expect(error).toMatchObject({ code: nodeErrors.executionFailed })
  expect((error as NodeError).message).toMatch(/provider|model/)
})

test('a model that is not set up is the failure of the node', async () => {
  const { services } = await startModelServices(says('hm'), {
    getModel: () => Promise.reject(new ModelError('rejected', 'no model named 7 is configured')),
  })

  await expect(run({}, { services })).rejects.toMatchObject({ name: 'NodeError', message: 'no model named 7 is configured' })
})

test('a node that is canceled stops its model', async () => {
  const { provider, services } = await startModelServices(answers(['a', hang()]))
  const stop = new AbortController()

  const work = run({}, { services, signal: stop.signal })
  await provider.untilRequests(1)
  stop.abort(new Error('canceled'))

  await expect(work).rejects.toThrow('canceled')
  await provider.untilAborted()
})

test('retries ask the backup model', async () => {
  const { provider, services, modelTypes } = await startModelServices(says('hm'))
  const settingOnError = {
    retryTimes: 1,
    ext: { backupLLmParam: '{"temperature":1,"topP":0.7,"responseFormat":2,"maxTokens":1024,"modelName":"other","modelType":1706077826}' },
  }
  const canvas = { settingOnError, llmParam: [param('modelType', '1'), param('prompt', 'p'), param('temperature', '0.1')] }

  await run(canvas, { services, attempt: 0 })
  expect(provider.lastRequest.body).toMatchObject({ temperature: 0.1 })
  await run(canvas, { services, attempt: 1 })
  expect(provider.lastRequest.body).toMatchObject({
    temperature: 1,
    top_p: 0.7,
    max_tokens: 1024,
    messages: [{ role: 'user', content: 'p' }],
  })

  expect(modelTypes).toEqual(['1', '1706077826'])
})

test('without a backup model a retry asks the same model', async () => {
  const { services, modelTypes } = await startModelServices(says('hm'))

  await run({ llmParam: [param('modelType', '1')], settingOnError: { ext: { backupLLMParam: '' } } }, { services, attempt: 2 })

  expect(modelTypes).toEqual(['1'])
})

test.each([
  ['inputs.llmParam.temperature', { llmParam: [param('temperature', 'hot')] }],
  ['inputs.llmParam.prompt', { llmParam: [param('prompt', ['x'])] }],
  ['inputs.llmParam[0]', { llmParam: ['x'] }],
  ['inputs.llmParam', { llmParam: 7 }],
  ['inputs.settingOnError.ext.backupLLMParam', { settingOnError: { ext: { backupLLMParam: '{' } } }],
  ['inputs.inputParameters', { inputParameters: 'x' }],
  ['outputs[0].type', { outputs: [{ name: 'x', type: 'tuple' }] }],
])('settings that cannot be read are named: %s', (path, canvas) => {
  const node = { id: '1', type: '3', title: '', description: '', outputs: [], blocks: [], edges: [], inputs: {}, ...llm(canvas) }

  expect(() => llmNode.parse(node)).toThrow(expect.objectContaining({ name: 'CanvasProblem', path }) as Error)
})

test('odd but harmless settings are taken', async () => {
  const { provider, services } = await startModelServices(says('hm'))
  const llmParam = [
    ...[param('temperature', ''), param('maxTokens', '0'), param('modelType', 42), param('spCurrentTime', true)],
    ...[{ name: 'prompt' }, { name: 'topP', input: { type: 'float', value: { content: null } } }],
  ]

  await run({ llmParam, settingOnError: {} }, { services })

  expect(provider.lastRequest.body.max_tokens).toBeUndefined()
  expect(provider.lastRequest.body.temperature).toBeUndefined()
})

test('an answer that is read along is streamed in the pieces it came in', async () => {
  const { provider, services } = await startModelServices(answers(['I ', wait(20), "don't know."], { usage: { input: 5, output: 3 } }))

  const { result, report } = await run({}, { services, streaming: true })

  const { streams, finished } = streamingOf(result)
  const pieces = await Array.fromAsync(streams.output?.pieces() ?? [])
  expect(pieces).toEqual(['I ', "don't know."])
  expect(await finished).toEqual({ output: "I don't know." })
  expect(report.usage).toEqual({ inputTokens: 5, outputTokens: 3 })
  expect(provider.lastRequest.body.stream).toBe(true)
})

test('thoughts are streamed where they are declared', async () => {
  const { services } = await startModelServices(answers([reasons('hm'), 'yes']))
  const outputs = [
    { name: 'output', type: 'string' },
    { name: 'reasoning_content', type: 'string' },
  ]

  const { result } = await run({ outputs }, { services, streaming: true })

  const { streams, finished } = streamingOf(result)
  expect(await streams.reasoning_content?.text()).toBe('hm')
  expect(await finished).toEqual({ output: 'yes', reasoning_content: 'hm' })
})

test('JSON is not streamed', async () => {
  const { provider, services } = await startModelServices(says('{"name": "x", "age": 1}'))

  const { result } = await run({ outputs: form }, { services, streaming: true })

  expect(outputsOf(result)).toEqual({ name: 'x', age: 1 })
  expect(provider.lastRequest.body.stream).toBe(false)
})

test('an empty answer is an empty text, streamed or not', async () => {
  const { services } = await startModelServices(says())

  const { result } = await run({}, { services, streaming: true })

  expect(outputsOf(result)).toEqual({ output: '' })
})

test('what goes wrong before the first piece fails the node, so that it can be handled', async () => {
  const { services } = await startModelServices(fails(500))

  await expect(run({}, { services, streaming: true })).rejects.toBeInstanceOf(NodeError)
})

test('what goes wrong later fails the stream', async () => {
  const { services } = await startModelServices(answers(['Once ', 'upon', cut()]))

  const { result } = await run({}, { services, streaming: true })

  const { streams, finished } = streamingOf(result)
  const read: string[] = []
  const reading = (async () => {
    for await (const piece of streams.output?.pieces() ?? []) read.push(piece)
  })()
  await expect(reading).rejects.toBeInstanceOf(NodeError)
  await expect(finished).rejects.toBeInstanceOf(NodeError)
  expect(read).toEqual(['Once ', 'upon'])
})

test('a failure that nobody waits for yet does not end the process', async () => {
  const lost: unknown[] = []
  const note = (cause: unknown) => void lost.push(cause)
  process.on('unhandledRejection', note)
  onTestFinished(() => void process.off('unhandledRejection', note))
  const { services } = await startModelServices(answers(['Once ', cut()]))

  const { result } = await run({}, { services, streaming: true })
  await new Promise((resolve) => setTimeout(resolve, 100))

  expect(lost).toEqual([])
  await expect(streamingOf(result).finished).rejects.toBeInstanceOf(NodeError)
})

test('a stream that is canceled stops the model', async () => {
  const { provider, services } = await startModelServices(answers(['a', hang()]))
  const stop = new AbortController()

  const { result } = await run({}, { services, streaming: true, signal: stop.signal })
  stop.abort(new Error('canceled'))

  await expect(streamingOf(result).finished).rejects.toThrow('canceled')
  await expect(streamingOf(result).streams.output?.text()).rejects.toThrow('canceled')
  await provider.untilAborted()
})
