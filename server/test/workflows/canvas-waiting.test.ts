import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { cancelWorkflowRun, resumeWorkflowRun } from '../../src/workflows/runs/workflow-runs.ts'
import { drawCanvas, ref, variables } from '../support/canvas-builder.ts'
import type { TypeFields } from '../support/canvas-builder.ts'
import { ADA, openCanvasHouse, saidIn } from '../support/canvas-house.ts'
import type { CanvasHouse, Ran } from '../support/canvas-house.ts'
import { says } from '../support/fake-provider.ts'
import { asks, concat, emits, form } from '../support/node-sketches.ts'

let house: CanvasHouse
beforeAll(async () => void (house = await openCanvasHouse()))
afterAll(() => house[Symbol.asyncDispose]())
beforeEach(() => void (house.provider.requests.length = 0))

const askedBy = ({ run }: Ran) => run.waiting.map(({ nodeId }) => nodeId)
type Asked = { type: string; content_type: string; content: unknown; id: string }
const talk = ({ run }: Ran): Asked[] => (JSON.parse(run.waiting[0]?.data ?? '{}') as { messages: Asked[] }).messages

describe('a question', () => {
  test('waits with its text, and goes on with the answer', async () => {
    const canvas = drawCanvas()
      .entry({ who: 'string' })
      .node('101', 18, asks('Where is {{who}}?', {}, { title: 'ask', params: { who: ref('entry.who') } }))
      .exit({ where: ref('101.USER_RESPONSE') })
      .edges('entry > 101 > exit')
      .build()
    const ran = await house.play(canvas, { who: 'Ada' })
    expect(ran).toMatchObject({
      status: 'waiting',
      run: { waiting: [{ nodeId: '101', nodeType: '18', nodeTitle: 'ask', type: 2 }], usage: { inputTokens: 0, outputTokens: 0 } },
    })
    expect(talk(ran)).toEqual([{ type: 'question', content_type: 'text', content: 'Where is Ada?', id: '101_0' }])
    expect(saidIn(ran)).toEqual([ran.run.waiting[0]?.data])
    expect((await house.reply(ran, 'in Rome')).output).toEqual({ where: 'in Rome' })
    expect(house.provider.requests).toHaveLength(0)
  })

  test('with options leaves by the port of the one that was chosen', async () => {
    const draw = (more: Record<string, unknown>) =>
      drawCanvas()
        .entry({ list: ['string'], a: 'string' })
        .node(
          '101',
          18,
          asks(
            'Which?',
            { answer_type: 'option', ...more },
            { params: { a: ref('entry.a') }, outputs: { optionId: 'string', optionContent: 'string' } },
          ),
        )
        .node('102', 15, concat('first'))
        .node('103', 15, concat('second'))
        .node('104', 15, concat('other'))
        .exit({
          id: ref('101.optionId'),
          content: ref('101.optionContent'),
          way: ref('102.output'),
          way2: ref('103.output'),
          way3: ref('104.output'),
        })
        .edges('entry > 101:branch_0 > 102 > exit', '101:branch_1 > 103 > exit', '101:default > 104 > exit')
        .build()
    const options = draw({ options: [{ name: '{{a}} tea' }, { name: 'coffee' }] })
    const ran = await house.play(options, { a: 'green' })
    expect(talk(ran)[0]?.content).toEqual({ question: 'Which?', options: [{ name: 'green tea' }, { name: 'coffee' }] })
    expect((await house.reply(ran, 'coffee')).output).toEqual({ id: 'B', content: 'coffee', way: '', way2: 'second', way3: '' })

    house.provider.script = says('0')
    expect((await house.reply(await house.play(options, { a: 'green' }), 'the green one')).output).toMatchObject({
      id: 'A',
      content: 'green tea',
      way: 'first',
    })
    house.provider.script = says('-1')
    expect((await house.reply(await house.play(options, { a: 'green' }), 'water')).output).toEqual({
      id: 'other',
      content: 'water',
      way: '',
      way2: '',
      way3: 'other',
    })

    const dynamic = draw({ option_type: 'dynamic', dynamic_option: ref('entry.list', ['string']) })
    expect((await house.reply(await house.play(dynamic, { list: ['x', 'y', 'z'] }), 'z')).output).toMatchObject({
      id: 'C',
      content: 'z',
      way: 'first',
    })
    expect(await house.play(dynamic, { list: [] })).toMatchObject({ status: 'failed', run: { error: { code: 720712049 } } })
    expect(await house.play(dynamic, { list: Array.from({ length: 27 }, String) })).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('26'),
    })
  })

  test('asks again until a model has found the fields, and the next question comes before those of others', async () => {
    const canvas = drawCanvas()
      .entry({})
      .node(
        '101',
        18,
        asks('Who are you?', { extra_output: true }, { outputs: { USER_RESPONSE: 'string', 'name!': 'string', 'age!': 'integer' } }),
      )
      .node('102', 30, form({ city: 'string' }))
      .exit({ all: ref('101', 'object'), city: ref('102.city') })
      .edges('entry > 101 > exit', 'entry > 102 > exit')
      .build()
    house.provider.script = [
      says('{"fields":{"name":"Ada"},"question":"How old are you?"}'),
      says('```json\n{"fields":{"name":"Ada","age":"36"},"question":""}\n```'),
    ]
    let ran = await house.play(canvas)
    const [first] = ran.run.waiting
    if (first?.nodeId === '102') ran = await house.reply(ran, '{"city":"Rome"}')
    ran = await house.reply(ran, 'I am Ada')
    expect(askedBy(ran)[0]).toBe('101')
    expect(talk(ran).map(({ type, content, id }) => [type, content, id])).toEqual([
      ['question', 'Who are you?', '101_0'],
      ['answer', 'I am Ada', '101_1'],
      ['question', 'How old are you?', '101_2'],
    ])
    ran = await house.reply(ran, '36')
    if (ran.status === 'waiting') ran = await house.reply(ran, '{"city":"Rome"}')
    expect(ran.output).toMatchObject({ all: { USER_RESPONSE: '36', name: 'Ada', age: 36 }, city: 'Rome' })
    expect(ran.run.usage.inputTokens).toBeGreaterThan(0)
  })

  test('fails when its limit of answers is reached, and takes fields that were not told as null', async () => {
    const canvas = (limit: unknown) =>
      drawCanvas()
        .entry({})
        .node(
          '101',
          18,
          asks('Who?', { extra_output: true, limit }, { outputs: { USER_RESPONSE: 'string', 'name!': 'string', 'age!': 'integer' } }),
        )
        .exit({ name: ref('101.name'), age: ref('101.age', 'integer') })
        .edges('entry > 101 > exit')
        .build()
    house.provider.script = says('{"fields":{},"question":"And?"}')
    const again = await house.reply(await house.play(canvas(2)), 'x')
    expect(await house.reply(again, 'y')).toMatchObject({ status: 'failed', error: expect.stringContaining('And?') })
    house.provider.script = says('{"fields":{"name":"Ada"}}')
    expect((await house.reply(await house.play(canvas('3')), 'x')).output).toEqual({ name: 'Ada', age: 0 })
  })
})

describe('an input form', () => {
  const fields: TypeFields = { name: 'string', age: 'integer', tags: ['string'], file: 'image', more: { a: 'integer' } }
  const canvas = drawCanvas()
    .entry({})
    .node('101', 30, form(fields))
    .exit({ all: ref('101', 'object') })
    .edges('entry > 101 > exit')
    .build()

  test('waits with its schema, and takes what fits of the answer', async () => {
    const ran = await house.play(canvas)
    expect(ran.run.waiting[0]).toMatchObject({ type: 5, nodeType: '30' })
    expect(JSON.parse(ran.run.waiting[0]?.data ?? '')).toEqual({ content_type: 'form_schema', content: JSON.stringify(variables(fields)) })
    const answer = { name: 7, age: '36', tags: ['a', null, 1], more: '{"a":"1","b":2}', unknown: true }
    expect((await house.reply(ran, JSON.stringify(answer))).output).toEqual({
      all: { name: '7', age: 36, tags: ['a', null, '1'], file: null, more: { a: 1 } },
    })
  })

  test('that is not answered with an object fails the run', async () => {
    expect(await house.reply(await house.play(canvas), 'not an object')).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('JSON object'),
    })
  })
})

describe('several that wait', () => {
  test('are answered in their order: one that is not first is refused, and what has run is not run again', async () => {
    const canvas = drawCanvas()
      .entry({})
      .node('100', 13, emits('once'))
      .node('101', 30, form({ a: 'string' }))
      .node('102', 18, asks('b?'))
      .node('103', 15, concat('{{a}}{{b}}', { a: ref('101.a'), b: ref('102.USER_RESPONSE') }))
      .exit({ got: ref('103.output') })
      .edges('entry > 100 > 101 > 103 > exit', '100 > 102 > 103')
      .build()
    let ran = await house.play(canvas)
    const [first, second] = ran.run.waiting
    expect(askedBy(ran).toSorted()).toEqual(['101', '102'])
    const resume = (eventId: string | undefined) =>
      resumeWorkflowRun(house.deps, ADA, { workflowId: ran.run.workflowId, eventId: `${ran.run.id}/${eventId ?? ''}`, data: '{"a":"x"}' })
    await expect(resume(second?.id)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('another event of this run has to be answered first'),
    })

    for (let left = 2; left > 0; left--) {
      expect(ran.run.waiting).toHaveLength(left)
      ran = await house.reply(ran, ran.run.waiting[0]?.nodeId === '101' ? '{"a":"A"}' : 'B')
      if (left === 2) expect(ran.run.waiting[0]).toEqual(second)
    }
    expect(ran.output).toEqual({ got: 'AB' })
    expect(saidIn(ran).filter((said) => said === 'once')).toHaveLength(1)
    await expect(resume(first?.id)).rejects.toMatchObject({ code: 'conflict' })
  })

  test('a run that waits may be canceled', async () => {
    const ran = await house.play(drawCanvas().entry({}).node('101', 18, asks('?')).exit({}).edges('entry > 101 > exit').build())
    await cancelWorkflowRun(house.deps, ADA, { runId: ran.run.id })
    await expect(house.reply(ran, 'late')).rejects.toMatchObject({ code: 'conflict' })
  })
})

describe('one node tried out alone', () => {
  test('waits and goes on as in a whole run', async () => {
    const canvas = drawCanvas()
      .entry({ who: 'string' })
      .node('101', 18, asks('Where is {{who}}?', {}, { params: { who: ref('entry.who') } }))
      .exit({})
      .edges('entry > 101 > exit')
      .build()
    const ran = await house.play(canvas, { who: 'Ada' }, { onlyNode: '101' })
    expect(talk(ran)[0]?.content).toBe('Where is Ada?')
    expect((await house.reply(ran, 'here')).output).toMatchObject({ USER_RESPONSE: 'here' })
  })
})
