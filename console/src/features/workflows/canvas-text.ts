/** What can be said of the text of a canvas before the server reads it. */
export type CanvasText =
  | { kind: 'canvas'; nodes: number; isChatflow: boolean }
  | { kind: 'not_json'; reason: string }
  | { kind: 'not_canvas' }
  | { kind: 'too_large' }

const MAX_BYTES = 8_000_000

export function lookAtCanvas(text: string): CanvasText {
  if (new Blob([text]).size > MAX_BYTES) return { kind: 'too_large' }
  try {
    const nodes = countNodes(JSON.parse(text), 0)
    if (nodes === undefined) return { kind: 'not_canvas' }
    // chatflows begin with what the person says
    return { kind: 'canvas', nodes, isChatflow: /"USER_INPUT\\*"/.test(text) }
  } catch (cause) {
    return { kind: 'not_json', reason: cause instanceof Error ? cause.message : String(cause) }
  }
}

const WRAPPERS = ['data', 'workflow', 'schema_json', 'schema', 'canvas']
const MAX_DEPTH = 6

/** The server also takes an answer of Coze Studio with the canvas in it, such as `{"data":{"workflow":{"schema_json":"…"}}}`. */
function countNodes(value: unknown, depth: number): number | undefined {
  if (depth === MAX_DEPTH) return undefined
  if (typeof value === 'string') return countNodes(parseOrNothing(value), depth + 1)
  if (typeof value !== 'object' || value === null) return undefined
  const fields = new Map<string, unknown>(Object.entries(value))
  const nodes: unknown = fields.get('nodes')
  if (Array.isArray(nodes)) return nodes.length
  for (const name of WRAPPERS) {
    const found = countNodes(fields.get(name), depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}

function parseOrNothing(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
