import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { startPlainServer } from '../support/plain-server.ts'
import type { PlainServer } from '../support/plain-server.ts'
import { useTestApp } from '../support/test-app.ts'
import { urlWays, urlWaysNotTaken } from '../support/user-url-ways.ts'

/**
 * Promise 14: URLs of users never reach private or metadata addresses, on every way that a URL can take. 127.0.0.1 is opened by the
 * operator and stands for the public network; on the same port of 127.0.0.2 the inside waits, and counts who knocks.
 */

const names = vi.hoisted(() => ({ asked: 0, answers: new Map<string, string[]>() }))

// DNS is the edge of this process: the last answer of a name stays
vi.mock('node:dns/promises', () => ({
  async lookup(name: string) {
    names.asked++
    const answers = names.answers.get(name) ?? []
    const address = answers.length > 1 ? answers.shift() : answers[0]
    if (address === undefined) throw new Error(`nobody knows ${name}`)
    return [{ address, family: 4 }]
  },
}))

let outside: PlainServer
let inside: PlainServer
beforeAll(async () => {
  inside = await startPlainServer((_request, response) => response.end('"the secret of the inside"'), { host: '127.0.0.2' })
  outside = await startPlainServer(
    (request, response) => {
      const target = new URL(request.url ?? '', 'http://x').searchParams.get('to')
      // no connection is kept, so that each call asks for the address again
      response.setHeader('connection', 'close')
      return target === null ? response.end('"the outside"') : response.writeHead(307, { location: target }).end()
    },
    { port: inside.port },
  )
})
afterAll(async () => {
  await outside.close()
  await inside.close()
})
beforeEach(() => {
  names.asked = 0
  names.answers = new Map([
    ['inside.example', ['127.0.0.2']],
    ['cloud.example', ['169.254.169.254']],
    ['rebinding.example', ['127.0.0.1', '127.0.0.2']],
  ])
})

const METADATA = 'http://169.254.169.254/latest/meta-data/'
const at = (host: string) => `http://${host}:${inside.port}/`
const redirectTo = (url: string) => `${at('127.0.0.1')}?to=${encodeURIComponent(url)}`

/** What is told of a refusal: webhooks follow no redirect, and MCP servers of agents are only missed. */
const attacks: Record<string, { url: () => string; told: RegExp; calls?: number; reaches: 'nobody' | 'outside' }> = {
  'a private address': { url: () => at('127.0.0.2'), told: /leads to this server itself|private address/, reaches: 'nobody' },
  'a name of one': { url: () => at('inside.example'), told: /inside\.example leads to this server itself/, reaches: 'nobody' },
  'one in IPv6': { url: () => at('[::ffff:127.0.0.2]'), told: /leads to this server itself|private address/, reaches: 'nobody' },
  'a metadata address': { url: () => METADATA, told: /metadata|private address/, reaches: 'nobody' },
  'a name of that': { url: () => 'http://cloud.example/latest/meta-data/', told: /metadata/, reaches: 'nobody' },
  'a redirect to a private address': { url: () => redirectTo(at('127.0.0.2')), told: /this server itself|redirect/, reaches: 'outside' },
  'a redirect to a name of one': { url: () => redirectTo(at('inside.example')), told: /this server itself|redirect/, reaches: 'outside' },
  'a redirect to metadata': { url: () => redirectTo(METADATA), told: /metadata|redirect/, reaches: 'outside' },
  'a name that changes': { url: () => at('rebinding.example'), told: /this server itself/, calls: 2, reaches: 'outside' },
}

describe.each(Object.entries(urlWays))('%s', (_, way) => {
  const app = useTestApp({ env: { ALLOWED_PRIVATE_CIDRS: '127.0.0.1/32' } })

  test('does reach what is public', async () => {
    const before = outside.requests.length
    await way(app, at('127.0.0.1'))
    expect(outside.requests.length).toBeGreaterThan(before)
  })

  test.each(Object.entries(attacks))('does not reach %s', async (_name, { url, told, calls = 1, reaches }) => {
    const before = outside.requests.length
    const knocked = inside.connections
    let seen = ''
    for (let call = 0; call < calls; call++) seen = await way(app, url())
    expect(seen).toMatch(told)
    expect(seen).not.toContain('the secret of the inside')
    expect(inside.connections).toBe(knocked)
    expect(outside.requests.length > before).toBe(reaches === 'outside')
  })
})

describe('URLs that are only handed on', () => {
  const app = useTestApp({ env: { ALLOWED_PRIVATE_CIDRS: '127.0.0.0/8' } })

  test.each(Object.entries(urlWaysNotTaken))('%s: nobody here goes there, not even where it is open', async (_, way) => {
    const before = [outside.connections, inside.connections]
    expect(await way(app, at('127.0.0.1'))).not.toBe('')
    expect([outside.connections, inside.connections, names.asked]).toEqual([...before, 0])
  })
})

describe('until the operator opens it, this machine is private too', () => {
  const app = useTestApp({})

  test.each(Object.entries(urlWays))('%s', async (_, way) => {
    const before = [outside.connections, inside.connections]
    for (const host of ['127.0.0.1', 'localhost']) expect(await way(app, at(host))).toMatch(/leads to this server itself|private address/)
    expect([outside.connections, inside.connections]).toEqual(before)
  })
})
