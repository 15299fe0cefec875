import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { askModel } from '../../test/support/ask-model.ts'
import { says, startFakeProvider } from '../../test/support/fake-provider.ts'
import { modelFailure } from '../../test/support/openai-model.ts'
import { createOpenAiAdapter } from './openai-adapter.ts'
import { createProviderConnection } from './provider-connection.ts'
import type { ProxySettings } from './provider-connection.ts'

/** An HTTP proxy that leads every name to 127.0.0.1 and writes down what it was asked for. */
async function startProxy() {
  const seen: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`)
    response.writeHead(403).end()
  })
  server.on('connect', (request, socket: Socket) => {
    seen.push(`CONNECT ${request.url}`)
    const upstream = connect(Number(request.url?.split(':').at(-1)), '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'))
    for (const end of [socket, upstream]) {
      sockets.add(end)
      end.on('error', () => undefined)
    }
    socket.pipe(upstream).pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  return { seen, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

async function start(proxy: ProxySettings) {
  const provider = await startFakeProvider(says('ok'))
  const connection = createProviderConnection({ proxy })
  onTestFinished(async () => {
    await connection.close()
    await provider.close()
  })
  const port = new URL(provider.baseUrl).port
  return { provider, port, ask: (baseUrl: string) => askModel(createOpenAiAdapter({ baseUrl, apiKey: '', model: 'm', connection })) }
}

test('providers are asked through the proxy', async () => {
  const proxy = await startProxy()
  const { ask, port } = await start({ httpProxy: proxy.url, httpsProxy: proxy.url })

  await modelFailure(ask(`http://models.test:${port}/v1`))
  // a tunnel that leads to a server without TLS: seen by the proxy all the same
  await modelFailure(ask(`https://models.test:${port}/v1`))

  expect(proxy.seen).toEqual([`POST http://models.test:${port}/v1/chat/completions`, `CONNECT models.test:${port}`])
})

// to reach this machine by a name that does not say so
const elsewhere = (port: string) => `http://0.0.0.0:${port}/v1`

test('names in NO_PROXY and this machine itself are asked directly', async () => {
  const proxy = await startProxy()
  const { ask, port } = await start({ httpProxy: proxy.url, httpsProxy: proxy.url, noProxy: 'models.test,0.0.0.0' })

  for (const url of [`http://127.0.0.1:${port}/v1`, `http://localhost:${port}/v1`, elsewhere(port)])
    expect((await ask(url)).text).toBe('ok')
  expect(proxy.seen).toEqual([])

  const all = await start({ httpProxy: proxy.url })
  await modelFailure(all.ask(elsewhere(all.port)))
  expect(proxy.seen).toHaveLength(1)
})

test('the environment has no say in it', async () => {
  const proxy = await startProxy()
  vi.stubEnv('http_proxy', proxy.url)
  onTestFinished(() => void vi.unstubAllEnvs())
  for (const settings of [{}, { httpsProxy: proxy.url }]) {
    const { ask, port } = await start(settings)
    expect((await ask(elsewhere(port))).text).toBe('ok')
  }
  expect(proxy.seen).toEqual([])

  vi.stubEnv('NO_PROXY', '*')
  const proxied = await start({ httpProxy: proxy.url })
  await modelFailure(proxied.ask(elsewhere(proxied.port)))
  expect(proxy.seen).toHaveLength(1)
})

test('a proxy that is not there makes its providers unreachable', async () => {
  const { ask } = await start({ httpProxy: 'http://127.0.0.1:1', httpsProxy: 'http://127.0.0.1:1' })

  expect((await modelFailure(ask('http://models.test/v1'))).kind).toBe('unreachable')
  expect((await modelFailure(ask('https://models.test/v1'))).kind).toBe('unreachable')
})

test('a connection that does not come about in time is a timeout', async () => {
  const silent = createTcpServer().listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const connection = createProviderConnection({ connectMs: 50 })
  onTestFinished(async () => {
    await connection.close()
    silent.close()
  })
  // TLS is part of the connection, and this server says nothing
  const baseUrl = `https://127.0.0.1:${(silent.address() as AddressInfo).port}/v1`

  const error = await modelFailure(askModel(createOpenAiAdapter({ baseUrl, apiKey: '', model: 'm', connection })))

  expect(error).toMatchObject({ kind: 'timeout', message: 'the model provider did not take the connection in time' })
})
