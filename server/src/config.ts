import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import type { DatabaseLocation } from './db/database.ts'
import type { S3Settings } from './files/s3-object-store.ts'
import { findCidrProblem } from './lib/address-rules.ts'

/** Everything the operator decides, read once from the environment; no other file reads it. */
export type Config = {
  host: string
  port: number
  /** Base of the URLs the server hands out, without a slash at the end. */
  publicUrl: string
  dataDir: string
  database: DatabaseLocation
  /** What nodes share beside the database. */
  redisUrl: string | undefined
  /** Where files are kept that all nodes share; absent: in `dataDir`. */
  s3: S3Settings | undefined
  masterKey: string
  admin: { email: string; password: string | undefined }
  allowSignup: boolean
  trustProxy: boolean | string
  corsOrigins: string[]
  logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'
  metricsToken: string | undefined
  /** Registers a model named `default` when set. */
  openai: { apiKey: string; baseUrl: string; model: string } | undefined
  /** Proxy for calls to model providers. */
  proxy: { httpProxy: string | undefined; httpsProxy: string | undefined; noProxy: string | undefined }
  /** Private ranges that URLs of users may lead to all the same. */
  allowedPrivateCidrs: string[]
  /** How long a stopping server waits for live runs. */
  drainMs: number
}

/** A setting that cannot be used; the message is one line that names it. */
export class ConfigError extends Error {}

const optional = z
  .string()
  .trim()
  .transform((text) => text || undefined)
  .optional()
const flag = z
  .string()
  .trim()
  .toLowerCase()
  .pipe(z.enum(['', '0', '1', 'true', 'false', 'yes', 'no'], 'must be true or false'))
  .transform((text) => ['1', 'true', 'yes'].includes(text))
const wholeNumber = (min: number, max: number, hint: string) => z.coerce.number(hint).int(hint).min(min, hint).max(max, hint)
const list = z
  .string()
  .default('')
  .transform((text) => text.split(',').map((part) => part.trim()))
  .transform((parts) => parts.filter(Boolean))
const cidrs = list.superRefine((ranges, context) => {
  for (const message of ranges.map(findCidrProblem))
    if (message) context.addIssue({ code: 'custom', message: `must be ranges separated by commas: ${message}` })
})
const url = (protocols: RegExp, hint: string) =>
  optional.refine((text) => text === undefined || (URL.canParse(text) && protocols.test(text)), `must be ${hint}`)
const redisUrl = url(/^rediss?:\/\/[^/?]*[^/?@:]+(:\d+)?(\/\d{0,5})?$/, 'a URL such as redis://:password@host:6379/0')

const envSchema = z.object({
  PORT: wholeNumber(0, 65_535, 'must be a port number').default(8888),
  HOST: z.string().trim().default('127.0.0.1'),
  PUBLIC_URL: url(/^https?:/, 'an http(s) URL'),
  DATA_DIR: z.string().trim().default('./data'),
  DATABASE_URL: url(/^(mysql|mariadb):/, 'a URL such as mysql://user:password@host:3306/database'),
  REDIS_URL: redisUrl,
  S3_BUCKET: optional,
  S3_ENDPOINT: url(/^https?:/, 'an http(s) URL'),
  S3_REGION: z.string().trim().default('us-east-1'),
  S3_ACCESS_KEY_ID: optional,
  S3_SECRET_ACCESS_KEY: optional,
  S3_FORCE_PATH_STYLE: flag.optional(),
  MASTER_KEY: optional,
  ADMIN_EMAIL: z.string().trim().default('admin@example.com').pipe(z.email('must be an e-mail address')),
  ADMIN_PASSWORD: optional.refine((text) => text === undefined || text.length >= 8, 'must have at least 8 characters'),
  ALLOW_SIGNUP: flag.default(false),
  TRUST_PROXY: optional,
  CORS_ORIGINS: list,
  ALLOWED_PRIVATE_CIDRS: cidrs,
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'must be trace, debug, info, warn, error, fatal or silent')
    .default('info'),
  METRICS_TOKEN: optional,
  OPENAI_API_KEY: optional,
  OPENAI_BASE_URL: url(/^https?:/, 'an http(s) URL'),
  OPENAI_MODEL: optional,
  HTTP_PROXY: optional,
  HTTPS_PROXY: optional,
  NO_PROXY: optional,
  DRAIN_SECONDS: wholeNumber(0, 3600, 'must be a number of seconds, at most 3600').default(30),
})

/** The process's own variables, for the few places that expand them in a file of the operator's. */
export const environment = process.env

export function loadConfig(env: NodeJS.ProcessEnv = environment): Config {
  const parsed = envSchema.safeParse(withoutEmpty(env))
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new ConfigError(`${String(issue?.path[0])} ${issue?.message}`)
  }
  const vars = parsed.data
  const dataDir = resolve(vars.DATA_DIR)

  return {
    host: vars.HOST,
    port: vars.PORT,
    publicUrl: (vars.PUBLIC_URL ?? `http://${urlHost(vars.HOST)}:${vars.PORT}`).replace(/\/+$/, ''),
    dataDir,
    database: vars.DATABASE_URL
      ? { kind: 'mysql', url: vars.DATABASE_URL.replace(/^mariadb:/, 'mysql:') }
      : { kind: 'sqlite', path: join(dataDir, 'coze-plus.db') },
    redisUrl: vars.REDIS_URL,
    s3: toS3Settings(vars),
    masterKey: vars.MASTER_KEY ?? ownMasterKey(dataDir, vars.DATABASE_URL !== undefined),
    admin: { email: vars.ADMIN_EMAIL.toLowerCase(), password: vars.ADMIN_PASSWORD },
    allowSignup: vars.ALLOW_SIGNUP,
    trustProxy: trustProxy(vars.TRUST_PROXY),
    corsOrigins: vars.CORS_ORIGINS,
    allowedPrivateCidrs: vars.ALLOWED_PRIVATE_CIDRS,
    logLevel: vars.LOG_LEVEL,
    metricsToken: vars.METRICS_TOKEN,
    openai: vars.OPENAI_API_KEY
      ? {
          apiKey: vars.OPENAI_API_KEY,
          baseUrl: vars.OPENAI_BASE_URL ?? 'https://api.openai.com/v1',
          model: vars.OPENAI_MODEL ?? 'gpt-4o-mini',
        }
      : undefined,
    proxy: { httpProxy: vars.HTTP_PROXY, httpsProxy: vars.HTTPS_PROXY, noProxy: vars.NO_PROXY },
    drainMs: vars.DRAIN_SECONDS * 1000,
  }
}

/** A server of one's own has no names for its buckets, unless told otherwise. */
function toS3Settings(vars: z.infer<typeof envSchema>): S3Settings | undefined {
  const { S3_BUCKET: bucket, S3_ENDPOINT: endpoint, S3_REGION: region, S3_ACCESS_KEY_ID: accessKeyId } = vars
  const { S3_SECRET_ACCESS_KEY: secretAccessKey, S3_FORCE_PATH_STYLE: forcePathStyle = endpoint !== undefined } = vars
  if (bucket === undefined) {
    if (endpoint !== undefined || accessKeyId !== undefined) throw new ConfigError('S3_BUCKET is required with the other S3_ settings')
    return undefined
  }
  if (accessKeyId === undefined && secretAccessKey === undefined)
    return { bucket, region, endpoint, forcePathStyle, credentials: undefined }
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw new ConfigError('S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY belong together: set both, or none to use the role of the machine')
  return { bucket, region, endpoint, forcePathStyle, credentials: { accessKeyId, secretAccessKey } }
}

/** Addresses that mean "every interface" are no host for a URL. */
function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}

/** `VAR=` in a shell or a compose file means: not set. */
function withoutEmpty(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ''))
}

function trustProxy(text: string | undefined): boolean | string {
  if (text === undefined || /^(false|0|no)$/i.test(text)) return false
  return /^(true|1|yes)$/i.test(text) ? true : text
}

/** On the embedded default the key is made once and kept beside the data; nodes that share a database must share it. */
function ownMasterKey(dataDir: string, sharedDatabase: boolean): string {
  if (sharedDatabase)
    throw new ConfigError(
      'MASTER_KEY is required with DATABASE_URL: every node needs the same one, for example the output of `openssl rand -hex 32`',
    )

  const path = join(dataDir, 'master.key')
  try {
    if (!existsSync(path)) writeMasterKey(dataDir, path)
    return readMasterKey(path)
  } catch (cause) {
    throw cause instanceof ConfigError ? cause : new ConfigError(`DATA_DIR ${dataDir} cannot be used: ${String(cause)}`)
  }
}

function writeMasterKey(dataDir: string, path: string): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  try {
    writeFileSync(path, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' })
  } catch (cause) {
    // another process of the same first start was quicker: its key counts
    if (!existsSync(path)) throw cause
  }
}

/** Such a process may have made the file and not written it yet: waits a moment for that. */
function readMasterKey(path: string): string {
  for (let attempt = 0; attempt < 20; attempt++) {
    const key = readFileSync(path, 'utf8').trim()
    if (key !== '') return key
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)
  }
  throw new ConfigError(`${path} is empty: put the key back from a backup, or delete the file when nothing is stored yet`)
}
