import type { createAnthropic } from '@ai-sdk/anthropic'
import { parseDataUrl, toPlainPart } from './content-parts.ts'
import { ModelError } from './model-adapter.ts'
import type { ModelContentPart, ModelMessage, ModelParameters, ModelRequest, ModelTool } from './model-adapter.ts'

/** A language model of the AI SDK: both of its providers make the same. */
export type SdkModel = ReturnType<ReturnType<typeof createAnthropic>>
export type SdkCall = Parameters<SdkModel['doStream']>[0]
type SdkMessage = SdkCall['prompt'][number]
type SdkTool = NonNullable<SdkCall['tools']>[number]
type SdkFileData = Extract<Extract<SdkMessage, { role: 'user' }>['content'][number], { type: 'file' }>['data']

export function toSdkCall(request: ModelRequest): SdkCall {
  const { parameters, tools, endUser } = request
  return {
    prompt: toPrompt(request.messages),
    temperature: parameters.temperature,
    topP: parameters.topP,
    maxOutputTokens: parameters.maxTokens,
    presencePenalty: parameters.presencePenalty,
    frequencyPenalty: parameters.frequencyPenalty,
    responseFormat: toResponseFormat(parameters.responseFormat),
    tools: tools?.length ? tools.map(toSdkTool) : undefined,
    providerOptions: endUser ? { anthropic: { metadata: { userId: endUser } } } : undefined,
  }
}

function toResponseFormat(format: ModelParameters['responseFormat']): SdkCall['responseFormat'] {
  if (typeof format !== 'object') return format && { type: format }
  const { name, description, schema } = format
  return { type: 'json', name, description, schema }
}

/** Neither vendor takes instructions in the middle of a conversation, or messages without content. */
function toPrompt(messages: ModelMessage[]): SdkMessage[] {
  const system = messages.flatMap((message) => (message.role === 'system' && message.content ? [message.content] : []))
  const toolNames = new Map(messages.flatMap((message) => callsOf(message).map((call) => [call.id, call.name] as const)))
  const turns = messages.flatMap((message): SdkMessage[] => {
    const turn = toTurn(message, toolNames)
    return turn && turn.content.length > 0 ? [turn] : []
  })
  return system.length > 0 ? [{ role: 'system', content: system.join('\n\n') }, ...turns] : turns
}

const callsOf = (message: ModelMessage) => (message.role === 'assistant' ? (message.toolCalls ?? []) : [])

function toTurn(message: ModelMessage, toolNames: Map<string, string>): SdkMessage | undefined {
  switch (message.role) {
    case 'system':
      return undefined
    case 'user':
      return { role: 'user', content: typeof message.content === 'string' ? toText(message.content) : message.content.map(toSdkPart) }
    case 'assistant':
      return {
        role: 'assistant',
        content: [
          ...toText(message.content),
          ...callsOf(message).map((call) => ({
            type: 'tool-call' as const,
            toolCallId: call.id,
            toolName: call.name,
            input: parseArguments(call.arguments),
          })),
        ],
      }
    case 'tool': {
      const output = { type: 'text' as const, value: message.content }
      const toolName = toolNames.get(message.toolCallId) ?? 'unknown'
      return { role: 'tool', content: [{ type: 'tool-result', toolCallId: message.toolCallId, toolName, output }] }
    }
  }
}

const toText = (text: string) => (text ? [{ type: 'text' as const, text }] : [])

function toSdkPart(part: ModelContentPart) {
  const plain = toPlainPart(part)
  if (plain.type === 'text') return plain
  if (plain.type === 'image') return { type: 'file' as const, mediaType: plain.mime, data: toFileData(plain.url) }
  return { type: 'file' as const, mediaType: plain.mime, filename: plain.name, data: toFileData(plain.dataUrl) }
}

function toFileData(url: string): SdkFileData {
  const data = parseDataUrl(url)
  if (!data && !URL.canParse(url)) throw new ModelError('rejected', 'an image or file has no valid URL')
  return data ? { type: 'data', data: data.base64() } : { type: 'url', url: new URL(url) }
}

function toSdkTool(tool: ModelTool): SdkTool {
  return { type: 'function', name: tool.name, description: tool.description, inputSchema: tool.parameters }
}

/** Arguments that a model wrote are not always JSON; what it then called is shown to it as a call without any. */
function parseArguments(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}
