import { expect, test } from 'vitest'
import { runNode } from '../../../test/support/node-run.ts'
import type { NodeRunSettings } from '../../../test/support/node-run.ts'
import { parseValue } from '../values/value.ts'
import type { ValueObject } from '../values/value.ts'
import { textNode } from './text-node.ts'

const literal = (name: string, content: unknown, type = 'string') => ({ name, input: { type, value: { type: 'literal', content } } })
const concatOf = (template: string, separator: string) => ({
  inputs: { method: 'concat', concatParams: [literal('concatResult', template), literal('arrayItemConcatChar', separator)] },
})
const splitAt = (delimiters: unknown) => ({ inputs: { method: 'split', splitParams: [literal('delimiters', delimiters, 'list')] } })

async function outputOf(node: { inputs: Record<string, unknown> }, inputs: ValueObject, settings: NodeRunSettings = {}) {
  const { result } = await runNode(textNode, node, { inputs, ...settings })
  return result.kind === 'done' ? result.outputs.output : undefined
}

test('lists are joined wherever they stand, objects are JSON', async () => {
  const inputs = { a: ['1', { '1': 1 }, 3], b: { b1: ['1', '2', '3'], b2: ['1', 2, '3'] }, c: { c1: '1' } }
  const template = 'fx{{a}}=={{b.b1}}=={{b.b2[1]}}=={{c}}'
  expect(await outputOf(concatOf(template, '\\t'), inputs)).toBe('fx1\\t{"1":1}\\t3==1\\t2\\t3==2=={"c1":"1"}')
})

test('null in a list is an empty text', async () => {
  expect(await outputOf(concatOf('{{a}}', ', '), { a: [null, true, 1.5, null, [1]] })).toBe(', true, 1.5, , [1]')
})

test('an unknown name stays, a skipped one is nothing, null is nothing', async () => {
  expect(await outputOf(concatOf('{{x}}|{{a}}|{{b}}', ''), { a: 0, b: null }, { skipped: ['a'] })).toBe('{{x}}||')
})

test('the separator may be left out', async () => {
  expect(await outputOf({ inputs: { method: 'concat', concatParams: [literal('concatResult', '{{a}}')] } }, { a: [1, 2] })).toBe('12')
})

test('an element that is not there fails the node', async () => {
  await expect(outputOf(concatOf('{{a[1]}}', ''), { a: [1] })).rejects.toThrow('the index 1 is out of range')
})

test('delimiters are applied one after another', async () => {
  expect(await outputOf(splitAt([',', '|', '.']), { String: 'a,b|c.d,e|f|g' })).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g'])
  expect(await outputOf(splitAt(['。', '，', '\n']), { String: '一，二。三\n' })).toEqual(['一', '二', '三', ''])
})

test('empty pieces stay', async () => {
  expect(await outputOf(splitAt('[","]'), { String: ',a,,b,' })).toEqual(['', 'a', '', 'b', ''])
  expect(await outputOf(splitAt([',']), { String: '' })).toEqual([''])
  expect(await outputOf(splitAt([',']), {})).toEqual([''])
})

test('an empty delimiter splits into characters', async () => {
  expect(await outputOf(splitAt(['']), { String: 'a😀' })).toEqual(['a', '😀'])
})

test('a large text is split quickly', async () => {
  const pieces = await outputOf(splitAt([',', ';', '|']), { String: 'x,y;z|'.repeat(200_000) })
  expect(pieces).toHaveLength(600_001)
})

test('what the editor keeps for itself is not read', async () => {
  const inputs = { method: 'split', splitParams: [{ name: 'allDelimiters', input: 'no input' }, literal('delimiters', ['-'], 'list')] }
  expect(await outputOf({ inputs }, { String: 'a-b' })).toEqual(['a', 'b'])
})

test('settings that make no sense are refused', async () => {
  await expect(outputOf({ inputs: { method: 'reverse' } }, {})).rejects.toThrow('must be concat or split, not "reverse"')
  await expect(outputOf({ inputs: { method: 'split' } }, {})).rejects.toThrow('needs delimiters')
  await expect(outputOf(splitAt([]), {})).rejects.toThrow('needs delimiters')
  const reference = {
    name: 'concatResult',
    input: { type: 'string', value: { type: 'ref', content: { source: 'block-output', blockID: '1', name: 'a' } } },
  }
  await expect(outputOf({ inputs: { method: 'concat', concatParams: [reference] } }, {})).rejects.toThrow('concatResult must be a literal')
})

test('names of prototypes are names like others', async () => {
  const inputs = parseValue('{"__proto__":["a","b"]}') as ValueObject
  expect(await outputOf(concatOf('{{__proto__}} {{constructor}}', '-'), inputs)).toBe('a-b {{constructor}}')
})
