import fc from 'fast-check'
import type { CollectedRoute } from './collected-routes.ts'
import type { RawCall } from './raw-exchange.ts'
import { knownBodies } from './settled-user.ts'
import type { Ids } from './settled-user.ts'
import { fitting, oddText, spoiled, wild } from './wild-values.ts'
import type { ValuePool } from './wild-values.ts'

export type Caller = 'stranger' | 'nobody' | 'liar'

/** A request that has not been given its credentials yet. */
export type WildRequest = RawCall & { route: CollectedRoute; caller: Caller }

/** `own` are of the one who calls, `foreign` of somebody else. */
export type Known = { own: Ids; foreign: Ids }

/** Requests to all routes, and to what looks like one. */
export function wildRequests(routes: CollectedRoute[], known: Known): fc.Arbitrary<WildRequest> {
  const weighed = routes.map((route) => ({ weight: COSTLY.test(route.url) ? 1 : 8, arbitrary: wildRequest(route, known) }))
  return fc.oneof(...weighed, { weight: 24, arbitrary: lostRequest(known) })
}

/** These hash a password. */
const COSTLY = /sign-in|sign-up|set-up|change-password/

function wildRequest(route: CollectedRoute, known: Known): fc.Arbitrary<WildRequest> {
  const pool = poolOf(route, known)
  const parts = {
    path: pathOf(route, pool),
    query: queryOf(route, pool),
    sent: sentBody(route, pool, usualBodies(route, known)),
    caller,
    extra: extraHeaders,
  }
  return fc.record(parts).map(({ path, query, sent, caller: who, extra }) => ({
    ...{ route, caller: who, method: route.method, target: query === '' ? path : `${path}?${query}`, isCut: sent.isCut },
    ...{ headers: { ...(route.url === '/mcp' && MCP_ACCEPT), ...extra, ...sent.headers }, body: sent.body },
  }))
}

const MCP_ACCEPT = { accept: 'application/json, text/event-stream' }

const caller = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Caller>('stranger') },
  { weight: 1, arbitrary: fc.constant<Caller>('nobody') },
  { weight: 1, arbitrary: fc.constant<Caller>('liar') },
)

/** No route at all, or one on a way round. */
function lostRequest(known: Known): fc.Arbitrary<WildRequest> {
  const route: CollectedRoute = { method: 'ANY', url: '*', auth: 'public' }
  const method = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS')
  const piece = fc.oneof(fc.constantFrom(...ROUND, ...Object.values(known.foreign)), oddText().map(inPath))
  const target = fc
    .tuple(fc.constantFrom('/', '/v1/', '/v3/', '/api/console/', '/docs/', '/assets/', '//'), fc.array(piece, { maxLength: 4 }))
    .map(([start, pieces]) => start + pieces.join('/'))
  return fc.record({ method, target, caller }).map((each) => ({ ...each, route, headers: {} }))
}

const ROUND = [
  '..',
  '.',
  '%2e%2e',
  '..%2f',
  '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
  '..%5c',
  ';',
  'bots',
  'files',
  'agents',
  'workflows',
  '',
  '~',
  'index.html',
  '%c0%ae',
]

function poolOf({ url }: CollectedRoute, { own, foreign }: Known): ValuePool {
  const idNamed = (name: string) => {
    const usual = [foreign[name], foreign[name], own[name]].filter((id) => id !== undefined)
    const any = fc.constantFrom(...Object.values(foreign), ...Object.values(own))
    const first = usual.length > 0 ? fc.constantFrom(...usual) : any
    return fc.oneof({ weight: 8, arbitrary: first }, { weight: 1, arbitrary: any }, { weight: 1, arbitrary: oddText() })
  }
  return {
    named(field) {
      if (field === 'id') return idNamed(NOUN_OF[/console\/([\w-]+)/.exec(url)?.[1] ?? ''] ?? 'id')
      if (/(_id|_uuid|^model)$/.test(field)) return idNamed(field)
      return USUAL.find(([names]) => names.test(field))?.[1]
    },
  }
}

/** What fields of these names have, where it is no id. */
const USUAL: [RegExp, fc.Arbitrary<unknown>][] = [
  [/^(signature|\*)$/, oddText()],
  [/^version$/, fc.constantFrom('1.0.0', '0.0.1', 'v0.0.1', '', '../1')],
  [/^email$/, fc.constantFrom('nobody@example.com', 'not an address', '', "a'b@example.com", 'É@example.com')],
  [/password$/, fc.constantFrom('x', 'wrong-horse-battery', '', 'é'.repeat(900))],
  [
    /^(page|size|limit|page_num|page_size|page_index|page_limit|from|to|starting_after)$/,
    fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 50 }) }, { weight: 1, arbitrary: oddText() }),
  ],
  [/^role$/, fc.constantFrom('user', 'assistant', 'system', 'tool', 'admin')],
  [/^content_type$/, fc.constantFrom('text', 'object_string', 'card')],
  [/^feedback_type$/, fc.constantFrom('like', 'unlike', 'love')],
  [/_url$/, fc.oneof(fc.constantFrom('', '/icon.png', 'https://'), oddText())],
  [/revision/, fc.constantFrom('0', '1', 'x')],
]

/** What the `:id` of a console's route is an id of. */
const NOUN_OF: Record<string, string> = {
  ...{ agents: 'bot_id', workflows: 'workflow_id', 'workflow-runs': 'execute_id', conversations: 'conversation_id' },
  ...{ users: 'space_id', models: 'id' },
}

function pathOf({ url }: CollectedRoute, pool: ValuePool): fc.Arbitrary<string> {
  const names = [...url.matchAll(/:(\w+)|\*/g)].map((match) => match[1] ?? '*')
  const values = names.map((name) =>
    fc.oneof({ weight: 12, arbitrary: text(pool.named(name) ?? oddText()) }, { weight: 1, arbitrary: oddText() }),
  )
  return fc.tuple(...values).map((filled) => {
    let at = 0
    return url.replace(/:\w+|\*/g, () => inPath(filled[at++] ?? ''))
  })
}

const text = (values: fc.Arbitrary<unknown>) => values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))

/** Mostly as a client writes it; what is written in percents stays so. */
const inPath = (value: string): string =>
  /^[\w.%~\\-]+$/.test(value) ? value : encodeURIComponent(value.toWellFormed()).replace(/%2E/g, '.')

function queryOf({ query }: CollectedRoute, pool: ValuePool): fc.Arbitrary<string> {
  const schema = query ?? { type: 'object', properties: { page: { type: 'integer' }, id: { type: 'string' } } }
  const pairs = fc
    .oneof({ weight: 6, arbitrary: fitting(schema, pool) }, { weight: 1, arbitrary: spoiled(fitting(schema, pool), schema) })
    .map((value) => Object.entries(typeof value === 'object' && value !== null ? value : {}))
  const repeated = fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) })
  const raw = fc.oneof(
    { weight: 8, arbitrary: fc.constant('') },
    { weight: 1, arbitrary: fc.constantFrom('&', '=', '&a&b=%zz', '&id[]=1&id[x]=2', '&__proto__=1', '&'.repeat(2_000)) },
  )
  return fc.tuple(pairs, repeated, raw).map(([all, isTwice, more]) => {
    const written = all.map(([name, value]) => `${inQuery(name)}=${inQuery(shorten(value))}`)
    return [...written, ...(isTwice ? written : [])].join('&') + more
  })
}

const inQuery = (value: string) => encodeURIComponent(value.toWellFormed())
/** A server of HTTP takes 16 KB of head. */
const shorten = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 500)

type Sent = { headers: Record<string, string>; body?: Buffer; isCut?: boolean }

/** Bodies that are right but for whose ids are in them. */
function usualBodies({ method, url }: CollectedRoute, { own, foreign }: Known): unknown[] {
  const name = `${method} ${url.replaceAll(/:(\w+)/g, '{$1}')}`
  return [own, foreign].map((ids) => ({ ...knownBodies(ids), ...consoleBodies })[name]).filter((body) => body !== undefined)
}

const consoleBodies: Record<string, unknown> = {
  'POST /api/console/agents/{id}/preview': { query: 'hi' },
  'POST /api/console/workflows/{id}/test-runs': { parameters: { USER_INPUT: 'hi' } },
}

function sentBody({ method, body, url }: CollectedRoute, pool: ValuePool, usual: unknown[]): fc.Arbitrary<Sent> {
  const none = fc.constant<Sent>({ headers: {} })
  if (method === 'GET' || method === 'HEAD') return fc.oneof({ weight: 9, arbitrary: none }, { weight: 1, arbitrary: wild().map(inJson) })
  if (/files/.test(url)) return fc.oneof(form, form, wild().map(inJson), strange)
  const schema = body ?? RPC
  const right = usual.length > 0 ? fc.oneof(fc.constantFrom(...usual), fitting(schema, pool)) : fitting(schema, pool)
  return fc.oneof(
    { weight: 8, arbitrary: right.map(inJson) },
    { weight: 4, arbitrary: spoiled(right, schema).map(inJson) },
    { weight: 1, arbitrary: wild().map(inJson) },
    { weight: 1, arbitrary: right.chain((whole) => brokenJson(Buffer.from(JSON.stringify(whole)))) },
    { weight: 1, arbitrary: strange },
    { weight: 1, arbitrary: none },
  )
}

/** For the one route whose body is of another standard. */
const RPC = {
  type: 'object',
  properties: {
    jsonrpc: { const: '2.0' },
    id: { type: 'integer' },
    method: { enum: ['initialize', 'tools/list', 'tools/call', 'ping', 'resources/list'] },
    params: {
      type: 'object',
      properties: { name: { type: 'string' }, arguments: { type: 'object' }, protocolVersion: { type: 'string' } },
    },
  },
  required: ['jsonrpc', 'method'],
}

const JSON_TYPE = { 'content-type': 'application/json' }
const inJson = (value: unknown): Sent => ({ headers: JSON_TYPE, body: Buffer.from(JSON.stringify(value)) })

/** Cut, doubled, in another encoding, with bytes that are no text. */
function brokenJson(whole: Buffer): fc.Arbitrary<Sent> {
  const headers = JSON_TYPE
  return fc.oneof(
    fc.nat(whole.length).map((at): Sent => ({ headers, body: whole.subarray(0, at) })),
    fc.nat(whole.length).map((at): Sent => ({ headers, body: whole.subarray(0, at), isCut: true })),
    fc.constantFrom<Sent>(
      { headers, body: Buffer.concat([whole, whole]) },
      { headers, body: Buffer.from(whole.toString('utf8'), 'utf16le') },
      { headers, body: Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), whole]) },
      { headers, body: Buffer.concat([whole, Buffer.from([0xff, 0xfe, 0xc3])]) },
      { headers: { ...headers, 'content-encoding': 'gzip' }, body: whole },
      { headers: { 'content-type': 'application/json; charset=utf-16' }, body: whole },
      { headers: { 'content-type': 'text/plain' }, body: whole },
      { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: whole },
      { headers: { 'content-type': ';;;' }, body: whole },
      { headers: { 'content-type': `application/json${' '.repeat(3_000)}` }, body: whole },
      { headers: {}, body: whole },
    ),
  )
}

const FORM = (name: string, type: string, end: string) =>
  Buffer.from(`--b\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: ${type}\r\n\r\nhello\r\n${end}`)

const form = fc
  .record({
    name: fc.oneof(
      fc.constant('a.txt'),
      oddText().map((odd) => odd.replaceAll(/[\r\n"]/g, '')),
    ),
    type: fc.constantFrom('text/plain', 'image/png', '', 'x'),
    end: fc.constantFrom('--b--\r\n', '--b--\r\n', '--b', ''),
    boundary: fc.constantFrom('; boundary=b', '; boundary=b', '', '; boundary=', `; boundary=${'x'.repeat(200)}`),
    isCut: fc.constantFrom(false, false, false, true),
  })
  .map(({ name, type, end, boundary, isCut }): Sent => ({
    headers: { 'content-type': `multipart/form-data${boundary}` },
    ...{ body: FORM(name, type, end), isCut },
  }))

const strange = fc.constantFrom<Sent>(
  { headers: JSON_TYPE, body: Buffer.alloc(0) },
  { headers: JSON_TYPE, body: Buffer.from('[]') },
  { headers: JSON_TYPE, body: Buffer.from('"text"') },
  { headers: JSON_TYPE, body: Buffer.from('NaN') },
  { headers: JSON_TYPE, body: Buffer.from('{"a":1,"a":2,"bot_id":1e400}') },
  { headers: JSON_TYPE, body: Buffer.from('['.repeat(100_000)) },
  { headers: JSON_TYPE, body: Buffer.from(`{"query":"${'x'.repeat(1_100_000)}"}`) },
  { headers: JSON_TYPE, body: Buffer.from([0, 1, 2, 255, 254]) },
  { headers: { 'content-type': 'application/xml' }, body: Buffer.from('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>') },
)

/** What proxies and clients add, and what they do not. */
const extraHeaders: fc.Arbitrary<Record<string, string>> = fc.oneof(
  { weight: 8, arbitrary: fc.constant({}) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Record<string, string>>(
      { 'idempotency-key': 'one' },
      { 'idempotency-key': 'x'.repeat(1_000) },
      { 'last-event-id': '-1' },
      { 'last-event-id': '99999999999999999999' },
      { accept: 'application/xml' },
      { 'accept-encoding': 'gzip, br;q=0' },
      { 'x-forwarded-for': '127.0.0.1, ::1', 'x-forwarded-proto': 'https' },
      { 'x-http-method-override': 'DELETE' },
      { origin: 'http://evil.example' },
      { 'sec-fetch-site': 'cross-site' },
      { range: 'bytes=-1,5-,a-b' },
      { 'user-agent': 'é'.repeat(400) },
      { 'x-tt-logid': 'mine' },
      { expect: '100-continue' },
      { host: 'evil.example:1' },
    ),
  },
)
