import { expect, test } from 'vitest'
import { input, params, ref } from '../../../test/support/canvas-builder.ts'
import { runNode } from '../../../test/support/node-run.ts'
import { knowledgeNodes } from './knowledge-nodes.ts'

const settings = {
  6: {
    inputParameters: params({ Query: ref('entry.question') }),
    datasetParam: params({ datasetList: ['7001', '7002'], topK: 5, minScore: 0.5 }),
  },
  27: {
    inputParameters: params({ knowledge: ref('entry.file', 'doc') }),
    datasetParam: params({ datasetList: ['7001'], documentID: '' }),
    strategyParam: { parsingStrategy: { parsingType: 'fast' }, chunkStrategy: { chunkType: 'default' }, indexStrategy: {} },
  },
  60: { inputParameters: params({ documentID: '1' }), datasetParam: params({ datasetList: ['7001'] }) },
}

test('they are read with their inputs, and a run that comes to one says why it cannot go on', async () => {
  const names = []
  for (const type of knowledgeNodes) {
    const inputs: Record<string, unknown> | undefined = Object.entries(settings).find(([code]) => code === type.code)?.[1]
    const node = { id: '1', type: type.code, title: '', description: '', inputs: inputs ?? {}, outputs: [], blocks: [], edges: [] }
    names.push(...type.parse(node).inputs.map(({ name }) => name))
    await expect(runNode(type, { inputs })).rejects.toMatchObject({
      name: 'NodeError',
      message: 'no knowledge base is configured on this server',
    })
  }
  expect(names).toEqual(['Query', 'knowledge', 'documentID'])
})

test('settings that cannot be read are a problem of the canvas', async () => {
  for (const type of knowledgeNodes)
    for (const datasetParam of [undefined, null, 'x', {}, [], [1], [{ name: 'topK', input: input(5) }]])
      await expect(runNode(type, { inputs: { datasetParam } }), JSON.stringify(datasetParam)).rejects.toMatchObject({
        name: 'CanvasProblem',
        path: expect.stringContaining('inputs.datasetParam'),
      })
})
