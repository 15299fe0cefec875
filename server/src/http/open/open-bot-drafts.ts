import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Principal } from '../../accounts/principal.ts'
import { assertOwnWorkspace } from '../../accounts/workspaces.ts'
import type { Bot, BotVersion } from '../../bots/bot-config.ts'
import type { DraftChange } from '../../bots/bot-drafts.ts'
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
    http.post(
      '/v1/bot/create',
      {
        config: { auth: 'key' },
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
        config: { auth: 'key' },
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

    http.post(
      '/v1/bot/publish',
      {
        config: { auth: 'key' },
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
        config: { auth: 'key' },
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
const object = <T extends z.ZodRawShape>(shape: T) => z.object(shape, 'must be an object').nullish()
/** A list of things that do not exist here: it may be there, and empty. */
const emptyList = (rule: string) => z.array(z.unknown(), 'must be an array').max(0, rule).nullish()

const nameField = text(255).trim().min(1, 'must not be empty')

/** The limits are those of a manifest's bots. */
const settings = {
  description: text(10_000).nullish(),
  icon_file_id: optionalIdField.describe('An uploaded image.'),
  prompt_info: object({ prompt: text(200_000).nullish() }),
  onboarding_info: object({
    prologue: text(10_000).nullish(),
    suggested_questions: z.array(text(1_000), 'must be an array of texts').max(20, 'must have at most 20 questions').nullish(),
  }),
  model_info_config: object({
    model_id: z
      .union([text(100), z.int().transform(String)], { error: 'must be the name or the id of a model' })
      .nullish()
      .describe('The name or the id of a model of this server.'),
    temperature: numberFrom(0, 2).nullish(),
    top_p: numberFrom(0, 1).nullish(),
    max_tokens: integerFrom(1, 1_000_000).nullish(),
    presence_penalty: numberFrom(-2, 2).nullish(),
    frequency_penalty: numberFrom(-2, 2).nullish(),
    context_round: integerFrom(0, 100).nullish(),
    response_format: z.enum(['text', 'markdown', 'json'], 'must be text, markdown or json').nullish().describe('markdown is text.'),
  }),
  suggest_reply_info: object({
    reply_mode: z.enum(['disable', 'enable'], 'must be disable or enable: suggestions by a prompt of your own do not exist here').nullish(),
  }),
  plugin_id_list: object({ id_list: emptyList('plugins of Coze do not exist here: a manifest gives a bot its tools') }),
  workflow_id_list: object({ ids: emptyList('workflows cannot be given to a bot over the API: a manifest does it') }),
  knowledge: object({ dataset_ids: emptyList('knowledge bases do not exist here') }),
}

const createBodySchema = z
  .object({ space_id: optionalIdField, name: nameField, ...settings })
  .meta({ examples: [{ space_id: '1', name: 'Assistant', prompt_info: { prompt: 'You are a helpful assistant' } }] })

const updateBodySchema = z
  .object({ bot_id: idField, name: nameField.nullish(), ...settings })
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
  unpublish_reason: text(10_000).nullish(),
})

function toDraftChange(body: Omit<z.infer<typeof updateBodySchema>, 'bot_id'>): DraftChange {
  const { onboarding_info: onboarding, model_info_config: model, suggest_reply_info: suggestions } = body
  return {
    name: body.name ?? undefined,
    description: body.description ?? undefined,
    iconFileId: body.icon_file_id,
    prompt: body.prompt_info?.prompt ?? undefined,
    prologue: onboarding?.prologue ?? undefined,
    suggestedQuestions: onboarding?.suggested_questions ?? undefined,
    suggestReplies: suggestions?.reply_mode ? suggestions.reply_mode === 'enable' : undefined,
    model: model?.model_id || undefined,
    parameters: toParameters(model ?? {}),
  }
}

type ModelConfig = Partial<NonNullable<z.infer<typeof updateBodySchema>['model_info_config']>>

function toParameters(model: ModelConfig): DraftChange['parameters'] {
  const format = model.response_format ?? undefined
  return {
    temperature: model.temperature ?? undefined,
    topP: model.top_p ?? undefined,
    maxTokens: model.max_tokens ?? undefined,
    presencePenalty: model.presence_penalty ?? undefined,
    frequencyPenalty: model.frequency_penalty ?? undefined,
    historyRounds: model.context_round ?? undefined,
    responseFormat: format === 'markdown' ? 'text' : format,
  }
}
