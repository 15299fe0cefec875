import { expect, test } from 'vitest'
import { runNode } from '../../../test/support/node-run.ts'
import type { NodeRunSettings } from '../../../test/support/node-run.ts'
import { createTextStream } from '../engine/text-stream.ts'
import { printValue } from '../values/value.ts'
import { aggregatorNode } from './aggregator-node.ts'

const ref = (blockID: string) => ({ type: 'string', value: { type: 'ref', content: { source: 'block-output', blockID, name: 'a' } } })
const literal = { type: 'integer', value: { type: 'literal', content: 100 } }
const groups = [
  { name: 'Group1', variables: [ref('1'), ref('2')] },
  { name: 'Group2', variables: [ref('3'), literal] },
]

const aggregate = async (settings: NodeRunSettings, mergeGroups: unknown[] = groups) =>
  (await runNode(aggregatorNode, { inputs: { mergeGroups } }, settings)).result

test('of each group the first value that is not null', async () => {
  const inputs = { 'Group1.0': null, 'Group1.1': 'second', 'Group2.0': 0, 'Group2.1': 100 }
  expect(await aggregate({ inputs })).toEqual({ kind: 'done', outputs: { Group1: 'second', Group2: 0 } })
})

test('empty is not null', async () => {
  expect(await aggregate({ inputs: { 'Group1.0': '', 'Group1.1': 'x', 'Group2.0': false } })).toMatchObject({
    outputs: { Group1: '', Group2: false },
  })
})

test('what was skipped or is absent is passed over', async () => {
  const settings = { inputs: { 'Group1.0': '', 'Group1.1': 'second', 'Group2.1': 100 }, skipped: ['Group1.0'] }
  expect(await aggregate(settings)).toMatchObject({ outputs: { Group1: 'second', Group2: 100 } })
})

test('a group without any value is null', async () => {
  expect(await aggregate({ inputs: { 'Group1.0': null } })).toEqual({ kind: 'done', outputs: { Group1: null, Group2: null } })
})

test('a text that is still being written passes on while it is written', async () => {
  const stream = createTextStream()
  const result = await aggregate({ inputs: { 'Group1.0': null, 'Group2.1': 100 }, streams: { 'Group1.1': stream } })
  if (result.kind !== 'streaming') throw new Error(`it is ${result.kind}`)

  expect(Object.keys(result.streams)).toEqual(['Group1'])
  const pieces = result.streams.Group1?.pieces()
  stream.push('to')
  expect(await pieces?.next()).toEqual({ done: false, value: 'to' })
  stream.push('day')
  stream.end()
  expect(await result.finished).toEqual({ Group1: 'today', Group2: 100 })
})

test('a value that comes before a stream wins', async () => {
  const result = await aggregate({ inputs: { 'Group1.0': 'first' }, streams: { 'Group1.1': createTextStream() } })
  expect(result).toMatchObject({ kind: 'done', outputs: { Group1: 'first' } })
})

test('a stream that fails fails the node', async () => {
  const stream = createTextStream()
  const result = await aggregate({ inputs: {}, streams: { 'Group1.0': stream } })
  stream.fail(new Error('cut off'))
  await expect(result.kind === 'streaming' && result.finished).rejects.toThrow('cut off')
})

test('groups may have any name', async () => {
  const named = ['__proto__', 'constructor', 'a', 'a.0'].map((name) => ({ name, variables: [ref('1')] }))
  const inputs = Object.fromEntries([...named.map(({ name }) => [`${name}.0`, name])])
  const result = await aggregate({ inputs }, named)
  expect(result.kind === 'done' && printValue(result.outputs)).toBe(
    '{"__proto__":"__proto__","a":"a","a.0":"a.0","constructor":"constructor"}',
  )
  expect(await aggregate({ inputs: {} }, [{ name: 'toString', variables: [] }])).toEqual({ kind: 'done', outputs: { toString: null } })
})

test('settings that make no sense are refused', async () => {
  await expect(aggregate({}, [{ variables: [] }])).rejects.toThrow('must be a group with a name and variables')
  await expect(aggregate({}, [{ name: 'a', variables: ['x'] }])).rejects.toThrow('must have a type and a value')
  expect(await aggregate({}, [])).toEqual({ kind: 'done', outputs: {} })
})
