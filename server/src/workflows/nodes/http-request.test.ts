import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { literal, planHttpNode, ref, row, runHttpNode, startByteReceiver } from '../../../test/support/http-node-run.ts'
import { startPlainServer, writeBytes } from '../../../test/support/plain-server.ts'
import type { Handler, PlainServer } from '../../../test/support/plain-server.ts'
import { toText } from '../values/value-text.ts'

const md5 = (text: string) => createHash('md5').update(text).digest('hex')
const file = (name: string, url: string) => row(name, literal(url, 'string', { assistType: 1 }))
const sent = ({ requests }: PlainServer) => requests.map(({ method, url, body }) => `${method} ${url} ${body}`.trim())
const refusal = (message: RegExp | string) =>
  expect.objectContaining({ name: 'NodeError', code: 720701013, message: expect.stringMatching(message) })
const ok: Handler = (_request, response) => response.end('ok')
const start = (handler: Handler = ok) => startPlainServer(handler)

describe('placeholders', () => {
  test('name their sources: nodes, also below their outputs, and variables', async () => {
    await using server = await start()
    const text =
      '{{block_output_100001.name}}|{{block_output_12.user.tags[1].id}}|{{global_variable_app["city"]}}|{{global_variable_user["u"].x}}'
    await runHttpNode(
      { url: server.url, method: 'POST', body: { bodyType: 'RAW_TEXT', bodyData: { rawText: text } } },
      {
        sources: { '100001': { name: 'Ada "A"\n' }, '12': { user: { tags: [{ id: 1 }, { id: 2 }] } } },
        variables: { city: 'Köln', u: { x: [true, null, { b: 1.5, a: '<' }] } },
      },
    )
    expect(server.requests[0]?.body).toBe('Ada "A"\n|2|Köln|[true,null,{"a":"<","b":1.5}]')
  })

  test('are inputs under the names that logs show', () => {
    const { inputs } = planHttpNode({
      url: ' https://a.example/{{block_output_100001.m.m1}} \n',
      method: 'POST',
      headers: [row('X-One', ref('h'))],
      params: [row('p', literal('1'))],
      auth: { authOpen: true, authType: 'BEARER_AUTH', authData: { bearerTokenData: [row('token', ref('t'))] } },
      body: {
        bodyType: 'JSON',
        bodyData: { json: '{"a":{{block_output_100001.m.m1}},"b":{{global_variable_app["x"]}},"c":{{block_output_100001.m.m1}}}' },
      },
    })
    const m1 = { from: 'node', nodeId: '100001', path: ['m', 'm1'] }
    expect(inputs.map(({ name, source }) => [name, source])).toEqual([
      [`__apiInfo_url_${md5('block_output_100001.m.m1')}`, m1],
      [`__headers_${md5('X-One')}`, { from: 'node', nodeId: '100001', path: ['h'] }],
      [`__params_${md5('p')}`, { from: 'literal', value: '1' }],
      ['__auth_authData_bearerTokenData_token', { from: 'node', nodeId: '100001', path: ['t'] }],
      [`__body_bodyData_json_${md5('block_output_100001.m.m1')}`, m1],
      [`__body_bodyData_json_${md5('global_variable_app["x"]')}`, { from: 'variable', scope: 'app', path: ['x'] }],
    ])
  })

  test('that name no source stay as they are, and what is not there is empty', async () => {
    await using server = await start()
    const rawText =
      '{{name}} {{ block_output_1.a }} {{global_variable_app.x}} [{{block_output_1.a}}] [{{ block_output_1.a}}] {{{block_output_1.b}}}'
    await runHttpNode(
      { url: server.url, method: 'PUT', body: { bodyType: 'RAW_TEXT', bodyData: { rawText } } },
      { sources: { '1': { b: 'B' } } },
    )
    expect(server.requests[0]?.body).toBe('{{name}} {{block_output_1.a }} {{global_variable_app.x}} [] [] {B}')
  })

  test.each(['{{block_output_100001}}', '{{block_output_.a}}', '{{block_output_100001[0]}}'])(
    '%s is a problem of the canvas',
    (placeholder) => {
      expect(() => planHttpNode({ url: `https://a.example/${placeholder}` })).toThrow(
        expect.objectContaining({ name: 'CanvasProblem', path: 'inputs.apiInfo.url', message: expect.stringContaining(placeholder) }),
      )
    },
  )

  test('of bodies that are not in use are nobody’s business', () => {
    const bodyData = {
      json: '{{block_output_1}}',
      rawText: '{{block_output_2.x}}',
      binary: { fileURL: ref('', { blockID: '' }) },
      formData: { data: [row('a', ref('x'))] },
      formURLEncoded: [row('a', ref('x'))],
    }
    const auth = { authOpen: false, authType: 'CUSTOM_AUTH', authData: { customData: { addTo: 'header' } } }
    expect(planHttpNode({ url: 'https://a.example', body: { bodyType: 'EMPTY', bodyData }, auth }).inputs).toEqual([])
    expect(planHttpNode({ url: 'https://a.example' }).inputs).toEqual([])
  })
})

describe('a request', () => {
  test('has params beside those of its URL, encoded', async () => {
    await using server = await start()
    await runHttpNode(
      {
        url: `${server.url}/a b?x={{block_output_1.x}}&y=1&z=1#top`,
        params: [row('y', literal('ü & =')), row('', literal('x')), row('w', ref('gone'))],
      },
      { sources: { '1': { x: 'a b+c' } } },
    )
    const url = new URL(server.requests[0]?.url ?? '', server.url)
    expect(url.pathname).toBe('/a%20b')
    expect([...url.searchParams]).toEqual([
      ['x', 'a b c'],
      ['y', 'ü & ='],
      ['z', '1'],
      ['w', ''],
    ])
  })

  test('has headers, in UTF-8 where they are not ASCII', async () => {
    await using server = await start()
    const { warnings } = await runHttpNode({
      url: server.url,
      headers: [
        row('X-City', literal('北京')),
        row('User-Agent', literal('me')),
        row('Host', literal('evil')),
        row('Content-Length', literal('9')),
      ],
    })
    const headers = server.requests[0]?.headers ?? {}
    expect(headers).toMatchObject({ 'user-agent': 'me', host: `127.0.0.1:${server.port}` })
    expect(Buffer.from(String(headers['x-city']), 'latin1').toString()).toBe('北京')
    expect(warnings).toEqual([
      'the header Host is left out: HTTP sets it itself',
      'the header Content-Length is left out: HTTP sets it itself',
    ])
  })

  test.each([
    ['X-A', 'a\r\nX-Admin: 1', /X-A must be one line/],
    ['X-A', 'a\nb', /X-A must be one line/],
    ['X-A', 'a\0b', /X-A must be one line/],
    ['X A', 'a', /"X A" is no name of a header/],
    ['X:\r\nB', 'a', /is no name of a header/],
  ])('with the header %j: %j is not sent', async (name, value, message) => {
    await using server = await start()
    await expect(runHttpNode({ url: server.url, headers: [row(name, literal(value))] })).rejects.toEqual(refusal(message))
    const auth = {
      ...{ authOpen: true, authType: 'CUSTOM_AUTH' },
      authData: { customData: { addTo: 'header', data: [row('Key', literal(name)), row('Value', literal(value))] } },
    }
    await expect(runHttpNode({ url: server.url, auth })).rejects.toEqual(refusal(message))
    expect(server.requests).toEqual([])
  })

  test('authenticates with a token, a header, a parameter, or what stands in its URL', async () => {
    await using server = await start()
    const custom = (addTo: string) => ({
      ...{ authOpen: true, authType: 'CUSTOM_AUTH' },
      authData: { customData: { addTo, data: [row('Key', ref('key')), row('Value', ref('value'))] } },
    })
    const sources = { '100001': { key: 'X-Key', value: 'a&b', token: 'sesame' } }
    const bearer = { authOpen: true, authType: 'BEARER_AUTH', authData: { bearerTokenData: [row('token', ref('token'))] } }
    await runHttpNode({ url: server.url, auth: bearer, headers: [row('authorization', literal('mine'))] }, { sources })
    await runHttpNode({ url: server.url, auth: custom('header') }, { sources })
    await runHttpNode({ url: `${server.url}/?a=1`, auth: custom('query') }, { sources })
    await runHttpNode({ url: server.url.replace('//', '//ada:p%40ss@') })

    const [first, second, third, fourth] = server.requests
    expect(first?.headers.authorization).toBe('Bearer sesame')
    expect(second?.headers['x-key']).toBe('a&b')
    expect(third?.url).toBe('/?a=1&X-Key=a%26b')
    expect(fourth?.headers.authorization).toBe(`Basic ${Buffer.from('ada:p@ss').toString('base64')}`)
  })

  test.each([
    ['GET', 'JSON', { json: '{"a":1}' }, 'application/json', '{"a":1}'],
    ['GET', 'RAW_TEXT', { rawText: 'ü' }, 'text/plain', 'ü'],
    ['HEAD', 'RAW_TEXT', { rawText: 'ü' }, 'text/plain', 'ü'],
    ['POST', 'EMPTY', { json: '{}' }, undefined, ''],
    ['POST', 'JSON', {}, 'application/json', ''],
    [
      'DELETE',
      'FORM_URLENCODED',
      { formURLEncoded: [row('a b', literal('1&2')), row('c', literal(3, 'integer'))] },
      'application/x-www-form-urlencoded',
      'a+b=1%262&c=3',
    ],
  ])('%s with the body %s', async (...[method, bodyType, bodyData, contentType, body]) => {
    await using server = await start()
    await runHttpNode({ url: server.url, method, body: { bodyType, bodyData } })
    expect(server.requests).toMatchObject([{ method, body }])
    expect(server.requests[0]?.headers['content-type']).toBe(contentType)
  })

  test('keeps a content type of its own', async () => {
    await using server = await start()
    const headers = [row('content-TYPE', literal('application/vnd.x+json'))]
    await runHttpNode({ url: server.url, method: 'PATCH', headers, body: { bodyType: 'JSON', bodyData: { json: '1' } } })
    expect(server.requests[0]?.headers['content-type']).toBe('application/vnd.x+json')
  })

  test.each([
    [{ url: 'https://a.example', method: 'TRACE' }, 'inputs.apiInfo.method'],
    [{ url: 'https://a.example', headers: [row('a', {})] }, 'inputs.headers[0].input'],
    [{ url: 'https://a.example', headers: [row('a', literal('1')), row('a', literal('2'))] }, 'inputs.headers[1].name'],
    [{ url: 'https://a.example', params: {} }, 'inputs.params'],
    [{ url: 'https://a.example', auth: { authOpen: true, authType: 'BASIC' } }, 'inputs.auth.authType'],
    [{ url: 'https://a.example', auth: { authOpen: true, authType: 'BEARER_AUTH' } }, 'inputs.auth.authData.bearerTokenData'],
    [{ url: 'https://a.example', auth: { authOpen: true, authType: 'CUSTOM_AUTH' } }, 'inputs.auth.authData.customData.addTo'],
    [{ url: 'https://a.example', body: { bodyType: 'XML' } }, 'inputs.body.bodyType'],
    [{ url: 'https://a.example', body: { bodyType: 'JSON', bodyData: { json: {} } } }, 'inputs.body.bodyData.json'],
    [{ url: 'https://a.example', body: { bodyType: 'BINARY' } }, 'inputs.body.bodyData.binary.fileURL'],
  ])('%j cannot be read, and %s is said to be why', (request, path) => {
    expect(() => planHttpNode(request)).toThrow(expect.objectContaining({ name: 'CanvasProblem', path }))
  })
})

describe('files', () => {
  const bytes = Buffer.from([0, 255, 13, 10, 34, 200])
  const serveFiles: Handler = (request, response) => {
    if (request.url === '/file') return response.end(bytes)
    if (request.url === '/gone') return response.writeHead(404).end()
    return request.url === '/large' ? writeBytes(response, 12_000_000) : response.end('ok')
  }
  test('are sent as the body, byte by byte', async () => {
    await using server = await start(serveFiles)
    await using receiver = await startByteReceiver()
    const body = { bodyType: 'BINARY', bodyData: { binary: { fileURL: ref('file', { assistType: 1 }) } } }
    const { outputs } = await runHttpNode(
      { url: receiver.url, method: 'POST', body },
      { sources: { '100001': { file: `${server.url}/file` } } },
    )

    expect(receiver.bytes()).toEqual(bytes)
    expect(outputs.body).toBe('application/octet-stream')
  })

  test('are sent in forms, beside texts that are left as they are', async () => {
    await using server = await start(serveFiles)
    await using receiver = await startByteReceiver()
    const data = [row('text', literal('line 1\nline "2" ü')), file('na"me', `${server.url}/file`), file('other', `${server.url}/file#x`)]
    const { outputs } = await runHttpNode(
      {
        ...{ url: receiver.url, method: 'POST', headers: [row('Content-Type', literal('multipart/form-data'))] },
        body: { bodyType: 'FORM_DATA', bodyData: { formData: { data } } },
      },
      { fileNames: [[`${server.url}/file`, '报告.pdf']] },
    )

    const [, boundary = ''] = /^multipart\/form-data; boundary=(\S+)$/.exec(toText(outputs.body ?? null)) ?? []
    const part = (head: string, content: string | Buffer) => [
      `--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n`,
      content,
      '\r\n',
    ]
    const type = 'Content-Type: application/octet-stream'
    const expected = [
      ...part('name="text"', 'line 1\nline "2" ü'),
      ...part(`name="na%22me"; filename="报告.pdf"\r\n${type}`, bytes),
      ...part(`name="other"; filename="other"\r\n${type}`, bytes),
      `--${boundary}--\r\n`,
    ]
    expect(boundary).not.toBe('')
    expect(receiver.bytes().equals(Buffer.concat(expected.map((each) => Buffer.from(each))))).toBe(true)
  })

  test('that cannot be had stop the request', async () => {
    await using server = await start(serveFiles)
    const send = (...data: object[]) =>
      runHttpNode({ url: server.url, method: 'POST', body: { bodyType: 'FORM_DATA', bodyData: { formData: { data } } } })
    const large = `${server.url}/large`

    await expect(send(file('a', ''))).rejects.toEqual(refusal(/has no URL/))
    await expect(send(file('a', `${server.url}/gone`))).rejects.toEqual(
      refusal(/^a file cannot be downloaded: 127.0.0.1:\d+ answered with HTTP status 404$/),
    )
    await expect(send(file('a', 'file:///etc/passwd'))).rejects.toEqual(refusal(/must begin with http/))
    await expect(send(file('a', 'http://169.254.169.254/latest'))).rejects.toEqual(refusal(/a cloud’s metadata/))
    await expect(send(file('a', large), file('b', large))).rejects.toEqual(refusal(/may have 20 MB together$/))
    expect(sent(server).filter((line) => line.startsWith('POST'))).toEqual([])
  })
})
