import { z } from 'zod'
import type { ChatRequest } from '../../chat/start-run.ts'
import { parseContent } from '../../chat/message-content.ts'
import type { InputMessage } from '../../conversations/conversations.ts'
import { AppError } from '../../lib/app-error.ts'
import { idField, metaDataField, optionalConversationIdField, userIdField } from './open-fields.ts'

/** A cap on what one turn may bring; beyond it the answer is 422. */
const MAX_MESSAGES = 500
const MAX_CONTENT = 1_000_000

const contentField = z
  .union([z.string().max(MAX_CONTENT, `must have at most ${MAX_CONTENT} characters`), z.array(z.unknown()), z.null()], {
    error: 'must be a string',
  })
  .optional()

const TYPE_RULE = 'must be question or answer'

/** A message as the SDKs write it: unused fields are null, and content may be parts instead of their JSON. */
export const enterMessageSchema = z.object(
  {
    role: z.enum(['user', 'assistant'], 'must be user or assistant').nullish(),
    type: z.string(TYPE_RULE).max(30, TYPE_RULE).nullish(),
    content: contentField,
    content_type: z.enum(['text', 'object_string', 'card'], 'must be text or object_string').nullish(),
    meta_data: metaDataField,
  },
  'must be an object with role and content',
)

const messagesField = z
  .array(enterMessageSchema, 'must be an array of messages')
  .max(MAX_MESSAGES, `must have at most ${MAX_MESSAGES} messages`)
  .nullish()

/** POST /v3/chat. A body with `query` is the guide's; the SDKs send `additional_messages`. Unknown fields are ignored. */
export const chatBodySchema = z
  .object({
    bot_id: idField,
    user_id: userIdField,
    stream: z.boolean('must be true or false').nullish(),
    conversation_id: optionalConversationIdField,
    query: z.string('must be a string').max(MAX_CONTENT, `must have at most ${MAX_CONTENT} characters`).nullish(),
    chat_history: messagesField,
    additional_messages: messagesField,
    parameters: z.record(z.string().max(100), z.unknown(), 'must be an object').nullish(),
    custom_variables: z.record(z.string().max(100), z.unknown(), 'must be an object').nullish(),
    meta_data: metaDataField,
  })
  .meta({
    examples: [
      { bot_id: 123456, user_id: 'user_001', stream: false, query: 'Hello, what can you do?' },
      {
        bot_id: '123456',
        user_id: 'user_001',
        stream: true,
        additional_messages: [{ role: 'user', content: 'Hello', content_type: 'text' }],
      },
    ],
  })

export type ChatBody = z.infer<typeof chatBodySchema>

/** Which of the two dialects the client speaks: it decides how it is answered. */
export type WireStyle = 'guide' | 'sdk'

export const styleOf = (body: ChatBody): WireStyle => (typeof body.query === 'string' ? 'guide' : 'sdk')

/** @param conversationId the one of the query string, where the SDKs put it */
export function toChatRequest(body: ChatBody, conversationId: string | undefined): ChatRequest {
  return {
    botId: body.bot_id,
    conversationId: conversationId ?? body.conversation_id,
    endUser: body.user_id,
    messages: toTurn(body),
    variables: { ...toVariables(body.parameters), ...toVariables(body.custom_variables) },
    metaData: body.meta_data,
    stream: body.stream === true,
  }
}

function toTurn(body: ChatBody): InputMessage[] {
  const turn = [...(body.chat_history ?? []), ...(body.additional_messages ?? [])].flatMap(toInputMessage)
  if (turn.length > MAX_MESSAGES)
    throw new AppError('invalid_request', `chat_history and additional_messages must have at most ${MAX_MESSAGES} messages together`)
  if (typeof body.query !== 'string') return turn

  if (body.query.trim() === '') throw new AppError('invalid_request', 'query must not be empty')
  return [...turn, { role: 'user', content: body.query, contentType: 'text' }]
}

/** Messages of other types (tool calls and the like) are no part of a turn. */
export function toInputMessage(message: z.infer<typeof enterMessageSchema>): InputMessage[] {
  const role = message.role ?? 'user'
  const type = message.type || (role === 'user' ? 'question' : 'answer')
  if (type !== 'question' && type !== 'answer') return []
  return [{ role, type, ...contentOf(message), metaData: message.meta_data }]
}

function contentOf({
  content,
  content_type: contentType,
}: z.infer<typeof enterMessageSchema>): Pick<InputMessage, 'content' | 'contentType'> {
  if (Array.isArray(content)) return contentOf({ content: JSON.stringify(content), content_type: 'object_string', meta_data: {} })
  if (!content) throw new AppError('invalid_request', 'content of a message must not be empty')
  if (contentType === 'object_string') parseContent(content, contentType)
  return { content, contentType: contentType ?? 'text' }
}

function toVariables(values: Record<string, unknown> | null | undefined): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values ?? {}).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  )
}
