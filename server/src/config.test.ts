import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { ConfigError, loadConfig } from './config.ts'

const dir = await mkdtemp(join(tmpdir(), 'coze-plus-config-'))
let dirs = 0
const newDir = () => join(dir, String(++dirs))
const load = (env: Record<string, string>) => loadConfig({ DATA_DIR: join(dir, 'shared'), ...env })
afterAll(() => rm(dir, { recursive: true }))

describe('without any variable', () => {
  test('it is a server for this machine, with everything in one directory', () => {
    const dataDir = newDir()

    expect(loadConfig({ DATA_DIR: dataDir })).toEqual({
      ...{ host: '127.0.0.1', port: 8888, publicUrl: 'http://127.0.0.1:8888', dataDir },
      database: { kind: 'sqlite', path: join(dataDir, 'coze-plus.db') },
      ...{ redisUrl: undefined, s3: undefined },
      masterKey: expect.stringMatching(/^[0-9a-f]{64}$/),
      admin: { email: 'admin@example.com', password: undefined },
      ...{ allowSignup: false, trustProxy: false, corsOrigins: [], logLevel: 'info', metricsToken: undefined, openai: undefined },
      proxy: { httpProxy: undefined, httpsProxy: undefined, noProxy: undefined },
      allowedPrivateCidrs: [],
      drainMs: 30_000,
    })
  })

  test('a variable of nothing but blanks is not set', () => {
    const names = [
      'PORT',
      'HOST',
      'PUBLIC_URL',
      'DATABASE_URL',
      'REDIS_URL',
      'MASTER_KEY',
      'ADMIN_EMAIL',
      'ADMIN_PASSWORD',
      'ALLOW_SIGNUP',
      'LOG_LEVEL',
    ]
    const empty = Object.fromEntries(names.map((name) => [name, ' ']))

    expect(load(empty)).toEqual(load({}))
  })
})

describe('what the operator says', () => {
  test('counts', () => {
    const config = load({
      ...{ PORT: ' 9000 ', HOST: '0.0.0.0', PUBLIC_URL: 'https://example.com/coze//', DATABASE_URL: 'mariadb://u:p@db:3306/x' },
      ...{ MASTER_KEY: ' secret ', ADMIN_EMAIL: 'Ada@Example.com', ADMIN_PASSWORD: 'correct horse', ALLOW_SIGNUP: 'Yes' },
      ...{ TRUST_PROXY: '10.0.0.0/8', CORS_ORIGINS: ' https://a.example , https://b.example,', LOG_LEVEL: 'debug', METRICS_TOKEN: 'm' },
      ...{ OPENAI_API_KEY: 'sk-1', HTTPS_PROXY: 'http://proxy:3128', DRAIN_SECONDS: '5' },
      ...{ ALLOWED_PRIVATE_CIDRS: ' 10.0.0.0/8 ,fd00::/8,', REDIS_URL: ' rediss://u:p@cache:6380/2 ' },
    })

    expect(config).toMatchObject({
      ...{ port: 9000, host: '0.0.0.0', publicUrl: 'https://example.com/coze', masterKey: 'secret', allowSignup: true },
      database: { kind: 'mysql', url: 'mysql://u:p@db:3306/x' },
      admin: { email: 'ada@example.com', password: 'correct horse' },
      ...{ trustProxy: '10.0.0.0/8', corsOrigins: ['https://a.example', 'https://b.example'], logLevel: 'debug', metricsToken: 'm' },
      openai: { apiKey: 'sk-1', baseUrl: 'https://api.openai.com/v1', model: 'gpt-4o-mini' },
      ...{ proxy: { httpsProxy: 'http://proxy:3128' }, drainMs: 5_000 },
      ...{ allowedPrivateCidrs: ['10.0.0.0/8', 'fd00::/8'], redisUrl: 'rediss://u:p@cache:6380/2' },
    })
  })

  test.each([
    ['0.0.0.0', 'http://localhost:8888'],
    ['::', 'http://localhost:8888'],
    ['::1', 'http://[::1]:8888'],
    ['example.com', 'http://example.com:8888'],
  ])('the URLs handed out for HOST %s begin with %s', (...[host, url]) => {
    expect(load({ HOST: host }).publicUrl).toBe(url)
  })

  test.each([
    ['true', true],
    ['1', true],
    ['false', false],
    ['0', false],
    ['loopback', 'loopback'],
  ])('TRUST_PROXY %s', (...[text, value]) => {
    expect(load({ TRUST_PROXY: text }).trustProxy).toBe(value)
  })
})

describe('a value that cannot be used', () => {
  test.each([
    ['PORT', '70000', 'PORT must be a port number'],
    ['PORT', 'http', 'PORT must be a port number'],
    ['PORT', '80.5', 'PORT must be a port number'],
    ['PUBLIC_URL', 'example.com', 'PUBLIC_URL must be an http(s) URL'],
    ['PUBLIC_URL', 'ftp://example.com', 'PUBLIC_URL must be an http(s) URL'],
    ['DATABASE_URL', 'postgres://u:hush@host/x', 'DATABASE_URL must be a URL such as mysql://user:password@host:3306/database'],
    ...['localhost:6379', 'redis://', 'redis://:hush@', 'http://u:hush@host', 'redis://host/name', 'redis://:hush@host:6379/0/1'].map(
      (value): [string, string, string] => ['REDIS_URL', value, 'REDIS_URL must be a URL such as redis://:password@host:6379/0'],
    ),
    ['ADMIN_EMAIL', 'ada', 'ADMIN_EMAIL must be an e-mail address'],
    ['ADMIN_PASSWORD', 'hush', 'ADMIN_PASSWORD must have at least 8 characters'],
    ['ALLOW_SIGNUP', 'maybe', 'ALLOW_SIGNUP must be true or false'],
    ['LOG_LEVEL', 'loud', 'LOG_LEVEL must be trace, debug, info, warn, error, fatal or silent'],
    ['OPENAI_BASE_URL', 'localhost:11434', 'OPENAI_BASE_URL must be an http(s) URL'],
    [
      'ALLOWED_PRIVATE_CIDRS',
      '10.0.0.0/8, 10.0.0.0/99',
      'ALLOWED_PRIVATE_CIDRS must be ranges separated by commas: 10.0.0.0/99 is no range such as 10.0.0.0/8 or fd00::/8',
    ],
    ['DRAIN_SECONDS', '-1', 'DRAIN_SECONDS must be a number of seconds, at most 3600'],
    ['DRAIN_SECONDS', '3601', 'DRAIN_SECONDS must be a number of seconds, at most 3600'],
  ])('%s=%s stops the start with one line that names it', (...[name, value, message]) => {
    const cause = errorOf(() => load({ [name]: value }))

    expect(cause).toBeInstanceOf(ConfigError)
    expect(cause?.message).toBe(message)
    expect(cause?.message).not.toContain('hush')
  })

  test.each([
    [{ S3_BUCKET: 'b' }, { bucket: 'b', region: 'us-east-1', endpoint: undefined, forcePathStyle: false, credentials: undefined }],
    [
      { S3_BUCKET: 'b', S3_REGION: 'eu-1', S3_ENDPOINT: 'http://minio:9000', S3_ACCESS_KEY_ID: 'k', S3_SECRET_ACCESS_KEY: 's' },
      {
        ...{ bucket: 'b', region: 'eu-1', endpoint: 'http://minio:9000', forcePathStyle: true },
        credentials: { accessKeyId: 'k', secretAccessKey: 's' },
      },
    ],
    [{ S3_BUCKET: 'b', S3_ENDPOINT: 'https://s3.example.com', S3_FORCE_PATH_STYLE: 'false' }, { forcePathStyle: false }],
  ])('files are kept in a bucket with %o', (env: Record<string, string>, expected) => {
    expect(load(env).s3).toMatchObject(expected)
  })

  test.each([
    [{ S3_ENDPOINT: 'http://minio:9000' }, 'S3_BUCKET is required'],
    [{ S3_BUCKET: 'b', S3_ENDPOINT: 'minio:9000' }, 'S3_ENDPOINT must be an http(s) URL'],
    [{ S3_BUCKET: 'b', S3_ACCESS_KEY_ID: 'k' }, 'S3_SECRET_ACCESS_KEY belong together'],
    [{ S3_BUCKET: 'b', S3_FORCE_PATH_STYLE: 'maybe' }, 'S3_FORCE_PATH_STYLE must be true or false'],
  ])('half a bucket stops the start: %o', (env: Record<string, string>, message) => {
    expect(() => load(env)).toThrow(message)
  })

  test('a shared database needs a master key that all its servers have', () => {
    const cause = errorOf(() => load({ DATABASE_URL: 'mysql://u:p@db/x' }))

    expect(cause).toBeInstanceOf(ConfigError)
    expect(cause?.message).toMatch(/^MASTER_KEY is required with DATABASE_URL[^\n]*$/)
  })
})

describe('the master key of the embedded database', () => {
  test('is made once, for its owner’s eyes', async () => {
    const dataDir = newDir()
    const first = loadConfig({ DATA_DIR: dataDir }).masterKey

    expect(loadConfig({ DATA_DIR: dataDir }).masterKey).toBe(first)
    expect((await stat(join(dataDir, 'master.key'))).mode & 0o777).toBe(0o600)
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700)
    expect((await readFile(join(dataDir, 'master.key'), 'utf8')).trim()).toBe(first)
    expect(loadConfig({ DATA_DIR: newDir() }).masterKey).not.toBe(first)
  })

  test('gives way to the one of the environment', async () => {
    const dataDir = newDir()
    expect(loadConfig({ DATA_DIR: dataDir, MASTER_KEY: 'mine' }).masterKey).toBe('mine')
    await expect(stat(join(dataDir, 'master.key'))).rejects.toThrow()
  })

  test('is the same for all processes of a first start', async () => {
    const dataDir = newDir()
    const code = `import { loadConfig } from ${JSON.stringify(join(import.meta.dirname, 'config.ts'))}; console.log(loadConfig({ DATA_DIR: ${JSON.stringify(dataDir)} }).masterKey)`
    const outputs = await Promise.all(Array.from({ length: 6 }, () => outputOf(code)))

    expect(outputs[0]).toMatch(/^[0-9a-f]{64}\n$/)
    expect(new Set(outputs).size).toBe(1)
  })

  test('that is empty is refused: everything sealed with it would be open', async () => {
    const dataDir = newDir()
    await mkdir(dataDir)
    await writeFile(join(dataDir, 'master.key'), '\n')
    const cause = errorOf(() => loadConfig({ DATA_DIR: dataDir }))

    expect(cause).toBeInstanceOf(ConfigError)
    expect(cause?.message).toContain('master.key')
  })

  test('below a file stops the start with one line', async () => {
    const file = newDir()
    await writeFile(file, '')
    const cause = errorOf(() => loadConfig({ DATA_DIR: join(file, 'data') }))

    expect(cause).toBeInstanceOf(ConfigError)
    expect(cause?.message).toMatch(/^DATA_DIR [^\n]*$/)
  })
})

function errorOf(act: () => unknown): Error | undefined {
  try {
    act()
    return undefined
  } catch (cause) {
    return cause instanceof Error ? cause : new Error(String(cause))
  }
}

async function outputOf(code: string): Promise<string> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  return (await child.stdout.toArray()).join('')
}
