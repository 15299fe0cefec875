import type { GuardedFetch } from '../../lib/guarded-fetch.ts'
import type { OpenapiOperation } from './openapi-document.ts'
import { toOpenapiRequest } from './openapi-request.ts'
import type { ServerTool, ToolResult } from './server-tool.ts'
import { createServerTool } from './tool-call.ts'
import { readCapped } from './tool-output.ts'

export type OpenapiToolDeps = { guardedFetch: GuardedFetch; onError: (cause: unknown) => void }

/** `headers` go with each call: the model cannot see or change them. */
export type OpenapiSource = { operations: OpenapiOperation[]; headers: Record<string, string>; timeoutMs: number }

/** Each operation as a tool. */
export function createOpenapiTools({ guardedFetch, onError }: OpenapiToolDeps, source: OpenapiSource): ServerTool[] {
  const { headers, timeoutMs } = source
  return source.operations.map((listed) => {
    const operation = withoutParameters(listed, headers)
    const plan = { name: operation.toolName, description: operation.description, parameters: operation.schema, timeoutMs, onError }

    return createServerTool(plan, async (args, signal) => {
      const request = toOpenapiRequest(operation, args)
      const response = await guardedFetch(request.url, {
        ...{ method: request.method, body: request.body, signal, timeoutMs: timeoutMs + 1_000 },
        headers: toHeaders({ accept: 'application/json, text/*;q=0.9, */*;q=0.5' }, request.headers, headers),
        // no more than what is shown is read
        maxBytes: Number.POSITIVE_INFINITY,
      })
      return toResult(response)
    })
  })
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

async function describeBody(response: Response): Promise<string> {
  const type = response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (/^(image|audio|video|font)\/|^application\/(octet-stream|pdf|zip|gzip)$/.test(type)) {
    const size = response.headers.get('content-length')
    await response.body?.cancel()
    return `[${type}${size === null ? '' : `, ${size} bytes`}]`
  }
  return readCapped(response)
}
