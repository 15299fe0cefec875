import type { GuardedFetch } from '../lib/guarded-fetch.ts'
import type { OpenapiOperation } from './openapi-document.ts'
import { toOpenapiRequest } from './openapi-request.ts'
import { MAX_ANSWER_BYTES } from './server-operation.ts'
import type { OperationAnswer, ServerOperation } from './server-operation.ts'
import type { ServerTool, ToolResult } from './server-tool.ts'
import { createServerTool, keepToTime, ToolFailure } from './tool-call.ts'
import { readCapped, readText } from './tool-output.ts'

export type OpenapiToolDeps = { guardedFetch: GuardedFetch; onError: (cause: unknown) => void }

/** `headers` go with each call: the model cannot see or change them. */
export type OpenapiSource = { operations: OpenapiOperation[]; headers: Record<string, string>; timeoutMs: number }

/** Each operation as a tool. */
export function createOpenapiTools({ guardedFetch, onError }: OpenapiToolDeps, source: OpenapiSource): ServerTool[] {
  const { headers, timeoutMs } = source
  return source.operations.map((listed) => {
    const operation = withoutParameters(listed, headers)
    const plan = { name: operation.toolName, description: operation.description, parameters: operation.schema, timeoutMs, onError }
    // no more than what is shown is read
    const send = createSender(guardedFetch, { operation, source, maxBytes: Number.POSITIVE_INFINITY })
    return createServerTool(plan, async (args, signal) => toResult(await send(args, signal)))
  })
}

/** Each operation as workflows call it. */
export function createOpenapiOperations({ guardedFetch }: Pick<OpenapiToolDeps, 'guardedFetch'>, source: OpenapiSource): ServerOperation[] {
  const { headers, timeoutMs } = source
  return source.operations.map((listed) => {
    const operation = withoutParameters(listed, headers)
    const send = createSender(guardedFetch, { operation, source, maxBytes: MAX_ANSWER_BYTES })
    return {
      name: operation.toolName,
      aliases: [operation.label, ...(operation.apiId === undefined ? [] : [operation.apiId])],
      description: operation.description,
      parameters: operation.schema,
      hasBody: operation.bodyType !== undefined,
      call: (args, { signal }) => keepToTime({ signal, timeoutMs }, async (inTime) => toAnswer(await send(args, inTime))),
    }
  })
}

type Sending = { operation: OpenapiOperation; source: OpenapiSource; maxBytes: number }

function createSender(guardedFetch: GuardedFetch, { operation, source, maxBytes }: Sending) {
  return (args: Record<string, unknown>, signal: AbortSignal): Promise<Response> => {
    const request = toOpenapiRequest(operation, args)
    return guardedFetch(request.url, {
      ...{ method: request.method, body: request.body, signal, maxBytes, timeoutMs: source.timeoutMs + 1_000 },
      headers: toHeaders({ accept: 'application/json, text/*;q=0.9, */*;q=0.5' }, request.headers, source.headers),
    })
  }
}

/** A parameter that is set by the builder is none of the model's. */
function withoutParameters(operation: OpenapiOperation, headers: Record<string, string>): OpenapiOperation {
  const fixed = Object.keys(headers).map((name) => name.toLowerCase())
  const isFixed = (name: string, place: string) => place === 'header' && fixed.includes(name.toLowerCase())
  const hidden = operation.parameters.filter((each) => isFixed(each.name, each.in)).map(({ argument }) => argument)
  if (hidden.length === 0) return operation

  const { properties = {}, required = [], ...schema } = operation.schema
  const kept = Object.entries(properties ?? {}).filter(([name]) => !hidden.includes(name))
  return {
    ...operation,
    parameters: operation.parameters.filter(({ argument }) => !hidden.includes(argument)),
    schema: {
      ...schema,
      properties: Object.fromEntries(kept),
      required: Array.isArray(required) ? required.filter((name) => !hidden.includes(String(name))) : [],
    },
  }
}

/** Later ones count. */
function toHeaders(...layers: Record<string, string>[]): Headers {
  const headers = new Headers()
  for (const [name, value] of layers.flatMap(Object.entries<string>)) headers.set(name, value)
  return headers
}

async function toResult(response: Response): Promise<ToolResult> {
  const status = `HTTP status ${response.status}`
  const body = await describeBody(response)
  if (body === '') return { content: `${status}, no content`, isError: !response.ok }
  return response.ok ? { content: body, isError: false } : { content: `${status}\n${body}`, isError: true }
}

async function toAnswer(response: Response): Promise<OperationAnswer> {
  if (!response.ok) throw new ToolFailure((await toResult(response)).content, { status: response.status })
  if (isBinary(response)) return { text: await describeBinary(response), isJson: false }
  return { text: await readText(response), isJson: /^application\/([\w.-]+\+)?json$/.test(typeOf(response)) }
}

async function describeBody(response: Response): Promise<string> {
  return isBinary(response) ? describeBinary(response) : readCapped(response)
}

async function describeBinary(response: Response): Promise<string> {
  const size = response.headers.get('content-length')
  await response.body?.cancel()
  return `[${typeOf(response)}${size === null ? '' : `, ${size} bytes`}]`
}

const isBinary = (response: Response) => /^(image|audio|video|font)\/|^application\/(octet-stream|pdf|zip|gzip)$/.test(typeOf(response))

const typeOf = (response: Response) => response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? ''
