import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import Fastify from 'fastify'
import { describe, expect, test } from 'vitest'
import { createConsolePages } from './console-pages.ts'

const SCRIPT = 'console.log("a script that is long enough")'
const BROWSER = { accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8' }

describe('the built console', () => {
  test('every address of a person is the page, never kept, with a nonce of its own', async () => {
    await using site = await startSite()
    const [start, deep] = [await site.get('/'), await site.get('/agents/123456?tab=api', BROWSER)]
    for (const { statusCode, headers } of [start, deep]) {
      expect(statusCode).toBe(200)
      expect(headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-cache',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      })
    }
    const nonces = [start, deep].map(({ body }) => /content="([\w-]{24})"/.exec(body)?.[1])
    expect(new Set(nonces).size).toBe(2)
    expect(String(deep.headers['content-security-policy'])).toContain(`style-src 'self' 'nonce-${nonces[1]}'`)
  })

  test('its policy lets no foreign script, no eval and no inline script run, and pictures of the public address show', async () => {
    await using site = await startSite()
    const policy = String((await site.get('/')).headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'; script-src 'self'; ")
    expect(policy).toContain("img-src 'self' data: blob: https://coze.example")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
  })

  test('files with a hash in their names are kept for a year, compressed for who takes that', async () => {
    await using site = await startSite()
    const plain = await site.get('/assets/main-abc.js')
    expect(plain).toMatchObject({ statusCode: 200, body: SCRIPT })
    expect(plain.headers).toMatchObject({ 'cache-control': 'public, max-age=31536000, immutable', 'x-content-type-options': 'nosniff' })
    expect(plain.headers['content-type']).toMatch(/javascript/)

    const packed = await site.get('/assets/main-abc.js', { 'accept-encoding': 'gzip, br' })
    expect(packed.headers).toMatchObject({ 'content-encoding': 'gzip', vary: expect.stringMatching(/accept-encoding/i) })
    expect(packed.headers['content-type']).toMatch(/javascript/)
  })

  test('what is not there is not a page: API paths, files, programs, other methods', async () => {
    await using site = await startSite()
    for (const path of [
      '/v1/nothing',
      '/assets/gone.js',
      '/assets/%2e%2e%2f%2e%2e%2fpackage.json',
      '/assets/..%2f..%2fpackage.json',
      '/assets/.built-from',
      '/assets/',
    ])
      expect({ path, status: (await site.get(path, BROWSER)).statusCode }).toEqual({ path, status: 404 })
    expect((await site.get('/agents', { accept: 'application/json' })).statusCode).toBe(404)
    expect((await site.get('/agents')).statusCode).toBe(404)
    expect((await site.http.inject({ method: 'POST', url: '/agents', headers: BROWSER })).statusCode).toBe(404)
  })

  test('one that was built again is served without a restart', async () => {
    await using site = await startSite()
    await writeFile(join(site.consoleDir, 'index.html'), 'the new one')
    expect((await site.get('/')).body).toBe('the new one')
  })

  test('without a build there is nothing', () => {
    expect(createConsolePages({ consoleDir: '/nowhere', publicUrl: 'https://coze.example' })).toBeUndefined()
  })
})

async function startSite() {
  const consoleDir = await mkdtemp(join(tmpdir(), 'coze-plus-console-'))
  await mkdir(join(consoleDir, 'assets'))
  await writeFile(join(consoleDir, 'index.html'), '<meta name="csp-nonce" content="__CSP_NONCE__">')
  await writeFile(join(consoleDir, 'favicon.svg'), '<svg/>')
  await writeFile(join(consoleDir, 'assets', 'main-abc.js'), SCRIPT)
  await writeFile(join(consoleDir, 'assets', 'main-abc.js.gz'), gzipSync(SCRIPT))

  const http = Fastify()
  const pages = createConsolePages({ consoleDir, publicUrl: 'https://coze.example' })
  http.setNotFoundHandler((request, reply) => (pages?.isPage(request) ? pages.sendPage(reply) : reply.code(404).send({ code: 404 })))
  await pages?.register(http)
  http.get('/v1/bots', { config: { auth: 'key', action: 'read' } }, async () => ({}))
  return {
    consoleDir,
    http,
    get: (url: string, headers: Record<string, string> = {}) => http.inject({ method: 'GET', url, headers }),
    async [Symbol.asyncDispose]() {
      await http.close()
      await rm(consoleDir, { recursive: true, force: true })
    },
  }
}
