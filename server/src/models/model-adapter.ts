/**
 * What a chat needs from a model, whatever protocol it speaks. An adapter turns one request into
 * provider calls and reports chunks as they arrive.
 *
 * Chunks go to a callback, not through an iterator: at tens of thousands of chunks a second a
 * promise for each costs more than the parsing.
 */
export interface ModelAdapter {
  /**
   * Resolves when the answer is complete. Rejects with a ModelError, or with the signal's reason
   * when it aborts; after an abort `onChunk` is not called again and the provider's connection is closed.
   */
  answer(request: ModelRequest, options: AnswerOptions): Promise<ModelResult>
}

export type AnswerOptions = {
  signal: AbortSignal
  onChunk: (chunk: ModelChunk) => void
  /** Ask the provider for a stream; false asks for the whole answer at once, which costs less where nobody reads along. */
  stream: boolean
}

export type ModelChunk =
  | { type: 'text'; text: string }
  | { type: 'reasoning'; text: string }
  /** A fragment of a tool call: `id` and `name` come with the first fragment of an `index`, arguments grow. */
  | { type: 'tool_call'; index: number; id?: string; name?: string; arguments?: string }

export type ModelResult = {
  finishReason: 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'other'
  /** Tokens as the provider counted them; estimated when it does not say. */
  usage: { inputTokens: number; outputTokens: number }
}

export type ModelRequest = {
  messages: ModelMessage[]
  parameters: ModelParameters
  tools?: ModelTool[]
  /** The caller's own user id, passed on where the protocol has a field for it. */
  endUser?: string
}

export type ModelParameters = {
  temperature?: number
  topP?: number
  maxTokens?: number
  presencePenalty?: number
  frequencyPenalty?: number
  responseFormat?: 'text' | 'json' | JsonSchemaFormat
}

/** The answer is to be JSON of this schema; for models that can promise it. */
export type JsonSchemaFormat = { name: string; description?: string; schema: Record<string, unknown>; strict?: boolean }

export type ModelMessage =
  | { role: 'system'; content: string }
  | { role: 'user'; content: string | ModelContentPart[] }
  | { role: 'assistant'; content: string; toolCalls?: ModelToolCall[] }
  | { role: 'tool'; toolCallId: string; content: string }

/** `url` is http(s) or a data: URL. */
export type ModelContentPart =
  { type: 'text'; text: string } | { type: 'image'; url: string } | { type: 'file'; url: string; name: string; mime: string }

export type ModelToolCall = { id: string; name: string; arguments: string }

/** `parameters` is a JSON Schema. */
export type ModelTool = { name: string; description: string; parameters: Record<string, unknown> }

export type ModelFailure =
  | 'auth' // the provider refuses the key
  | 'rate_limit'
  | 'rejected' // the provider refuses the request itself (400, 404, 413, 422)
  | 'unavailable' // 5xx
  | 'unreachable' // refused connection, DNS, TLS
  | 'timeout'
  | 'cut' // the stream ended before its end
  | 'garbage' // an answer that is not of the protocol

/** `message` is shown to API users and builders: it says what happened and never holds a key or a provider's raw body. */
export class ModelError extends Error {
  readonly kind: ModelFailure
  /** From the provider's Retry-After. */
  readonly retryAfterMs: number | undefined

  constructor(kind: ModelFailure, message: string, options: ErrorOptions & { retryAfterMs?: number } = {}) {
    super(message, options)
    this.name = 'ModelError'
    this.kind = kind
    this.retryAfterMs = options.retryAfterMs
  }
}
