import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { toText } from '../../src/workflows/values/value-text.ts'
import type { ValueObject } from '../../src/workflows/values/value.ts'
import { drawCanvas, literal, params, ref, variable } from '../support/canvas-builder.ts'
import type { CanvasJson, NodeSketch, Params, TypeFields } from '../support/canvas-builder.ts'
import { APP, openCanvasHouse } from '../support/canvas-house.ts'
import type { CanvasHouse } from '../support/canvas-house.ts'
import { single } from '../support/node-sketches.ts'
import { startPlainServer } from '../support/plain-server.ts'
import type { PlainServer } from '../support/plain-server.ts'

let house: CanvasHouse
let server: PlainServer
beforeAll(async () => {
  house = await openCanvasHouse()
  server = await startPlainServer((request, response) => {
    if (request.url === '/file.txt') return response.end('content of the file')
    if (request.url === '/400') return response.writeHead(400).end('bad')
    if (request.url === '/cut') return response.destroy()
    return response
      .setHeader('x-one', 'a')
      .writeHead(201, { 'content-type': 'application/json' })
      .end(JSON.stringify({ url: request.url, body: request.text }))
  })
})
afterAll(async () => {
  await house[Symbol.asyncDispose]()
  await server.close()
})
beforeEach(() => void (server.requests.length = 0))

const outputs: TypeFields = { body: 'string', statusCode: 'integer', headers: 'string' }
/** All that the editor writes, whether it is in use or not. */
const empty = {
  auth: {
    authType: 'BEARER_AUTH',
    authData: { customData: { addTo: 'header', data: params({ Key: '', Value: '' }) }, bearerTokenData: params({ token: '' }) },
    authOpen: false,
  },
  body: {
    bodyType: 'EMPTY',
    bodyData: {
      binary: { fileURL: { type: 'string', value: { type: 'ref', content: { source: 'block-output', blockID: '', name: '' } } } },
    },
  },
  headers: [],
  params: [],
  setting: { timeout: 120, retryTimes: 3 },
}
const http = (
  url: string,
  more: Record<string, unknown> = {},
  { method = 'GET', ...sketch }: NodeSketch & { method?: string } = {},
): NodeSketch => ({
  outputs,
  ...sketch,
  inputs: { apiInfo: { method, url: url.replace('$', server.url) }, ...empty, ...more },
})
const draw = (node: NodeSketch, entry?: TypeFields): CanvasJson => single(45, node, { entry })
const play = async (node: NodeSketch, entry: TypeFields = {}, args: ValueObject = {}) =>
  (await house.results(draw(node, entry), args)) as { got: ValueObject }
const sent = () => {
  const request = server.requests.at(-1)
  if (!request) throw new Error('nothing was asked')
  return request
}

describe('a request', () => {
  test('gives body, status and headers', async () => {
    const { got } = await play(http(' $/a '))
    expect(got).toMatchObject({ body: '{"url":"/a","body":""}', statusCode: 201 })
    expect(JSON.parse(toText(got.headers ?? null))).toMatchObject({ 'X-One': 'a', 'Content-Type': 'application/json' })
  })

  test('has its values from nodes, by their names in the text: they are no parameters of the node', async () => {
    const canvas = drawCanvas()
      .entry({ user: { name: 'string', tags: ['string'] }, n: 'integer' })
      .node('07062', 59, { params: { input: '{"list":[{"id":7}]}' }, outputs: { output: { list: [{ id: 'integer' }] } } })
      .node(
        '101',
        45,
        http(
          '$/{{block_output_100001.user.name}}/{{block_output_07062.output.list.id}}?n={{ block_output_100001.n}}&t={{block_output_100001.user.tags[1]}}&u={{unknown}}',
        ),
      )
      .exit({ status: ref('101.statusCode', 'integer') })
      .edges('entry > 101 > exit', 'entry > 07062 > exit')
      .build()
    expect(await house.results(canvas, { user: { name: 'Ada L', tags: ['x', 'y'] }, n: 3 })).toEqual({ status: 201 })
    expect(sent().url).toBe('/Ada%20L/7?n=3&t=y&u={{unknown}}')
  })

  test('has variables of the app and of the user in its texts', async () => {
    await house.makeApp({
      variables: [
        { name: 'host', default: 'h1' },
        { name: 'count', type: 'integer', default: '5' },
      ],
    })
    const body = {
      bodyType: 'JSON',
      bodyData: {
        json: '{"c":{{global_variable_app["count"]}},"u":"{{global_variable_user["host"]}}","who":"{{block_output_100001.who}}"}',
      },
    }
    const canvas = draw(
      http(
        '$/{{global_variable_app["host"]}}',
        { body, headers: params({ 'X-Count': variable('app', 'count', 'integer') }) },
        { method: 'POST' },
      ),
      { who: 'string' },
    )
    await house.results(canvas, { who: 'Ada' }, { appId: APP })
    expect(sent()).toMatchObject({
      method: 'POST',
      url: '/h1',
      body: '{"c":5,"u":"h1","who":"Ada"}',
      headers: { 'x-count': '5', 'content-type': 'application/json' },
    })
  })

  test('has headers and a query, literals and values', async () => {
    const given: Params = { 'X-Name': ref('entry.name'), Accept: 'text/plain', 'X-N': literal('7', 'integer') }
    await play(
      http('$/q?a=1', { headers: params(given), params: params({ b: ref('entry.list', ['string']), c: 'ü&' }) }),
      { name: 'string', list: ['string'] },
      { name: 'Ada', list: ['x', 'y'] },
    )
    expect(sent().headers).toMatchObject({ 'x-name': 'Ada', accept: 'text/plain', 'x-n': '7' })
    expect([...new URL(sent().url, 'http://h').searchParams]).toEqual([
      ['a', '1'],
      ['b', '["x","y"]'],
      ['c', 'ü&'],
    ])
  })

  test.for<[string, object, (request: PlainServer['requests'][number]) => unknown, unknown]>([
    [
      'a token',
      { authType: 'BEARER_AUTH', authData: { bearerTokenData: params({ token: ref('entry.key') }) } },
      ({ headers }) => headers.authorization,
      'Bearer s3cret',
    ],
    [
      'a header',
      { authType: 'CUSTOM_AUTH', authData: { customData: { addTo: 'header', data: params({ Key: 'X-Key', Value: ref('entry.key') }) } } },
      ({ headers }) => headers['x-key'],
      's3cret',
    ],
    [
      'the query',
      { authType: 'CUSTOM_AUTH', authData: { customData: { addTo: 'query', data: params({ Key: 'key', Value: ref('entry.key') }) } } },
      ({ url }) => url,
      '/?key=s3cret',
    ],
  ])('signs in with %s', async ([, auth, read, value]) => {
    await play(http('$', { auth: { ...auth, authOpen: true } }), { key: 'string' }, { key: 's3cret' })
    expect(read(sent())).toBe(value)
  })

  test.for<[bodyType: string, bodyData: object, type: RegExp, body: RegExp]>([
    ['JSON', { json: '{"a":"{{block_output_100001.a}}"}' }, /^application\/json/, /^\{"a":"x y"\}$/],
    ['RAW_TEXT', { rawText: 'a={{block_output_100001.a}}' }, /^text\/plain/, /^a=x y$/],
    [
      'FORM_URLENCODED',
      { formURLEncoded: params({ a: ref('entry.a'), b: 'ü' }) },
      /^application\/x-www-form-urlencoded/,
      /^a=x\+y&b=%C3%BC$/,
    ],
    [
      'FORM_DATA',
      { formData: { data: params({ a: ref('entry.a'), f: ref('entry.f', 'file') }), typeMapping: '{}' } },
      /^multipart\/form-data; boundary=/,
      /name="a"\r\n\r\nx y\r\n[\s\S]*name="f"; filename="[^"]+"[\s\S]*content of the file/,
    ],
    ['BINARY', { binary: { fileURL: ref('entry.f', 'file') } }, /^application\/octet-stream/, /^content of the file$/],
  ])('has a body of the type %s', async ([bodyType, bodyData, type, body]) => {
    await play(
      http('$/b', { body: { bodyType, bodyData: { ...empty.body.bodyData, ...bodyData } } }, { method: 'PUT' }),
      { a: 'string', f: 'file' },
      { a: 'x y', f: `${server.url}/file.txt` },
    )
    expect(sent().headers['content-type']).toMatch(type)
    expect(sent().body).toMatch(body)
  })

  test('in a loop reads its element, its index and its variables', async () => {
    const canvas = drawCanvas()
      .entry({ ids: [{ id: 'integer' }] })
      .loop(
        '200',
        {
          params: { item: ref('entry.ids', [{ id: 'integer' }]) },
          variables: { last: 'none' },
          outputs: { out: ref('201.body', ['string']) },
        },
        (body) =>
          body
            .node('201', 45, http('$/{{block_output_200.item.id}}/{{block_output_200.index}}/{{block_output_200.last}}'))
            .edges('start > 201 > end'),
      )
      .exit({ n: ref('200.out', ['string']) })
      .edges('entry > 200:loop-output > exit')
      .build()
    await house.results(canvas, { ids: [{ id: 7 }, { id: 8 }] })
    expect(server.requests.map(({ url }) => url)).toEqual(['/7/0/none', '/8/1/none'])
  })
})

describe('what goes wrong', () => {
  test('a status from 400 is an error, which may be handled', async () => {
    expect(await house.play(draw(http('$/400')))).toMatchObject({ status: 'failed', error: expect.stringContaining('400') })
    const { got } = await play(http('$/400', {}, { onError: { processType: 2, dataOnErr: '{"body":"none","statusCode":0}' } }))
    expect(got).toMatchObject({ body: 'none', statusCode: 0, headers: null, isSuccess: false })
    expect(server.requests).toHaveLength(2)
  })

  test('what does not arrive is tried again', async () => {
    expect(await house.play(draw(http('$/cut', { setting: { timeout: '5', retryTimes: '2' } })))).toMatchObject({ status: 'failed' })
    expect(server.requests).toHaveLength(3)
  })

  test('a second copy of settings beside the first means nothing', async () => {
    const canvas = draw(http('$/copy'))
    const data = canvas.nodes.find(({ id }) => id === '101')?.data
    Object.assign(data ?? {}, { inputParameters: params({ gone: ref('999.x') }), settingOnError: { switch: true, processType: 2 } })
    expect(await house.play(canvas)).toMatchObject({ status: 'succeeded' })
  })
})
