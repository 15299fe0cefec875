import { z } from 'zod'
import type { Bot, PublishedBot } from '../../bots/bot-config.ts'
import type { ListedBot } from '../../bots/bot-list-store.ts'
import { toSeconds } from './open-fields.ts'

/** Bots as the wire has them. Ids are strings, times are seconds, lists are never null. */
export const wireBotSchema = z.object({
  bot_id: z.string(),
  name: z.string(),
  description: z.string(),
  icon_url: z.string(),
  create_time: z.number(),
  update_time: z.number(),
  version: z.string().describe('Empty for a draft.'),
  owner_user_id: z.string(),
  prompt_info: z.object({ prompt: z.string() }),
  onboarding_info: z.object({ prologue: z.string(), suggested_questions: z.array(z.string()) }),
  bot_mode: z.number(),
  model_info: z.object({
    model_id: z.string().describe('The name of the model, which is also taken where a model_id is asked for.'),
    model_name: z.string(),
    temperature: z.number().optional(),
    top_p: z.number().optional(),
    max_tokens: z.number().optional(),
    presence_penalty: z.number().optional(),
    frequency_penalty: z.number().optional(),
    response_format: z.enum(['text', 'json']).optional(),
    context_round: z.number(),
  }),
  plugin_info_list: z.array(z.unknown()),
  workflow_info_list: z.array(z.unknown()),
  knowledge: z.object({ dataset_ids: z.array(z.string()), knowledge_infos: z.array(z.unknown()) }),
  shortcut_commands: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      command: z.string(),
      description: z.string(),
      icon_url: z.string(),
      query_template: z.string(),
      components: z.array(z.unknown()),
    }),
  ),
  suggest_reply_info: z.object({ reply_mode: z.enum(['disable', 'enable']), customized_prompt: z.string() }),
  background_image_info: z.object({}),
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

export type WireBot = z.infer<typeof wireBotSchema>

/** What a bot looks like at one moment: a version of it, or its draft. */
export type BotView = Pick<PublishedBot, 'botId' | 'ownerId' | 'name' | 'description' | 'iconUrl' | 'version' | 'config'> & {
  createdAt: number
  updatedAt: number
}

export const toPublishedView = (bot: PublishedBot): BotView => ({ ...bot, createdAt: bot.botCreatedAt, updatedAt: bot.createdAt })
export const toDraftView = (bot: Bot): BotView => ({ ...bot, botId: bot.id, version: '', config: bot.draft })

/** As Coze numbers an agent that a workflow answers for. */
const WORKFLOW_MODE = 2

/** @param publicUrl icons that are kept here are stored as paths below it */
export function toWireBot(bot: BotView, publicUrl: string): WireBot {
  const { prompt, onboarding, parameters, model, suggestReplies, variables, shortcuts } = bot.config
  return {
    bot_id: bot.botId,
    name: bot.name,
    description: bot.description,
    icon_url: toIconUrl(bot.iconUrl, publicUrl),
    create_time: toSeconds(bot.createdAt),
    update_time: toSeconds(bot.updatedAt),
    version: bot.version,
    owner_user_id: bot.ownerId,
    prompt_info: { prompt },
    onboarding_info: { prologue: onboarding.prologue, suggested_questions: onboarding.suggestedQuestions },
    bot_mode: bot.config.mode === 'chatflow' ? WORKFLOW_MODE : 0,
    model_info: {
      model_id: model,
      model_name: model,
      temperature: parameters.temperature,
      top_p: parameters.topP,
      max_tokens: parameters.maxTokens,
      presence_penalty: parameters.presencePenalty,
      frequency_penalty: parameters.frequencyPenalty,
      response_format: parameters.responseFormat,
      context_round: parameters.historyRounds,
    },
    plugin_info_list: [],
    workflow_info_list: [],
    knowledge: { dataset_ids: [], knowledge_infos: [] },
    shortcut_commands: shortcuts.map(({ id, name, prompt: template }) => ({
      ...{ id, name, command: `/${name}`, description: '', icon_url: '' },
      query_template: template,
      components: [],
    })),
    suggest_reply_info: { reply_mode: suggestReplies ? 'enable' : 'disable', customized_prompt: '' },
    background_image_info: {},
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

export const listedBotSchema = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  icon_url: z.string(),
  is_published: z.boolean(),
  updated_at: z.number(),
  published_at: z.number().optional(),
  owner_user_id: z.string(),
})

export function toListedBot(bot: ListedBot, publicUrl: string): z.infer<typeof listedBotSchema> {
  return {
    id: bot.id,
    name: bot.name,
    description: bot.description,
    icon_url: toIconUrl(bot.iconUrl, publicUrl),
    is_published: bot.publishedAt !== undefined,
    updated_at: toSeconds(bot.updatedAt),
    published_at: bot.publishedAt === undefined ? undefined : toSeconds(bot.publishedAt),
    owner_user_id: bot.ownerId,
  }
}

export const publishedBotSchema = z.object({
  bot_id: z.string(),
  bot_name: z.string(),
  description: z.string(),
  icon_url: z.string(),
  publish_time: z.string(),
})

export function toPublishedBot(bot: ListedBot, publicUrl: string): z.infer<typeof publishedBotSchema> {
  return {
    bot_id: bot.id,
    bot_name: bot.name,
    description: bot.description,
    icon_url: toIconUrl(bot.iconUrl, publicUrl),
    publish_time: String(toSeconds(bot.updatedAt)),
  }
}

export const toIconUrl = (iconUrl: string, publicUrl: string): string => (iconUrl.startsWith('/') ? publicUrl + iconUrl : iconUrl)
