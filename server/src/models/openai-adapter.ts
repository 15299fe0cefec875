import { DEFAULT_MAX_ANSWER_BYTES } from './answer-limit.ts'
import type { ModelAdapter, AnswerOptions, ModelRequest, ModelResult } from './model-adapter.ts'
import { ModelError } from './model-adapter.ts'
import { defaultTimeouts } from './model-timeouts.ts'
import type { ModelTimeouts } from './model-timeouts.ts'
import { createAnswerReader } from './openai-answer.ts'
import type { AnswerReader } from './openai-answer.ts'
import { commonDialect, learnDialect, toOpenAiRequest } from './openai-request.ts'
import type { OpenAiDialect } from './openai-request.ts'
import { providerMessage, refusalError } from './provider-errors.ts'
import type { ProviderConnection } from './provider-connection.ts'
import { exchange } from './provider-exchange.ts'
import { estimateInputTokens } from './token-estimate.ts'

export type OpenAiAdapterOptions = {
  /** As the operator wrote it: `/chat/completions` is appended, with or without a slash at its end. Empty means OpenAI's own. */
  baseUrl: string
  /** Empty for servers that want none. */
  apiKey: string
  model: string
  connection: ProviderConnection
  timeouts?: ModelTimeouts
  maxAnswerBytes?: number
}

const OPENAI_URL = 'https://api.openai.com/v1'

/** OpenAI's chat completions, as OpenAI, Ark, Qwen, DeepSeek, Ollama, vLLM and many others serve them. */
export function createOpenAiAdapter(options: OpenAiAdapterOptions): ModelAdapter {
  const url = completionsUrl(options.baseUrl || OPENAI_URL)
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'user-agent': 'coze-plus',
    ...(options.apiKey && { authorization: `Bearer ${options.apiKey}` }),
  }
  let dialect = commonDialect

  async function ask(body: string, { signal, onChunk, stream }: AnswerOptions): Promise<AnswerReader> {
    const { connection, apiKey, timeouts = defaultTimeouts, maxAnswerBytes = DEFAULT_MAX_ANSWER_BYTES } = options
    const reader = createAnswerReader({ onChunk: unlessAborted(onChunk, signal), stream, apiKey, maxAnswerBytes })
    const firstByteMs = stream ? timeouts.firstByteMs : timeouts.wholeMs
    try {
      await exchange({ connection, url, headers, body, signal, firstByteMs, betweenChunksMs: timeouts.betweenChunksMs }, reader)
    } catch (cause) {
      // the answer is there: what happened to its connection afterwards is of no interest
      if (!(cause instanceof ModelError) || !reader.isComplete()) throw cause
    }
    return reader
  }

  async function answerIn(spoken: OpenAiDialect, request: ModelRequest, answerOptions: AnswerOptions): Promise<ModelResult> {
    const body = toOpenAiRequest(request, { model: options.model, stream: answerOptions.stream, dialect: spoken })
    const reader = await ask(JSON.stringify(body), answerOptions)
    const refusal = reader.refusal()
    if (!refusal) return resultOf(reader, request)

    const learned = refusal.status === 400 || refusal.status === 422 ? learnDialect(spoken, refusal.body) : undefined
    if (!learned) throw refusalError({ ...refusal, message: messageOf(refusal.body), apiKey: options.apiKey })
    dialect = learned
    return answerIn(learned, request, answerOptions)
  }

  return { answer: (request, answerOptions) => answerIn(dialect, request, answerOptions) }
}

/** What came in one piece may hold many chunks: one that aborts is the last. */
function unlessAborted(onChunk: AnswerOptions['onChunk'], signal: AbortSignal): AnswerOptions['onChunk'] {
  return (chunk) => {
    signal.throwIfAborted()
    onChunk(chunk)
  }
}

/** A query stays: some vendors keep the version of their API in it. */
function completionsUrl(baseUrl: string): URL {
  const url = new URL(baseUrl)
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/chat/completions`
  return url
}

function resultOf(reader: AnswerReader, request: ModelRequest): ModelResult {
  const { inputTokens = estimateInputTokens(request.messages), outputTokens } = reader.usage()
  return { finishReason: reader.finishReason(), usage: { inputTokens, outputTokens } }
}

/** A body that is no JSON, a web page for example, has nothing to say to anyone. */
function messageOf(body: string): string {
  try {
    return providerMessage(JSON.parse(body))
  } catch {
    return ''
  }
}
