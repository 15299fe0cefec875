import { z } from 'zod'
import type { ChatRequest } from '../../chat/start-run.ts'
import type { TranscriptMessage, TranscriptPart } from '../../chat/transcript.ts'
import type { ModelParameters } from '../../models/model-adapter.ts'
import { functionSchema } from '../open/chat-body.ts'
import { idField, userIdField } from '../open/open-fields.ts'
import { checkToolMessages } from './tool-messages.ts'

/** Agents send long conversations, again with every step. */
const MAX_MESSAGES = 2_000
const MAX_TEXT = 1_000_000
const MAX_TOOLS = 128

const TEXT_RULE = `must have at most ${MAX_TEXT} characters`
const PARTS_RULE = 'must be a string or an array of parts'
const textField = z.string('must be a string').max(MAX_TEXT, TEXT_RULE)
const textPart = z.object({ type: z.literal('text'), text: textField })

const isHttpUrl = (url: string) => url.length <= 10_000 && z.url({ protocol: /^https?$/ }).safeParse(url).success
const imageUrl = z
  .string('must be a string')
  .refine((url) => /^data:image\/[\w.+-]+;base64,/i.test(url) || isHttpUrl(url), 'must be an http(s) URL or a data:image/…;base64 URL')
const fileData = z.string('must be a string').regex(/^data:[\w.+-]+\/[\w.+-]+;base64,/i, 'must be a data:…;base64 URL')

const userPart = z.discriminatedUnion(
  'type',
  [
    textPart,
    z.object({ type: z.literal('image_url'), image_url: z.object({ url: imageUrl }, 'must be an object with url') }),
    z.object({
      type: z.literal('file'),
      file: z
        .object({ file_id: idField.nullish(), file_data: fileData.nullish(), filename: z.string().max(255).nullish() }, 'must be an object')
        .refine((file) => file.file_id ?? file.file_data, 'must have file_id, the id of an uploaded file, or file_data'),
    }),
  ],
  'must be text, image_url or file',
)
const answerPart = z.discriminatedUnion(
  'type',
  [textPart, z.object({ type: z.literal('refusal'), refusal: textField })],
  'must be text or refusal',
)

const textContent = z.union([textField, z.array(textPart).max(1_000)], PARTS_RULE)
const callSchema = z.object({
  id: z.string('must be a string').min(1, 'must not be empty').max(200, 'must have at most 200 characters'),
  type: z.literal('function', 'must be function').nullish(),
  function: z.object({ name: z.string('must be a string').min(1, 'must not be empty').max(200), arguments: textField }),
})

const messageSchema = z.discriminatedUnion(
  'role',
  [
    z.object({ role: z.enum(['system', 'developer']), content: textContent }),
    z.object({ role: z.literal('user'), content: z.union([textField, z.array(userPart).max(1_000)], PARTS_RULE) }),
    z.object({
      role: z.literal('assistant'),
      content: z.union([textField, z.array(answerPart).max(1_000)], PARTS_RULE).nullish(),
      tool_calls: z.array(callSchema).max(MAX_TOOLS).nullish(),
    }),
    z.object({ role: z.literal('tool'), content: textContent, tool_call_id: z.string('must be a string') }),
  ],
  'must be system, developer, user, assistant or tool',
)

export type CompletionMessage = z.infer<typeof messageSchema>

const responseFormat = z.discriminatedUnion(
  'type',
  [
    z.object({ type: z.literal('text') }),
    z.object({ type: z.literal('json_object') }),
    z.object({
      type: z.literal('json_schema'),
      json_schema: z.object({
        name: z.string('must be a string').regex(/^[a-zA-Z0-9_-]{1,64}$/, 'must have 1 to 64 letters, digits, _ and -'),
        description: z.string().max(10_000).nullish(),
        schema: z.record(z.string(), z.unknown(), 'must be a JSON schema'),
        strict: z.boolean().nullish(),
      }),
    }),
  ],
  'must be text, json_object or json_schema',
)

const numberField = (least: number, most: number) => {
  const rule = `must be a number from ${least} to ${most}`
  return z.number(rule).min(least, rule).max(most, rule).nullish()
}
const tokensField = z.int('must be a whole number from 1').min(1, 'must be a whole number from 1').max(1_000_000).nullish()

/** POST /v1/chat/completions. Fields that are not named are ignored. */
export const completionBodySchema = z
  .object({
    model: z.union([z.string().min(1, 'must not be empty').max(200), z.int()], 'must be the id of a bot').transform(String),
    messages: z
      .array(messageSchema, 'must be an array of messages')
      .min(1, 'must not be empty')
      .max(MAX_MESSAGES, `must have at most ${MAX_MESSAGES} messages`)
      .refine((all) => !all.every(isInstruction), 'must have a message that is not of the system or developer')
      .superRefine(checkToolMessages),
    stream: z.boolean('must be true or false').nullish(),
    stream_options: z.object({ include_usage: z.boolean('must be true or false').nullish() }, 'must be an object').nullish(),
    tools: z
      .array(functionSchema, 'must be an array of functions')
      .max(MAX_TOOLS, `must have at most ${MAX_TOOLS} functions`)
      .refine((tools) => new Set(tools.map((tool) => tool.name)).size === tools.length, 'must not have two functions of one name')
      .nullish(),
    tool_choice: z.enum(['none', 'auto'], 'must be none or auto: a bot decides by itself when it calls').nullish(),
    temperature: numberField(0, 2),
    top_p: numberField(0, 1),
    max_tokens: tokensField,
    max_completion_tokens: tokensField,
    presence_penalty: numberField(-2, 2),
    frequency_penalty: numberField(-2, 2),
    response_format: responseFormat.nullish(),
    n: z.literal(1, 'must be 1').nullish(),
    user: userIdField,
    safety_identifier: userIdField.describe('What `user` is called now.'),
  })
  .meta({ examples: [{ model: '123456', messages: [{ role: 'user', content: 'Hello, what can you do?' }] }] })

export type CompletionBody = z.infer<typeof completionBodySchema>

const isInstruction = ({ role }: CompletionMessage) => role === 'system' || role === 'developer'

/** The caller keeps the conversation: all of it comes with each request, and nothing of it stays here. */
export function toChatRequest(body: CompletionBody, botId: string): ChatRequest {
  return {
    botId,
    endUser: body.user ?? body.safety_identifier,
    messages: [],
    transcript: body.messages.map(toTranscriptMessage),
    parameters: toParameters(body),
    functions: body.tool_choice === 'none' ? 'none' : (body.tools ?? []),
    stream: body.stream === true,
    savesHistory: false,
    clientStyle: 'openai',
    ...{ variables: {}, metaData: {}, messageMeta: {}, ifBusy: 'reject' },
  }
}

function toTranscriptMessage(message: CompletionMessage): TranscriptMessage {
  switch (message.role) {
    case 'system':
    case 'developer':
      return { role: 'system', content: toText(message.content) }
    case 'user':
      return { role: 'user', content: typeof message.content === 'string' ? message.content : message.content.map(toPart) }
    case 'assistant': {
      const toolCalls = message.tool_calls?.map((call) => ({ id: call.id, ...call.function }))
      return { role: 'assistant', content: toText(message.content ?? ''), toolCalls: toolCalls?.length ? toolCalls : undefined }
    }
    case 'tool':
      return { role: 'tool', toolCallId: message.tool_call_id, content: toText(message.content) }
  }
}

function toText(content: string | z.infer<typeof answerPart>[]): string {
  if (typeof content === 'string') return content
  return content.map((part) => (part.type === 'text' ? part.text : part.refusal)).join('')
}

function toPart(part: z.infer<typeof userPart>): TranscriptPart {
  if (part.type === 'text') return part
  if (part.type === 'image_url') return { type: 'image', url: part.image_url.url }
  const { file_id: fileId, file_data: url, filename } = part.file
  if (fileId) return { type: 'upload', fileId }
  return { type: 'file', url: url ?? '', name: filename || 'file', mime: /^data:([^;,]*)/.exec(url ?? '')?.[1] ?? '' }
}

/** Only what is given: the rest is as the bot has it. */
function toParameters(body: CompletionBody): ModelParameters {
  const maxTokens = body.max_completion_tokens ?? body.max_tokens
  return {
    ...(body.temperature != null && { temperature: body.temperature }),
    ...(body.top_p != null && { topP: body.top_p }),
    ...(maxTokens != null && { maxTokens }),
    ...(body.presence_penalty != null && { presencePenalty: body.presence_penalty }),
    ...(body.frequency_penalty != null && { frequencyPenalty: body.frequency_penalty }),
    ...(body.response_format != null && { responseFormat: toResponseFormat(body.response_format) }),
  }
}

function toResponseFormat(format: z.infer<typeof responseFormat>): ModelParameters['responseFormat'] {
  if (format.type !== 'json_schema') return format.type === 'text' ? 'text' : 'json'
  const { name, description, schema, strict } = format.json_schema
  return { name, description: description ?? undefined, schema, strict: strict ?? undefined }
}
