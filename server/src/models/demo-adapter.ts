import { setImmediate } from 'node:timers/promises'
import { pause } from '../lib/background.ts'
import { cannedAnswer, toolCallFor } from './demo-answers.ts'
import type { AnswerOptions, ModelAdapter, ModelRequest, ModelResult } from './model-adapter.ts'
import { estimateInputTokens, tokensOfBytes } from './token-estimate.ts'

const MAX_CHUNKS = 24
const SLOW_CHUNK_MS = 50

/**
 * The built-in model: no network, the same answer for the same input. It says that it is a demo, repeats what it was told and how
 * much of the conversation it sees; tells a story when asked for one; calls a tool that the user names, with the JSON object in the
 * user's text as arguments, and then tells what came back. A text with `/slow` in it makes it pause 50 ms before each chunk, so that
 * there is time to cancel.
 */
export function createDemoAdapter(): ModelAdapter {
  return {
    async answer(request, options) {
      options.signal.throwIfAborted()
      const call = toolCallFor(request)
      if (call) return emitToolCall(call, request, options)

      const answer = cannedAnswer(request)
      const chunks = options.stream ? inChunks(answer.text) : [answer.text]
      for (const text of chunks) {
        await (answer.isSlow ? pause(SLOW_CHUNK_MS, options.signal) : setImmediate())
        options.signal.throwIfAborted()
        options.onChunk({ type: 'text', text })
      }
      return toResult('stop', request, answer.text)
    },
  }
}

type ToolCall = NonNullable<ReturnType<typeof toolCallFor>>

function emitToolCall(call: ToolCall, request: ModelRequest, { onChunk }: AnswerOptions): ModelResult {
  const middle = Math.ceil(call.arguments.length / 2)
  onChunk({ type: 'tool_call', index: 0, id: call.id, name: call.name, arguments: call.arguments.slice(0, middle) })
  onChunk({ type: 'tool_call', index: 0, arguments: call.arguments.slice(middle) })
  return toResult('tool_calls', request, call.name + call.arguments)
}

function toResult(finishReason: ModelResult['finishReason'], request: ModelRequest, output: string): ModelResult {
  return {
    finishReason,
    usage: { inputTokens: estimateInputTokens(request.messages), outputTokens: tokensOfBytes(Buffer.byteLength(output)) },
  }
}

/** By words, and characters of scripts without spaces; a few dozen at most, however long the text. */
function inChunks(text: string): string[] {
  const words = text.match(/\p{Script=Han}|[^\s\p{Script=Han}]*\s*/gu)?.filter((word) => word !== '') ?? []
  const perChunk = Math.max(1, Math.ceil(words.length / MAX_CHUNKS))
  return Array.from({ length: Math.ceil(words.length / perChunk) }, (_, i) => words.slice(i * perChunk, (i + 1) * perChunk).join(''))
}
