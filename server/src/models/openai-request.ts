import { toPlainPart } from './content-parts.ts'
import type { ModelContentPart, ModelMessage, ModelParameters, ModelRequest } from './model-adapter.ts'

/** What servers of this protocol differ in; learned from what they refuse. */
export type OpenAiDialect = {
  /** `stream_options.include_usage` is understood. */
  streamUsage: boolean
  /** OpenAI's newer models take `max_completion_tokens` only, most other servers `max_tokens` only. */
  maxTokensField: 'max_tokens' | 'max_completion_tokens'
}

export const commonDialect: OpenAiDialect = { streamUsage: true, maxTokensField: 'max_tokens' }

/** The dialect to try next after a 400 or 422 with this body; undefined when the refusal has another reason. */
export function learnDialect(dialect: OpenAiDialect, refusal: string): OpenAiDialect | undefined {
  if (dialect.streamUsage && /stream_options|include_usage/.test(refusal)) return { ...dialect, streamUsage: false }
  if (dialect.maxTokensField === 'max_tokens' && refusal.includes('max_completion_tokens')) {
    return { ...dialect, maxTokensField: 'max_completion_tokens' }
  }
  return undefined
}

/** The body of a chat completion. */
export function toOpenAiRequest(
  request: ModelRequest,
  { model, stream, dialect }: { model: string; stream: boolean; dialect: OpenAiDialect },
) {
  const { parameters, tools } = request
  return {
    model,
    messages: request.messages.map(toWireMessage),
    stream,
    stream_options: stream && dialect.streamUsage ? { include_usage: true } : undefined,
    temperature: parameters.temperature,
    top_p: parameters.topP,
    [dialect.maxTokensField]: parameters.maxTokens,
    presence_penalty: parameters.presencePenalty,
    frequency_penalty: parameters.frequencyPenalty,
    response_format: toResponseFormat(parameters.responseFormat),
    tools: tools?.length ? tools.map((tool) => ({ type: 'function', function: tool })) : undefined,
    user: request.endUser || undefined,
  }
}

function toResponseFormat(format: ModelParameters['responseFormat']) {
  if (format === undefined || format === 'text') return undefined
  return format === 'json' ? { type: 'json_object' } : { type: 'json_schema', json_schema: format }
}

function toWireMessage(message: ModelMessage) {
  switch (message.role) {
    case 'system':
      return message
    case 'user':
      return { role: 'user', content: typeof message.content === 'string' ? message.content : toWireContent(message.content) }
    case 'assistant':
      return {
        role: 'assistant',
        content: message.content,
        tool_calls: message.toolCalls?.length
          ? message.toolCalls.map(({ id, name, arguments: args }) => ({ id, type: 'function', function: { name, arguments: args } }))
          : undefined,
      }
    case 'tool':
      return { role: 'tool', tool_call_id: message.toolCallId, content: message.content }
  }
}

/** Only text is sent as one string: models without eyes refuse a list. */
function toWireContent(parts: ModelContentPart[]) {
  const plain = parts.map(toPlainPart)
  if (plain.every((part) => part.type === 'text')) return plain.map((part) => part.text).join('\n\n')

  return plain.map((part) => {
    if (part.type === 'text') return part
    if (part.type === 'image') return { type: 'image_url', image_url: { url: part.url } }
    return { type: 'file', file: { filename: part.name, file_data: part.dataUrl } }
  })
}
