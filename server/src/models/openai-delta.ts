import { randomUUID } from 'node:crypto'
import type { ModelChunk, ModelResult } from './model-adapter.ts'

/** Turns the choices of a chat completion, streamed or whole, into chunks. Trusts nothing: every field may be missing or strange. */
export type DeltaReader = {
  read: (completion: WireCompletion) => void
  /** Undefined until the provider said why it ended. */
  finishReason: () => ModelResult['finishReason'] | undefined
  usage: () => { inputTokens?: number; outputTokens?: number }
}

/** The fields that are read; all may hold anything. */
export type WireCompletion = { error?: unknown; object?: unknown; choices?: unknown; usage?: unknown }
type WireChoice = { delta?: WireDelta | null; message?: WireDelta | null; finish_reason?: unknown; usage?: unknown }
type WireDelta = { content?: unknown; refusal?: unknown; reasoning_content?: unknown; reasoning?: unknown; tool_calls?: unknown }
type WireUsage = { prompt_tokens?: unknown; completion_tokens?: unknown }
type WireToolCall = { index?: unknown; id?: unknown; function?: { name?: unknown; arguments?: unknown } | null }

/** Undefined when the text is no JSON object. */
export function parseCompletion(text: string): WireCompletion | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

export function createDeltaReader(onChunk: (chunk: ModelChunk) => void): DeltaReader {
  const toolCalls = createToolCallReader(onChunk)
  const usage: { inputTokens?: number; outputTokens?: number } = {}
  let finishReason: ModelResult['finishReason'] | undefined

  function readDelta(delta: WireDelta) {
    // some servers send the same text under both names
    const reasoning = textOf(delta.reasoning_content) || textOf(delta.reasoning)
    if (reasoning) onChunk({ type: 'reasoning', text: reasoning })
    const text = textOf(delta.content) || textOf(delta.refusal)
    if (text) onChunk({ type: 'text', text })
    if (delta.tool_calls) toolCalls.read(delta.tool_calls)
  }

  function readUsage(value: unknown) {
    const { prompt_tokens: input, completion_tokens: output } = parseUsage(value)
    if (typeof input === 'number') usage.inputTokens = input
    if (typeof output === 'number') usage.outputTokens = output
  }

  return {
    usage: () => usage,
    // some servers end tool calls with `stop`
    finishReason: () => (finishReason === 'stop' && toolCalls.any() ? 'tool_calls' : finishReason),
    read(completion) {
      const choice = parseChoice(completion.choices)
      const delta = choice?.delta ?? choice?.message
      if (delta) readDelta(delta)
      if (choice?.finish_reason) finishReason = toFinishReason(choice.finish_reason)
      if (choice?.usage) readUsage(choice.usage)
      if (completion.usage) readUsage(completion.usage)
    },
  }
}

/**
 * @NOTE An id that changes under one `index` is a new call: some servers number every call 0. Servers that leave ids out get one made
 * here, because the tool's result must name its call.
 */
function createToolCallReader(onChunk: (chunk: ModelChunk) => void) {
  const latest = new Map<unknown, { index: number; id: string; named: boolean }>()
  let count = 0

  function readFragment(fragment: WireToolCall, position: number) {
    const slot = fragment.index ?? position
    const id = textOf(fragment.id)
    const args = argumentsOf(fragment.function?.arguments)
    let name = textOf(fragment.function?.name)
    const call = latest.get(slot)

    if (!call || (id && id !== call.id)) {
      const begun = { index: count++, id: id || `call_${randomUUID()}`, named: name !== '' }
      latest.set(slot, begun)
      onChunk({ type: 'tool_call', index: begun.index, id: begun.id, name, arguments: args })
      return
    }
    if (call.named) name = ''
    else call.named = name !== ''
    if (name || args) onChunk({ type: 'tool_call', index: call.index, ...(name && { name }), arguments: args })
  }

  return {
    any: () => count > 0,
    read: (fragments: unknown) => parseToolCalls(fragments).forEach(readFragment),
  }
}

function parseChoice(choices: unknown): WireChoice | undefined {
  const first: unknown = Array.isArray(choices) ? choices[0] : undefined
  return typeof first === 'object' && first !== null ? first : undefined
}

function parseUsage(value: unknown): WireUsage {
  return typeof value === 'object' && value !== null ? value : {}
}

function parseToolCalls(value: unknown): WireToolCall[] {
  return Array.isArray(value) ? value.filter((call) => typeof call === 'object' && call !== null).map((call) => call as WireToolCall) : []
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Some servers send the arguments as an object. */
function argumentsOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : textOf(value)
}

function toFinishReason(reason: unknown): ModelResult['finishReason'] {
  switch (reason) {
    case 'stop':
    case 'length':
    case 'tool_calls':
    case 'content_filter':
      return reason
    case 'function_call':
      return 'tool_calls'
    default:
      return 'other'
  }
}
