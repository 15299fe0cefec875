import { AppError } from '../lib/app-error.ts'
import type { Clock } from '../lib/clock.ts'
import { ModelError } from './model-adapter.ts'
import type { ModelFailure } from './model-adapter.ts'
import type { ModelRegistry } from './model-registry.ts'
import { deleteModel, findModelById, findModelByName, openModelKey, saveModel } from './model-store.ts'
import type { Model, ModelSettings, SaveModelDeps } from './model-store.ts'

export type ManagingDeps = SaveModelDeps & { models: Pick<ModelRegistry, 'createAdapter'> }

/** Names that mean something without being set up. */
const BUILT_IN = ['demo']

/** Throws `conflict` for a name that is taken. */
export async function createModel(deps: ManagingDeps, settings: ModelSettings): Promise<Model> {
  if (BUILT_IN.includes(settings.name) || (await findModelByName(deps.db, settings.name)))
    throw new AppError('conflict', `there is a model ${settings.name} already: choose another name`)
  assertComplete(settings)
  return saveModel(deps, settings)
}

export type ModelChange = Omit<ModelSettings, 'name' | 'id'>

/** Without an API key the stored one stays, for the server that it was entered for. */
export async function changeModel(deps: ManagingDeps, { modelId, ...change }: ModelChange & { modelId: string }): Promise<Model> {
  const model = await getModel(deps, modelId)
  assertComplete(change)
  assertKeyStaysHome(model, change)
  return saveModel(deps, { ...change, name: model.name })
}

/** Throws `invalid_request` unless its name is given. Bots that use it answer with the model named `default` from now on. */
export async function removeModel(deps: ManagingDeps, { modelId, name }: { modelId: string; name: string }): Promise<void> {
  const model = await getModel(deps, modelId)
  if (model.name !== name) throw new AppError('invalid_request', 'name: is not the name of this model: nothing was deleted')
  await deleteModel(deps.db, name)
}

export type ModelTrial = { ok: true; latencyMs: number; answer: string } | { ok: false; kind: ModelFailure; message: string }

const TRIAL_MS = 30_000
const ANSWER_CHARS = 200

/** Asks the model one short question. `modelId`: of the stored one whose key is used where none is given. */
export async function tryModel(
  deps: ManagingDeps & { clock: Clock },
  { modelId, ...settings }: ModelChange & { modelId?: string },
): Promise<ModelTrial> {
  assertComplete(settings)
  const apiKey = settings.apiKey ?? (modelId === undefined ? '' : await keyOf(deps, modelId, settings))
  const timeouts = { firstByteMs: TRIAL_MS, wholeMs: TRIAL_MS, betweenChunksMs: TRIAL_MS }
  const adapter = deps.models.createAdapter({ ...settings, apiKey, timeouts })
  const startedAt = deps.clock()
  let answer = ''
  try {
    await adapter.answer(
      { messages: [{ role: 'user', content: 'Answer with the word OK.' }], parameters: {} },
      {
        signal: AbortSignal.timeout(TRIAL_MS),
        stream: false,
        onChunk: (chunk) => void (chunk.type === 'text' && (answer += chunk.text)),
      },
    )
    return { ok: true, latencyMs: deps.clock() - startedAt, answer: answer.slice(0, ANSWER_CHARS) }
  } catch (cause) {
    if (cause instanceof ModelError) return { ok: false, kind: cause.kind, message: withAdvice(cause) }
    if (cause instanceof DOMException && cause.name === 'TimeoutError') return { ok: false, kind: 'timeout', message: TIMEOUT }
    throw cause
  }
}

const TIMEOUT = `the model did not answer within ${TRIAL_MS / 1000} seconds: check the base URL, and whether the server is reachable from here`

/** What happened, and what to try. */
function withAdvice({ kind, message }: ModelError): string {
  const advice = ADVICE[kind]
  return advice === undefined ? message : `${message}. ${advice}`
}

const ADVICE: Partial<Record<ModelFailure, string>> = {
  auth: 'Check the API key, and that it may use this model',
  rejected: 'Check the name of the model and the base URL, which often ends in /v1',
  unreachable: 'Check the base URL, and whether the server is reachable from here',
  garbage: 'Check the base URL and the protocol',
  cut: 'Check the base URL and the protocol',
}

async function keyOf(deps: ManagingDeps, modelId: string, settings: ModelChange): Promise<string> {
  const model = await getModel(deps, modelId)
  assertKeyStaysHome(model, settings)
  return openModelKey(deps, model.id).catch((cause: unknown) => {
    throw new AppError('invalid_request', 'api_key: the stored key cannot be read: enter it again', { cause })
  })
}

async function getModel({ db }: ManagingDeps, modelId: string): Promise<Model> {
  const model = await findModelById(db, modelId)
  if (!model) throw new AppError('not_found', 'model not found')
  return model
}

function assertComplete({ protocol, providerModel }: ModelChange): void {
  if (protocol !== 'demo' && providerModel === '')
    throw new AppError('invalid_request', 'provider_model: enter the name that the provider has for the model')
}

/** @NOTE a secret is for the server that it was entered for: whoever could lead it elsewhere could read it */
function assertKeyStaysHome(model: Model, { protocol, baseUrl, apiKey }: ModelChange): void {
  if (apiKey !== undefined || !model.hasApiKey) return
  if (homeOf(model) !== homeOf({ protocol, baseUrl }))
    throw new AppError('invalid_request', 'api_key: enter it again: the stored one is for another server')
}

const homeOf = ({ protocol, baseUrl }: Pick<Model, 'protocol' | 'baseUrl'>): string => URL.parse(baseUrl)?.origin ?? protocol
