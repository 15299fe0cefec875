import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Value, ValueObject } from '../../src/workflows/values/value.ts'
import { drawCanvas, literal, params, ref } from '../support/canvas-builder.ts'
import type { Input, Params, TypeFields } from '../support/canvas-builder.ts'
import { openCanvasHouse } from '../support/canvas-house.ts'
import type { CanvasHouse } from '../support/canvas-house.ts'
import { single, text } from '../support/node-sketches.ts'

let house: CanvasHouse
beforeAll(async () => void (house = await openCanvasHouse()))
afterAll(() => house[Symbol.asyncDispose]())

describe('texts', () => {
  const textOf = async (template: string, { given, v, char }: { given: Params; v: ValueObject; char: string }) => {
    const allArrayItemConcatChars = literal([{ label: 'x', value: ',' }], ['object'])
    const concatParams = params({ concatResult: template, arrayItemConcatChar: char, allArrayItemConcatChars })
    const canvas = single(
      15,
      { params: given, inputs: { method: 'concat', concatParams }, ...text },
      { entry: { v: 'object' }, exit: { got: ref('101.output') } },
    )
    return house.results(canvas, { v })
  }

  test('are put together, lists with a character between their elements', async () => {
    const v = { a: ['1', { 1: 1 }, 3], b: { b1: ['1', '2', '3'], b2: ['1', 2, '3'] }, c: { c1: '1' }, n: [null, true, [1]] }
    const given = { a: ref('entry.v.a', 'list'), b: ref('entry.v.b', 'object'), c: ref('entry.v.c', 'object'), n: ref('entry.v.n', 'list') }
    expect(await textOf('fx{{a}}=={{b.b1}}=={{b.b2[1]}}=={{c}}', { given, v, char: '\\t' })).toEqual({
      got: 'fx1\\t{"1":1}\\t3==1\\t2\\t3==2=={"c1":"1"}',
    })
    expect(await textOf('{{n}}', { given, v, char: '|' })).toEqual({ got: '|true|[1]' })
  })

  test('are taken apart at one delimiter after the other', async () => {
    const split = async (delimiters: Input, s: string) => {
      const canvas = drawCanvas()
        .entry({ s: 'string' })
        .node('101', 15, {
          params: { String: ref('entry.s') },
          inputs: { method: 'split', splitParams: params({ delimiters, allDelimiters: [{ label: 'comma', value: ',' }] }) },
          outputs: { output: ['string'] },
        })
        .exit({ got: ref('101.output', ['string']) })
        .edges('entry > 101 > exit')
        .build()
      return house.results(canvas, { s })
    }
    const list = (...delimiters: string[]) => ({
      type: 'list',
      schema: { type: 'string' },
      value: { type: 'literal', content: delimiters },
    })
    expect(await split(list(',', '|', '.'), 'a,b|c.d,e|f|g')).toEqual({ got: ['a', 'b', 'c', 'd', 'e', 'f', 'g'] })
    expect(await split(literal(['，', ','], ['string']), 'a，,b')).toEqual({ got: ['a', '', 'b'] })
    expect(await split(list('x'), '')).toEqual({ got: [''] })
  })
})

describe('JSON', () => {
  const parse = async (json: string, type: TypeFields['x']) => {
    const canvas = drawCanvas()
      .entry({ s: 'string' })
      .node('101', 59, { params: { input: ref('entry.s') }, outputs: { output: type } })
      .exit({ got: ref('101', 'object') })
      .edges('entry > 101 > exit')
      .build()
    const ran = await house.play(canvas, { s: json })
    if (ran.status !== 'succeeded') throw new Error(ran.error)
    const warnings = (await house.records(ran)).find(({ nodeId }) => nodeId === '101')?.warnings ?? []
    return [((ran.output as ValueObject).got as ValueObject).output, warnings.length]
  }

  test.for<[json: string, type: TypeFields['x'], value: Value, warnings: number]>([
    ['"test string"', 'string', 'test string', 0],
    ['"not a number"', 'integer', null, 1],
    ['null', 'string', null, 0],
    ['"123"', 'integer', 123, 0],
    ['123.0', 'integer', 123, 0],
    ['123.5', 'integer', 123, 0],
    ['true', 'integer', null, 1],
    ['"true"', 'boolean', true, 0],
    ['"123abc"', 'integer', null, 1],
    ['{"score":"invalid"}', { score: 'integer' }, { score: null }, 1],
    ['["1","2","3"]', ['integer'], [1, 2, 3], 0],
    ['["1","two",3]', ['integer'], [1, 3], 1],
    ['{"a":{"b":[{"c":"1"}]}}', { a: { b: [{ c: 'integer' }] } }, { a: { b: [{ c: 1 }] } }, 0],
  ])('%s read as %j', async ([json, type, value, warnings]) => {
    expect(await parse(json, type)).toEqual([value, warnings])
  })

  test('text that is none is an error', async () => {
    await expect(parse('{invalid json}', 'string')).rejects.toThrow('not valid JSON')
    await expect(parse('', 'string')).rejects.toThrow('not valid JSON')
  })

  test('any value becomes text, and is the same when it is read again', async () => {
    const canvas = drawCanvas()
      .entry({ v: 'object' })
      .node('101', 58, { params: { input: ref('entry.v', 'object') }, ...text })
      .node('102', 59, { params: { input: ref('101.output') }, outputs: { output: 'object' } })
      .exit({ text: ref('101.output'), back: ref('102.output', 'object') })
      .edges('entry > 101 > 102 > exit')
      .build()
    const v = { b: [1, 2.5, null, true, 'ü"\n'], a: { '': {} } }
    expect(await house.results(canvas, { v })).toEqual({ text: '{"a":{"":{}},"b":[1,2.5,null,true,"ü\\"\\n"]}', back: v })
  })
})
