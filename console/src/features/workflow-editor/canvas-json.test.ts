import { describe, expect, test } from 'vitest'
import { listAt, parseJsonText, readAt, textAt, toJsonText, writeAt } from './canvas-json.ts'
import type { JsonObject } from './canvas-json.ts'

const parse = (text: string) => parseJsonText(text) as JsonObject

describe('the JSON of a canvas', () => {
  test.each([
    '{"a":12345678901234567890,"b":[1.0,-0.10,1e5,7]}',
    '{"text":"12345678901234567890 and \\"1.0\\" and \\\\","empty":""}',
    '{"modelType":7330000000000000001,"nested":{"x":"\\u00e9 1.00"}}',
    '[]',
  ])('comes back as it was: %s', (text) => {
    expect(toJsonText(parseJsonText(text))).toBe(JSON.stringify(JSON.parse(text)) === text ? text : text.replace('\\u00e9', 'é'))
  })

  test('what is no JSON is a SyntaxError', () => {
    expect(() => parseJsonText('{"a":')).toThrow(SyntaxError)
    expect(() => parseJsonText('{"a": 0123}')).toThrow(SyntaxError)
  })

  test('names are found whatever their case, and keep the one they have', () => {
    const node = parse('{"Data":{"Inputs":{"batches":[{"n":1}]}}}')
    expect(textAt(node, 'data.inputs.batches[0].n')).toBe('1')
    expect(toJsonText(writeAt(node, 'data.inputs.batches.0.n', 2))).toBe('{"Data":{"Inputs":{"batches":[{"n":2}]}}}')
  })

  test('a change copies only what leads to it', () => {
    const before = parse('{"a":{"b":1},"c":{"d":[1,2]}}')
    const after = writeAt(before, 'a.b', 2)
    expect(readAt(after, 'c')).toBe(readAt(before, 'c'))
    expect(readAt(before, 'a.b')).toBe(1)
    expect(toJsonText(writeAt(after, 'c.d.0', undefined))).toBe('{"a":{"b":2},"c":{"d":[2]}}')
    expect(toJsonText(writeAt(after, 'a', undefined))).toBe('{"c":{"d":[1,2]}}')
    expect(listAt(after, 'no.such.list')).toEqual([])
  })
})
