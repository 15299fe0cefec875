import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { saveUserTable } from '../../src/workflows/tables/saved-user-tables.ts'
import type { ValueObject } from '../../src/workflows/values/value.ts'
import { drawCanvas, params, ref } from '../support/canvas-builder.ts'
import { ADA, openCanvasHouse } from '../support/canvas-house.ts'
import type { CanvasHouse } from '../support/canvas-house.ts'
import { says } from '../support/fake-provider.ts'
import { concat } from '../support/node-sketches.ts'
import { startPlainServer } from '../support/plain-server.ts'
import type { PlainServer } from '../support/plain-server.ts'
import { people, PEOPLE_ID } from '../support/user-table-house.ts'

let house: CanvasHouse
let server: PlainServer
let workflowId: string
beforeAll(async () => {
  house = await openCanvasHouse({ script: (request) => says(`re: ${request.lastUserText}`) })
  server = await startPlainServer((request, response) => response.end(request.url))
  await saveUserTable(house.deps, ADA, people)
  workflowId = await house.store(drawAll())
})
afterAll(async () => {
  await house[Symbol.asyncDispose]()
  await server.close()
})

const list = ref('entry.list', ['string'])

const drawAll = () =>
  drawCanvas()
    .entry({ s: 'string', n: 'integer', list: ['string'] })
    .node('101', 15, concat('{{a}} {{n}}', { a: ref('entry.s'), n: ref('entry.n', 'integer') }))
    .node('102', 45, {
      inputs: { apiInfo: { method: 'GET', url: `${server.url}/{{block_output_101.output}}` }, params: params({ q: ref('entry.s') }) },
      outputs: { body: 'string' },
    })
    .node('103', 46, {
      inputs: {
        databaseInfoList: [{ databaseInfoID: PEOPLE_ID }],
        insertParam: { fieldInfo: [params({ fieldID: '1783122026497', fieldValue: ref('entry.s') })] },
      },
      outputs: { rowNum: 'integer' },
    })
    .node('104', 43, {
      inputs: {
        databaseInfoList: [{ databaseInfoID: PEOPLE_ID }],
        selectParam: {
          condition: { logic: 'AND', conditionList: [params({ left: 'name', operation: 'EQUAL', right: ref('entry.s') })] },
          fieldList: [{ fieldID: '1783122026497' }],
          limit: 5,
        },
      },
      outputs: { outputList: [{ name: 'string' }], rowNum: 'integer' },
    })
    .loop(
      '200',
      { params: { w: list }, variables: { v: ref('entry.s') }, outputs: { out: ref('201.output', ['string']), v: ref('200.v') } },
      (body) =>
        body
          .node('201', 15, concat('{{w}}{{v}}{{o}}', { w: ref('200.w'), v: ref('200.v'), o: ref('101.output') }))
          .node('202', 20, { inputs: { inputParameters: [{ left: ref('200.v'), right: ref('200.w') }] } })
          .edges('start > 201 > 202 > end'),
    )
    .batch('300', { params: { w: list }, outputs: { out: ref('301.output', ['string']) } }, (body) =>
      body.node('301', 15, concat('{{w}}{{i}}', { w: ref('300.w'), i: ref('300.index', 'integer') })).edges('start > 301 > end'),
    )
    .node('400', 3, {
      params: { q: ref('400.item1'), lang: ref('entry.s') },
      inputs: {
        llmParam: params({ modelType: '1', prompt: '{{q}} {{lang}}' }),
        batch: { batchEnable: true, batchSize: 10, concurrentSize: 2, inputLists: params({ item1: list }) },
      },
      outputs: { outputList: [{ output: 'string' }] },
    })
    .exit({ never: ref('101.output') })
    .edges('entry > 101 > 102 > 103 > 104 > 200:loop-output > 300:batch-output > 400 > exit')
    .build()

const md5 = (word: string) => createHash('md5').update(word).digest('hex')

describe('one node, tried out alone', () => {
  const tryOut = (onlyNode: string, given: ValueObject) => house.results(workflowId, given, { onlyNode })

  test('gets what is given by the names of its inputs, as texts or values; the rest is empty', async () => {
    expect(await tryOut('101', { a: 'x', n: '7' })).toEqual({ output: 'x 7' })
    expect(await tryOut('101', {})).toEqual({ output: ' 0' })
  })

  test('knows inputs that stand in texts and settings by their internal names', async () => {
    const given = { [`__apiInfo_url_${md5('block_output_101.output')}`]: 'z', [`__params_${md5('q')}`]: 'Q' }
    expect(await tryOut('102', given)).toMatchObject({ body: '/z?q=Q', statusCode: 200 })
    expect(await tryOut('103', { __setting_field_1783122026497: 'Ada' })).toMatchObject({ rowNum: 1 })
    expect(await tryOut('104', { __condition_right_0: 'Ada' })).toEqual({ outputList: [{ name: 'Ada' }], rowNum: 1 })
  })

  test('is a loop or batch with its whole body, or one node of it', async () => {
    expect(await tryOut('200', { w: '["a","b"]', v: 'V' })).toEqual({ out: ['aV', 'ba'], v: 'b' })
    expect(await tryOut('300', { w: ['a', 'b'] })).toEqual({ out: ['a0', 'b1'] })
    expect(await tryOut('201', { w: 'a', v: 'b', o: 'c' })).toEqual({ output: 'abc' })
  })

  test('in batch mode gets its lists, and what its elements have in common', async () => {
    expect(await tryOut('400', { item1: '["a","b"]', lang: 'fr' })).toEqual({
      outputList: [{ output: 're: a fr' }, { output: 're: b fr' }],
    })
  })

  test('leaves the rest of the workflow alone', async () => {
    const ran = await house.play(workflowId, { a: 'x' }, { onlyNode: '101' })
    expect((await house.records(ran)).map(({ nodeId }) => nodeId)).toEqual(['101'])
  })
})
