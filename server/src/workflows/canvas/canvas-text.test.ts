import { expect, test } from 'vitest'
import type { Value } from '../values/value.ts'
import { MAX_CANVAS_BYTES, readCanvas, toCanvasText } from './canvas-text.ts'

const refusal = (message: string) => expect.objectContaining({ code: 'invalid_request', message: expect.stringContaining(message) })

test('the layout of a canvas is not kept, all else is, to the letter', () => {
  const laidOut =
    '{\n  "z" : 1,\t"a":[ 1.50, -0.25, 1e3, 7498668117704163337, -99999999999999999999 ],\r\n "t": "a  b\\n\\u4f60\\u0000\\ud83d", "n": null }'

  const text = toCanvasText(laidOut)
  expect(text).toBe('{"z":1,"a":[1.5,-0.25,1000,7498668117704163337,-99999999999999999999],"t":"a  b\\n你\\u0000\\ud83d","n":null}')
  expect(toCanvasText(text)).toBe(text)
})

test('an object is kept as its text would be', () => {
  expect(toCanvasText({ nodes: [], n: 7498668117704163337n })).toBe('{"nodes":[],"n":7498668117704163337}')
})

test.each(['', ' ', '[]', '5', 'null', '"{}"', '{', '{"a":1}}', '\u0000'])('what is no JSON object is refused: %j', (source) => {
  expect(() => toCanvasText(source)).toThrow(refusal('canvas'))
})

test('what is too large or too deep is refused, as text and as object', () => {
  expect(() => toCanvasText(`{"a":"${'文'.repeat(MAX_CANVAS_BYTES / 3)}"}`)).toThrow(refusal('8 MB'))
  expect(() => toCanvasText({ a: 'x'.repeat(MAX_CANVAS_BYTES) })).toThrow(refusal('8 MB'))
  for (const levels of [1_001, 500_000]) {
    const deep = `{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`
    expect(() => toCanvasText(deep)).toThrow(refusal('nested'))
    expect(() => toCanvasText({ a: nest(levels) })).toThrow(refusal('nested'))
  }
})

function nest(levels: number): Value {
  let value: Value = []
  for (let level = 1; level < levels; level++) value = [value]
  return value
}

test('a stored canvas is read with its integers exact', () => {
  const canvas = readCanvas('{"nodes":[{"id":"1","type":"1","data":{"inputs":{"n":7498668117704163337}}}]}')
  expect(canvas.nodes[0]?.inputs.n).toBe(7498668117704163337n)
})
