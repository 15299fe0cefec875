import { LRUCache } from 'lru-cache'
import type { Db } from '../db/database.ts'
import type { Clock } from '../lib/clock.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import { createDemoAdapter } from './demo-adapter.ts'
import { ModelError } from './model-adapter.ts'
import type { ModelAdapter } from './model-adapter.ts'
import { findModelByName } from './model-store.ts'
import type { StoredModel } from './model-store.ts'
import { createOpenAiAdapter } from './openai-adapter.ts'
import { createProviderConnection } from './provider-connection.ts'
import type { ProviderConnection, ProxySettings } from './provider-connection.ts'
import { createRetryingAdapter } from './retrying-adapter.ts'

/** The models that bots name, ready to be asked. */
export interface ModelRegistry {
  /**
   * `demo` always exists; `default` is the demo model until the operator sets one of that name.
   * Rejects with a ModelError for any other name that is not set up.
   */
  getAdapter(name: string): Promise<ModelAdapter>
  close(): Promise<void>
}

export type ModelRegistryDeps = { db: Db; secrets: SecretBox; clock: Clock; proxy?: ProxySettings }

/** A change made by another process counts after at most this time. */
const FRESH_MS = 1_000
const KEPT = 1_000

type Known = { adapter: ModelAdapter; updatedAt: number; readAt: number }

export function createModelRegistry({ db, secrets, clock, proxy }: ModelRegistryDeps): ModelRegistry {
  const connection = createProviderConnection({ proxy })
  const demo = createDemoAdapter()
  const known = new LRUCache<string, Known>({ max: KEPT })

  return {
    async getAdapter(name) {
      if (name === 'demo') return demo
      const hit = known.get(name)
      const now = clock()
      if (hit && Math.abs(now - hit.readAt) < FRESH_MS) return hit.adapter

      const model = await findModelByName(db, name)
      const updatedAt = model?.updatedAt ?? 0
      const adapter = hit?.updatedAt === updatedAt ? hit.adapter : adapterFor({ name, model, demo, secrets, connection })
      known.set(name, { adapter, updatedAt, readAt: now })
      return adapter
    },
    close: () => connection.close(),
  }
}

type AdapterSource = { name: string; model: StoredModel | undefined; demo: ModelAdapter; secrets: SecretBox; connection: ProviderConnection }

function adapterFor({ name, model, demo, secrets, connection }: AdapterSource): ModelAdapter {
  if (!model) {
    if (name === 'default') return demo
    throw new ModelError('rejected', `there is no model named ${name}: set it up in a manifest and apply it`)
  }
  const options = { baseUrl: model.baseUrl, apiKey: openKey(model, secrets), model: model.providerModel, connection }
  switch (model.protocol) {
    case 'demo':
      return demo
    case 'openai':
      return createRetryingAdapter(createOpenAiAdapter(options))
    case 'anthropic':
    case 'google':
      return createRetryingAdapter(createAiSdkAdapter({ protocol: model.protocol, ...options }))
  }
}

function openKey(model: StoredModel, secrets: SecretBox): string {
  try {
    return secrets.open(model.sealedKey)
  } catch (cause) {
    throw new ModelError('auth', `the key of model ${model.name} was stored under another MASTER_KEY: set the model up again`, { cause })
  }
}
