import { describe, expect, test } from 'vitest'
import { runNode } from '../../../test/support/node-run.ts'
import { startPlainServer } from '../../../test/support/plain-server.ts'
import { openapiTool, openPluginHouse, PLUGIN } from '../../../test/support/plugin-house.ts'
import { parseFields } from '../canvas/canvas-values.ts'
import type { ValueObject } from '../values/value.ts'
import { pluginNode } from './plugin-node.ts'

const param = (name: string, content: unknown) => ({ name, input: { type: 'string', value: { type: 'literal', content } } })
const apiParam = [
  param('apiID', '7348853341923016714'),
  param('apiName', 'draw'),
  param('pluginID', PLUGIN),
  param('pluginVersion', ''),
  param('tips', ''),
]
const variable = (name: string, type: string, more = {}) => ({ name, type, required: false, ...more })

/** A plugin whose one operation answers with this JSON. */
async function run(answer: string, { inputs = {}, outputs = [] as object[] }: { inputs?: ValueObject; outputs?: object[] } = {}) {
  await using server = await startPlainServer((_request, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(answer),
  )
  await using house = await openPluginHouse()
  const requestBody = { content: { 'application/json': { schema: { type: 'object' } } } }
  await house.save(openapiTool(server.url, { '/draw': { post: { operationId: 'draw', requestBody } } }))

  const node = { inputs: { apiParam, inputParameters: [] } }
  const { result, report } = await runNode(pluginNode, node, {
    inputs,
    outputs: parseFields(outputs, ''),
    services: { plugins: house.newRun() },
  })
  return { outputs: result.kind === 'done' ? result.outputs : {}, warnings: report.warnings, requests: server.requests }
}

describe('a plugin node', () => {
  test('sends its inputs, and gives what it gets: declared outputs in their types, others as they are', async () => {
    const { outputs, warnings, requests } = await run(
      '{"code":0,"log_id":20240617,"data":{"image_url":"u","odd":[]},"extra":{"a":1},"list":"none"}',
      {
        inputs: { prompt: '小狗', model_type: 123, ids: [7348853341922983946n] },
        outputs: [
          variable('code', 'float'),
          variable('log_id', 'string'),
          variable('data', 'object', { schema: [variable('image_url', 'string')] }),
          variable('list', 'list', { schema: variable('', 'string') }),
        ],
      },
    )

    expect(requests.map(({ body }) => body)).toEqual(['{"prompt":"小狗","model_type":123,"ids":[7348853341922983946]}'])
    expect(outputs).toEqual({ code: 0, log_id: '20240617', data: { image_url: 'u', odd: [] }, extra: { a: 1 }, list: [] })
    expect(warnings).toEqual([expect.stringContaining('list')])
  })

  test.each([
    ['[1,2]', [variable('items', 'list', { schema: variable('', 'integer') })], { items: [1, 2] }],
    ['[1,2]', [], { output: [1, 2] }],
    ['"x"', [variable('a', 'string'), variable('b', 'string')], { output: 'x' }],
    ['null', [variable('a', 'string')], { a: null }],
  ])('makes an object of %s', async (...[answer, declared, expected]) => {
    expect((await run(answer, { outputs: declared })).outputs).toEqual(expected)
  })

  test('is called by the ids of its canvas', () => {
    const parse = (params: unknown) =>
      pluginNode.parse({
        ...{ id: '7', type: '4', title: '', description: '', outputs: [], blocks: [], edges: [] },
        inputs: { apiParam: params },
      })

    expect(parse(apiParam).config).toEqual({ pluginId: PLUGIN, apiId: '7348853341923016714', apiName: 'draw' })
    expect(parse([param('pluginID', 12), param('apiName', null), 'odd', {}]).config).toEqual({ pluginId: '12', apiId: '', apiName: '' })
    for (const broken of [undefined, {}, [], [param('pluginID', '')], [param('pluginID', { a: 1 })]])
      expect(() => parse(broken)).toThrow(expect.objectContaining({ name: 'CanvasProblem', path: 'inputs.apiParam' }))
  })
})
