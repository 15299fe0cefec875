import { z } from 'zod'
import type { WorkflowEvent, WorkflowMessage } from '../../workflows/runs/workflow-event.ts'
import type { WorkflowRun } from '../../workflows/runs/workflow-run.ts'
import { toSeconds } from './open-fields.ts'
import { canceledError, interruptSchema, toInterrupt, toUsage, usageSchema } from './workflow-wire.ts'

/** Chats with workflows as the wire has them: the chat's id is the run's. */
export const chatflowSchema = z.object({
  id: z.string(),
  conversation_id: z.string(),
  bot_id: z.string(),
  section_id: z.string(),
  execute_id: z.string(),
  status: z.enum(['created', 'in_progress', 'requires_action', 'completed', 'failed', 'canceled']),
  created_at: z.number(),
  completed_at: z.number().optional(),
  failed_at: z.number().optional(),
  meta_data: z.record(z.string(), z.string()),
  last_error: z.object({ code: z.number(), msg: z.string() }),
  usage: usageSchema,
  interrupt_data: interruptSchema.optional().describe('What the workflow waits for: the next message of the conversation answers it.'),
})

export const chatflowMessageSchema = z.object({
  id: z.string(),
  conversation_id: z.string(),
  bot_id: z.string(),
  chat_id: z.string(),
  section_id: z.string(),
  role: z.literal('assistant'),
  type: z.literal('answer'),
  content: z.string(),
  content_type: z.enum(['text', 'card']),
  reasoning_content: z.string(),
  created_at: z.number(),
})

export type WireChatflow = z.infer<typeof chatflowSchema>
export type ChatflowStatus = WireChatflow['status']
export type WireChatflowMessage = z.infer<typeof chatflowMessageSchema>

/** The chat as it is at an event; without one it has just begun or gone on. */
export function chatflowAt(run: WorkflowRun, status: ChatflowStatus, event?: WorkflowEvent): WireChatflow {
  const totals = event && 'usage' in event ? event : { usage: { inputTokens: 0, outputTokens: 0 }, finishedAt: 0 }
  const finishedAt = toSeconds(totals.finishedAt)
  return {
    ...{ id: run.id, execute_id: run.id, ...placeOf(run), status, created_at: toSeconds(run.createdAt) },
    ...(status === 'completed' && { completed_at: finishedAt }),
    ...(status === 'failed' && { failed_at: finishedAt }),
    meta_data: {},
    last_error: toLastError(event),
    usage: toUsage(totals.usage),
    ...(event?.type === 'waiting' && { interrupt_data: toInterrupt(run.id, event.event) }),
  }
}

function toLastError(event: WorkflowEvent | undefined): WireChatflow['last_error'] {
  if (event?.type === 'failed') return { code: event.error.code, msg: event.error.message }
  if (event?.type === 'canceled') return { code: canceledError.code, msg: canceledError.message }
  return { code: 0, msg: '' }
}

/** A part of what a node says, or all of it. A run that is told again from its result has no ids of messages any more. */
export function toChatflowMessage(run: WorkflowRun, { messageId, content, contentType }: WorkflowMessage): WireChatflowMessage {
  return {
    ...{ id: messageId ?? run.id, chat_id: run.id, ...placeOf(run) },
    ...{ role: 'assistant', type: 'answer', content, content_type: contentType ?? 'text' },
    ...{ reasoning_content: '', created_at: toSeconds(run.createdAt) },
  }
}

function placeOf({ chat, botId }: WorkflowRun): Pick<WireChatflow, 'conversation_id' | 'section_id' | 'bot_id'> {
  return { conversation_id: chat?.conversationId ?? '0', section_id: chat?.sectionId ?? '0', bot_id: botId ?? '0' }
}
