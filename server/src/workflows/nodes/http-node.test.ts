import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { runHttpNode } from '../../../test/support/http-node-run.ts'
import type { HttpNodeInputs } from '../../../test/support/http-node-run.ts'
import { startPlainServer, writeBytes } from '../../../test/support/plain-server.ts'
import type { Handler, PlainServer } from '../../../test/support/plain-server.ts'
import { toText } from '../values/value-text.ts'

const sent = ({ requests }: PlainServer) => requests.map(({ method, url, body }) => `${method} ${url} ${body}`)
const answerOf = async (wanted: HttpNodeInputs) => (await runHttpNode(wanted)).outputs
const refusal = (message: RegExp | string) =>
  expect.objectContaining({ name: 'NodeError', code: 720701013, message: expect.stringMatching(message) })
const ok: Handler = (_request, response) => response.end('ok')
const start = (handler: Handler = ok) => startPlainServer(handler)

describe('an answer', () => {
  test('is body, status and headers, of each name the last', async () => {
    await using server = await start((_request, response) =>
      response
        .writeHead(201, {
          'content-TYPE': 'text/plain; charset=gbk',
          'X-Step': ['a', 'b, c'],
          'Set-Cookie': ['one=1', 'two=2'],
          'x-city': Buffer.from('北京').toString('latin1'),
        })
        .end(Buffer.from([0xb1, 0xb1, 0xbe, 0xa9])),
    )
    const { body, statusCode, headers } = await answerOf({ url: server.url })

    expect([body, statusCode]).toEqual(['北京', 201])
    expect(JSON.parse(toText(headers ?? null))).toMatchObject({
      ...{ 'Content-Type': 'text/plain; charset=gbk', 'X-Step': 'b, c', 'Set-Cookie': 'two=2', 'X-City': '北京' },
    })
  })

  test('of nothing is empty', async () => {
    await using server = await start((_request, response) => response.writeHead(204).end())
    expect(await answerOf({ url: server.url, method: 'DELETE' })).toMatchObject({ body: '', statusCode: 204 })
  })

  test('to a HEAD may announce as much as it likes', async () => {
    await using server = await start((_request, response) => response.writeHead(200, { 'content-length': '5000000000' }).end())
    expect(await answerOf({ url: server.url, method: 'HEAD' })).toMatchObject({ body: '', statusCode: 200 })
  })

  test.each([400, 404, 500])('with the status %d is an error that shows its start, and is not asked for again', async (status) => {
    await using server = await start((_request, response) => response.writeHead(status).end(`{"error":"ü"}${'x'.repeat(100_000)}`))
    await expect(runHttpNode({ url: `${server.url}/?key=sesame`, setting: { retryTimes: 3 } })).rejects.toEqual(
      refusal(new RegExp(`^127.0.0.1:${server.port} answered with HTTP status ${status}: {"error":"ü"}x+$`)),
    )
    expect(server.requests).toHaveLength(1)
  })

  test('that does not end is cut, whatever its status', async () => {
    const written: number[] = []
    const pour = (status: number) =>
      start(async (_request, response) => void written.push(await writeBytes(response.writeHead(status), 1_000_000_000)))
    await using endless = await pour(200)
    await using broken = await pour(500)

    await expect(runHttpNode({ url: endless.url })).rejects.toEqual(refusal(/has more than 10000000 bytes/))
    await expect(runHttpNode({ url: broken.url })).rejects.toEqual(refusal(/HTTP status 500: x+$/))
    await expect.poll(() => written.length).toBe(2)
    expect(Math.max(...written)).toBeLessThan(50_000_000)
  })

  test('that comes byte by byte is over when its time is', async () => {
    const drip = async (response: ServerResponse) => {
      while (!response.destroyed) {
        response.write('x')
        await sleep(20)
      }
    }
    await using server = await start((_request, response) => drip(response))
    const begin = performance.now()

    await expect(runHttpNode({ url: server.url, setting: { timeout: 0.3, retryTimes: 3 } })).rejects.toEqual(
      refusal(/no answer within 0.3 s/),
    )
    expect(performance.now() - begin).toBeLessThan(2_000)
    // it had begun: whether it was done is not known
    expect(server.requests).toHaveLength(1)
  })
})

describe('when no answer comes', () => {
  test('it is asked for again, as often as the node says', async () => {
    let count = 0
    await using server = await start((_request, response) => (++count < 3 ? response.destroy() : response.end('at last')))
    const post = (retryTimes: unknown) =>
      runHttpNode({
        url: server.url,
        method: 'POST',
        setting: { retryTimes },
        body: { bodyType: 'RAW_TEXT', bodyData: { rawText: 'hello' } },
      })

    const { outputs, warnings } = await post('2')
    expect(outputs.body).toBe('at last')
    expect(warnings).toEqual([expect.stringMatching(/^attempt 1 failed: 127/), expect.stringMatching(/^attempt 2 failed: 127/)])
    expect(sent(server)).toEqual(['POST / hello', 'POST / hello', 'POST / hello'])

    count = 0
    await expect(post(1)).rejects.toEqual(refusal(/^the request failed: 127/))
    expect(count).toBe(2)
  })

  test('each attempt has its time', async () => {
    await using server = await start(() => undefined)
    await expect(runHttpNode({ url: server.url, setting: { timeout: '0.2', retryTimes: 1 } })).rejects.toEqual(
      refusal(/no answer within 0.2 s/),
    )
    expect(server.requests).toHaveLength(2)
  })

  test('a run that is canceled ends at once, with its reason', async () => {
    await using server = await start(() => undefined)
    const reason = new Error('canceled')
    const control = new AbortController()
    const running = runHttpNode({ url: server.url, setting: { retryTimes: 3 } }, { signal: control.signal })
    await expect.poll(() => server.requests.length).toBe(1)
    control.abort(reason)

    await expect(running).rejects.toBe(reason)
    expect(server.requests).toHaveLength(1)
  })
})

describe('what must stay out of reach', () => {
  const startInside = () => startPlainServer((_request, response) => response.end('the secret of the inside'), { host: '127.0.0.2' })

  test.each([
    ['http://169.254.169.254/latest/meta-data/', /a cloud’s metadata/],
    ['http://[::1]/', /this server itself/],
    ['http://0x7f000002/', /this server itself/],
    ['http://db.inside.example/', /a private address/],
    ['gopher://a.example/', /http:\/\/ or https:\/\//],
    ['not a url', /the URL is not valid/],
    ['', /the URL is not valid/],
  ])('%s is refused, and not tried again', async (url, message) => {
    const outcome = await runHttpNode({ url: '{{block_output_1.url}}', setting: { retryTimes: 2 } }, { sources: { '1': { url } } }).then(
      () => 'done',
      (cause: unknown) => cause,
    )
    expect(outcome).toEqual(refusal(message))
  })

  test('a redirect does not lead there', async () => {
    await using inside = await startInside()
    await using server = await start((_request, response) => response.writeHead(302, { location: inside.url }).end())

    await expect(runHttpNode({ url: server.url, setting: { retryTimes: 2 } })).rejects.toEqual(refusal(/this server itself/))
    expect([inside.requests.length, server.requests.length]).toEqual([0, 1])
  })
})
