import fc from 'fast-check'
import { expect, test } from 'vitest'
import { runNode } from '../../../test/support/node-run.ts'
import { toText } from '../values/value-text.ts'
import { parseValue } from '../values/value.ts'
import type { Value } from '../values/value.ts'
import { toJsonNode } from './to-json-node.ts'

async function toJson(input: Value): Promise<Value | undefined> {
  const { result } = await runNode(toJsonNode, {}, { inputs: { input } })
  return result.kind === 'done' ? result.outputs.output : undefined
}

test.each<[Value, string]>([
  [{ string: 'hello', int: 123, bool: true }, '{"bool":true,"int":123,"string":"hello"}'],
  ['te"xt <b>', '"te\\"xt <b>"'],
  [null, 'null'],
  [9007199254740993n, '9007199254740993'],
  [[1, [null, {}]], '[1,[null,{}]]'],
])('%o', async (value, expected) => {
  expect(await toJson(value)).toBe(expected)
})

test('the text read back is the same value', async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), async (json) => {
      const value = parseValue(JSON.stringify(json))
      expect(parseValue(toText((await toJson(value)) ?? null))).toEqual(value)
    }),
  )
})
