import { z } from 'zod'
import { API_CONNECTOR_ID } from '../../conversations/conversations.ts'
import { AppError } from '../../lib/app-error.ts'
import type { ChatflowRequest } from '../../workflows/runs/start-chatflow-run.ts'
import type { WorkflowRunRequest } from '../../workflows/runs/start-workflow-run.ts'
import { isValueObject, parseValue } from '../../workflows/values/value.ts'
import type { ValueObject } from '../../workflows/values/value.ts'
import { PUBLISHED } from '../../workflows/workflow-catalog.ts'
import { styleOf, toTurn, turnFields } from './chat-body.ts'
import { idField, optionalConversationIdField, optionalIdField, userIdField } from './open-fields.ts'

const MAX_TEXT = 1_000_000
const VERSION_RULE = 'must be the name of a published version'
const booleanField = z.boolean('must be true or false').nullish()
const versionField = z.string(VERSION_RULE).max(100, VERSION_RULE).nullish()

/** What all requests that run a workflow have. Unknown fields are ignored. */
const runFields = {
  workflow_id: idField,
  parameters: z
    .union([z.record(z.string().max(1_000), z.unknown()), z.string()], { error: 'must be an object, or the JSON text of one' })
    .nullish(),
  app_id: optionalIdField.describe('Whose variables and conversations the workflow sees.'),
  project_id: optionalIdField.describe('Another name of app_id.'),
  bot_id: optionalIdField.describe('Whose variables the workflow sees. Not together with app_id.'),
  connector_id: optionalIdField,
  workflow_version: versionField.describe('The published version to run; without it the live one.'),
  version: versionField,
  user_id: userIdField.describe('The end user; also as `ext.user_id`.'),
  ext: z.looseObject({ user_id: userIdField }, 'must be an object').nullish(),
}

export const runBodySchema = z
  .object({ ...runFields, is_async: booleanField.describe('Answer at once with the execute_id.') })
  .meta({ examples: [{ workflow_id: 123456, parameters: { input_text: 'Hello' } }] })

export const streamRunBodySchema = z.object(runFields).meta({ examples: [{ workflow_id: 123456, parameters: { input_text: 'Hello' } }] })

const TEXT_RULE = `must have at most ${MAX_TEXT} characters`
const EVENT_RULE = 'must be the event_id of an Interrupt event'

/** `interrupt_type` and others that SDKs send are not needed. */
export const resumeBodySchema = z
  .object({
    workflow_id: idField,
    event_id: z.string(EVENT_RULE).min(1, EVENT_RULE).max(200, EVENT_RULE),
    resume_data: z.string('must be a string').max(MAX_TEXT, TEXT_RULE),
  })
  .meta({ examples: [{ workflow_id: '123456', event_id: '312311808000130/312311808000131', resume_data: 'Paris', interrupt_type: 2 }] })

export const workflowChatBodySchema = z
  .object({
    ...{ ...runFields, ...turnFields },
    conversation_id: optionalConversationIdField.describe('Without one a new conversation is made, or the one of CONVERSATION_NAME.'),
    stream: booleanField.describe('false: the whole answer in one body. Default: Server-Sent Events.'),
    auto_save_history: booleanField,
  })
  .meta({
    examples: [
      { workflow_id: 123456, conversation_id: 'conv_789', query: 'Hello' },
      { workflow_id: '123456', additional_messages: [{ role: 'user', content: 'Hello', content_type: 'text' }], parameters: {} },
    ],
  })

type RunBody = z.infer<typeof streamRunBodySchema>
type Asked = Omit<WorkflowRunRequest, 'mode' | 'idempotency' | 'isStrict'>

export function toRunRequest(body: RunBody, logId: string): Asked {
  return {
    workflowId: body.workflow_id,
    version: body.workflow_version || body.version || PUBLISHED,
    parameters: toParameters(body.parameters),
    appId: body.app_id ?? body.project_id,
    botId: body.bot_id,
    endUser: body.user_id ?? body.ext?.user_id ?? '',
    connectorId: body.connector_id ?? API_CONNECTOR_ID,
    logId,
  }
}

export type WorkflowChatBody = z.infer<typeof workflowChatBodySchema>

export function toChatflowRequest(body: WorkflowChatBody, logId: string): ChatflowRequest {
  const messages = toTurn(body)
  if (messages.length === 0) throw new AppError('invalid_request', 'query or additional_messages is required')
  return {
    ...toRunRequest(body, logId),
    messages,
    conversationId: body.conversation_id,
    savesHistory: body.auto_save_history !== false,
    style: styleOf(body),
  }
}

/** Throws `bad_parameters` for a text that is no JSON object. */
function toParameters(given: RunBody['parameters']): ValueObject {
  if (typeof given !== 'string') return parseObject(given ?? {})
  if (given.trim() === '') return {}
  const value = parseText(given)
  if (!isValueObject(value)) throw new AppError('bad_parameters', 'parameters must be an object, or the JSON text of one')
  return value
}

function parseText(text: string) {
  try {
    return parseValue(text)
  } catch (cause) {
    throw new AppError('bad_parameters', 'parameters: the text is not valid JSON', { cause })
  }
}

/** What a JSON body has in it is nothing but values. */
const parseObject = (object: Record<string, unknown>): ValueObject => object as ValueObject
