import type { IncomingHttpHeaders } from 'node:http'
import { createParser } from 'eventsource-parser'
import { answerTooLong, limitAnswer } from './answer-limit.ts'
import { ModelError } from './model-adapter.ts'
import type { ModelChunk, ModelResult } from './model-adapter.ts'
import { createDeltaReader, parseCompletion } from './openai-delta.ts'
import type { DeltaReader } from './openai-delta.ts'
import { answerError } from './provider-errors.ts'
import type { ByteSink } from './provider-exchange.ts'
import { tokensOfBytes } from './token-estimate.ts'

/** Reads the bytes of one answer, whether it came as a stream of events, as one JSON document, or as the refusal of the request. */
export type AnswerReader = ByteSink & {
  /** What came instead of an answer. */
  refusal: () => Refused | undefined
  /** The provider said that the answer is complete, whatever happened to the connection after that. */
  isComplete: () => boolean
  finishReason: () => ModelResult['finishReason']
  /** As the provider counted; output tokens are estimated when it did not. */
  usage: () => { inputTokens?: number; outputTokens: number }
}

type Refused = { status: number; headers: IncomingHttpHeaders; body: string }

export type AnswerReaderOptions = {
  onChunk: (chunk: ModelChunk) => void
  /** Whether a stream was asked for: counts where the content type does not tell what came. */
  stream: boolean
  apiKey: string
  maxAnswerBytes: number
}

export function createAnswerReader(options: AnswerReaderOptions): AnswerReader {
  const text = limitAnswer(options.onChunk, options.maxAnswerBytes)
  const deltas = createDeltaReader(text.onChunk)
  let head: { status: number; headers: IncomingHttpHeaders } = { status: 0, headers: {} }
  let body: BodyReader = collect(MAX_REFUSAL_BYTES)

  return {
    onHead(status, headers) {
      head = { status, headers }
      if (status === 200) body = readerFor(headers['content-type']?.toLowerCase() ?? '', options, deltas)
    },
    onBytes: (bytes) => body.onBytes(bytes),
    onEnd: () => body.onEnd(),
    refusal: () => (head.status === 200 ? undefined : { ...head, body: body.collected() }),
    isComplete: () => deltas.finishReason() !== undefined,
    finishReason: () => deltas.finishReason() ?? 'stop',
    usage: () => ({ ...deltas.usage(), outputTokens: deltas.usage().outputTokens ?? tokensOfBytes(text.bytes()) }),
  }
}

type BodyReader = Pick<ByteSink, 'onBytes' | 'onEnd'> & { collected: () => string }

/** Of a refusal, as much as is worth reading. */
const MAX_REFUSAL_BYTES = 64 * 1024

/** What came counts, not what was asked for: some servers know one form only, and errors are JSON always. */
function readerFor(contentType: string, options: AnswerReaderOptions, deltas: DeltaReader): BodyReader {
  if (contentType.startsWith('text/html')) throw new ModelError('garbage', 'the model provider answers with a web page: check the base URL')
  if (contentType.startsWith('text/event-stream')) return readEvents(options, deltas)
  if (contentType.startsWith('application/json')) return readDocument(options, deltas)
  return options.stream ? readEvents(options, deltas) : readDocument(options, deltas)
}

function readEvents({ apiKey, maxAnswerBytes }: AnswerReaderOptions, deltas: DeltaReader): BodyReader {
  const decoder = new TextDecoder()
  let received = 0
  let events = 0
  let done = false
  let flushing = false

  const parser = createParser({
    maxBufferSize: wireLimit(maxAnswerBytes),
    onError(error) {
      if (error.type === 'max-buffer-size-exceeded') throw answerTooLong(maxAnswerBytes)
    },
    onEvent({ data }) {
      if (done || data === '') return
      if (data === '[DONE]') {
        done = true
        return
      }
      const completion = parseCompletion(data)
      // what a cut left of the last event is no proof of garbage
      if (flushing && !completion) return
      deltas.read(checked(completion, apiKey))
      events++
    },
  })

  return {
    collected: () => '',
    onBytes(bytes) {
      parser.feed(decoder.decode(bytes, { stream: true }))
      if (done) return 'done'
      received += bytes.length
      if (events === 0 && received > maxAnswerBytes) throw notACompletion()
      return 'more'
    },
    onEnd() {
      flushing = true
      parser.feed('\n\n')
      if (done || deltas.finishReason()) return
      if (events === 0 && received > 0) throw notACompletion()
      throw new ModelError('cut', 'the answer of the model broke off before its end')
    },
  }
}

function readDocument({ apiKey, maxAnswerBytes }: AnswerReaderOptions, deltas: DeltaReader): BodyReader {
  const limit = wireLimit(maxAnswerBytes)
  const document = collect(limit + 1)
  return {
    ...document,
    onBytes(bytes) {
      document.onBytes(bytes)
      if (document.size() > limit) throw answerTooLong(maxAnswerBytes)
      return 'more'
    },
    onEnd() {
      const completion = checked(parseCompletion(document.collected()), apiKey)
      if (!Array.isArray(completion.choices) || completion.choices.length === 0) throw notACompletion()
      deltas.read(completion)
    },
  }
}

/** Keeps the first bytes and wants no others. */
function collect(maxBytes: number): BodyReader & { size: () => number } {
  const parts: Buffer[] = []
  let size = 0
  return {
    size: () => size,
    collected: () => Buffer.concat(parts).toString('utf8'),
    onEnd() {},
    onBytes(bytes) {
      if (size < maxBytes) parts.push(bytes.subarray(0, maxBytes - size))
      size += Math.min(bytes.length, maxBytes - size)
      return size < maxBytes ? 'more' : 'done'
    },
  }
}

function checked(completion: ReturnType<typeof parseCompletion>, apiKey: string) {
  if (!completion) throw new ModelError('garbage', 'the model provider sent something that is not JSON: check the base URL')
  if (completion.error) throw answerError(completion.error, apiKey)
  // so did older versions of vLLM
  if (completion.object === 'error') throw answerError(completion, apiKey)
  return completion
}

/** JSON may write six bytes (\u4f60) where UTF-8 has three. */
const wireLimit = (maxAnswerBytes: number) => 2 * maxAnswerBytes + 64 * 1024

const notACompletion = () => new ModelError('garbage', 'the model provider sent something that is no chat completion: check the base URL')
