import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { startPlainServer, writeBytes } from '../../test/support/plain-server.ts'
import type { Handler } from '../../test/support/plain-server.ts'
import { createGuardedFetch, GuardedFetchError } from './guarded-fetch.ts'
import type { GuardedFetchInit, ResolveHost } from './guarded-fetch.ts'

/** 127.0.0.1 stands for the public network, which tests must not touch; 127.0.0.2 is what must stay out of reach. */
const PUBLIC = '127.0.0.1/32'
const INSIDE = '127.0.0.2'

const fetchPublic = createGuardedFetch({ allowedCidrs: [PUBLIC] })
const fetchNothing = createGuardedFetch({ allowedCidrs: [] })
const refusedFor = (reason: string) => expect.objectContaining({ name: 'GuardedFetchError', reason })
const startInside = () => startPlainServer((_request, response) => response.end('the secret of the inside'), { host: INSIDE })

describe('addresses', () => {
  test.each([
    ['loopback', 'http://127.0.0.1:8080/'],
    ['loopback', 'http://localhost:8080/'],
    ['loopback', 'http://LOCALHOST.:8080/'],
    ['loopback', 'http://x.localhost:8080/'],
    ['loopback', 'http://2130706433:8080/'],
    ['loopback', 'http://0x7f000001:8080/'],
    ['loopback', 'http://0x7f.0.0.0x1:8080/'],
    ['loopback', 'http://0177.0.0.1:8080/'],
    ['loopback', 'http://127.1:8080/'],
    ['loopback', 'http://127。0。0。1:8080/'],
    ['loopback', 'http://①②⑦.⓪.⓪.①:8080/'],
    ['loopback', 'http://%31%32%37.0.0.1:8080/'],
    ['loopback', 'http://[::1]:8080/'],
    ['loopback', 'http://[0:0:0:0:0:0:0:1]:8080/'],
    ['loopback', 'http://[::ffff:127.0.0.1]:8080/'],
    ['loopback', 'http://[::ffff:7f00:1]:8080/'],
    ['loopback', 'http://[64:ff9b::127.0.0.1]:8080/'],
    ['loopback', 'http://[2002:7f00:1::]:8080/'],
    ['unspecified', 'http://0.0.0.0:8080/'],
    ['unspecified', 'http://0:8080/'],
    ['unspecified', 'http://[::]:8080/'],
    ['private', 'http://10.1.2.3/'],
    ['private', 'https://192.168.1.1/'],
    ['private', 'http://[fd00::1]/'],
    ['link_local', 'http://[fe80::1]/'],
    ['metadata', 'http://169.254.169.254/latest/meta-data/'],
    ['metadata', 'http://0xa9fea9fe/'],
    ['metadata', 'http://[fd00:ec2::254]/'],
    ['shared', 'http://100.64.1.1/'],
    ['multicast', 'http://224.0.0.1/'],
    ['scheme', 'file:///etc/passwd'],
    ['scheme', 'ftp://example.com/'],
    ['scheme', 'gopher://127.0.0.1:6379/'],
    ['scheme', 'data:text/plain,x'],
    ['credentials', 'http://user:sesame@example.com/'],
    ['port', 'http://127.0.0.1:25/'],
    ['invalid_url', 'http://[fe80::1%25eth0]/'],
    ['invalid_url', 'http://'],
    ['invalid_url', 'example.com/x'],
    ['invalid_url', ''],
  ])('%s: %s is refused', async (reason, url) => {
    await expect(fetchNothing(url)).rejects.toEqual(refusedFor(reason))
    await expect(fetchNothing(url)).rejects.toThrow(
      expect.not.objectContaining({ message: expect.stringMatching(/sesame|passwd|meta-data/) }),
    )
  })

  test('a server that the operator has opened answers', async () => {
    await using server = await startPlainServer((request, response) => response.writeHead(201, { 'x-a': 'b' }).end(request.text))
    const response = await fetchPublic(`${server.url}/x`, { method: 'POST', body: 'hello', headers: { 'x-c': 'd' } })

    expect([response.status, response.headers.get('x-a'), await response.text()]).toEqual([201, 'b', 'hello'])
    expect(server.requests[0]).toMatchObject({ method: 'POST', url: '/x', headers: { 'x-c': 'd' } })
    await expect(fetchNothing(server.url)).rejects.toEqual(refusedFor('loopback'))
    expect(server.connections).toBe(1)
  })

  test('localhost is this machine, whatever the name server says', async () => {
    await using server = await startPlainServer((_request, response) => response.end('here'))
    const guarded = createGuardedFetch({ allowedCidrs: [PUBLIC], resolveHost: () => Promise.reject(new Error('nobody should ask')) })

    expect(await (await guarded(`http://localhost:${server.port}/`)).text()).toBe('here')
  })
})

describe('names', () => {
  const resolvesTo = (...answers: string[][]): ResolveHost & { asked: string[] } => {
    const asked: string[] = []
    const resolve = async (hostname: string) => {
      const answer = answers[Math.min(asked.length, answers.length - 1)] ?? []
      asked.push(hostname)
      return answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    }
    return Object.assign(resolve, { asked })
  }

  test('one that leads to a private address is refused, and the address is not told', async () => {
    const guarded = createGuardedFetch({ allowedCidrs: [], resolveHost: resolvesTo(['10.9.8.7']) })
    const refusal = await guarded('http://intranet.example/path?token=sesame').catch((cause: unknown) => cause)

    expect(refusal).toEqual(refusedFor('private'))
    expect(String(refusal)).toMatch(/intranet\.example leads to a private address/)
    expect(String(refusal)).not.toMatch(/10\.9|sesame|path/)
  })

  test('one that changes between two calls never reaches the inside', async () => {
    await using inside = await startInside()
    await using outside = await startPlainServer(
      (_request, response) => response.writeHead(200, { connection: 'close' }).end('the outside'),
      { port: inside.port },
    )
    const resolveHost = resolvesTo(['127.0.0.1'], [INSIDE])
    const guarded = createGuardedFetch({ allowedCidrs: [PUBLIC], resolveHost })
    const url = `http://rebinding.example:${outside.port}/`

    expect(await (await guarded(url)).text()).toBe('the outside')
    for (let call = 0; call < 3; call++) await expect(guarded(url)).rejects.toEqual(refusedFor('loopback'))
    // one question for one connection: there is no second answer that could differ
    expect(resolveHost.asked).toHaveLength(4)
    expect(inside.connections).toBe(0)
  })

  test('one that changes between a redirect and its target never reaches the inside', async () => {
    await using inside = await startInside()
    await using outside = await startPlainServer(
      (_request, response) => response.writeHead(302, { location: '/again', connection: 'close' }).end(),
      { port: inside.port },
    )
    const guarded = createGuardedFetch({ allowedCidrs: [PUBLIC], resolveHost: resolvesTo(['127.0.0.1'], [INSIDE]) })

    await expect(guarded(`http://rebinding.example:${outside.port}/`)).rejects.toEqual(refusedFor('loopback'))
    expect([outside.connections, inside.connections]).toEqual([1, 0])
  })

  test('of several addresses only the open ones are tried', async () => {
    await using inside = await startInside()
    await using outside = await startPlainServer((_request, response) => response.end('the outside'), { port: inside.port })
    const resolveHost = resolvesTo([INSIDE, '::1', '127.0.0.1', '10.0.0.1'])
    const guarded = createGuardedFetch({ allowedCidrs: [PUBLIC], resolveHost })

    expect(await (await guarded(`http://mixed.example:${outside.port}/`)).text()).toBe('the outside')
    expect(inside.connections).toBe(0)
  })

  test('one that answers nonsense, nothing, or an error is refused', async () => {
    const fetchWith = (resolveHost: ResolveHost) => createGuardedFetch({ allowedCidrs: [], resolveHost })('http://odd.example/')

    await expect(fetchWith(resolvesTo(['not an address']))).rejects.toEqual(refusedFor('reserved'))
    await expect(fetchWith(resolvesTo([]))).rejects.toEqual(refusedFor('unreachable'))
    await expect(fetchWith(() => Promise.reject(new Error('SERVFAIL secret')))).rejects.toEqual(refusedFor('unreachable'))
  })
})

describe('what fetch itself does not do', () => {
  test.each(['GET', 'HEAD', 'POST'])('a body goes with %s', async (method) => {
    await using server = await startPlainServer((_request, response) => response.end())
    const response = await fetchPublic(server.url, { method, body: 'a text: ü', headers: { 'content-type': 'text/plain' } })

    expect(response.status).toBe(200)
    expect(server.requests).toMatchObject([
      { method, body: 'a text: ü', headers: { 'content-type': 'text/plain', 'content-length': '10' } },
    ])
  })

  test('of repeated headers the last alone, where that is wanted', async () => {
    await using server = await startPlainServer((_request, response) =>
      response.writeHead(200, { 'X-Step': ['a', 'b, c'], 'Set-Cookie': ['one=1', 'two=2'], 'X-Once': 'd, e' }).end(),
    )
    const read = async (repeatedHeaders?: 'last') => {
      const { headers } = await fetchPublic(server.url, { repeatedHeaders })
      return [...headers].filter(([name]) => /^x-|cookie/.test(name))
    }

    expect(await read('last')).toEqual([
      ['set-cookie', 'two=2'],
      ['x-once', 'd, e'],
      ['x-step', 'b, c'],
    ])
    expect(await read()).toEqual([
      ['set-cookie', 'one=1'],
      ['set-cookie', 'two=2'],
      ['x-once', 'd, e'],
      ['x-step', 'a, b, c'],
    ])
  })
})

describe('redirects', () => {
  test.each([
    ['loopback', `http://${INSIDE}:8080/`],
    ['metadata', 'http://169.254.169.254/latest/meta-data/'],
    ['private', '//10.0.0.1/'],
    ['loopback', 'http://[::ffff:127.0.0.2]/'],
    ['scheme', 'file:///etc/passwd'],
    ['scheme', 'javascript:alert(1)'],
    ['credentials', 'http://a:b@example.com/'],
    ['invalid_url', 'http://[x/'],
  ])('%s: one to %s is refused', async (reason, location) => {
    await using server = await startPlainServer((_request, response) => response.writeHead(307, { location }).end())
    await expect(fetchPublic(server.url)).rejects.toEqual(refusedFor(reason))
  })

  test('five are followed and a sixth is not', async () => {
    await using server = await startPlainServer((request, response) => {
      const left = Number(request.url?.slice(1))
      return left === 0 ? response.end('arrived') : response.writeHead(302, { location: `/${left - 1}` }).end()
    })

    expect(await (await fetchPublic(`${server.url}/5`)).text()).toBe('arrived')
    await expect(fetchPublic(`${server.url}/6`)).rejects.toEqual(refusedFor('too_many_redirects'))
    await using forEver = await startPlainServer((_request, response) => response.writeHead(302, { location: '/' }).end())
    await expect(fetchPublic(forEver.url)).rejects.toEqual(refusedFor('too_many_redirects'))
    expect(forEver.requests).toHaveLength(6)
  })

  test('another origin gets none of the caller’s keys, the same origin does', async () => {
    await using other = await startPlainServer((_request, response) => response.end())
    await using server = await startPlainServer((request, response) =>
      response.writeHead(307, { location: request.url === '/away' ? `${other.url}/x` : '/away' }).end(),
    )
    const headers = { authorization: 'Bearer sesame', 'x-api-key': 'sesame', cookie: 'sesame', accept: 'text/plain' }
    await fetchPublic(server.url, { headers })

    expect(server.requests[1]?.headers).toMatchObject(headers)
    expect(other.requests[0]?.headers.accept).toBe('text/plain')
    expect(JSON.stringify(other.requests)).not.toContain('sesame')
  })

  test('303 and a redirected POST become a GET without the body, 307 repeats it', async () => {
    await using server = await startPlainServer((request, response) => {
      const status = Number(request.url?.slice(1))
      return status ? response.writeHead(status, { location: '/' }).end() : response.end()
    })
    const lastAfter = async (status: number, method: string) => {
      await fetchPublic(`${server.url}/${status}`, { method, body: 'the body', headers: { 'content-type': 'text/plain' } })
      const { method: arrived, body, headers } = server.requests.at(-1) ?? {}
      return [arrived, body, headers?.['content-type']]
    }

    for (const status of [301, 302, 303]) expect(await lastAfter(status, 'POST')).toEqual(['GET', '', undefined])
    for (const status of [307, 308]) expect(await lastAfter(status, 'POST')).toEqual(['POST', 'the body', 'text/plain'])
    expect(await lastAfter(302, 'PUT')).toEqual(['PUT', 'the body', 'text/plain'])
    expect(await lastAfter(303, 'PUT')).toEqual(['GET', '', undefined])
  })

  test('with `manual` the caller gets the redirect itself', async () => {
    await using server = await startPlainServer((_request, response) => response.writeHead(302, { location: 'http://10.0.0.1/' }).end())
    const response = await fetchPublic(server.url, { redirect: 'manual' })

    expect([response.status, response.headers.get('location')]).toEqual([302, 'http://10.0.0.1/'])
  })
})

describe('bounds', () => {
  const readText = async (url: string, init: GuardedFetchInit) => (await fetchPublic(url, init)).text()

  test('50 MB are broken off at the limit', async () => {
    let written = 0
    await using server = await startPlainServer(async (_request, response) => {
      written = await writeBytes(response, 50_000_000)
    })

    await expect(readText(server.url, { maxBytes: 100_000 })).rejects.toEqual(refusedFor('too_large'))
    await expect.poll(() => [server.open, written > 0]).toEqual([0, true])
    expect(written).toBeLessThan(10_000_000)
  })

  test('50 MB that are announced are not even begun', async () => {
    await using server = await startPlainServer(async (_request, response) => {
      response.writeHead(200, { 'content-length': '50000000' })
      await writeBytes(response, 50_000_000)
    })

    await expect(fetchPublic(server.url, { maxBytes: 100_000 })).rejects.toEqual(refusedFor('too_large'))
    await expect.poll(() => server.open).toBe(0)
  })

  test('a small packet that unpacks to 50 MB counts unpacked', async () => {
    const packed = gzipSync(Buffer.alloc(50_000_000))
    await using server = await startPlainServer((_request, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': packed.length }).end(packed),
    )

    expect(packed.length).toBeLessThan(100_000)
    await expect(readText(server.url, { maxBytes: 100_000 })).rejects.toEqual(refusedFor('too_large'))
  })

  test('an answer of exactly the limit is whole', async () => {
    await using server = await startPlainServer((_request, response) => response.end('x'.repeat(1000)))
    expect(await readText(server.url, { maxBytes: 1000 })).toHaveLength(1000)
    await expect(readText(server.url, { maxBytes: 999 })).rejects.toEqual(refusedFor('too_large'))
  })

  test.each<[string, Handler]>([
    ['says nothing', () => undefined],
    ['stops after the head', (_request, response) => response.writeHead(200).flushHeaders()],
    [
      'sends a byte now and then',
      async (_request, response) => {
        while (!response.destroyed && response.write('x')) await sleep(20)
      },
    ],
    [
      'redirects slowly, again and again',
      async (_request, response) => (await sleep(60), response.writeHead(302, { location: '/' }).end()),
    ],
  ])('a server that %s is left when the time is over', async (what, handler) => {
    await using server = await startPlainServer(handler)
    const begin = performance.now()

    await expect(readText(server.url, { timeoutMs: 200 })).rejects.toEqual(refusedFor('timeout'))
    expect(performance.now() - begin).toBeLessThan(2_000)
    // one that is idle may stay for the next call
    await expect.poll(() => server.open).toBeLessThanOrEqual(what.startsWith('redirects') ? 1 : 0)
  })

  test('an answer that nobody reads does not hold its connection for ever', async () => {
    await using server = await startPlainServer((_request, response) => writeBytes(response, 50_000_000))
    await fetchPublic(server.url, { timeoutMs: 200, maxBytes: 100_000_000 })

    await expect.poll(() => server.open).toBe(0)
  })

  test('the caller’s signal ends it with the caller’s reason', async () => {
    await using server = await startPlainServer((request, response) => request.url === '/body' && response.writeHead(200).flushHeaders())
    const reason = new Error('not needed any more')

    await expect(fetchPublic(server.url, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    for (const path of ['/', '/body']) {
      const control = new AbortController()
      setTimeout(() => control.abort(reason), 50)
      await expect(readText(server.url + path, { signal: control.signal })).rejects.toBe(reason)
    }
    await expect.poll(() => server.open).toBe(0)
  })

  test('a body that the caller cancels frees the connection', async () => {
    await using server = await startPlainServer((_request, response) => writeBytes(response, 50_000_000))
    const response = await fetchPublic(server.url, { maxBytes: 100_000_000 })
    await response.body?.cancel()

    await expect.poll(() => server.open).toBe(0)
  })

  test('a server that is gone, or dies in the middle, says so without the URL', async () => {
    await using server = await startPlainServer((request, response) => {
      if (request.url === '/mid?k=sesame') response.writeHead(200).write('half', () => response.destroy())
      else response.destroy()
    })
    const failureOf = (path: string) => readText(`${server.url}${path}`, {}).catch((cause: unknown) => cause)

    expect(await failureOf('/mid?k=sesame')).toEqual(refusedFor('cut'))
    expect(await failureOf('/?k=sesame')).toEqual(refusedFor('unreachable'))
    await server.close()
    const failure = await failureOf('/?k=sesame')
    expect(failure).toEqual(refusedFor('unreachable'))
    expect(failure).toBeInstanceOf(GuardedFetchError)
    expect(String(failure)).toMatch(/ECONNREFUSED/)
    expect(String(failure)).not.toContain('sesame')
  })

  test('connections are used again', async () => {
    await using server = await startPlainServer((_request, response) => response.end('x'))
    for (let call = 0; call < 20; call++) await readText(server.url, {})
    expect(server.connections).toBeLessThanOrEqual(2)
  })
})
