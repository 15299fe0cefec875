import { z } from 'zod'
import type { ChatRequest } from '../../chat/start-run.ts'
import { parseContent } from '../../conversations/message-content.ts'
import type { InputMessage } from '../../conversations/conversations.ts'
import { AppError } from '../../lib/app-error.ts'
import type { ModelTool } from '../../models/model-adapter.ts'
import type { ValueObject } from '../../workflows/values/value.ts'
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

/** A function that the caller executes itself, as OpenAI writes it. */
export const functionSchema = z
  .object({
    type: z.literal('function', 'must be function'),
    function: z.object({
      name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, 'must have 1 to 64 letters, digits, _ and -'),
      description: z.string().max(20_000).nullish(),
      parameters: z.record(z.string(), z.unknown()).nullish(),
    }),
  })
  .transform(({ function: { name, description, parameters } }): ModelTool => ({
    name,
    description: description ?? '',
    parameters: parameters ?? { type: 'object', properties: {} },
  }))

/** What is said: the guide's `query` with its `chat_history`, or the SDKs' messages. */
export const turnFields = {
  query: z.string('must be a string').max(MAX_CONTENT, `must have at most ${MAX_CONTENT} characters`).nullish(),
  chat_history: messagesField,
  additional_messages: messagesField,
}

/** POST /v3/chat. A body with `query` is the guide's; the SDKs send `additional_messages`. Unknown fields are ignored. */
export const chatBodySchema = z
  .object({
    bot_id: idField,
    user_id: userIdField,
    stream: z.boolean('must be true or false').nullish(),
    conversation_id: optionalConversationIdField,
    ...turnFields,
    parameters: z.record(z.string().max(100), z.unknown(), 'must be an object').nullish(),
    custom_variables: z.record(z.string().max(100), z.unknown(), 'must be an object').nullish(),
    meta_data: metaDataField,
    extra_params: z.record(z.string().max(64), z.string().max(2_000), 'must be an object of strings').nullish(),
    auto_save_history: z.boolean('must be true or false').nullish(),
    shortcut_command: z.object({ command_id: idField, parameters: z.record(z.string().max(100), z.unknown()).nullish() }).nullish(),
    tools: z.array(functionSchema, 'must be an array of functions').max(50, 'must have at most 50 functions').nullish(),
    enable_card: z.boolean('must be true or false').nullish(),
    if_busy: z.enum(['reject', 'enqueue', 'interrupt'], 'must be reject, enqueue or interrupt').nullish(),
    callback_url: z.string('must be a URL').max(2_000, 'must have at most 2000 characters').nullish(),
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

export const toolOutputsBodySchema = z.object({
  tool_outputs: z
    .array(z.object({ tool_call_id: z.string(), output: z.string().max(MAX_CONTENT, `must have at most ${MAX_CONTENT} characters`) }))
    .min(1, 'must not be empty')
    .max(100, 'must have at most 100 outputs'),
  stream: z.boolean('must be true or false').nullish(),
})

export type ChatBody = z.infer<typeof chatBodySchema>

/** Which of the two dialects the client speaks: it decides how it is answered. */
export type WireStyle = 'guide' | 'sdk'

export const styleOf = (body: Pick<ChatBody, 'query'>): WireStyle => (typeof body.query === 'string' ? 'guide' : 'sdk')

export function toChatRequest(body: ChatBody): ChatRequest {
  return {
    botId: body.bot_id,
    conversationId: body.conversation_id,
    endUser: body.user_id,
    messages: toTurn(body),
    shortcut: toShortcut(body),
    variables: { ...toVariables(body.parameters), ...toVariables(body.custom_variables) },
    chatflowParameters: parseParameters(body.parameters ?? {}),
    asCards: body.enable_card === true,
    functions: body.tools ?? [],
    metaData: body.meta_data,
    messageMeta: body.extra_params ?? {},
    stream: body.stream === true,
    ifBusy: body.if_busy ?? 'reject',
    savesHistory: body.auto_save_history !== false,
    callbackUrl: body.callback_url || undefined,
    clientStyle: styleOf(body),
  }
}

// read from JSON: the cast is the parser
const parseParameters = (parameters: Record<string, unknown>): ValueObject => parameters as ValueObject

function toShortcut({ shortcut_command: command }: ChatBody): ChatRequest['shortcut'] {
  return command ? { id: command.command_id, parameters: toVariables(command.parameters) } : undefined
}

export function toTurn(body: Pick<ChatBody, 'query' | 'chat_history' | 'additional_messages'>): InputMessage[] {
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
