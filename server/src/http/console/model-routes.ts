import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { changeModel, createModel, removeModel, tryModel } from '../../models/managed-models.ts'
import type { ManagingDeps } from '../../models/managed-models.ts'
import { listModels } from '../../models/model-store.ts'
import type { Model as StoredModel } from '../../models/model-store.ts'
import { audited } from '../audit-trail.ts'
import { idField } from '../open/open-fields.ts'
import { success } from '../success-reply.ts'
import { deleteSchema } from './agent-wire.ts'
import { modelChangeSchema, modelListQuery, modelTestSchema, newModelSchema } from './model-wire.ts'
import type { Model, ModelTested } from './model-wire.ts'

export type ModelServices = ManagingDeps

/** Models for everybody who builds agents; only administrators change them. Their keys never come back. */
export const modelRoutes =
  (services: ModelServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.get('/api/console/models', { config: { auth: 'session' }, schema: { querystring: modelListQuery } }, async (request) => {
      const { page, size, search = '' } = request.query
      const stored = (await listModels(services.db)).map(toModel)
      const all = [...stored, ...builtIn.filter(({ name }) => stored.every((model) => model.name !== name))]
      const found = all.filter(({ name }) => name.toLowerCase().includes(search.toLowerCase())).sort(byName)
      const items = found.slice((page - 1) * size, page * size)
      const isAdmin = request.principal.role === 'admin'
      return success(request, { items: isAdmin ? items : items.map((model) => ({ ...model, base_url: '' })), total: found.length })
    })

    http.post(
      '/api/console/models',
      { config: audited(admin, 'model.create', 'name', 'protocol', 'base_url', 'provider_model'), schema: { body: newModelSchema } },
      async (request) => {
        const { name, ...settings } = request.body
        return success(request, toModel(await createModel(services, { ...toSettings(settings), name })))
      },
    )

    http.put(
      '/api/console/models/:id',
      { config: audited(admin, 'model.update', 'protocol', 'base_url', 'provider_model'), schema: { params, body: modelChangeSchema } },
      async (request) => {
        const model = await changeModel(services, { ...toSettings(request.body), modelId: request.params.id })
        return success(request, toModel(model))
      },
    )

    http.delete(
      '/api/console/models/:id',
      { config: audited(admin, 'model.delete', 'name'), schema: { params, body: deleteSchema } },
      async (request) => {
        await removeModel(services, { modelId: request.params.id, name: request.body.name })
        return success(request, {})
      },
    )

    http.post(
      '/api/console/models/test',
      { config: audited(admin, 'model.test', 'protocol', 'base_url', 'provider_model'), schema: { body: modelTestSchema } },
      async (request) => {
        const { id, ...settings } = request.body
        return success(request, toTested(await tryModel(services, { ...toSettings(settings), modelId: id })))
      },
    )
  }

const admin = { auth: 'admin' } as const
const params = z.object({ id: idField })

const byName = (one: Model, other: Model) => (one.name < other.name ? -1 : 1)

/** They answer without being set up. */
const builtIn: Model[] = ['default', 'demo'].map((name) => ({
  ...{ id: name, name, protocol: 'demo', base_url: '', provider_model: '', has_api_key: false },
  ...{ is_built_in: true, created_at: 0, updated_at: 0 },
}))

function toModel({ id, name, protocol, baseUrl, providerModel, hasApiKey, createdAt, updatedAt }: StoredModel): Model {
  return {
    ...{ id, name, protocol, base_url: baseUrl, provider_model: providerModel, has_api_key: hasApiKey },
    ...{ is_built_in: false, created_at: createdAt, updated_at: updatedAt },
  }
}

const toSettings = ({
  protocol,
  base_url: baseUrl,
  provider_model: providerModel,
  api_key: apiKey,
}: z.output<typeof modelChangeSchema>) => ({
  ...{ protocol, baseUrl, providerModel, apiKey: apiKey ?? undefined },
})

function toTested(trial: Awaited<ReturnType<typeof tryModel>>): ModelTested {
  return trial.ok ? { ok: true, latency_ms: trial.latencyMs, answer: trial.answer } : trial
}
