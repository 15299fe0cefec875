import { expect, test } from 'vitest'
import { runNode } from '../../../test/support/node-run.ts'
import type { ValueObject } from '../values/value.ts'
import { selectorNode } from './selector-node.ts'

const node = { id: '1', type: '8', title: '', description: '', outputs: [], blocks: [], edges: [] }
const ref = (type = 'string', blockID = '100001') => ({
  input: { type, value: { type: 'ref', content: { source: 'block-output', blockID, name: 'a' } } },
})
const condition = (operator: unknown, right?: unknown) => ({ operator, left: ref(), right })
const branch = (logic: number, ...conditions: unknown[]) => ({ condition: { logic, conditions } })
const isTrue = condition(11)

async function choose(branches: unknown[], inputs: ValueObject) {
  const { result } = await runNode(selectorNode, { inputs: { branches } }, { inputs })
  return result
}

test('the first branch that holds gives the port', async () => {
  const branches = [branch(2, isTrue), branch(2, isTrue), branch(2, isTrue)]
  const inputs = { '0.0.left': false, '1.0.left': true, '2.0.left': true }
  expect(await choose(branches, { ...inputs, '0.0.left': true })).toEqual(done('pass to condition 1 branch', 'true'))
  expect(await choose(branches, inputs)).toEqual(done('pass to condition 2 branch', 'true_1'))
  expect(await choose(branches, { ...inputs, '1.0.left': null })).toEqual(done('pass to condition 3 branch', 'true_2'))
  expect(await choose(branches, { ...inputs, '1.0.left': false, '2.0.left': false })).toEqual(done('pass to else branch', 'false'))
})

const done = (result: string, port: string) => ({ kind: 'done', outputs: { result }, port })

test('and stops at the first false clause, or at the first true one', async () => {
  // a text is neither true nor false: looking at it fails
  const inputs = { '0.0.left': false, '0.1.left': 'text' }
  expect(await choose([branch(2, isTrue, isTrue)], inputs)).toMatchObject({ port: 'false' })
  await expect(choose([branch(1, isTrue, isTrue)], inputs)).rejects.toThrow('only a boolean is true or false')
  expect(await choose([branch(1, isTrue, isTrue)], { ...inputs, '0.0.left': true })).toMatchObject({ port: 'true' })
  await expect(choose([branch(2, isTrue, isTrue)], { ...inputs, '0.0.left': true })).rejects.toThrow('only a boolean is true or false')
})

test('a left side without a value is an error, also in a branch that is not looked at', async () => {
  const branches = [branch(2, isTrue), branch(2, isTrue)]
  await expect(choose(branches, { '0.0.left': true })).rejects.toThrow('branch 2 has nothing to compare')
  await expect(choose(branches, {})).rejects.toThrow('branch 1 has nothing to compare')
})

test('a right side without a value is null', async () => {
  expect(await choose([branch(2, condition(2, ref()))], { '0.0.left': 'a' })).toMatchObject({ port: 'true' })
  expect(await choose([branch(2, condition(1))], { '0.0.left': null })).toMatchObject({ port: 'true' })
})

test('the ports and inputs follow from the branches', () => {
  const branches = [branch(2, condition(1, ref('integer')), isTrue), branch(2, condition('13', ref('float')))]
  const plan = selectorNode.parse({ ...node, inputs: { branches } })

  expect(plan.ports).toEqual(['true', 'true_1', 'false'])
  expect(plan.inputs.map(({ name, type }) => [name, type?.kind])).toEqual([
    ['0.0.left', 'string'],
    ['0.0.right', 'integer'],
    ['0.1.left', 'string'],
    ['1.0.left', 'string'],
    ['1.0.right', 'number'],
  ])
})

test('the declared types of both sides count', async () => {
  const compared = (left: string, right: string) => [branch(2, { operator: 1, left: ref(left), right: ref(right) })]
  const inputs = { '0.0.left': 3, '0.0.right': 3 }
  expect(await choose(compared('integer', 'integer'), inputs)).toMatchObject({ port: 'true' })
  expect(await choose(compared('float', 'float'), inputs)).toMatchObject({ port: 'true' })
  await expect(choose(compared('integer', 'float'), inputs)).rejects.toThrow(
    'an integer: 3 can only be compared with another integer; this is a number: 3',
  )
})

test('the empty reference of an operator without a right side is passed over', () => {
  const inputs = { branches: [branch(2, condition(9, ref('string', '')), condition(1, ref('string', '')))] }
  const plan = selectorNode.parse({ ...node, inputs })
  expect(plan.inputs.map(({ name }) => name)).toEqual(['0.0.left', '0.1.left', '0.1.right'])
})

test.each([
  [undefined, 'must be a list of branches'],
  [[], 'must be a list of branches'],
  [[{}], 'must have conditions'],
  [[branch(2)], 'must have at least one condition'],
  [[branch(3, isTrue, isTrue)], 'must be 1 (or) or 2 (and), not 3'],
  [[branch(2, condition(17))], 'is not known: 17'],
  [[branch(2, { operator: 11 })], 'must be a parameter'],
  [[branch(2, null)], 'must be a condition'],
])('settings that make no sense are refused: %#', async (branches, message) => {
  await expect(runNode(selectorNode, { inputs: { branches } })).rejects.toThrow(message)
})
