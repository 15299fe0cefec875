import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { createUser } from '../accounts/users.ts'
import { openToolHeaders } from '../bots/bot-tools.ts'
import { loadConfig } from '../config.ts'
import { openCore } from '../core.ts'
import { AppError } from '../lib/app-error.ts'
import { findPlugin } from '../workflows/plugins/plugin-store.ts'
import { applyManifest } from './apply-manifest.ts'
import { readManifest } from './manifest.ts'

const ID = '7348853341922983946'
const plugin = (more: string, id = ID) => `plugins: [{ id: ${id}, name: 猎聘, ${more} }]`
const mcp = 'type: mcp, url: "https://mcp.example/mcp"'
const openapi = 'type: openapi, document: ./jobs.yaml'

describe('plugins in a manifest', () => {
  test('are written as the tools of bots are, with an id, and applied twice change nothing', async () => {
    await using house = await openHouse()
    const manifest = `plugins:
  - { id: ${ID}, name: 猎聘, ${openapi}, headers: { X-Key: sesame }, operations: [findJobs], description: Jobs, icon_url: 'https://a.example/i.png' }
  - { id: '7', name: 'search it', ${mcp}, allow: [find], timeout_ms: 5000 }`

    expect(await house.apply(manifest)).toEqual([
      { kind: 'plugin', id: ID, name: '猎聘', change: 'created' },
      { kind: 'plugin', id: '7', name: 'search it', change: 'created' },
    ])
    expect((await house.apply(manifest)).map(({ change }) => change)).toEqual(['unchanged', 'unchanged'])
    expect((await house.apply(manifest.replace('5000', '6000'))).map(({ change }) => change)).toEqual(['unchanged', 'updated'])

    const jobs = await findPlugin(house.db, ID)
    expect(jobs).toMatchObject({
      name: '猎聘',
      description: 'Jobs',
      iconUrl: 'https://a.example/i.png',
      tool: { type: 'openapi', operations: ['findJobs'] },
    })
    expect(house.headersOf(jobs?.tool.sealedHeaders ?? {})).toEqual({ 'X-Key': 'sesame' })
    expect(await findPlugin(house.db, '7')).toMatchObject({
      tool: { type: 'mcp', url: 'https://mcp.example/mcp', allow: ['find'], timeoutMs: 6_000 },
    })
  })

  test('belong to who the manifest says', async () => {
    await using house = await openHouse()
    await house.apply(plugin(mcp))
    await createUser(house.core, { email: 'bob@example.com', password: 'correct-horse' })

    await expect(house.apply(plugin(mcp))).rejects.toThrow(/plugin 猎聘 needs an owner/)
    await expect(house.apply(plugin(`${mcp}, owner: bob@example.com`))).rejects.toThrow(`plugin ${ID} belongs to another user`)
    expect(await house.apply(plugin(`${mcp}, owner: ada@example.com`))).toMatchObject([{ change: 'unchanged' }])
  })
})

describe('plugins that are refused', () => {
  test.each([
    ['without an id', `plugins: [{ name: a, ${mcp} }]`, /plugins\.0\.id: must be a positive whole number/],
    ['with 20 digits', plugin(mcp, '12345678901234567890'), /plugins\.0\.id: must be/],
    ['that are functions', plugin('type: function'), /plugins\.0\.type: must be openapi or mcp/],
    ['without a type', plugin('url: "https://a.example"'), /plugins\.0\.type: must be openapi or mcp/],
    ['with a field nobody knows', plugin(`${mcp}, api_key: x`), /plugins\.0: Unrecognized key: "api_key"/],
    ['with a bad URL', plugin('type: mcp, url: "file:///etc/passwd"'), /plugins\.0\.url: must be an http/],
    ['with a header that is two', plugin(`${mcp}, headers: { a: "x\\r\\nb: y" }`), /plugins\.0\.headers\.a: must be one line/],
    [
      'with a document that is not there',
      plugin('type: openapi, document: ./gone.yaml'),
      /plugins\.0\.document: \.\/gone\.yaml cannot be read/,
    ],
    ['with an operation that is not there', plugin(`${openapi}, operations: [nope]`), /plugins\.0\.document: there is no operation nope/],
    ['that are there twice', `plugins: [{ id: 7, name: a, ${mcp} }, { id: '7', name: b, ${mcp} }]`, /plugins\.1\.id: 7 is there twice/],
  ])('%s', async (_what, manifest, problem) => {
    await using house = await openHouse()
    const refusal = await house.apply(manifest).catch((cause: unknown) => cause)

    expect(refusal).toBeInstanceOf(AppError)
    const [, ...problems] = String(refusal).split('\n')
    expect(problems).toEqual([expect.stringMatching(problem)])
    expect(await findPlugin(house.db, '7')).toBeUndefined()
  })
})

const JOBS = 'openapi: 3.0.0\nservers: [{ url: "https://jobs.example" }]\npaths: { /jobs: { get: { operationId: findJobs } } }'

async function openHouse() {
  const dir = await mkdtemp(join(tmpdir(), 'coze-plus-plugins-'))
  const core = await openCore(loadConfig({ DATA_DIR: join(dir, 'data'), MASTER_KEY: 'master' }), { logger: pino({ level: 'silent' }) })
  await createUser(core, { email: 'ada@example.com', password: 'correct-horse' })
  await writeFile(join(dir, 'jobs.yaml'), JOBS)
  return {
    ...{ core, db: core.db },
    headersOf: (sealed: Record<string, string>) => openToolHeaders(core.secrets, sealed),
    async apply(text: string) {
      await writeFile(join(dir, 'manifest.yaml'), text)
      return applyManifest(core, await readManifest(join(dir, 'manifest.yaml')))
    },
    async [Symbol.asyncDispose]() {
      await core.close()
      await rm(dir, { recursive: true })
    },
  }
}
