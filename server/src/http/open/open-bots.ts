import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Principal } from '../../accounts/principal.ts'
import type { PublishedBot } from '../../bots/bot-config.ts'
import { success, successSchema } from '../success-reply.ts'
import { idField, optionalIdField, toSeconds } from './open-fields.ts'

export type BotServices = { getPublishedBot(who: Principal, botId: string): Promise<PublishedBot> }

const tags = ['Bots']

const wireBotSchema = z.object({
  bot_id: z.string(),
  name: z.string(),
  description: z.string(),
  icon_url: z.string(),
  create_time: z.number(),
  update_time: z.number(),
  version: z.string(),
  prompt_info: z.object({ prompt: z.string() }),
  onboarding_info: z.object({ prologue: z.string(), suggested_questions: z.array(z.string()) }),
  bot_mode: z.number(),
  model_info: z.object({
    model_id: z.string(),
    model_name: z.string(),
    temperature: z.number().optional(),
    top_p: z.number().optional(),
    max_tokens: z.number().optional(),
  }),
  plugin_info_list: z.array(z.unknown()),
  workflow_info_list: z.array(z.unknown()),
  suggest_reply_info: z.object({ reply_mode: z.string() }),
  variables: z.array(
    z.object({
      keyword: z.string(),
      default_value: z.string(),
      variable_type: z.string(),
      channel: z.string(),
      description: z.string(),
      enable: z.boolean(),
      prompt_enable: z.boolean(),
    }),
  ),
})

/** The guide's keys, beside `data`. */
const flatSchema = {
  bot_id: z.union([z.number(), z.string()]),
  name: z.string(),
  description: z.string(),
  icon_url: z.string(),
  prompt: z.string(),
  version: z.string(),
  created_at: z.number(),
  updated_at: z.number(),
}

const reply = { 200: successSchema(wireBotSchema, flatSchema) }

export const botRoutes =
  (services: BotServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.get(
      '/v1/bot/get_online_info',
      {
        config: { auth: 'key' },
        schema: {
          tags,
          summary: 'Read a published bot',
          querystring: z.object({ bot_id: idField, connector_id: optionalIdField }),
          response: reply,
        },
      },
      async (request) => botSuccess(request, await services.getPublishedBot(request.principal, request.query.bot_id)),
    )

    http.get(
      '/v1/bots/:bot_id',
      {
        config: { auth: 'key' },
        schema: { tags, summary: 'Read a published bot', params: z.object({ bot_id: idField }), response: reply },
      },
      async (request) => botSuccess(request, await services.getPublishedBot(request.principal, request.params.bot_id)),
    )
  }

function botSuccess(request: Parameters<typeof success>[0], bot: PublishedBot) {
  const wire = toWireBot(bot)
  const number = Number(bot.botId)
  return success(request, wire, {
    // a number, as the guide prints it, where that is exact
    bot_id: Number.isSafeInteger(number) ? number : bot.botId,
    name: bot.name,
    description: bot.description,
    icon_url: bot.iconUrl,
    prompt: bot.config.prompt,
    version: bot.version,
    created_at: wire.create_time,
    updated_at: wire.update_time,
  })
}

function toWireBot(bot: PublishedBot): z.infer<typeof wireBotSchema> {
  const { prompt, onboarding, parameters, model, suggestReplies, variables } = bot.config
  return {
    bot_id: bot.botId,
    name: bot.name,
    description: bot.description,
    icon_url: bot.iconUrl,
    create_time: toSeconds(bot.botCreatedAt),
    update_time: toSeconds(bot.createdAt),
    version: bot.version,
    prompt_info: { prompt },
    onboarding_info: { prologue: onboarding.prologue, suggested_questions: onboarding.suggestedQuestions },
    bot_mode: 0,
    model_info: {
      model_id: '0',
      model_name: model,
      temperature: parameters.temperature,
      top_p: parameters.topP,
      max_tokens: parameters.maxTokens,
    },
    plugin_info_list: [],
    workflow_info_list: [],
    suggest_reply_info: { reply_mode: suggestReplies ? 'enable' : 'disable' },
    variables: variables.map((variable) => ({
      keyword: variable.name,
      default_value: variable.default,
      variable_type: 'KVVariable',
      channel: 'custom',
      description: variable.description,
      enable: true,
      prompt_enable: true,
    })),
  }
}
