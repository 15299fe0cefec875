import { z } from 'zod'
import { idField } from '../open/open-fields.ts'
import { pageOf, pagingFields, searchField, timeField } from './paging-wire.ts'

export const conversationListQuery = z.object({
  ...pagingFields,
  agent_id: idField.optional(),
  /** Exactly this `user_id`; without `agent_id` among the newest 20000 conversations. */
  end_user: z.string().max(255).optional(),
  /** A conversation's id, or a part of its name, of its own id or of its user; among the newest 20000. */
  search: searchField,
  /** `test`: previews of agents and test runs of chatflows, among the newest 20000 conversations. */
  kind: z.enum(['live', 'test'], 'must be live or test').default('live'),
})

export const conversationSchema = z.object({
  id: z.string(),
  /** The id of the caller's choice. */
  external_id: z.string().nullable(),
  agent_id: z.string().nullable(),
  /** Empty when the agent is gone. */
  agent_name: z.string(),
  end_user: z.string(),
  name: z.string(),
  created_at: timeField,
  updated_at: timeField,
  /** A chat is running in it. */
  is_busy: z.boolean(),
})
/** Newest first. Counted up to 10000. */
export const conversationPageSchema = pageOf(conversationSchema)

export const messageSchema = z.object({
  id: z.string(),
  /** The chat it belongs to, in `chats`; null for one that was put in by hand. */
  chat_id: z.string().nullable(),
  /** Another section: what came before is no context any more. */
  section_id: z.string(),
  role: z.enum(['user', 'assistant']),
  /** `function_call` and `tool_response` have the call and its result as text. */
  type: z.enum(['question', 'answer', 'function_call', 'tool_output', 'tool_response', 'follow_up', 'verbose']),
  content: z.string(),
  content_type: z.enum(['text', 'object_string', 'card']),
  reasoning: z.string(),
  created_at: timeField,
  feedback: z.object({ type: z.enum(['like', 'unlike']), comment: z.string() }).nullable(),
})
/** A chat of an agent, or a run of a chatflow. */
export const chatSchema = z.object({
  id: z.string(),
  kind: z.enum(['agent', 'chatflow']),
  status: z.string(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  usage: z.object({ input_tokens: z.number(), output_tokens: z.number() }),
  key_id: z.string().nullable(),
  created_at: timeField,
  finished_at: timeField.nullable(),
  first_token_ms: z.number().nullable(),
})
export const messageListQuery = z.object({
  page: pagingFields.page,
  size: z.coerce.number().int().min(1).max(200, 'must be a number from 1 to 200').default(50),
  order: z.enum(['asc', 'desc'], 'must be asc or desc').default('asc'),
})
/** With the chats of the messages on this page. */
export const messagePageSchema = pageOf(messageSchema).extend({ chats: z.array(chatSchema) })

/** What an end user is known by. Most recent first, counted up to 10000. */
export const endUserListQuery = z.object({ ...pagingFields, agent_id: idField.optional(), search: searchField })
export const endUserSchema = z.object({ end_user: z.string(), conversations: z.number(), last_at: timeField })
export const endUserPageSchema = pageOf(endUserSchema)

export type ConversationListQuery = z.input<typeof conversationListQuery>
export type Conversation = z.infer<typeof conversationSchema>
export type ConversationPage = z.infer<typeof conversationPageSchema>
export type Message = z.infer<typeof messageSchema>
export type Chat = z.infer<typeof chatSchema>
export type MessagePage = z.infer<typeof messagePageSchema>
export type EndUserPage = z.infer<typeof endUserPageSchema>
