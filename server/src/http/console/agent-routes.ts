import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Principal } from '../../accounts/principal.ts'
import { botConfigSchema } from '../../bots/bot-config.ts'
import type { Bot } from '../../bots/bot-config.ts'
import { assertIcon } from '../../bots/bot-drafts.ts'
import type { DraftDeps } from '../../bots/bot-drafts.ts'
import { countBots, listBotOverviews } from '../../bots/bot-list-store.ts'
import { findBotTemplate, listBotTemplates } from '../../bots/bot-templates.ts'
import * as bots from '../../bots/bots.ts'
import { AppError } from '../../lib/app-error.ts'
import type { SecretBox } from '../../lib/secret-box.ts'
import { assertBotWorkflows } from '../../workflows/bot-workflows.ts'
import { audited } from '../audit-trail.ts'
import { idField } from '../open/open-fields.ts'
import { success } from '../success-reply.ts'
import { diffDraft, toAgent, toAgentItem, toDraft, toDraftView, toVersion } from './agent-view.ts'
import {
  agentListQuery,
  deleteSchema,
  newAgentSchema,
  publishSchema,
  rollBackSchema,
  saveDraftSchema,
  templateListQuery,
  versionListQuery,
} from './agent-wire.ts'
import type { AgentDraft, NewAgent } from './agent-wire.ts'

export type AgentServices = DraftDeps & {
  secrets: SecretBox
  /** Told of every change of what is live: it counts at once for the calls to this process. */
  forgetBot: (botId: string) => void
  /** Asks the servers of the draft's tools. */
  listTools: (bot: Bot) => Promise<{ tools: { name: string; description: string }[]; problems: string[] }>
}

/** Agents for their builders: drafts, versions, what is live. */
export const agentRoutes =
  (services: AgentServices): FastifyPluginAsyncZod =>
  async (http) => {
    await http.register(listRoutes(services))
    await http.register(draftRoutes(services))
    await http.register(versionRoutes(services))
  }

const AGENT = '/api/console/agents/:id'
const params = z.object({ id: idField })
const config = { auth: 'session' } as const
// two texts of this size, and what JSON puts around their quotes and line ends
const bodyLimit = 8 * 1024 * 1024

const listRoutes =
  (services: AgentServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.get('/api/console/agents', { config, schema: { querystring: agentListQuery } }, async (request) => {
      const { page, size, search, status } = request.query
      const filter = { ownerId: request.principal.userId, search, status: LIST_STATUS[status] }
      const [found, total] = await Promise.all([
        listBotOverviews(services.db, filter, { offset: (page - 1) * size, limit: size }),
        countBots(services.db, filter),
      ])
      return success(request, { items: found.map(toAgentItem), total })
    })

    http.post(
      '/api/console/agents',
      { config: audited(config, 'agent.create', 'name', 'template'), schema: { body: newAgentSchema } },
      async (request) => {
        const bot = await bots.createBot(services, request.principal, toNewBot(request.body))
        return success(request, toAgent(bot, undefined))
      },
    )

    http.get('/api/console/agent-templates', { config, schema: { querystring: templateListQuery } }, async (request) => {
      const items = listBotTemplates(request.query.language).map(({ config: settings, key, name, description }) => ({
        ...{ key, name, description },
        draft: toDraftView({ name, description, iconUrl: '' }, settings),
      }))
      return success(request, { items })
    })
  }

const LIST_STATUS = { all: 'all', published: 'published_draft', draft: 'unpublished_draft' } as const

function toNewBot({ name, description, template: key, language = 'en' }: NewAgent) {
  const template = key === undefined ? undefined : findBotTemplate(key, language)
  if (key !== undefined && !template) throw new AppError('invalid_request', `template: there is no template ${key}`)
  return {
    name,
    description: description ?? template?.description ?? '',
    iconUrl: '',
    config: template?.config ?? botConfigSchema.parse({}),
  }
}

const draftRoutes =
  (services: AgentServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.get(AGENT, { config, schema: { params } }, async (request) =>
      success(request, await showAgent(services, await bots.getOwnBot(services, request.principal, request.params.id))),
    )

    http.put(
      `${AGENT}/draft`,
      { config: audited(config, 'agent.update'), bodyLimit, schema: { params, body: saveDraftSchema } },
      async (request) => {
        const { draft, revision } = request.body
        const saved = await saveDraft(services, request.principal, { botId: request.params.id, draft, revision })
        return success(request, await showAgent(services, saved))
      },
    )

    http.get(`${AGENT}/diff`, { config, schema: { params } }, async (request) => {
      const bot = await bots.getOwnBot(services, request.principal, request.params.id)
      return success(request, diffDraft(bot, await bots.findLiveVersion(services, bot)))
    })

    http.get(`${AGENT}/tools`, { config, schema: { params } }, async (request) => {
      const bot = await bots.getOwnBot(services, request.principal, request.params.id)
      const { tools, problems } = await services.listTools(bot)
      return success(request, { tools: tools.map(({ name, description }) => ({ name, description })), problems })
    })

    http.delete(AGENT, { config: audited(config, 'agent.delete', 'name'), schema: { params, body: deleteSchema } }, async (request) => {
      await bots.deleteBot(services, request.principal, { botId: request.params.id, name: request.body.name })
      services.forgetBot(request.params.id)
      return success(request, {})
    })
  }

type Saving = { botId: string; draft: AgentDraft; revision: string }

function saveDraft(services: AgentServices, who: Principal, { botId, draft, revision }: Saving): Promise<Bot> {
  return bots.editDraft(services, who, {
    ...{ botId, revision },
    async edit(before, tx) {
      if (draft.icon_url !== before.iconUrl) await assertIcon({ ...services, db: tx }, who, draft.icon_url)
      return toDraft(services.secrets, draft, before.draft.tools)
    },
  })
}

const showAgent = async (services: AgentServices, bot: Bot) => toAgent(bot, await bots.findLiveVersion(services, bot))

const versionRoutes =
  (services: AgentServices): FastifyPluginAsyncZod =>
  async (http) => {
    const changeLive = async (who: Principal, botId: string, change: Promise<unknown>) => {
      await change.finally(() => services.forgetBot(botId))
      return showAgent(services, await bots.getOwnBot(services, who, botId))
    }

    http.post(
      `${AGENT}/publish`,
      { config: audited(config, 'agent.publish', 'version'), schema: { params, body: publishSchema } },
      async (request) => {
        const { principal, params: address, body } = request
        const { draft } = await bots.getOwnBot(services, principal, address.id)
        await assertBotWorkflows(services, principal, draft)
        const publishing = bots.publishBot(services, principal, { botId: address.id, ...body })
        return success(request, await changeLive(principal, address.id, publishing))
      },
    )

    http.post(
      `${AGENT}/roll-back`,
      { config: audited(config, 'agent.roll_back', 'version'), schema: { params, body: rollBackSchema } },
      async (request) => {
        const { principal, params: address, body } = request
        const rollingBack = bots.rollBackBot(services, principal, { botId: address.id, version: body.version })
        return success(request, await changeLive(principal, address.id, rollingBack))
      },
    )

    http.post(`${AGENT}/unpublish`, { config: audited(config, 'agent.unpublish'), schema: { params } }, async (request) => {
      const { principal, params: address } = request
      return success(request, await changeLive(principal, address.id, bots.unpublishBot(services, principal, address.id)))
    })

    http.get(`${AGENT}/versions`, { config, schema: { params, querystring: versionListQuery } }, async (request) => {
      const { bot, versions, total } = await bots.listVersionPage(services, request.principal, {
        botId: request.params.id,
        ...request.query,
      })
      return success(request, { items: versions.map((version) => toVersion(version, bot)), total })
    })

    const versionParams = params.extend({ version: z.string().max(50) })
    http.get(`${AGENT}/versions/:version`, { config, schema: { params: versionParams } }, async (request) => {
      const { id: botId, version: name } = request.params
      const { bot, version } = await bots.getVersion(services, request.principal, { botId, version: name })
      return success(request, { ...toVersion(version, bot), draft: toDraftView(version, version.config) })
    })
  }
