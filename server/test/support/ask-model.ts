import type { ModelAdapter, ModelChunk, ModelRequest, ModelResult, ModelToolCall } from '../../src/models/model-adapter.ts'

export type Asked = {
  chunks: ModelChunk[]
  text: string
  reasoning: string
  /** Put together from their fragments. */
  toolCalls: ModelToolCall[]
  result: ModelResult
}

export type Question = Partial<ModelRequest> & {
  text?: string
  stream?: boolean
  signal?: AbortSignal
  onChunk?: (chunk: ModelChunk) => void
}

/** Asks a model adapter and gathers what it says. */
export async function askModel(adapter: ModelAdapter, question: Question = {}): Promise<Asked> {
  const { text = 'hi', stream = true, signal = new AbortController().signal, onChunk, ...request } = question
  const chunks: ModelChunk[] = []
  const result = await adapter.answer(
    { messages: [{ role: 'user', content: text }], parameters: {}, ...request },
    {
      stream,
      signal,
      onChunk(chunk) {
        chunks.push(chunk)
        onChunk?.(chunk)
      },
    },
  )
  return { chunks, text: joined(chunks, 'text'), reasoning: joined(chunks, 'reasoning'), toolCalls: toolCallsOf(chunks), result }
}

const joined = (chunks: ModelChunk[], type: 'text' | 'reasoning') => chunks.map((chunk) => (chunk.type === type ? chunk.text : '')).join('')

function toolCallsOf(chunks: ModelChunk[]): ModelToolCall[] {
  const calls: ModelToolCall[] = []
  for (const chunk of chunks) {
    if (chunk.type !== 'tool_call') continue
    const call = (calls[chunk.index] ??= { id: chunk.id ?? '', name: chunk.name ?? '', arguments: '' })
    call.arguments += chunk.arguments ?? ''
  }
  return calls
}
