import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Principal } from '../../accounts/principal.ts'
import { assertOwnWorkspace } from '../../accounts/workspaces.ts'
import type { AppEntry } from '../../bots/app-store.ts'
import { success, successSchema } from '../success-reply.ts'
import { toIconUrl } from './bot-wire.ts'
import { idField, optionalIdField, optionalPageNumberField, pageSizeField, toSeconds } from './open-fields.ts'

export type AppServices = {
  getApp(who: Principal, appId: string): Promise<AppEntry>
  listApps(who: Principal, page: { page: number; size: number }): Promise<{ apps: AppEntry[]; total: number }>
  publicUrl: string
}

const tags = ['Apps']

const listedAppSchema = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  icon_url: z.string(),
  is_published: z.boolean(),
  owner_user_id: z.string(),
  updated_at: z.number(),
  published_at: z.number(),
})

const appSchema = z.object({
  app_id: z.string(),
  version: z.string(),
  name: z.string(),
  description: z.string(),
  icon_url: z.string(),
  variables: z.array(
    z.object({
      keyword: z.string(),
      default_value: z.string(),
      variable_type: z.enum(['KVVariable', 'ListVariable']),
      channel: z.string(),
      description: z.string(),
      enable: z.boolean(),
      prompt_enable: z.boolean(),
    }),
  ),
})

/** Apps are made by manifests; here they are read. */
export const appRoutes =
  (services: AppServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.get(
      '/v1/apps',
      {
        config: { auth: 'key', action: 'read' },
        schema: {
          tags,
          summary: 'List your apps',
          querystring: z.object({
            workspace_id: optionalIdField,
            publish_status: z
              .enum(['all', 'published_online', 'published_draft', 'unpublished_draft'], STATUS_RULE)
              .default('published_online')
              .describe('Every app is published: no app is an unpublished draft.'),
            connector_id: optionalIdField.describe('Not used: an app is there on every connector.'),
            page_num: optionalPageNumberField,
            page_index: optionalPageNumberField,
            page_size: pageSizeField(100, 20),
          }),
          response: { 200: successSchema(z.object({ items: z.array(listedAppSchema), total: z.number() })) },
        },
      },
      async (request) => {
        const { workspace_id: workspaceId, publish_status: status, page_num, page_index, page_size: size } = request.query
        assertOwnWorkspace(request.principal, workspaceId)
        if (status === 'unpublished_draft') return success(request, { items: [], total: 0 })

        const { apps, total } = await services.listApps(request.principal, { page: page_num ?? page_index ?? 1, size })
        return success(request, { items: apps.map((app) => toListedApp(app, services.publicUrl)), total })
      },
    )

    http.get(
      '/v1/apps/:app_id',
      {
        config: { auth: 'key', action: 'read' },
        schema: {
          tags,
          summary: 'Read an app',
          params: z.object({ app_id: idField }),
          querystring: z.object({ connector_id: optionalIdField }),
          response: { 200: successSchema(appSchema) },
        },
      },
      async (request) => {
        const app = await services.getApp(request.principal, request.params.app_id)
        return success(request, toApp(app, services.publicUrl))
      },
    )
  }

const STATUS_RULE = 'must be all, published_online, published_draft or unpublished_draft'

function toListedApp(app: AppEntry, publicUrl: string): z.infer<typeof listedAppSchema> {
  return {
    id: app.id,
    name: app.name,
    description: app.description,
    icon_url: toIconUrl(app.iconUrl, publicUrl),
    is_published: true,
    owner_user_id: app.ownerId,
    updated_at: toSeconds(app.updatedAt),
    published_at: toSeconds(app.updatedAt),
  }
}

function toApp(app: AppEntry, publicUrl: string): z.infer<typeof appSchema> {
  return {
    app_id: app.id,
    version: app.version,
    name: app.name,
    description: app.description,
    icon_url: toIconUrl(app.iconUrl, publicUrl),
    variables: app.variables.map((variable) => ({
      keyword: variable.name,
      default_value: variable.default,
      variable_type: variable.type === 'list' ? 'ListVariable' : 'KVVariable',
      channel: 'custom',
      description: variable.description,
      enable: true,
      prompt_enable: true,
    })),
  }
}
