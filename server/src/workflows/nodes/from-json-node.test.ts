import { expect, test } from 'vitest'
import { runNode } from '../../../test/support/node-run.ts'
import { NodeError } from '../engine/node-error.ts'
import type { Value } from '../values/value.ts'
import { fromJsonNode } from './from-json-node.ts'

type Variable = { type: string; required?: boolean; name?: string; schema?: unknown }

async function fromJson(text: Value, variable?: Variable): Promise<{ output: Value | undefined; warnings: string[] }> {
  const outputs = variable ? [{ name: 'output', ...variable }] : []
  const { result, report } = await runNode(fromJsonNode, { outputs }, { inputs: { input: text } })
  return { output: result.kind === 'done' ? result.outputs.output : undefined, warnings: report.warnings }
}

const score = { type: 'object', schema: [{ name: 'score', type: 'integer' }] }
const integers = { type: 'list', schema: { type: 'integer' } }

test.each<[string, Variable, { value: Value; warnings: number }]>([
  ['"test string"', { type: 'string' }, { value: 'test string', warnings: 0 }],
  ['"not a number"', { type: 'integer' }, { value: null, warnings: 1 }],
  ['null', { type: 'string' }, { value: null, warnings: 0 }],
  ['"123"', { type: 'integer' }, { value: 123, warnings: 0 }],
  ['123.0', { type: 'integer' }, { value: 123, warnings: 0 }],
  ['123.5', { type: 'integer' }, { value: 123, warnings: 0 }],
  ['true', { type: 'integer' }, { value: null, warnings: 1 }],
  ['"true"', { type: 'boolean' }, { value: true, warnings: 0 }],
  ['"123abc"', { type: 'integer' }, { value: null, warnings: 1 }],
  ['{"score":"invalid"}', score, { value: { score: null }, warnings: 1 }],
  ['["1","2","3"]', integers, { value: [1, 2, 3], warnings: 0 }],
  ['["1","two",3]', integers, { value: [1, 3], warnings: 1 }],
  ['{"score":1,"more":[1]}', score, { value: { score: 1, more: [1] }, warnings: 0 }],
  ['[1]', score, { value: null, warnings: 1 }],
  ['9223372036854775807', { type: 'integer' }, { value: 9223372036854775807n, warnings: 0 }],
  ['{"b":1,"a":2}', { type: 'string' }, { value: '{"a":2,"b":1}', warnings: 0 }],
  ['null', score, { value: null, warnings: 0 }],
])('%s as %o', async (text, variable, expected) => {
  const { output, warnings } = await fromJson(text, variable)
  expect({ value: output, warnings: warnings.length }).toEqual(expected)
})

test('text that is no JSON fails the node, whatever the type', async () => {
  for (const text of ['{invalid json}', '', '[1,]', '1 2', '['.repeat(100_000)]) {
    await expect(fromJson(text, { type: 'string' })).rejects.toThrow(NodeError)
    await expect(fromJson(text, score)).rejects.toThrow('the input is not valid JSON')
  }
})

test('a required field that the JSON lacks fails the node', async () => {
  const variable = { type: 'object', schema: [{ name: 'id', type: 'string', required: true }] }
  await expect(fromJson('{}', variable)).rejects.toThrow('the JSON lacks the required field id')
  expect((await fromJson('{"id":null}', variable)).output).toEqual({ id: null })
})

test('a warning says where', async () => {
  expect((await fromJson('{"score":"x"}', score)).warnings).toEqual(['output: score is not an integer'])
})

test('without a declared type the value stays as it is', async () => {
  expect((await fromJson('{"a":[1]}')).output).toEqual({ a: [1] })
})
