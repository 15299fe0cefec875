import { ModelError } from './model-adapter.ts'
import type { ModelChunk } from './model-adapter.ts'

/** Of text, reasoning and tool arguments together. */
export const DEFAULT_MAX_ANSWER_BYTES = 4 * 1024 * 1024

/** Passes chunks on until they are too many bytes together: a model that never stops must not fill the memory. */
export function limitAnswer(onChunk: (chunk: ModelChunk) => void, maxBytes: number) {
  let size = 0
  return {
    bytes: () => size,
    onChunk: (chunk: ModelChunk) => {
      size += Buffer.byteLength(chunk.type === 'tool_call' ? (chunk.arguments ?? '') : chunk.text)
      if (size > maxBytes) throw answerTooLong(maxBytes)
      onChunk(chunk)
    },
  }
}

export const answerTooLong = (maxBytes: number) =>
  new ModelError('garbage', `the answer of the model is longer than the limit of ${maxBytes} bytes`)
