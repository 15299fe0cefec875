import { isRecord } from '../lib/json-schema.ts'
import type { OpenapiOperation, OpenapiParameter } from './openapi-document.ts'
import { ToolFailure } from './tool-call.ts'

export type OpenapiRequest = { url: string; method: string; headers: Record<string, string>; body: string | undefined }

type Args = Record<string, unknown>

/** One call as it goes over the wire. Throws a ToolFailure for arguments that cannot be written there. */
export function toOpenapiRequest(operation: OpenapiOperation, args: Args): OpenapiRequest {
  const given = operation.parameters.filter(({ argument }) => args[argument] !== undefined && args[argument] !== null)
  const of = (place: OpenapiParameter['in']) => given.filter((parameter) => parameter.in === place)
  const valueOf = ({ argument, isJson }: OpenapiParameter) => (isJson ? JSON.stringify(args[argument]) : args[argument])

  const url = new URL(operation.baseUrl)
  url.hash = ''
  url.pathname =
    url.pathname.replace(/\/+$/, '') +
    fillPath(operation.path, new Map(of('path').map((each) => [each.name, toSimple(each, valueOf(each))])))
  const query = of('query').flatMap((each) => toPairs(each, valueOf(each)))
  url.search = [url.search.slice(1), ...query].filter(Boolean).join('&')

  const headers = Object.fromEntries(
    of('header').map((each) => [each.name.toLowerCase(), toHeader(each, toSimple(each, valueOf(each), String))]),
  )
  const cookie = of('cookie')
    .flatMap((each) => toPairs(each, valueOf(each)))
    .join('; ')
  if (cookie !== '') headers.cookie = cookie
  const body = toBody(operation.bodyType, args.body)
  if (body !== undefined && operation.bodyType !== undefined) headers['content-type'] = operation.bodyType
  return { url: url.href, method: operation.method, headers, body }
}

function fillPath(template: string, values: Map<string, string>): string {
  const path = template.replace(/\{([^{}]+)\}/g, (_whole, name: string) => values.get(name) ?? '')
  // @NOTE an empty value, `.` or `..` would make another path of it, and another operation
  const isOther = template.split('/').some((segment, at) => segment.includes('{') && /^(\.|%2e){0,2}$/i.test(path.split('/')[at] ?? ''))
  if (isOther) throw new ToolFailure('a part of the path must not be empty, . or ..')
  return path
}

function toBody(type: string | undefined, body: unknown): string | undefined {
  if (type === undefined || body === undefined || body === null) return undefined
  if (type.startsWith('text/')) return toText(body)
  if (!/^application\/x-www-form-urlencoded/i.test(type)) return JSON.stringify(body)
  if (!isRecord(body)) throw new ToolFailure('body must be an object')
  return Object.entries(body)
    .flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((each) => `${encode(name)}=${encode(each)}`))
    .join('&')
}

/** `simple`, as in paths and headers: values behind commas. */
function toSimple({ explode }: OpenapiParameter, value: unknown, write: (value: unknown) => string = encode): string {
  const asText = (each: unknown) => write(toText(each))
  if (Array.isArray(value)) return value.map(asText).join(',')
  if (!isRecord(value)) return asText(value)
  return Object.entries(value)
    .map(([key, each]) => asText(key) + (explode ? '=' : ',') + asText(each))
    .join(',')
}

/** As in queries and cookies: `name=value`, once or several times. */
function toPairs({ name, style, explode }: OpenapiParameter, value: unknown): string[] {
  const key = encode(name)
  if (style === 'deepObject' && isRecord(value)) return toDeepPairs(key, value)
  const separator = style === 'spaceDelimited' ? '%20' : style === 'pipeDelimited' ? '%7C' : ','
  if (Array.isArray(value)) {
    const items = value.map(encode)
    return explode ? items.map((item) => `${key}=${item}`) : [`${key}=${items.join(separator)}`]
  }
  if (!isRecord(value)) return [`${key}=${encode(value)}`]
  if (explode) return Object.entries(value).map(([inner, each]) => `${encode(inner)}=${encode(each)}`)
  return [`${key}=${Object.entries(value).flat().map(encode).join(separator)}`]
}

function toDeepPairs(key: string, value: Record<string, unknown>): string[] {
  return Object.entries(value).flatMap(([inner, each]) => {
    const path = `${key}%5B${encode(inner)}%5D`
    if (isRecord(each)) return toDeepPairs(path, each)
    return (Array.isArray(each) ? each : [each]).map((item) => `${path}=${encode(item)}`)
  })
}

function toHeader({ name }: OpenapiParameter, text: string): string {
  if (!/^[\t\x20-\x7e]*$/.test(text)) throw new ToolFailure(`the header ${name} takes one line of ASCII only`)
  return text
}

const encode = (value: unknown): string => encodeURIComponent(toText(value).toWellFormed())

function toText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
