import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { collectRoutes } from '../support/collected-routes.ts'
import type { CollectedRoute } from '../support/collected-routes.ts'
import { rowsOf } from '../support/database-rows.ts'
import { operationsOf } from '../support/openapi-check.ts'
import { createExchange } from '../support/raw-exchange.ts'
import type { RawReply } from '../support/raw-exchange.ts'
import { settle } from '../support/settled-user.ts'
import type { Ids } from '../support/settled-user.ts'
import { useTestApp } from '../support/test-app.ts'
import type { TestApp } from '../support/test-app.ts'
import { testDatabases } from '../support/test-databases.ts'
import { wildRequests } from '../support/wild-requests.ts'
import type { Caller, WildRequest } from '../support/wild-requests.ts'

/**
 * Whatever is sent to whichever route: no answer is a bug's, each comes in time, and none has anything of another user's.
 * `FUZZ_REQUESTS=100000 FUZZ_SEED=7` makes more of them, or others.
 */
const REQUESTS = Number(process.env['FUZZ_REQUESTS'] ?? 10_000)
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261)
const BATCH = 500
const AT_ONCE = 24
const DEADLINE_MS = 15_000

/** In every text and name of the user whose data nobody else may see. */
const CANARY = 'canary-7f3a91'
const LIAR_KEY = `pat_${'A'.repeat(64)}`

const collected = collectRoutes()
afterAll(() => collected.stop())

describe.each(testDatabases())('wild requests, on $name', ({ name }) => {
  const app = useTestApp({ database: name })
  const count = Math.ceil(REQUESTS * (name === 'SQLite' ? 0.8 : 0.2))

  test(`${count} of them break nothing and see nothing of another’s (seed ${SEED})`, { timeout: 600_000 }, async () => {
    const routes = await allRoutes(app)
    const foreign = await settle(app, { userId: app.userId, apiKey: app.apiKey, mark: CANARY, appId: '7000001' })
    // nobody ever says these: wherever one turns up, it was let out
    const hidden = await settle(app, { userId: app.userId, apiKey: app.apiKey, mark: CANARY, appId: '700000000000002' })
    const stranger = await app.makeUser()
    const before = await rowsOf(app.core.db, { userId: app.userId, mark: CANARY })
    const exchange = createExchange({ port: app.port, deadlineMs: DEADLINE_MS })
    const problems: string[] = []

    for (let done = 0; done < count && problems.length < 20; done += BATCH) {
      const own = await settle(app, { ...stranger, mark: 'the-strangers-own', appId: String(8_000_000 + done) })
      let cookie = await app.signIn(stranger.email)
      const numRuns = Math.min(BATCH, count - done)
      const requests = fc.sample(wildRequests(routes, { own, foreign }), { numRuns, seed: SEED + done })
      await inLanes(requests, async (request) => {
        const call = withCredentials(request, { apiKey: stranger.apiKey, cookie })
        const reply = await exchange.send(call)
        if (/sign-out|change-password/.test(request.target)) cookie = await app.signIn(stranger.email)
        const problem = problemOf(request, reply, hidden)
        if (problem !== undefined) problems.push(describeCall(request, problem))
      })
    }
    exchange.close()

    expect(problems).toEqual([])
    expect(app.logs.filter((line) => line.includes('unexpected error') || line.includes('background error'))).toEqual([])
    expect(await rowsOf(app.core.db, { userId: app.userId, mark: CANARY })).toEqual(before)
    expect((await app.call('GET', '/readyz')).status).toBe(200)
  })
})

async function allRoutes(app: TestApp): Promise<CollectedRoute[]> {
  const known = new Map(collected.routes.map((route) => [`${route.method} ${route.url}`, route]))
  const names = new Set([...known.keys()].map((each) => each.replaceAll(/:(\w+)/g, '{$1}').replace('*', '{*}')))
  // the reference and the server speak of the same routes
  for (const operation of operationsOf((await app.call('GET', '/openapi.json')).body)) expect(names).toContain(operation)
  expect([...names].filter((each) => each.includes('/api/console/')).length).toBeGreaterThan(50)
  // Fastify makes each HEAD of its GET
  return [...known.values()].filter(({ method }) => method !== 'HEAD')
}

async function inLanes(requests: WildRequest[], work: (request: WildRequest) => Promise<void>): Promise<void> {
  const left = [...requests]
  const lane = async () => {
    for (let next = left.shift(); next; next = left.shift()) await work(next)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
}

function withCredentials(request: WildRequest, { apiKey, cookie }: { apiKey: string; cookie: string }): WildRequest {
  const isSession = request.route.url.startsWith('/api/')
  const given: Record<Caller, Record<string, string>> = {
    stranger: isSession ? { cookie } : { authorization: `Bearer ${apiKey}` },
    nobody: {},
    liar: isSession ? { cookie: 'session_key=made.up' } : { authorization: `Bearer ${LIAR_KEY}` },
  }
  return { ...request, headers: { ...given[request.caller], ...request.headers } }
}

function problemOf(request: WildRequest, reply: RawReply, hidden: Ids): string | undefined {
  if ('failed' in reply) return reply.failed
  const { status, text, headers } = reply
  const seen = `${headers}\n${text}`
  if (status >= 500) return `${status} ${text.slice(0, 500)}`
  if (seen.includes(CANARY)) return `shows another user’s text: ${text.slice(0, 500)}`
  const leaked = Object.entries(hidden).find(([, id]) => /^\d{11,}$/.test(id) && seen.includes(id))
  if (leaked) return `shows another user’s ${leaked[0]}: ${text.slice(0, 500)}`
  if (/node_modules|\.ts:\d+:\d+|SQLITE_|ER_[A-Z]+_|select .* from /.test(text) && request.route.url !== '/docs/*')
    return `shows its inside: ${text.slice(0, 500)}`
  if (request.caller !== 'stranger' && status < 300 && request.route.auth !== 'public')
    return `let ${request.caller} in: ${text.slice(0, 300)}`
  return undefined
}

function describeCall({ caller, method, target, headers, body, isCut }: WildRequest, problem: string): string {
  const sent = body === undefined ? '' : ` ${JSON.stringify(body.toString('utf8').slice(0, 600))}${isCut ? ' (cut)' : ''}`
  return `${caller}: ${method} ${target.slice(0, 400)} ${JSON.stringify(headers)}${sent} → ${problem}`
}
