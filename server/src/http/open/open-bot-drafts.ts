import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Principal } from '../../accounts/principal.ts'
import { assertOwnWorkspace } from '../../accounts/workspaces.ts'
import type { Bot, BotVersion } from '../../bots/bot-config.ts'
import type { DraftChange } from '../../bots/bot-drafts.ts'
import { audited } from '../audit-trail.ts'
import { success, successSchema } from '../success-reply.ts'
import { idField, optionalIdField } from './open-fields.ts'

export type DraftServices = {
  createDraft(who: Principal, change: DraftChange & { name: string }): Promise<Bot>
  changeDraft(who: Principal, change: DraftChange & { botId: string }): Promise<Bot>
  publishBot(who: Principal, botId: string): Promise<BotVersion>
  unpublishBot(who: Principal, botId: string): Promise<void>
}

const tags = ['Bots']
const API_CONNECTOR = '1024'

/** Making, changing, publishing and unpublishing bots over the API. Nothing of a draft is live until it is published. */
export const draftRoutes =
  (services: DraftServices): FastifyPluginAsyncZod =>
  async (http) => {
    await http.register(editingRoutes(services))
    await http.register(publishingRoutes(services))
  }

const editingRoutes =
  (services: DraftServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.post(
      '/v1/bot/create',
      {
        config: audited({ auth: 'key', action: 'manage' }, 'agent.create', 'name'),
        schema: { tags, summary: 'Make a bot', body: createBodySchema, response: { 200: successSchema(z.object({ bot_id: z.string() })) } },
      },
      async (request) => {
        assertOwnWorkspace(request.principal, request.body.space_id)
        const bot = await services.createDraft(request.principal, { ...toDraftChange(request.body), name: request.body.name })
        return success(request, { bot_id: bot.id })
      },
    )

    http.post(
      '/v1/bot/update',
      {
        config: audited({ auth: 'key', action: 'manage' }, 'agent.update'),
        schema: {
          tags,
          summary: "Change a bot's draft",
          description: 'What is absent or null stays as it is.',
          body: updateBodySchema,
          response: { 200: successSchema(z.object({})) },
        },
      },
      async (request) => {
        await services.changeDraft(request.principal, { ...toDraftChange(request.body), botId: request.body.bot_id })
        return success(request, {})
      },
    )
  }

const publishingRoutes =
  (services: DraftServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.post(
      '/v1/bot/publish',
      {
        config: audited({ auth: 'key', action: 'manage' }, 'agent.publish'),
        schema: {
          tags,
          summary: "Publish a bot's draft as a new version",
          body: publishBodySchema,
          response: { 200: successSchema(z.object({ bot_id: z.string(), version: z.string() })) },
        },
      },
      async (request) => {
        const { botId, version } = await services.publishBot(request.principal, request.body.bot_id)
        return success(request, { bot_id: botId, version })
      },
    )

    http.post(
      '/v1/bots/:bot_id/unpublish',
      {
        config: audited({ auth: 'key', action: 'manage' }, 'agent.unpublish'),
        schema: {
          tags,
          summary: 'Take a bot offline',
          description: 'Its versions stay. A bot that is not published stays so.',
          params: z.object({ bot_id: idField }),
          body: unpublishBodySchema,
          response: { 200: successSchema(z.object({})) },
        },
      },
      async (request) => {
        await services.unpublishBot(request.principal, request.params.bot_id)
        return success(request, {})
      },
    )
  }

const text = (max: number) => z.string('must be a string').max(max, `must have at most ${max} characters`)
const numberFrom = (least: number, most: number) => {
  const rule = `must be a number from ${least} to ${most}`
  return z.number(rule).min(least, rule).max(most, rule)
}
const integerFrom = (least: number, most: number) => numberFrom(least, most).int('must be a whole number')
/** SDKs write null for what they do not have. */
const maybe = <T extends z.ZodType>(schema: T) => schema.nullish().transform((value) => value ?? undefined)
const object = <T extends z.ZodRawShape>(shape: T) => maybe(z.object(shape, 'must be an object'))
/** A list of things that do not exist here: it may be there, and empty. */
const emptyList = (rule: string) => maybe(z.array(z.unknown(), 'must be an array').max(0, rule))

const nameField = text(255).trim().min(1, 'must not be empty')

/** The limits are those of a manifest's bots. */
const settings = {
  description: maybe(text(10_000)),
  icon_file_id: optionalIdField.describe('An uploaded image.'),
  prompt_info: object({ prompt: maybe(text(200_000)) }),
  onboarding_info: object({
    prologue: maybe(text(10_000)),
    suggested_questions: maybe(z.array(text(1_000), 'must be an array of texts').max(20, 'must have at most 20 questions')),
  }),
  model_info_config: object({
    model_id: maybe(z.union([text(100), z.int().transform(String)], { error: 'must be the name or the id of a model' })).describe(
      'The name or the id of a model of this server.',
    ),
    temperature: maybe(numberFrom(0, 2)),
    top_p: maybe(numberFrom(0, 1)),
    max_tokens: maybe(integerFrom(1, 1_000_000)),
    presence_penalty: maybe(numberFrom(-2, 2)),
    frequency_penalty: maybe(numberFrom(-2, 2)),
    context_round: maybe(integerFrom(0, 100)),
    response_format: maybe(z.enum(['text', 'markdown', 'json'], 'must be text, markdown or json')).describe('markdown is text.'),
  }),
  suggest_reply_info: object({
    reply_mode: maybe(z.enum(['disable', 'enable'], 'must be disable or enable: suggestions by a prompt of your own do not exist here')),
  }),
  plugin_id_list: object({ id_list: emptyList('plugins of Coze do not exist here: a manifest gives a bot its tools') }),
  workflow_id_list: object({ ids: emptyList('workflows cannot be given to a bot over the API: a manifest does it') }),
  knowledge: object({ dataset_ids: emptyList('knowledge bases do not exist here') }),
}

const createBodySchema = z
  .object({ space_id: optionalIdField, name: nameField, ...settings })
  .meta({ examples: [{ space_id: '1', name: 'Assistant', prompt_info: { prompt: 'You are a helpful assistant' } }] })

const updateBodySchema = z
  .object({ bot_id: idField, name: maybe(nameField), ...settings })
  .meta({ examples: [{ bot_id: '123456', prompt_info: { prompt: 'You are a helpful assistant' } }] })

const CONNECTOR_RULE = `must name ${API_CONNECTOR}, the API: it is the only connector of this server`

const publishBodySchema = z.object({
  bot_id: idField,
  connector_ids: z
    .array(idField, 'must be an array of connector ids')
    .refine((ids) => ids.length === 0 || ids.includes(API_CONNECTOR), CONNECTOR_RULE)
    .nullish(),
})

const unpublishBodySchema = z.object({
  connector_id: optionalIdField.refine((id) => id === undefined || id === API_CONNECTOR, CONNECTOR_RULE),
  unpublish_reason: maybe(text(10_000)),
})

function toDraftChange(body: Omit<z.infer<typeof updateBodySchema>, 'bot_id'>): DraftChange {
  const { onboarding_info: onboarding, model_info_config: model, suggest_reply_info: suggestions } = body
  return {
    name: body.name,
    description: body.description,
    iconFileId: body.icon_file_id,
    prompt: body.prompt_info?.prompt,
    prologue: onboarding?.prologue,
    suggestedQuestions: onboarding?.suggested_questions,
    suggestReplies: suggestions?.reply_mode && suggestions.reply_mode === 'enable',
    model: model?.model_id || undefined,
    parameters: toParameters(model ?? {}),
  }
}

type ModelConfig = Partial<NonNullable<z.infer<typeof updateBodySchema>['model_info_config']>>

function toParameters(model: ModelConfig): DraftChange['parameters'] {
  return {
    temperature: model.temperature,
    topP: model.top_p,
    maxTokens: model.max_tokens,
    presencePenalty: model.presence_penalty,
    frequencyPenalty: model.frequency_penalty,
    historyRounds: model.context_round,
    responseFormat: model.response_format === 'markdown' ? 'text' : model.response_format,
  }
}
