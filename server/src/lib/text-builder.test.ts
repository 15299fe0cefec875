import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createTextBuilder } from './text-builder.ts'

test('gives back all pieces in order, whatever their number, and is empty then', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 300 }), (pieces) => {
      const builder = createTextBuilder()
      for (const piece of pieces) builder.add(piece)

      expect(builder.isEmpty).toBe(pieces.join('') === '')
      expect(builder.take()).toBe(pieces.join(''))
      expect(builder.isEmpty).toBe(true)
      expect(builder.take()).toBe('')
    }),
  )
})
