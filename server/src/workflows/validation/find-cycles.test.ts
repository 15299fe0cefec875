import { expect, test } from 'vitest'
import { findCycles } from './find-cycles.ts'

const cyclesIn = (...lines: string[]) => findCycles(lines.map(toEdge)).map(({ from, to }) => `${from} ${to}`)
const toEdge = (line: string) => {
  const [from = '', to = ''] = line.split(' ')
  return { from, to }
}

test('only edges that lie on a cycle are found', () => {
  expect(cyclesIn('a b', 'b c', 'a c', 'c d')).toEqual([])
  expect(cyclesIn('a b', 'b c', 'c b', 'c d')).toEqual(['b c', 'c b'])
  expect(cyclesIn('a a', 'a b')).toEqual(['a a'])
})

test('what connects two cycles is on neither', () => {
  expect(cyclesIn('a b', 'b a', 'b c', 'c d', 'd c')).toEqual(['a b', 'b a', 'c d', 'd c'])
})

test('cycles that share a node are found whole', () => {
  expect(cyclesIn('a b', 'b c', 'c a', 'b d', 'd b', 'd e')).toEqual(['a b', 'b c', 'c a', 'b d', 'd b'])
})

test('a chain of 20,000 nodes overflows nothing, and closed to a ring it is one cycle', () => {
  const chain = Array.from({ length: 20_000 }, (_, index) => ({ from: `${index}`, to: `${index + 1}` }))

  expect(findCycles(chain)).toEqual([])
  expect(findCycles([...chain, { from: '20000', to: '0' }])).toHaveLength(20_001)
})
