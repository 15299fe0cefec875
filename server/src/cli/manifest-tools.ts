import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import type { ServerToolSettings } from '../bots/bot-tools.ts'
import { parseOpenapi } from '../tools/openapi-document.ts'
import { findSchemaProblem, isRecord } from '../lib/json-schema.ts'

/**
 * `tools` of a bot in a manifest. A document is an object, or the path of a file, seen from the manifest's `dir`. To be parsed
 * asynchronously: it reads those files.
 */
export const createToolsSchema = (dir: string) =>
  z.array(createToolSchema(dir)).superRefine((tools, context) => {
    for (const [at, { name }] of tools.entries()) {
      const isFirst = tools.findIndex((tool) => tool.name === name) === at
      if (!isFirst) context.addIssue({ code: 'custom', path: [at, 'name'], message: `${name} is there twice` })
    }
  })

const createToolSchema = (dir: string) => z.discriminatedUnion('type', [functionSchema, mcpSchema, createOpenapiSchema(dir)])

/** One tool that this server calls. */
export const createServerToolSchema = (dir: string) =>
  z.discriminatedUnion('type', [mcpSchema, createOpenapiSchema(dir)], { error: TYPE_RULE })

const TYPE_RULE = 'must be openapi or mcp'

const nameField = z.string('must be text').regex(/^[a-zA-Z0-9_-]{1,64}$/, 'must have 1 to 64 letters, digits, _ and -')
const timeoutField = z
  .int('must be a whole number of milliseconds')
  .min(100, 'must be at least 100 milliseconds')
  .max(120_000, 'must be at most 120000 milliseconds')
  .default(30_000)
const namesField = z.array(z.string().max(200)).max(200).optional()

const functionSchema = z
  .object({
    type: z.literal('function'),
    name: nameField,
    description: z.string().max(2_000).default(''),
    parameters: z
      .record(z.string(), z.unknown())
      .default({ type: 'object', properties: {} })
      .superRefine((schema, context) => {
        const problem = findSchemaProblem(schema)
        if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
      }),
  })
  .strict()

const urlField = z
  .string('must be text')
  .max(2_000)
  .superRefine((text, context) => {
    const url = URL.parse(text)
    const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:'
    if (!url || !isHttp) context.addIssue({ code: 'custom', message: 'must be an http(s) URL' })
    else if (url.username !== '' || url.password !== '')
      context.addIssue({ code: 'custom', message: 'must not hold a user name or password: use headers' })
  })

/** Those that HTTP sets itself. */
const OWN_HEADERS = ['connection', 'content-length', 'expect', 'host', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade']

const headersField = z
  .record(
    z
      .string()
      .regex(/^[\w!#$%&'*+.^`|~-]{1,200}$/, 'must be the name of a header')
      .refine((name) => !OWN_HEADERS.includes(name.toLowerCase()), 'must not be a header that HTTP sets itself'),
    z
      .string('must be text')
      .max(8_000, 'must have at most 8000 characters')
      .regex(/^[\t\x20-\x7e]*$/, 'must be one line of ASCII'),
  )
  .default({})

const mcpSchema = z
  .object({ type: z.literal('mcp'), name: nameField, url: urlField, headers: headersField, timeout_ms: timeoutField, allow: namesField })
  .strict()
  .transform(({ timeout_ms: timeoutMs, ...rest }): ServerToolSettings => ({ ...rest, timeoutMs }))

const createOpenapiSchema = (dir: string) =>
  z
    .object({
      type: z.literal('openapi'),
      name: nameField,
      document: createDocumentField(dir),
      base_url: urlField.optional(),
      headers: headersField,
      timeout_ms: timeoutField,
      operations: namesField,
    })
    .strict()
    .transform(({ timeout_ms: timeoutMs, base_url: baseUrl, ...rest }, context): ServerToolSettings => {
      const { problems } = parseOpenapi(rest.document, { baseUrl, operations: rest.operations })
      for (const message of problems) context.addIssue({ code: 'custom', path: ['document'], message })
      return { ...rest, timeoutMs, baseUrl }
    })

const createDocumentField = (dir: string) =>
  z
    .union([z.string(), z.record(z.string(), z.unknown())], { error: 'must be an object, or the path of a YAML or JSON file' })
    .transform(async (document, context) => {
      if (typeof document !== 'string') return document
      const found = await readDocument(resolve(dir, document))
      if (typeof found !== 'string') return found
      context.addIssue({ code: 'custom', message: `${document} ${found}` })
      return z.NEVER
    })

const MAX_FILE_BYTES = 4_000_000

/** Text is what is wrong with it. */
async function readDocument(path: string): Promise<Record<string, unknown> | string> {
  const bytes = await readFile(path).catch(() => undefined)
  if (!bytes) return 'cannot be read'
  if (bytes.length > MAX_FILE_BYTES) return 'has more than 4 MB'
  try {
    const document: unknown = parse(bytes.toString('utf8'))
    return isRecord(document) ? document : 'is no OpenAPI document'
  } catch (cause) {
    return `is neither YAML nor JSON: ${cause instanceof Error ? (cause.message.split('\n', 1)[0] ?? '') : ''}`
  }
}
