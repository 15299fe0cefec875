import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { drawCanvas, params, ref } from '../support/canvas-builder.ts'
import type { NodeSketch } from '../support/canvas-builder.ts'
import { openCanvasHouse } from '../support/canvas-house.ts'
import type { CanvasHouse, Ran } from '../support/canvas-house.ts'
import { answers, cut, fails, reasons, says } from '../support/fake-provider.ts'
import { asks, concat, emits, model, runs, text } from '../support/node-sketches.ts'

let house: CanvasHouse
beforeAll(async () => void (house = await openCanvasHouse()))
afterAll(() => house[Symbol.asyncDispose]())
beforeEach(() => {
  house.provider.requests.length = 0
  house.provider.script = says('I ', 'do not', ' know')
})

/** What one node says: its parts, an `!` behind the last of a message. */
const partsOf = ({ messages }: Ran, nodeId: string): string[] =>
  messages.filter((message) => message.nodeId === nodeId).map(({ content, isLast }) => content + (isLast ? '!' : ''))
const wasStreamed = (): boolean[] => house.provider.requests.map(({ body }) => body.stream === true)

describe('stream mode', () => {
  test('the text of a model that reaches a streaming answer is passed on as it comes, in the order of the template', async () => {
    const canvas = drawCanvas()
      .entry({ who: 'string', none: 'string' })
      .node('101', 3, model())
      .answer('{{who}}: {{a}}{{none}}.', { a: ref('101.output'), who: ref('entry.who'), none: ref('entry.none') }, { streaming: true })
      .edges('entry > 101 > exit')
      .build()
    const ran = await house.play(canvas, { who: 'Bob' })
    expect(partsOf(ran, '900001')).toEqual(['Bob', ': ', 'I ', 'do not', ' know', '.!'])
    expect(ran.messages.map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4, 5])
    expect(ran.data).toBe('{"content_type":1,"data":"Bob: I do not know.","type_for_model":2}')
    expect(wasStreamed()).toEqual([true])
  })

  test('an answer that ends with a text has no empty part behind it', async () => {
    const canvas = drawCanvas()
      .entry({})
      .node('101', 3, model())
      .answer('{{a}}', { a: ref('101.output') }, { streaming: true })
      .edges('entry > 101 > exit')
      .build()
    expect(partsOf(await house.play(canvas), '900001')).toEqual(['I ', 'do not', ' know!'])
  })

  test('without a streaming answer models are asked for whole texts', async () => {
    const canvas = drawCanvas()
      .entry({})
      .node('101', 3, model())
      .answer('So: {{a}}', { a: ref('101.output') })
      .edges('entry > 101 > exit')
      .build()
    expect(partsOf(await house.play(canvas), '900001')).toEqual(['So: I do not know!'])
    expect(wasStreamed()).toEqual([false])
  })

  test('a streaming answer without the text of a model is one message', async () => {
    const canvas = drawCanvas()
      .entry({ who: 'string' })
      .node('101', 3, model())
      .answer('Hello {{who}}', { who: ref('entry.who') }, { streaming: true })
      .edges('entry > 101 > exit')
      .build()
    expect(partsOf(await house.play(canvas, { who: 'Bob' }), '900001')).toEqual(['Hello Bob!'])
    expect(wasStreamed()).toEqual([false])
  })

  test('JSON of a model is no stream', async () => {
    house.provider.script = says('{"a":"x",', '"b":1}')
    const canvas = drawCanvas()
      .entry({})
      .node('101', 3, model({ outputs: { a: 'string', b: 'integer' } }))
      .answer('{{a}} and {{b}}', { a: ref('101.a'), b: ref('101.b', 'integer') }, { streaming: true })
      .edges('entry > 101 > exit')
      .build()
    expect(partsOf(await house.play(canvas), '900001')).toEqual(['x and 1!'])
    expect(wasStreamed()).toEqual([false])
  })

  test('it is on also where the text goes through other nodes first', async () => {
    const canvas = drawCanvas()
      .entry({})
      .node('101', 3, model())
      .node('102', 15, concat('<{{String1}}>', { String1: ref('101.output') }))
      .answer('So: {{a}}', { a: ref('102.output') }, { streaming: true })
      .edges('entry > 101 > 102 > exit')
      .build()
    expect(partsOf(await house.play(canvas), '900001')).toEqual(['So: ', '<I do not know>!'])
    expect(wasStreamed()).toEqual([true])
  })

  test('aggregation passes the text on as it comes, from the branch that was taken', async () => {
    const canvas = drawCanvas()
      .entry({ go: 'boolean' })
      .selector('101', [{ if: [[11, ref('entry.go', 'boolean')]] }])
      .node('102', 3, model())
      .node('103', 15, concat('no model'))
      .node('104', 32, {
        inputs: { mergeGroups: [{ name: 'Group1', variables: [ref('103.output'), ref('102.output')] }] },
        outputs: { Group1: 'string' },
      })
      .answer('So: {{a}}', { a: ref('104.Group1') }, { streaming: true })
      .edges('entry > 101:true > 102 > 104 > exit', '101:false > 103 > 104')
      .build()
    expect(partsOf(await house.play(canvas, { go: true }), '900001')).toEqual(['So: ', 'I ', 'do not', ' know!'])
    expect(partsOf(await house.play(canvas, { go: false }), '900001')).toEqual(['So: ', 'no model!'])
  })

  test('whatever else reads the text waits for its end', async () => {
    const canvas = drawCanvas()
      .entry({})
      .node('101', 3, model())
      .node('102', 15, {
        params: { String: ref('101.output') },
        inputs: { method: 'split', splitParams: params({ delimiters: [' '] }) },
        outputs: { output: ['string'] },
      })
      .answer('{{a}} {{words}}', { a: ref('101.output'), words: ref('102.output', ['string']) }, { streaming: true })
      .edges('entry > 101 > 102 > exit')
      .build()
    expect(partsOf(await house.play(canvas), '900001')).toEqual(['I ', 'do not', ' know', ' ', '["I","do","not","know"]!'])
  })

  test('results are one message with sorted JSON, also in stream mode', async () => {
    const canvas = drawCanvas()
      .entry({})
      .node('101', 3, model())
      .node('102', 13, emits('{{a}}', { a: ref('101.output') }, true))
      .exit({ z: ref('101.output'), a: ref('102.output') })
      .edges('entry > 101 > 102 > exit')
      .build()
    const ran = await house.play(canvas)
    expect(partsOf(ran, '102')).toEqual(['I ', 'do not', ' know!'])
    expect(partsOf(ran, '900001')).toEqual(['{"a":"I do not know","z":"I do not know"}!'])
  })

  test('thoughts of a model are a text of their own', async () => {
    house.provider.script = answers([reasons('hm'), reasons(', well'), 'Yes', '.'])
    const canvas = drawCanvas()
      .entry({})
      .node('101', 3, model({ outputs: { reasoning_content: 'string', output: 'string' } }))
      .answer('<{{r}}> {{a}}', { a: ref('101.output'), r: ref('101.reasoning_content') }, { streaming: true })
      .edges('entry > 101 > exit')
      .build()
    const ran = await house.play(canvas)
    expect(partsOf(ran, '900001')).toEqual(['<', 'hm', ', well', '> ', 'Yes', '.!'])
    expect(ran.output).toBe('<hm, well> Yes.')
  })

  test('what is not read as a text is read when it is whole, and converted', async () => {
    house.provider.script = says('4', '2')
    const canvas = drawCanvas()
      .entry({})
      .node('101', 3, model())
      .node('102', 13, emits('{{n}} {{l}}', { n: ref('101.output', 'integer'), l: ref('101.output', ['integer']) }, true))
      .node('103', 13, emits('<{{a}}>', { a: ref('101.output') }, true))
      .exit({ n: ref('101.output', 'integer'), b: ref('101.output', 'boolean'), a: ref('101.output') })
      .edges('entry > 101 > 102 > exit', '101 > 103 > exit')
      .build()
    const ran = await house.play(canvas)
    expect(ran.output).toEqual({ n: 42, b: false, a: '42' })
    expect(partsOf(ran, '102')).toEqual(['42', ' ', '[]!'])
    expect(partsOf(ran, '103')).toEqual(['<', '4', '2', '>!'])
  })

  test('who does not stream says the whole text, once it is there', async () => {
    const canvas = drawCanvas()
      .entry({})
      .node('101', 3, model())
      .node('102', 13, emits('<{{a}}>', { a: ref('101.output') }, true))
      .node('103', 13, emits('[{{a}}]', { a: ref('101.output') }))
      .answer('{{a}}', { a: ref('101.output') })
      .edges('entry > 101 > 102 > exit', '101 > 103 > exit')
      .build()
    const ran = await house.play(canvas)
    expect([partsOf(ran, '102'), partsOf(ran, '103'), partsOf(ran, '900001')]).toEqual([
      ['<', 'I ', 'do not', ' know', '>!'],
      ['[I do not know]!'],
      ['I do not know!'],
    ])
  })

  test('what a source does not have is absent in stream mode, where it is an error otherwise', async () => {
    const draw = (streaming: boolean) =>
      drawCanvas()
        .entry({})
        .node('101', 3, model())
        .node('102', 59, { params: { input: '{"a":1}' }, outputs: { output: 'object' } })
        .answer('{{a}} {{b}}', { a: ref('101.output'), b: ref('102.output.b') }, { streaming })
        .edges('entry > 101 > exit', 'entry > 102 > exit')
        .build()
    expect((await house.play(draw(true))).output).toBe('I do not know ')
    expect(await house.play(draw(false))).toMatchObject({ status: 'failed', error: expect.stringContaining('output.b') })
  })
})

describe('messages on the way', () => {
  test('each is a message of its node, and what follows waits for its end', async () => {
    const canvas = drawCanvas()
      .entry({ who: 'string' })
      .node('101', 13, { title: 'hello', ...emits('Hello {{who}}', { who: ref('entry.who') }) })
      .node('102', 3, model())
      .node('103', 13, { title: 'told', ...emits('I say: {{a}}', { a: ref('102.output') }, true) })
      .node('104', 13, emits('[{{said}}]', { said: ref('103.output') }))
      .exit({ first: ref('101.output') })
      .edges('entry > 101 > 102 > 103 > 104 > exit')
      .build()
    const ran = await house.play(canvas, { who: 'Bob' })
    expect(ran.messages.map(({ nodeId, nodeTitle, seq, content, isLast }) => [nodeId, nodeTitle, seq, content, isLast])).toEqual([
      ['101', 'hello', 0, 'Hello Bob', true],
      ['103', 'told', 0, 'I say: ', false],
      ['103', 'told', 1, 'I ', false],
      ['103', 'told', 2, 'do not', false],
      ['103', 'told', 3, ' know', true],
      ['104', 'node 104', 0, '[I say: I do not know]', true],
      ['900001', 'end', 0, '{"first":"Hello Bob"}', true],
    ])
  })

  test('bodies never stream, not even with a streaming message inside', async () => {
    const canvas = drawCanvas()
      .entry({ words: ['string'] })
      .loop('200', { params: { word: ref('entry.words', ['string']) }, outputs: { texts: ref('201.output', ['string']) } }, (body) =>
        body
          .node('201', 3, model())
          .node('202', 13, emits('{{w}}: {{a}}', { a: ref('201.output'), w: ref('200.word') }, true))
          .edges('start > 201 > 202 > end'),
      )
      .exit({ texts: ref('200.texts', ['string']) })
      .edges('entry > 200:loop-output > exit')
      .build()
    const ran = await house.play(canvas, { words: ['x', 'y'] })
    expect(partsOf(ran, '202')).toEqual(['x: I do not know!', 'y: I do not know!'])
    expect(wasStreamed()).toEqual([false, false])
  })
})

describe('sub-workflows', () => {
  const telling = (streaming: boolean) =>
    drawCanvas()
      .entry({})
      .node('301', 13, emits('on the way'))
      .node('302', 3, model())
      .answer('{{a}}', { a: ref('302.output') }, { streaming })
      .edges('entry > 301 > 302 > exit')
      .build()
  const caller = (workflowId: string) =>
    drawCanvas()
      .entry({})
      .node('101', 9, runs(workflowId, { type: 1, ...text }))
      .answer('So: {{a}}', { a: ref('101.output') }, { streaming: true })
      .edges('entry > 101 > exit')
      .build()

  test('that stream their answer are passed on as it comes; their messages are the run’s, their answer is not', async () => {
    const ran = await house.play(caller(await house.store(telling(true))))
    expect(partsOf(ran, '900001')).toEqual(['So: ', 'I ', 'do not', ' know!'])
    expect(ran.messages.map(({ nodeId, content }) => [nodeId, content])[0]).toEqual(['301', 'on the way'])
    expect(ran.messages).toHaveLength(5)
    expect(wasStreamed()).toEqual([true])
  })

  test('that do not stream do not make the run a streaming one', async () => {
    const ran = await house.play(caller(await house.store(telling(false))))
    expect(partsOf(ran, '900001')).toEqual(['So: I do not know!'])
    expect(wasStreamed()).toEqual([false])
  })

  test('stream through several levels', async () => {
    const inner = await house.store(telling(true))
    const middle = await house.store(caller(inner))
    expect(partsOf(await house.play(caller(middle)), '900001')).toEqual(['So: ', 'So: ', 'I ', 'do not', ' know!'])
  })
})

describe('a text beside somebody who is waited for', () => {
  test('is said when the run goes on, and its model is not asked again', async () => {
    const canvas = drawCanvas()
      .entry({})
      .node('101', 3, model())
      .node('102', 18, asks('Who?'))
      .answer('{{a}}|{{b}}', { a: ref('101.output'), b: ref('102.USER_RESPONSE') }, { streaming: true })
      .edges('entry > 101 > exit', 'entry > 102 > exit')
      .build()
    const ran = await house.reply(await house.play(canvas), 'Ada')
    expect(ran.output).toBe('I do not know|Ada')
    expect(house.provider.requests).toHaveLength(1)
  })
})

describe('errors', () => {
  test('leave by the error branch; what waited for the text there is skipped', async () => {
    const canvas = drawCanvas()
      .entry({})
      .node('101', 3, model({ onError: { processType: 3 } }))
      .node('102', 13, emits('<{{a}}>', { a: ref('101.output') }, true))
      .node('103', 15, concat('failed: {{c}}', { c: ref('101.errorBody.errorCode') }))
      .answer('{{a}}{{b}}', { a: ref('101.output'), b: ref('103.output') }, { streaming: true })
      .edges('entry > 101:default > 102 > exit', '101:branch_error > 103 > exit')
      .build()
    const well = await house.play(canvas)
    expect([partsOf(well, '102'), partsOf(well, '900001')]).toEqual([
      ['<', 'I ', 'do not', ' know', '>!'],
      ['I ', 'do not', ' know!'],
    ])
    house.provider.script = fails(400)
    const bad = await house.play(canvas)
    expect([partsOf(bad, '102'), partsOf(bad, '900001')]).toEqual([[], ['failed: 720701013!']])
  })

  const guarded = (onError: NodeSketch['onError'], template = 'So: {{a}}') =>
    drawCanvas()
      .entry({})
      .node('101', 3, model({ onError }))
      .answer(
        template,
        { a: ref('101.output'), ...(template.includes('ok') && { ok: ref('101.isSuccess', 'boolean') }) },
        { streaming: true },
      )
      .edges('entry > 101 > exit')
      .build()

  test('before the first piece of a text are handled', async () => {
    house.provider.script = fails(400)
    const ran = await house.play(guarded({ processType: 2, dataOnErr: '{"output":"sorry"}' }, 'So: {{a}} {{ok}}'))
    expect(partsOf(ran, '900001')).toEqual(['So: ', 'sorry', ' ', 'false!'])
  })

  test('later are the run’s: what was said cannot be taken back', async () => {
    house.provider.script = answers(['I ', 'am', cut()])
    const ran = await house.play(guarded({ processType: 2, retryTimes: 3, dataOnErr: '{"output":"sorry"}' }))
    expect(ran).toMatchObject({ status: 'failed' })
    expect(partsOf(ran, '900001').join('')).toMatch(/^So: I ?/)
    expect(house.provider.requests).toHaveLength(1)
  })

  test('on success a handled node says so, beside its text', async () => {
    const ran = await house.play(guarded({ processType: 2, dataOnErr: '{"output":"sorry"}' }, 'So: {{a}} {{ok}}'))
    expect(ran.output).toBe('So: I do not know true')
  })
})
