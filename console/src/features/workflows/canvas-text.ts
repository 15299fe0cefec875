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
    const parsed: unknown = JSON.parse(text)
    const nodes =
      typeof parsed === 'object' && parsed !== null && 'nodes' in parsed && Array.isArray(parsed.nodes) ? parsed.nodes : undefined
    if (!nodes) return { kind: 'not_canvas' }
    // chatflows begin with what the person says
    return { kind: 'canvas', nodes: nodes.length, isChatflow: text.includes('"USER_INPUT"') }
  } catch (cause) {
    return { kind: 'not_json', reason: cause instanceof Error ? cause.message : String(cause) }
  }
}
