import { expect, test } from 'vitest'
import { runNode } from '../../../test/support/node-run.ts'
import type { GlobalVariables } from '../services/global-variables.ts'
import type { ValueObject } from '../values/value.ts'
import { assignerNode } from './assigner-node.ts'

const variable = (source: string, ...path: string[]) => ({
  type: 'string',
  value: { type: 'ref', content: { source, path, blockID: '', name: '' } },
})
const literal = (content: string) => ({ type: 'string', value: { type: 'literal', content } })
const assign = (left: unknown, input: unknown = literal('x')) => ({ name: 'v', left, input })

async function run(inputParameters: unknown[], inputs: ValueObject) {
  const written: unknown[] = []
  const variables: GlobalVariables = {
    read: () => Promise.resolve(undefined),
    write: async (...change) => void written.push(change),
  }
  const { result } = await runNode(assignerNode, { inputs: { inputParameters } }, { inputs, services: { variables } })
  return { result, written }
}

test('variables of app and user get their values, in order', async () => {
  const pairs = [
    assign(variable('global_variable_app', 'v')),
    assign(variable('global_variable_user', 'v')),
    assign(variable('global_variable_app', 'v')),
  ]
  expect(await run(pairs, { 'app.v.0': 'first', 'user.v.1': [1, null], 'app.v.2': null })).toEqual({
    result: { kind: 'done', outputs: { isSuccess: true } },
    written: [
      ['app', 'v', 'first'],
      ['user', 'v', [1, null]],
      ['app', 'v', null],
    ],
  })
})

test('when one value is missing, nothing is written', async () => {
  const pairs = [assign(variable('global_variable_app', 'a')), assign(variable('global_variable_app', 'b'))]
  const written: unknown[] = []
  const variables: GlobalVariables = { read: () => Promise.resolve(undefined), write: async (...change) => void written.push(change) }
  const settings = { inputs: { 'app.a.0': 'x' }, services: { variables } }

  await expect(runNode(assignerNode, { inputs: { inputParameters: pairs } }, settings)).rejects.toThrow(
    'there is no value for the variable b',
  )
  expect(written).toEqual([])
})

test('only whole variables of app and user can be assigned', async () => {
  const output = { type: 'string', value: { type: 'ref', content: { source: 'block-output', blockID: '1', name: 'a' } } }
  await expect(run([assign(variable('global_variable_system', 'sys_uuid'))], {})).rejects.toThrow('can only be read')
  await expect(run([assign(output)], {})).rejects.toThrow('must refer to a variable of the app or of the user')
  await expect(run([assign(literal('v'))], {})).rejects.toThrow('must refer to a variable of the app or of the user')
  await expect(run([assign(variable('global_variable_app', 'o', 'field'))], {})).rejects.toThrow('must name a whole variable')
  await expect(run(['pair'], {})).rejects.toThrow('must have a left side and an input')
  await expect(run([assign(undefined)], {})).rejects.toThrow('must have a type and a value')
})

test('without assignments there is nothing to do', async () => {
  expect(await run([], {})).toEqual({ result: { kind: 'done', outputs: { isSuccess: true } }, written: [] })
})
