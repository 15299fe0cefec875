import { z } from 'zod'
import type { ChatEvent, CutReason, Usage } from '../../chat/chat-event.ts'
import type { Run } from '../../chat/run-store.ts'
import { AppError } from '../../lib/app-error.ts'
import type { ModelToolCall } from '../../models/model-adapter.ts'
import { toJson } from '../open/chat-frames.ts'
import { toSeconds } from '../open/open-fields.ts'
import { toOpenAiError, toRunFailure } from './openai-error-reply.ts'

/** For the reference. */
export const completionSchema = z.object({
  id: z.string(),
  object: z.literal('chat.completion'),
  created: z.number(),
  model: z.string(),
  choices: z.array(
    z.object({
      index: z.literal(0),
      message: z.object({
        role: z.literal('assistant'),
        content: z.string().nullable(),
        refusal: z.null(),
        reasoning_content: z.string().optional(),
        tool_calls: z
          .array(z.object({ id: z.string(), type: z.literal('function'), function: z.object({ name: z.string(), arguments: z.string() }) }))
          .optional(),
      }),
      logprobs: z.null(),
      finish_reason: z.enum(['stop', 'length', 'tool_calls', 'content_filter']),
    }),
  ),
  usage: z.object({ prompt_tokens: z.number(), completion_tokens: z.number(), total_tokens: z.number() }),
})

type Completed = Extract<ChatEvent, { type: 'run_completed' }>

/** The whole answer, gathered from a run's events; throws what the run failed with. */
export function createCompletion(run: Run): { add(event: ChatEvent): void; result(): z.infer<typeof completionSchema> } {
  const joinText = createJoiner()
  let [text, reasoning] = ['', '']
  let end: Completed | undefined

  return {
    add(event) {
      if (event.type === 'answer_delta') text += joinText(event)
      else if (event.type === 'reasoning_delta') reasoning += event.text
      else if (event.type === 'run_completed') end = event
      else if (isFailure(event)) throw failureOf(event)
    },
    result() {
      if (!end) throw new Error(`the log of run ${run.id} has no end`)
      const calls = end.calls?.map(toWireCall)
      const message = {
        role: 'assistant' as const,
        content: text === '' && calls ? null : text,
        refusal: null,
        ...(reasoning !== '' && { reasoning_content: reasoning }),
        ...(calls && { tool_calls: calls }),
      }
      const choice = { index: 0 as const, message, logprobs: null, finish_reason: finishReason(end) }
      return { ...headOf(run), object: 'chat.completion' as const, choices: [choice], usage: toUsage(end.usage) }
    },
  }
}

export type ChunkWriter = {
  opening: string
  /** The frames of one event; none for what this protocol does not tell. */
  toFrames(event: ChatEvent): string[]
}

/** The bytes of a stream, made once for each: what all deltas share is written once. */
export function createChunkWriter(run: Run, { includeUsage }: { includeUsage: boolean }): ChunkWriter {
  const joinText = createJoiner()
  const usage = includeUsage ? { usage: null } : {}
  const frame = (choices: object[], more: object = usage) =>
    `data: ${toJson({ ...headOf(run), object: 'chat.completion.chunk', choices, ...more })}\n\n`
  const delta = (content: object, finish_reason: string | null = null) =>
    frame([{ index: 0, delta: content, logprobs: null, finish_reason }])

  const head = JSON.stringify({ ...headOf(run), object: 'chat.completion.chunk', ...usage }).slice(0, -1)
  const textDelta = (field: string, text: string) =>
    `data: ${head},"choices":[{"index":0,"logprobs":null,"finish_reason":null,"delta":{"${field}":${toJson(text)}}}]}\n\n`

  return {
    opening: delta({ role: 'assistant', content: '' }),
    toFrames(event) {
      if (event.type === 'answer_delta') return [textDelta('content', joinText(event))]
      if (event.type === 'reasoning_delta') return [textDelta('reasoning_content', event.text)]
      if (isFailure(event)) return [`data: ${toJson({ error: toOpenAiError(failureOf(event)) })}\n\n`]
      if (event.type !== 'run_completed') return []

      const calls = event.calls?.map((call, index) => delta({ tool_calls: [{ index, ...toWireCall(call) }] })) ?? []
      const total = includeUsage ? [frame([], { usage: toUsage(event.usage) })] : []
      return [...calls, delta({}, finishReason(event)), ...total, 'data: [DONE]\n\n']
    },
  }
}

const headOf = (run: Run) => ({ id: `chatcmpl-${run.id}`, created: toSeconds(run.createdAt), model: run.botId })

const toWireCall = ({ id, name, arguments: args }: ModelToolCall) => ({
  id,
  type: 'function' as const,
  function: { name, arguments: args },
})

const finishReason = ({ cut, calls }: Completed): 'stop' | 'tool_calls' | CutReason => (calls ? 'tool_calls' : (cut ?? 'stop'))

const toUsage = ({ inputTokens, outputTokens }: Usage) => ({
  prompt_tokens: inputTokens,
  completion_tokens: outputTokens,
  total_tokens: inputTokens + outputTokens,
})

/** A bot that calls its own tools answers in several messages; here they are one text. */
function createJoiner(): (delta: Extract<ChatEvent, { type: 'answer_delta' }>) => string {
  let hasText = false
  let current: string | undefined
  return ({ text, messageId }) => {
    const isNext = hasText && messageId !== current
    hasText = true
    current = messageId
    return isNext ? `\n\n${text}` : text
  }
}

type Failure = Extract<ChatEvent, { type: 'run_failed' | 'run_canceled' }>

export const isFailure = (event: ChatEvent): event is Failure => event.type === 'run_failed' || event.type === 'run_canceled'

export function failureOf(event: Failure): AppError {
  return event.type === 'run_failed' ? toRunFailure(event.error) : new AppError('run_failed', 'the chat was canceled')
}
