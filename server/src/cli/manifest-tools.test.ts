import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { createUser } from '../accounts/users.ts'
import { findBot, findPublishedBot, listAllBots } from '../bots/bot-store.ts'
import { openToolHeaders } from '../bots/bot-tools.ts'
import type { BotTool } from '../bots/bot-tools.ts'
import { loadConfig } from '../config.ts'
import { openCore } from '../core.ts'
import { AppError } from '../lib/app-error.ts'
import { applyManifest } from './apply-manifest.ts'
import { readManifest } from './manifest.ts'

const SHOP = `
openapi: 3.0.3
servers: [{ url: https://shop.example/v1 }]
paths:
  /items/{id}:
    get: { operationId: getItem, parameters: [{ name: id, in: path, required: true, schema: { type: integer } }], responses: { 200: {} } }
components: { schemas: { Node: { properties: { next: { $ref: '#/components/schemas/Node' } } } } }
`

const TOOLS = `
      - { type: mcp, name: search, url: 'https://mcp.example/mcp', headers: { Authorization: Bearer sesame-1 }, timeout_ms: 5000, allow: [find] }
      - { type: openapi, name: shop, document: ./docs/shop.yaml, base_url: 'https://test.example', headers: { X-Key: sesame-2 }, operations: [getItem] }
      - { type: openapi, name: inline, document: { openapi: 3.1.0, servers: [{ url: 'https://a.example' }], paths: { /x: { get: {} } } } }
      - { type: function, name: ask_user, description: Asks, parameters: { type: object, properties: { question: { type: string } } } }`

const bot = (tools: string, more = '') => `bots:\n  - id: 5\n    name: b\n    model: demo\n    publish: {}\n${more}    tools:${tools}\n`
const one = (tool: string) => bot(` [{ ${tool} }]`)

describe('tools in a manifest', () => {
  test('are stored as they are meant, with their headers sealed', async () => {
    await using house = await openHouse()
    await house.apply(bot(TOOLS))
    const [search, shop, inline, ask] = (await findPublishedBot(house.core.db, '5'))?.config.tools ?? []

    expect(search).toMatchObject({ type: 'mcp', name: 'search', url: 'https://mcp.example/mcp', timeoutMs: 5000, allow: ['find'] })
    expect(shop).toMatchObject({ type: 'openapi', baseUrl: 'https://test.example', operations: ['getItem'], timeoutMs: 30_000 })
    expect(shop).toHaveProperty('document.paths./items/{id}.get.operationId', 'getItem')
    expect(inline).toHaveProperty('document.openapi', '3.1.0')
    expect(ask).toMatchObject({ type: 'function', name: 'ask_user', parameters: { type: 'object' } })
    expect([search, shop].map((tool) => house.headersOf(tool))).toEqual([{ Authorization: 'Bearer sesame-1' }, { 'X-Key': 'sesame-2' }])
  })

  test('applied twice change nothing, and leave no header in the database', async () => {
    await using house = await openHouse()
    expect(await house.apply(bot(TOOLS))).toEqual([{ kind: 'bot', id: '5', name: 'b', change: 'created', published: '1.0.0' }])
    expect(await house.apply(bot(TOOLS))).toEqual([{ kind: 'bot', id: '5', name: 'b', change: 'unchanged' }])

    const stored = await house.readDatabase()
    expect(stored).toContain('mcp.example')
    expect(stored).not.toContain('sesame')
  })

  test.each([
    ['a header’s value', (tools: string) => tools.replace('sesame-1', 'sesame-3')],
    ['a header’s name', (tools: string) => tools.replace('X-Key', 'X-Other')],
    ['a timeout', (tools: string) => tools.replace('5000', '6000')],
    [
      'their order',
      (tools: string) =>
        `${tools.slice(tools.indexOf('- ', 20)).replace(/^/, '\n      ')}${tools.slice(0, tools.indexOf('      - ', 20)).trimEnd()}`,
    ],
    ['a tool less', (tools: string) => tools.slice(0, tools.lastIndexOf('      - ')).trimEnd()],
  ])('%s is a change', async (_what, change) => {
    await using house = await openHouse()
    await house.apply(bot(TOOLS))
    const [applied] = await house.apply(bot(change(TOOLS)))

    expect(applied).toMatchObject({ change: 'updated', published: '1.0.1' })
    expect((await house.apply(bot(change(TOOLS))))[0]).toMatchObject({ change: 'unchanged' })
  })

  test('a change in the document’s file is a change', async () => {
    await using house = await openHouse()
    await house.apply(bot(TOOLS))
    await house.write('docs/shop.yaml', SHOP.replace('operationId: getItem,', 'operationId: getItem, summary: One item,'))
    expect((await house.apply(bot(TOOLS)))[0]).toMatchObject({ change: 'updated', published: '1.0.1' })
  })

  test('of a bot that has none any more are gone', async () => {
    await using house = await openHouse()
    await house.apply(bot(TOOLS))
    await house.apply('bots: [{ id: 5, name: b, model: demo }]')
    expect((await findBot(house.core.db, '5'))?.draft.tools).toEqual([])
  })

  test('headers of a lost master key are sealed anew', async () => {
    await using house = await openHouse()
    await house.apply(bot(TOOLS))
    house.core.secrets = { ...house.core.secrets, open: () => fail('lost') }
    expect((await house.apply(bot(TOOLS)))[0]).toMatchObject({ change: 'updated' })
  })
})

describe('tools that cannot be used change nothing', () => {
  const doc = (more: string) => `type: openapi, name: t, document: { openapi: 3.0.0, ${more} }`
  const paths = 'paths: { /x: { get: { operationId: op } } }'

  test.each<[string, string, RegExp]>([
    ['an unknown kind', one('type: magic, name: t'), /^bots\.0\.tools\.0\.type: /],
    ['no name', one('type: mcp, url: "https://a.example"'), /tools\.0\.name: must be text/],
    ['a bad name', one('type: mcp, name: a b, url: "https://a.example"'), /tools\.0\.name: must have 1 to 64 letters/],
    ['a name twice', bot(' [{ type: function, name: a }, { type: function, name: a }]'), /tools\.1\.name: a is there twice/],
    ['a field nobody knows', one('type: mcp, name: t, url: "https://a.example", urll: x'), /tools\.0: .*urll/],
    ['no url', one('type: mcp, name: t'), /tools\.0\.url: must be text/],
    ['a file as url', one('type: mcp, name: t, url: "file:///etc/passwd"'), /tools\.0\.url: must be an http\(s\) URL/],
    ['a password in the url', one('type: mcp, name: t, url: "https://a:sesame@a.example"'), /must not hold a user name or password/],
    ['a short timeout', one('type: mcp, name: t, url: "https://a.example", timeout_ms: 1'), /timeout_ms: must be at least 100/],
    ['a long timeout', one('type: mcp, name: t, url: "https://a.example", timeout_ms: 120001'), /timeout_ms: must be at most 120000/],
    ['a header of HTTP’s own', one('type: mcp, name: t, url: "https://a.example", headers: { Host: x }'), /headers\.Host: /],
    [
      'a header with a line break',
      one('type: mcp, name: t, url: "https://a.example", headers: { A: "sesame\\nB: c" }'),
      /headers\.A: must be one line/,
    ],
    ['a header that is no text', one('type: mcp, name: t, url: "https://a.example", headers: { A: 5 }'), /headers\.A: must be text/],
    [
      'a schema that is none',
      one('type: function, name: t, parameters: { type: banana }'),
      /parameters: the schema must have the type object/,
    ],
    ['no document', one('type: openapi, name: t'), /document: must be an object, or the path/],
    ['a file that is not there', one('type: openapi, name: t, document: ./gone.yaml'), /document: \.\/gone\.yaml cannot be read/],
    ['a directory', one('type: openapi, name: t, document: ./docs'), /document: \.\/docs cannot be read/],
    ['a file of text', one('type: openapi, name: t, document: ./docs/text.txt'), /is no OpenAPI document/],
    ['a file that is no YAML', one('type: openapi, name: t, document: ./docs/broken.yaml'), /is neither YAML nor JSON: /],
    ['a YAML bomb', one('type: openapi, name: t, document: ./docs/bomb.yaml'), /is neither YAML nor JSON: |more than 1 MB/],
    ['a huge file', one('type: openapi, name: t, document: ./docs/huge.json'), /has more than 4 MB/],
    ['Swagger', one('type: openapi, name: t, document: { swagger: "2.0" }'), /document: it is a Swagger 2\.0 document/],
    ['no servers', one(doc(paths)), /document: it names no server: give it a base_url/],
    [
      'a file as server',
      one(doc(`servers: [{ url: "file:///etc/passwd" }], ${paths}`)),
      /must begin with http:\/\/ or https:\/\/, not file:/,
    ],
    ['a file as base_url', one(`${doc(paths)}, base_url: "file:///etc/passwd"`), /base_url: must be an http\(s\) URL/],
    [
      'a file as reference',
      one(doc('servers: [{ url: "https://a.example" }], paths: { /x: { $ref: "file:///etc/passwd" } }')),
      /within the document only/,
    ],
    ['no operations', one(doc('servers: [{ url: "https://a.example" }], paths: {}')), /it has no operations/],
    [
      'an operation nobody knows',
      one(`${doc(`servers: [{ url: "https://a.example" }], ${paths}`)}, operations: [nope]`),
      /there is no operation nope/,
    ],
  ])('%s', async (_what, manifest, problem) => {
    await using house = await openHouse()
    const refusal = await house.apply(manifest).catch((cause: unknown) => cause)

    expect(refusal).toBeInstanceOf(AppError)
    const [first, ...problems] = String(refusal)
      .split('\n')
      .map((line) => line.trim())
    expect(first).toMatch(/cannot be applied, nothing was changed:$/)
    expect(problems).toEqual([expect.stringMatching(problem)])
    expect(String(refusal)).not.toContain('sesame')
    expect(await listAllBots(house.core.db)).toEqual([])
  })

  test('all problems are told at once', async () => {
    await using house = await openHouse()
    const refusal = await house
      .apply(bot(' [{ type: mcp, name: a }, { type: openapi, name: b, document: gone }, { type: function, name: " " }]'))
      .then(() => 'applied', String)
    expect(refusal.split('\n').slice(1)).toHaveLength(3)
  })
})

function fail(message: string): never {
  throw new Error(message)
}

async function openHouse() {
  const dir = await mkdtemp(join(tmpdir(), 'coze-plus-tools-'))
  const core = await openCore(loadConfig({ DATA_DIR: join(dir, 'data'), MASTER_KEY: 'master' }), { logger: pino({ level: 'silent' }) })
  await createUser(core, { email: 'ada@example.com', password: 'correct-horse' })
  const write = (name: string, text: string) => writeFile(join(dir, name), text)
  await mkdir(join(dir, 'docs'))
  await write('docs/shop.yaml', SHOP)
  await write('docs/text.txt', 'just text')
  await write('docs/broken.yaml', 'a: [')
  await write('docs/huge.json', JSON.stringify({ openapi: '3.0.0', x: 'x'.repeat(4_000_001) }))
  const letters = 'abcdefghij'.split('')
  const doubling = letters.map(
    (letter, at) =>
      `${letter}: &${letter} [${
        at === 0
          ? 'x'
          : Array(10)
              .fill(`*${letters[at - 1]}`)
              .join()
      }]`,
  )
  await write('docs/bomb.yaml', `openapi: 3.0.0\n${doubling.join('\n')}`)

  return {
    core,
    write,
    headersOf: (tool: BotTool | undefined) => tool && 'sealedHeaders' in tool && openToolHeaders(core.secrets, tool.sealedHeaders),
    async apply(manifest: string) {
      await write('manifest.yaml', manifest)
      return applyManifest(core, await readManifest(join(dir, 'manifest.yaml')))
    },
    async readDatabase() {
      const names = await readdir(join(dir, 'data'))
      return (
        await Promise.all(names.filter((name) => name.includes('.db')).map((name) => readFile(join(dir, 'data', name), 'latin1')))
      ).join('')
    },
    async [Symbol.asyncDispose]() {
      await core.close()
      await rm(dir, { recursive: true })
    },
  }
}
