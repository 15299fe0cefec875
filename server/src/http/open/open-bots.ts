import type { FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Principal } from '../../accounts/principal.ts'
import { assertOwnWorkspace } from '../../accounts/workspaces.ts'
import type { Bot, PublishedBot } from '../../bots/bot-config.ts'
import type { BotListStatus, ListedBot } from '../../bots/bot-list-store.ts'
import { AppError } from '../../lib/app-error.ts'
import { success, successSchema } from '../success-reply.ts'
import {
  listedBotSchema,
  publishedBotSchema,
  toDraftView,
  toListedBot,
  toPublishedBot,
  toPublishedView,
  toWireBot,
  wireBotSchema,
} from './bot-wire.ts'
import type { BotView } from './bot-wire.ts'
import { draftRoutes } from './open-bot-drafts.ts'
import type { DraftServices } from './open-bot-drafts.ts'
import { booleanField, idField, optionalIdField, optionalPageNumberField, pageSizeField } from './open-fields.ts'

export type BotServices = DraftServices & {
  getPublishedBot(who: Principal, botId: string): Promise<PublishedBot>
  getDraft(who: Principal, botId: string): Promise<Bot>
  listBots(who: Principal, request: BotListRequest): Promise<{ bots: ListedBot[]; total: number }>
  publicUrl: string
}

export type BotListRequest = { status: BotListStatus; page: number; size: number }

const tags = ['Bots']

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

/** The two SDKs call the number of the page differently. */
const pageSchema = { page_num: optionalPageNumberField, page_index: optionalPageNumberField, page_size: pageSizeField(100, 20) }

export const botRoutes =
  (services: BotServices): FastifyPluginAsyncZod =>
  async (http) => {
    await http.register(readingRoutes(services))
    await http.register(listingRoutes(services))
    await http.register(draftRoutes(services))
  }

const readingRoutes =
  (services: BotServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.get(
      '/v1/bot/get_online_info',
      {
        config: { auth: 'key', action: 'read' },
        schema: {
          tags,
          summary: 'Read a published bot',
          querystring: z.object({ bot_id: idField, connector_id: optionalIdField }),
          response: reply,
        },
      },
      async (request) => {
        const bot = await services.getPublishedBot(request.principal, request.query.bot_id)
        return botSuccess(request, toPublishedView(bot), services.publicUrl)
      },
    )

    http.get(
      '/v1/bots/:bot_id',
      {
        config: { auth: 'key', action: 'read' },
        schema: {
          tags,
          summary: 'Read a bot: what is published, or the draft',
          params: z.object({ bot_id: idField }),
          querystring: z.object({ is_published: booleanField.default(true).describe('false: the draft'), connector_id: optionalIdField }),
          response: reply,
        },
      },
      async (request) => {
        const { bot_id: botId } = request.params
        // a draft is its builder's
        if (!request.query.is_published && request.principal.access?.token) throw new AppError('not_found', 'bot not found')
        const view = request.query.is_published
          ? toPublishedView(await services.getPublishedBot(request.principal, botId))
          : toDraftView(await services.getDraft(request.principal, botId))
        return botSuccess(request, view, services.publicUrl)
      },
    )
  }

const listingRoutes =
  (services: BotServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.get(
      '/v1/bots',
      {
        config: { auth: 'key', action: 'read' },
        schema: {
          tags,
          summary: 'List your bots',
          querystring: z.object({
            workspace_id: optionalIdField,
            publish_status: z
              .enum(['all', 'published_online', 'published_draft', 'unpublished_draft'], STATUS_RULE)
              .default('published_online')
              .describe('Live versions, or drafts: of all bots, of published ones, of those that are not published.'),
            connector_id: optionalIdField.describe('Not used: a published bot answers on every connector.'),
            ...pageSchema,
          }),
          response: { 200: successSchema(z.object({ items: z.array(listedBotSchema), total: z.number() })) },
        },
      },
      async (request) => {
        const { workspace_id: workspaceId, publish_status: status, page_num, page_index, page_size: size } = request.query
        assertOwnWorkspace(request.principal, workspaceId)
        const { bots, total } = await services.listBots(request.principal, { status, page: page_num ?? page_index ?? 1, size })
        return success(request, { items: bots.map((bot) => toListedBot(bot, services.publicUrl)), total })
      },
    )

    http.get(
      '/v1/space/published_bots_list',
      {
        config: { auth: 'key', action: 'read' },
        schema: {
          tags,
          summary: 'List your published bots',
          querystring: z.object({ space_id: optionalIdField, ...pageSchema }),
          response: { 200: successSchema(z.object({ space_bots: z.array(publishedBotSchema), total: z.number() })) },
        },
      },
      async (request) => {
        const { space_id: workspaceId, page_num, page_index, page_size: size } = request.query
        assertOwnWorkspace(request.principal, workspaceId)
        const wanted = { status: 'published_online', page: page_index ?? page_num ?? 1, size } as const
        const { bots, total } = await services.listBots(request.principal, wanted)
        return success(request, { space_bots: bots.map((bot) => toPublishedBot(bot, services.publicUrl)), total })
      },
    )
  }

const STATUS_RULE = 'must be all, published_online, published_draft or unpublished_draft'

function botSuccess(request: FastifyRequest, view: BotView, publicUrl: string) {
  // end users do not see what the bot is told
  const bot = request.principal.access?.token ? { ...view, config: { ...view.config, prompt: '' } } : view
  const wire = toWireBot(bot, publicUrl)
  const number = Number(bot.botId)
  return success(request, wire, {
    // a number, as the guide prints it, where that is exact
    bot_id: Number.isSafeInteger(number) ? number : bot.botId,
    name: bot.name,
    description: bot.description,
    icon_url: wire.icon_url,
    prompt: bot.config.prompt,
    version: bot.version,
    created_at: wire.create_time,
    updated_at: wire.update_time,
  })
}
