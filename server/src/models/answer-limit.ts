import { ModelError } from './model-adapter.ts'
import type { ModelChunk } from './model-adapter.ts'

/** Of text, reasoning and tool arguments together, as JSON has them. */
export const DEFAULT_MAX_ANSWER_BYTES = 4 * 1024 * 1024

/** Passes chunks on until they are too many bytes together: a model that never stops must not fill the memory. */
export function limitAnswer(onChunk: (chunk: ModelChunk) => void, maxBytes: number) {
  let size = 0
  let jsonSize = 0
  return {
    /** Of the texts as they are. */
    bytes: () => size,
    onChunk: (chunk: ModelChunk) => {
      const text = chunk.type === 'tool_call' ? (chunk.arguments ?? '') : chunk.text
      const added = Buffer.byteLength(text)
      size += added
      jsonSize += added + escapesOf(text)
      if (jsonSize > maxBytes) throw answerTooLong(maxBytes)
      onChunk(chunk)
    },
  }
}

/**
 * What JSON adds to a text: one quote is two characters, one control character six. Answers are stored as JSON, and a database that
 * gets too much of it at once hangs up, which looks as if it were away for a moment.
 */
function escapesOf(text: string): number {
  return /["\\\u0000-\u001f]/.test(text) ? JSON.stringify(text).length - text.length - 2 : 0
}

export const answerTooLong = (maxBytes: number) =>
  new ModelError('garbage', `the answer of the model is longer than the limit of ${maxBytes} bytes`)
