import { expect, test } from 'vitest'
import { runNode } from '../../../test/support/node-run.ts'
import { commentNode } from './comment-node.ts'

test('a note does nothing, whatever is written in it', async () => {
  const { result } = await runNode(commentNode, { inputs: { schemaType: 'slate', note: '[{"broken' }, outputs: 'none' })
  expect(result).toEqual({ kind: 'done', outputs: {} })
})
