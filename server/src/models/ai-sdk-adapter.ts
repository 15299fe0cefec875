import { fetch as undiciFetch } from 'undici'
import { notTheProtocol, sdkError } from './ai-sdk-errors.ts'
import { toSdkCall } from './ai-sdk-prompt.ts'
import type { SdkCall, SdkModel } from './ai-sdk-prompt.ts'
import { DEFAULT_MAX_ANSWER_BYTES, limitAnswer } from './answer-limit.ts'
import { ModelError } from './model-adapter.ts'
import type { ModelAdapter, ModelChunk, ModelRequest, ModelResult } from './model-adapter.ts'
import { defaultTimeouts } from './model-timeouts.ts'
import type { ModelTimeouts } from './model-timeouts.ts'
import type { ProviderConnection } from './provider-connection.ts'
import { watchSilence } from './silence-watch.ts'
import type { SilenceWatch } from './silence-watch.ts'
import { estimateInputTokens, tokensOfBytes } from './token-estimate.ts'

export type AiSdkAdapterOptions = {
  protocol: 'anthropic' | 'google'
  /** Empty means the vendor's own. */
  baseUrl: string
  apiKey: string
  model: string
  connection: ProviderConnection
  timeouts?: ModelTimeouts
  maxAnswerBytes?: number
}

/**
 * Anthropic and Google in their own protocols, through the AI SDK's providers. They are loaded at the first call: few servers need
 * them, and each costs 25 MB.
 */
export function createAiSdkAdapter(options: AiSdkAdapterOptions): ModelAdapter {
  const { apiKey, timeouts = defaultTimeouts, maxAnswerBytes = DEFAULT_MAX_ANSWER_BYTES } = options
  let loaded: SdkModel | undefined

  return {
    async answer(request, { signal, onChunk, stream }) {
      const model = (loaded ??= await loadModel(options))
      signal.throwIfAborted()
      const watch = watchSilence({ signal, firstMs: stream ? timeouts.firstByteMs : timeouts.wholeMs, betweenMs: timeouts.betweenChunksMs })
      const limit = limitAnswer(onChunk, maxAnswerBytes)
      const call: SdkAsk = { model, call: { ...toSdkCall(request), abortSignal: watch.signal }, onChunk: limit.onChunk }
      try {
        const end = stream ? await askStream(call, watch) : await askWhole(call)
        return toResult(end, { request, outputBytes: limit.bytes() })
      } catch (cause) {
        watch.signal.throwIfAborted()
        throw sdkError(cause, apiKey)
      } finally {
        watch.stop()
      }
    },
  }
}

const VENDOR_URLS = { anthropic: 'https://api.anthropic.com/v1', google: 'https://generativelanguage.googleapis.com/v1beta' }

/** @NOTE The providers look into the environment for a base URL or key that they are not given. */
async function loadModel({ protocol, baseUrl, apiKey, model, connection }: AiSdkAdapterOptions): Promise<SdkModel> {
  const settings = { baseURL: (baseUrl || VENDOR_URLS[protocol]).replace(/\/+$/, ''), apiKey, fetch: fetchOver(connection) }
  if (protocol === 'anthropic') {
    const { createAnthropic } = await import('@ai-sdk/anthropic')
    return createAnthropic(settings)(model)
  }
  const { createGoogle } = await import('@ai-sdk/google')
  return createGoogle(settings)(model)
}

type SdkAsk = { model: SdkModel; call: SdkCall; onChunk: (chunk: ModelChunk) => void }
type SdkEnd = Pick<Awaited<ReturnType<SdkModel['doGenerate']>>, 'finishReason' | 'usage'>

async function askWhole({ model, call, onChunk }: SdkAsk): Promise<SdkEnd> {
  const { content, finishReason, usage } = await model.doGenerate(call)
  const textOf = (type: 'text' | 'reasoning') => content.map((part) => (part.type === type ? part.text : '')).join('')

  const reasoning = textOf('reasoning')
  if (reasoning) onChunk({ type: 'reasoning', text: reasoning })
  const text = textOf('text')
  if (text) onChunk({ type: 'text', text })
  content
    .filter((part) => part.type === 'tool-call' && !part.providerExecuted)
    .forEach(
      (part, index) =>
        part.type === 'tool-call' && onChunk({ type: 'tool_call', index, id: part.toolCallId, name: part.toolName, arguments: part.input }),
    )
  return { finishReason, usage }
}

async function askStream({ model, call, onChunk }: SdkAsk, watch: SilenceWatch): Promise<SdkEnd> {
  const { stream } = await model.doStream(call)
  const toolCalls = createToolCalls(onChunk)
  let end: SdkEnd | undefined
  for await (const part of stream) {
    watch.signal.throwIfAborted()
    // not sent by the provider
    if (part.type !== 'stream-start') watch.touch()

    if (part.type === 'text-delta') emitText('text', part.delta)
    else if (part.type === 'reasoning-delta') emitText('reasoning', part.delta)
    else if (part.type === 'finish') end = part
    else if (part.type === 'error') throw part.error
    else toolCalls.read(part)
  }
  if (!end) throw brokenOff()
  return end

  function emitText(type: 'text' | 'reasoning', text: string) {
    if (text) onChunk({ type, text })
  }
}

type SdkPart = Awaited<ReturnType<SdkModel['doStream']>>['stream'] extends ReadableStream<infer Part> ? Part : never

/** Calls that the vendor itself answers, searches for example, are none of ours. */
function createToolCalls(onChunk: (chunk: ModelChunk) => void) {
  const calls = new Map<string, { index: number; begun: boolean }>()

  function callOf(id: string) {
    const known = calls.get(id) ?? { index: calls.size, begun: false }
    calls.set(id, known)
    return known
  }

  function begin(id: string, name: string) {
    const call = callOf(id)
    onChunk({ type: 'tool_call', index: call.index, id, name })
    return call
  }

  return {
    read(part: SdkPart) {
      if (part.type === 'tool-input-start' && !part.providerExecuted) begin(part.id, part.toolName)
      if (part.type === 'tool-input-delta' && calls.has(part.id)) {
        const call = callOf(part.id)
        if (part.delta) call.begun = true
        if (part.delta) onChunk({ type: 'tool_call', index: call.index, arguments: part.delta })
      }
      if (part.type === 'tool-call' && !part.providerExecuted) {
        const call = calls.get(part.toolCallId) ?? begin(part.toolCallId, part.toolName)
        if (!call.begun) onChunk({ type: 'tool_call', index: call.index, arguments: part.input })
      }
    },
  }
}

function toResult({ finishReason, usage }: SdkEnd, { request, outputBytes }: { request: ModelRequest; outputBytes: number }): ModelResult {
  return {
    finishReason: toFinishReason(finishReason.unified),
    usage: {
      inputTokens: usage.inputTokens.total ?? estimateInputTokens(request.messages),
      outputTokens: usage.outputTokens.total ?? tokensOfBytes(outputBytes),
    },
  }
}

function toFinishReason(reason: SdkEnd['finishReason']['unified']): ModelResult['finishReason'] {
  switch (reason) {
    case 'stop':
    case 'length':
    case 'other':
      return reason
    case 'tool-calls':
      return 'tool_calls'
    case 'content-filter':
      return 'content_filter'
    case 'interrupted':
      throw brokenOff()
    case 'error':
      throw new ModelError('unavailable', 'the model provider ended the answer with an error')
  }
}

const brokenOff = () => new ModelError('cut', 'the answer of the model broke off before its end')

/** The providers call it with a URL as text and plain options. */
function fetchOver(connection: ProviderConnection): typeof fetch {
  const parseAnswer = (answer: unknown) => answer as Response
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input)
    const { method, headers, body, signal } = init ?? {}
    const answer = await undiciFetch(url, {
      method,
      headers: Object.fromEntries(new Headers(headers)),
      body: typeof body === 'string' ? body : undefined,
      signal,
      dispatcher: connection.dispatcherFor(url),
    })
    // to the providers a web page is a stream without events
    if (answer.ok && answer.headers.get('content-type')?.startsWith('text/html')) throw notTheProtocol()
    return parseAnswer(answer)
  }
}
