import { expect, test } from 'vitest'
import { answers, fails, says } from '../../../test/support/fake-provider.ts'
import { outputsOf, startModelServices, waitingOf } from '../../../test/support/model-node.ts'
import { runNode } from '../../../test/support/node-run.ts'
import type { NodeRunSettings } from '../../../test/support/node-run.ts'
import { nodeErrors } from '../engine/node-error.ts'
import type { NodeResult } from '../engine/node-type.ts'
import type { Field } from '../values/value-type.ts'
import { questionNode } from './question-node.ts'

type Inputs = Record<string, unknown>

const run = (inputs: Inputs, settings: NodeRunSettings = {}) => runNode(questionNode, { id: '135279', inputs }, settings)

/** The first question, and how to go on from it. */
async function askFirst(inputs: Inputs, settings: NodeRunSettings = {}) {
  const first = await run(inputs, settings)
  let { saved } = first.report
  return {
    asked: messagesOf(first.result),
    async answer(text: string) {
      const next = await run(inputs, { ...settings, saved, answer: text })
      saved = next.report.saved
      return next
    },
    wait: () => run(inputs, { ...settings, saved }),
  }
}

const messagesOf = (result: NodeResult) => (JSON.parse(waitingOf(result).events[0]?.data ?? '{}') as { messages: unknown[] }).messages

const text = (type: string, content: string, index: number) => ({ type, content_type: 'text', content, id: `135279_${index}` })

const fields: Field[] = [
  { name: 'USER_RESPONSE', type: { kind: 'string' }, required: true, description: '' },
  { name: 'name', type: { kind: 'string' }, required: true, description: 'of the person' },
  { name: 'age', type: { kind: 'integer' }, required: true, description: '' },
  { name: 'hobbies', type: { kind: 'list', element: { kind: 'string' } }, required: false, description: '' },
]

test('a question is asked, and the answer is the output', async () => {
  const talk = await askFirst({ question: 'Who are you, {{title}}?' }, { inputs: { title: 'Dr' } })
  expect(talk.asked).toEqual([text('question', 'Who are you, Dr?', 0)])

  const { result } = await talk.answer('Anna')
  expect(outputsOf(result)).toEqual({
    USER_RESPONSE: 'Anna',
    $questions: [{ question: 'Who are you, Dr?', choices: [] }],
    $answers: ['Anna'],
  })
})

test('a question that nobody has answered yet waits again, with the same event', async () => {
  const first = await run({ question: 'q' })
  const again = await run({ question: 'another one by now' }, { saved: first.report.saved })

  expect(waitingOf(again.result).events).toEqual(waitingOf(first.result).events)
  expect(waitingOf(first.result).events[0]?.type).toBe(2)
})

test.each([[''], ['  '], ['{"a":1}'], ['x'.repeat(1_000_000)]])('any text is an answer', async (answer) => {
  const talk = await askFirst({ question: 'q' })

  expect(outputsOf((await talk.answer(answer)).result).USER_RESPONSE).toBe(answer)
})

test('a question may be empty', async () => {
  const talk = await askFirst({
    answer_type: 'text',
    limit: 3,
    dynamic_option: { type: 'string', value: { type: 'ref', content: { source: 'block-output', blockID: '', name: '' } } },
  })

  expect(talk.asked).toEqual([text('question', '', 0)])
})

const extracting = {
  ...{ question: 'Name and age?', answer_type: 'text', extra_output: true, limit: 3 },
  llmParam: {
    modelType: 1706077826,
    modelName: 'm',
    temperature: 1,
    topP: 0.7,
    maxTokens: 1024,
    responseFormat: 2,
    systemPrompt: 'Be kind to {{who}}.',
  },
}

test('fields are found in the answers, and what is missing is asked for', async () => {
  const { provider, services, modelTypes } = await startModelServices([
    answers(['```json\n{"question": "How old are you?"}\n```'], { usage: { input: 6, output: 7 } }),
    says('{"fields": {"name": "eino", "age": "1", "hobbies": null, "shoe": 44}, "question": ""}'),
  ])
  const talk = await askFirst(extracting, { services, outputs: fields, inputs: { who: 'all' } })

  const second = await talk.answer('my name is eino')
  expect(messagesOf(second.result)).toEqual([
    text('question', 'Name and age?', 0),
    text('answer', 'my name is eino', 1),
    text('question', 'How old are you?', 2),
  ])
  expect(second.report.usage).toEqual({ inputTokens: 6, outputTokens: 7 })
  expect(waitingOf((await talk.wait()).result).events).toEqual(waitingOf(second.result).events)

  const { result } = await talk.answer('1 year old')
  expect(outputsOf(result)).toEqual({
    ...{ USER_RESPONSE: '1 year old', name: 'eino', age: 1, hobbies: null },
    $questions: [
      { question: 'Name and age?', choices: [] },
      { question: 'How old are you?', choices: [] },
    ],
    $answers: ['my name is eino', '1 year old'],
  })

  expect(modelTypes).toEqual(['1706077826', '1706077826'])
  expect(provider.lastRequest.body).toMatchObject({ temperature: 1, top_p: 0.7, max_tokens: 1024 })
  const [system, user] = provider.lastRequest.body.messages.map(({ content }) => content)
  expect(system).toContain('Be kind to all.')
  expect(system).toContain('Required fields: name, age')
  expect(system).toContain('"name":{"type":"string","description":"of the person"}')
  expect(system).not.toContain('USER_RESPONSE')
  expect(user).toMatch(/Name and age\?\n.*my name is eino[^]*How old are you\?\n.*1 year old/)
})

test('a required field that nobody told is null', async () => {
  const { services } = await startModelServices(says('{"fields": {"age": "unknown"}}'))
  const talk = await askFirst(extracting, { services, outputs: fields })

  const { result, report } = await talk.answer('no')

  expect(outputsOf(result)).toMatchObject({ name: null, age: null, hobbies: null, USER_RESPONSE: 'no' })
  expect(report.warnings).toHaveLength(1)
})

test('no model is needed where no fields are declared', async () => {
  const talk = await askFirst(extracting, { outputs: fields.slice(0, 1) })

  expect(outputsOf((await talk.answer('x')).result)).toMatchObject({ USER_RESPONSE: 'x' })
})

test('a model that asks more often than the limit fails the node', async () => {
  const { services } = await startModelServices(says('{"question": "And?"}'))
  const talk = await askFirst({ ...extracting, limit: 2 }, { services, outputs: fields })

  expect((await talk.answer('one')).result.kind).toBe('waiting')
  await expect(talk.answer('two')).rejects.toMatchObject({ name: 'NodeError', message: expect.stringContaining('2 times') })
})

test.each([[undefined], [0], [-1], ['many'], [{}]])('without a limit three answers are taken: %j', async (limit) => {
  const { services } = await startModelServices(says('{"question": "And?"}'))
  const talk = await askFirst({ ...extracting, limit }, { services, outputs: fields })

  await talk.answer('one')
  await talk.answer('two')
  await expect(talk.answer('three')).rejects.toMatchObject({ message: expect.stringContaining('3 times') })
})

test.each([['I do not know.'], ['{"fields": [1]}'], ['{"question": ""}'], ['{"fields":' + '{"a":'.repeat(100_000)], ['']])(
  'a model that does not keep to the form fails the node: %#',
  async (reply) => {
    const { services } = await startModelServices(says(reply))
    const talk = await askFirst(extracting, { services, outputs: fields })

    await expect(talk.answer('x')).rejects.toMatchObject({ name: 'NodeError', code: nodeErrors.executionFailed })
  },
)

test('a provider that fails is the failure of the node', async () => {
  const { services } = await startModelServices(fails(500))
  const talk = await askFirst(extracting, { services, outputs: fields })

  await expect(talk.answer('x')).rejects.toMatchObject({ name: 'NodeError' })
})

test('an answer that was saved before a crash is not taken twice', async () => {
  const { provider, services } = await startModelServices(says('{"fields": {}}'))
  const saved = { asked: [{ question: 'q', choices: [] }], answers: ['once'], event: null }

  const { result } = await run(extracting, { services, outputs: fields, saved, answer: 'once' })

  expect(outputsOf(result).$answers).toEqual(['once'])
  expect(provider.requests).toHaveLength(1)
})

const fixed = { question: 'Where to?', answer_type: 'option', option_type: 'static', options: [{ name: 'Beijing' }, { name: '{{city}}' }] }

test('options are offered, and the text of one of them chooses it', async () => {
  const talk = await askFirst(fixed, { inputs: { city: 'Rome' } })
  expect(talk.asked).toEqual([
    {
      ...{ type: 'question', content_type: 'option', id: '135279_0' },
      content: { options: [{ name: 'Beijing' }, { name: 'Rome' }], question: 'Where to?' },
    },
  ])

  const { result } = await talk.answer('Rome')
  expect(result).toMatchObject({ kind: 'done', port: 'branch_1', outputs: { optionId: 'B', optionContent: 'Rome', $answers: ['Rome'] } })
})

test('an answer in other words is matched by a model', async () => {
  const { provider, services, modelTypes } = await startModelServices(says('1'))
  const talk = await askFirst({ ...fixed, llmParam: { modelType: '7' } }, { services, inputs: { city: 'Rome' } })

  const { result } = await talk.answer('the eternal city')

  expect(result).toMatchObject({ port: 'branch_1', outputs: { optionId: 'B', optionContent: 'Rome' } })
  expect(modelTypes).toEqual(['7'])
  expect(provider.lastRequest.lastUserText).toContain('the eternal city')
})

test.each([
  ['-1', 0],
  ['{"index": -1}', 0],
  ['2', 1],
  ['-7', 1],
  ['99999999999999', 1],
  ['I cannot say', 1],
  ['', 1],
])('an answer that means no option is another one: the model says %j', async (reply, warnings) => {
  const { services } = await startModelServices(says(reply))
  const talk = await askFirst(fixed, { services, inputs: { city: 'Rome' } })

  const { result, report } = await talk.answer('home')

  expect(result).toMatchObject({ port: 'default', outputs: { optionId: 'other', optionContent: 'home' } })
  expect(report.warnings).toHaveLength(warnings)
})

const dynamic = {
  ...{ question: 'Which?', answer_type: 'option', option_type: 'dynamic' },
  dynamic_option: {
    type: 'list',
    schema: { type: 'string' },
    value: { type: 'ref', content: { source: 'block-output', blockID: '100001', name: 'options' } },
  },
}

test('options may come from a list; all of them lead on by one port', async () => {
  const talk = await askFirst(dynamic, { inputs: { dynamic_option: ['a', 'b', 'c'] } })

  const { result } = await talk.answer('c')

  expect(result).toMatchObject({ port: 'branch_0', outputs: { optionId: 'C', optionContent: 'c' } })
})

test.each([[[]], [null], ['a'], [undefined]])('a list without options fails the node: %j', async (list) => {
  await expect(run(dynamic, { inputs: list === undefined ? {} : { dynamic_option: list } })).rejects.toMatchObject({
    code: nodeErrors.emptyOptions,
  })
})

test('twenty-six options can be offered, one more cannot', async () => {
  const list = Array.from({ length: 27 }, (_, index) => `option ${index}`)

  const talk = await askFirst(dynamic, { inputs: { dynamic_option: list.slice(0, 26) } })
  expect(outputsOf((await talk.answer('option 25')).result).optionId).toBe('Z')
  await expect(run(dynamic, { inputs: { dynamic_option: list } })).rejects.toMatchObject({
    name: 'NodeError',
    message: expect.stringContaining('26'),
  })
})

test('static options are needed as well', async () => {
  await expect(run({ ...fixed, options: [] })).rejects.toMatchObject({ code: nodeErrors.emptyOptions })
})

const plan = (inputs: Inputs) =>
  questionNode.parse({ id: '1', type: '18', title: '', description: '', inputs, outputs: [], blocks: [], edges: [] })

test('ports and inputs follow from the kind of answer', () => {
  expect(plan({ question: 'q', ...{ option_type: 'dynamic', dynamic_option: 7 } })).toMatchObject({ inputs: [] })
  expect(plan({ question: 'q' }).ports).toBeUndefined()
  expect(plan(fixed).ports).toEqual(['branch_0', 'branch_1', 'default'])
  expect(plan(dynamic)).toMatchObject({ ports: ['branch_0', 'default'], inputs: [{ name: 'dynamic_option' }] })
})

test.each([
  ['inputs.answer_type', { answer_type: 'mood' }],
  ['inputs.dynamic_option', { answer_type: 'option', option_type: 'dynamic' }],
  ['inputs.options', { answer_type: 'option', options: Array.from({ length: 27 }, () => ({ name: 'x' })) }],
  ['inputs.llmParam', { llmParam: 'big' }],
  ['inputs.llmParam.temperature', { llmParam: { temperature: 'hot' } }],
])('settings that cannot be read are named: %s', (path, inputs) => {
  expect(() => plan(inputs)).toThrow(expect.objectContaining({ name: 'CanvasProblem', path }) as Error)
})
