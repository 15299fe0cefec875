import { findSchemaProblem, isRecord } from '../lib/json-schema.ts'
import type { JsonSchema } from '../lib/json-schema.ts'
import { findBrokenRefs, followRef, inlineSchema } from './openapi-schema.ts'
import { takeName } from './tool-names.ts'

/** An operation as a model can call it. */
export type OpenapiOperation = {
  toolName: string
  /** How builders name it: its operationId, else `GET /path`. */
  label: string
  /** Coze's id of it, where the document has it as `x-api-id`. */
  apiId: string | undefined
  description: string
  method: string
  /** With its `{placeholders}`. */
  path: string
  baseUrl: string
  parameters: OpenapiParameter[]
  /** The argument `body` is sent as this. */
  bodyType: string | undefined
  /** Of the arguments, as an object. */
  schema: JsonSchema
}

export type OpenapiParameter = {
  /** On the wire. */
  name: string
  /** Among the arguments, where two places may have used one name. */
  argument: string
  in: 'path' | 'query' | 'header' | 'cookie'
  style: string
  explode: boolean
  /** The value is sent as JSON. */
  isJson: boolean
}

export type OpenapiSettings = { baseUrl?: string; operations?: string[] }

/** `problems` make the document unusable as it is meant; `skipped` are operations that a model cannot call, and why. */
export type OpenapiDocument = { operations: OpenapiOperation[]; problems: string[]; skipped: string[] }

export const MAX_DOCUMENT_BYTES = 1_000_000
export const MAX_OPERATIONS = 128

/** Never throws: an unusable document has no operations and says why. */
export function parseOpenapi(document: unknown, settings: OpenapiSettings = {}): OpenapiDocument {
  const problem = findDocumentProblem(document)
  if (problem !== undefined || !isRecord(document)) return { operations: [], problems: [problem ?? 'no document'], skipped: [] }

  const broken = findBrokenRefs(document)
  if (broken.length > 0) return { operations: [], problems: broken, skipped: [] }

  const found = listOperations(document)
  const wanted = settings.operations ? found.filter((each) => settings.operations?.some((name) => isNamed(each, name))) : found
  const unknown = (settings.operations ?? []).filter((name) => !found.some((each) => isNamed(each, name)))
  const parsed = wanted.map((each) => parseOperation(document, each, settings))

  const operations = parsed.filter((each) => typeof each !== 'string')
  const skipped = parsed.filter((each) => typeof each === 'string')
  return {
    operations: operations.slice(0, MAX_OPERATIONS),
    skipped,
    problems: [
      ...unknown.map((name) => `there is no operation ${name}`),
      ...findBaseUrlProblems(document, wanted, settings),
      // what was asked for by name must be there
      ...(settings.operations ? skipped : []),
      ...(found.length === 0 ? ['it has no operations'] : []),
      ...(operations.length > MAX_OPERATIONS
        ? [`it has ${operations.length} operations: name at most ${MAX_OPERATIONS} of them in \`operations\``]
        : []),
    ],
  }
}

function findDocumentProblem(document: unknown): string | undefined {
  if (!isRecord(document)) return 'it is not an object'
  if (typeof document.swagger === 'string') return 'it is a Swagger 2.0 document: convert it to OpenAPI 3'
  if (typeof document.openapi !== 'string' || !document.openapi.startsWith('3.')) return 'it is not an OpenAPI 3 document'
  try {
    if (JSON.stringify(document).length > MAX_DOCUMENT_BYTES) return 'it has more than 1 MB'
  } catch {
    return 'it contains itself, or is nested too deeply'
  }
  return undefined
}

type Found = { toolName: string; label: string; method: string; path: string; item: JsonSchema; operation: JsonSchema }

const METHODS = ['get', 'put', 'post', 'delete', 'patch']

function listOperations(document: JsonSchema): Found[] {
  const taken = new Set<string>()
  return Object.entries(isRecord(document.paths) ? document.paths : {}).flatMap(([path, value]) => {
    const item = followRef(document, value)
    if (!item || !path.startsWith('/')) return []
    return METHODS.flatMap((method) => {
      const operation = item[method]
      if (!isRecord(operation)) return []
      const id = textOf(operation.operationId)
      return [
        {
          toolName: takeName(taken, id || `${method} ${path}`),
          label: id || `${method.toUpperCase()} ${path}`,
          method,
          path,
          item,
          operation,
        },
      ]
    })
  })
}

const isNamed = ({ toolName, label, method, path }: Found, name: string) =>
  name === label || name === toolName || name.toUpperCase() === `${method} ${path}`.toUpperCase()

/** Text is why a model cannot call it. */
function parseOperation(document: JsonSchema, found: Found, settings: OpenapiSettings): OpenapiOperation | string {
  const { toolName, label, method, path, operation } = found
  const parameters = listParameters(document, found)
  const body = findBody(document, operation)
  const baseUrl = baseUrlOf(document, found, settings)
  const reason =
    findParameterProblem(path, parameters) ??
    (body === 'unknown' ? 'its body has a type that cannot be sent' : undefined) ??
    ('problem' in baseUrl ? baseUrl.problem : undefined)
  if (reason !== undefined || body === 'unknown' || 'problem' in baseUrl) return `${label}: ${reason}`

  const schema = toArgumentSchema(document, parameters, body)
  const schemaProblem = findSchemaProblem(schema)
  if (schemaProblem !== undefined) return `${label}: ${schemaProblem}`
  return {
    ...{ toolName, label, path, schema },
    method: method.toUpperCase(),
    apiId: textOf(operation['x-api-id']) || undefined,
    description: [textOf(operation.summary), textOf(operation.description)].filter(Boolean).join('\n') || label,
    baseUrl: baseUrl.url,
    parameters: parameters.map(({ schema: _schema, required: _required, ...rest }) => rest),
    bodyType: body?.type,
  }
}

type Parameter = OpenapiParameter & { schema: unknown; required: boolean }

/** Those of the operation before those of its path; where two places use one name, the later gets its place's name too. */
function listParameters(document: JsonSchema, { item, operation }: Found): Parameter[] {
  const parameters = new Map<string, Parameter>()
  const taken = new Set(['body'])
  for (const value of [...listOf(operation.parameters), ...listOf(item.parameters)]) {
    const parameter = parseParameter(followRef(document, value) ?? {})
    const key = parameter && `${parameter.in} ${parameter.name}`
    if (!parameter || !key || parameters.has(key)) continue

    const argument = taken.has(parameter.name) ? `${parameter.in}_${parameter.name}` : parameter.name
    taken.add(argument)
    parameters.set(key, { ...parameter, argument })
  }
  return [...parameters.values()]
}

/** Headers that belong to HTTP itself are not the model's. */
const OWN_HEADERS = ['accept', 'authorization', 'connection', 'content-length', 'content-type', 'host', 'transfer-encoding']

function parseParameter(raw: JsonSchema): Parameter | undefined {
  const place = (['path', 'query', 'header', 'cookie'] as const).find((each) => each === raw.in)
  const name = textOf(raw.name)
  if (!place || name === '' || (place === 'header' && OWN_HEADERS.includes(name.toLowerCase()))) return undefined

  const style = textOf(raw.style) || (place === 'query' || place === 'cookie' ? 'form' : 'simple')
  const media = isRecord(raw.content) ? Object.values(raw.content).find(isRecord) : undefined
  return {
    ...{ name, argument: name, in: place, style },
    explode: typeof raw.explode === 'boolean' ? raw.explode : style === 'form',
    isJson: media !== undefined,
    schema: describe(media ? media.schema : raw.schema, textOf(raw.description)),
    required: place === 'path' || raw.required === true,
  }
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

/** What the parameter says about itself counts before what its schema says. */
function describe(schema: unknown, description: string): unknown {
  return description === '' ? (schema ?? {}) : { ...(isRecord(schema) ? schema : {}), description }
}

const STYLES = { path: ['simple'], header: ['simple'], cookie: ['form'], query: ['form', 'spaceDelimited', 'pipeDelimited', 'deepObject'] }

function findParameterProblem(path: string, parameters: Parameter[]): string | undefined {
  const odd = parameters.find((each) => !each.isJson && !STYLES[each.in].includes(each.style))
  if (odd) return `its parameter ${odd.name} has the style ${odd.style}, which is not supported`

  const unsendable = parameters.find((each) => each.in === 'header' && !/^[\w!#$%&'*+.^`|~-]+$/.test(each.name))
  if (unsendable) return `its header ${unsendable.name} is no name of a header`

  const placeholders = [...path.matchAll(/\{([^{}]+)\}/g)].map(([, name]) => name)
  const missing = placeholders.find((name) => !parameters.some((each) => each.in === 'path' && each.name === name))
  return missing && `its path parameter ${missing} is not described`
}

type Body = { type: string; schema: unknown; required: boolean; description: string }

function findBody(document: JsonSchema, operation: JsonSchema): Body | undefined | 'unknown' {
  const body = followRef(document, operation.requestBody)
  if (!body || !isRecord(body.content)) return undefined

  const { content } = body
  const types = Object.keys(content)
  const type =
    types.find((each) => /^application\/([\w.-]+\+)?json\b/i.test(each)) ??
    types.find((each) => /^application\/x-www-form-urlencoded\b/i.test(each)) ??
    types.find((each) => /^text\//i.test(each))
  if (type === undefined) return body.required === true ? 'unknown' : undefined

  const media = content[type]
  const schema = type.startsWith('text/') ? { type: 'string' } : isRecord(media) ? media.schema : {}
  return { type, schema, required: body.required === true, description: textOf(body.description) }
}

function toArgumentSchema(document: JsonSchema, parameters: Parameter[], body: Body | undefined): JsonSchema {
  const named = parameters.map(({ argument, schema }): [string, JsonSchema] => [argument, inlineSchema(document, schema)])
  const required = parameters.filter((each) => each.required).map(({ argument }) => argument)
  if (body) named.push(['body', inlineSchema(document, describe(body.schema, body.description))])
  if (body?.required) required.push('body')
  return { type: 'object', properties: Object.fromEntries(named), ...(required.length > 0 && { required }) }
}

type BaseUrl = { url: string } | { problem: string }

function baseUrlOf(document: JsonSchema, { item, operation }: Pick<Found, 'item' | 'operation'>, { baseUrl }: OpenapiSettings): BaseUrl {
  if (baseUrl !== undefined) return checkBaseUrl(baseUrl, 'base_url')

  const servers = [operation.servers, item.servers, document.servers].find((list) => Array.isArray(list) && list.length > 0)
  const server: unknown = Array.isArray(servers) ? servers[0] : undefined
  const url = isRecord(server) ? textOf(server.url) : ''
  if (!isRecord(server) || url === '') return { problem: 'it names no server: give it a base_url' }
  return checkBaseUrl(fillVariables(url, server.variables), 'its server')
}

function checkBaseUrl(text: string, what: string): BaseUrl {
  const url = URL.parse(text)
  if (!url) return { problem: `${what} is no whole URL: give it a base_url that begins with http:// or https://` }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return { problem: `${what} must begin with http:// or https://, not ${url.protocol}` }
  if (url.username !== '' || url.password !== '') return { problem: `${what} must not hold a user name or password: use headers` }
  return { url: url.href }
}

function fillVariables(url: string, variables: unknown): string {
  return url.replace(/\{([^{}]+)\}/g, (whole, name: string) => {
    const variable = isRecord(variables) && Object.hasOwn(variables, name) ? variables[name] : undefined
    return isRecord(variable) ? textOf(variable.default) : whole
  })
}

/** Each once, however many operations it hits. */
function findBaseUrlProblems(document: JsonSchema, wanted: Found[], settings: OpenapiSettings): string[] {
  const problems = wanted.map((each) => baseUrlOf(document, each, settings)).flatMap((each) => ('problem' in each ? [each.problem] : []))
  return [...new Set(problems)]
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
