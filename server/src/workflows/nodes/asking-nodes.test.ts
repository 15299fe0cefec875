import { expect, test } from 'vitest'
import { drawCanvas, params, ref } from '../../../test/support/canvas-builder.ts'
import { engineHouse } from '../../../test/support/engine-house.ts'
import { answers, calls, fails, hang, says, wait } from '../../../test/support/fake-provider.ts'
import { startModelServices } from '../../../test/support/model-node.ts'
import type { NodeServices } from '../engine/node-services.ts'
import type { WorkflowEnd } from '../engine/run-workflow.ts'

/** Nodes that ask models and people, run by the engine. */

const prompt = (text: string, more: Record<string, string> = {}) => ({ llmParam: params({ prompt: text, ...more }) })
const text = { output: 'string' } as const

const asked = (end: WorkflowEnd) => (end.kind === 'waiting' ? end.events : [])
const askedFirst = (end: WorkflowEnd) => asked(end)[0]?.id ?? 'nothing was asked'

const describeWorkflow: NodeServices['describeWorkflow'] = async () => ({
  name: 'form',
  description: '',
  inputs: [],
  outputs: [],
  isAnswer: false,
})

test("a model's text streams through an emitter and the answer", async () => {
  const { services } = await startModelServices(answers(['I ', wait(20), "don't know."]))
  const canvas = drawCanvas()
    .entry({ input: 'string' })
    .node('101', 3, { params: { input: ref('entry.input') }, inputs: prompt('{{input}}'), outputs: text })
    .node('102', 13, { params: { said: ref('101.output') }, inputs: { streamingOutput: true, content: 'emitter: {{said}}' } })
    .answer('exit: {{said}}', { said: ref('101.output') }, { streaming: true })
    .edges('entry > 101 > 102 > exit')
    .build()

  const run = engineHouse({ services }).startRun(canvas, { input: 'hello' })
  const end = await run.live()

  expect(end).toMatchObject({ kind: 'done', outputs: { output: "exit: I don't know." } })
  expect(run.texts().join('|')).toBe("emitter: |I |don't know.|exit: |I |don't know.")
})

test('the backup model answers where the first one fails, and default data where both do', async () => {
  const canvas = drawCanvas()
    .entry({ input: 'string' })
    .node('101', 3, {
      params: { input: ref('entry.input') },
      inputs: prompt('{{input}}', { responseFormat: '2' }),
      outputs: { name: 'string', age: 'integer' },
      onError: {
        processType: 2,
        dataOnErr: '{"name":"zhangsan","age":3}',
        retryTimes: 1,
        timeoutMs: 2_000,
        ext: { backupLLmParam: '{"temperature":1}' },
      },
    })
    .exit({ name: ref('101.name'), age: ref('101.age', 'integer'), isSuccess: ref('101.isSuccess', 'boolean') })
    .edges('entry > 101 > exit')
    .build()

  const mended = await startModelServices([fails(500), says('{"name":"eino","age":1}')])
  expect(await engineHouse({ services: mended.services }).run(canvas, { input: 'x' })).toEqual({ name: 'eino', age: 1, isSuccess: true })
  expect(mended.provider.lastRequest.body.temperature).toBe(1)

  const broken = await startModelServices(fails(500))
  expect(await engineHouse({ services: broken.services }).run(canvas, { input: 'x' })).toEqual({
    name: 'zhangsan',
    age: 3,
    isSuccess: false,
  })
})

test('a node that is out of time stops its model', async () => {
  const { provider, services } = await startModelServices(answers([hang()]))
  const canvas = drawCanvas()
    .entry({})
    .node('101', 3, { inputs: prompt('p'), outputs: text, onError: { switch: false, timeoutMs: 100 } })
    .exit({ output: ref('101.output') })
    .edges('entry > 101 > exit')
    .build()

  await expect(engineHouse({ services }).run(canvas)).rejects.toThrow('node timeout')
  await provider.untilAborted()
})

test('a question is asked twice, and its fields lead on', async () => {
  const { services } = await startModelServices([says('{"question":"And your age?"}'), says('{"fields":{"name":"eino"}}')])
  const canvas = drawCanvas()
    .entry({ input: 'string' })
    .node('101', 18, {
      params: { input: ref('entry.input') },
      inputs: { question: '{{input}}', answer_type: 'text', extra_output: true, limit: 3, llmParam: { modelType: 1 } },
      outputs: { 'USER_RESPONSE!': 'string', 'name!': 'string', 'age!': 'integer' },
    })
    .exit({ said: ref('101.USER_RESPONSE'), name: ref('101.name'), age: ref('101.age', 'integer') })
    .edges('entry > 101 > exit')
    .build()
  const run = engineHouse({ services }).startRun(canvas, { input: 'Name and age?' })

  const first = await run.live()
  const second = await run.live({ resume: { eventId: askedFirst(first), data: 'eino' } })
  expect(asked(second)).toHaveLength(1)
  expect(asked(second)[0]?.data).toContain('And your age?')

  const end = await run.live({ resume: { eventId: askedFirst(second), data: 'secret' } })
  expect(end).toMatchObject({ kind: 'done', outputs: { said: 'secret', name: 'eino', age: 0 } })
})

test('an answer is kept when the model fails, and not taken a second time', async () => {
  const { provider, services } = await startModelServices([fails(500), says('{"fields":{}}')])
  const canvas = drawCanvas()
    .entry({})
    .node('101', 18, { inputs: { question: 'q', extra_output: true }, outputs: { USER_RESPONSE: 'string', name: 'string' } })
    .exit({ answers: ref('101.$answers', ['string']) })
    .edges('entry > 101 > exit')
    .build()
  const run = engineHouse({ services }).startRun(canvas)
  const resume = { eventId: askedFirst(await run.live()), data: 'Anna' }

  await expect(run.live({ resume })).rejects.toThrow()
  const end = await run.live({ resume })

  expect(end).toMatchObject({ kind: 'done', outputs: { answers: ['Anna'] } })
  expect(provider.lastRequest.lastUserText.match(/Anna/g)).toHaveLength(1)
})

test('the chosen option and the found intent are the ways that are gone', async () => {
  const { services } = await startModelServices(says('{"classificationId":2,"reason":"r"}'))
  const canvas = drawCanvas()
    .entry({})
    .node('101', 18, {
      inputs: { question: 'q', answer_type: 'option', options: [{ name: 'a' }, { name: 'b' }] },
      outputs: { optionId: 'string', optionContent: 'string' },
    })
    .node('102', 22, {
      params: { query: ref('101.optionContent') },
      inputs: { intents: [{ name: 'x' }, { name: 'y' }], mode: 'all' },
      outputs: { classificationId: 'integer' },
    })
    .node('103', 900, { params: { output: 'wrong way' }, outputs: text })
    .node('104', 900, { params: { output: 'right way' }, outputs: text })
    .exit({ wrong: ref('103.output'), right: ref('104.output'), id: ref('101.optionId') })
    .edges(
      'entry > 101:branch_1 > 102:branch_1 > 104 > exit',
      '101:branch_0 > 103 > exit',
      '101:default > 103',
      '102:branch_0 > 103',
      '102:default > 103',
    )
    .build()
  const run = engineHouse({ services }).startRun(canvas)

  const end = await run.live({ resume: { eventId: askedFirst(await run.live()), data: 'b' } })

  expect(end).toMatchObject({ kind: 'done', outputs: { right: 'right way', wrong: '', id: 'B' } })
})

const form = () =>
  drawCanvas()
    .entry({ topic: 'string' })
    .node('201', 30, { inputs: { outputSchema: '[{"type":"string","name":"input"}]' }, outputs: { input: 'string' } })
    .exit({ filled: ref('201.input') })
    .edges('entry > 201 > exit')
    .build()

const agent = (workflows: unknown[]) =>
  drawCanvas()
    .entry({})
    .node('101', 3, { inputs: { ...prompt('p'), fcParam: { workflowFCParam: { workflowList: workflows } } }, outputs: text })
    .exit({ output: ref('101.output') })
    .edges('entry > 101 > exit')
    .build()

test('two workflows that a model calls ask one after the other; the model is asked twice in all', async () => {
  const both = answers([calls('ts_form_form', { topic: 'a' }, '1'), calls('ts_form_form', { topic: 'b' }, '2')])
  const { provider, services } = await startModelServices([both, says('final answer')], { describeWorkflow })
  const run = engineHouse({ services, workflows: { 70: form() } }).startRun(agent([{ workflow_id: '70' }]))

  const first = await run.live()
  expect(asked(first).map(({ type }) => type)).toEqual([5, 5])

  const second = await run.live({ resume: { eventId: askedFirst(first), data: '{"input":"one"}' } })
  expect(asked(second)).toEqual(asked(first).slice(1))
  expect(provider.requests).toHaveLength(1)

  const end = await run.live({ resume: { eventId: askedFirst(second), data: '{"input":"two"}' } })
  expect(end).toMatchObject({ kind: 'done', outputs: { output: 'final answer' } })
  expect(provider.requests).toHaveLength(2)
  expect(provider.lastRequest.body.messages.slice(2).map(({ content }) => content)).toEqual(['{"filled":"one"}', '{"filled":"two"}'])
})

test('a form that was filled in badly is an error that the model is told', async () => {
  const { provider, services } = await startModelServices([answers([calls('ts_form_form', {})]), says('sorry')], { describeWorkflow })
  const run = engineHouse({ services, workflows: { 70: form() } }).startRun(agent([{ workflow_id: '70' }]))

  const end = await run.live({ resume: { eventId: askedFirst(await run.live()), data: 'no JSON' } })

  expect(end).toMatchObject({ kind: 'done', outputs: { output: 'sorry' } })
  expect(provider.lastRequest.body.messages.at(-1)?.content).toBe('Error: the input must be a JSON object with the fields input')
})

test('after a crash a tool that was done is not done again, and the model not asked again', async () => {
  const { provider, services } = await startModelServices([answers([calls('ts_form_form', {})]), fails(500), says('final answer')], {
    describeWorkflow,
  })
  let done = 0
  const probes = { 301: () => ({ kind: 'done', outputs: { output: ++done } }) as const }
  const tool = drawCanvas()
    .entry({})
    .node('301', 900, { outputs: { output: 'integer' } })
    .exit({ count: ref('301.output', 'integer') })
    .edges('entry > 301 > exit')
    .build()
  const run = engineHouse({ services, probes, workflows: { 70: tool } }).startRun(agent([{ workflow_id: '70' }]))

  await expect(run.live()).rejects.toThrow()
  const end = await run.live()

  expect(end).toMatchObject({ kind: 'done', outputs: { output: 'final answer' } })
  expect(done).toBe(1)
  expect(provider.requests).toHaveLength(3)
})

test('a workflow that streams its answer streams through the model node', async () => {
  const { services } = await startModelServices([answers([calls('ts_form_form', {})]), answers(['I ', "don't know."])], {
    describeWorkflow,
  })
  const tool = drawCanvas()
    .entry({})
    .node('301', 3, { inputs: prompt('inner'), outputs: text })
    .answer('tool: {{said}}', { said: ref('301.output') }, { streaming: true })
    .edges('entry > 301 > exit')
    .build()
  const outer = drawCanvas()
    .entry({})
    .node('101', 3, { inputs: { ...prompt('p'), fcParam: { workflowFCParam: { workflowList: [{ workflow_id: '70' }] } } }, outputs: text })
    .answer('{{said}}', { said: ref('101.output') }, { streaming: true })
    .edges('entry > 101 > exit')
    .build()
  const run = engineHouse({ services, workflows: { 70: tool } }).startRun(outer)

  const end = await run.live()

  expect(end).toMatchObject({ kind: 'done', outputs: { output: "tool: I don't know." } })
  expect(run.texts()).toEqual(['tool: ', 'I ', "don't know."])
})
