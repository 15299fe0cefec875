import { LRUCache } from 'lru-cache'
import { isDatabaseUnavailable } from '../db/database.ts'
import type { Db } from '../db/database.ts'
import type { Clock } from '../lib/clock.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import { createAiSdkAdapter } from './ai-sdk-adapter.ts'
import { createDemoAdapter } from './demo-adapter.ts'
import { ModelError } from './model-adapter.ts'
import type { ModelAdapter } from './model-adapter.ts'
import { findModelById, findModelByName, openModelKey } from './model-store.ts'
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
  /** By the number that canvases call `modelType`. One that is not set up, or none, means the model named `default`. */
  getAdapterById: (modelType: string) => Promise<ModelAdapter>
  /** Of settings that need not be stored; what fails is not tried again. */
  createAdapter: (settings: AdapterSettings) => ModelAdapter
  /** Breaks what is still running. */
  close: () => Promise<void>
}

/** `apiKey` is in clear. */
export type AdapterSettings = Pick<Model, 'protocol' | 'baseUrl' | 'providerModel'> & { apiKey: string; timeouts?: ModelTimeouts }

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

/** No name starts with it: keys of the cache that are ids. */
const ID_MARK = '\0'

type FindModel = () => Promise<Model | undefined>
type Known = { adapter: ModelAdapter; version: string; checkedAt: number }

export function createModelRegistry(options: ModelRegistryOptions): ModelRegistry {
  const { db, clock, proxy, connectMs } = options
  const connection = createProviderConnection({ proxy, connectMs })
  const demo = createDemoAdapter()
  const known = new LRUCache<string, Known>({ max: KEPT })
  const lookups = new Map<string, Promise<ModelAdapter>>()

  async function getAdapter(name: string): Promise<ModelAdapter> {
    return name === 'demo' ? demo : getKnown(name, () => findModelByName(db, name))
  }

  async function getAdapterById(modelType: string): Promise<ModelAdapter> {
    if (!/^\d{1,19}$/.test(modelType)) return getAdapter('default')
    return getKnown(`${ID_MARK}${modelType}`, () => findModelById(db, modelType))
  }

  async function getKnown(key: string, find: FindModel): Promise<ModelAdapter> {
    const entry = known.get(key)
    if (entry && Math.abs(clock() - entry.checkedAt) < FRESH_MS) return entry.adapter
    // chats that start together ask once
    const lookup = lookups.get(key) ?? lookUp(key, find).finally(() => lookups.delete(key))
    lookups.set(key, lookup)
    return lookup
  }

  async function lookUp(key: string, find: FindModel): Promise<ModelAdapter> {
    const checkedAt = clock()
    const model = (await find()) ?? (await findModelByName(db, 'default'))
    const entry = known.get(key)
    const version = model ? `${model.name}/${model.id}/${model.updatedAt}` : 'none'
    const adapter = entry?.version === version ? entry.adapter : await adapterFor(key, model)
    known.set(key, { adapter, version, checkedAt })
    return adapter
  }

  async function adapterFor(key: string, model: Model | undefined): Promise<ModelAdapter> {
    if (!model) return standIn(key)
    if (model.protocol === 'demo') return demo
    const adapter = createAdapter({ ...model, apiKey: await keyOf(model), timeouts: options.timeouts })
    return createRetryingAdapter(adapter, options.retry)
  }

  function createAdapter({ protocol, baseUrl, providerModel, apiKey, timeouts }: AdapterSettings): ModelAdapter {
    if (protocol === 'demo') return demo
    const settings = { baseUrl, apiKey, model: providerModel, connection, timeouts }
    return protocol === 'openai' ? createOpenAiAdapter(settings) : createAiSdkAdapter({ ...settings, protocol })
  }

  function standIn(key: string): ModelAdapter {
    if (key === 'default' || key === '' || key.startsWith(ID_MARK)) return demo
    throw new ModelError('rejected', `no model named ${key} is configured: set it up in a manifest and apply it`)
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

  return { getAdapter, getAdapterById, createAdapter, close: () => connection.close() }
}
