import type { ModelMessage } from './model-adapter.ts'

/**
 * Tokens where the provider does not count them: four bytes of UTF-8 each. That is about right for English, and close for Chinese
 * (three bytes a character, two thirds to one token).
 */
export const tokensOfBytes = (bytes: number): number => Math.ceil(bytes / 4)

/** Texts only: what an image costs, only its provider knows. */
export function estimateInputTokens(messages: ModelMessage[]): number {
  return tokensOfBytes(messages.reduce((sum, message) => sum + messageBytes(message), 0))
}

function messageBytes(message: ModelMessage): number {
  const parts =
    typeof message.content === 'string' ? [message.content] : message.content.map((part) => (part.type === 'text' ? part.text : ''))
  const calls = message.role === 'assistant' ? (message.toolCalls ?? []).map((call) => call.name + call.arguments) : []
  return [...parts, ...calls].reduce((sum, text) => sum + Buffer.byteLength(text), 0)
}
