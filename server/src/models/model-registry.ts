import { LRUCache } from 'lru-cache'
import { isDatabaseUnavailable } from '../db/database.ts'
import type { Db } from '../db/database.ts'
import type { Clock } from '../lib/clock.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import { createAiSdkAdapter } from './ai-sdk-adapter.ts'
import { createDemoAdapter } from './demo-adapter.ts'
import { ModelError } from './model-adapter.ts'
import type { ModelAdapter } from './model-adapter.ts'
import { findModelByName, openModelKey } from './model-store.ts'
import type { Model } from './model-store.ts'
import type { ModelTimeouts } from './model-timeouts.ts'
import { createOpenAiAdapter } from './openai-adapter.ts'
import { createProviderConnection } from './provider-connection.ts'
import type { ProxySettings } from './provider-connection.ts'
import { createRetryingAdapter } from './retrying-adapter.ts'
import type { RetryOptions } from './retrying-adapter.ts'

/** The models that bots name, ready to be asked. */
export type ModelRegistry = {
  /**
   * A name that is not set up means the model named `default`. `demo` always exists, and stands in for `default` until that is set up.
   * Rejects with a ModelError for anything else. A change of a model, by any process, counts after one second at most.
   */
  getAdapter: (name: string) => Promise<ModelAdapter>
  /** Breaks what is still running. */
  close: () => Promise<void>
}

export type ModelRegistryOptions = {
  db: Db
  secrets: SecretBox
  clock: Clock
  proxy?: ProxySettings
  connectMs?: number
  timeouts?: ModelTimeouts
  retry?: RetryOptions
}

const FRESH_MS = 1_000
const KEPT = 1_000

type Known = { adapter: ModelAdapter; version: string; checkedAt: number }

export function createModelRegistry(options: ModelRegistryOptions): ModelRegistry {
  const { db, clock, proxy, connectMs } = options
  const connection = createProviderConnection({ proxy, connectMs })
  const demo = createDemoAdapter()
  const known = new LRUCache<string, Known>({ max: KEPT })
  const lookups = new Map<string, Promise<ModelAdapter>>()

  async function getAdapter(name: string): Promise<ModelAdapter> {
    if (name === 'demo') return demo

    const entry = known.get(name)
    if (entry && Math.abs(clock() - entry.checkedAt) < FRESH_MS) return entry.adapter
    // chats that start together ask once
    const lookup = lookups.get(name) ?? lookUp(name).finally(() => lookups.delete(name))
    lookups.set(name, lookup)
    return lookup
  }

  async function lookUp(name: string): Promise<ModelAdapter> {
    const checkedAt = clock()
    const model = (await findModelByName(db, name)) ?? (await findModelByName(db, 'default'))
    const entry = known.get(name)
    const version = model ? `${model.name}/${model.id}/${model.updatedAt}` : 'none'
    const adapter = entry?.version === version ? entry.adapter : await adapterFor(name, model)
    known.set(name, { adapter, version, checkedAt })
    return adapter
  }

  async function adapterFor(name: string, model: Model | undefined): Promise<ModelAdapter> {
    if (!model) return standIn(name)
    if (model.protocol === 'demo') return demo

    const { baseUrl, providerModel, protocol } = model
    const settings = { baseUrl, apiKey: await keyOf(model), model: providerModel, connection, timeouts: options.timeouts }
    const adapter = protocol === 'openai' ? createOpenAiAdapter(settings) : createAiSdkAdapter({ ...settings, protocol })
    return createRetryingAdapter(adapter, options.retry)
  }

  function standIn(name: string): ModelAdapter {
    if (name === 'default' || name === '') return demo
    throw new ModelError('rejected', `no model named ${name} is configured: set it up in a manifest and apply it`)
  }

  async function keyOf(model: Model): Promise<string> {
    try {
      return await openModelKey(options, model.id)
    } catch (cause) {
      if (isDatabaseUnavailable(cause)) throw cause
      throw new ModelError('auth', `the key of the model ${model.name} was stored under another MASTER_KEY: set the model up again`, {
        cause,
      })
    }
  }

  return { getAdapter, close: () => connection.close() }
}
