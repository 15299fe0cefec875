import type { AgentTool } from '../../../../server/src/http/console/agent-wire.ts'

/** A tool of any kind as the dialog's fields have it. */
export type ToolFormFields = {
  name: string
  url: string
  /** `value` is null where the server keeps one that nobody is shown. */
  headers: { name: string; value: string | null }[]
  allow: string[]
  document: string
  base_url: string
  operations: string[]
  timeout_seconds: number
  description: string
  parameters: string
}

const BLANK: ToolFormFields = {
  name: '',
  url: '',
  headers: [],
  allow: [],
  document: '',
  base_url: '',
  operations: [],
  timeout_seconds: 30,
  description: '',
  parameters: '{\n  "type": "object",\n  "properties": {}\n}',
}

export function toToolFields(tool: AgentTool | undefined): ToolFormFields {
  switch (tool?.type) {
    case undefined:
      return BLANK
    case 'function':
      return { ...BLANK, name: tool.name, description: tool.description, parameters: indented(tool.parameters) }
    case 'mcp':
      return { ...BLANK, ...serverFields(tool), url: tool.url, allow: tool.allow ?? [] }
    case 'openapi':
      return {
        ...BLANK,
        ...serverFields(tool),
        document: indented(tool.document),
        base_url: tool.base_url,
        operations: tool.operations ?? [],
      }
  }
}

/** Of fields that the dialog has found right. */
export function toTool(kind: AgentTool['type'], fields: Partial<ToolFormFields>): AgentTool {
  const all = { ...BLANK, ...fields }
  const shared = { name: all.name, headers: toHeaders(all.headers), timeout_ms: Math.round(all.timeout_seconds * 1000) }
  switch (kind) {
    case 'function':
      return { type: 'function', name: all.name, description: all.description, parameters: parseObject(all.parameters) ?? {} }
    case 'mcp':
      return { type: 'mcp', ...shared, url: all.url.trim(), allow: all.allow.length > 0 ? all.allow : null }
    case 'openapi': {
      const operations = all.operations.length > 0 ? all.operations : null
      return { type: 'openapi', ...shared, document: parseObject(all.document) ?? all.document, base_url: all.base_url.trim(), operations }
    }
  }
}

export const isJsonObject = (text: string): boolean => parseObject(text) !== undefined

/** A header without a name is none; an empty value leaves what is stored. */
const toHeaders = (headers: ToolFormFields['headers']) =>
  headers.filter(({ name }) => name.trim() !== '').map(({ name, value }) => ({ name: name.trim(), value: value === '' ? null : value }))

const serverFields = ({ name, headers, timeout_ms }: Exclude<AgentTool, { type: 'function' }>) => ({
  name,
  headers: headers.map((header) => ({ ...header })),
  timeout_seconds: timeout_ms / 1000,
})

const indented = (document: object | string) => (typeof document === 'string' ? document : JSON.stringify(document, null, 2))

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
