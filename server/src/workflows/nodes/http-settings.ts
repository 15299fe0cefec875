import { isRecord } from '../../lib/json-schema.ts'
import type { CanvasNode } from '../canvas/canvas-document.ts'
import { CanvasProblem } from '../canvas/canvas-problem.ts'
import { parseBinding, parseBlockInput } from '../canvas/canvas-values.ts'
import type { Binding } from '../engine/graph.ts'
import type { NodePlan } from '../engine/node-type.ts'
import type { Template } from '../values/template.ts'
import { inputName, parseSourceText } from './http-placeholders.ts'

/** What an HTTP node sends. Values are in the node's inputs, under the names that stand here. */
export type HttpSettings = {
  method: string
  url: Template
  headers: NamedInput[]
  params: NamedInput[]
  auth: HttpAuth
  body: HttpBody
  /** Of one attempt. */
  timeoutMs: number
  /** Attempts after the first one, when no answer came. */
  retries: number
}

export type NamedInput = {
  /** As it is sent. */
  name: string
  input: string
  isFile: boolean
}

export type HttpAuth =
  { kind: 'none' } | { kind: 'bearer'; token: string } | { kind: 'custom'; place: 'header' | 'query'; key: string; value: string }

export type HttpBody =
  | { kind: 'empty' }
  | { kind: 'text'; contentType: string; text: Template }
  | { kind: 'urlencoded' | 'form'; fields: NamedInput[] }
  | { kind: 'binary'; file: string }

type Settings = Record<string, unknown>

/** Throws a CanvasProblem. What is not in use, such as the body of another type, is not looked at. */
export function parseHttpSettings({ inputs }: CanvasNode): NodePlan<HttpSettings> {
  const apiInfo = settingsOf(inputs.apiInfo)
  if (typeof apiInfo.url !== 'string') throw new CanvasProblem('inputs.apiInfo.url', 'must be a text')

  const url = parseSourceText(apiInfo.url.trim(), { prefix: '__apiInfo_url_', at: 'inputs.apiInfo.url' })
  const headers = parseRows(inputs.headers, { prefix: '__headers_', at: 'inputs.headers' })
  const params = parseRows(inputs.params, { prefix: '__params_', at: 'inputs.params' })
  const auth = parseAuth(settingsOf(inputs.auth))
  const body = parseBody(settingsOf(inputs.body))
  const setting = settingsOf(inputs.setting)
  return {
    config: {
      ...{
        method: parseMethod(apiInfo.method),
        url: url.template,
        headers: headers.rows,
        params: params.rows,
        auth: auth.auth,
        body: body.body,
      },
      timeoutMs: parseCount(setting.timeout, MAX_SECONDS) * 1_000 || TIMEOUT_MS,
      retries: parseCount(setting.retryTimes, MAX_RETRIES),
    },
    inputs: [url, headers, params, auth, body].flatMap((part) => part.inputs),
  }
}

/** The editor's own. */
const TIMEOUT_MS = 120_000
const MAX_SECONDS = 3_600
/** There is no delay between them: more would only be a way to hammer on a closed door. */
const MAX_RETRIES = 10

function parseCount(raw: unknown, max: number): number {
  const count = Number(raw ?? 0)
  return count > 0 ? Math.min(count, max) : 0
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

function parseMethod(raw: unknown): string {
  const method = methods.find((each) => typeof raw === 'string' && each === raw.trim().toUpperCase())
  if (!method) throw new CanvasProblem('inputs.apiInfo.method', `must be one of ${methods.join(', ')}, not ${JSON.stringify(raw)}`)
  return method
}

const settingsOf = (raw: unknown): Settings => (isRecord(raw) ? raw : {})

type Place = { prefix: string; at: string }

/** Rows without a name are ones that nobody has filled in yet. */
function parseRows(raw: unknown, { prefix, at }: Place): { rows: NamedInput[]; inputs: Binding[] } {
  if (raw === undefined || raw === null) return { rows: [], inputs: [] }
  if (!Array.isArray(raw)) throw new CanvasProblem(at, 'must be a list of parameters')

  const inputs = new Map<string, Binding>()
  const rows = raw.flatMap((row: unknown, index): NamedInput[] => {
    if (!isRecord(row) || typeof row.name !== 'string' || row.name === '') return []
    const input = inputName(prefix, row.name)
    if (inputs.has(input)) throw new CanvasProblem(`${at}[${index}].name`, `${JSON.stringify(row.name)} is there twice`)

    const binding = { ...parseBinding(row, `${at}[${index}]`), name: input }
    inputs.set(input, binding)
    return [{ name: row.name, input, isFile: binding.type?.kind === 'file' }]
  })
  return { rows, inputs: [...inputs.values()] }
}

type AuthPlan = { auth: HttpAuth; inputs: Binding[] }

function parseAuth({ authOpen, authType, authData }: Settings): AuthPlan {
  if (authOpen !== true) return { auth: { kind: 'none' }, inputs: [] }
  const { bearerTokenData, customData } = settingsOf(authData)
  if (authType === 'BEARER_AUTH') {
    const input = parseAuthParam(bearerTokenData, 0, 'inputs.auth.authData.bearerTokenData')
    const token = '__auth_authData_bearerTokenData_token'
    return { auth: { kind: 'bearer', token }, inputs: [{ ...input, name: token }] }
  }
  if (authType === 'CUSTOM_AUTH') return parseCustomAuth(settingsOf(customData))
  throw new CanvasProblem('inputs.auth.authType', `must be BEARER_AUTH or CUSTOM_AUTH, not ${JSON.stringify(authType)}`)
}

function parseCustomAuth({ addTo, data }: Settings): AuthPlan {
  const at = 'inputs.auth.authData.customData'
  if (addTo !== 'header' && addTo !== 'query')
    throw new CanvasProblem(`${at}.addTo`, `must be header or query, not ${JSON.stringify(addTo)}`)

  const [key, value] = ['__auth_authData_customData_data_Key', '__auth_authData_customData_data_Value']
  return {
    auth: { kind: 'custom', place: addTo, key, value },
    inputs: [
      { ...parseAuthParam(data, 0, `${at}.data`), name: key },
      { ...parseAuthParam(data, 1, `${at}.data`), name: value },
    ],
  }
}

function parseAuthParam(raw: unknown, index: number, at: string): Binding {
  if (!Array.isArray(raw) || raw.length <= index) throw new CanvasProblem(at, `must have ${index + 1} parameters`)
  return parseBinding(raw[index], `${at}[${index}]`)
}

type BodyPlan = { body: HttpBody; inputs: Binding[] }

function parseBody({ bodyType = 'EMPTY', bodyData }: Settings): BodyPlan {
  const { json, rawText, formData, formURLEncoded, binary } = settingsOf(bodyData)
  const at = 'inputs.body.bodyData'
  switch (bodyType) {
    case 'EMPTY':
    case '':
      return { body: { kind: 'empty' }, inputs: [] }
    case 'JSON':
      return parseTextBody(json, 'application/json', { prefix: '__body_bodyData_json_', at: `${at}.json` })
    case 'RAW_TEXT':
      return parseTextBody(rawText, 'text/plain', { prefix: '__body_bodyData_rawText_', at: `${at}.rawText` })
    case 'FORM_DATA': {
      const { rows, inputs } = parseRows(settingsOf(formData).data, { prefix: '__body_bodyData_formData_', at: `${at}.formData.data` })
      return { body: { kind: 'form', fields: rows }, inputs }
    }
    case 'FORM_URLENCODED': {
      const { rows, inputs } = parseRows(formURLEncoded, { prefix: '__body_bodyData_formURLEncoded_', at: `${at}.formURLEncoded` })
      return { body: { kind: 'urlencoded', fields: rows }, inputs }
    }
    case 'BINARY': {
      const file = '__body_bodyData_binary_fileURL'
      const input = parseBlockInput(settingsOf(binary).fileURL, `${at}.binary.fileURL`)
      return { body: { kind: 'binary', file }, inputs: [{ ...input, name: file }] }
    }
    default:
      throw new CanvasProblem('inputs.body.bodyType', `is not known: ${JSON.stringify(bodyType)}`)
  }
}

function parseTextBody(raw: unknown, contentType: string, place: Place): BodyPlan {
  if (raw !== undefined && raw !== null && typeof raw !== 'string') throw new CanvasProblem(place.at, 'must be a text')
  const { template, inputs } = parseSourceText(raw ?? '', place)
  return { body: { kind: 'text', contentType, text: template }, inputs }
}
