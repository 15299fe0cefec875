import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { drawCanvas, params, ref } from '../support/canvas-builder.ts'
import type { Input, NodeSketch, TypeFields } from '../support/canvas-builder.ts'
import { openCanvasHouse } from '../support/canvas-house.ts'
import type { CanvasHouse, Ran } from '../support/canvas-house.ts'
import { answers, calls, says } from '../support/fake-provider.ts'
import { asks, concat, form, text } from '../support/node-sketches.ts'

let house: CanvasHouse
beforeAll(async () => void (house = await openCanvasHouse()))
afterAll(() => house[Symbol.asyncDispose]())
beforeEach(() => void (house.provider.requests.length = 0))

type Asked = { type: string; content_type: string; content: unknown; id: string }
const talk = ({ run }: Ran): Asked[] => (JSON.parse(run.waiting[0]?.data ?? '{}') as { messages: Asked[] }).messages

describe('waiting within bodies and other workflows', () => {
  test('a loop waits in one pass after another, with the lists and variables it had', async () => {
    const canvas = drawCanvas()
      .entry({ words: ['string'] })
      .loop(
        '200',
        {
          params: { w: ref('entry.words', ['string']) },
          variables: { all: '' },
          outputs: { said: ref('201.USER_RESPONSE', ['string']), all: ref('200.all') },
        },
        (body) =>
          body
            .node('201', 18, asks('{{w}}? {{all}}', {}, { params: { w: ref('200.w'), all: ref('200.all') } }))
            .node('202', 15, concat('{{all}}{{a}};', { all: ref('200.all'), a: ref('201.USER_RESPONSE') }))
            .node('203', 20, { inputs: { inputParameters: [{ left: ref('200.all'), right: ref('202.output') }] } })
            .edges('start > 201 > 202 > 203 > end'),
      )
      .exit({ got: ref('200', 'object') })
      .edges('entry > 200:loop-output > exit')
      .build()
    let ran = await house.play(canvas, { words: ['a', 'b', 'c'] })
    const questions: unknown[] = []
    for (const answer of ['1', '2', '3']) {
      expect(ran.run.waiting).toHaveLength(1)
      questions.push(talk(ran)[0]?.content)
      ran = await house.reply(ran, answer)
    }
    expect(questions).toEqual(['a? ', 'b? 1;', 'c? 1;2;'])
    expect(ran.output).toEqual({ got: { said: ['1', '2', '3'], all: '1;2;3;' } })
  })

  test('a batch waits in as many passes as run at once; those not begun wait until these are answered', async () => {
    const canvas = drawCanvas()
      .entry({ words: ['string'] })
      .batch(
        '300',
        { concurrency: 2, params: { w: ref('entry.words', ['string']) }, outputs: { said: ref('302.output', ['string']) } },
        (body) =>
          body
            .node('301', 18, asks('{{w}}?', {}, { params: { w: ref('300.w') } }))
            .node('302', 15, concat('{{w}}{{a}}', { w: ref('300.w'), a: ref('301.USER_RESPONSE') }))
            .edges('start > 301 > 302 > end'),
      )
      .exit({ said: ref('300.said', ['string']) })
      .edges('entry > 300:batch-output > exit')
      .build()
    let ran = await house.play(canvas, { words: ['a', 'b', 'c', 'd'] })
    const most: number[] = []
    while (ran.status === 'waiting') {
      most.push(ran.run.waiting.length)
      ran = await house.reply(ran, String(talk(ran)[0]?.content).toUpperCase())
    }
    expect(ran.output).toEqual({ said: ['aA?', 'bB?', 'cC?', 'dD?'] })
    expect(most[0]).toBe(2)
    expect(most).toHaveLength(4)
  })

  test('a question asked again in a batch comes before those of the other passes', async () => {
    house.provider.script = (request) =>
      says(request.lastUserText.includes('Answer: more') ? '{"fields":{"n":"ok"}}' : '{"fields":{},"question":"again?"}')
    const outputs: TypeFields = { USER_RESPONSE: 'string', 'n!': 'string' }
    const canvas = drawCanvas()
      .entry({ words: ['string'] })
      .batch('300', { params: { w: ref('entry.words', ['string']) }, outputs: { out: ref('301.n', ['string']) } }, (body) =>
        body.node('301', 18, asks('{{w}}?', { extra_output: true }, { params: { w: ref('300.w') }, outputs })).edges('start > 301 > end'),
      )
      .exit({ out: ref('300.out', ['string']) })
      .edges('entry > 300:batch-output > exit')
      .build()
    let ran = await house.play(canvas, { words: ['x', 'y'] })
    const asked: unknown[] = []
    for (const answer of ['less', 'more', 'less', 'more']) {
      asked.push(talk(ran).at(-1)?.content)
      ran = await house.reply(ran, answer)
    }
    expect(asked).toEqual(['x?', 'again?', 'y?', 'again?'])
    expect(ran.output).toEqual({ out: ['ok', 'ok'] })
  })

  test('a node in batch mode waits as a batch does', async () => {
    const asking = await house.store(
      drawCanvas()
        .entry({ w: 'string' })
        .node('101', 18, asks('{{w}}?', {}, { params: { w: ref('entry.w') } }))
        .exit({ a: ref('101.USER_RESPONSE') })
        .edges('entry > 101 > exit')
        .build(),
    )
    const batch = { batchEnable: true, batchSize: 10, concurrentSize: 2, inputLists: params({ item1: ref('entry.words', ['string']) }) }
    const canvas = drawCanvas()
      .entry({ words: ['string'] })
      .node('400', 9, {
        params: { w: ref('400.item1') },
        inputs: { workflowId: asking, type: 0, batch },
        outputs: { list: [{ a: 'string' }] },
      })
      .exit({ list: ref('400.list', [{ a: 'string' }]) })
      .edges('entry > 400 > exit')
      .build()
    let ran = await house.play(canvas, { words: ['x', 'y', 'z'] })
    while (ran.status === 'waiting') ran = await house.reply(ran, `to ${String(talk(ran)[0]?.content)}`)
    expect(ran.output).toEqual({ list: [{ a: 'to x?' }, { a: 'to y?' }, { a: 'to z?' }] })
  })

  test('four levels: a form in a workflow in a loop in a workflow in a workflow', async () => {
    const deepest = await house.store(
      drawCanvas()
        .entry({ w: 'string' })
        .node('101', 30, form({ a: 'string' }))
        .node('102', 15, concat('{{w}}{{a}}', { w: ref('entry.w'), a: ref('101.a') }))
        .exit({ said: ref('102.output') })
        .edges('entry > 101 > 102 > exit')
        .build(),
    )
    const call = (workflowId: string, given: Record<string, Input>, outputs: TypeFields): NodeSketch => ({
      params: given,
      inputs: { workflowId, workflowVersion: '', type: 0 },
      outputs,
    })
    const looping = await house.store(
      drawCanvas()
        .entry({ words: ['string'] })
        .loop('200', { params: { w: ref('entry.words', ['string']) }, outputs: { said: ref('201.said', ['string']) } }, (body) =>
          body.node('201', 9, call(deepest, { w: ref('200.w') }, { said: 'string' })).edges('start > 201 > end'),
        )
        .exit({ said: ref('200.said', ['string']) })
        .edges('entry > 200:loop-output > exit')
        .build(),
    )
    const pass = (workflowId: string) =>
      drawCanvas()
        .entry({ words: ['string'] })
        .node('101', 9, call(workflowId, { words: ref('entry.words', ['string']) }, { said: ['string'] }))
        .exit({ said: ref('101.said', ['string']) })
        .edges('entry > 101 > exit')
        .build()
    const middle = await house.store(pass(looping))

    let ran = await house.play(pass(middle), { words: ['x', 'y'] })
    expect(ran.run.waiting.map(({ path, nodeId }) => [path, nodeId])).toEqual([['101/101/200#0/201/101', '101']])
    ran = await house.reply(ran, '{"a":"1"}')
    expect(ran.run.waiting[0]?.path).toBe('101/101/200#1/201/101')
    expect((await house.reply(ran, '{"a":"2"}')).output).toEqual({ said: ['x1', 'y2'] })
  })

  test('a workflow that a model calls waits; the model is not asked for that call again', async () => {
    const tool = await house.store(
      drawCanvas()
        .entry({ city: 'string' })
        .node('101', 18, asks('In {{c}}, at what time?', {}, { params: { c: ref('entry.city') } }))
        .exit({ time: ref('101.USER_RESPONSE') })
        .edges('entry > 101 > exit')
        .build(),
      { name: 'book' },
    )
    const skills = {
      workflowFCParam: { workflowList: [{ workflow_id: tool, workflow_version: '', plugin_id: '7', is_draft: true, fc_setting: {} }] },
    }
    const canvas = drawCanvas()
      .entry({})
      .node('101', 3, { inputs: { llmParam: params({ modelType: '5', prompt: 'Book.' }), fcParam: skills }, ...text })
      .exit({ got: ref('101.output') })
      .edges('entry > 101 > exit')
      .build()
    house.provider.script = [answers([calls('ts_book_book', { city: 'Rome' }, 'call_9')]), says('Booked.')]
    const ran = await house.play(canvas)
    expect(ran.run.waiting[0]).toMatchObject({ nodeId: '101', type: 2 })
    expect(talk(ran)[0]?.content).toBe('In Rome, at what time?')
    expect(house.provider.requests).toHaveLength(1)

    expect((await house.reply(ran, 'at noon')).output).toEqual({ got: 'Booked.' })
    expect(house.provider.requests).toHaveLength(2)
    expect(house.provider.lastRequest.body.messages.slice(-2)).toMatchObject([
      { role: 'assistant' },
      { role: 'tool', content: '{"time":"at noon"}' },
    ])
  })
})
