import { z } from 'zod'
import type { ChatEvent, CompletedMessage, RunError, Usage } from '../../chat/chat-event.ts'
import type { Run, RunStatus } from '../../chat/run-store.ts'
import type { Message } from '../../conversations/message-store.ts'
import type { ModelToolCall } from '../../models/model-adapter.ts'
import { toSeconds } from './open-fields.ts'

/** Chats and messages as the wire has them. Ids are strings, times are seconds. */
export const chatSchema = z.object({
  id: z.string(),
  conversation_id: z.string(),
  bot_id: z.string(),
  section_id: z.string(),
  status: z.enum(['created', 'in_progress', 'requires_action', 'completed', 'failed', 'canceled']),
  created_at: z.number(),
  completed_at: z.number().optional(),
  failed_at: z.number().optional(),
  meta_data: z.record(z.string(), z.string()),
  last_error: z.object({ code: z.number(), msg: z.string() }),
  usage: z.object({ token_count: z.number(), input_count: z.number(), output_count: z.number() }),
  required_action: z
    .object({
      type: z.literal('submit_tool_outputs'),
      submit_tool_outputs: z.object({
        tool_calls: z.array(
          z.object({ id: z.string(), type: z.literal('function'), function: z.object({ name: z.string(), arguments: z.string() }) }),
        ),
      }),
    })
    .optional(),
})

export const messageSchema = z.object({
  id: z.string(),
  conversation_id: z.string(),
  bot_id: z.string(),
  chat_id: z.string(),
  section_id: z.string(),
  role: z.string(),
  type: z.string(),
  content: z.string(),
  content_type: z.string(),
  reasoning_content: z.string(),
  meta_data: z.record(z.string(), z.string()),
  created_at: z.number(),
  updated_at: z.number(),
})

export type WireChat = z.infer<typeof chatSchema>
export type WireMessage = z.infer<typeof messageSchema>

export function toChat(run: Run): WireChat {
  const finishedAt = toSeconds(run.finishedAt)
  return {
    id: run.id,
    conversation_id: run.conversationId,
    bot_id: run.botId,
    section_id: run.sectionId,
    status: run.status,
    created_at: toSeconds(run.createdAt),
    completed_at: run.status === 'completed' ? finishedAt : undefined,
    failed_at: run.status === 'failed' ? finishedAt : undefined,
    meta_data: run.metaData,
    last_error: run.error ? { code: errorNumber(run.error), msg: run.error.message } : { code: 0, msg: '' },
    usage: {
      token_count: run.usage.inputTokens + run.usage.outputTokens,
      input_count: run.usage.inputTokens,
      output_count: run.usage.outputTokens,
    },
    required_action: run.requiredCalls.length > 0 ? toRequiredAction(run.requiredCalls) : undefined,
  }
}

function toRequiredAction(calls: ModelToolCall[]): WireChat['required_action'] {
  const toolCalls = calls.map(({ id, name, arguments: args }) => ({ id, type: 'function' as const, function: { name, arguments: args } }))
  return { type: 'submit_tool_outputs', submit_tool_outputs: { tool_calls: toolCalls } }
}

/** Coze's numbers: 4013 for a rate limit, 5000 for what went wrong on this side of the API. */
function errorNumber({ code }: RunError): number {
  return code === 'rate_limit' ? 4013 : 5000
}

export function toMessage(message: Message): WireMessage {
  return {
    id: message.id,
    conversation_id: message.conversationId,
    bot_id: message.botId ?? '0',
    chat_id: message.runId ?? '0',
    section_id: message.sectionId,
    role: message.role,
    type: message.type,
    content: message.content,
    content_type: message.contentType,
    reasoning_content: message.reasoning,
    meta_data: message.metaData,
    created_at: toSeconds(message.createdAt),
    updated_at: toSeconds(message.updatedAt),
  }
}

/** The chat as it is at an event; the run is as it was when it started. */
export function chatAt(run: Run, event: Exclude<ChatEvent, { type: 'answer_delta' | 'reasoning_delta' | 'message_completed' }>): WireChat {
  switch (event.type) {
    case 'run_created':
      return toChat({ ...run, ...NOT_ENDED, status: 'created' })
    case 'run_started':
      return toChat({ ...run, ...NOT_ENDED, status: 'in_progress' })
    case 'run_requires_action':
      return toChat({ ...run, ...NOT_ENDED, status: 'requires_action', usage: event.usage, requiredCalls: event.calls })
    case 'run_completed':
      return toChat(ended(run, 'completed', event))
    case 'run_canceled':
      return toChat(ended(run, 'canceled', event))
    case 'run_failed':
      return toChat({ ...ended(run, 'failed', event), error: event.error })
  }
}

const NOT_ENDED = { finishedAt: 0, usage: { inputTokens: 0, outputTokens: 0 }, error: undefined, requiredCalls: [] }

function ended(run: Run, status: RunStatus, { finishedAt, usage }: { finishedAt: number; usage: Usage }): Run {
  return { ...run, status, finishedAt, usage, error: undefined, requiredCalls: [] }
}

export function completedMessage(run: Run, message: CompletedMessage): WireMessage {
  const createdAt = toSeconds(message.createdAt)
  return {
    id: message.id,
    conversation_id: run.conversationId,
    bot_id: run.botId,
    chat_id: run.id,
    section_id: run.sectionId,
    role: 'assistant',
    type: message.type,
    content: message.content,
    content_type: message.contentType,
    reasoning_content: message.reasoning,
    meta_data: run.messageMeta,
    created_at: createdAt,
    updated_at: createdAt,
  }
}
